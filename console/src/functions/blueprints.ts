/** Functions to begin with. Each is one file, `lambda_function.py`, that answers its own sample event. */

import type { Key } from '../language/language.ts';

export interface Blueprint {
  readonly id: string;
  readonly title: Key;
  readonly description: Key;
  readonly code: string;
  /** Which of the event templates it expects. */
  readonly event: string;
}

export const FILE = 'lambda_function.py';
export const HANDLER = 'lambda_function.lambda_handler';

/** What "author from scratch" begins with. */
export const STARTER = `import json


def lambda_handler(event, context):
    # TODO implement
    return {
        'statusCode': 200,
        'body': json.dumps('Hello from Lambda!')
    }
`;

export const BLUEPRINTS: readonly Blueprint[] = [
  {
    id: 'hello',
    title: 'bpHello',
    description: 'bpHelloText',
    event: 'hello-world',
    code: `import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    """Greets whoever the event names."""
    name = event.get("name", "world")
    logger.info("greeting %s", name)
    return {"greeting": f"Hello, {name}!", "request_id": context.aws_request_id}
`,
  },
  {
    id: 'api',
    title: 'bpApi',
    description: 'bpApiText',
    event: 'http-api',
    code: `import json


def lambda_handler(event, context):
    """Answers an HTTP request: a function URL or API Gateway (payload format 2.0) in front of it."""
    http = event["requestContext"]["http"]
    if http["method"] == "GET":
        name = (event.get("queryStringParameters") or {}).get("name", "world")
        return answer(200, {"message": f"Hello, {name}!", "path": event["rawPath"]})
    if http["method"] == "POST":
        try:
            item = json.loads(event.get("body") or "")
        except json.JSONDecodeError:
            return answer(400, {"message": "The body is not JSON."})
        return answer(201, {"created": item})
    return answer(405, {"message": f"{http['method']} is not allowed here."})


def answer(status, content):
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(content),
    }
`,
  },
  {
    id: 's3',
    title: 'bpS3',
    description: 'bpS3Text',
    event: 's3-put',
    code: `from urllib.parse import unquote_plus


def lambda_handler(event, context):
    """Looks at every object that was put into a bucket."""
    seen = []
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])  # keys come encoded as in a URL
        size = record["s3"]["object"].get("size", 0)
        print(f"{record['eventName']}: s3://{bucket}/{key} ({size} bytes)")
        seen.append({"bucket": bucket, "key": key})
    return {"objects": seen}
`,
  },
  {
    id: 'sqs',
    title: 'bpSqs',
    description: 'bpSqsText',
    event: 'sqs',
    code: `import json
import logging

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def lambda_handler(event, context):
    """Works on a batch of messages and reports those that failed: only they come again.

    The event source mapping needs ReportBatchItemFailures for that.
    """
    failures = []
    for record in event["Records"]:
        try:
            work_on(json.loads(record["body"]))
        except Exception:  # one bad message must not bring the whole batch back
            logger.exception("message %s failed", record["messageId"])
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def work_on(message):
    logger.info("working on %s", message)
`,
  },
  {
    id: 'schedule',
    title: 'bpSchedule',
    description: 'bpScheduleText',
    event: 'scheduled',
    code: `from datetime import datetime, timedelta


def lambda_handler(event, context):
    """Runs by the clock: each run covers the day before the time it was planned for."""
    planned = datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    day = (planned - timedelta(days=1)).date()
    print(f"job for {day}, {context.get_remaining_time_in_millis()} ms left")
    return {"day": day.isoformat(), "done": True}
`,
  },
  {
    id: 'streaming',
    title: 'bpStreaming',
    description: 'bpStreamingText',
    event: 'hello-world',
    code: `import time


def lambda_handler(event, context):
    """Answers in parts: each one is sent as soon as it is there."""
    for number in range(1, 6):
        yield f"part {number} of 5\\n"
        time.sleep(0.3)
`,
  },
  {
    id: 'powertools',
    title: 'bpPowertools',
    description: 'bpPowertoolsText',
    event: 'hello-world',
    code: `"""Needs the package aws-lambda-powertools: add a layer that holds it, or put it beside this file."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="hello")
metrics = Metrics(namespace="Hello", service="hello")


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event, context):
    name = event.get("name", "world")
    logger.info("greeting", extra={"who": name})
    metrics.add_metric(name="Greetings", unit=MetricUnit.Count, value=1)
    return {"greeting": f"Hello, {name}!"}
`,
  },
];
