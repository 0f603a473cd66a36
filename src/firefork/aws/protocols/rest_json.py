"""The rest-json protocol: Lambda. Source: Smithy, "AWS restJson1 protocol"."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson
from botocore.model import OperationModel

from firefork.aws import models
from firefork.aws.errors import SerializationFailure, ServiceError
from firefork.aws.protocols import event_stream, values
from firefork.aws.protocols.message import HttpAnswer, HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequestPlan:
    """Where an operation's members stand in a request; made once for each operation."""

    operation: OperationModel
    labels: tuple[tuple[str, str, Any], ...]
    """Label in the path, member, shape."""
    query: tuple[tuple[str, str, Any], ...]
    headers: tuple[tuple[str, str, Any], ...]
    payload: str | None
    payload_shape: Any


@functools.cache
def _plan(service: str, name: str) -> _RequestPlan:
    operation = models.operation_model(service, name)
    shape = operation.input_shape
    found: dict[str, list[tuple[str, str, Any]]] = {"uri": [], "querystring": [], "header": []}
    if shape is not None:
        for member_name, member in shape.members.items():
            location = member.serialization.get("location")
            if location in found:
                wire = member.serialization.get("name", member_name)
                found[location].append((wire.lower() if location == "header" else wire, member_name, member))
    payload = shape.serialization.get("payload") if shape is not None else None
    return _RequestPlan(
        operation=operation,
        labels=tuple(found["uri"]),
        query=tuple(found["querystring"]),
        headers=tuple(found["header"]),
        payload=payload,
        payload_shape=shape.members[payload] if shape is not None and payload else None,
    )


def parse(service: str, operation: str, labels: Mapping[str, str], request: HttpRequest) -> dict[str, Any]:
    """The request's parameters by member name. Raises SerializationFailure."""
    plan = _plan(service, operation)
    parameters: dict[str, Any] = {}
    for wire, name, shape in plan.labels:
        if wire in labels:
            parameters[name] = values.from_text(shape, labels[wire])
    if plan.query and request.query:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        for wire, name, shape in plan.query:
            found = [value for key, value in pairs if key == wire]
            # Terraform's provider polls with an empty ?Qualifier=; AWS takes what may not be empty as not given then.
            if found and (found[-1] or shape.type_name != "string" or not shape.metadata.get("min")):
                parameters[name] = (
                    [values.from_text(shape.member, text) for text in found]
                    if shape.type_name == "list"
                    else values.from_text(shape, found[-1])
                )
    for wire, name, shape in plan.headers:
        text = request.headers.get(wire)
        if text is not None:
            parameters[name] = values.from_text(shape, text)
    if plan.payload is not None:
        if plan.payload_shape.type_name == "blob":
            parameters[plan.payload] = request.body
        elif plan.payload_shape.type_name == "string":
            parameters[plan.payload] = request.body.decode("utf-8", "replace")
        elif request.body:
            parameters[plan.payload] = values.from_json(plan.payload_shape, _load(request.body))
    elif request.body and plan.operation.input_shape is not None:
        body = values.from_json(plan.operation.input_shape, _load(request.body))
        for name, value in (body or {}).items():
            parameters.setdefault(name, value)
    return parameters


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SerializationFailure("Could not parse request body into json") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _AnswerPlan:
    """Where an operation's members stand in an answer; made once for each operation."""

    status: int
    """Unless a member tells it."""
    shape: Any
    status_member: str | None
    headers: tuple[tuple[str, str], ...]
    """Header, member."""
    payload: str | None
    streams: bool
    """Whether the payload is an event stream."""
    elsewhere: frozenset[str]
    """Members that do not stand in a JSON body."""


@functools.cache
def _answer_plan(service: str, name: str) -> _AnswerPlan:
    operation = models.operation_model(service, name)
    shape = operation.output_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    members = shape.members if shape is not None else {}
    placed = [
        (member.serialization["location"], member.serialization.get("name", name), name)
        for name, member in members.items()
        if member.serialization.get("location")
    ]
    return _AnswerPlan(
        status=operation.http.get("responseCode", 200),
        shape=shape,
        status_member=next((name for location, _, name in placed if location == "statusCode"), None),
        headers=tuple(
            (wire, name) for location, wire, name in placed if location == "header" and wire.lower() != "content-type"
        ),
        payload=payload,
        streams=payload is not None and bool(members[payload].serialization.get("eventstream")),
        elsewhere=frozenset(name for _, _, name in placed),
    )


def serialize(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> HttpAnswer:
    """A handler's result as an answer; ``None`` members are left out."""
    plan = _answer_plan(service, operation)
    status = plan.status if plan.status_member is None else int(result.get(plan.status_member) or plan.status)
    headers: list[tuple[str, str]] = [("x-amzn-RequestId", request_id)]
    for wire, name in plan.headers:
        value = result.get(name)
        if value is not None:
            headers.append((wire, str(value)))
    if plan.payload is not None and plan.streams:
        headers.append(("content-type", event_stream.CONTENT_TYPE))
        stream = event_stream.encode(plan.shape.members[plan.payload], result[plan.payload])
        return HttpAnswer(status=status, headers=headers, body=b"", stream=stream)
    if plan.payload is not None:
        body = result.get(plan.payload)
        content = bytes(body) if isinstance(body, bytes | bytearray) else b""
    elif plan.shape is None or status == 204:
        content = b""
    else:
        inside = {name: value for name, value in result.items() if name not in plan.elsewhere}
        content = orjson.dumps(values.to_json(plan.shape, inside))
    headers.append(("content-type", "application/json"))
    return HttpAnswer(status=status, headers=headers, body=content)


def serialize_error(service: str, error: ServiceError, request_id: str) -> HttpAnswer:
    """An error with ``x-amzn-ErrorType``, and the body that the model gives its code."""
    model = models.service_model(service)
    shape: Any = model.shape_for(error.code) if error.code in model.shape_names else None
    status = error.status
    headers = [
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", error.code),
        ("content-type", "application/json"),
    ]
    if shape is not None:
        status = shape.metadata.get("error", {}).get("httpStatusCode", status)
        for name, member in shape.members.items():
            if member.serialization.get("location") == "header" and error.members.get(name) is not None:
                headers.append((member.serialization.get("name", name), str(error.members[name])))
    body = values.error_members(shape, error.message, error.members, error.fault, error.message_member)
    return HttpAnswer(status=status, headers=headers, body=orjson.dumps(body))
