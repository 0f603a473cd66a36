"""A row of a query, and the fields that are found in a log event.

AWS: CloudWatch Logs user guide, "Supported logs and discovered fields".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from firefork.telemetry.insights.values import Value

_FIELD_LIMIT: Final = 200
"""Fields that are taken of one event's JSON."""
_JSON_TRIES: Final = 3
_PLATFORM: Final = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_REPORTED: Final = re.compile(r"(?:^|\t)([A-Z][\w -]*): ([\d.]+) (ms|MB)")
_REPORT_FIELDS: Final = {
    "Duration": "@duration",
    "Billed Duration": "@billedDuration",
    "Memory Size": "@memorySize",
    "Max Memory Used": "@maxMemoryUsed",
    "Init Duration": "@initDuration",
    "Restore Duration": "@restoreDuration",
    "Billed Restore Duration": "@billedRestoreDuration",
}
_TRACE_FIELDS: Final = (("XRAY TraceId", "@xrayTraceId"), ("SegmentId", "@xraySegmentId"))
_OF_REQUEST: Final = re.compile(r"[^\t\n]*\t(?:[^\t\n]*\t)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\t")
"""How the runtime's log lines name their request: between tabs, in the second or third place."""
_MEGABYTE: Final = 1_000_000
"""Sizes are in bytes; AWS's own queries divide them by 1000 twice."""


class Row:
    """Fields by name: those that were given or made, else those that ``discover`` finds, once it is needed."""

    __slots__ = ("_discover", "_found", "made")

    def __init__(self, made: dict[str, Value], discover: Callable[[], Mapping[str, Value]] | None = None) -> None:
        self.made = made
        self._discover = discover
        self._found: Mapping[str, Value] | None = None if discover is not None else {}

    def get(self, name: str) -> Value:
        if name in self.made:
            return self.made[name]
        if self._found is None:
            assert self._discover is not None
            self._found = self._discover()
        return self._found.get(name)


def discovered(message: str) -> dict[str, Value]:
    """The fields in a message: of the platform's lines, of the runtime's, and of the first JSON object in it."""
    found: dict[str, Value] = {}
    platform = _PLATFORM.match(message)
    if platform is not None:
        found["@type"], found["@requestId"] = platform.groups()
        if platform[1] == "REPORT":
            found.update(_reported(message))
        return found
    request = _OF_REQUEST.match(message)
    if request is not None:
        found["@requestId"] = request[1]
    if "{" in message:
        found.update(_json_fields(message))
    return found


def _reported(message: str) -> Iterator[tuple[str, Value]]:
    for name, number, unit in _REPORTED.findall(message):
        field = _REPORT_FIELDS.get(name)
        if field is not None:
            yield field, int(number) * _MEGABYTE if unit == "MB" else float(number)
    for name, field in _TRACE_FIELDS:
        _, mark, rest = message.partition(f"{name}: ")
        if mark:
            yield field, rest.split()[0]


def _json_fields(message: str) -> dict[str, Value]:
    position = -1
    for _ in range(_JSON_TRIES):
        position = message.find("{", position + 1)
        if position < 0:
            break
        try:
            parsed, _end = _DECODER.raw_decode(message, position)
        except (ValueError, RecursionError):
            continue
        fields: dict[str, Value] = {}
        for name, value in _flat(parsed, ""):
            fields[f"@{name}" if name.startswith("@") else name] = value
            if len(fields) == _FIELD_LIMIT:
                break
        return fields
    return {}


def _flat(value: object, name: str) -> Iterator[tuple[str, Value]]:
    """``{"a": {"b": [1]}}`` is ``a.b.0``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(item, f"{name}.{index}")
    elif isinstance(value, bool):
        yield name, int(value)
    elif isinstance(value, (str, int, float)):
        yield name, value


_DECODER: Final = json.JSONDecoder()
