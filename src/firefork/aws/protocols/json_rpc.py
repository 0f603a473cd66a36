"""The json 1.0 and 1.1 protocols: CloudWatch Logs. Source: Smithy, "AWS JSON 1.1 protocol"."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from firefork.aws import models
from firefork.aws.errors import SerializationFailure, ServiceError
from firefork.aws.protocols import event_stream, query_errors, values
from firefork.aws.protocols.message import HttpAnswer, HttpRequest


def parse(service: str, operation: str, request: HttpRequest) -> dict[str, Any]:
    """The request's parameters by member name. Raises SerializationFailure."""
    shape = models.operation_model(service, operation).input_shape
    if shape is None:
        return {}
    try:
        body = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        raise SerializationFailure("Unable to parse the request body as JSON") from None
    parameters: dict[str, Any] = values.from_json(shape, body)
    return parameters or {}


def serialize(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> HttpAnswer:
    model = models.operation_model(service, operation)
    shape = model.output_shape
    if model.has_event_stream_output:
        return _streamed(model, result, request_id)
    body = orjson.dumps(values.to_json(shape, result)) if shape is not None else b""
    return HttpAnswer(status=200, headers=_headers(service, request_id), body=body)


def _streamed(model: Any, result: Mapping[str, Any], request_id: str) -> HttpAnswer:
    shape = model.get_event_stream_output()
    (name,) = (name for name, member in model.output_shape.members.items() if member is shape)
    events = result[name]

    async def messages() -> AsyncIterator[bytes]:
        yield event_stream.initial_response()
        async for part in event_stream.encode(shape, events):
            yield part

    headers = [("x-amzn-RequestId", request_id), ("content-type", event_stream.CONTENT_TYPE)]
    return HttpAnswer(status=200, headers=headers, body=b"", stream=messages(), abandon=event_stream.abandon_of(events))


def serialize_error(service: str, error: ServiceError, request_id: str) -> HttpAnswer:
    model = models.service_model(service)
    shape = model.shape_for(error.code) if error.code in model.shape_names else None
    body = {
        "__type": error.code,
        **values.error_members(shape, error.message, error.members, error.fault, error.message_member),
    }
    headers = [
        *_headers(service, request_id),
        ("x-amzn-ErrorType", error.code),
        *query_errors.header(service, error),
    ]
    return HttpAnswer(status=rpc_status(error), headers=headers, body=orjson.dumps(body))


def rpc_status(error: ServiceError) -> int:
    """These protocols know 400 and 500 only: the code says the rest. AWS: "Common Errors" of the services' pages.

    What HTTP itself refuses (a body too large, a sender too slow) keeps its status.
    """
    return 400 if error.fault == "User" and error.status not in (408, 413) else error.status


def _headers(service: str, request_id: str) -> list[tuple[str, str]]:
    version = models.service_model(service).metadata.get("jsonVersion", "1.1")
    return [("x-amzn-RequestId", request_id), ("content-type", f"application/x-amz-json-{version}")]
