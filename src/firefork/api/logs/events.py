"""Log events: put, get, filter. AWS: CloudWatch Logs API reference."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.logs.groups import chosen_group
from firefork.aws.errors import InvalidParameter, LogsResourceNotFound
from firefork.telemetry.filter_pattern import compile_pattern
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import DAY_MS, LogStore, Position, StoredEvent

_LIMIT: Final = 10_000
_ANSWER_BYTES: Final = 1 << 20
_BATCH_BYTES: Final = 1_048_576
_EVENT_OVERHEAD: Final = 26
_OLDEST_MS: Final = 14 * DAY_MS
_NEWEST_MS: Final = 2 * 3_600_000
_LAST_MS: Final = 10**15 - 1
"""Far beyond any time that is accepted."""
_TOKEN: Final = re.compile(r"([fb])/(\d{1,15})-(\d{1,18})/s")


class Events:
    def __init__(self, store: LogStore) -> None:
        self._store = store

    def put_log_events(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        group, stream = request["logGroupName"], request["logStreamName"]
        oldest_kept_ms = self._store.oldest_ms(call.scope, group)
        if stream not in {known.name for known in self._store.streams(call.scope, group, prefix=stream)}:
            raise LogsResourceNotFound("The specified log stream does not exist.")
        events = [LogEvent(event["timestamp"], event["message"]) for event in request["logEvents"]]
        size = sum(map(_size, events))
        if size > _BATCH_BYTES:
            raise InvalidParameter(f"Upload too large: {size} bytes exceeds limit of {_BATCH_BYTES}")
        times = [event.timestamp_ms for event in events]
        if times != sorted(times):
            raise InvalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
        now_ms = self._store.clock()
        too_old = bisect.bisect_left(times, now_ms - _OLDEST_MS)
        expired = bisect.bisect_left(times, oldest_kept_ms)
        too_new = bisect.bisect_right(times, now_ms + _NEWEST_MS)
        accepted = events[max(too_old, expired) : too_new]
        if accepted and accepted[-1].timestamp_ms - accepted[0].timestamp_ms > DAY_MS:
            raise InvalidParameter(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
            )
        if accepted:
            self._store.append(call.scope, group, stream, accepted)
            self._store.flush()  # what was acknowledged outlives the server, whatever happens to it
        rejected: dict[str, int] = {}
        if too_old:
            rejected["tooOldLogEventEndIndex"] = too_old
        if expired > too_old:
            rejected["expiredLogEventEndIndex"] = expired
        if too_new < len(events):
            rejected["tooNewLogEventStartIndex"] = too_new
        return {"nextSequenceToken": "1", "rejectedLogEventsInfo": rejected or None}

    def get_log_events(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        direction, position = _read_token(request.get("nextToken"))
        from_head = bool(request.get("startFromHead")) if direction is None else direction == "f"
        found = self._store.events(
            call.scope,
            chosen_group(call.scope, request),
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
        # In an empty stream the next page forward begins with whatever comes first.
        here = position or Position(0, 0)
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
        direction, position = _read_token(request.get("nextToken"))
        from_head = request.get("startFromHead", True) if direction is None else direction == "f"
        found = self._store.events(
            call.scope,
            chosen_group(call.scope, request),
            streams=names,
            stream_prefix=prefix,
            start_ms=request.get("startTime"),
            # The end is included here, other than in GetLogEvents.
            end_ms=min(request["endTime"], _LAST_MS) + 1 if request.get("endTime") is not None else None,
            after=position if from_head else None,
            before=None if from_head else position,
            backwards=not from_head,
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
            "nextToken": _token("f" if from_head else "b", page[-1].position) if more else None,
        }


def _size(event: LogEvent | StoredEvent) -> int:
    """Bytes that an event counts for. AWS: CloudWatch Logs quotas."""
    return len(event.message.encode("utf-8", "surrogatepass")) + _EVENT_OVERHEAD


def _page(found: Iterable[StoredEvent], limit: int) -> tuple[list[StoredEvent], bool]:
    """As many events as one answer holds, and whether there are more."""
    page: list[StoredEvent] = []
    size = 0
    iterator = iter(found)
    for event in itertools.islice(iterator, limit):
        size += _size(event)
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
