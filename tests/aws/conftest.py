"""Values that fit a model's shapes, and botocore as the other end of the wire."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from hypothesis import strategies as st

from firefork.aws import models
from firefork.aws.protocols.message import HttpRequest

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs", "Zl", "Zp", "Cc"]))
WORD = st.text("abcXYZ019-_.:/ é+&=%", min_size=1).map(str.strip).filter(bool)
HEADER = st.text("abcXYZ019-_.:/=", min_size=1)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


def values_of(shape, *, depth=3, keep_empty=True):
    """A strategy for values of a shape. ``keep_empty`` False: no empty collections, which some protocols cannot say."""
    kind = shape.type_name
    location = shape.serialization.get("location")
    least = 0 if keep_empty and location is None else 1

    def below(inner):
        return values_of(inner, depth=depth - 1, keep_empty=keep_empty)

    if kind == "structure":
        members = {name: below(member) for name, member in shape.members.items() if _fits(member, depth)}
        if shape.is_tagged_union and members:
            return st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in sorted(members.items())))
        payload = shape.serialization.get("payload")
        needed = {
            name
            for name in members
            if name in shape.required_members
            or name == payload
            or shape.members[name].serialization.get("location") == "uri"
        }
        optional = {name: value for name, value in members.items() if name not in needed}
        found = st.fixed_dictionaries({name: members[name] for name in sorted(needed)}, optional=optional)
        return found if keep_empty else found.filter(bool)
    if kind == "list":
        return st.lists(below(shape.member), min_size=least, max_size=3)
    if kind == "map":
        return st.dictionaries(WORD if location else TEXT.filter(bool), below(shape.value), min_size=least, max_size=3)
    if kind == "blob":
        return st.binary(min_size=1)
    if kind in ("integer", "long"):
        bits = 31 if kind == "integer" else 63
        return st.integers(-(1 << bits), (1 << bits) - 1)
    if kind == "float":
        return st.floats(allow_nan=False, allow_infinity=False, width=32)
    if kind == "double":
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        return MOMENTS
    if location in ("header", "headers"):
        return HEADER
    if location == "uri":
        return WORD.filter(lambda text: text.strip("./"))
    return TEXT if location is None else WORD


def _fits(shape, depth):
    if getattr(shape, "is_tagged_union", False):
        return depth > 1
    return depth > 0 or shape.type_name not in ("structure", "list", "map")


class Wire:
    """botocore's client side of one protocol."""

    def __init__(self, service, protocol):
        self.service = service
        self.model = models.service_model(service)
        self._serializer = create_serializer(protocol, include_validation=False)
        self._parser = create_parser(protocol)

    def operation(self, name):
        return self.model.operation_model(name)

    def request(self, operation, parameters):
        """What a client sends."""
        sent = self._serializer.serialize_to_request(parameters, self.operation(operation))
        prepare_request_dict(sent, endpoint_url="http://127.0.0.1:4566")
        prepared = create_request_object(sent).prepare()
        address = urlsplit(prepared.url)
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
        return HttpRequest(
            method=prepared.method,
            path=address.path,
            query=address.query,
            headers={
                name.lower(): value if isinstance(value, str) else value.decode()
                for name, value in prepared.headers.items()
            },
            body=bytes(body),
        )

    def read(self, operation, answer):
        """What a client makes of an answer."""
        response = {
            "headers": HeadersDict(answer.headers),
            "status_code": answer.status,
            "body": answer.body,
        }
        parsed = self._parser.parse(response, self.operation(operation).output_shape)
        if answer.status >= 300:
            shape = self.model.shape_for_error_code(parsed["Error"]["Code"])
            if shape is not None:
                parsed.update(self._parser.parse(response, shape))
        return parsed


@pytest.fixture(scope="session")
def values():
    return values_of


@pytest.fixture(scope="session")
def wire():
    return Wire
