"""The query protocol: IAM, STS, CloudWatch. Source: Smithy, "AWS query protocol"."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from firefork.aws import models
from firefork.aws.errors import ServiceError
from firefork.aws.protocols import query_errors, values
from firefork.aws.protocols.message import HttpAnswer, HttpRequest

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parameters_of(request: HttpRequest) -> dict[str, str]:
    """The flat parameters, of the body or of the query string."""
    text = request.body.decode("utf-8", "replace") if request.body else request.query
    return dict(parse_qsl(text, keep_blank_values=True))


def parse(service: str, operation: str, flat: Mapping[str, str]) -> dict[str, Any]:
    """The request's parameters by member name. Raises SerializationFailure."""
    shape = models.operation_model(service, operation).input_shape
    if shape is None:
        return {}
    parsed: dict[str, Any] = _parse(shape, "", flat) or {}
    return parsed


def _parse(shape: Any, prefix: str, flat: Mapping[str, str]) -> Any:
    """The value below ``prefix``, ``None`` when nothing was sent for it."""
    kind = shape.type_name
    if kind not in ("structure", "list", "map"):
        text = flat.get(prefix)
        return None if text is None else values.from_text(shape, text)
    if prefix and not any(name.startswith(f"{prefix}.") for name in flat):
        return None  # also what ends the descent into a shape that contains itself
    if kind == "structure":
        members = {
            name: _parse(member, _below(prefix, member.serialization.get("name", name)), flat)
            for name, member in shape.members.items()
        }
        return {name: value for name, value in members.items() if value is not None} or None
    if kind == "list":
        return [item for (item,) in _numbered(_list_prefix(shape, prefix), flat, (shape.member, ""))] or None
    pairs = _numbered(
        prefix if shape.serialization.get("flattened") else f"{prefix}.entry",
        flat,
        (shape.key, shape.key.serialization.get("name", "key")),
        (shape.value, shape.value.serialization.get("name", "value")),
    )
    return dict(pairs) or None


def _below(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _list_prefix(shape: Any, prefix: str) -> str:
    name = shape.member.serialization.get("name", "member")
    if not shape.serialization.get("flattened"):
        return f"{prefix}.{name}"
    # A flattened list goes by its member's name, where that has one, in place of its own.
    return prefix if name == "member" else _below(prefix.rpartition(".")[0], name)


def _numbered(prefix: str, flat: Mapping[str, str], *parts: tuple[Any, str]) -> Iterator[tuple[Any, ...]]:
    """The elements ``prefix.1``, ``prefix.2`` …, each of ``parts`` (a shape, the name below the number)."""
    for number in itertools.count(1):
        element = tuple(_parse(shape, _below(f"{prefix}.{number}", name), flat) for shape, name in parts)
        if any(part is None for part in element):
            return
        yield element


def serialize(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> HttpAnswer:
    model = models.operation_model(service, operation)
    root = ElementTree.Element(f"{operation}Response", xmlns=_namespace(service))
    shape = model.output_shape
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation}Result")
        _write(ElementTree.SubElement(root, wrapper), shape, result)
    metadata = ElementTree.SubElement(root, "ResponseMetadata")
    ElementTree.SubElement(metadata, "RequestId").text = request_id
    return HttpAnswer(status=200, headers=_headers(request_id), body=ElementTree.tostring(root, "utf-8"))


def _write(parent: ElementTree.Element, shape: Any, value: Any) -> None:
    kind = shape.type_name
    if kind == "structure":
        for name, member in shape.members.items():
            if value.get(name) is not None:
                child = ElementTree.SubElement(parent, member.serialization.get("name", name))
                _write(child, member, value[name])
    elif kind == "list":
        for item in value:
            name = shape.member.serialization.get("name", "member")
            _write(ElementTree.SubElement(parent, name), shape.member, item)
    elif kind == "map":
        for key, item in value.items():
            entry = ElementTree.SubElement(parent, "entry")
            _write(ElementTree.SubElement(entry, shape.key.serialization.get("name", "key")), shape.key, key)
            _write(ElementTree.SubElement(entry, shape.value.serialization.get("name", "value")), shape.value, item)
    elif kind == "boolean":
        parent.text = "true" if value else "false"
    elif kind == "blob":
        parent.text = base64.b64encode(value).decode()
    elif kind == "timestamp":
        parent.text = values.format_timestamp(shape, value, "iso8601")
    else:
        parent.text = xml_text(value)


def xml_text(value: object) -> str:
    """Without the characters that XML 1.0 cannot hold: a caller's parser would give up on the whole answer."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))


def serialize_error(service: str, error: ServiceError, request_id: str) -> HttpAnswer:
    root = ElementTree.Element("ErrorResponse", xmlns=_namespace(service))
    body = ElementTree.SubElement(root, "Error")
    ElementTree.SubElement(body, "Type").text = "Sender" if error.fault == "User" else "Receiver"
    ElementTree.SubElement(body, "Code").text = query_errors.code_of(service, error)
    ElementTree.SubElement(body, "Message").text = xml_text(error.message)
    ElementTree.SubElement(root, "RequestId").text = request_id
    return HttpAnswer(status=error.status, headers=_headers(request_id), body=ElementTree.tostring(root, "utf-8"))


def _namespace(service: str) -> str:
    return str(models.service_model(service).metadata.get("xmlNamespace", "https://sts.amazonaws.com/doc/2011-06-15/"))


def _headers(request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", request_id), ("content-type", "text/xml")]
