"""Log streams. AWS: CloudWatch Logs API reference."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.api.logs.groups import check_name, chosen_group
from firefork.aws.errors import InvalidParameter
from firefork.telemetry.log_store import LogStore, LogStream

_PAGE: Final = 50


class Streams:
    def __init__(self, store: LogStore) -> None:
        self._store = store

    def create_log_stream(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        check_name(request["logStreamName"])
        self._store.create_stream(call.scope, request["logGroupName"], request["logStreamName"])
        return {}

    def delete_log_stream(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        self._store.delete_stream(call.scope, request["logGroupName"], request["logStreamName"])
        return {}

    def describe_log_streams(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        group = chosen_group(call.scope, request)
        by_time = request.get("orderBy") == "LastEventTime"
        prefix = request.get("logStreamNamePrefix") or ""
        if by_time and prefix:
            raise InvalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
        arn = call.scope.arn("logs", f"log-group:{group}")
        streams = self._store.streams(call.scope, group, prefix=prefix)
        if by_time:
            streams.sort(key=lambda stream: (stream.last_event_ms or stream.created_ms, stream.name))
        if request.get("descending"):
            streams.reverse()
        token, limit = request.get("nextToken"), request.get("limit") or _PAGE
        start = 0
        if token:
            names = [stream.name for stream in streams]
            if token not in names:
                raise InvalidParameter("The specified nextToken is invalid.")
            start = names.index(token) + 1
        page = streams[start : start + limit]
        return {
            "logStreams": [_show(stream, arn) for stream in page],
            "nextToken": page[-1].name if page and start + limit < len(streams) else None,
        }


def _show(stream: LogStream, group_arn: str) -> dict[str, Any]:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "firstEventTimestamp": stream.first_event_ms,
        "lastEventTimestamp": stream.last_event_ms,
        "lastIngestionTime": stream.last_ingestion_ms,
        "uploadSequenceToken": None if stream.first_event_ms is None else "1",
        "arn": f"{group_arn}:log-stream:{stream.name}",
        "storedBytes": 0,
    }
