"""Subscriptions to an environment's telemetry, without I/O: the Telemetry API and the Logs API that it superseded.

Source: AWS Lambda developer guide, "Accessing real-time telemetry data for extensions using the Telemetry API" and its
schema reference; the Logs API of 2020; limits as in the fact sheet, section 4.3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeGuard
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Api:
    name: str
    schema_versions: tuple[str, ...]
    default_schema: str | None
    """``None`` where the request has to name one."""
    methods: tuple[str, ...]
    invalid: str
    """The error type of a request that is not valid."""


APIS: Final[Mapping[str, _Api]] = {
    "/2022-07-01/telemetry": _Api(
        name="Telemetry",
        schema_versions=("2022-07-01", "2022-12-13", "2025-01-29"),
        default_schema=None,
        methods=("POST",),
        invalid="ValidationError",
    ),
    "/2020-08-15/logs": _Api(
        name="Logs",
        schema_versions=("2020-08-15", "2021-03-18"),
        default_schema="2020-08-15",
        methods=("POST", "PUT"),
        invalid="Logs.ValidationError",
    ),
}

_LOGS_API_KINDS: Final = frozenset({"start", "end", "report", "fault", "extension", "logsSubscription", "logsDropped"})
_LOGS_API_KINDS_OF_2021: Final = _LOGS_API_KINDS | {
    "runtimeDone",
    "initRuntimeDone",
    "initReport",
    "restoreStart",
    "restoreRuntimeDone",
    "restoreReport",
}
_ONLY_LOGS_API_KINDS: Final = frozenset({"end", "fault", "logsSubscription"})
_OBJECTS_SINCE: Final = "2022-12-13"
"""From this schema on, lines of a function that logs JSON are objects; before, they are text."""


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
            text = f"{api.name} API subscription is closed"
            return error_reply(403, f"{api.name}.SubscriptionClosed", text), None
        known = self.subscriptions.get(extension.name)
        if known is not None and known.api != api.name:
            text = f"extension {extension.name} is subscribed to the {known.api} API already"
            return error_reply(400, api.invalid, text), None
        try:
            request = orjson.loads(body or b"")
            if not isinstance(request, dict):
                raise ValueError("the body must be an object")
        except ValueError as error:
            return error_reply(400, api.invalid, f"the body is not valid JSON: {error}"), None
        subscription, problems = _read(request, extension.name, api)
        if problems:
            return error_reply(400, api.invalid, "; ".join(problems)), None
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
    version = request.get("schemaVersion", api.default_schema)
    if version is None:
        problems.append("schemaVersion is not provided")
    elif version not in api.schema_versions:
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
        if not _is_whole_number(port) or not _is_usable(port):
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
    if not (path.isascii() and path.isprintable() and " " not in path):
        problems.append("URI is not valid")
    return Destination(protocol="HTTP", port=port or 0, path=path, method=str(method))


def _is_whole_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


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
        if not _is_whole_number(value) or not least <= value <= most:
            problems.append(f"{member} should be between {least} and {most}")
        else:
            values[field] = value
    return Buffering(**values)


def shown(record: Record, subscription: Subscription) -> bytes | None:
    """The event as ``subscription`` gets it, in JSON; ``None`` if it is not for it."""
    group, _, name = record.kind.partition(".")
    if group not in subscription.types:
        return None
    content = record.record
    if group != "platform":
        if not isinstance(content, str) and subscription.schema_version < _OBJECTS_SINCE:
            content = orjson.dumps(content).decode()
    elif subscription.api == "Logs":
        recent = subscription.schema_version >= "2021-03-18"
        if name not in (_LOGS_API_KINDS_OF_2021 if recent else _LOGS_API_KINDS):
            return None
    elif name in _ONLY_LOGS_API_KINDS:
        return None
    return orjson.dumps({"time": show_time(record.time_ms), "type": record.kind, "record": content})


def show_time(time_ms: int) -> str:
    """RFC 3339 with milliseconds: ``2026-11-25T10:00:00.000Z``."""
    seconds, thousandths = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{thousandths:03d}Z"


BACKLOG_LIMIT: Final = 4 * 1_048_576
"""Bytes that wait for a slow subscriber; what comes beyond is dropped and counted."""
_DROPPED: Final = "Some logs were dropped because the downstream consumer is slower than the logs production rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedCount:
    """Events that a subscriber lost."""

    records: int
    bytes: int

    def record(self, now_ms: int) -> Record:
        content = {"droppedBytes": self.bytes, "droppedRecords": self.records, "reason": _DROPPED}
        return Record(time_ms=now_ms, kind="platform.logsDropped", record=content)


class Batches:
    """Events of one subscription on their way, cut into batches as its buffering says. Times are seconds."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self._events: deque[tuple[bytes, float]] = deque()
        """Each with the time of its arrival."""
        self._size = 0
        self._dropped = 0
        self._dropped_bytes = 0

    def add(self, event: bytes, now_s: float) -> None:
        if self._size + len(event) > BACKLOG_LIMIT:
            self.drop([event])
            return
        self._events.append((event, now_s))
        self._size += len(event)

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
        oldest_s = self._events[0][1]
        return max(0.0, oldest_s + self.subscription.buffering.timeout_ms / 1000 - now_s)

    def take(self) -> list[bytes]:
        """The next batch, at most as large as the subscription allows; its events have left."""
        buffering = self.subscription.buffering
        batch: list[bytes] = []
        size = 0
        while self._events and len(batch) < buffering.max_items:
            event = self._events[0][0]
            if batch and size + len(event) > buffering.max_bytes:
                break
            batch.append(event)
            size += len(event)
            self._events.popleft()
        self._size -= size
        return batch

    def drop(self, events: Sequence[bytes]) -> None:
        """Count events that will never arrive."""
        self._dropped += len(events)
        self._dropped_bytes += sum(map(len, events))

    def dropped(self) -> DroppedCount | None:
        """The lost events that the subscriber was not told of, if there are some."""
        return DroppedCount(records=self._dropped, bytes=self._dropped_bytes) if self._dropped else None

    def told_of_dropped(self, counted: DroppedCount) -> None:
        """The record of ``dropped`` arrived; what was lost meanwhile is still to be told."""
        self._dropped -= counted.records
        self._dropped_bytes -= counted.bytes
