"""Aliases through boto3: their life, their rules, and where invokes of them go."""

import json

import pytest

SOURCE = "import os\ndef handler(event, context):\n    return [os.environ['WHICH'], context.invoked_function_arn]\n"


@pytest.fixture(scope="module")
def versions(make_function, lambda_, wait_updated):
    """A function whose versions 1 and 2 answer ``one`` and ``two``."""
    function = make_function(SOURCE, Environment={"Variables": {"WHICH": "one"}})
    lambda_.publish_version(FunctionName=function.name)
    lambda_.update_function_configuration(FunctionName=function.name, Environment={"Variables": {"WHICH": "two"}})
    wait_updated(function.name)
    lambda_.publish_version(FunctionName=function.name)
    return function


class TestLife:
    def test_create_get_update_list_delete(self, versions, lambda_):
        name = versions.name
        created = lambda_.create_alias(FunctionName=name, Name="life", FunctionVersion="1")
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}:life"
        assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert {key: created[key] for key in ("AliasArn", "Name", "FunctionVersion", "Description")} == {
            "AliasArn": arn,
            "Name": "life",
            "FunctionVersion": "1",
            "Description": "",
        }
        assert "RoutingConfig" not in created
        got = lambda_.get_alias(FunctionName=name, Name="life")
        assert got["RevisionId"] == created["RevisionId"]
        updated = lambda_.update_alias(
            FunctionName=name, Name="life", Description="d", RevisionId=created["RevisionId"]
        )
        assert (updated["FunctionVersion"], updated["Description"]) == ("1", "d")
        assert updated["RevisionId"] != created["RevisionId"]
        lambda_.delete_alias(FunctionName=name, Name="life")
        lambda_.delete_alias(FunctionName=name, Name="life")  # no error, as on AWS

    def test_list_pages_and_filters_by_version(self, make_function, lambda_):
        name = make_function("def handler(e, c): pass").name
        lambda_.publish_version(FunctionName=name)
        for number in range(5):
            version = "1" if number % 2 else "$LATEST"
            lambda_.create_alias(FunctionName=name, Name=f"a{number}", FunctionVersion=version)
        pages = lambda_.get_paginator("list_aliases").paginate(FunctionName=name, PaginationConfig={"PageSize": 2})
        pages = [[alias["Name"] for alias in page["Aliases"]] for page in pages]
        assert pages == [["a0", "a1"], ["a2", "a3"], ["a4"]]
        of_one = lambda_.list_aliases(FunctionName=name, FunctionVersion="1")["Aliases"]
        assert [alias["Name"] for alias in of_one] == ["a1", "a3"]

    def test_creating_one_leaves_the_functions_revision(self, versions, lambda_):
        before = lambda_.get_function_configuration(FunctionName=versions.name)["RevisionId"]
        lambda_.create_alias(FunctionName=versions.name, Name="revision", FunctionVersion="1")
        assert lambda_.get_function_configuration(FunctionName=versions.name)["RevisionId"] == before

    def test_get_function_by_alias_shows_the_version_under_the_aliass_arn(self, versions, lambda_):
        """Recorded on AWS: the ARN ends with the alias, the version and its revision id are the version's own."""
        lambda_.create_alias(FunctionName=versions.name, Name="shown", FunctionVersion="1")
        shown = lambda_.get_function(FunctionName=versions.name, Qualifier="shown")["Configuration"]
        version = lambda_.get_function_configuration(FunctionName=versions.name, Qualifier="1")
        assert shown["FunctionArn"].endswith(f":function:{versions.name}:shown")
        assert (shown["Version"], shown["RevisionId"]) == ("1", version["RevisionId"])


class TestRules:
    """Messages as recorded on AWS."""

    @pytest.fixture
    def create(self, versions, lambda_, refusal):
        def attempt(version="1", name="rules", weights=None, function=None):
            routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights is not None else {}
            return refusal(
                lambda_.create_alias,
                FunctionName=function or versions.name,
                Name=name,
                FunctionVersion=version,
                **routing,
            )

        return attempt

    @pytest.fixture
    def arn(self, versions):
        return f"arn:aws:lambda:us-east-1:000000000000:function:{versions.name}"

    def test_routing(self, create, arn):
        answer = create(weights={"1": 0.1, "2": 0.2})
        assert answer["Error"] == {
            "Code": "InvalidParameterValueException",
            "Message": "Number of items in AdditionalVersionWeights cannot be greater than 1",
        }
        assert create(weights={"1": 0.5})["Error"]["Message"] == (
            "Invalid function version 1. Function version 1 is already included in routing configuration."
        )
        assert create(version="$LATEST", weights={"1": 0.5})["Error"]["Message"] == (
            "$LATEST is not supported for an alias pointing to more than 1 version"
        )
        answer = create(weights={"10": 0.5})
        assert (answer["Error"]["Code"], answer["Message"]) == (
            "ResourceNotFoundException",
            f"Function not found: {arn}:10",
        )

    def test_weights_are_checked_by_the_model(self, create):
        assert create(weights={"2": 2.0})["Error"] == {
            "Code": "ValidationException",
            "Message": "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' "
            "failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or "
            "equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
        }
        assert create(weights={"$LATEST": 0.5})["Error"]["Message"] == (
            "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to "
            "satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to "
            "1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "
            "[0-9]+]"
        )

    def test_names(self, create, lambda_, versions, arn):
        assert create(name="2024")["Error"]["Message"] == (
            "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
        )
        lambda_.create_alias(FunctionName=versions.name, Name="twice", FunctionVersion="1")
        assert create(name="twice")["Error"] == {
            "Code": "ResourceConflictException",
            "Message": f"Alias already exists: {arn}:twice",
        }

    def test_what_is_not_there(self, create, lambda_, versions, refusal, arn):
        assert create(version="10")["Error"]["Message"] == f"Function not found: {arn}:10"
        assert create(function=f"{versions.name}-unknown")["Error"]["Message"] == f"Function not found: {arn}-unknown:1"
        answer = refusal(lambda_.get_alias, FunctionName=versions.name, Name="no")
        assert answer["Message"] == f"Cannot find alias arn: {arn}:no"
        answer = refusal(lambda_.update_alias, FunctionName=versions.name, Name="no", Description="x")
        assert answer["Message"] == f"Alias not found: {arn}:no"

    def test_a_stale_revision_id_changes_nothing(self, lambda_, versions, refusal):
        lambda_.create_alias(FunctionName=versions.name, Name="stale", FunctionVersion="1")
        answer = refusal(
            lambda_.update_alias, FunctionName=versions.name, Name="stale", Description="x", RevisionId="wrong"
        )
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["message"]) == (
            412,
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
        )
        assert lambda_.get_alias(FunctionName=versions.name, Name="stale")["Description"] == ""


class TestVersionsUnderAliases:
    def test_a_version_that_an_alias_leads_to_stays(self, make_function, lambda_, wait_updated, refusal):
        name = make_function("def handler(e, c): pass").name
        lambda_.publish_version(FunctionName=name)
        lambda_.update_function_configuration(FunctionName=name, Timeout=4)
        wait_updated(name)
        lambda_.publish_version(FunctionName=name)
        weights = {"AdditionalVersionWeights": {"2": 0.3}}
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
        for version in ("1", "2"):
            answer = refusal(lambda_.delete_function, FunctionName=name, Qualifier=version)
            assert answer["Error"] == {
                "Code": "ResourceConflictException",
                "Message": "Unable to delete version because the following aliases reference it: [live]",
            }
        lambda_.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
        lambda_.delete_function(FunctionName=name, Qualifier="2")
        answer = refusal(lambda_.delete_function, FunctionName=name, Qualifier="live")
        assert answer["Error"]["Message"] == "Deletion of aliases is not currently supported."
        left = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
        assert [version["Version"] for version in left] == ["$LATEST", "1"]

    def test_deleting_the_function_deletes_its_aliases(self, make_function, lambda_, refusal):
        function = make_function("def handler(e, c): pass")
        lambda_.create_alias(FunctionName=function.name, Name="gone", FunctionVersion="$LATEST")
        lambda_.delete_function(FunctionName=function.name)
        make_function("def handler(e, c): pass", FunctionName=function.name)
        answer = refusal(lambda_.get_alias, FunctionName=function.name, Name="gone")
        assert answer["Message"].startswith("Cannot find alias arn: ")


class TestInvokes:
    def test_run_the_aliass_version_and_know_the_alias(self, versions, lambda_):
        lambda_.create_alias(FunctionName=versions.name, Name="run", FunctionVersion="1")
        result = versions.invoke(Qualifier="run")
        which, arn = json.loads(result.body)
        assert (which, result.answer["ExecutedVersion"]) == ("one", "1")
        assert arn == f"arn:aws:lambda:us-east-1:000000000000:function:{versions.name}:run"

    def test_follow_an_update_at_once(self, versions, lambda_):
        """What invokes know of an alias is replaced with the update, not some time later."""
        lambda_.create_alias(FunctionName=versions.name, Name="moves", FunctionVersion="1")
        for version, answer in (("1", "one"), ("2", "two"), ("1", "one")):
            lambda_.update_alias(FunctionName=versions.name, Name="moves", FunctionVersion=version)
            assert versions(Qualifier="moves")[0] == answer

    def test_share_by_weight(self, versions, lambda_):
        """A weight of 1 leaves the first version nothing, a weight of 0 everything."""
        lambda_.create_alias(FunctionName=versions.name, Name="shared", FunctionVersion="1")
        for weight, answer in ((1.0, "two"), (0.0, "one")):
            routing = {"AdditionalVersionWeights": {"2": weight}}
            lambda_.update_alias(FunctionName=versions.name, Name="shared", RoutingConfig=routing)
            assert [versions(Qualifier="shared")[0] for _ in range(3)] == [answer] * 3

    def test_of_an_unknown_alias_are_refused(self, versions, lambda_, refusal):
        answer = refusal(lambda_.invoke, FunctionName=versions.name, Qualifier="nowhere")
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{versions.name}"
        assert answer["Message"] == f"Function not found: {arn}:nowhere"
