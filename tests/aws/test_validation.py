"""Requests that break the model, in the service's words."""

import pytest

from firefork.aws import models, validation


def found(service, operation, **parameters):
    return validation.violations(models.operation_model(service, operation).input_shape, parameters)


class TestWording:
    def test_one_violation(self):
        problems = found("lambda", "ListFunctions", MaxItems=0)
        assert validation.message(problems) == (
            "1 validation error detected: Value '0' at 'maxItems' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )

    def test_several_are_told_at_once(self):
        """One entry for each constraint, in the order of the members; a pattern is told before a length."""
        problems = found(
            "lambda", "UpdateFunctionConfiguration", FunctionName="not a name!" * 20, Timeout=901, MemorySize=1
        )
        assert [text.partition(" failed")[0].rpartition(" at ")[2] for text in problems] == [
            "'functionName'",
            "'functionName'",
            "'timeout'",
            "'memorySize'",
        ]
        assert "regular expression pattern" in problems[0]
        assert problems[1].endswith("Member must have length less than or equal to 140")
        message = validation.message(problems)
        assert message.startswith("4 validation errors detected: Value 'not a name!")
        assert message.count("; Value '") == 3

    def test_required_members(self):
        assert found("logs", "PutRetentionPolicy", logGroupName="g") == [
            "Value null at 'retentionInDays' failed to satisfy constraint: Member must not be null"
        ]

    def test_inside_a_structure_in_a_list(self):
        problems = found("logs", "PutLogEvents", logGroupName="g", logStreamName="s", logEvents=[{"message": ""}])
        assert problems == [
            "Value null at 'logEvents.1.member.timestamp' failed to satisfy constraint: Member must not be null",
            "Value '' at 'logEvents.1.member.message' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ]

    def test_plain_values_in_a_list_are_told_together(self):
        """Recorded: the whole list, with all that holds for one of its values."""
        problems = found(
            "lambda", "PublishLayerVersion", LayerName="l", Content={}, CompatibleArchitectures=["x86_64", "z80"]
        )
        assert problems == [
            "Value '[x86_64, z80]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy "
            "constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
        ]

    def test_a_list_that_is_too_long(self):
        problems = found(
            "lambda", "PublishLayerVersion", LayerName="l", Content={}, CompatibleRuntimes=["python3.12"] * 16
        )
        assert len(problems) == 1
        assert problems[0].endswith("Member must have length less than or equal to 15")

    def test_nulls_in_lists_and_maps(self):
        problems = found("logs", "FilterLogEvents", logGroupName="g", logStreamNames=["a", None])
        assert len(problems) == 1
        assert problems[0].startswith("Value '[a, null]' at 'logStreamNames'")
        assert problems[0].endswith("Member must not be null]")
        problems = found(
            "lambda", "TagResource", Resource="arn:aws:lambda:us-east-1:000000000000:function:f", Tags={"a": None}
        )
        assert len(problems) == 1
        assert problems[0].startswith("Value '{a=null}' at 'tags' failed to satisfy constraint: Map value must satisfy")
        assert problems[0].endswith("Member must not be null]")

    def test_keys_of_a_map(self):
        problems = found(
            "logs", "TagResource", resourceArn="arn:aws:logs:us-east-1:000000000000:log-group:g", tags={"a!": "x"}
        )
        assert len(problems) == 1
        assert problems[0].startswith(
            "Value '{a!=x}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, "
        )

    def test_what_is_sensitive_is_not_repeated(self):
        """Environment variables hold passwords."""
        problems = found(
            "lambda", "UpdateFunctionConfiguration", FunctionName="f", Environment={"Variables": {"1A": "secret"}}
        )
        assert problems == [
            "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"
        ]


class TestPatterns:
    @pytest.mark.parametrize("key", ["a1", "under_score", "with space", "ключ", "x=y", "a:b/c+d-e@f.g"])
    def test_character_properties_are_javas(self, key):
        """Tag keys: ``[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]``."""
        arn = "arn:aws:logs:us-east-1:000000000000:log-group:g"
        assert found("logs", "TagResource", resourceArn=arn, tags={key: ""}) == []

    @pytest.mark.parametrize("service", ["lambda", "logs", "sts", "cloudwatch"])
    def test_every_pattern_of_a_served_model_can_be_used(self, service):
        shapes = models.service_model(service)._service_description["shapes"].values()
        for expression in {shape["pattern"] for shape in shapes if "pattern" in shape}:
            assert validation.pattern(expression) is not None

    def test_a_pattern_holds_for_the_whole_value(self):
        assert found("lambda", "GetFunction", FunctionName="f\nx") != []
        assert found("lambda", "GetFunction", FunctionName="f") == []
