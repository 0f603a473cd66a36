"""The forms of a function's name."""

import pytest

from firefork.aws.errors import InvalidParameterValue, ResourceNotFound, ValidationError
from firefork.aws.scope import Scope
from firefork.catalog.references import FunctionReference

HERE = Scope("123456789012", "eu-west-1")
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"


class TestForms:
    @pytest.mark.parametrize("form", ["f", "function:f", "123456789012:f", "123456789012:function:f", ARN])
    @pytest.mark.parametrize("qualifier", [None, "1", "live", "$LATEST"])
    def test_name_partial_and_full_arn_with_and_without_qualifier(self, form, qualifier):
        inside = FunctionReference.parse(HERE, f"{form}:{qualifier}" if qualifier else form)
        beside = FunctionReference.parse(HERE, form, qualifier)
        assert inside == beside
        assert (inside.scope, inside.name, inside.qualifier) == (HERE, "f", qualifier)
        assert inside.arn == (f"{ARN}:{qualifier}" if qualifier else ARN)

    def test_the_same_qualifier_twice_is_no_contradiction(self):
        assert FunctionReference.parse(HERE, "f:1", "1").qualifier == "1"
        with pytest.raises(InvalidParameterValue, match="derived qualifier"):
            FunctionReference.parse(HERE, "f:1", "2")

    @pytest.mark.parametrize("text", ["", "a b", "f:", ":f", f"{ARN}:1:2", "arn:aws:s3:::bucket", "f\n", "é"])
    def test_what_is_no_name(self, text):
        with pytest.raises(ValidationError, match="1 validation error detected"):
            FunctionReference.parse(HERE, text)

    def test_a_new_function_has_64_characters_at_most(self):
        """Longer names can be asked for: there is no such function."""
        assert FunctionReference.for_new(HERE, "n" * 64).name == "n" * 64
        with pytest.raises(InvalidParameterValue, match="less than or equal to 64"):
            FunctionReference.for_new(HERE, "n" * 65)
        assert FunctionReference.parse(HERE, "n" * 65).name == "n" * 65

    def test_another_region(self):
        with pytest.raises(ResourceNotFound) as refusal:
            FunctionReference.parse(HERE, ARN.replace("eu-west-1", "us-east-1"))
        assert refusal.value.message == "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"
