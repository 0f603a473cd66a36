"""The event stream encoding: binary messages with headers and checksums, one for each event of an answer.

Source: Smithy specification, "Amazon Event Stream Specification"; botocore's eventstream module reads it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Any, Final

import orjson

from firefork.aws.protocols import values

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

_PRELUDE: Final = struct.Struct("!II")
_CHECKSUM: Final = struct.Struct("!I")
_STRING_TYPE: Final = 7
_JSON: Final = "application/json"


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message: lengths, their checksum, headers, payload, checksum of it all (CRC-32)."""
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    total = _PRELUDE.size + 2 * _CHECKSUM.size + len(encoded) + len(payload)
    prelude = _PRELUDE.pack(total, len(encoded))
    head = prelude + _CHECKSUM.pack(zlib.crc32(prelude)) + encoded
    return head + payload + _CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(head)))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + struct.pack("!BH", _STRING_TYPE, len(text)) + text


Events = AsyncIterable[Mapping[str, Mapping[str, Any]]]
"""Each ``{name: members}``; with a method ``abandon`` if they end when nobody reads them any more."""


def abandon_of(events: Events) -> Callable[[], None] | None:
    found: Callable[[], None] | None = getattr(events, "abandon", None)
    return found


async def encode(shape: Any, events: Events) -> AsyncIterator[bytes]:
    """The messages of events of an event stream shape."""
    async for event in events:
        for name, members in event.items():
            yield _event(name, shape.members[name], members)


def initial_response() -> bytes:
    """The first message in protocols where all of an answer is in the stream, also what is not of it."""
    return message({":message-type": "event", ":event-type": "initial-response", ":content-type": _JSON}, b"{}")


def _event(name: str, shape: Any, members: Mapping[str, Any]) -> bytes:
    kind = "exception" if shape.metadata.get("exception") else "event"
    headers = {":message-type": kind, f":{kind}-type": name}
    for member, member_shape in shape.members.items():
        if member_shape.serialization.get("eventpayload"):
            headers[":content-type"] = "application/octet-stream"
            return message(headers, bytes(members.get(member) or b""))
    headers[":content-type"] = _JSON
    return message(headers, orjson.dumps(values.to_json(shape, members)))
