"""The metric store: samples come together in memory, a thread writes them, old ones are kept less finely.

``put`` costs a few additions. Every ten seconds what came together is written, one row for each set of dimensions and
period with all metrics in it; a server that is killed loses at most that. Rows are only ever added, so that several
nodes can write to the same period: whoever reads adds them up. AWS: CloudWatch user guide, "Metrics retention".
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from firefork.aws.scope import Scope
from firefork.store import rows
from firefork.store.clock import now_ms
from firefork.store.database import Database
from firefork.store.tables import metric_names, metric_points, metric_sets
from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import STANDARD_S, Metric, MetricSet, Point, Sample

logger = logging.getLogger(__name__)

WRITE_EVERY_S: Final = STANDARD_S
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400
COARSENING: Final = ((3 * _HOUR_S, _MINUTE_S), (15 * _DAY_S, 5 * _MINUTE_S), (63 * _DAY_S, _HOUR_S))
"""Age from which on points are kept for a longer period, and that period; both in seconds."""
RETENTION_DAYS: Final = 455
_TEND_EVERY_S: Final = 10 * _MINUTE_S
_BATCH: Final = 2000
"""Rows that are folded in one transaction: other writers wait for it."""
_SEEN_EVERY_S: Final = 5 * _MINUTE_S
"""How exactly it is known when a metric was last there."""
PENDING_LIMIT: Final = 100_000
"""Sets and periods that may wait for the database; what comes beyond is dropped."""
SETS_LIMIT: Final = 50_000
"""Sets of dimensions of one server: a request id as a dimension must not fill the disk."""

_Name = tuple[str, str]
"""Of a metric, with its unit: values of different units are never added up."""
_Pending = dict[tuple[MetricSet, int, int], dict[_Name, Distribution]]
"""By set, resolution and start."""


class MetricStore:
    """Thread-safe. ``put`` never touches the database; every read sees what was put before it."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], int] = now_ms,
        retention_days: int = RETENTION_DAYS,
        write_every_s: float = WRITE_EVERY_S,
        sets_limit: int = SETS_LIMIT,
    ) -> None:
        """``clock`` gives epoch milliseconds."""
        self.clock = clock
        self._database = database
        self._retention_s = retention_days * _DAY_S
        self._write_every_s = write_every_s
        self._sets_limit = sets_limit
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: _Pending = {}
        self._set_ids: dict[MetricSet, int] = {}
        self._seen: dict[tuple[int, str], int] = {}
        self._next_tending_s = 0.0
        self._stop = threading.Event()
        self.sources: list[Callable[[], None]] = []
        """Asked to ``put`` what they hold before anything is written or read."""
        self._writer = threading.Thread(target=self._write_forever, name="metric-writer", daemon=True)
        self._writer.start()

    # ---- putting

    def put(self, metric_set: MetricSet, samples: Iterable[Sample]) -> None:
        """Add values to metrics, which need not exist before."""
        with self._lock:
            for sample in samples:
                start_s = int(sample.time_s // sample.resolution_s) * sample.resolution_s
                key = (metric_set, sample.resolution_s, start_s)
                if len(self._pending) >= PENDING_LIMIT and key not in self._pending:
                    continue
                metrics = self._pending.setdefault(key, {})
                known = metrics.setdefault((sample.name, sample.unit), Distribution())
                known.merge(sample.values)

    def flush(self) -> None:
        """Write all that was put before; what the database does not take is kept for the next time."""
        for source in self.sources:
            source()
        with self._writing:
            with self._lock:
                batch, self._pending = self._pending, {}
            if not batch:
                return
            try:
                with self._database.write() as connection:
                    self._write(connection, batch)
            except SQLAlchemyError:
                logger.exception("metrics could not be written; they are kept and tried again")
                self._set_ids.clear()  # the transaction that made them is undone
                self._seen.clear()
                self._put_back(batch)

    def _put_back(self, batch: _Pending) -> None:
        with self._lock:
            for key, metrics in batch.items():
                known = self._pending.setdefault(key, {})
                for name, values in metrics.items():
                    known.setdefault(name, Distribution()).merge(values)

    def close(self) -> None:
        """Write what is left and stop the writer."""
        self._stop.set()
        self._writer.join(timeout=30)
        self.flush()

    def _write_forever(self) -> None:
        while not self._stop.wait(self._until_next_write_s()):
            self.flush()
            if self.clock() / 1000 >= self._next_tending_s:
                self._next_tending_s = self.clock() / 1000 + _TEND_EVERY_S
                self._tend_quietly()

    def _until_next_write_s(self) -> float:
        """Just after a period's end, so that most periods are one row."""
        return self._write_every_s - (self.clock() / 1000) % self._write_every_s + 0.1

    def _write(self, connection: Connection, batch: _Pending) -> None:
        written = []
        refused = 0
        for (metric_set, resolution_s, start_s), metrics in batch.items():
            set_id = self._set_id(connection, metric_set)
            if set_id is None:
                refused += 1
                continue
            for name, _ in metrics:
                self._note_seen(connection, set_id, name, start_s)
            written.append(_row(set_id, resolution_s, start_s, metrics))
        if written:
            connection.execute(insert(metric_points), written)
        if refused:
            logger.warning("%d samples are dropped: there are %d sets of dimensions", refused, self._sets_limit)

    def _set_id(self, connection: Connection, metric_set: MetricSet) -> int | None:
        """The row of a set, which is made when there is none; ``None`` if there may be no more."""
        known = self._set_ids.get(metric_set)
        if known is not None:
            return known
        found = _known_id(connection, metric_set)
        if found is None:
            if connection.execute(select(func.count()).select_from(metric_sets)).scalar_one() >= self._sets_limit:
                return None
            key = rows.key(metric_set.scope, namespace=metric_set.namespace, digest=metric_set.digest)
            made = connection.execute(insert(metric_sets).values(**key, dimensions=metric_set.dimensions_json))
            assert made.inserted_primary_key is not None
            found = int(made.inserted_primary_key[0])
        self._set_ids[metric_set] = found
        return found

    def _note_seen(self, connection: Connection, set_id: int, name: str, start_s: int) -> None:
        last_s = self._seen.get((set_id, name))
        if last_s is not None and start_s < last_s + _SEEN_EVERY_S:
            return
        self._seen[set_id, name] = start_s
        table = metric_names.c
        here = (table.set_id == set_id, table.name == name)
        stored_s = connection.execute(select(table.last_s).where(*here)).scalar()
        if stored_s is None:
            connection.execute(insert(metric_names).values(set_id=set_id, name=name, last_s=start_s))
        elif stored_s < start_s:
            connection.execute(update(metric_names).where(*here).values(last_s=start_s))

    # ---- reading

    def points(self, metric_set: MetricSet, name: str, start_s: int, end_s: int) -> Iterator[Point]:
        """What was kept of a metric from ``start_s`` up to, and without, ``end_s``, in no order."""
        self.flush()
        table = metric_points.c
        with self._database.read() as connection:
            set_id = _known_id(connection, metric_set)
            if set_id is None:
                return
            found = connection.execute(
                select(table.start_s, table.data).where(
                    table.set_id == set_id, table.start_s >= start_s, table.start_s < end_s
                )
            ).all()
        for row in found:
            for known, unit, values in orjson.loads(row.data):
                if known == name:
                    yield Point(row.start_s, unit, Distribution.from_row(values))

    def metrics(
        self, scope: Scope, *, since_s: float, namespace: str | None = None, name: str | None = None
    ) -> list[Metric]:
        """The metrics that had values since then, by namespace, dimensions and name."""
        self.flush()
        sets, names = metric_sets.c, metric_names.c
        query = (
            select(sets.namespace, sets.dimensions, names.name)
            .join_from(metric_sets, metric_names, names.set_id == sets.id)
            # Known to five minutes only, so that more are found and not fewer.
            .where(rows.within(metric_sets, scope), names.last_s >= int(since_s) - _SEEN_EVERY_S)
        )
        if namespace is not None:
            query = query.where(sets.namespace == namespace)
        if name is not None:
            query = query.where(names.name == name)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return sorted(
            Metric(row.namespace, row.name, tuple(tuple(pair) for pair in json.loads(row.dimensions))) for row in found
        )

    # ---- retention

    def tend(self) -> None:
        """Fold what is old into longer periods, and delete what is too old."""
        moment_s = self.clock() // 1000
        for age_s, period_s in COARSENING:
            before_s = (moment_s - age_s) // period_s * period_s
            while self._fold(period_s, before_s):
                pass
        oldest_s = moment_s - self._retention_s
        with self._database.write() as connection:
            connection.execute(delete(metric_points).where(metric_points.c.start_s < oldest_s))
            connection.execute(delete(metric_names).where(metric_names.c.last_s < oldest_s))
            connection.execute(delete(metric_sets).where(metric_sets.c.id.not_in(select(metric_names.c.set_id))))
        with self._writing:
            self._set_ids.clear()
            self._seen.clear()

    def _fold(self, period_s: int, before_s: int) -> bool:
        """Have some rows of shorter periods make one of ``period_s``; whether there may be more of them."""
        table = metric_points.c
        with self._database.write() as connection:
            found = connection.execute(
                select(metric_points)
                .where(table.period_s < period_s, table.start_s < before_s)
                .order_by(table.set_id, table.start_s)
                .limit(_BATCH)
            ).all()
            folded: dict[tuple[int, int], dict[_Name, Distribution]] = {}
            for row in found:
                metrics = folded.setdefault((row.set_id, row.start_s // period_s * period_s), {})
                for name, values in _metrics(row.data):
                    metrics.setdefault(name, Distribution()).merge(values)
            if folded:
                made = [_row(set_id, period_s, start_s, metrics) for (set_id, start_s), metrics in folded.items()]
                connection.execute(insert(metric_points), made)
                connection.execute(delete(metric_points).where(table.id.in_([row.id for row in found])))
        return len(found) == _BATCH

    def _tend_quietly(self) -> None:
        try:
            self.tend()
        except SQLAlchemyError:
            logger.exception("old metrics could not be folded; tried again later")


def _known_id(connection: Connection, metric_set: MetricSet) -> int | None:
    found = connection.execute(
        select(metric_sets.c.id).where(
            rows.within(metric_sets, metric_set.scope, namespace=metric_set.namespace, digest=metric_set.digest)
        )
    ).scalar()
    return None if found is None else int(found)


def _row(set_id: int, period_s: int, start_s: int, metrics: dict[_Name, Distribution]) -> dict[str, Any]:
    document = [[name, unit, values.as_row()] for (name, unit), values in metrics.items()]
    return {"set_id": set_id, "period_s": period_s, "start_s": start_s, "data": orjson.dumps(document)}


def _metrics(data: bytes) -> Sequence[tuple[_Name, Distribution]]:
    return [((name, unit), Distribution.from_row(row)) for name, unit, row in orjson.loads(data)]
