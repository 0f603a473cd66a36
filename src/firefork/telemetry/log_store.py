"""The log store: groups, streams and events. Appending is a list operation; a thread writes many events at once.

Events lie compressed in chunks, some thousand a row, in the order they came; readers sort by time. AWS: CloudWatch
Logs API reference.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from firefork.aws.errors import LogsResourceNotFound, ResourceAlreadyExists
from firefork.aws.scope import Scope
from firefork.store import rows
from firefork.store.clock import now_ms
from firefork.store.database import Database
from firefork.store.tables import log_chunks, log_groups, log_streams
from firefork.telemetry.log_event import LogEvent

logger = logging.getLogger(__name__)

_FLUSH_AFTER_S: Final = 0.25
"""How long events come together before they are written: a transaction takes some milliseconds of the processor's time,
and readers do not wait for this."""
_RETRY_AFTER_S: Final = 0.5
_CHUNK_EVENTS: Final = 4096
_CHUNK_BYTES: Final = 1 << 20
BUFFER_LIMIT: Final = 64 << 20
"""Characters that may wait to be written; who appends beyond that waits for the writer."""
_EVENT_BITS: Final = 16
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    scope: Scope
    id: int
    name: str
    created_ms: int
    retention_days: int | None
    stored_bytes: int

    @property
    def arn(self) -> str:
        return self.scope.arn("logs", f"log-group:{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    id: int
    name: str
    created_ms: int
    first_event_ms: int | None
    last_event_ms: int | None
    last_ingestion_ms: int | None


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between events: all that sort up to it are before."""

    timestamp_ms: int
    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    stream: str
    timestamp_ms: int
    ingested_ms: int
    message: str
    event_id: int
    """Unique, and growing in the order of arrival."""

    @property
    def position(self) -> Position:
        return Position(self.timestamp_ms, self.event_id)


_Key = tuple[Scope, str, str]


class LogStore:
    """Thread-safe. ``append`` never touches the database; every read sees what was appended before it."""

    def __init__(
        self, database: Database, *, clock: Callable[[], int] = now_ms, expire_every_s: float = 3600.0
    ) -> None:
        """``clock`` gives epoch milliseconds: what retention and ingestion times go by."""
        self.clock = clock
        self._database = database
        self._condition = threading.Condition()
        self._buffer: dict[_Key, list[LogEvent]] = {}
        self._buffered = 0
        self._writing = False
        self._closed = False
        self._urgent = False
        self._batch = 1
        """Number of the batch that is being filled; those up to ``_written`` are in the database."""
        self._written = 0
        self._failures = 0
        self._expire_every_s = expire_every_s
        self._next_expiry_s = time.monotonic()
        self.listeners: list[Callable[[Scope, str, str, Sequence[LogEvent]], None]] = []
        self._writer = threading.Thread(target=self._write_forever, name="log-writer", daemon=True)
        self._writer.start()

    # ---- appending

    def append(self, scope: Scope, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Add events to a stream; group and stream are made when there are none. Waits only for a full buffer."""
        size = sum(len(event.message) for event in events)
        with self._condition:
            while self._buffered > BUFFER_LIMIT and not self._closed:
                self._condition.wait(1.0)
            first = not self._buffer
            known = self._buffer.get((scope, group, stream))
            if known is None:
                self._buffer[scope, group, stream] = list(events)
            else:
                known.extend(events)
            self._buffered += size
            if first and not self._writing:
                # Only where the writer waits for anything at all: waking it each time would cost invokes more than
                # all the rest of their logging, since it takes the interpreter's lock from them.
                self._condition.notify_all()

    def flush(self) -> None:
        """Return when everything that was appended before is in the database.

        Also when the database does not take it: whoever reads next is told so by the database itself.
        """
        with self._condition:
            # Not "until nothing waits": others may go on appending for ever.
            wanted = self._batch if self._buffer else self._batch - 1
            failures = self._failures
            while self._written < wanted and self._failures == failures and self._writer.is_alive():
                self._urgent = True
                self._condition.notify_all()
                self._condition.wait(0.2)

    def close(self) -> None:
        """Write what is left and stop the writer."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._writer.join(timeout=30)

    def _write_forever(self) -> None:
        while True:
            if time.monotonic() >= self._next_expiry_s:
                self._next_expiry_s = time.monotonic() + self._expire_every_s
                self._expire_quietly()
            with self._condition:
                if not self._buffer and not self._closed:
                    self._condition.wait(max(0.0, self._next_expiry_s - time.monotonic()))
                if not self._buffer and not self._closed:
                    continue
                if not self._urgent and not self._closed:
                    # Let a little more come together; a reader or a full buffer cuts it short.
                    self._condition.wait_for(lambda: self._urgent or self._closed, _FLUSH_AFTER_S)
                batch, self._buffer = self._buffer, {}
                size, self._buffered = self._buffered, 0
                number, self._batch = self._batch, self._batch + 1
                self._writing = True
                self._urgent = False
                closed = self._closed
            done = not batch or self._write(batch)
            with self._condition:
                if done:
                    self._written = number
                else:
                    self._failures += 1
                    for key, events in batch.items():
                        self._buffer[key] = events + self._buffer.get(key, [])
                    self._buffered += size
                self._writing = False
                self._condition.notify_all()
                if closed and not self._buffer:
                    return
            if not done:
                if closed:
                    logger.error("%d log streams could not be written before the end", len(batch))
                    return
                time.sleep(_RETRY_AFTER_S)

    def _write(self, batch: dict[_Key, list[LogEvent]]) -> bool:
        try:
            moment_ms = self.clock()
            packed = [(key, chunk, _pack(chunk)) for key, events in batch.items() for chunk in _chunks(events) if chunk]
            if packed:
                with self._database.write() as connection:
                    self._write_chunks(connection, packed, moment_ms)
        except SQLAlchemyError:
            logger.exception("log events could not be written; they are kept and tried again")
            return False
        for (scope, group, stream), events in batch.items():
            for listener in self.listeners:
                listener(scope, group, stream, events)
        return True

    @staticmethod
    def _write_chunks(
        connection: Connection, packed: Sequence[tuple[_Key, Sequence[LogEvent], bytes]], moment_ms: int
    ) -> None:
        """A few statements, however many streams there are: environments that start together log together."""
        streams = _stream_ids(connection, [key for key, _, _ in packed], moment_ms)
        chunks, changes = [], []
        for key, events, data in packed:
            group_id, stream_id = streams[key]
            first = min(event.timestamp_ms for event in events)
            last = max(event.timestamp_ms for event in events)
            size = sum(len(event.message) + 26 for event in events)
            chunks.append(
                {
                    "group_id": group_id,
                    "stream_id": stream_id,
                    "first_ms": first,
                    "last_ms": last,
                    "ingested_ms": moment_ms,
                    "bytes": size,
                    "events": data,
                }
            )
            changes.append({"stream": stream_id, "first": first, "last": last, "ingested": moment_ms})
        connection.execute(insert(log_chunks), chunks)
        connection.execute(_STREAM_GREW, changes)

    # ---- groups

    def create_group(self, scope: Scope, name: str, tags: dict[str, str]) -> None:
        """Raises ResourceAlreadyExists."""
        self.flush()
        try:
            with self._database.write() as connection:
                connection.execute(insert(log_groups).values(**_group_values(scope, name, self.clock(), tags)))
        except IntegrityError:
            raise ResourceAlreadyExists("The specified log group already exists") from None

    def delete_group(self, scope: Scope, name: str) -> None:
        """Raises LogsResourceNotFound."""
        self.flush()
        with self._database.write() as connection:
            group_id = self._group_id(connection, scope, name)
            connection.execute(delete(log_chunks).where(log_chunks.c.group_id == group_id))
            connection.execute(delete(log_streams).where(log_streams.c.group_id == group_id))
            connection.execute(delete(log_groups).where(log_groups.c.id == group_id))

    def groups(
        self,
        scope: Scope,
        *,
        names: Sequence[str] | None = None,
        prefix: str = "",
        pattern: str = "",
        after: str = "",
        limit: int = 50,
    ) -> list[LogGroup]:
        """By name, those in ``names`` only if it is given; at most ``limit``."""
        self.flush()
        table = log_groups.c
        query = select(log_groups).where(
            table.account == scope.account, table.region == scope.region, table.name > after
        )
        if names is not None:
            query = query.where(table.name.in_(names))
        if prefix:
            query = query.where(_begins(table.name, prefix))
        if pattern:
            query = query.where(func.replace(table.name, pattern, "") != table.name)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(table.name).limit(limit)).all()
            return [self._show_group(connection, scope, row) for row in found]

    def group(self, scope: Scope, name: str) -> LogGroup:
        """Raises LogsResourceNotFound."""
        self.flush()
        with self._database.read() as connection:
            row = connection.execute(select(log_groups).where(_group(scope, name))).first()
            if row is None:
                raise _no_group()
            return self._show_group(connection, scope, row)

    @staticmethod
    def _show_group(connection: Connection, scope: Scope, row: Any) -> LogGroup:
        stored = connection.execute(
            select(func.coalesce(func.sum(log_chunks.c.bytes), 0)).where(log_chunks.c.group_id == row.id)
        ).scalar_one()
        return LogGroup(
            scope=scope,
            id=row.id,
            name=row.name,
            created_ms=row.created_ms,
            retention_days=row.retention_days,
            stored_bytes=int(stored),
        )

    def set_retention(self, scope: Scope, name: str, days: int | None) -> None:
        """Raises LogsResourceNotFound."""
        self.flush()
        with self._database.write() as connection:
            group_id = self._group_id(connection, scope, name)
            connection.execute(update(log_groups).where(log_groups.c.id == group_id).values(retention_days=days))

    def oldest_ms(self, scope: Scope, name: str) -> int:
        """Events before that are past the group's retention; 0 without one. Raises LogsResourceNotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(log_groups.c.retention_days).where(_group(scope, name))).first()
        if row is None:
            raise _no_group()
        return 0 if row.retention_days is None else self.clock() - int(row.retention_days) * DAY_MS

    def tags(self, scope: Scope, name: str) -> dict[str, str]:
        """Raises LogsResourceNotFound."""
        self.flush()
        with self._database.read() as connection:
            text = connection.execute(select(log_groups.c.tags).where(_group(scope, name))).scalar()
        if text is None:
            raise _no_group()
        tags: dict[str, str] = json.loads(text)
        return tags

    def change_tags(self, scope: Scope, name: str, add: dict[str, str], remove: Sequence[str]) -> None:
        """Raises LogsResourceNotFound."""
        self.flush()
        with self._database.write() as connection:
            text = connection.execute(select(log_groups.c.tags).where(_group(scope, name))).scalar()
            if text is None:
                raise _no_group()
            kept = {key: value for key, value in {**json.loads(text), **add}.items() if key not in remove}
            connection.execute(update(log_groups).where(_group(scope, name)).values(tags=json.dumps(kept)))

    # ---- streams

    def create_stream(self, scope: Scope, group: str, name: str) -> None:
        """Raises LogsResourceNotFound, ResourceAlreadyExists."""
        self.flush()
        try:
            with self._database.write() as connection:
                values = {
                    "group_id": self._group_id(connection, scope, group),
                    "name": name,
                    "created_ms": self.clock(),
                }
                connection.execute(insert(log_streams).values(**values))
        except IntegrityError:
            raise ResourceAlreadyExists("The specified log stream already exists") from None

    def delete_stream(self, scope: Scope, group: str, name: str) -> None:
        """Raises LogsResourceNotFound."""
        self.flush()
        with self._database.write() as connection:
            stream_id = self._stream_id(connection, self._group_id(connection, scope, group), name)
            connection.execute(delete(log_chunks).where(log_chunks.c.stream_id == stream_id))
            connection.execute(delete(log_streams).where(log_streams.c.id == stream_id))

    def streams(self, scope: Scope, group: str, *, prefix: str = "") -> list[LogStream]:
        """By name. Raises LogsResourceNotFound."""
        self.flush()
        table = log_streams.c
        with self._database.read() as connection:
            query = select(log_streams).where(table.group_id == self._group_id(connection, scope, group))
            if prefix:
                query = query.where(_begins(table.name, prefix))
            found = connection.execute(query.order_by(table.name)).all()
        return [
            LogStream(
                id=row.id,
                name=row.name,
                created_ms=row.created_ms,
                first_event_ms=row.first_event_ms,
                last_event_ms=row.last_event_ms,
                last_ingestion_ms=row.last_ingestion_ms,
            )
            for row in found
        ]

    # ---- events

    def events(
        self,
        scope: Scope,
        group: str,
        *,
        streams: Sequence[str] | None = None,
        stream_prefix: str = "",
        start_ms: int | None = None,
        end_ms: int | None = None,
        after: Position | None = None,
        before: Position | None = None,
        backwards: bool = False,
    ) -> Iterator[StoredEvent]:
        """Events of some or all streams by time, oldest or newest first; ``end_ms`` is excluded.

        Lazy: chunks are read as they are needed. Raises LogsResourceNotFound, before the first event.
        """
        self.flush()
        start_ms = max(start_ms or 0, self.oldest_ms(scope, group))
        with self._database.read() as connection:
            group_id = self._group_id(connection, scope, group)
            names = self._chosen(connection, group_id, streams, stream_prefix)
        return self._events(group_id, names, start_ms, end_ms, after, before, backwards)

    @staticmethod
    def _chosen(connection: Connection, group_id: int, streams: Sequence[str] | None, prefix: str) -> dict[int, str]:
        query = select(log_streams.c.id, log_streams.c.name).where(log_streams.c.group_id == group_id)
        if streams is not None:
            query = query.where(log_streams.c.name.in_(streams))
        if prefix:
            query = query.where(_begins(log_streams.c.name, prefix))
        found = connection.execute(query).all()
        if streams is not None and len({row.name for row in found}) < len(set(streams)):
            raise _no_stream()
        return {row.id: row.name for row in found}

    def _events(
        self,
        group_id: int,
        names: dict[int, str],
        start_ms: int,
        end_ms: int | None,
        after: Position | None,
        before: Position | None,
        backwards: bool,
    ) -> Iterator[StoredEvent]:
        lowest = max(start_ms, after.timestamp_ms if after else 0)
        table = log_chunks.c
        query = select(table.id, table.stream_id, table.first_ms, table.last_ms).where(
            table.group_id == group_id, table.last_ms >= lowest
        )
        if end_ms is not None:
            query = query.where(table.first_ms < end_ms)
        if before is not None:
            query = query.where(table.first_ms <= before.timestamp_ms)
        with self._database.read() as connection:
            chunks = [row for row in connection.execute(query).all() if row.stream_id in names]
        # Sorted by where they begin, a chunk's events can be given out once no later chunk begins before them.
        chunks.sort(key=lambda row: -row.last_ms if backwards else row.first_ms)
        waiting: list[StoredEvent] = []
        for index, row in enumerate(chunks):
            for event in self._unpack(row.id, names[row.stream_id]):
                position = event.position
                if (
                    event.timestamp_ms >= lowest
                    and (end_ms is None or event.timestamp_ms < end_ms)
                    and (after is None or position > after)
                    and (before is None or position < before)
                ):
                    waiting.append(event)
            waiting.sort(key=lambda event: event.position, reverse=backwards)
            if index + 1 < len(chunks):
                edge = chunks[index + 1]
                ready = (
                    [event for event in waiting if event.timestamp_ms > edge.last_ms]
                    if backwards
                    else [event for event in waiting if event.timestamp_ms < edge.first_ms]
                )
            else:
                ready = waiting
            yield from ready
            waiting = waiting[len(ready) :]

    def _unpack(self, chunk_id: int, stream: str) -> Iterator[StoredEvent]:
        with self._database.read() as connection:
            row = connection.execute(
                select(log_chunks.c.events, log_chunks.c.ingested_ms).where(log_chunks.c.id == chunk_id)
            ).first()
        if row is None:  # expired or deleted while it was about to be read
            return
        for index, (timestamp_ms, message) in enumerate(orjson.loads(zlib.decompress(row.events))):
            yield StoredEvent(
                stream=stream,
                timestamp_ms=timestamp_ms,
                ingested_ms=row.ingested_ms,
                message=message,
                event_id=(chunk_id << _EVENT_BITS) + index,
            )

    # ---- retention

    def expire(self) -> int:
        """Delete chunks whose events are all older than their group's retention; how many."""
        self.flush()
        return self._expire()

    def _expire(self) -> int:
        deleted = 0
        moment_ms = self.clock()
        with self._database.write() as connection:
            groups = connection.execute(
                select(log_groups.c.id, log_groups.c.retention_days).where(log_groups.c.retention_days.is_not(None))
            ).all()
            for group in groups:
                result = connection.execute(
                    delete(log_chunks).where(
                        log_chunks.c.group_id == group.id,
                        log_chunks.c.last_ms < moment_ms - group.retention_days * DAY_MS,
                    )
                )
                deleted += result.rowcount
        return deleted

    def _expire_quietly(self) -> None:
        try:
            self._expire()
        except SQLAlchemyError:
            logger.exception("expired log events could not be deleted; tried again later")

    @staticmethod
    def _group_id(connection: Connection, scope: Scope, name: str) -> int:
        found = connection.execute(select(log_groups.c.id).where(_group(scope, name))).scalar()
        if found is None:
            raise _no_group()
        return int(found)

    @staticmethod
    def _stream_id(connection: Connection, group_id: int, name: str) -> int:
        found = connection.execute(
            select(log_streams.c.id).where(log_streams.c.group_id == group_id, log_streams.c.name == name)
        ).scalar()
        if found is None:
            raise _no_stream()
        return int(found)


def _no_group() -> LogsResourceNotFound:
    return LogsResourceNotFound("The specified log group does not exist.")


def _no_stream() -> LogsResourceNotFound:
    return LogsResourceNotFound("The specified log stream does not exist.")


def _group(scope: Scope, name: str) -> ColumnElement[bool]:
    return rows.within(log_groups, scope, name=name)


def _group_values(scope: Scope, name: str, moment_ms: int, tags: dict[str, str]) -> dict[str, Any]:
    return {
        **rows.key(scope, name=name),
        "created_ms": moment_ms,
        "tags": json.dumps(tags),
    }


def _stream_ids(connection: Connection, keys: Sequence[_Key], moment_ms: int) -> dict[_Key, tuple[int, int]]:
    """The ids of groups and streams; those that there are not are made."""
    groups = _ids(
        connection,
        log_groups,
        ("account", "region", "name"),
        [(scope.account, scope.region, group) for scope, group, _ in keys],
        {"created_ms": moment_ms, "tags": json.dumps({})},
    )
    of_group = {key: groups[key[0].account, key[0].region, key[1]] for key in keys}
    streams = _ids(
        connection,
        log_streams,
        ("group_id", "name"),
        [(group_id, stream) for (_, _, stream), group_id in of_group.items()],
        {"created_ms": moment_ms},
    )
    return {key: (group_id, streams[group_id, key[2]]) for key, group_id in of_group.items()}


def _ids(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    wanted: Sequence[tuple[Any, ...]],
    values: Mapping[str, object],
) -> dict[tuple[Any, ...], int]:
    """The ids of rows by their unique columns; rows that there are not are inserted, with ``values`` besides."""
    keys = [table.c[name] for name in columns]
    known = connection.execute(select(table.c.id, *keys).where(tuple_(*keys).in_(wanted)))
    found: dict[tuple[Any, ...], int] = {tuple(key): number for number, *key in known}
    missing = [key for key in dict.fromkeys(wanted) if key not in found]
    if missing:
        made = connection.execute(
            insert(table).returning(table.c.id, sort_by_parameter_order=True),
            [{**values, **dict(zip(columns, key, strict=True))} for key in missing],
        )
        found.update(zip(missing, made.scalars(), strict=True))
    return found


def _chunks(events: Sequence[LogEvent]) -> Iterator[Sequence[LogEvent]]:
    start = size = 0
    for index, event in enumerate(events):
        size += len(event.message)
        if size > _CHUNK_BYTES or index - start >= _CHUNK_EVENTS:
            yield events[start:index]
            start, size = index, len(event.message)
    yield events[start:]


def _pack(events: Sequence[LogEvent]) -> bytes:
    return zlib.compress(orjson.dumps([tuple(event) for event in events]), 1)


def _begins(column: Any, prefix: str) -> Any:
    """Not LIKE: that takes "a" for "A" on SQLite, and names here differ by case."""
    return func.substr(column, 1, len(prefix)) == prefix


_STREAM_GREW: Final = (
    update(log_streams)
    .where(log_streams.c.id == bindparam("stream"))
    .values(
        first_event_ms=case(
            (log_streams.c.first_event_ms < bindparam("first"), log_streams.c.first_event_ms), else_=bindparam("first")
        ),
        last_event_ms=case(
            (log_streams.c.last_event_ms > bindparam("last"), log_streams.c.last_event_ms), else_=bindparam("last")
        ),
        last_ingestion_ms=bindparam("ingested"),
    )
)
"""Events came to a stream. Nothing is less or greater than the NULL of one that had none."""
