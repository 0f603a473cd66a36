"""Lambda's protocol against botocore's own client side."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws import models
from firefork.aws.errors import (
    InvalidParameterValue,
    ResourceNotFound,
    SerializationFailure,
    TooManyRequests,
    ValidationError,
)
from firefork.aws.protocols import rest_json
from firefork.aws.protocols.message import HttpRequest

MODEL = models.service_model("lambda")
OPERATIONS = [
    name
    for name in MODEL.operation_names
    if not MODEL.operation_model(name).has_event_stream_output and not name.startswith("InvokeAsync")
]


def request(method="POST", path="/", query="", body=b"", **headers):
    return HttpRequest(method=method, path=path, query=query, headers=headers, body=body)


class TestRoundTrip:
    @given(data=st.data())
    def test_what_botocore_sends_is_what_is_parsed(self, data, values, wire):
        """Every operation: path labels, query, headers, body and payload arrive as they were given."""
        client = wire("lambda", "rest-json")
        operation = data.draw(st.sampled_from(OPERATIONS))
        shape = MODEL.operation_model(operation).input_shape
        parameters = data.draw(values(shape)) if shape is not None else {}
        sent = client.request(operation, parameters)
        found = models.router("lambda").find(sent.method, sent.path, sent.query)
        assert found is not None
        name, labels = found
        assert name == operation
        assert rest_json.parse("lambda", operation, labels, sent) == parameters

    @given(data=st.data())
    def test_what_is_serialized_is_what_botocore_reads(self, data, values, wire):
        client = wire("lambda", "rest-json")
        operation = data.draw(st.sampled_from(OPERATIONS))
        shape = MODEL.operation_model(operation).output_shape
        result = data.draw(values(shape)) if shape is not None else {}
        for name, member in shape.members.items() if shape else ():
            if member.serialization.get("location") == "statusCode":
                result[name] = 200
        answer = rest_json.serialize("lambda", operation, result, "the-id")
        read = client.read(operation, answer)
        assert read.pop("ResponseMetadata")["RequestId"] == "the-id"
        assert read == result


class TestParse:
    def test_an_empty_query_parameter_that_may_not_be_empty_is_not_given(self):
        """The Go SDK sends ``?Qualifier=`` for an empty string."""
        empty, given = request("GET", query="Qualifier="), request("GET", query="Qualifier=1")
        assert rest_json.parse("lambda", "GetFunction", {"FunctionName": "f"}, empty) == {"FunctionName": "f"}
        assert rest_json.parse("lambda", "GetFunction", {"FunctionName": "f"}, given)["Qualifier"] == "1"

    def test_members_that_the_model_does_not_know_are_dropped(self):
        body = b'{"Description": "x", "Bogus": 1}'
        found = rest_json.parse(
            "lambda", "UpdateFunctionConfiguration", {"FunctionName": "f"}, request("PUT", body=body)
        )
        assert found == {"FunctionName": "f", "Description": "x"}

    @pytest.mark.parametrize("body", [b"null", b"{}", b""])
    def test_a_body_without_members_is_no_error(self, body):
        found = rest_json.parse(
            "lambda", "UpdateFunctionConfiguration", {"FunctionName": "f"}, request("PUT", body=body)
        )
        assert found == {"FunctionName": "f"}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"{", "Could not parse request body into json"),
            (b"\xff\xfe", "Could not parse request body into json"),
            (b"[" * 5000, "Could not parse request body into json"),
            (b"[]", "START_ARRAY can not be converted to a Structure"),
            (b'"text"', "STRING_VALUE can not be converted to a Structure"),
            (b'{"Timeout": "9"}', "STRING_VALUE can not be converted to an Integer"),
            (b'{"Timeout": true}', "TRUE_VALUE can not be converted to an Integer"),
            (b'{"Timeout": 2147483648}', "Numeric value out of range of integer"),
            (b'{"Timeout": 1e300}', "Numeric value out of range of integer"),
            (b'{"Environment": []}', "START_ARRAY can not be converted to a Structure"),
            (b'{"Environment": {"Variables": "x"}}', "STRING_VALUE can not be converted to a Map"),
            (b'{"Description": {}}', "START_OBJECT can not be converted to a String"),
            (b'{"Layers": {}}', "START_OBJECT can not be converted to a List"),
        ],
    )
    def test_what_does_not_fit_the_shapes_is_a_serialization_failure(self, body, message):
        with pytest.raises(SerializationFailure) as refusal:
            rest_json.parse("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f"}, request("PUT", body=body))
        assert refusal.value.message == message

    @pytest.mark.parametrize("text", ["not base64!", "é", "abc"])
    def test_a_package_that_is_not_base64_is_refused(self, text):
        body = json.dumps({"ZipFile": text}).encode()
        with pytest.raises(SerializationFailure, match="Failed to decode base64 value"):
            rest_json.parse("lambda", "UpdateFunctionCode", {"FunctionName": "f"}, request("PUT", body=body))

    def test_a_number_in_the_query_has_to_be_one(self):
        with pytest.raises(SerializationFailure, match="STRING_VALUE can not be converted to Integer"):
            rest_json.parse("lambda", "ListFunctions", {}, request("GET", query="MaxItems=many"))

    def test_a_list_in_the_query_is_repeated(self):
        found = rest_json.parse(
            "lambda", "UntagResource", {"Resource": "arn"}, request("DELETE", query="tagKeys=a&tagKeys=b%26c")
        )
        assert found["TagKeys"] == ["a", "b&c"]


class TestErrors:
    def test_code_in_the_header_and_the_models_members_in_the_body(self):
        """AWS spells the message's member ``Message`` for ResourceNotFoundException and ``message`` for the others."""
        answer = rest_json.serialize_error("lambda", ResourceNotFound("gone"), "the-id")
        assert answer.status == 404
        assert dict(answer.headers) == {
            "x-amzn-RequestId": "the-id",
            "x-amzn-ErrorType": "ResourceNotFoundException",
            "content-type": "application/json",
        }
        assert json.loads(answer.body) == {"Type": "User", "Message": "gone"}
        other = rest_json.serialize_error("lambda", InvalidParameterValue("bad"), "the-id")
        assert json.loads(other.body) == {"Type": "User", "message": "bad"}

    def test_members_besides_the_message(self, wire):
        error = TooManyRequests("Rate Exceeded.", Reason="CallerRateLimitExceeded", retryAfterSeconds="7")
        answer = rest_json.serialize_error("lambda", error, "the-id")
        assert answer.status == 429
        assert ("Retry-After", "7") in answer.headers
        read = wire("lambda", "rest-json").read("Invoke", answer)
        assert read["Error"]["Code"] == "TooManyRequestsException"
        assert read["Reason"] == "CallerRateLimitExceeded"
        assert read["retryAfterSeconds"] == "7"

    def test_a_code_that_the_model_does_not_know(self):
        answer = rest_json.serialize_error("lambda", ValidationError("wrong"), "the-id")
        assert answer.status == 400
        assert json.loads(answer.body) == {"message": "wrong"}
