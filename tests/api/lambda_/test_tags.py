"""Tags of functions, mappings and code signing configs; messages as recorded on AWS."""

import pytest

PROFILE = "arn:aws:signer:us-east-1:111111111111:/signing-profiles/test"


@pytest.fixture(params=["function", "event-source-mapping", "code-signing-config"])
def tagged(request, lambda_, plain):
    """The ARN of a resource that was made with the tag a=1."""
    tags = {"a": "1"}
    if request.param == "function":
        return lambda_.get_function(FunctionName=plain(Tags=tags))["Configuration"]["FunctionArn"]
    if request.param == "event-source-mapping":
        name = plain()
        source = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        mapping = lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=source, Tags=tags)
        return mapping["EventSourceMappingArn"]
    publishers = {"SigningProfileVersionArns": [PROFILE]}
    made = lambda_.create_code_signing_config(AllowedPublishers=publishers, Tags=tags)
    return made["CodeSigningConfig"]["CodeSigningConfigArn"]


def test_tag_untag_list(lambda_, tagged):
    assert lambda_.list_tags(Resource=tagged)["Tags"] == {"a": "1"}
    answer = lambda_.tag_resource(Resource=tagged, Tags={"a": "2", "b": "3"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert lambda_.list_tags(Resource=tagged)["Tags"] == {"a": "2", "b": "3"}
    lambda_.untag_resource(Resource=tagged, TagKeys=["a", "nothing"])
    assert lambda_.list_tags(Resource=tagged)["Tags"] == {"b": "3"}


def test_limit(lambda_, tagged, refusal):
    many = {f"{number}_key": "value" for number in range(50)}
    answer = refusal(lambda_.tag_resource, Resource=tagged, Tags=many)
    assert answer["message"] == "Number of tags exceeds resource tag limit."
    assert lambda_.list_tags(Resource=tagged)["Tags"] == {"a": "1"}
    answer = refusal(lambda_.tag_resource, Resource=tagged, Tags={"aws:x": "1"})
    assert answer["Error"]["Code"] == "InvalidParameterValueException"


def test_tagging_a_function_changes_its_revision_id(lambda_, name, arn_of):
    before = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    lambda_.tag_resource(Resource=arn_of(name), Tags={"a": "1"})
    assert lambda_.get_function(FunctionName=name)["Tags"] == {"a": "1"}
    assert lambda_.get_function_configuration(FunctionName=name)["RevisionId"] != before


def test_refusals(lambda_, name, arn_of, refusal):
    arn = arn_of(name)
    answer = refusal(lambda_.tag_resource, Resource=arn, Tags={})
    assert answer["message"] == "An error occurred and the request cannot be processed."
    answer = refusal(lambda_.untag_resource, Resource=arn, TagKeys=[])
    assert answer["Error"]["Message"] == (
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"
    )
    for qualified in (f"{arn}:$LATEST", f"{arn}:alias"):
        answer = refusal(lambda_.tag_resource, Resource=qualified, Tags={"a": "1"})
        assert answer["message"] == (
            "Tags on function aliases and versions are not supported. Please specify a function ARN."
        )
    missing = arn_of("doesnotexist")
    for call, options in (
        (lambda_.tag_resource, {"Tags": {"a": "1"}}),
        (lambda_.untag_resource, {"TagKeys": ["a"]}),
        (lambda_.list_tags, {}),
    ):
        assert refusal(call, Resource=missing, **options)["Message"] == f"Function not found: {missing}"
    answer = refusal(lambda_.list_tags, Resource="arn:aws:something")
    assert answer["Error"]["Code"] == "ValidationException"
