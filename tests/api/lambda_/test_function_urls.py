"""Function URL configs through boto3; shapes and messages as recorded on AWS."""

import re


class TestLife:
    def test_create_get_update_delete(self, lambda_, name, arn_of, refusal):
        created = lambda_.create_function_url_config(FunctionName=name, AuthType="NONE")
        assert re.fullmatch(r"https://[a-z0-9]{32}\.lambda-url\.us-east-1\.on\.aws/", created["FunctionUrl"])
        assert (created["FunctionArn"], created["AuthType"]) == (arn_of(name), "NONE")
        assert not {"InvokeMode", "LastModifiedTime", "Cors"} & set(created)
        got = lambda_.get_function_url_config(FunctionName=name)
        assert (got["FunctionUrl"], got["InvokeMode"]) == (created["FunctionUrl"], "BUFFERED")
        assert got["LastModifiedTime"] == got["CreationTime"] == created["CreationTime"]
        cors = {"AllowOrigins": ["https://a.example"], "MaxAge": 60, "AllowCredentials": False}
        updated = lambda_.update_function_url_config(FunctionName=name, AuthType="AWS_IAM", Cors=cors)
        assert (updated["AuthType"], updated["Cors"]) == ("AWS_IAM", cors)
        assert updated["LastModifiedTime"] > updated["CreationTime"]
        lambda_.update_function_url_config(FunctionName=name, Cors={}, InvokeMode="RESPONSE_STREAM")
        got = lambda_.get_function_url_config(FunctionName=name)
        assert (got["AuthType"], got["InvokeMode"], "Cors" in got) == ("AWS_IAM", "RESPONSE_STREAM", False)
        lambda_.delete_function_url_config(FunctionName=name)
        for operation in ("get", "update", "delete"):
            answer = refusal(getattr(lambda_, f"{operation}_function_url_config"), FunctionName=name)
            assert (answer["Error"]["Code"], answer["Message"]) == (
                "ResourceNotFoundException",
                "The resource you requested does not exist.",
            )

    def test_function_and_alias_have_urls_of_their_own(self, lambda_, name, arn_of):
        lambda_.publish_version(FunctionName=name)
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        of_alias = lambda_.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
        of_function = lambda_.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")
        assert of_alias["FunctionArn"] == f"{arn_of(name)}:live"
        assert of_alias["FunctionUrl"] != of_function["FunctionUrl"]
        listed = lambda_.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
        assert [url["FunctionArn"] for url in listed] == [arn_of(name), f"{arn_of(name)}:live"]
        page = lambda_.list_function_url_configs(FunctionName=name, MaxItems=1)
        following = lambda_.list_function_url_configs(FunctionName=name, MaxItems=1, Marker=page["NextMarker"])
        assert following["FunctionUrlConfigs"][0]["FunctionArn"] == f"{arn_of(name)}:live"
        lambda_.delete_alias(FunctionName=name, Name="live")
        listed = lambda_.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
        assert [url["FunctionArn"] for url in listed] == [arn_of(name)]


class TestRefusals:
    def test_a_second_url(self, lambda_, name, arn_of, refusal):
        lambda_.create_function_url_config(FunctionName=name, AuthType="NONE")
        answer = refusal(lambda_.create_function_url_config, FunctionName=name, AuthType="NONE")
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["message"]) == (
            409,
            f"Failed to create function url config for [functionArn = {arn_of(name)}]. Error message:  "
            "FunctionUrlConfig exists for this Lambda function",
        )

    def test_what_is_not_there(self, lambda_, name, refusal):
        for target in ({"FunctionName": "doesnotexist"}, {"FunctionName": name, "Qualifier": "no"}):
            answer = refusal(lambda_.create_function_url_config, AuthType="NONE", **target)
            assert answer["Message"] == "Function does not exist"
        answer = refusal(lambda_.list_function_url_configs, FunctionName="doesnotexist")
        assert answer["Message"] == "Function does not exist"

    def test_a_version_has_no_url(self, lambda_, name, refusal):
        answer = refusal(lambda_.create_function_url_config, FunctionName=name, Qualifier="1", AuthType="NONE")
        assert answer["Error"]["Code"] == "ValidationException"
        assert "Value '1' at 'qualifier' failed to satisfy constraint" in answer["Error"]["Message"]

    def test_a_function_with_tenants_has_no_url(self, lambda_, plain, refusal):
        name = plain(TenancyConfig={"TenantIsolationMode": "PER_TENANT"})
        answer = refusal(lambda_.create_function_url_config, FunctionName=name, AuthType="NONE")
        assert answer["Error"]["Code"] == "InvalidParameterValueException"
