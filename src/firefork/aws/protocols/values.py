"""JSON values and model values: what all JSON protocols share."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final

from botocore.model import Shape

from firefork.aws.errors import SerializationFailure


def from_json(shape: Any, value: Any) -> Any:
    """A JSON value as the shape's Python value; unknown members are dropped. Raises SerializationFailure."""
    kind = shape.type_name
    if value is None:
        return None
    if kind == "structure":
        members = _need(value, dict, "Structure")
        result = {}
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            if members.get(key) is not None:
                result[name] = from_json(member, members[key])
        return result
    if kind == "list":
        return [from_json(shape.member, item) for item in _need(value, list, "List")]
    if kind == "map":
        return {key: from_json(shape.value, item) for key, item in _need(value, dict, "Map").items()}
    if kind == "string":
        if isinstance(value, bool | int | float):
            return str(value).lower() if isinstance(value, bool) else str(value)
        return _need(value, str, "String")
    return _scalar_from_json(kind, value)


def _scalar_from_json(kind: str, value: Any) -> Any:
    if kind in ("integer", "long"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SerializationFailure(f"{_token(value)} can not be converted to an Integer")
        return whole_number(kind, value)
    if kind in ("float", "double"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SerializationFailure(f"{_token(value)} can not be converted to a Double")
        return float(value)
    if kind == "boolean":
        if not isinstance(value, bool):
            raise SerializationFailure(f"{_token(value)} can not be converted to a Boolean")
        return value
    if kind == "blob":
        try:
            return base64.b64decode(_need(value, str, "Blob"), validate=True)
        except ValueError:
            raise SerializationFailure("Failed to decode base64 value") from None
    if kind == "timestamp":
        return timestamp(value)
    return value


def from_text(shape: Any, text: str) -> Any:
    """A scalar as it stands in a path, a query string, a header or a form. Raises SerializationFailure."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return whole_number(kind, int(text))
        if kind in ("float", "double"):
            return float(text)
    except ValueError:
        raise SerializationFailure(f"STRING_VALUE can not be converted to {kind.capitalize()}") from None
    if kind == "boolean":
        return text.lower() == "true"
    if kind in ("blob", "timestamp"):
        return _scalar_from_json(kind, text)
    return text


_BITS: Final = {"integer": 32, "long": 64}


def whole_number(kind: str, value: float) -> int:
    """``value`` as an ``integer`` or ``long`` of the model. Raises SerializationFailure beyond their ranges."""
    limit = 1 << (_BITS[kind] - 1)
    if not -limit <= value < limit:
        raise SerializationFailure(f"Numeric value out of range of {kind}")
    return int(value)


def _need(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise SerializationFailure(f"{_token(value)} can not be converted to a {name}")
    return value


def _token(value: object) -> str:
    names: tuple[tuple[type, str], ...] = (
        (bool, "TRUE_VALUE" if value is True else "FALSE_VALUE"),
        (int, "NUMBER_VALUE"),
        (float, "DECIMAL_VALUE"),
        (str, "STRING_VALUE"),
        (list, "START_ARRAY"),
        (dict, "START_OBJECT"),
    )
    return next((text for kind, text in names if isinstance(value, kind)), "VALUE_NULL")


def timestamp(value: Any) -> datetime:
    """Epoch seconds, ISO 8601 or an HTTP date. Raises SerializationFailure."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        text = str(value)
        if text.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        raise SerializationFailure(f"Invalid timestamp: {value}") from None


def to_json(shape: Any, value: Any) -> Any:
    """A model value as JSON can hold it; members that are ``None`` are left out."""
    kind = shape.type_name
    if kind == "structure":
        return {
            member.serialization.get("name", name): to_json(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [to_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: to_json(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    if kind == "timestamp":
        return format_timestamp(shape, value, "unixTimestamp")
    return value


def format_timestamp(shape: Shape, value: datetime | float, default: str) -> Any:
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
    style = shape.serialization.get("timestampFormat", default)
    if style == "unixTimestamp":
        seconds = moment.timestamp()
        return int(seconds) if seconds.is_integer() else round(seconds, 3)
    if style == "rfc822":
        return format_datetime(moment.astimezone(UTC), usegmt=True)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def error_members(
    shape: Any | None, message: str, members: Mapping[str, object], fault: str, message_member: str = "message"
) -> dict[str, Any]:
    """The body of an error: the model names the message's member, ``message`` or ``Message``; ``message_member`` is
    its name where the model does not know the error.
    """
    body: dict[str, Any] = {}
    modelled = shape.members if shape is not None else {}
    for name, member in modelled.items():
        if member.serialization.get("location"):
            continue
        if name.lower() == "message":
            body[name] = message
        elif name == "Type":
            kind = members.get(name, fault)
            if kind is not None:  # a few errors are recorded without it
                body[name] = kind
        elif members.get(name) is not None:
            body[name] = members[name]
        elif name == "Code" and shape is not None:
            body[name] = shape.name.removesuffix("Exception")  # EventBridge Schemas tells it twice
    if not any(name.lower() == "message" for name in body):
        body[message_member] = message
    return body
