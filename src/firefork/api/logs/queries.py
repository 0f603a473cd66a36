"""Logs Insights. AWS: CloudWatch Logs API reference, StartQuery and the operations about it."""

from __future__ import annotations

from typing import Any, Final

from firefork.api.call import Call
from firefork.api.logs.groups import group_name
from firefork.aws.errors import InvalidParameter, MalformedQueryException
from firefork.telemetry.insights.pipeline import DEFAULT_ROWS
from firefork.telemetry.insights.queries import Queries as RunningQueries
from firefork.telemetry.insights.queries import Query
from firefork.telemetry.insights.syntax import MalformedQuery

_GROUP_LIMIT: Final = 50
_PAGE_ROWS: Final = 10_000
_PAGE_QUERIES: Final = 1000
_MILLISECONDS_FROM: Final = 10**11
"""Times are in seconds; numbers beyond the year 5138 are taken for milliseconds, which many scripts send."""


class Queries:
    def __init__(self, queries: RunningQueries) -> None:
        self._queries = queries

    def start_query(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("queryLanguage", "CWLI") != "CWLI":
            raise InvalidParameter("Only the query language CWLI is supported here.")
        start_ms, end_ms = _milliseconds(request["startTime"]), _milliseconds(request["endTime"], last=999)
        if end_ms < start_ms:
            raise InvalidParameter("The end time must not be before the start time.")
        try:
            query_id = self._queries.start(
                call.scope,
                _groups(call, request),
                request["queryString"],
                start_ms=start_ms,
                end_ms=end_ms,
                limit=request.get("limit") or DEFAULT_ROWS,
            )
        except MalformedQuery as error:
            location = {"startCharOffset": error.start, "endCharOffset": error.end}
            raise MalformedQueryException(
                error.message, queryCompileError={"location": location, "message": error.message}
            ) from None
        return {"queryId": query_id}

    def get_query_results(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        query = self._queries.query(call.scope, request["queryId"])
        status = query.status  # before the rows: what is complete has all of them
        start = _offset(request.get("nextToken"))
        end = start + (request.get("maxItems") or _PAGE_ROWS)
        found = query.rows[start:end]
        return {
            "queryLanguage": "CWLI",
            "results": [[{"field": name, "value": value} for name, value in row] for row in found],
            "statistics": {
                "recordsMatched": float(query.pipeline.matched),
                "recordsScanned": float(query.scanned),
                "estimatedRecordsSkipped": 0.0,
                "bytesScanned": float(query.scanned_bytes),
                "estimatedBytesSkipped": 0.0,
                "logGroupsScanned": float(len(query.groups)),
            },
            "status": status.value,
            "nextToken": str(end) if end < len(query.rows) else None,
        }

    def stop_query(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        query = self._queries.query(call.scope, request["queryId"])
        if not query.status.is_open:
            raise InvalidParameter(f"The query has ended: its status is {query.status.value}.")
        query.stopped.set()
        return {"success": True}

    def describe_queries(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        status, group = request.get("status"), request.get("logGroupName")
        found = [
            query
            for query in self._queries.all(call.scope)
            if (status is None or query.status.value == status) and (group is None or group in query.groups)
        ]
        start = _offset(request.get("nextToken"))
        end = start + (request.get("maxResults") or _PAGE_QUERIES)
        return {
            "queries": [_show(query) for query in found[start:end]],
            "nextToken": str(end) if end < len(found) else None,
        }

    def get_log_record(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"logRecord": self._queries.record(call.scope, request["logRecordPointer"])}
        except ValueError:
            raise InvalidParameter("The specified logRecordPointer is invalid.") from None


def _groups(call: Call, request: dict[str, Any]) -> list[str]:
    """The groups that a request names, in one of three ways."""
    given = [name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if request.get(name)]
    if len(given) != 1:
        raise InvalidParameter("Specify exactly one of logGroupName, logGroupNames and logGroupIdentifiers.")
    chosen = request[given[0]]
    names = [group_name(call.scope, text) for text in ([chosen] if isinstance(chosen, str) else chosen)]
    if len(names) > _GROUP_LIMIT:
        raise InvalidParameter(f"A query can search {_GROUP_LIMIT} log groups at most.")
    return list(dict.fromkeys(names))


def _milliseconds(moment: int, last: int = 0) -> int:
    """``last`` is added to a second, which counts as a whole at the end (recorded)."""
    return moment if moment >= _MILLISECONDS_FROM else moment * 1000 + last


def _offset(token: str | None) -> int:
    if not token:
        return 0
    if not token.isdigit():
        raise InvalidParameter("The specified nextToken is invalid.")
    return int(token)


def _show(query: Query) -> dict[str, Any]:
    """The query string as recorded: with what it was asked of."""
    sources = " | ".join(f'SOURCE "{group}"' for group in query.groups)
    return {
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": f"{sources} START={query.start_ms} END={query.end_ms} | {query.text}",
        "status": query.status.value,
        "createTime": query.created_ms,
        "logGroupName": query.groups[0],
    }
