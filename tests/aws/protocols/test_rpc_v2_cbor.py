"""The protocol that the SDKs of other languages speak with CloudWatch, against botocore's own client side of it."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws import models
from firefork.aws.errors import InvalidParameterValue, SerializationFailure, ServiceFailure
from firefork.aws.protocols import rpc_v2_cbor
from firefork.aws.protocols.message import HttpRequest

PROTOCOL = "smithy-rpc-v2-cbor"
OPERATIONS = list(models.service_model("cloudwatch").operation_names)


def test_it_is_the_first_protocol_of_cloudwatch():
    """If that changes, this protocol has no user here. (boto3 itself prefers json, which the service has too.)"""
    assert models.protocols("cloudwatch")[0] == PROTOCOL


class TestRoundTrip:
    @given(data=st.data())
    def test_what_botocore_sends_is_what_is_parsed(self, data, values, wire):
        client = wire("cloudwatch", PROTOCOL)
        operation = data.draw(st.sampled_from(OPERATIONS))
        shape = client.operation(operation).input_shape
        parameters = data.draw(values(shape)) if shape is not None else {}
        sent = client.request(operation, parameters)
        assert rpc_v2_cbor.operation_of(sent.path) == operation
        assert sent.headers[rpc_v2_cbor.HEADER] == rpc_v2_cbor.HEADER_VALUE
        assert rpc_v2_cbor.parse("cloudwatch", operation, sent) == parameters

    @given(data=st.data())
    def test_what_is_serialized_is_what_botocore_reads(self, data, values, wire):
        client = wire("cloudwatch", PROTOCOL)
        operation = data.draw(st.sampled_from(OPERATIONS))
        shape = client.operation(operation).output_shape
        result = data.draw(values(shape)) if shape is not None else {}
        answer = rpc_v2_cbor.serialize("cloudwatch", operation, result, "the-id")
        read = client.read(operation, answer)
        assert read.pop("ResponseMetadata", {}).get("RequestId", "the-id") == "the-id"
        assert read == result


class TestParse:
    @pytest.mark.parametrize("body", [b"\xff", b"\x5a\xff\xff\xff\xff", b"\x81" * 5000, b"\xa1\x00"])
    def test_what_is_not_cbor(self, body):
        with pytest.raises(SerializationFailure):
            rpc_v2_cbor.parse("cloudwatch", "PutMetricData", self._request(body))

    def test_what_does_not_fit_the_shape(self):
        body = b"\xa1\x69Namespace\x81\x01"  # {"Namespace": [1]}
        with pytest.raises(SerializationFailure, match="START_ARRAY can not be converted to a String"):
            rpc_v2_cbor.parse("cloudwatch", "PutMetricData", self._request(body))

    @staticmethod
    def _request(body):
        return HttpRequest(method="POST", path="/", query="", headers={}, body=body)


class TestErrors:
    def test_the_code_is_in_the_body(self, wire):
        """And the one of the query protocol, which clients go on to compare with, in a header."""
        answer = rpc_v2_cbor.serialize_error("cloudwatch", InvalidParameterValue("bad"), "the-id")
        assert answer.status == 400
        assert cbor2.loads(answer.body)["__type"] == "InvalidParameterValueException"
        read = wire("cloudwatch", PROTOCOL).read("PutMetricData", answer)
        assert read["Error"]["Code"] == "InvalidParameterValue"
        assert read["Error"]["Message"] == "bad"

    def test_our_own_failure_is_500(self):
        assert rpc_v2_cbor.serialize_error("cloudwatch", ServiceFailure("x"), "the-id").status == 500
