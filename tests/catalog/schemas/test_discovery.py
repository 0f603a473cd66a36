"""Schemas from sample events."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws.errors import SchemasBadRequest
from firefork.catalog.schemas.content import check_content
from firefork.catalog.schemas.discovery import discovered_schema

STATES = {
    "version": "0",
    "detail-type": "Step Functions Execution Status Change",
    "source": "aws.states",
    "time": "2019-02-26T19:42:21Z",
    "resources": ["arn"],
    "detail": {"name": "n", "startDate": 1551225146847, "output": None},
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


def discovered(*events, kind="OpenApi3"):
    return json.loads(discovered_schema(kind, [json.dumps(event) for event in events]))


class TestDiscoveredSchema:
    def test_of_a_plain_event(self):
        document = discovered(
            {"name": "you", "count": 3, "price": 1.5, "new": True, "tags": ["a"], "at": "2026-01-01T00:00:00Z"}
        )
        assert document == {
            "openapi": "3.0.0",
            "info": {"version": "1.0.0", "title": "Event"},
            "paths": {},
            "components": {
                "schemas": {
                    "Event": {
                        "type": "object",
                        "required": ["name", "count", "price", "new", "tags", "at"],
                        "properties": {
                            "name": {"type": "string"},
                            "count": {"type": "integer", "format": "int64"},
                            "price": {"type": "number", "format": "double"},
                            "new": {"type": "boolean"},
                            "tags": {"type": "array", "items": {"type": "string"}},
                            "at": {"type": "string", "format": "date-time"},
                        },
                    }
                }
            },
        }

    def test_of_an_event_of_eventbridge(self):
        """The example of AWS's user guide."""
        document = discovered(STATES)
        assert document["info"]["title"] == "StepFunctionsExecutionStatusChange"
        schemas = document["components"]["schemas"]
        assert list(schemas) == ["AWSEvent", "StepFunctionsExecutionStatusChange"]
        assert schemas["AWSEvent"]["x-amazon-events-source"] == "aws.states"
        assert schemas["AWSEvent"]["x-amazon-events-detail-type"] == "Step Functions Execution Status Change"
        assert schemas["AWSEvent"]["properties"]["detail"] == {
            "$ref": "#/components/schemas/StepFunctionsExecutionStatusChange"
        }
        detail = schemas["StepFunctionsExecutionStatusChange"]["properties"]
        assert detail["output"] == {}
        assert detail["startDate"] == {"type": "integer", "format": "int64"}

    def test_objects_inside_are_schemas_of_their_own(self):
        schemas = discovered({"user": {"home-address": {"city": "x"}}, "items": [{"user": {"id": 1}}]})["components"][
            "schemas"
        ]
        assert list(schemas) == ["Event", "User", "HomeAddress", "Items", "User2"]
        assert schemas["Event"]["properties"]["items"] == {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Items"},
        }

    def test_of_several_events_only_what_all_have_is_required(self):
        event = discovered({"a": 1, "b": 2}, {"a": 1.5, "c": "x"})["components"]["schemas"]["Event"]
        assert event["required"] == ["a"]
        assert list(event["properties"]) == ["a", "b", "c"]
        assert event["properties"]["a"] == {"type": "number", "format": "double"}

    def test_as_json_schema(self):
        document = discovered({"user": {"id": 1}}, kind="JSONSchemaDraft4")
        assert document["$schema"] == "http://json-schema.org/draft-04/schema#"
        assert document["properties"]["user"] == {"$ref": "#/definitions/User"}
        assert document["definitions"]["User"]["required"] == ["id"]

    def test_what_is_no_json_is_refused(self):
        with pytest.raises(SchemasBadRequest):
            discovered_schema("OpenApi3", ["{"])

    @given(st.lists(JSON, min_size=1, max_size=3), st.sampled_from(["OpenApi3", "JSONSchemaDraft4"]))
    def test_whatever_the_events_are_it_can_be_stored(self, events, kind):
        document = discovered_schema(kind, [json.dumps(event) for event in events])
        check_content(kind, document)


class TestContent:
    @pytest.mark.parametrize(
        ("kind", "content", "told"),
        [
            ("OpenApi3", "{", "not valid JSON"),
            ("OpenApi3", "[]", "no JSON object"),
            ("OpenApi3", "{}", "attribute openapi is missing"),
            (
                "OpenApi3",
                '{"openapi": "3.0.0", "info": {"title": "t"}, "paths": {}}',
                "attribute info.version is missing",
            ),
            ("OpenApi3", '{"openapi": "2.0", "info": {"title": "t", "version": "1"}, "paths": {}}', "not 3.x"),
            ("JSONSchemaDraft4", "3", "no JSON object"),
        ],
    )
    def test_is_refused_unless_it_is_of_its_kind(self, kind, content, told):
        with pytest.raises(SchemasBadRequest) as refusal:
            check_content(kind, content)
        assert told in refusal.value.message

    def test_draft_4_may_be_any_object(self):
        check_content("JSONSchemaDraft4", "{}")
