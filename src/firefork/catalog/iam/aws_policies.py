"""AWS managed policies that users of Lambda attach: the permissions that AWS documents for them.

AWS: AWS Managed Policy Reference Guide, and "AWS managed policies for AWS Lambda". Actions of services that Firefork
does not serve are there too: a policy is the same wherever it is evaluated.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from firefork.catalog.iam.entities import ManagedPolicy

_LOGS: Final = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def _allow(*actions: str, resource: str | Sequence[str] = "*", **more: Any) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsPolicy:
    """One policy of AWS's own."""

    name: str
    path: str
    description: str
    version: int
    created: datetime
    document: str
    """JSON."""

    def as_entity(self, partition: str) -> ManagedPolicy:
        digest = hashlib.sha256(self.name.encode()).hexdigest().upper()
        return ManagedPolicy(
            account="aws",
            partition=partition,
            path=self.path,
            name=self.name,
            id=f"ANPA{digest[:17]}",
            created=self.created,
            updated=self.created,
            tags={},
            description=self.description,
            default_version=self.version,
            last_version=self.version,
        )


def _policy(
    path: str, name: str, created: str, version: int, description: str, *statements: Mapping[str, Any]
) -> AwsPolicy:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    moment = datetime.fromisoformat(created).replace(tzinfo=UTC)
    return AwsPolicy(
        name=name,
        path=path,
        description=description,
        version=version,
        created=moment,
        document=json.dumps(document),
    )


_SERVICE_ROLE: Final = "/service-role/"

ALL: Final[Sequence[AwsPolicy]] = (
    _policy("/", "AdministratorAccess", "2015-02-06", 1, "Provides full access to AWS services and resources.",
            _allow("*")),
    _policy("/", "PowerUserAccess", "2015-02-06", 6,
            "Provides full access to AWS services and resources, but does not allow management of users and groups.",
            {"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*"},
            _allow("iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles",
                   "organizations:DescribeOrganization", "account:ListRegions", "account:GetAccountInformation",
                   "account:GetPrimaryEmail")),
    _policy("/", "ReadOnlyAccess", "2015-02-06", 1, "Provides read-only access to AWS services and resources.",
            _allow("apigateway:GET", "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*",
                   "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*", "dynamodb:BatchGet*",
                   "dynamodb:Describe*", "dynamodb:Get*", "dynamodb:List*", "dynamodb:PartiQLSelect", "dynamodb:Query",
                   "dynamodb:Scan", "ec2:Describe*", "ec2:Get*", "ecr:BatchGet*", "ecr:Describe*", "ecr:Get*",
                   "ecr:List*", "events:Describe*", "events:List*", "events:Test*", "iam:Generate*", "iam:Get*",
                   "iam:List*", "iam:Simulate*", "kinesis:Describe*", "kinesis:Get*", "kinesis:List*", "kms:Describe*",
                   "kms:Get*", "kms:List*", "lambda:Get*", "lambda:List*", "logs:Describe*", "logs:FilterLogEvents",
                   "logs:Get*", "logs:ListAnomalies", "logs:ListLog*", "logs:ListTags*", "logs:StartLiveTail",
                   "logs:StartQuery", "logs:StopLiveTail", "logs:StopQuery", "logs:TestMetricFilter", "s3:DescribeJob",
                   "s3:Get*", "s3:List*", "secretsmanager:Describe*", "secretsmanager:GetResourcePolicy",
                   "secretsmanager:List*", "signer:Get*", "signer:List*", "sns:Check*", "sns:Get*", "sns:List*",
                   "sqs:Get*", "sqs:List*", "sqs:ReceiveMessage", "ssm:Describe*", "ssm:Get*", "ssm:List*",
                   "states:Describe*", "states:GetExecutionHistory", "states:List*", "sts:GetAccessKeyInfo",
                   "sts:GetCallerIdentity", "sts:GetSessionToken", "tag:Get*", "xray:BatchGetTraces", "xray:Get*")),
    _policy("/job-function/", "ViewOnlyAccess", "2016-11-10", 1,
            "Grants permissions to view resources and basic metadata across AWS services.",
            _allow("cloudwatch:Describe*", "cloudwatch:List*", "cloudwatch:Get*", "iam:GetAccountSummary",
                   "iam:GetLoginProfile", "iam:List*", "kinesis:ListStreams", "lambda:ListAliases",
                   "lambda:ListEventSourceMappings", "lambda:ListFunctions", "lambda:ListVersionsByFunction",
                   "logs:Describe*", "s3:ListAllMyBuckets", "sns:List*", "sqs:ListQueues")),
    _policy("/", "SecurityAudit", "2015-02-06", 1,
            "Grants access to read security configuration metadata.",
            _allow("iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*",
                   "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy", "lambda:GetAccountSettings",
                   "lambda:GetFunctionConfiguration", "lambda:GetFunctionUrlConfig", "lambda:GetLayerVersionPolicy",
                   "lambda:GetPolicy", "lambda:List*", "logs:Describe*", "logs:ListTagsLogGroup")),
    _policy("/", "IAMFullAccess", "2015-02-06", 2, "Provides full access to IAM via the AWS Management Console.",
            _allow("iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization",
                   "organizations:DescribeOrganizationalUnit", "organizations:DescribePolicy",
                   "organizations:ListChildren", "organizations:ListParents", "organizations:ListPoliciesForTarget",
                   "organizations:ListRoots", "organizations:ListPolicies", "organizations:ListTargetsForPolicy")),
    _policy("/", "IAMReadOnlyAccess", "2015-02-06", 4, "Provides read only access to IAM.",
            _allow("iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*",
                   "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy")),
    _policy("/", "IAMUserChangePassword", "2016-11-15", 5,
            "Provides the ability for an IAM user to change their own password.",
            _allow("iam:ChangePassword",
                   resource=["arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::*:user/*/${aws:username}"]),
            _allow("iam:GetAccountPasswordPolicy")),
    _policy("/", "AWSLambda_FullAccess", "2020-11-17", 1,
            "Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.",
            _allow("cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudwatch:ListMetrics",
                   "cloudwatch:GetMetricData", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
                   "kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
                   "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "lambda:*",
                   "logs:DescribeLogGroups", "states:DescribeStateMachine", "states:ListStateMachines",
                   "tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces"),
            _allow("iam:PassRole",
                   Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
            _allow("logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartLiveTail",
                   "logs:StopLiveTail", resource="arn:aws:logs:*:*:log-group:/aws/lambda/*")),
    _policy("/", "AWSLambda_ReadOnlyAccess", "2020-11-17", 1,
            "Grants read-only access to AWS Lambda service, AWS Lambda console features, and other related AWS "
            "services.",
            _allow("cloudformation:DescribeStacks", "cloudformation:ListStacks",
                   "cloudformation:ListStackResources", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics",
                   "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "kms:ListAliases",
                   "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
                   "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "logs:DescribeLogGroups",
                   "lambda:Get*", "lambda:List*", "states:DescribeStateMachine", "states:ListStateMachines",
                   "tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces"),
            _allow("logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartLiveTail",
                   "logs:StopLiveTail", resource="arn:aws:logs:*:*:log-group:/aws/lambda/*")),
    _policy("/", "AWSLambdaExecute", "2015-02-06", 3,
            "Provides Put, Get access to S3 and full access to CloudWatch Logs.",
            _allow("logs:*", resource="arn:aws:logs:*:*:*"),
            _allow("s3:GetObject", "s3:PutObject", resource="arn:aws:s3:::*")),
    _policy("/", "AWSLambdaInvocation-DynamoDB", "2015-02-06", 5, "Provides read access to DynamoDB Streams.",
            _allow("lambda:InvokeFunction"),
            _allow("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator",
                   "dynamodb:ListStreams")),
    _policy(_SERVICE_ROLE, "AWSLambdaBasicExecutionRole", "2015-04-09", 1,
            "Provides write permissions to CloudWatch Logs.", _allow(*_LOGS)),
    _policy(_SERVICE_ROLE, "AWSLambdaBasicDurableExecutionRolePolicy", "2025-12-02", 1,
            "Provides write permissions to CloudWatch Logs and read/write permissions to the durable execution APIs.",
            _allow(*_LOGS), _allow("lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState")),
    _policy(_SERVICE_ROLE, "AWSLambdaVPCAccessExecutionRole", "2016-02-11", 3,
            "Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC.",
            _allow(*_LOGS, *_INTERFACES, "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs",
                   "ec2:GetSecurityGroupsForVpc")),
    _policy(_SERVICE_ROLE, "AWSLambdaENIManagementAccess", "2016-12-06", 2,
            "Provides minimum permissions for a Lambda function to manage ENIs used by a VPC-enabled function.",
            _allow(*_INTERFACES)),
    _policy(_SERVICE_ROLE, "AWSLambdaSQSQueueExecutionRole", "2018-06-14", 1,
            "Provides receive message, delete message, and read attribute access to SQS queues, and write permissions "
            "to CloudWatch logs.",
            _allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *_LOGS)),
    _policy(_SERVICE_ROLE, "AWSLambdaKinesisExecutionRole", "2015-04-09", 2,
            "Provides list and read access to Kinesis streams and write permissions to CloudWatch logs.",
            _allow("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords",
                   "kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard",
                   *_LOGS)),
    _policy(_SERVICE_ROLE, "AWSLambdaDynamoDBExecutionRole", "2015-04-09", 1,
            "Provides list and read access to DynamoDB streams and write permissions to CloudWatch logs.",
            _allow("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator",
                   "dynamodb:ListStreams", *_LOGS)),
    _policy(_SERVICE_ROLE, "AWSLambdaMSKExecutionRole", "2020-08-11", 1,
            "Provides permissions required to access MSK Cluster within a VPC, manage ENIs in the VPC and write "
            "permissions to CloudWatch Logs.",
            _allow("kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers",
                   "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs",
                   "ec2:DeleteNetworkInterface", "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups", *_LOGS)),
    _policy(_SERVICE_ROLE, "AWSLambdaRole", "2015-02-06", 1,
            "Default policy for AWS Lambda service role.", _allow("lambda:InvokeFunction")),
    _policy("/", "CloudWatchLambdaInsightsExecutionRolePolicy", "2020-10-07", 1,
            "Policy required for the Lambda Insights Extension.",
            _allow("logs:CreateLogGroup"),
            _allow("logs:CreateLogStream", "logs:PutLogEvents",
                   resource="arn:aws:logs:*:*:log-group:/aws/lambda-insights:*")),
    _policy("/", "AWSXRayDaemonWriteAccess", "2018-08-28", 2,
            "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling "
            "data.",
            _allow("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules",
                   "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries")),
    _policy("/", "AWSXrayFullAccess", "2016-12-01", 1, "AWS X-Ray full access managed policy.",
            _allow("xray:*")),
    _policy("/", "CloudWatchLogsFullAccess", "2015-02-06", 3, "Provides full access to CloudWatch Logs.",
            _allow("logs:*", "cloudwatch:GenerateQuery")),
    _policy("/", "CloudWatchLogsReadOnlyAccess", "2015-02-06", 7, "Provides read only access to CloudWatch Logs.",
            _allow("logs:Describe*", "logs:Get*", "logs:List*", "logs:StartQuery", "logs:StopQuery",
                   "logs:TestMetricFilter", "logs:FilterLogEvents", "logs:StartLiveTail", "logs:StopLiveTail",
                   "cloudwatch:GenerateQuery")),
    _policy("/", "AmazonSQSFullAccess", "2015-02-06", 1,
            "Provides full access to Amazon SQS via the AWS Management Console.", _allow("sqs:*")),
    _policy("/", "AmazonSQSReadOnlyAccess", "2015-02-06", 3,
            "Provides read only access to Amazon SQS via the AWS Management Console.",
            _allow("sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListDeadLetterSourceQueues", "sqs:ListQueues",
                   "sqs:ListMessageMoveTasks", "sqs:ListQueueTags")),
    _policy("/", "AmazonSNSFullAccess", "2015-02-06", 1,
            "Provides full access to Amazon SNS via the AWS Management Console.", _allow("sns:*")),
    _policy("/", "AmazonS3FullAccess", "2015-02-06", 2,
            "Provides full access to all buckets via the AWS Management Console.",
            _allow("s3:*", "s3-object-lambda:*")),
    _policy("/", "AmazonS3ReadOnlyAccess", "2015-02-06", 3,
            "Provides read only access to all buckets via the AWS Management Console.",
            _allow("s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*")),
    _policy("/", "AmazonDynamoDBFullAccess", "2015-02-06", 15,
            "Provides full access to Amazon DynamoDB via the AWS Management Console.",
            _allow("dynamodb:*", "dax:*", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData",
                   "cloudwatch:ListMetrics", "cloudwatch:PutMetricAlarm", "kms:DescribeKey", "kms:ListAliases",
                   "lambda:CreateFunction", "lambda:ListFunctions", "lambda:ListEventSourceMappings",
                   "lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping",
                   "lambda:GetFunctionConfiguration", "lambda:DeleteFunction", "sns:ListTopics", "tag:GetResources"),
            _allow("iam:PassRole", Condition={"StringLike": {"iam:PassedToService": [
                "application-autoscaling.amazonaws.com", "application-autoscaling.amazonaws.com.cn",
                "dax.amazonaws.com"]}})),
    _policy("/", "AmazonDynamoDBReadOnlyAccess", "2015-02-06", 14,
            "Provides read only access to Amazon DynamoDB via the AWS Management Console.",
            _allow("dynamodb:BatchGetItem", "dynamodb:Describe*", "dynamodb:GetItem", "dynamodb:GetRecords",
                   "dynamodb:GetShardIterator", "dynamodb:List*", "dynamodb:PartiQLSelect", "dynamodb:Query",
                   "dynamodb:Scan", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData",
                   "cloudwatch:ListMetrics", "kms:DescribeKey", "kms:ListAliases", "tag:GetResources")),
    _policy("/", "AmazonKinesisFullAccess", "2015-02-06", 1,
            "Provides full access to all streams via the AWS Management Console.", _allow("kinesis:*")),
    _policy("/", "AmazonKinesisReadOnlyAccess", "2015-02-06", 1,
            "Provides read only access to all streams via the AWS Management Console.",
            _allow("kinesis:Get*", "kinesis:List*", "kinesis:Describe*")),
    _policy("/", "AmazonEventBridgeFullAccess", "2019-07-11", 1, "Provides full access to Amazon EventBridge.",
            _allow("events:*", "schemas:*", "scheduler:*", "pipes:*")),
    _policy("/", "AmazonSSMReadOnlyAccess", "2015-05-29", 1, "Provides read only access to Amazon SSM.",
            _allow("ssm:Describe*", "ssm:Get*", "ssm:List*")),
    _policy("/", "SecretsManagerReadWrite", "2018-04-04", 5,
            "Provides read/write access to AWS Secrets Manager via the AWS Management Console.",
            _allow("secretsmanager:*", "kms:DescribeKey", "kms:ListAliases", "kms:ListKeys", "tag:GetResources",
                   "lambda:ListFunctions")),
    _policy("/", "AmazonEC2ContainerRegistryReadOnly", "2015-12-21", 3,
            "Provides read-only access to Amazon EC2 Container Registry repositories.",
            _allow("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer",
                   "ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:DescribeImages",
                   "ecr:BatchGetImage", "ecr:GetLifecyclePolicy", "ecr:GetLifecyclePolicyPreview",
                   "ecr:ListTagsForResource", "ecr:DescribeImageScanFindings")),
)  # fmt: skip

_BY_RESOURCE: Final[Mapping[str, AwsPolicy]] = {f"{policy.path}{policy.name}": policy for policy in ALL}


@functools.lru_cache(maxsize=256)
def find(arn: str) -> AwsPolicy | None:
    """``find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")``."""
    start, separator, rest = arn.partition(":iam::aws:policy")
    return _BY_RESOURCE.get(rest) if separator and start.startswith("arn:aws") else None
