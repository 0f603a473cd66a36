"""STS' answers as recorded on AWS from 2024 to 2026.

The facts come from the recordings that localstack/localstack keeps beside its tests (tests/aws/services/sts/
test_sts.snapshot.json); what is no role is as in amzn/selling-partner-api-models#2523. Requests and table are ours.
"""

import json

import pytest

ROLE = "arn:aws:iam::000000000000:role/recorded"
USER = "arn:aws:iam::000000000000:user/recorded"
ASKED = {"RoleArn": ROLE, "RoleSessionName": "session"}
VALIDATION, PARAMETER, DENIED = "ValidationError", "InvalidParameterValue", "AccessDenied"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "000000000000"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        },
    }
)
BROKEN = "1 validation error detected: Value '{}' at 'roleSessionName' failed to satisfy constraint: Member must {}"

REFUSALS = [
    *(
        ({"RoleArn": arn}, VALIDATION, f"{arn} is invalid")
        for arn in (
            "nothing-valid-in-here",
            "arn::b:::something/test-role",
            "arn:a::::something/test-role",
            "arn:a:::something/test-role",
            "arn:a:a::aaaaaaaaaa:",
            "arn:a:a::aaaaaaaaaa:x",
        )
    ),
    (
        {"RoleSessionName": "Session1:2"},
        VALIDATION,
        BROKEN.format("Session1:2", r"satisfy regular expression pattern: [\w+=,.@-]*"),
    ),
    (
        {"RoleSessionName": "s" * 65},
        VALIDATION,
        BROKEN.format("s" * 65, "have length less than or equal to 64"),
    ),
    (
        {"Tags": [{"Key": "a", "Value": "b"}], "TransitiveTagKeys": ["c"]},
        PARAMETER,
        "The specified transitive tag key must be included in the requested tags.",
    ),
    (
        {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "A", "Value": "b"}]},
        PARAMETER,
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    ),
    (
        {"RoleArn": USER},
        DENIED,
        f"User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: {USER}",
    ),
]


@pytest.fixture(scope="module")
def recorded(start_server, tmp_path_factory):
    """Sends a request that the client does not check, to a server of its own; the answer, or the error's."""
    server = start_server(tmp_path_factory.mktemp("recorded"))
    server.client("iam").create_role(RoleName="recorded", AssumeRolePolicyDocument=TRUST)
    _, send = server.unchecked("sts")
    return send


MFA = {"SerialNumber": "arn:aws:iam::000000000000:mfa/none", "TokenCode": "123456"}


@pytest.mark.parametrize(("operation", "parameters"), [("GetSessionToken", MFA), ("AssumeRole", {**ASKED, **MFA})])
def test_a_device_that_is_not_there(recorded, operation, parameters):
    """Published by users of GetSessionToken, in the troubleshooting notes of several public repositories."""
    answer = recorded(operation, parameters)
    assert answer["Error"] == {
        "Code": DENIED,
        "Message": "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial "
        "number is valid and associated with this user.",
        "Type": "Sender",
    }
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403


class TestAssumeRole:
    @pytest.mark.parametrize(("parameters", "code", "message"), REFUSALS)
    def test_refusals_are_those_of_aws(self, recorded, parameters, code, message):
        answer = recorded("AssumeRole", {**ASKED, **parameters})
        assert answer["Error"] == {"Code": code, "Message": message, "Type": "Sender"}
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == (403 if code == DENIED else 400)

    def test_members(self, recorded):
        answer = recorded("AssumeRole", ASKED)
        del answer["ResponseMetadata"]
        assert {member: set(value) for member, value in answer.items()} == {
            "Credentials": {"AccessKeyId", "Expiration", "SecretAccessKey", "SessionToken"},
            "AssumedRoleUser": {"Arn", "AssumedRoleId"},
        }
        assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/recorded/session"
        assert answer["AssumedRoleUser"]["AssumedRoleId"].endswith(":session")
