"""The query protocol: IAM and STS. Source: Smithy, "AWS query protocol"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from firefork.aws import models
from firefork.aws.errors import SerializationFailure, ServiceError
from firefork.aws.protocols import values
from firefork.aws.protocols.message import HttpAnswer, HttpRequest


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
    kind = shape.type_name
    if kind == "structure":
        result = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            value = _parse(member, f"{prefix}.{wire}" if prefix else wire, flat)
            if value is not None:
                result[name] = value
        return result or None
    if kind == "list":
        flattened = shape.serialization.get("flattened")
        base = prefix if flattened else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        items: list[Any] = []
        while (item := _parse(shape.member, f"{base}.{len(items) + 1}", flat)) is not None:
            items.append(item)
        return items or None
    if kind == "map":
        return None
    text = flat.get(prefix)
    if text is None:
        return None
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
    except ValueError:
        raise SerializationFailure(f"Invalid value for {prefix}: {text}") from None
    if kind == "boolean":
        return text == "true"
    if kind == "timestamp":
        return values.timestamp(text)
    return text


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
            _write(
                ElementTree.SubElement(parent, shape.member.serialization.get("name", "member")),
                shape.member,
                item,
            )
    elif kind == "map":
        for key, item in value.items():
            entry = ElementTree.SubElement(parent, "entry")
            ElementTree.SubElement(entry, shape.key.serialization.get("name", "key")).text = str(key)
            name = shape.value.serialization.get("name", "value")
            _write(ElementTree.SubElement(entry, name), shape.value, item)
    elif kind == "boolean":
        parent.text = "true" if value else "false"
    elif kind == "timestamp":
        parent.text = values.format_timestamp(shape, value, "iso8601")
    else:
        parent.text = str(value)


def serialize_error(service: str, error: ServiceError, request_id: str) -> HttpAnswer:
    root = ElementTree.Element("ErrorResponse", xmlns=_namespace(service))
    body = ElementTree.SubElement(root, "Error")
    ElementTree.SubElement(body, "Type").text = "Sender" if error.fault == "User" else "Receiver"
    ElementTree.SubElement(body, "Code").text = error.code
    ElementTree.SubElement(body, "Message").text = error.message
    ElementTree.SubElement(root, "RequestId").text = request_id
    return HttpAnswer(status=error.status, headers=_headers(request_id), body=ElementTree.tostring(root, "utf-8"))


def _namespace(service: str) -> str:
    return str(models.service_model(service).metadata.get("xmlNamespace", "https://sts.amazonaws.com/doc/2011-06-15/"))


def _headers(request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", request_id), ("content-type", "text/xml")]
