"""STS's protocol against botocore's own client side; flattened lists and maps by way of IAM and CloudFormation."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws import models
from firefork.aws.errors import ServiceError, ServiceFailure
from firefork.aws.protocols import query
from firefork.aws.protocols.message import HttpRequest

OPERATIONS = [
    (service, name)
    for service in ("sts", "iam", "autoscaling", "elasticbeanstalk")
    for name in models.service_model(service).operation_names
]


class TestRoundTrip:
    @given(data=st.data())
    def test_what_botocore_sends_is_what_is_parsed(self, data, values, wire):
        service, operation = data.draw(st.sampled_from(OPERATIONS))
        client = wire(service, "query")
        shape = client.operation(operation).input_shape
        parameters = data.draw(values(shape, keep_empty=False)) if shape is not None and shape.members else {}
        flat = query.parameters_of(client.request(operation, parameters))
        assert flat["Action"] == operation
        assert query.parse(service, operation, flat) == parameters

    @given(data=st.data())
    def test_what_is_serialized_is_what_botocore_reads(self, data, values, wire):
        service, operation = data.draw(st.sampled_from(OPERATIONS))
        client = wire(service, "query")
        shape = client.operation(operation).output_shape
        result = data.draw(values(shape, keep_empty=False)) if shape is not None and shape.members else {}
        read = client.read(operation, query.serialize(service, operation, result, "the-id"))
        assert read.pop("ResponseMetadata")["RequestId"] == "the-id"
        assert {name: value for name, value in read.items() if value not in ([], {}, "")} == {
            name: value for name, value in result.items() if value != ""
        }


class TestParameters:
    def test_they_may_stand_in_the_query_string(self):
        """As in a presigned GetCallerIdentity."""
        text = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"})
        request = HttpRequest(method="GET", path="/", query=text, headers={}, body=b"")
        assert query.parameters_of(request)["Action"] == "GetCallerIdentity"

    def test_a_gap_in_a_list_ends_it(self):
        flat = {"TransitiveTagKeys.member.1": "a", "TransitiveTagKeys.member.3": "c"}
        assert query.parse("sts", "AssumeRole", flat) == {"TransitiveTagKeys": ["a"]}


class TestErrors:
    def test_the_shape_is_awss(self, wire):
        answer = query.serialize_error("sts", ServiceFailure("broken"), "the-id")
        assert answer.status == 500
        read = wire("sts", "query").read("AssumeRole", answer)
        assert read["Error"] == {"Type": "Receiver", "Code": "ServiceException", "Message": "broken"}
        assert read["ResponseMetadata"]["RequestId"] == "the-id"

    @pytest.mark.parametrize("character", ["\0", "\x1b", "\ufffe"])
    def test_characters_that_xml_cannot_hold_do_not_break_the_answer(self, wire, character):
        answer = query.serialize_error("sts", ServiceError(f"a{character}<b>"), "the-id")
        read = wire("sts", "query").read("AssumeRole", answer)
        assert read["Error"]["Message"] == "a\N{REPLACEMENT CHARACTER}<b>"
