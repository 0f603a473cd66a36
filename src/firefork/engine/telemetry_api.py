"""Subscriptions to an environment's telemetry, without I/O: the Telemetry API and the Logs API that it superseded.

Source: AWS Lambda developer guide, "Accessing real-time telemetry data for extensions using the Telemetry API" and its
schema reference; the Logs API of 2020; limits as in the fact sheet, section 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from firefork.engine.extensions_api import ExtensionsApi
from firefork.engine.guest_reply import NOT_FOUND, Reply, error_reply

TYPES: Final = ("platform", "function", "extension")
HOSTS: Final = ("sandbox.localdomain", "sandbox")
API_PORT: Final = 9001


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffering:
    """When a batch is sent: as soon as one of the three is reached."""

    max_items: int = 10_000
    max_bytes: int = 262_144
    timeout_ms: int = 1_000


_BUFFERING: Final = (
    ("maxItems", "max_items", 1_000, 10_000),
    ("maxBytes", "max_bytes", 262_144, 1_048_576),
    ("timeoutMs", "timeout_ms", 25, 30_000),
)
"""Member, field, minimum, maximum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where batches go, inside the sandbox."""

    protocol: str
    """``HTTP`` or ``TCP``."""
    port: int
    path: str = "/"
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one extension wants to hear."""

    extension: str
    api: str
    """``Telemetry`` or ``Logs``."""
    types: frozenset[str]
    buffering: Buffering
    destination: Destination
    schema_version: str

    def shown_types(self) -> list[str]:
        return [kind.capitalize() for kind in TYPES if kind in self.types]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One telemetry event."""

    time_ms: int
    kind: str
    """``platform.start``, ``function``, ``extension`` …"""
    record: Mapping[str, Any] | str


@dataclass(frozen=True, slots=True)
class _Api:
    name: str
    schema_versions: tuple[str, ...]
    methods: tuple[str, ...]


APIS: Final[Mapping[str, _Api]] = {
    "/2022-07-01/telemetry": _Api("Telemetry", ("2022-07-01", "2022-12-13", "2025-01-29"), ("POST",)),
    "/2020-08-15/logs": _Api("Logs", ("2020-08-15", "2021-03-18"), ("POST", "PUT")),
}

_LOGS_API_KINDS: Final = {
    "2020-08-15": frozenset({"start", "end", "report", "fault", "extension", "logsSubscription", "logsDropped"}),
    "2021-03-18": frozenset(
        {"start", "end", "report", "runtimeDone", "fault", "extension", "logsSubscription", "logsDropped"}
    ),
}


class TelemetryApi:
    """The subscriptions of one environment, from one init to its end."""

    def __init__(self, extensions: ExtensionsApi) -> None:
        self._extensions = extensions
        self.open = True
        """Whether subscribing is still possible: AWS closes it when init is over."""
        self.subscriptions: dict[str, Subscription] = {}
        """By extension: a later subscription replaces an earlier one."""

    def receive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply, Subscription | None]:
        """A request to one of ``APIS``."""
        api = APIS[path]
        if method != "PUT":
            return NOT_FOUND, None
        extension = self._extensions.find(headers.get("lambda-extension-identifier", ""))
        if isinstance(extension, Reply):
            return extension, None
        if not self.open:
            text = f"{api.name} API subscription is closed already"
            return error_reply(403, f"{api.name}.SubscriptionClosed", text), None
        known = self.subscriptions.get(extension.name)
        if known is not None and known.api != api.name:
            text = f"extension {extension.name} is subscribed to the {known.api} API already"
            return error_reply(400, "ValidationError", text), None
        try:
            request = orjson.loads(body or b"")
            if not isinstance(request, dict):
                raise ValueError("the body must be an object")
        except ValueError as error:
            return error_reply(400, "ValidationError", f"the body is not valid JSON: {error}"), None
        subscription, problems = _read(request, extension.name, api)
        if problems:
            return error_reply(400, "ValidationError", "; ".join(problems)), None
        self.subscriptions[extension.name] = subscription
        return Reply(status=200, body=b'"OK"', content_type="text/plain; charset=utf-8"), subscription


def _read(request: Mapping[str, Any], extension: str, api: _Api) -> tuple[Subscription, list[str]]:
    """The subscription as far as it can be read, and what is wrong with it."""
    problems: list[str] = []
    destination = _destination(request.get("destination"), api, problems)
    types = request.get("types")
    if not types or not isinstance(types, list):
        problems.append("types should not be empty")
        types = []
    problems += [f"type {kind} is not supported" for kind in types if kind not in TYPES]
    version = request.get("schemaVersion", api.schema_versions[0])
    if version not in api.schema_versions:
        problems.append(f"schemaVersion {version} is not supported")
    buffering = _buffering(request.get("buffering"), problems)
    return (
        Subscription(
            extension=extension,
            api=api.name,
            types=frozenset(str(kind) for kind in types),
            buffering=buffering,
            destination=destination,
            schema_version=str(version),
        ),
        problems,
    )


def _destination(given: object, api: _Api, problems: list[str]) -> Destination:
    nowhere = Destination(protocol="HTTP", port=0)
    if not isinstance(given, dict):
        problems.append("destination should not be empty")
        return nowhere
    protocol = given.get("protocol")
    if protocol == "TCP":
        port = given.get("port")
        if not isinstance(port, int) or not _is_usable(port):
            problems.append(f"port {port} is not allowed")
            return nowhere
        return Destination(protocol="TCP", port=port)
    if protocol != "HTTP":
        problems.append(f"protocol {protocol} is not supported")
        return nowhere
    method = given.get("method", "POST")
    if method not in api.methods:
        problems.append(f"method {method} is not supported")
    try:
        address = urlsplit(str(given.get("URI") or ""))
        port, host = address.port, address.hostname
    except ValueError:
        problems.append("URI is not valid")
        return nowhere
    if address.scheme != "http" or host not in HOSTS:
        problems.append("URI host should be sandbox.localdomain")
    if port is None:
        problems.append("URI port is not provided")
    elif not _is_usable(port):
        problems.append(f"URI port {port} is not allowed")
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    return Destination(protocol="HTTP", port=port or 0, path=path, method=str(method))


def _is_usable(port: int) -> bool:
    return 0 < port < 65536 and port != API_PORT


def _buffering(given: object, problems: list[str]) -> Buffering:
    if given is None:
        return Buffering()
    if not isinstance(given, dict):
        problems.append("buffering should be an object")
        return Buffering()
    values: dict[str, int] = {}
    for member, field, least, most in _BUFFERING:
        value = given.get(member)
        if value is None:
            continue
        if not isinstance(value, int) or not least <= value <= most:
            problems.append(f"{member} should be between {least} and {most}")
        else:
            values[field] = value
    return Buffering(**values)


def shown(record: Record, subscription: Subscription) -> bytes | None:
    """The event as ``subscription`` gets it, in JSON; ``None`` if it is not for it."""
    group, _, name = record.kind.partition(".")
    if group not in subscription.types:
        return None
    if group == "platform":
        if subscription.api == "Logs":
            if name not in _LOGS_API_KINDS[subscription.schema_version]:
                return None
        elif name in ("end", "fault", "logsSubscription"):
            return None
    return orjson.dumps({"time": show_time(record.time_ms), "type": record.kind, "record": record.record})


def show_time(time_ms: int) -> str:
    """RFC 3339 with milliseconds: ``2026-11-25T10:00:00.000Z``."""
    seconds, thousandths = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{thousandths:03d}Z"


BACKLOG_LIMIT: Final = 10 * 1_048_576
"""Bytes that wait for a slow subscriber; what comes beyond is dropped and counted."""


class Batches:
    """Events of one subscription on their way, cut into batches as its buffering says. Times are seconds."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self._events: list[bytes] = []
        self._size = 0
        self._oldest_s = 0.0
        self._dropped = 0
        self._dropped_bytes = 0

    def add(self, event: bytes, now_s: float) -> bool:
        """Whether there is a whole batch now."""
        if self._size + len(event) > BACKLOG_LIMIT:
            self._dropped += 1
            self._dropped_bytes += len(event)
            return True
        if not self._events:
            self._oldest_s = now_s
        self._events.append(event)
        self._size += len(event)
        return self._is_full

    @property
    def _is_full(self) -> bool:
        buffering = self.subscription.buffering
        return len(self._events) >= buffering.max_items or self._size >= buffering.max_bytes

    def due_in(self, now_s: float) -> float | None:
        """Seconds until the next batch has to go, ``None`` while there is nothing to send."""
        if not self._events:
            return None
        if self._is_full:
            return 0.0
        return max(0.0, self._oldest_s + self.subscription.buffering.timeout_ms / 1000 - now_s)

    def take(self, now_s: float) -> list[bytes]:
        """The next batch, at most as large as the subscription allows; its events have left."""
        buffering = self.subscription.buffering
        size = count = 0
        for event in self._events[: buffering.max_items]:
            if count and size + len(event) > buffering.max_bytes:
                break
            size += len(event)
            count += 1
        batch = self._events[:count]
        del self._events[:count]
        self._size -= size
        self._oldest_s = now_s
        return batch

    def dropped(self, now_ms: int) -> Record | None:
        """The event that tells of lost ones, once."""
        if not self._dropped:
            return None
        record = Record(
            time_ms=now_ms,
            kind="platform.logsDropped",
            record={
                "reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
                "droppedRecords": self._dropped,
                "droppedBytes": self._dropped_bytes,
            },
        )
        self._dropped = self._dropped_bytes = 0
        return record
