"""CloudWatch Logs' protocol against botocore's own client side; json 1.0 by way of SQS, which has it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws import models
from firefork.aws.errors import LogsResourceNotFound, SerializationFailure, ServiceFailure, UnrecognizedClient
from firefork.aws.protocols import json_rpc
from firefork.aws.protocols.message import HttpRequest

MODEL = models.service_model("logs")
OPERATIONS = [name for name in MODEL.operation_names if not MODEL.operation_model(name).has_event_stream_output]


def request(body):
    return HttpRequest(method="POST", path="/", query="", headers={}, body=body)


class TestRoundTrip:
    @given(data=st.data())
    def test_what_botocore_sends_is_what_is_parsed(self, data, values, wire):
        client = wire("logs", "json")
        operation = data.draw(st.sampled_from(OPERATIONS))
        shape = MODEL.operation_model(operation).input_shape
        parameters = data.draw(values(shape)) if shape is not None else {}
        sent = client.request(operation, parameters)
        assert models.operation_by_target("logs")[sent.headers["x-amz-target"]] == operation
        assert json_rpc.parse("logs", operation, sent) == parameters

    @given(data=st.data())
    def test_what_is_serialized_is_what_botocore_reads(self, data, values, wire):
        client = wire("logs", "json")
        operation = data.draw(st.sampled_from(OPERATIONS))
        shape = MODEL.operation_model(operation).output_shape
        result = data.draw(values(shape)) if shape is not None else {}
        answer = json_rpc.serialize("logs", operation, result, "the-id")
        read = client.read(operation, answer)
        assert read.pop("ResponseMetadata")["RequestId"] == "the-id"
        assert read == result


class TestContentType:
    @pytest.mark.parametrize(
        ("service", "operation", "version"), [("logs", "CreateLogGroup", "1.1"), ("sqs", "ListQueues", "1.0")]
    )
    def test_the_version_is_the_services(self, service, operation, version):
        for answer in (
            json_rpc.serialize(service, operation, {}, "i"),
            json_rpc.serialize_error(service, ServiceFailure("x"), "i"),
        ):
            assert dict(answer.headers)["content-type"] == f"application/x-amz-json-{version}"


class TestParse:
    @pytest.mark.parametrize("body", [b"", b"{}", b"null"])
    def test_nothing_is_an_empty_request(self, body):
        assert json_rpc.parse("logs", "DescribeLogGroups", request(body)) == {}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b"{", "Unable to parse the request body as JSON"),
            (b"[]", "START_ARRAY can not be converted to a Structure"),
            (b'{"limit": "a"}', "STRING_VALUE can not be converted to an Integer"),
            (b'{"limit": 99999999999}', "Numeric value out of range of integer"),
        ],
    )
    def test_what_cannot_be_read(self, body, message):
        with pytest.raises(SerializationFailure) as refusal:
            json_rpc.parse("logs", "DescribeLogGroups", request(body))
        assert refusal.value.message == message


class TestErrors:
    @pytest.mark.parametrize("error", [LogsResourceNotFound("gone"), UnrecognizedClient("who?")])
    def test_the_status_is_400_and_the_body_says_which(self, error, wire):
        """Services of this protocol know no 403 or 404."""
        answer = json_rpc.serialize_error("logs", error, "the-id")
        assert answer.status == 400
        assert json.loads(answer.body) == {"__type": error.code, "message": error.message}
        read = wire("logs", "json").read("GetLogEvents", answer)
        assert read["Error"] == {"Code": error.code, "Message": error.message}

    def test_our_own_failure_is_500(self):
        assert json_rpc.serialize_error("logs", ServiceFailure("x"), "the-id").status == 500
