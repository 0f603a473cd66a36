"""Event invoke configs through boto3; shapes and messages as recorded on AWS."""

import pytest

EMPTY = {"OnSuccess": {}, "OnFailure": {}}


def settings(answer):
    """An answer without what differs every time."""
    return {key: value for key, value in answer.items() if key not in ("ResponseMetadata", "LastModified")}


class TestLife:
    def test_put_replaces_and_update_merges(self, lambda_, name, arn_of):
        put = lambda_.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60
        )
        arn = f"{arn_of(name)}:$LATEST"
        both = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 60}
        assert settings(put) == {"FunctionArn": arn, "DestinationConfig": EMPTY, **both}
        updated = lambda_.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
        assert settings(updated) == {
            "FunctionArn": arn,
            "DestinationConfig": EMPTY,
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 60,
        }
        put = lambda_.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
        assert settings(put) == {"FunctionArn": arn, "DestinationConfig": EMPTY, "MaximumRetryAttempts": 1}
        assert settings(lambda_.get_function_event_invoke_config(FunctionName=name)) == settings(put)

    def test_each_qualifier_has_its_own(self, lambda_, name, arn_of, refusal):
        lambda_.publish_version(FunctionName=name)
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        for qualifier in ("live", "1", "$LATEST"):
            lambda_.put_function_event_invoke_config(FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=1)
        listed = lambda_.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
        expected = [f"{arn_of(name)}:{qualifier}" for qualifier in ("$LATEST", "1", "live")]
        assert [config["FunctionArn"] for config in listed] == expected
        pages = lambda_.get_paginator("list_function_event_invoke_configs").paginate(
            FunctionName=name, PaginationConfig={"PageSize": 2}
        )
        assert [len(page["FunctionEventInvokeConfigs"]) for page in pages] == [2, 1]
        lambda_.delete_alias(FunctionName=name, Name="live")
        lambda_.delete_function_event_invoke_config(FunctionName=name)
        listed = lambda_.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
        assert [config["FunctionArn"] for config in listed] == [f"{arn_of(name)}:1"]
        answer = refusal(lambda_.delete_function_event_invoke_config, FunctionName=name)
        assert answer["Message"] == f"The function {arn_of(name)}:$LATEST doesn't have an EventInvokeConfig"

    def test_destinations_read_back(self, lambda_, name, plain, arn_of):
        destinations = {
            "OnSuccess": {"Destination": arn_of(plain())},
            "OnFailure": {"Destination": "arn:aws:s3:::failures"},
        }
        lambda_.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destinations)
        assert lambda_.get_function_event_invoke_config(FunctionName=name)["DestinationConfig"] == destinations


class TestRefusals:
    @pytest.mark.parametrize("operation", ["put_function_event_invoke_config", "update_function_event_invoke_config"])
    def test_functions_that_are_not_there(self, lambda_, name, refusal, operation):
        for target in ({"FunctionName": "doesnotexist"}, {"FunctionName": name, "Qualifier": "no"}):
            answer = refusal(getattr(lambda_, operation), **target, MaximumRetryAttempts=1)
            assert (answer["Error"]["Code"], answer["Message"]) == (
                "ResourceNotFoundException",
                "The function doesn't exist.",
            )

    def test_configs_that_are_not_there(self, lambda_, name, arn_of, refusal):
        message = f"The function {arn_of(name)}:$LATEST doesn't have an EventInvokeConfig"
        assert refusal(lambda_.get_function_event_invoke_config, FunctionName=name)["Message"] == message
        answer = refusal(lambda_.update_function_event_invoke_config, FunctionName=name, MaximumRetryAttempts=1)
        assert answer["Message"] == message
        answer = refusal(lambda_.list_function_event_invoke_configs, FunctionName="doesnotexist")
        assert answer["Message"] == "The function doesn't exist."

    def test_an_empty_put(self, lambda_, name, refusal):
        answer = refusal(lambda_.put_function_event_invoke_config, FunctionName=name)
        assert answer["message"] == "You must specify at least one of error handling or destination setting."

    @pytest.mark.parametrize(
        ("destination", "message"),
        [
            ({"OnSuccess": "{arn}"}, "You can't specify the function as a destination for itself."),
            ({"OnSuccess": "{arn}-no"}, "The destination ARN {arn}-no is invalid."),
            (
                {"OnSuccess": "arn:aws:iam:us-east-1:000000000000:function:x"},
                "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
                "arn:aws:iam:us-east-1:000000000000:function:x), onFailure=null) is invalid.",
            ),
            (
                {"OnFailure": "kafka://only-for-mappings"},
                "The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination="
                "kafka://only-for-mappings)) is invalid.",
            ),
            (
                {"OnSuccess": "arn:aws:s3:::only-failures"},
                "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::"
                "only-failures), onFailure=null) is invalid.",
            ),
        ],
    )
    def test_destinations(self, lambda_, name, arn_of, refusal, destination, message):
        config = {key: {"Destination": value.format(arn=arn_of(name))} for key, value in destination.items()}
        answer = refusal(lambda_.put_function_event_invoke_config, FunctionName=name, DestinationConfig=config)
        assert (answer["Error"]["Code"], answer["message"]) == (
            "InvalidParameterValueException",
            message.format(arn=arn_of(name)),
        )

    def test_qualifiers_that_do_not_agree(self, lambda_, name, refusal):
        answer = refusal(
            lambda_.put_function_event_invoke_config,
            FunctionName=f"{name}:$LATEST",
            Qualifier="1",
            MaximumRetryAttempts=1,
        )
        assert answer["message"] == (
            "The derived qualifier from the function name does not match the specified qualifier."
        )
