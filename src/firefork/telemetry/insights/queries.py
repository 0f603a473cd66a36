"""Queries that run, that wait, and that ended: their states and results.

AWS: CloudWatch Logs API reference, StartQuery, GetQueryResults, StopQuery, DescribeQueries.
"""

from __future__ import annotations

import enum
import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from firefork.aws.errors import LogsLimitExceeded, LogsResourceNotFound
from firefork.aws.scope import Scope
from firefork.store.clock import new_id
from firefork.telemetry.insights.parser import parse
from firefork.telemetry.insights.pipeline import Pipeline, QueryTooLarge
from firefork.telemetry.insights.rows import Row, discovered
from firefork.telemetry.insights.syntax import MalformedQuery
from firefork.telemetry.insights.values import Moment, Value, as_text
from firefork.telemetry.log_store import LogStore, StoredEvent
from firefork.telemetry.regular_expression import ExpressionTooSlow

logger = logging.getLogger(__name__)

POINTER: Final = "@ptr"
"""The column by which GetLogRecord finds an event again."""
_AT_ONCE: Final = 2
_OPEN_LIMIT: Final = 100
"""Queries that run or wait at a time; AWS's quota."""
_ENDED_KEPT: Final = 100
"""Ended queries whose results can still be read. AWS keeps them seven days."""
_TIME_LIMIT_S: Final = 3600.0
_ROWS_A_TURN: Final = 64
"""Between two moments in which other threads may have the interpreter: invokes are served by one of them."""


class QueryStatus(enum.Enum):
    SCHEDULED = "Scheduled"
    RUNNING = "Running"
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    TIMEOUT = "Timeout"

    @property
    def is_open(self) -> bool:
        return self in (QueryStatus.SCHEDULED, QueryStatus.RUNNING)


@dataclass(slots=True)
class Query:
    """One query. Its worker writes, everybody may read."""

    scope: Scope
    groups: Sequence[str]
    text: str
    start_ms: int
    end_ms: int
    """Included."""
    pipeline: Pipeline
    created_ms: int
    id: str = field(default_factory=new_id)
    status: QueryStatus = QueryStatus.SCHEDULED
    rows: list[list[tuple[str, str]]] = field(default_factory=list)
    scanned: int = 0
    scanned_bytes: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set by who wants it to stop."""
    ended: threading.Event = field(default_factory=threading.Event)


class _Stopped(Exception):
    """Somebody stopped the query, or its time is over."""

    def __init__(self, status: QueryStatus) -> None:
        super().__init__(status.value)
        self.status = status


class Queries:
    """Runs queries in threads of its own. Thread-safe."""

    def __init__(self, store: LogStore, *, time_limit_s: float = _TIME_LIMIT_S) -> None:
        self._store = store
        self._time_limit_s = time_limit_s
        self._lock = threading.Lock()
        self._queries: dict[str, Query] = {}
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="insights")

    def start(self, scope: Scope, groups: Sequence[str], text: str, *, start_ms: int, end_ms: int, limit: int) -> str:
        """The query's id. Raises LogsResourceNotFound, MalformedQuery, LogsLimitExceeded."""
        pipeline = Pipeline.of(parse(text), limit)
        begins = []
        for group in groups:
            try:
                begins.append(max(self._store.group(scope, group).created_ms, self._store.oldest_ms(scope, group)))
            except LogsResourceNotFound:
                # As recorded: the words of another service behind this one.
                raise LogsResourceNotFound(
                    f"Log group '{group}' does not exist for account ID '{scope.account}' (Service: AWSLogs; Status "
                    f"Code: 400; Error Code: ResourceNotFoundException; Request ID: {new_id()}; Proxy: null)"
                ) from None
        if end_ms // 1000 < min(begins) // 1000:
            # As users of AWS have published it, with the place of the whole query.
            raise MalformedQuery(
                "Query's end date and time is either before the log groups creation time or exceeds the log groups log "
                f"retention settings ([0,{len(text) - 1}])",
                0,
                len(text),
            )
        query = Query(
            scope=scope,
            groups=groups,
            text=text,
            start_ms=start_ms,
            end_ms=end_ms,
            pipeline=pipeline,
            created_ms=self._store.clock(),
        )
        with self._lock:
            if sum(other.status.is_open for other in self._queries.values()) >= _OPEN_LIMIT:
                raise LogsLimitExceeded(f"No more than {_OPEN_LIMIT} queries can run at the same time.")
            self._queries[query.id] = query
            ended = [other.id for other in self._queries.values() if not other.status.is_open]
            for known in ended[:-_ENDED_KEPT]:
                del self._queries[known]
        self._workers.submit(self._run, query)
        return query.id

    def query(self, scope: Scope, query_id: str) -> Query:
        """Raises LogsResourceNotFound."""
        query = self._queries.get(query_id)
        if query is None or query.scope != scope:
            raise LogsResourceNotFound("The specified query does not exist.")
        return query

    def all(self, scope: Scope) -> list[Query]:
        """The newest first."""
        with self._lock:
            return [query for query in reversed(self._queries.values()) if query.scope == scope]

    def record(self, scope: Scope, pointer: str) -> dict[str, str]:
        """All fields of the event that a row's ``@ptr`` stands for. Raises LogsResourceNotFound, ValueError."""
        at, number, group = pointer.split(".", 2)
        moment, event_id = int(at, 16), int(number, 16)
        for event in self._store.events(scope, group, start_ms=moment, end_ms=moment + 1):
            if event.event_id == event_id:
                fields = {**discovered(event.message), **_made(scope, group, event)}
                return {name: as_text(value) for name, value in fields.items() if name != POINTER}
        raise LogsResourceNotFound("The specified log record does not exist.")

    def close(self) -> None:
        """Stop what runs, and wait for it."""
        with self._lock:
            for query in self._queries.values():
                query.stopped.set()
        self._workers.shutdown(cancel_futures=True)

    # ---- in a worker

    def _run(self, query: Query) -> None:
        query.status = QueryStatus.RUNNING
        try:
            for row in query.pipeline.run(self._rows(query)):
                query.rows.append(_shown(row, query.pipeline))
            status = QueryStatus.COMPLETE
        except _Stopped as end:
            status = end.status
        except (QueryTooLarge, ExpressionTooSlow, LogsResourceNotFound) as error:
            logger.info("query %s failed: %s %s", query.id, type(error).__name__, error)
            status = QueryStatus.FAILED
        except Exception:  # a worker's error would be seen by nobody, and the query would run for ever
            logger.exception("query %s failed", query.id)
            status = QueryStatus.FAILED
        query.status = status
        query.ended.set()

    def _rows(self, query: Query) -> Iterator[Row]:
        """Log events, the newest first."""
        deadline = time.monotonic() + self._time_limit_s
        for group, event in self._events(query):
            if query.scanned % _ROWS_A_TURN == 0:
                if query.stopped.is_set():
                    raise _Stopped(QueryStatus.CANCELLED)
                if time.monotonic() > deadline:
                    raise _Stopped(QueryStatus.TIMEOUT)
                time.sleep(0)
            query.scanned += 1
            query.scanned_bytes += len(event.message)
            yield Row(_made(query.scope, group, event), _discovery(event.message))

    def _events(self, query: Query) -> Iterator[tuple[str, StoredEvent]]:
        def of_group(group: str) -> Iterator[tuple[str, StoredEvent]]:
            events = self._store.events(
                query.scope, group, start_ms=query.start_ms, end_ms=query.end_ms + 1, backwards=True
            )
            return ((group, event) for event in events)

        return heapq.merge(*map(of_group, query.groups), key=lambda found: found[1].timestamp_ms, reverse=True)


def _discovery(message: str) -> Callable[[], dict[str, Value]]:
    return lambda: discovered(message)


def _made(scope: Scope, group: str, event: StoredEvent) -> dict[str, Value]:
    return {
        "@timestamp": Moment(event.timestamp_ms),
        "@message": event.message,
        "@logStream": event.stream,
        "@log": f"{scope.account}:{group}",
        "@ingestionTime": Moment(event.ingested_ms),
        POINTER: f"{event.timestamp_ms:x}.{event.event_id:x}.{group}",
    }


def _shown(row: Row, pipeline: Pipeline) -> list[tuple[str, str]]:
    """Columns that the row has a value for; rows that are events have their pointer, too."""
    columns = pipeline.columns if pipeline.aggregated else [*pipeline.columns, POINTER]
    values = ((name, row.get(name)) for name in dict.fromkeys(columns))
    return [(name, as_text(value)) for name, value in values if value is not None]
