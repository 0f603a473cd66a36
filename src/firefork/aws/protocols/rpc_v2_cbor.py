"""The rpc-v2-cbor protocol: CloudWatch. Source: Smithy, "Smithy RPC v2 CBOR protocol"; RFC 8949."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import cbor2

from firefork.aws import models
from firefork.aws.errors import SerializationFailure, ServiceError
from firefork.aws.protocols import query_errors, values
from firefork.aws.protocols.json_rpc import rpc_status
from firefork.aws.protocols.message import HttpAnswer, HttpRequest

HEADER: Final = "smithy-protocol"
HEADER_VALUE: Final = "rpc-v2-cbor"
_PATH: Final = re.compile(r"/service/[^/]+/operation/([^/]+)")


def operation_of(path: str) -> str:
    """The operation that a path names, ``""`` if it is of another form."""
    found = _PATH.fullmatch(path)
    return found[1] if found else ""


def parse(service: str, operation: str, request: HttpRequest) -> dict[str, Any]:
    """The request's parameters by member name. Raises SerializationFailure."""
    shape = models.operation_model(service, operation).input_shape
    if shape is None or not request.body:
        return {}
    try:
        body = cbor2.loads(request.body)
    except (cbor2.CBORDecodeError, ValueError, RecursionError):
        raise SerializationFailure("Unable to parse the request body as CBOR") from None
    parameters: dict[str, Any] = _from_cbor(shape, body)
    return parameters or {}


def _from_cbor(shape: Any, value: Any) -> Any:
    """Bytes and dates have types of their own here; all else is as in JSON."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return {
            name: _from_cbor(member, value[key])
            for name, member in shape.members.items()
            if value.get(key := member.serialization.get("name", name)) is not None
        }
    if kind == "list" and isinstance(value, list):
        return [_from_cbor(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {str(key): _from_cbor(shape.value, item) for key, item in value.items()}
    if (kind == "blob" and isinstance(value, bytes)) or (kind == "timestamp" and isinstance(value, datetime)):
        return value
    return values.from_json(shape, value)


def _to_cbor(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return {
            member.serialization.get("name", name): _to_cbor(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [_to_cbor(shape.member, item) for item in value]
    if kind == "map":
        return {key: _to_cbor(shape.value, item) for key, item in value.items()}
    if kind == "timestamp" and not isinstance(value, datetime):
        return datetime.fromtimestamp(value, UTC)
    if kind in ("float", "double"):
        return float(value)
    return value


def serialize(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> HttpAnswer:
    """A handler's result as an answer; ``None`` members are left out."""
    shape = models.operation_model(service, operation).output_shape
    body = _dump(_to_cbor(shape, result)) if shape is not None else b""
    return HttpAnswer(status=200, headers=_headers(request_id), body=body)


def serialize_error(service: str, error: ServiceError, request_id: str) -> HttpAnswer:
    model = models.service_model(service)
    shape = model.shape_for(error.code) if error.code in model.shape_names else None
    members = values.error_members(shape, error.message, error.members, error.fault, error.message_member)
    body = _dump({"__type": error.code, **members})
    headers = [*_headers(request_id), *query_errors.header(service, error)]
    return HttpAnswer(status=rpc_status(error), headers=headers, body=body)


def _dump(value: Any) -> bytes:
    # Dates as tag 1, the only form that the protocol has.
    return cbor2.dumps(value, datetime_as_timestamp=True, timezone=UTC)


def _headers(request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-RequestId", request_id), ("content-type", "application/cbor"), (HEADER, HEADER_VALUE)]
