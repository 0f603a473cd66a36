"""Runtime management, recursion and scaling configs through boto3."""

import pytest


class TestRuntimeManagement:
    """AWS: API reference, PutRuntimeManagementConfig, GetRuntimeManagementConfig."""

    def test_auto_until_something_else_is_put(self, lambda_, name, arn_of):
        got = lambda_.get_runtime_management_config(FunctionName=name)
        assert (got["UpdateRuntimeOn"], got["FunctionArn"]) == ("Auto", arn_of(name))
        assert "RuntimeVersionArn" not in got
        lambda_.put_runtime_management_config(FunctionName=name, UpdateRuntimeOn="FunctionUpdate")
        assert lambda_.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "FunctionUpdate"

    def test_manual_names_the_version_that_is_there(self, lambda_, name, refusal):
        runtime = lambda_.get_function_configuration(FunctionName=name)["RuntimeVersionConfig"]["RuntimeVersionArn"]
        manual = {"FunctionName": name, "UpdateRuntimeOn": "Manual"}
        put = lambda_.put_runtime_management_config(**manual, RuntimeVersionArn=runtime)
        assert put["RuntimeVersionArn"] == runtime
        for bad in (manual, {**manual, "RuntimeVersionArn": f"{runtime[:-4]}0000"}):
            answer = refusal(lambda_.put_runtime_management_config, **bad)
            assert answer["Error"]["Code"] == "InvalidParameterValueException"
        assert lambda_.get_runtime_management_config(FunctionName=name)["RuntimeVersionArn"] == runtime

    def test_each_version_has_its_own(self, lambda_, name, arn_of, refusal):
        lambda_.publish_version(FunctionName=name)
        lambda_.put_runtime_management_config(FunctionName=name, Qualifier="1", UpdateRuntimeOn="FunctionUpdate")
        got = lambda_.get_runtime_management_config(FunctionName=name, Qualifier="1")
        assert (got["UpdateRuntimeOn"], got["FunctionArn"]) == ("FunctionUpdate", f"{arn_of(name)}:1")
        assert lambda_.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
        answer = refusal(lambda_.get_runtime_management_config, FunctionName=name, Qualifier="2")
        assert answer["Message"] == f"Function not found: {arn_of(name)}:2"


class TestRecursion:
    """AWS: API reference, PutFunctionRecursionConfig, GetFunctionRecursionConfig."""

    def test_terminate_until_allowed(self, lambda_, name):
        assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
        put = lambda_.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
        assert put["RecursiveLoop"] == "Allow"
        assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"

    def test_refusals(self, lambda_, name, arn_of, refusal):
        answer = refusal(lambda_.get_function_recursion_config, FunctionName="doesnotexist")
        assert answer["Message"] == f"Function not found: {arn_of('doesnotexist')}"
        answer = refusal(lambda_.put_function_recursion_config, FunctionName=name, RecursiveLoop="Maybe")
        assert answer["Error"]["Code"] == "ValidationException"


class TestScaling:
    """AWS: API reference, PutFunctionScalingConfig, GetFunctionScalingConfig."""

    def test_put_get_and_remove(self, lambda_, name, arn_of):
        lambda_.publish_version(FunctionName=name)
        target = {"FunctionName": name, "Qualifier": "1"}
        wanted = {"MinExecutionEnvironments": 1, "MaxExecutionEnvironments": 5}
        put = lambda_.put_function_scaling_config(**target, FunctionScalingConfig=wanted)
        assert (put["ResponseMetadata"]["HTTPStatusCode"], put["FunctionState"]) == (202, "Active")
        got = lambda_.get_function_scaling_config(**target)
        assert got["FunctionArn"] == f"{arn_of(name)}:1"
        assert got["AppliedFunctionScalingConfig"] == got["RequestedFunctionScalingConfig"] == wanted
        lambda_.put_function_scaling_config(**target, FunctionScalingConfig={})
        assert "AppliedFunctionScalingConfig" not in lambda_.get_function_scaling_config(**target)

    @pytest.mark.parametrize("qualifier", ["1", "$LATEST.PUBLISHED"])
    def test_versions_that_are_not_there(self, lambda_, name, arn_of, refusal, qualifier):
        answer = refusal(lambda_.get_function_scaling_config, FunctionName=name, Qualifier=qualifier)
        assert answer["Message"] == f"Function not found: {arn_of(name)}:{qualifier}"

    def test_the_least_is_not_more_than_the_most(self, lambda_, name, refusal):
        lambda_.publish_version(FunctionName=name)
        bad = {"MinExecutionEnvironments": 2, "MaxExecutionEnvironments": 1}
        answer = refusal(
            lambda_.put_function_scaling_config, FunctionName=name, Qualifier="1", FunctionScalingConfig=bad
        )
        assert answer["Error"]["Code"] == "InvalidParameterValueException"
