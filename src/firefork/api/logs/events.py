"""Log events: put, get, filter. AWS: CloudWatch Logs API reference."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.logs.groups import chosen_group
from firefork.aws.errors import InvalidParameter, LogsResourceNotFound
from firefork.store.clock import now_ms
from firefork.telemetry.filter_pattern import compile_pattern
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import DAY_MS, LogStore, Position, StoredEvent

_LIMIT: Final = 10_000
_ANSWER_BYTES: Final = 1 << 20
_BATCH_BYTES: Final = 1_048_576
_EVENT_OVERHEAD: Final = 26
_OLDEST_MS: Final = 14 * DAY_MS
_NEWEST_MS: Final = 2 * 3_600_000
_TOKEN: Final = re.compile(r"([fb])/(\d+)-(\d+)/s")


class Events:
    def __init__(self, store: LogStore) -> None:
        self._store = store

    def put_log_events(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        group, stream = request["logGroupName"], request["logStreamName"]
        if stream not in {known.name for known in self._store.streams(call.scope, group, prefix=stream)}:
            raise LogsResourceNotFound("The specified log stream does not exist.")
        events = [LogEvent(event["timestamp"], event["message"]) for event in request["logEvents"]]
        if sum(len(event.message.encode()) + _EVENT_OVERHEAD for event in events) > _BATCH_BYTES:
            raise InvalidParameter(f"Upload too large: {len(events)} events exceed the limit of {_BATCH_BYTES} bytes.")
        times = [event.timestamp_ms for event in events]
        if times != sorted(times):
            raise InvalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
        if times and times[-1] - times[0] > DAY_MS:
            raise InvalidParameter(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
            )
        moment_ms = now_ms()
        too_old = sum(time < moment_ms - _OLDEST_MS for time in times)
        too_new = next((index for index, time in enumerate(times) if time > moment_ms + _NEWEST_MS), None)
        accepted = events[too_old:too_new]
        if accepted:
            self._store.append(call.scope, group, stream, accepted)
        rejected = {
            "tooOldLogEventEndIndex": too_old or None,
            "tooNewLogEventStartIndex": too_new,
        }
        told = {name: value for name, value in rejected.items() if value is not None}
        return {"nextSequenceToken": "1", "rejectedLogEventsInfo": told or None}

    def get_log_events(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        direction, position = _read_token(request.get("nextToken"))
        from_head = bool(request.get("startFromHead")) if direction is None else direction == "f"
        found = self._store.events(
            call.scope,
            chosen_group(request),
            streams=[request["logStreamName"]],
            start_ms=request.get("startTime"),
            end_ms=request.get("endTime"),
            after=position if direction == "f" else None,
            before=position if direction == "b" else None,
            backwards=not from_head,
        )
        page, _ = _page(found, request.get("limit") or _LIMIT)
        if not from_head:
            page.reverse()
        here = position or Position(now_ms(), 0)
        first, last = (page[0].position, page[-1].position) if page else (here, here)
        return {
            "events": [
                {
                    "timestamp": event.timestamp_ms,
                    "message": event.message,
                    "ingestionTime": event.ingested_ms,
                }
                for event in page
            ],
            "nextForwardToken": _token("f", last),
            "nextBackwardToken": _token("b", first),
        }

    def filter_log_events(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix") or ""
        if names and prefix:
            raise InvalidParameter("logStreamNames and logStreamNamePrefix cannot be used together.")
        matches = compile_pattern(request.get("filterPattern") or "")
        found = self._store.events(
            call.scope,
            chosen_group(request),
            streams=names,
            stream_prefix=prefix,
            start_ms=request.get("startTime"),
            # The end is included here, other than in GetLogEvents.
            end_ms=request["endTime"] + 1 if request.get("endTime") is not None else None,
            after=_read_page(request.get("nextToken")),
        )
        page, more = _page((event for event in found if matches(event.message)), request.get("limit") or _LIMIT)
        return {
            "events": [
                {
                    "logStreamName": event.stream,
                    "timestamp": event.timestamp_ms,
                    "message": event.message,
                    "ingestionTime": event.ingested_ms,
                    "eventId": f"{event.timestamp_ms:020d}{event.event_id:036d}",
                }
                for event in page
            ],
            "searchedLogStreams": [],
            "nextToken": _write_page(page[-1].position) if more else None,
        }


def _page(found: Iterable[StoredEvent], limit: int) -> tuple[list[StoredEvent], bool]:
    """As many events as one answer holds, and whether there are more."""
    page: list[StoredEvent] = []
    size = 0
    iterator = iter(found)
    for event in itertools.islice(iterator, limit):
        size += len(event.message) + _EVENT_OVERHEAD
        if page and size > _ANSWER_BYTES:
            return page, True
        page.append(event)
    return page, len(page) == limit and next(iterator, None) is not None


def _token(direction: str, position: Position) -> str:
    return f"{direction}/{position.timestamp_ms}-{position.event_id}/s"


def _read_token(text: str | None) -> tuple[str | None, Position | None]:
    if not text:
        return None, None
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise InvalidParameter("The specified nextToken is invalid.")
    return found[1], Position(int(found[2]), int(found[3]))


def _write_page(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps([position.timestamp_ms, position.event_id]).encode()).decode()


def _read_page(text: str | None) -> Position | None:
    if not text:
        return None
    try:
        timestamp_ms, event_id = json.loads(base64.urlsafe_b64decode(text))
        return Position(int(timestamp_ms), int(event_id))
    except (binascii.Error, ValueError, TypeError):
        raise InvalidParameter("The specified nextToken is invalid.") from None
