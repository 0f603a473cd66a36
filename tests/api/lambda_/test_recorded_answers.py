"""Answers of AWS, as others recorded them, to the requests that it refuses: status, code, wording and members.

The facts come from the recordings of AWS that localstack/localstack keeps beside its tests
(tests/aws/services/lambda_/test_lambda_api.snapshot.json, recorded 2024 to January 2026); requests and table are ours.
"""

import pytest

ROLE = "arn:aws:iam::000000000000:role/tester"
NAME = "recorded"
ARN = f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}"
NONE = "arn:aws:lambda:us-east-1:000000000000:function:none"
LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:recorded"
CONFIG = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000"
PUBLISHERS = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/test"]}
KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/recorded"
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/recorded/stream/2024-01-01T00:00:00.000"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:recorded"
LATEST_AT = {"StartingPosition": "LATEST", "StartingPositionTimestamp": 1}
TIMESTAMP_ONLY = "Timestamp only valid with StartingPosition AT_TIMESTAMP"
SECRET = {"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:000000000000:secret:kafka"}
NO_ZIP = b"no zip"
ELSEWHERE = ARN.replace("us-east-1", "eu-west-1")
NOT_REACHABLE = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
MAPPING = "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:00000000-0000-4000-8000-000000000000"
PROVIDER = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:none"

INVALID, MISSING, CONFLICT = "InvalidParameterValueException", "ResourceNotFoundException", "ResourceConflictException"
VALIDATION, STALE = "ValidationException", "PreconditionFailedException"
STATUS = {INVALID: 400, MISSING: 404, CONFLICT: 409, VALIDATION: 400, STALE: 412}
STATUS |= dict.fromkeys(("CodeSigningConfigNotFoundException", "ProvisionedConcurrencyConfigNotFoundException"), 404)

NOT_THERE = "The resource you requested does not exist."
NO_VERSION = "The function resource provided must be an alias or a published version."
OTHER_QUALIFIER = "The derived qualifier from the function name does not match the specified qualifier."
WHOLE_FUNCTIONS = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please "
    "specify either a function name or an unqualified function ARN."
)
CONFIG_GONE = f"The Lambda code signing configuration {CONFIG} can not be found."
CONFIG_NOT_FOUND = (
    f"The code signing configuration cannot be found. Check that the provided configuration is not deleted: {CONFIG}."
)
URL_QUALIFIER = r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"
WEIGHTS = (
    "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value "
    "greater than or equal to 0.0, Member must not be null]"
)
TWO_VERSIONS = (
    "Two different versions of the same layer are not allowed to be referenced in the same function. {} and {} are "
    "versions of the same layer."
)

GRANT = {"StatementId": "s1", "Principal": "*", "Action": "lambda:GetLayerVersion"}
NO_LAYER = "Layer version arn:aws:lambda:us-east-1:000000000000:layer:none:1 does not exist."
GET_LAYER_ONLY = (
    "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular "
    "expression pattern: lambda:GetLayerVersion"
)


A_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
NAME_FORM = rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({A_REGION}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_\.]+)" + (
    r"(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
NEW_NAME_FORM = rf"(arn:(aws[a-zA-Z-]*)?:lambda:)?({A_REGION}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_]+)" + (
    r"(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
QUALIFIER_FORM = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
ROLE_FORM = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
DESTINATION_FORM = (
    r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:"
    rf"({A_REGION})?:(\d{{12}})?:(.*)"
)
STALE_FUNCTION, STALE_POLICY = (
    f"The Revision Id provided does not match the latest Revision Id. Call the {api} API to retrieve the latest "
    "Revision Id"
    for api in ("GetFunction/GetAlias", "GetPolicy")
)


def one_error(value, place, constraint):
    return f"1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: {constraint}"


def no_constraint(value, place):
    return f"Value '{value}' at '{place}' failed to satisfy constraint: "


def no_match(value, place, expression):
    return one_error(value, place, f"Member must satisfy regular expression pattern: {expression}")


def no_event_config(arn):
    return f"The function {arn} doesn't have an EventInvokeConfig"


def alias(**members):
    return {"FunctionName": NAME, "Name": "new", "FunctionVersion": "1", **members}


def weights(**shares):
    return {"AdditionalVersionWeights": {version[1:]: share for version, share in shares.items()}}


def permission(**members):
    given = {"StatementId": "s1", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    return {"FunctionName": NAME, **given, **members}


def function(**members):
    given = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": NO_ZIP}}
    return {"FunctionName": "recorded-new", **given, **members}


def url(**members):
    return {"FunctionName": NAME, "AuthType": "NONE", **members}


def kafka(**members):
    servers = {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000"]}}
    given = {"SelfManagedEventSource": servers, "Topics": ["topic"], "SourceAccessConfigurations": [SECRET]}
    return {"FunctionName": NAME, **given, **members}


def update(**members):
    return {"FunctionName": NAME, **members}


def layer(name=NAME, version=1, **members):
    return {"LayerName": name, "VersionNumber": version, **members}


def source(arn, **members):
    return {"FunctionName": NAME, "EventSourceArn": arn, **members}


BAD_NAMES = [
    "*",
    "my-function!",
    "invalid-account:function:my-function",
    "arn:aws:lambda:invalid-region:000000000000:function:my-function",
    "arn:aws:ec2:us-east-1:000000000000:instance:i-1234567890abcdef0",
    f"{NONE}:1:2",
    "function:my-function:$LATEST:extra",
    "arn:aws:lambda::000000000000:function:my-function",
    "arn:aws:lambda:us-east-1::function:my-function",
    f"{NONE}:$LATES",
]
LONG = "a" * 65

NAMES = [
    *(
        (operation, {"FunctionName": name}, VALIDATION, no_match(name, "functionName", NAME_FORM))
        for operation in ("GetFunction", "DeleteFunction", "Invoke")
        for name in BAD_NAMES
    ),
    *(
        ("CreateFunction", function(FunctionName=name), VALIDATION, no_match(name, "functionName", NEW_NAME_FORM))
        for name in (*BAD_NAMES, "my-function:invalid!", f"{NONE}:$LATEST:1", f"{NONE}:$latest", f"{NAME}:a:b")
    ),
    *(
        (operation, {"FunctionName": "f", "Qualifier": value}, VALIDATION, message)
        for operation in ("GetFunction", "DeleteFunction", "Invoke")
        for value, message in (
            ("invalid!", no_match("invalid!", "qualifier", QUALIFIER_FORM)),
            ("a" * 129, one_error("a" * 129, "qualifier", "Member must have length less than or equal to 128")),
        )
    ),
    *(
        (operation, {"FunctionName": name, "Qualifier": "1"}, INVALID, OTHER_QUALIFIER)
        for operation in ("GetFunction", "GetFunctionConfiguration", "DeleteFunction", "Invoke")
        for name in (f"{NONE}:$LATEST", f"{ARN}:2")
    ),
    ("GetFunction", {"FunctionName": LONG}, MISSING, f"Function not found: {NONE[:-4]}{LONG}"),
    ("DeleteFunction", {"FunctionName": LONG}, MISSING, f"Function not found: {NONE[:-4]}{LONG}"),
    ("Invoke", {"FunctionName": LONG}, MISSING, f"Function not found: {NONE[:-4]}{LONG}:$LATEST"),
    (
        "CreateFunction",
        function(FunctionName=LONG),
        INVALID,
        one_error(LONG, "functionName", "Member must have length less than or equal to 64"),
    ),
    (
        "CreateFunction",
        function(FunctionName=f"my-function:{'a' * 129}"),
        VALIDATION,
        one_error(f"my-function:{'a' * 129}", "functionName", "Member must have length less than or equal to 140"),
    ),
    (
        "GetFunction",
        {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function"},
        MISSING,
        f"Function not found: {NONE[:-4]}function",
    ),
    ("GetFunction", {"FunctionName": "none", "Qualifier": "$latest"}, MISSING, f"Function not found: {NONE}:$latest"),
    ("DeleteFunction", {"FunctionName": "none", "Qualifier": "$latest"}, MISSING, f"Function not found: {NONE}"),
    ("Invoke", {"FunctionName": "none", "Qualifier": "$latest"}, MISSING, f"Function not found: {NONE}:$latest"),
    ("Invoke", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}:$LATEST"),
    (
        "DeleteFunction",
        {"FunctionName": "none", "Qualifier": LONG},
        INVALID,
        "Deletion of aliases is not currently supported.",
    ),
    (
        "DeleteFunction",
        {"FunctionName": f"{NONE}:$LATEST", "Qualifier": "$LATEST"},
        INVALID,
        "$LATEST version cannot be deleted without deleting the function.",
    ),
    (
        "GetFunction",
        {"FunctionName": f"{NONE}:$LATEST", "Qualifier": "$LATEST"},
        MISSING,
        f"Function not found: {NONE}:$LATEST",
    ),
    ("GetFunctionConfiguration", {"FunctionName": f"{NONE}:$LATEST"}, MISSING, f"Function not found: {NONE}:$LATEST"),
    ("GetFunctionConfiguration", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    ("GetFunctionConfiguration", update(Qualifier="1221"), MISSING, f"Function not found: {ARN}:1221"),
    ("GetFunctionConcurrency", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    *(
        (operation, {"FunctionName": ELSEWHERE}, MISSING, NOT_REACHABLE)
        for operation in (
            "GetFunction",
            "GetFunctionConfiguration",
            "GetFunctionUrlConfig",
            "GetFunctionCodeSigningConfig",
            "GetFunctionEventInvokeConfig",
            "GetFunctionConcurrency",
            "DeleteFunction",
            "Invoke",
        )
    ),
    (
        "CreateFunction",
        function(FunctionName=ELSEWHERE),
        MISSING,
        NOT_REACHABLE,
    ),
]

REFUSALS = [
    *NAMES,
    # functions
    ("CreateFunction", function(Role="r1"), VALIDATION, no_match("r1", "role", ROLE_FORM)),
    ("UpdateFunctionConfiguration", update(Role="r1"), VALIDATION, no_match("r1", "role", ROLE_FORM)),
    ("UpdateFunctionConfiguration", update(RevisionId="wrong"), STALE, STALE_FUNCTION),
    ("PublishVersion", update(RevisionId="wrong"), STALE, STALE_FUNCTION),
    (
        "CreateFunction",
        function(VpcConfig={"SubnetIds": ["bad"], "SecurityGroupIds": []}),
        VALIDATION,
        one_error(
            "[bad]",
            "vpcConfig.subnetIds",
            "Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have "
            "length greater than or equal to 0, Member must satisfy regular expression pattern: subnet-[0-9a-z]*]",
        ),
    ),
    (
        "CreateFunction",
        function(VpcConfig={"SubnetIds": [], "SecurityGroupIds": ["bad"]}),
        VALIDATION,
        one_error(
            "[bad]",
            "vpcConfig.securityGroupIds",
            "Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have "
            "length greater than or equal to 0, Member must satisfy regular expression pattern: sg-[0-9a-zA-Z]*]",
        ),
    ),
    (
        "PutFunctionRecursionConfig",
        update(RecursiveLoop="Some"),
        VALIDATION,
        one_error("Some", "recursiveLoop", "Member must satisfy enum value set: [Terminate, Allow]"),
    ),
    ("GetFunction", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    ("GetFunction", {"FunctionName": "none", "Qualifier": "1"}, MISSING, f"Function not found: {NONE}:1"),
    ("DeleteFunction", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    ("DeleteFunction", {"FunctionName": "none", "Qualifier": "1"}, MISSING, f"Function not found: {NONE}"),
    (
        "DeleteFunction",
        {"FunctionName": NAME, "Qualifier": "$LATEST"},
        INVALID,
        "$LATEST version cannot be deleted without deleting the function.",
    ),
    ("GetFunction", {"FunctionName": f"{ARN}:1", "Qualifier": "2"}, INVALID, OTHER_QUALIFIER),
    (
        "CreateFunction",
        function(),
        INVALID,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    (
        "CreateFunction",
        function(Architectures=["x86_64", "arm64"]),
        VALIDATION,
        one_error("[x86_64, arm64]", "architectures", "Member must have length less than or equal to 1"),
    ),
    (
        "CreateFunction",
        function(Architectures=["X86_64"]),
        VALIDATION,
        one_error(
            "[X86_64]",
            "architectures",
            "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
            "Member must not be null]",
        ),
    ),
    (
        "CreateFunction",
        function(SnapStart={"ApplyOn": "always"}),
        VALIDATION,
        one_error("always", "snapStart.applyOn", "Member must satisfy enum value set: [PublishedVersions, None]"),
    ),
    (
        "ListFunctions",
        {"FunctionVersion": "some"},
        VALIDATION,
        one_error("some", "functionVersion", "Member must satisfy enum value set: [ALL]"),
    ),
    # versions and aliases
    (
        "PublishVersion",
        update(CodeSha256="wrong"),
        INVALID,
        "CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST ({sha}). Please try again with the "
        "CodeSHA256 in $LATEST.",
    ),
    (
        "CreateAlias",
        alias(RoutingConfig=weights(v1=0.5, v2=0.2)),
        INVALID,
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
    ),
    (
        "CreateAlias",
        alias(RoutingConfig=weights(v2=2.0)),
        VALIDATION,
        one_error("{2=2.0}", "routingConfig.additionalVersionWeights", WEIGHTS),
    ),
    (
        "CreateAlias",
        alias(RoutingConfig=weights(v2=-1.0)),
        VALIDATION,
        one_error("{2=-1.0}", "routingConfig.additionalVersionWeights", WEIGHTS),
    ),
    (
        "CreateAlias",
        alias(RoutingConfig={"AdditionalVersionWeights": {"$LATEST": 0.5}}),
        VALIDATION,
        one_error(
            "{$LATEST=0.5}",
            "routingConfig.additionalVersionWeights",
            "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have "
            "length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]",
        ),
    ),
    (
        "CreateAlias",
        alias(RoutingConfig=weights(v1=0.5)),
        INVALID,
        "Invalid function version 1. Function version 1 is already included in routing configuration.",
    ),
    ("CreateAlias", alias(Name="2024"), VALIDATION, no_match("2024", "name", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)")),
    ("CreateAlias", alias(FunctionVersion="10"), MISSING, f"Function not found: {ARN}:10"),
    ("CreateAlias", alias(RoutingConfig=weights(v10=0.5)), MISSING, f"Function not found: {ARN}:10"),
    ("CreateAlias", alias(FunctionName="none"), MISSING, f"Function not found: {NONE}:1"),
    ("CreateAlias", alias(Name="live"), CONFLICT, f"Alias already exists: {ARN}:live"),
    ("GetAlias", update(Name="none"), MISSING, f"Cannot find alias arn: {ARN}:none"),
    ("UpdateAlias", update(Name="none"), MISSING, f"Alias not found: {ARN}:none"),
    (
        "UpdateAlias",
        update(Name="live", RevisionId="wrong"),
        STALE,
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id",
    ),
    # permissions
    (
        "AddPermission",
        permission(StatementId="example.com"),
        VALIDATION,
        one_error("example.com", "statementId", "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"),
    ),
    ("AddPermission", permission(FunctionName=f"{NAME}:1", Qualifier="2"), INVALID, OTHER_QUALIFIER),
    (
        "AddPermission",
        permission(Qualifier="$LATEST"),
        INVALID,
        "We currently do not support adding policies for $LATEST.",
    ),
    (
        "AddPermission",
        permission(Principal="wrong"),
        INVALID,
        "The provided principal was invalid. Please check the principal and try again.",
    ),
    ("AddPermission", permission(FunctionName="none"), MISSING, f"Function not found: {NONE}"),
    ("AddPermission", permission(Qualifier="none"), MISSING, f"Cannot find alias arn: {ARN}:none"),
    ("AddPermission", permission(Qualifier="42"), MISSING, f"Function not found: {ARN}:42"),
    ("AddPermission", permission(Qualifier="with-$"), MISSING, f"Function not found: {ARN}:with-$"),
    (
        "AddPermission",
        permission(StatementId="known"),
        CONFLICT,
        "The statement id (known) provided already exists. Please provide a new statement id, or remove the existing "
        "statement.",
    ),
    (
        "AddPermission",
        permission(Qualifier="with-?"),
        VALIDATION,
        no_match("with-?", "qualifier", QUALIFIER_FORM),
    ),
    ("AddPermission", permission(RevisionId="wrong"), STALE, STALE_POLICY),
    ("AddPermission", permission(Qualifier="live", RevisionId="wrong"), STALE, STALE_POLICY),
    ("GetPolicy", {"FunctionName": "none"}, MISSING, NOT_THERE),
    ("GetPolicy", update(Qualifier="1"), MISSING, NOT_THERE),
    ("GetPolicy", update(Qualifier="77"), MISSING, NOT_THERE),
    ("RemovePermission", update(StatementId="none"), MISSING, "Statement none is not found in resource policy."),
    (
        "RemovePermission",
        update(Qualifier="1", StatementId="known"),
        MISSING,
        "No policy is associated with the given resource.",
    ),
    (
        "RemovePermission",
        {"FunctionName": "none", "StatementId": "known"},
        MISSING,
        f"No policy found for: {NONE}",
    ),
    (
        "RemovePermission",
        update(Qualifier="none", StatementId="known"),
        MISSING,
        f"Cannot find alias arn: {ARN}:none",
    ),
    # configurations of asynchronous invokes
    (
        "PutFunctionEventInvokeConfig",
        {"FunctionName": "none", "MaximumRetryAttempts": 1},
        MISSING,
        "The function doesn't exist.",
    ),
    (
        "PutFunctionEventInvokeConfig",
        update(),
        INVALID,
        "You must specify at least one of error handling or destination setting.",
    ),
    (
        "PutFunctionEventInvokeConfig",
        update(DestinationConfig={"OnSuccess": {"Destination": NONE}}),
        INVALID,
        f"The destination ARN {NONE} is invalid.",
    ),
    (
        "PutFunctionEventInvokeConfig",
        update(DestinationConfig={"OnSuccess": {"Destination": ARN}}),
        INVALID,
        "You can't specify the function as a destination for itself.",
    ),
    (
        "PutFunctionEventInvokeConfig",
        update(DestinationConfig={"OnSuccess": {"Destination": ARN.replace("lambda", "iam")}}),
        INVALID,
        "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
        f"{ARN.replace('lambda', 'iam')}), onFailure=null) is invalid.",
    ),
    (
        "PutFunctionEventInvokeConfig",
        update(DestinationConfig={"OnFailure": {"Destination": ARN.replace(":lambda", ":_-/!lambda")}}),
        VALIDATION,
        no_match(ARN.replace(":lambda", ":_-/!lambda"), "destinationConfig.onFailure.destination", DESTINATION_FORM),
    ),
    ("GetFunctionEventInvokeConfig", update(Qualifier="1221"), MISSING, no_event_config(f"{ARN}:1221")),
    (
        "PutFunctionEventInvokeConfig",
        update(FunctionName=f"{NAME}:live", Qualifier="other", MaximumRetryAttempts=1),
        INVALID,
        OTHER_QUALIFIER,
    ),
    (
        "PutFunctionEventInvokeConfig",
        update(Qualifier="none", MaximumRetryAttempts=1),
        MISSING,
        "The function doesn't exist.",
    ),
    ("GetFunctionEventInvokeConfig", {"FunctionName": "none"}, MISSING, no_event_config(f"{NONE}:$LATEST")),
    ("GetFunctionEventInvokeConfig", update(Qualifier="none"), MISSING, no_event_config(f"{ARN}:none")),
    ("DeleteFunctionEventInvokeConfig", update(), MISSING, no_event_config(f"{ARN}:$LATEST")),
    ("DeleteFunctionEventInvokeConfig", {"FunctionName": "none"}, MISSING, no_event_config(f"{NONE}:$LATEST")),
    ("ListFunctionEventInvokeConfigs", {"FunctionName": "none"}, MISSING, "The function doesn't exist."),
    (
        "UpdateFunctionEventInvokeConfig",
        {"FunctionName": "none", "MaximumRetryAttempts": 1},
        MISSING,
        "The function doesn't exist.",
    ),
    (
        "UpdateFunctionEventInvokeConfig",
        update(Qualifier="live", MaximumRetryAttempts=1),
        MISSING,
        no_event_config(f"{ARN}:live"),
    ),
    # concurrency
    (
        "PutFunctionConcurrency",
        {"FunctionName": "none", "ReservedConcurrentExecutions": 1_000_000},
        MISSING,
        f"Function not found: {NONE}:$LATEST",
    ),
    (
        "PutFunctionConcurrency",
        {"FunctionName": "none", "ReservedConcurrentExecutions": 1},
        MISSING,
        f"Function not found: {NONE}:$LATEST",
    ),
    (
        "PutFunctionConcurrency",
        {"FunctionName": f"{ARN}:1", "ReservedConcurrentExecutions": 1},
        INVALID,
        WHOLE_FUNCTIONS,
    ),
    ("GetProvisionedConcurrencyConfig", update(Qualifier="none"), MISSING, f"Cannot find alias arn: {ARN}:none"),
    ("GetProvisionedConcurrencyConfig", update(Qualifier="10"), MISSING, f"Function not found: {ARN}:10"),
    ("GetProvisionedConcurrencyConfig", update(Qualifier="$LATEST"), INVALID, NO_VERSION),
    (
        "GetProvisionedConcurrencyConfig",
        update(FunctionName="none", Qualifier="alias"),
        MISSING,
        f"Cannot find alias arn: {NONE}:alias",
    ),
    ("DeleteProvisionedConcurrencyConfig", update(Qualifier="none"), MISSING, f"Cannot find alias arn: {ARN}:none"),
    ("DeleteProvisionedConcurrencyConfig", update(Qualifier="10"), MISSING, f"Function not found: {ARN}:10"),
    ("DeleteProvisionedConcurrencyConfig", update(Qualifier="$LATEST"), INVALID, NO_VERSION),
    (
        "DeleteProvisionedConcurrencyConfig",
        update(FunctionName="none", Qualifier="1"),
        MISSING,
        f"Function not found: {NONE}:1",
    ),
    (
        "PutProvisionedConcurrencyConfig",
        update(Qualifier="none", ProvisionedConcurrentExecutions=1),
        MISSING,
        f"Cannot find alias arn: {ARN}:none",
    ),
    (
        "PutProvisionedConcurrencyConfig",
        update(Qualifier="10", ProvisionedConcurrentExecutions=1),
        MISSING,
        f"Function not found: {ARN}:10",
    ),
    (
        "PutProvisionedConcurrencyConfig",
        update(Qualifier="$LATEST", ProvisionedConcurrentExecutions=1),
        INVALID,
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    ),
    (
        "PutProvisionedConcurrencyConfig",
        update(FunctionName="none", Qualifier="alias", ProvisionedConcurrentExecutions=1),
        MISSING,
        f"Cannot find alias arn: {NONE}:alias",
    ),
    (
        "PutProvisionedConcurrencyConfig",
        update(FunctionName="none", Qualifier="1", ProvisionedConcurrentExecutions=1),
        MISSING,
        f"Function not found: {NONE}:1",
    ),
    (
        "GetProvisionedConcurrencyConfig",
        update(Qualifier="2"),
        "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    ),
    ("ListProvisionedConcurrencyConfigs", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    (
        "PutProvisionedConcurrencyConfig",
        update(Qualifier="2", ProvisionedConcurrentExecutions=0),
        VALIDATION,
        one_error("0", "provisionedConcurrentExecutions", "Member must have value greater than or equal to 1"),
    ),
    # URLs
    ("ListFunctionUrlConfigs", {"FunctionName": "none"}, MISSING, "Function does not exist"),
    ("CreateFunctionUrlConfig", url(FunctionName="none"), MISSING, "Function does not exist"),
    ("CreateFunctionUrlConfig", url(Qualifier="none"), MISSING, "Function does not exist"),
    ("CreateFunctionUrlConfig", url(FunctionName=f"{ARN}:live", Qualifier="other"), INVALID, OTHER_QUALIFIER),
    ("GetFunctionUrlConfig", {"FunctionName": "none"}, MISSING, NOT_THERE),
    ("GetFunctionUrlConfig", update(Qualifier="none"), MISSING, NOT_THERE),
    ("GetFunctionUrlConfig", {"FunctionName": f"{ARN}:live", "Qualifier": "other"}, INVALID, OTHER_QUALIFIER),
    ("DeleteFunctionUrlConfig", {"FunctionName": "none"}, MISSING, NOT_THERE),
    ("CreateFunctionUrlConfig", url(Qualifier="1"), VALIDATION, one_error("1", "qualifier", URL_QUALIFIER)),
    ("GetFunctionUrlConfig", update(), MISSING, NOT_THERE),
    ("DeleteFunctionUrlConfig", update(), MISSING, NOT_THERE),
    ("DeleteFunctionUrlConfig", update(Qualifier="none"), MISSING, NOT_THERE),
    (
        "DeleteFunctionUrlConfig",
        update(Qualifier="$LATEST"),
        VALIDATION,
        one_error("$LATEST", "qualifier", URL_QUALIFIER),
    ),
    (
        "CreateFunctionUrlConfig",
        url(InvokeMode="UNKNOWN"),
        VALIDATION,
        one_error("UNKNOWN", "invokeMode", "Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]"),
    ),
    ("UpdateFunctionUrlConfig", update(), MISSING, NOT_THERE),
    ("UpdateFunctionUrlConfig", {"FunctionName": "none"}, MISSING, "Function does not exist"),
    ("UpdateFunctionUrlConfig", update(Qualifier="none"), MISSING, "Function does not exist"),
    (
        "UpdateFunctionUrlConfig",
        {"FunctionName": "none", "Qualifier": "1"},
        VALIDATION,
        one_error("1", "qualifier", URL_QUALIFIER),
    ),
    ("UpdateFunctionUrlConfig", {"FunctionName": f"{ARN}:live", "Qualifier": "other"}, INVALID, OTHER_QUALIFIER),
    # layers
    ("GetLayerVersion", {"LayerName": "none", "VersionNumber": 1}, MISSING, NOT_THERE),
    ("GetLayerVersion", {"LayerName": NAME, "VersionNumber": 20}, MISSING, NOT_THERE),
    ("GetLayerVersion", {"LayerName": NAME, "VersionNumber": 0}, INVALID, "Layer Version Cannot be less than 1"),
    ("GetLayerVersion", {"LayerName": NAME, "VersionNumber": -1}, INVALID, "Layer Version Cannot be less than 1"),
    ("DeleteLayerVersion", {"LayerName": NAME, "VersionNumber": -1}, INVALID, "Layer Version Cannot be less than 1"),
    ("GetLayerVersionByArn", {"Arn": f"{LAYER}:20"}, MISSING, NOT_THERE),
    (
        "UpdateFunctionConfiguration",
        update(Layers=["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]),
        INVALID,
        NO_LAYER,
    ),
    (
        "ListLayers",
        {"CompatibleArchitecture": "none"},
        VALIDATION,
        one_error("none", "compatibleArchitecture", "Member must satisfy enum value set: [x86_64, arm64]"),
    ),
    (
        "UpdateFunctionConfiguration",
        update(Layers=[f"{LAYER}:1", f"{LAYER}:2"]),
        INVALID,
        TWO_VERSIONS.format(f"{LAYER}:1", f"{LAYER}:2"),
    ),
    (
        "UpdateFunctionConfiguration",
        update(Layers=[f"{LAYER}:1"] * 2),
        INVALID,
        TWO_VERSIONS.format(f"{LAYER}:1", f"{LAYER}:1"),
    ),
    ("UpdateFunctionConfiguration", update(Layers=[f"{LAYER}:9"]), INVALID, f"Layer version {LAYER}:9 does not exist."),
    (
        "UpdateFunctionConfiguration",
        update(Layers=[f"{LAYER}:1".replace("us-east-1", "eu-west-1")]),
        INVALID,
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
    ),
    (
        "UpdateFunctionConfiguration",
        update(Layers=[f"{LAYER}-{number}:1" for number in range(6)]),
        INVALID,
        "Cannot reference more than 5 layers.",
    ),
    (
        "RemoveLayerVersionPermission",
        {"LayerName": NAME, "VersionNumber": 1, "StatementId": "none"},
        MISSING,
        "Statement none is not found in resource policy.",
    ),
    (
        "RemoveLayerVersionPermission",
        {"LayerName": NAME, "VersionNumber": 1, "StatementId": "known", "RevisionId": "wrong"},
        STALE,
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the "
        "latest Revision Id",
    ),
    (
        "AddLayerVersionPermission",
        {
            "LayerName": NAME,
            "VersionNumber": 20,
            "StatementId": "s1",
            "Action": "lambda:GetLayerVersion",
            "Principal": "*",
        },
        MISSING,
        f"Layer version {LAYER}:20 does not exist.",
    ),
    ("GetLayerVersionPolicy", layer(version=2), MISSING, "No policy is associated with the given resource."),
    ("AddLayerVersionPermission", layer(**{**GRANT, "Action": "*"}), VALIDATION, GET_LAYER_ONLY),
    (
        "AddLayerVersionPermission",
        layer(**{**GRANT, "StatementId": "known"}),
        CONFLICT,
        "The statement id (known) provided already exists. Please provide a new statement id, or remove the existing "
        "statement.",
    ),
    (
        "AddLayerVersionPermission",
        layer(**GRANT, RevisionId="wrong"),
        STALE,
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the "
        "latest Revision Id",
    ),
    ("AddLayerVersionPermission", layer("none", **GRANT), MISSING, NO_LAYER),
    ("GetLayerVersionPolicy", layer("none"), MISSING, NO_LAYER),
    ("RemoveLayerVersionPermission", layer("none", StatementId="s1"), MISSING, NO_LAYER),
    ("GetLayerVersionPolicy", layer(version=20), MISSING, f"Layer version {LAYER}:20 does not exist."),
    (
        "RemoveLayerVersionPermission",
        layer(version=20, StatementId="s1"),
        MISSING,
        f"Layer version {LAYER}:20 does not exist.",
    ),
    # packages
    (
        "UpdateFunctionCode",
        update(ImageUri="000000000000.dkr.ecr.us-east-1.amazonaws.com/repository:tag"),
        INVALID,
        "Please don't provide ImageUri when updating a function with packageType Zip.",
    ),
    # code signing
    (
        "PutFunctionCodeSigningConfig",
        {"FunctionName": NAME, "CodeSigningConfigArn": CONFIG},
        "CodeSigningConfigNotFoundException",
        CONFIG_NOT_FOUND,
    ),
    (
        "PutFunctionCodeSigningConfig",
        {"FunctionName": "none", "CodeSigningConfigArn": CONFIG},
        "CodeSigningConfigNotFoundException",
        CONFIG_NOT_FOUND,
    ),
    ("GetFunctionCodeSigningConfig", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    ("DeleteFunctionCodeSigningConfig", {"FunctionName": "none"}, MISSING, f"Function not found: {NONE}"),
    # event source mappings
    ("GetEventSourceMapping", {"UUID": "00000000-0000-4000-8000-000000000000"}, MISSING, NOT_THERE),
    ("DeleteEventSourceMapping", {"UUID": "00000000-0000-4000-8000-000000000000"}, MISSING, NOT_THERE),
    ("UpdateEventSourceMapping", {"UUID": "00000000-0000-4000-8000-000000000000"}, MISSING, NOT_THERE),
    ("CreateEventSourceMapping", update(), INVALID, "Unrecognized event source."),
    (
        "CreateEventSourceMapping",
        {"FunctionName": "none", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:none"},
        INVALID,
        "Function does not exist",
    ),
    (
        "CreateEventSourceMapping",
        update(EventSourceArn="arn:aws:kinesis:us-east-1:000000000000:stream/s"),
        INVALID,
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not "
        "be null.",
    ),
    *(
        (
            "CreateEventSourceMapping",
            source(arn, StartingPosition="0"),
            VALIDATION,
            one_error(
                "0",
                "startingPosition",
                "Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
            ),
        )
        for arn in (KINESIS, TABLE, QUEUE)
    ),
    (
        "CreateEventSourceMapping",
        source(KINESIS, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=-1),
        INVALID,
        "Received Exception while reading from provided stream. class java.lang.Long can not be converted to a "
        "Timestamp",
    ),
    (
        "CreateEventSourceMapping",
        source(TABLE, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=-1),
        INVALID,
        f"Unsupported starting position for arn type: {TABLE}",
    ),
    ("CreateEventSourceMapping", source(KINESIS, **LATEST_AT), INVALID, TIMESTAMP_ONLY),
    ("CreateEventSourceMapping", source(TABLE, **LATEST_AT), INVALID, TIMESTAMP_ONLY),
    (
        "CreateEventSourceMapping",
        source(TABLE, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1),
        INVALID,
        f"Unsupported starting position for arn type: {TABLE}",
    ),
    (
        "CreateEventSourceMapping",
        source(QUEUE, **LATEST_AT),
        INVALID,
        "StartingPosition is not valid for SQS event sources.",
    ),
    (
        "CreateEventSourceMapping",
        source(QUEUE, DestinationConfig={"OnSuccess": {"Destination": QUEUE}}),
        INVALID,
        "Unsupported DestinationConfig parameter for given event source mapping type.",
    ),
    (
        "CreateEventSourceMapping",
        kafka(SourceAccessConfigurations=None),
        INVALID,
        "Required 'sourceAccessConfigurations' parameter is missing.",
    ),
    # tags
    *(
        (operation, {"Resource": arn, **members}, MISSING, f"{what} not found: {arn}")
        for what, arn in (("Event source mapping", MAPPING), ("Capacity provider", PROVIDER))
        for operation, members in (
            ("TagResource", {"Tags": {"a": "b"}}),
            ("UntagResource", {"TagKeys": ["a"]}),
            ("ListTags", {}),
        )
    ),
    (
        "TagResource",
        {"Resource": f"{ARN}:$LATEST", "Tags": {"a": "b"}},
        INVALID,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    ),
    ("TagResource", {"Resource": ARN, "Tags": {}}, INVALID, "An error occurred and the request cannot be processed."),
    (
        "TagResource",
        {"Resource": ARN, "Tags": {str(number): "" for number in range(51)}},
        INVALID,
        "Number of tags exceeds resource tag limit.",
    ),
    (
        "UntagResource",
        {"Resource": ARN, "TagKeys": []},
        VALIDATION,
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
    ),
    ("ListTags", {"Resource": NONE}, MISSING, f"Function not found: {NONE}"),
    ("TagResource", {"Resource": NONE, "Tags": {"a": "b"}}, MISSING, f"Function not found: {NONE}"),
    ("UntagResource", {"Resource": NONE, "TagKeys": ["a"]}, MISSING, f"Function not found: {NONE}"),
    (
        "TagResource",
        {"Resource": f"{ARN}:1", "Tags": {"a": "b"}},
        INVALID,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    ),
]

WITHOUT_TYPE = [
    # Some parts of Lambda leave the member Type out.
    ("GetCodeSigningConfig", {"CodeSigningConfigArn": CONFIG}, MISSING, CONFIG_GONE),
    ("UpdateCodeSigningConfig", {"CodeSigningConfigArn": CONFIG}, MISSING, CONFIG_GONE),
    ("DeleteCodeSigningConfig", {"CodeSigningConfigArn": CONFIG}, MISSING, CONFIG_GONE),
    ("ListFunctionsByCodeSigningConfig", {"CodeSigningConfigArn": CONFIG}, MISSING, CONFIG_GONE),
    (
        "CreateAlias",
        alias(FunctionVersion="$LATEST", RoutingConfig=weights(v1=0.5)),
        INVALID,
        "$LATEST is not supported for an alias pointing to more than 1 version",
    ),
]

ACCEPTED = [
    ("DeleteAlias", update(Name="none"), 204, {}),
    ("DeleteLayerVersion", {"LayerName": "none", "VersionNumber": 1}, 204, {}),
    ("DeleteLayerVersion", {"LayerName": NAME, "VersionNumber": 20}, 204, {}),
    ("DeleteFunctionCodeSigningConfig", update(), 204, {}),
    ("GetFunctionCodeSigningConfig", update(), 200, {}),
    ("GetFunctionConcurrency", update(), 200, {}),
    ("ListProvisionedConcurrencyConfigs", update(), 200, {"ProvisionedConcurrencyConfigs": []}),
    ("DeleteProvisionedConcurrencyConfig", update(Qualifier="2"), 204, {}),
    ("ListFunctionUrlConfigs", update(), 200, {"FunctionUrlConfigs": []}),
    ("ListFunctionEventInvokeConfigs", update(), 200, {"FunctionEventInvokeConfigs": []}),
    ("ListLayerVersions", {"LayerName": "none"}, 200, {"LayerVersions": []}),
    ("ListAliases", update(FunctionVersion="2"), 200, {"Aliases": []}),
    ("UntagResource", {"Resource": ARN, "TagKeys": ["none"]}, 204, {}),
    ("ListTags", {"Resource": ARN}, 200, {"Tags": {}}),
]


@pytest.fixture(scope="module")
def recorded(server, make_function, zipped, wait_updated):
    """Sends a request that the client does not check; the answer, or the error's."""
    client, send = server.unchecked("lambda")
    make_function("def handler(event, context): pass", FunctionName=NAME, Publish=True)
    client.update_function_configuration(FunctionName=NAME, Description="second")
    wait_updated(NAME)
    sha = client.publish_version(FunctionName=NAME)["CodeSha256"]
    client.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    client.add_permission(**permission(StatementId="known"))
    for _ in range(2):
        client.publish_layer_version(LayerName=NAME, Content={"ZipFile": zipped({"python/a.py": ""})})
    for number in range(6):
        client.publish_layer_version(LayerName=f"{NAME}-{number}", Content={"ZipFile": zipped({"python/a.py": ""})})
    client.add_layer_version_permission(
        LayerName=NAME, VersionNumber=1, StatementId="known", Action="lambda:GetLayerVersion", Principal="*"
    )

    return lambda operation, parameters: (send(operation, parameters), sha)


def check_refusal(answer, code, message):
    assert answer["Error"] == {"Code": code, "Message": message}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == STATUS[code]
    return set(answer) - {"Error", "ResponseMetadata"}


class TestRefusals:
    @pytest.mark.parametrize(("operation", "parameters", "code", "message"), REFUSALS)
    def test_are_those_of_aws(self, recorded, operation, parameters, code, message):
        answer, sha = recorded(operation, parameters)
        members = check_refusal(answer, code, message.replace("{sha}", sha))
        if code == VALIDATION:  # no error of Lambda's model: nothing but the text
            assert members in (set(), {"message"})
            return
        # The model calls the text Message in some errors and message in the others.
        assert members in ({"Message", "Type"}, {"message", "Type"})
        assert answer["Type"] == "User"

    @pytest.mark.parametrize(("operation", "parameters", "code", "message"), WITHOUT_TYPE)
    def test_some_say_no_type(self, recorded, operation, parameters, code, message):
        members = check_refusal(recorded(operation, parameters)[0], code, message)
        assert members in ({"Message"}, {"message"})


class TestWhatIsAccepted:
    @pytest.mark.parametrize(("operation", "parameters", "status", "shown"), ACCEPTED)
    def test_status_and_members(self, recorded, operation, parameters, status, shown):
        answer, _ = recorded(operation, parameters)
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == status
        assert answer == shown


FUNCTION = {
    *("Architectures", "CodeSha256", "CodeSize", "Description", "EphemeralStorage", "FunctionArn", "FunctionName"),
    *("Handler", "LastModified", "LoggingConfig", "MemorySize", "PackageType", "RevisionId", "Role", "Runtime"),
    *("SnapStart", "Timeout", "TracingConfig", "Version"),
}
SETTLED = FUNCTION | {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
KAFKA = {
    *("BatchSize", "FunctionArn", "LastModified", "LastProcessingResult", "SelfManagedEventSource", "Topics"),
    *("SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "StartingPosition", "State"),
    *("StateTransitionReason", "UUID"),
}
ALIAS = {"AliasArn", "Description", "FunctionVersion", "Name", "RevisionId"}
LAYER_VERSION = {
    "CreatedDate",
    "Description",
    "LayerVersionArn",
    "Version",
}
EVENTS = {"DestinationConfig", "FunctionArn", "LastModified", "MaximumRetryAttempts"}
STREAM = {
    *("BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "EventSourceArn", "FunctionArn"),
    *("FunctionResponseTypes", "LastModified", "LastProcessingResult", "MaximumBatchingWindowInSeconds"),
    *("MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "ParallelizationFactor", "StartingPosition", "State"),
    *("StateTransitionReason", "TumblingWindowInSeconds", "UUID"),
}
ADDED_SINCE = {"ConfigSha256", "EventSourceMappingArn"}
"""Members that the service has had only since the recordings."""

SHAPES = [
    ("GetFunctionConfiguration", update(), 200, SETTLED),
    ("GetFunctionConfiguration", update(Qualifier="1"), 200, SETTLED),
    ("PublishVersion", update(), 201, SETTLED),
    ("GetFunction", update(), 200, {"Code", "Configuration"}),
    ("GetAlias", update(Name="live"), 200, ALIAS),
    ("UpdateAlias", update(Name="live", Description="d"), 200, ALIAS),
    ("GetPolicy", update(), 200, {"Policy", "RevisionId"}),
    ("GetLayerVersion", {"LayerName": NAME, "VersionNumber": 1}, 200, LAYER_VERSION | {"Content", "LayerArn"}),
    ("GetLayerVersionByArn", {"Arn": f"{LAYER}:1"}, 200, LAYER_VERSION | {"Content", "LayerArn"}),
    ("GetLayerVersionPolicy", {"LayerName": NAME, "VersionNumber": 1}, 200, {"Policy", "RevisionId"}),
    ("PutFunctionEventInvokeConfig", update(MaximumRetryAttempts=1), 200, EVENTS),
    (
        "UpdateFunctionEventInvokeConfig",
        update(MaximumEventAgeInSeconds=60),
        200,
        EVENTS | {"MaximumEventAgeInSeconds"},
    ),
    ("DeleteFunctionEventInvokeConfig", update(), 204, set()),
    ("CreateFunctionUrlConfig", url(), 201, {"AuthType", "CreationTime", "FunctionArn", "FunctionUrl"}),
    (
        "GetFunctionUrlConfig",
        update(),
        200,
        {"AuthType", "CreationTime", "FunctionArn", "FunctionUrl", "InvokeMode", "LastModifiedTime"},
    ),
    (
        "UpdateFunctionUrlConfig",
        update(AuthType="AWS_IAM"),
        200,
        {"AuthType", "CreationTime", "FunctionArn", "FunctionUrl", "LastModifiedTime"},
    ),
    (
        "UpdateFunctionUrlConfig",
        update(InvokeMode="RESPONSE_STREAM"),
        200,
        {"AuthType", "CreationTime", "FunctionArn", "FunctionUrl", "InvokeMode", "LastModifiedTime"},
    ),
    (
        "UpdateFunctionUrlConfig",
        update(AuthType="NONE"),
        200,
        {"AuthType", "CreationTime", "FunctionArn", "FunctionUrl", "InvokeMode", "LastModifiedTime"},
    ),
    ("DeleteFunctionUrlConfig", update(), 204, set()),
    ("PutFunctionConcurrency", update(ReservedConcurrentExecutions=0), 200, {"ReservedConcurrentExecutions"}),
    ("DeleteFunctionConcurrency", update(), 204, set()),
    ("GetAccountSettings", {}, 200, {"AccountLimit", "AccountUsage"}),
    (
        "CreateEventSourceMapping",
        update(
            EventSourceArn="arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2024-01-01T00:00:00.000",
            StartingPosition="TRIM_HORIZON",
            BatchSize=1,
            MaximumBatchingWindowInSeconds=1,
            MaximumRetryAttempts=1,
            DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q"}},
        ),
        202,
        STREAM,
    ),
    (
        "CreateEventSourceMapping",
        source(
            TABLE.replace("2024", "2025"),
            StartingPosition="LATEST",
            FilterCriteria={"Filters": []},
        ),
        202,
        STREAM,
    ),
    ("CreateEventSourceMapping", kafka(), 202, KAFKA),
    ("PutFunctionRecursionConfig", update(RecursiveLoop="Allow"), 200, {"RecursiveLoop"}),
]


class TestShapes:
    """The members that an answer has, no more and no fewer; in the order in which they can be asked for."""

    @pytest.mark.parametrize(("operation", "parameters", "status", "members"), SHAPES)
    def test_members(self, recorded, operation, parameters, status, members):
        answer, _ = recorded(operation, parameters)
        assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == status, answer
        assert set(answer) - ADDED_SINCE == members

    def test_items_of_lists(self, recorded):
        """Lists of functions leave out the states and the runtime's version."""
        versions = recorded("ListVersionsByFunction", update())[0]["Versions"]
        assert [set(each) - ADDED_SINCE for each in versions] == [FUNCTION] * len(versions)
        assert versions[0]["FunctionArn"] == f"{ARN}:$LATEST"
        listed = recorded("ListLayerVersions", {"LayerName": NAME})[0]["LayerVersions"]
        assert [each["Version"] for each in listed] == [2, 1]
        assert set(listed[0]) == LAYER_VERSION


class TestSequences:
    """What one request changes for the ones after it."""

    def test_layers_show_the_lists_that_were_given(self, recorded, zipped):
        """Empty ones too, and runtimes of all languages, also those that no function can be made with."""
        content = {"ZipFile": zipped({"python/a.py": ""})}
        many = ["nodejs24.x", "nodejs12.x", "python3.14", "python3.7", "java8", "go1.x", "provided"]
        for runtimes, architectures in ((None, None), ([], []), (many, ["arm64", "x86_64"])):
            given = {"CompatibleRuntimes": runtimes, "CompatibleArchitectures": architectures}
            given = {member: items for member, items in given.items() if items is not None}
            published, _ = recorded("PublishLayerVersion", {"LayerName": "lists", "Content": content, **given})
            asked, _ = recorded("GetLayerVersion", {"LayerName": "lists", "VersionNumber": published["Version"]})
            for answer in (published, asked):
                assert {member: answer[member] for member in answer if member.startswith("Compatible")} == given

    def test_layers_are_for_runtimes_and_architectures_that_there_are(self, recorded):
        """Both errors are told; the set of runtimes changes all the time."""
        wrong = {"CompatibleRuntimes": ["invalid", "nodejs20.x"], "CompatibleArchitectures": ["invalid", "x86_64"]}
        answer, _ = recorded("PublishLayerVersion", {"LayerName": "wrong", "Content": {"ZipFile": NO_ZIP}, **wrong})
        message = answer["Error"]["Message"]
        assert answer["Error"]["Code"] == VALIDATION
        assert message.startswith("2 validation errors detected: Value '[invalid, ")
        runtimes = (
            no_constraint("[invalid, nodejs20.x]", "compatibleRuntimes") + "Member must satisfy enum value set: ["
        )
        assert runtimes in message
        assert (
            no_constraint("[invalid, x86_64]", "compatibleArchitectures")
            + "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not "
            "be null]"
        ) in message
        answer, _ = recorded("ListLayers", {"CompatibleRuntime": "invalid"})
        assert answer["Error"]["Message"].startswith(
            one_error("invalid", "compatibleRuntime", "Member must satisfy enum value set: [")
        )

    def test_self_managed_kafka(self, recorded):
        made, _ = recorded("CreateEventSourceMapping", kafka(Topics=["first"]))
        assert made["StartingPosition"] == "TRIM_HORIZON"
        assert made["SelfManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": made["UUID"]}
        assert (made["BatchSize"], made["StateTransitionReason"]) == (100, "USER_INITIATED")
        servers = ["kafka:1000", "kafka:2000"]
        again = kafka(
            Topics=["first"],
            SelfManagedEventSource={"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": servers}},
            SelfManagedKafkaEventSourceConfig={"ConsumerGroupId": "another"},
        )
        message = (
            f'An event source mapping with event source ("kafka:1000,kafka:2000"), function ("{ARN}"), topics '
            f'("first") already exists. Please update or delete the existing mapping with UUID {made["UUID"]}'
        )
        check_refusal(recorded("CreateEventSourceMapping", again)[0], CONFLICT, message)

    def test_tags_at_creation_are_counted(self, recorded, zipped):
        tags = {str(number): "" for number in range(51)}
        asked = function(Code={"ZipFile": zipped({"app.py": ""})}, Tags=tags)
        check_refusal(recorded("CreateFunction", asked)[0], INVALID, "Number of tags exceeds resource tag limit.")

    @pytest.mark.parametrize("gone", ["java8", "go1.x", "ruby2.7", "nodejs12.x", "nodejs14.x", "dotnetcore3.1"])
    def test_runtimes_that_are_gone(self, recorded, zipped, gone):
        message = (
            f"The runtime parameter of {gone} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )
        asked = function(Code={"ZipFile": zipped({"app.py": ""})}, Runtime=gone)
        check_refusal(recorded("CreateFunction", asked)[0], INVALID, message)
        check_refusal(recorded("UpdateFunctionConfiguration", update(Runtime=gone))[0], INVALID, message)
