"""The json 1.0 and 1.1 protocols: CloudWatch Logs. Source: Smithy, "AWS JSON 1.1 protocol"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from firefork.aws import models
from firefork.aws.errors import SerializationFailure, ServiceError
from firefork.aws.protocols import values
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
    shape = models.operation_model(service, operation).output_shape
    body = orjson.dumps(values.to_json(shape, result)) if shape is not None else b""
    return HttpAnswer(status=200, headers=_headers(service, request_id), body=body)


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
        *models.query_error_header(service, error.code, error.fault),
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
