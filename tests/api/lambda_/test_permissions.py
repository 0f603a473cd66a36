"""Resource policies of functions through boto3; documents and messages as recorded on AWS."""

import json

import pytest

S3 = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
INVOKE = {"Sid": "s1", "Effect": "Allow", "Action": "lambda:InvokeFunction"}


@pytest.fixture
def add(lambda_, name):
    """Adds a permission to the function; the statement."""

    def call(sid="s1", **options):
        return json.loads(lambda_.add_permission(FunctionName=name, StatementId=sid, **{**S3, **options})["Statement"])

    return call


class TestStatements:
    @pytest.mark.parametrize(
        ("given", "principal", "condition"),
        [
            ({"Principal": "*"}, "*", None),
            ({"Principal": "s3.amazonaws.com"}, {"Service": "s3.amazonaws.com"}, None),
            ({"Principal": "alexa-appkit.amazon.com"}, {"Service": "alexa-appkit.amazon.com"}, None),
            ({"Principal": "111111111111"}, {"AWS": "arn:aws:iam::111111111111:root"}, None),
            (
                {"Principal": "arn:aws:iam::111111111111:role/path/r"},
                {"AWS": "arn:aws:iam::111111111111:role/path/r"},
                None,
            ),
            (
                {"SourceArn": "arn:aws:s3:::bucket"},
                {"Service": "s3.amazonaws.com"},
                {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"}},
            ),
            (
                {"Principal": "*", "SourceAccount": "111111111111"},
                "*",
                {"StringEquals": {"AWS:SourceAccount": "111111111111"}},
            ),
            (
                {"Principal": "*", "EventSourceToken": "amzn1.ask.skill.x"},
                "*",
                {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}},
            ),
            (
                {
                    "Action": "lambda:InvokeFunctionUrl",
                    "Principal": "*",
                    "SourceAccount": "111111111111",
                    "SourceArn": "arn:aws:s3:::bucket",
                    "PrincipalOrgID": "o-1234567890",
                    "FunctionUrlAuthType": "NONE",
                },
                "*",
                {
                    "StringEquals": {
                        "lambda:FunctionUrlAuthType": "NONE",
                        "aws:PrincipalOrgID": "o-1234567890",
                        "AWS:SourceAccount": "111111111111",
                    },
                    "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::bucket"},
                },
            ),
            (
                {"Principal": "*", "InvokedViaFunctionUrl": True},
                "*",
                {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            ),
        ],
    )
    def test_every_form(self, add, lambda_, name, arn_of, given, principal, condition):
        expected = {
            **INVOKE,
            "Principal": principal,
            "Action": given.get("Action", "lambda:InvokeFunction"),
            "Resource": arn_of(name),
        }
        if condition is not None:
            expected["Condition"] = condition
        assert add(**given) == expected
        policy = json.loads(lambda_.get_policy(FunctionName=name)["Policy"])
        assert policy == {"Version": "2012-10-17", "Id": "default", "Statement": [expected]}

    def test_are_removed_one_by_one_and_the_policy_with_the_last(self, add, lambda_, name, refusal):
        add("one")
        add("two")
        lambda_.remove_permission(FunctionName=name, StatementId="one")
        left = json.loads(lambda_.get_policy(FunctionName=name)["Policy"])["Statement"]
        assert [statement["Sid"] for statement in left] == ["two"]
        answer = refusal(lambda_.remove_permission, FunctionName=name, StatementId="one")
        assert answer["Message"] == "Statement one is not found in resource policy."
        lambda_.remove_permission(FunctionName=name, StatementId="two")
        assert refusal(lambda_.get_policy, FunctionName=name)["Message"] == "The resource you requested does not exist."
        answer = refusal(lambda_.remove_permission, FunctionName=name, StatementId="two")
        assert answer["Message"] == "No policy is associated with the given resource."


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "code", "message"),
        [
            (
                {"Principal": "invalid.nowhere.com"},
                "InvalidParameterValueException",
                "The provided principal was invalid. Please check the principal and try again.",
            ),
            (
                {"Qualifier": "$LATEST"},
                "InvalidParameterValueException",
                "We currently do not support adding policies for $LATEST.",
            ),
            ({"Qualifier": "7"}, "ResourceNotFoundException", "Function not found: {arn}:7"),
            ({"Qualifier": "no-alias"}, "ResourceNotFoundException", "Cannot find alias arn: {arn}:no-alias"),
            (
                {"FunctionUrlAuthType": "NONE"},
                "InvalidParameterValueException",
                "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
            ),
            (
                {"RevisionId": "wrong"},
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve "
                "the latest Revision Id",
            ),
            (
                {"StatementId": "a b"},
                "ValidationException",
                "1 validation error detected: Value 'a b' at 'statementId' failed to satisfy constraint: Member must "
                "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)",
            ),
        ],
    )
    def test_add(self, lambda_, name, arn_of, refusal, options, code, message):
        answer = refusal(lambda_.add_permission, **{"FunctionName": name, "StatementId": "s1", **S3, **options})
        assert answer["Error"] == {"Code": code, "Message": message.format(arn=arn_of(name))}
        assert refusal(lambda_.get_policy, FunctionName=name)["Error"]["Code"] == "ResourceNotFoundException"

    def test_a_statement_id_is_used_once(self, add, lambda_, name, refusal):
        add()
        answer = refusal(lambda_.add_permission, FunctionName=name, StatementId="s1", **S3)
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["message"]) == (
            409,
            "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing "
            "statement.",
        )

    def test_a_policy_has_at_most_20_kb(self, add, lambda_, name, refusal):
        for number in range(10):
            add(f"s{number}", SourceArn=f"arn:aws:s3:::{'x' * 1800}")
        answer = refusal(
            lambda_.add_permission, FunctionName=name, StatementId="s10", **S3, SourceArn=f"arn:aws:s3:::{'x' * 1800}"
        )
        assert answer["Error"]["Code"] == "PolicyLengthExceededException"
        assert len(json.loads(lambda_.get_policy(FunctionName=name)["Policy"])["Statement"]) == 10

    def test_functions_that_are_not_there(self, lambda_, refusal, arn_of):
        arn = arn_of("doesnotexist")
        answer = refusal(lambda_.get_policy, FunctionName="doesnotexist")
        assert answer["Message"] == "The resource you requested does not exist."
        answer = refusal(lambda_.add_permission, FunctionName="doesnotexist", StatementId="s", **S3)
        assert answer["Message"] == f"Function not found: {arn}"
        answer = refusal(lambda_.remove_permission, FunctionName="doesnotexist", StatementId="s")
        assert answer["Message"] == f"No policy found for: {arn}"


class TestQualifiers:
    def test_function_version_and_alias_have_policies_of_their_own(self, add, lambda_, name, arn_of, refusal):
        lambda_.publish_version(FunctionName=name)
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert add("f")["Resource"] == arn_of(name)
        assert add("v", Qualifier="1")["Resource"] == f"{arn_of(name)}:1"
        assert add("a", Qualifier="live")["Resource"] == f"{arn_of(name)}:live"
        for qualifier, sid in ((None, "f"), ("1", "v"), ("live", "a")):
            asked = {"Qualifier": qualifier} if qualifier else {}
            policy = json.loads(lambda_.get_policy(FunctionName=name, **asked)["Policy"])
            assert [statement["Sid"] for statement in policy["Statement"]] == [sid]
        lambda_.delete_alias(FunctionName=name, Name="live")
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert refusal(lambda_.get_policy, FunctionName=name, Qualifier="live")["Error"]["Code"] == (
            "ResourceNotFoundException"
        )

    def test_a_policy_has_a_revision_id_of_its_own(self, add, lambda_, name, refusal):
        """Recorded on AWS in November 2025: each change of the policy changes it, publishing does not."""
        functions = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
        answer = refusal(lambda_.add_permission, FunctionName=name, StatementId="s", **S3, RevisionId=functions)
        assert "Call the GetPolicy API" in answer["message"]
        add("one")
        first = lambda_.get_policy(FunctionName=name)["RevisionId"]
        lambda_.publish_version(FunctionName=name)
        assert lambda_.get_policy(FunctionName=name)["RevisionId"] == first
        add("two", RevisionId=first)
        second = lambda_.get_policy(FunctionName=name)["RevisionId"]
        assert second != first
        lambda_.remove_permission(FunctionName=name, StatementId="one", RevisionId=second)

    def test_removing_with_a_stale_revision_id_changes_nothing(self, add, lambda_, name, refusal):
        add()
        answer = refusal(lambda_.remove_permission, FunctionName=name, StatementId="s1", RevisionId="wrong")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 412
        assert "s1" in lambda_.get_policy(FunctionName=name)["Policy"]


class TestWholePolicies:
    """AWS: API reference, PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy."""

    @pytest.fixture
    def document(self, name, arn_of):
        statement = {
            "Sid": "deny",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "lambda:InvokeFunction",  # more would lock the test itself out
            "Resource": arn_of(name),
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def test_put_get_delete(self, lambda_, name, arn_of, document, refusal):
        arn = arn_of(name)
        put = lambda_.put_resource_policy(ResourceArn=arn, Policy=json.dumps(document))
        got = lambda_.get_resource_policy(ResourceArn=arn)
        assert json.loads(put["Policy"]) == json.loads(got["Policy"]) == document
        assert put["RevisionId"] == got["RevisionId"]
        assert json.loads(lambda_.get_policy(FunctionName=name)["Policy"])["Statement"] == document["Statement"]
        answer = refusal(
            lambda_.put_resource_policy,
            ResourceArn=arn,
            Policy=json.dumps(document),
            RevisionId="00000000-0000-0000-0000-000000000000",
        )
        assert answer["Error"]["Code"] == "PreconditionFailedException"
        lambda_.delete_resource_policy(ResourceArn=arn, RevisionId=got["RevisionId"])
        assert refusal(lambda_.get_resource_policy, ResourceArn=arn)["Error"]["Code"] == "ResourceNotFoundException"
        assert refusal(lambda_.delete_resource_policy, ResourceArn=arn)["Error"]["Code"] == "ResourceNotFoundException"

    @pytest.mark.parametrize(
        "policy",
        ["{", "[]", '{"Statement": []}', '{"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "*"}]}'],
    )
    def test_what_is_no_policy_is_refused(self, lambda_, name, arn_of, refusal, policy):
        answer = refusal(lambda_.put_resource_policy, ResourceArn=arn_of(name), Policy=policy)
        assert answer["Error"]["Code"] == "InvalidParameterValueException"
        assert refusal(lambda_.get_policy, FunctionName=name)["Error"]["Code"] == "ResourceNotFoundException"

    def test_a_policy_is_about_its_own_function(self, lambda_, name, arn_of, document, refusal):
        document["Statement"][0]["Resource"] = arn_of("other")
        answer = refusal(lambda_.put_resource_policy, ResourceArn=arn_of(name), Policy=json.dumps(document))
        assert answer["Error"]["Code"] == "InvalidParameterValueException"


@pytest.fixture(scope="module")
def layer(lambda_, zipped):
    lambda_.publish_layer_version(LayerName="permitted", Content={"ZipFile": zipped({"python/m.py": ""})})
    return "permitted"


class TestLayerVersions:
    def _permit(self, lambda_, layer, sid, **options):
        statement = {"Action": "lambda:GetLayerVersion", "Principal": "*", "StatementId": sid}
        return lambda_.add_layer_version_permission(**{"LayerName": layer, "VersionNumber": 1, **statement, **options})

    def test_add_get_remove(self, lambda_, layer, refusal):
        arn = f"arn:aws:lambda:us-east-1:000000000000:layer:{layer}:1"
        first = self._permit(lambda_, layer, "s1")
        assert json.loads(first["Statement"]) == {
            "Sid": "s1",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "lambda:GetLayerVersion",
            "Resource": arn,
        }
        second = self._permit(lambda_, layer, "s2", OrganizationId="o-1234567890", RevisionId=first["RevisionId"])
        assert json.loads(second["Statement"])["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
        policy = lambda_.get_layer_version_policy(LayerName=layer, VersionNumber=1)
        assert [statement["Sid"] for statement in json.loads(policy["Policy"])["Statement"]] == ["s1", "s2"]
        assert policy["RevisionId"] == second["RevisionId"]
        answer = refusal(self._permit, lambda_=lambda_, layer=layer, sid="s1")
        assert answer["Error"]["Code"] == "ResourceConflictException"
        answer = refusal(self._permit, lambda_=lambda_, layer=layer, sid="s3", RevisionId="wrong")
        assert answer["message"] == (
            "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve "
            "the latest Revision Id"
        )
        for sid in ("s2", "s1"):
            lambda_.remove_layer_version_permission(LayerName=layer, VersionNumber=1, StatementId=sid)
        answer = refusal(lambda_.get_layer_version_policy, LayerName=layer, VersionNumber=1)
        assert answer["Message"] == "No policy is associated with the given resource."

    @pytest.mark.parametrize(("layer_name", "version"), [("permitted-doesnotexist", 1), ("permitted", 2)])
    def test_versions_that_are_not_there(self, lambda_, layer, refusal, layer_name, version):
        message = f"Layer version arn:aws:lambda:us-east-1:000000000000:layer:{layer_name}:{version} does not exist."
        where = {"LayerName": layer_name, "VersionNumber": version}
        for answer in (
            refusal(self._permit, lambda_=lambda_, layer=layer_name, sid="s", VersionNumber=version),
            refusal(lambda_.get_layer_version_policy, **where),
            refusal(lambda_.remove_layer_version_permission, StatementId="s", **where),
        ):
            assert (answer["Error"]["Code"], answer["Message"]) == ("ResourceNotFoundException", message)

    def test_only_the_one_action_may_be_permitted(self, lambda_, layer, refusal):
        answer = refusal(self._permit, lambda_=lambda_, layer=layer, sid="s", Action="*")
        assert answer["Error"]["Message"] == (
            "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: lambda:GetLayerVersion"
        )

    def test_the_policy_goes_with_the_version(self, lambda_, zipped, refusal):
        content = {"ZipFile": zipped({"python/m.py": "1"})}
        lambda_.publish_layer_version(LayerName="short-lived", Content=content)
        self._permit(lambda_, "short-lived", "s1")
        lambda_.delete_layer_version(LayerName="short-lived", VersionNumber=1)
        answer = refusal(lambda_.get_layer_version_policy, LayerName="short-lived", VersionNumber=1)
        assert answer["Error"]["Code"] == "ResourceNotFoundException"
