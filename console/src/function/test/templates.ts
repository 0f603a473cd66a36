/** Events of the common sources to begin with; shapes as in AWS's documentation of each source. */

export interface Template {
  readonly id: string;
  readonly label: string;
  readonly event: unknown;
}

const ACCOUNT = '123456789012';
const REGION = 'us-east-1';

export const TEMPLATES: readonly Template[] = [
  { id: 'hello-world', label: 'Hello World', event: { key1: 'value1', key2: 'value2', key3: 'value3' } },
  {
    id: 'http-api',
    label: 'API Gateway HTTP API, function URL',
    event: {
      version: '2.0',
      routeKey: '$default',
      rawPath: '/my/path',
      rawQueryString: 'name=Ada&tag=1&tag=2',
      cookies: ['session=abc'],
      headers: { accept: 'application/json', 'content-type': 'application/json', host: 'example.lambda-url.on.aws' },
      queryStringParameters: { name: 'Ada', tag: '1,2' },
      requestContext: {
        accountId: ACCOUNT,
        apiId: 'example',
        domainName: 'example.lambda-url.on.aws',
        domainPrefix: 'example',
        http: {
          method: 'GET',
          path: '/my/path',
          protocol: 'HTTP/1.1',
          sourceIp: '192.0.2.1',
          userAgent: 'example',
        },
        requestId: 'id',
        routeKey: '$default',
        stage: '$default',
        time: '12/Mar/2026:19:03:58 +0000',
        timeEpoch: 1773342238000,
      },
      isBase64Encoded: false,
    },
  },
  {
    id: 'rest-api',
    label: 'API Gateway REST API',
    event: {
      resource: '/{proxy+}',
      path: '/path/to/resource',
      httpMethod: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      multiValueHeaders: { Accept: ['application/json'] },
      queryStringParameters: { name: 'Ada' },
      multiValueQueryStringParameters: { name: ['Ada'] },
      pathParameters: { proxy: 'path/to/resource' },
      stageVariables: null,
      requestContext: {
        accountId: ACCOUNT,
        resourceId: '123456',
        stage: 'prod',
        requestId: 'id',
        httpMethod: 'POST',
        path: '/prod/path/to/resource',
        identity: { sourceIp: '192.0.2.1', userAgent: 'example' },
      },
      body: '{"message":"hello"}',
      isBase64Encoded: false,
    },
  },
  {
    id: 'alb',
    label: 'Application Load Balancer',
    event: {
      requestContext: { elb: { targetGroupArn: `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}:targetgroup/a/1` } },
      httpMethod: 'GET',
      path: '/lambda',
      queryStringParameters: { query: '1234ABCD' },
      headers: { accept: 'text/html', 'x-forwarded-for': '192.0.2.1' },
      body: '',
      isBase64Encoded: false,
    },
  },
  {
    id: 's3-put',
    label: 'S3 put',
    event: {
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          awsRegion: REGION,
          eventTime: '2026-01-01T00:00:00.000Z',
          eventName: 'ObjectCreated:Put',
          s3: {
            s3SchemaVersion: '1.0',
            configurationId: 'example',
            bucket: { name: 'amzn-s3-demo-bucket', arn: 'arn:aws:s3:::amzn-s3-demo-bucket' },
            object: { key: 'a+folder/photo.jpg', size: 1024, eTag: '0123456789abcdef', sequencer: '0A1B2C3D4E5F' },
          },
        },
      ],
    },
  },
  {
    id: 'sqs',
    label: 'SQS',
    event: {
      Records: [
        {
          messageId: '19dd0b57-b21e-4ac1-bd88-01bbb068cb78',
          receiptHandle: 'MessageReceiptHandle',
          body: '{"order": 1}',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: '1773342238000',
            SenderId: ACCOUNT,
            ApproximateFirstReceiveTimestamp: '1773342238001',
          },
          messageAttributes: {},
          md5OfBody: 'dc97bbb7eff3689c366f23d88bae9f28',
          eventSource: 'aws:sqs',
          eventSourceARN: `arn:aws:sqs:${REGION}:${ACCOUNT}:MyQueue`,
          awsRegion: REGION,
        },
      ],
    },
  },
  {
    id: 'sns',
    label: 'SNS',
    event: {
      Records: [
        {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: `arn:aws:sns:${REGION}:${ACCOUNT}:ExampleTopic:1`,
          Sns: {
            Type: 'Notification',
            MessageId: '95df01b4-ee98-5cb9-9903-4c221d41eb5e',
            TopicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:ExampleTopic`,
            Subject: 'example subject',
            Message: 'example message',
            Timestamp: '2026-01-01T00:00:00.000Z',
            MessageAttributes: { Test: { Type: 'String', Value: 'TestString' } },
          },
        },
      ],
    },
  },
  {
    id: 'dynamodb',
    label: 'DynamoDB Streams',
    event: {
      Records: [
        {
          eventID: '1',
          eventName: 'INSERT',
          eventVersion: '1.1',
          eventSource: 'aws:dynamodb',
          awsRegion: REGION,
          dynamodb: {
            Keys: { Id: { N: '101' } },
            NewImage: { Message: { S: 'New item!' }, Id: { N: '101' } },
            SequenceNumber: '111',
            SizeBytes: 26,
            StreamViewType: 'NEW_AND_OLD_IMAGES',
          },
          eventSourceARN: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/Example/stream/2026-01-01T00:00:00.000`,
        },
      ],
    },
  },
  {
    id: 'kinesis',
    label: 'Kinesis',
    event: {
      Records: [
        {
          kinesis: {
            kinesisSchemaVersion: '1.0',
            partitionKey: '1',
            sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
            data: 'SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==',
            approximateArrivalTimestamp: 1773342238.0,
          },
          eventSource: 'aws:kinesis',
          eventVersion: '1.0',
          eventID: 'shardId-000000000006:49590338271490256608559692538361571095921575989136588898',
          eventName: 'aws:kinesis:record',
          invokeIdentityArn: `arn:aws:iam::${ACCOUNT}:role/lambda-role`,
          awsRegion: REGION,
          eventSourceARN: `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/lambda-stream`,
        },
      ],
    },
  },
  {
    id: 'scheduled',
    label: 'EventBridge schedule',
    event: {
      version: '0',
      id: 'cdc73f9d-aea9-11e3-9d5a-835b769c0d9c',
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: ACCOUNT,
      time: '2026-01-01T00:00:00Z',
      region: REGION,
      resources: [`arn:aws:events:${REGION}:${ACCOUNT}:rule/ExampleRule`],
      detail: {},
    },
  },
  {
    id: 'cloudwatch-logs',
    label: 'CloudWatch Logs',
    event: {
      awslogs: {
        data: 'H4sIAAAAAAACA0WPTQuCQBCG/4rM2cP6UZo3oVWCIlBvImE5yIJf7I5FiP+91ZKO7/sMz8xM0KJSZY3Ze0AI4Bhm4e3C0zSMOZjQvzqUurZsx93tPf/ALFvXTV/Hsh8HTQgVnbe4kpQklu0f/bIJaryrhxQDib6LREMoFQT5OvaNUKwC/sSOFjSBqLQHl3yqLK0goc+lstWbLc9zHNe2HZ8xZm5v6PGcJ8k1KYxISEXGYjc2OBfzB4/EZJzxAAAA',
      },
    },
  },
  {
    id: 'cognito',
    label: 'Cognito sign-up',
    event: {
      version: '1',
      triggerSource: 'PreSignUp_SignUp',
      region: REGION,
      userPoolId: 'us-east-1_Example',
      userName: 'ada',
      callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: 'example' },
      request: { userAttributes: { email: 'ada@example.com' } },
      response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
    },
  },
  { id: 'empty', label: '{}', event: {} },
];

export function templateText(id: string): string {
  const template = TEMPLATES.find((known) => known.id === id) ?? TEMPLATES[0];
  return JSON.stringify(template?.event, null, 2);
}
