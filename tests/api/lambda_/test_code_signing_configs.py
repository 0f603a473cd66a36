"""Code signing configs through boto3; shapes and messages as recorded on AWS."""

import re

import pytest

PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/test"
MISSING = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000"
NO_CONFIG = f"The Lambda code signing configuration {MISSING} can not be found."


@pytest.fixture
def config(lambda_):
    """Makes a config; its ARN."""

    def make(policy=None, **options):
        policies = {"CodeSigningPolicies": {"UntrustedArtifactOnDeployment": policy}} if policy else {}
        publishers = {"SigningProfileVersionArns": [PROFILE]}
        made = lambda_.create_code_signing_config(AllowedPublishers=publishers, **policies, **options)
        return made["CodeSigningConfig"]["CodeSigningConfigArn"]

    return make


class TestLife:
    def test_create_update_get_delete(self, lambda_, config, refusal):
        arn = config("Enforce", Description="d")
        shown = lambda_.get_code_signing_config(CodeSigningConfigArn=arn)["CodeSigningConfig"]
        identifier = shown["CodeSigningConfigId"]
        assert re.fullmatch(r"csc-[a-z0-9]{17}", identifier)
        assert arn == f"arn:aws:lambda:us-east-1:000000000000:code-signing-config:{identifier}"
        assert shown["AllowedPublishers"] == {"SigningProfileVersionArns": [PROFILE]}
        assert shown["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Enforce"}
        updated = lambda_.update_code_signing_config(
            CodeSigningConfigArn=arn, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"}
        )["CodeSigningConfig"]
        assert updated["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}
        assert (updated["Description"], updated["AllowedPublishers"]) == ("d", shown["AllowedPublishers"])
        lambda_.delete_code_signing_config(CodeSigningConfigArn=arn)
        assert refusal(lambda_.get_code_signing_config, CodeSigningConfigArn=arn)["Error"]["Code"] == (
            "ResourceNotFoundException"
        )

    def test_what_was_never_set(self, lambda_, config):
        shown = lambda_.get_code_signing_config(CodeSigningConfigArn=config())["CodeSigningConfig"]
        assert "Description" not in shown
        assert shown["CodeSigningPolicies"] == {"UntrustedArtifactOnDeployment": "Warn"}

    def test_lists_page(self, lambda_, config):
        arns = {config() for _ in range(3)}
        pages = lambda_.get_paginator("list_code_signing_configs").paginate(PaginationConfig={"PageSize": 2})
        assert arns <= {each["CodeSigningConfigArn"] for page in pages for each in page["CodeSigningConfigs"]}

    def test_attach_list_detach(self, lambda_, config, name, arn_of, refusal):
        arn = config()
        put = lambda_.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=arn)
        got = lambda_.get_function_code_signing_config(FunctionName=name)
        for answer in (put, got):
            assert (answer["CodeSigningConfigArn"], answer["FunctionName"]) == (arn, name)
        listed = lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)
        assert listed["FunctionArns"] == [arn_of(name)]
        answer = refusal(lambda_.delete_code_signing_config, CodeSigningConfigArn=arn)
        assert answer["Error"] == {
            "Code": "ResourceConflictException",
            "Message": "Lambda cannot delete the code signing configuration at this time — another operation is in "
            "progress. Try again later.",
        }
        for _ in range(2):  # nothing to detach is fine
            lambda_.delete_function_code_signing_config(FunctionName=name)
        assert "CodeSigningConfigArn" not in lambda_.get_function_code_signing_config(FunctionName=name)
        assert lambda_.list_functions_by_code_signing_config(CodeSigningConfigArn=arn)["FunctionArns"] == []
        lambda_.delete_code_signing_config(CodeSigningConfigArn=arn)


class TestRefusals:
    @pytest.mark.parametrize(
        "operation",
        [
            "get_code_signing_config",
            "update_code_signing_config",
            "delete_code_signing_config",
            "list_functions_by_code_signing_config",
        ],
    )
    def test_configs_that_are_not_there(self, lambda_, refusal, operation):
        answer = refusal(getattr(lambda_, operation), CodeSigningConfigArn=MISSING)
        assert (answer["Error"], "Type" in answer) == (
            {"Code": "ResourceNotFoundException", "Message": NO_CONFIG},
            False,
        )

    def test_functions_that_are_not_there(self, lambda_, config, refusal, arn_of):
        no_function = f"Function not found: {arn_of('doesnotexist')}"
        target = {"FunctionName": "doesnotexist"}
        answer = refusal(lambda_.put_function_code_signing_config, CodeSigningConfigArn=config(), **target)
        assert answer["Message"] == no_function
        assert refusal(lambda_.get_function_code_signing_config, **target)["Message"] == no_function
        assert refusal(lambda_.delete_function_code_signing_config, **target)["Message"] == no_function
        answer = refusal(lambda_.put_function_code_signing_config, CodeSigningConfigArn=MISSING, **target)
        assert answer["Error"] == {
            "Code": "CodeSigningConfigNotFoundException",
            "Message": "The code signing configuration cannot be found. Check that the provided configuration is not "
            f"deleted: {MISSING}.",
        }
