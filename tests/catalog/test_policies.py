"""Resource policies as the evaluation of permissions asks for them."""

import pytest

from firefork.aws.errors import InvalidParameterValue
from firefork.catalog.policies import Policies, principal
from firefork.catalog.references import FunctionReference

WANTED = {"runtime": "python3.12", "handler": "app.handler", "role": "arn:aws:iam::123456789012:role/r"}
STATEMENT = {"Sid": "s", "Principal": "*", "Action": "lambda:InvokeFunction"}


@pytest.fixture
def policies(database, functions):
    return Policies(database, functions)


class TestPolicyOf:
    def test_a_function(self, policies, functions, packages, scope, zipped):
        functions.create(scope, "f", WANTED, packages.accept(zipped({"app.py": "x"})), {})
        functions.settle(scope, "f")
        functions.publish_version(scope, "f")
        target = FunctionReference(scope=scope, name="f", qualifier=None)
        policies.add(target, STATEMENT, None)
        document = policies.policy_of(target.arn)
        assert document["Statement"] == [{**STATEMENT, "Effect": "Allow", "Resource": target.arn}]
        assert policies.policy_of(f"{target.arn}:$LATEST") == document
        assert policies.policy_of(f"{target.arn}:1") is None

    def test_a_layer_version(self, policies, layers, packages, scope, zipped):
        arn = layers.publish(scope, "l", packages.accept(zipped({"python/x.py": "x"}))).arn
        assert policies.policy_of(arn) is None
        policies.add_layer(scope, "l", 1, STATEMENT, None)
        assert policies.policy_of(arn)["Statement"][0]["Resource"] == arn

    @pytest.mark.parametrize("arn", ["arn:aws:s3:::bucket", "arn:aws:lambda:eu-west-1:123456789012:function:no", "x"])
    def test_what_has_none(self, policies, arn):
        assert policies.policy_of(arn) is None


class TestPrincipals:
    def test_accounts_are_of_the_partition(self, scope):
        china = type(scope)("123456789012", "cn-north-1")
        assert principal(china, "123456789012") == {"AWS": "arn:aws-cn:iam::123456789012:root"}

    @pytest.mark.parametrize(
        "text", ["nobody", "s3.example.com", "arn:aws:s3:::bucket", "12345", "arn:aws:iam::1:root"]
    )
    def test_others_are_refused(self, scope, text):
        with pytest.raises(InvalidParameterValue):
            principal(scope, text)
