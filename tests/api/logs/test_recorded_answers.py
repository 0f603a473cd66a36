"""CloudWatch Logs' answers to requests that it refuses, and the members of the others, as recorded on AWS in 2026.

The facts come from the recordings that localstack/localstack keeps beside its tests (tests/aws/services/logs/
test_logs_{groups,streams,events,filter_events}.snapshot.json); requests and table are ours.
"""

import time

import pytest

GROUP, NO_GROUP = {"logGroupName": "/recorded"}, {"logGroupName": "/none"}
STREAM = {**GROUP, "logStreamName": "one"}
NOW = int(time.time() * 1000)
DAY = 24 * 3600 * 1000
INVALID, MISSING = "InvalidParameterException", "ResourceNotFoundException"
EXISTS, VALIDATION = "ResourceAlreadyExistsException", "ValidationException"
TOO_LONG = "Invalid LogGroup or LogStream, both must have length less than or equal to 512."


def events(*offsets):
    return [{"timestamp": NOW + offset, "message": "m"} for offset in offsets]


REFUSALS = [
    ("CreateLogGroup", GROUP, EXISTS, "The specified log group already exists"),
    ("CreateLogGroup", {"logGroupName": "x" * 513}, INVALID, TOO_LONG),
    ("CreateLogStream", {**GROUP, "logStreamName": "x" * 513}, INVALID, TOO_LONG),
    ("CreateLogStream", STREAM, EXISTS, "The specified log stream already exists"),
    (
        "DescribeLogGroups",
        {"logGroupNamePrefix": "/r", "logGroupNamePattern": "r"},
        INVALID,
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    ),
    (
        "DescribeLogStreams",
        {**GROUP, "logGroupIdentifier": "/recorded"},
        VALIDATION,
        "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
    ),
    (
        "PutLogEvents",
        {**GROUP, "logStreamName": "none", "logEvents": events(0)},
        MISSING,
        "The specified log stream does not exist.",
    ),
    (
        "PutLogEvents",
        {**NO_GROUP, "logStreamName": "none", "logEvents": events(0)},
        MISSING,
        "The specified log group does not exist.",
    ),
    (
        "PutLogEvents",
        {**STREAM, "logEvents": events(0, -1000)},
        INVALID,
        "Log events in a single PutLogEvents request must be in chronological order.",
    ),
    ("GetLogEvents", {**STREAM, "nextToken": "wrong"}, INVALID, "The specified nextToken is invalid."),
    (
        "GetLogEvents",
        {**STREAM, "limit": 10_001},
        INVALID,
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value "
        "less than or equal to 10000",
    ),
    (
        "GetLogEvents",
        {**NO_GROUP, "logStreamName": "none"},
        MISSING,
        "The specified log group does not exist.",
    ),
    ("FilterLogEvents", {**GROUP, "nextToken": "wrong"}, INVALID, "The specified nextToken is invalid."),
    (
        "FilterLogEvents",
        {**GROUP, "limit": 10_001},
        INVALID,
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value "
        "less than or equal to 10000",
    ),
    (
        "GetLogEvents",
        {**GROUP, "logStreamName": "none"},
        MISSING,
        "The specified log stream does not exist.",
    ),
]


@pytest.fixture(scope="module")
def recorded(server):
    """Sends a request that the client does not check; the answer, or the error's."""
    client, send = server.unchecked("logs")
    client.create_log_group(**GROUP)
    client.create_log_stream(**STREAM)

    return send


class TestRefusals:
    @pytest.mark.parametrize(("operation", "parameters", "code", "message"), REFUSALS)
    def test_are_those_of_aws(self, recorded, operation, parameters, code, message):
        answer = recorded(operation, parameters)
        assert answer["Error"] == {"Code": code, "Message": message}
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400


class TestShapes:
    def test_a_group(self, recorded):
        (group,) = recorded("DescribeLogGroups", {"logGroupNamePrefix": "/recorded"})["logGroups"]
        arn = "arn:aws:logs:us-east-1:000000000000:log-group:/recorded"
        assert {**group, "creationTime": 0} == {
            "arn": f"{arn}:*",
            "creationTime": 0,
            "deletionProtectionEnabled": False,
            "logGroupArn": arn,
            "logGroupClass": "STANDARD",
            "logGroupName": "/recorded",
            "metricFilterCount": 0,
            "storedBytes": 0,
        }

    def test_a_group_found_by_a_pattern(self, recorded):
        """Shorter than by a prefix."""
        (group,) = recorded("DescribeLogGroups", {"logGroupNamePattern": "recorded"})["logGroups"]
        assert set(group) == {
            "arn",
            "creationTime",
            "logGroupArn",
            "logGroupClass",
            "logGroupName",
            "metricFilterCount",
        }

    @pytest.mark.parametrize(
        "group", [GROUP, {"logGroupIdentifier": "arn:aws:logs:us-east-1:000000000000:log-group:/recorded"}]
    )
    def test_a_stream(self, recorded, group):
        recorded("CreateLogStream", {**GROUP, "logStreamName": "empty"})
        (stream,) = recorded("DescribeLogStreams", {**group, "logStreamNamePrefix": "empty"})["logStreams"]
        assert {**stream, "creationTime": 0} == {
            "arn": "arn:aws:logs:us-east-1:000000000000:log-group:/recorded:log-stream:empty",
            "creationTime": 0,
            "logStreamName": "empty",
            "storedBytes": 0,
        }

    @pytest.mark.parametrize(
        ("offset", "member"), [(-15 * DAY, "tooOldLogEventEndIndex"), (3 * DAY, "tooNewLogEventStartIndex")]
    )
    def test_events_out_of_time(self, recorded, offset, member):
        """They are counted in an answer that is no error."""
        answer = recorded("PutLogEvents", {**STREAM, "logEvents": events(offset)})
        assert set(answer) == {"nextSequenceToken", "rejectedLogEventsInfo", "ResponseMetadata"}
        assert set(answer["rejectedLogEventsInfo"]) == {member}
