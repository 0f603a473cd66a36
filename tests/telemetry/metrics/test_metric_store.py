"""The metric store: what is put is there, also after a restart, and becomes coarser with age."""

import logging

import pytest
from sqlalchemy import func, select, text

from firefork.aws.scope import Scope
from firefork.store.tables import metric_points, metric_sets
from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import HIGH_S, STANDARD_S, Metric, MetricSet, Sample, dimensions_of
from firefork.telemetry.metrics.metric_store import MetricStore

DAY_S = 86_400


@pytest.fixture
def metrics(database, clock):
    made = MetricStore(database, clock=clock, write_every_s=3600)
    yield made
    made.close()


@pytest.fixture
def mine(scope):
    return MetricSet(scope, "Mine", dimensions_of({"b": "2", "a": "1"}))


@pytest.fixture
def put(metrics, mine, clock):
    """Puts a value of m so many seconds ago."""

    def put(value=1.0, ago_s=0.0, *, name="m", unit="Count", resolution_s=STANDARD_S, of=mine):
        values = Distribution.of({value: 1})
        metrics.put(of, [Sample(name, unit, clock.ms / 1000 - ago_s, resolution_s, values)])

    return put


def read(store, metric_set, clock, name="m"):
    """``[(start, count, sum)]``."""
    points = store.points(metric_set, name, 0, clock.ms // 1000 + 3600)
    return sorted((point.start_s, point.values.count, point.values.total) for point in points)


class TestPut:
    def test_values_of_one_period_come_together(self, metrics, mine, put, clock):
        start_s = clock.ms // 1000 // 10 * 10
        put(1)
        put(2)
        put(5, ago_s=20)
        assert read(metrics, mine, clock) == [(start_s - 20, 1, 5), (start_s, 2, 3)]

    def test_what_comes_after_a_write_is_added(self, metrics, mine, put, clock):
        put(1)
        metrics.flush()
        put(2)
        assert sum(total for _, _, total in read(metrics, mine, clock)) == 3

    def test_high_resolution_is_kept_by_the_second(self, metrics, mine, put, clock):
        for ago_s in (3, 2, 2):
            put(1, ago_s, resolution_s=HIGH_S)
        now_s = clock.ms // 1000
        assert read(metrics, mine, clock) == [(now_s - 3, 1, 1), (now_s - 2, 2, 2)]

    def test_units_are_kept_apart(self, metrics, mine, put, clock):
        put(1, unit="Bytes")
        put(2, unit="Count")
        points = metrics.points(mine, "m", 0, clock.ms // 1000 + 1)
        assert {point.unit: point.values.total for point in points} == {"Bytes": 1, "Count": 2}

    def test_accounts_regions_and_dimensions_are_kept_apart(self, metrics, mine, put, clock, scope):
        put(1)
        others = (
            MetricSet(Scope("000000000001", scope.region), "Mine", mine.dimensions),
            MetricSet(Scope(scope.account, "us-west-2"), "Mine", mine.dimensions),
            MetricSet(scope, "Other", mine.dimensions),
            MetricSet(scope, "Mine", ()),
        )
        assert [read(metrics, other, clock) for other in others] == [[]] * 4

    def test_sources_are_asked_before_a_read(self, metrics, mine, put, clock):
        metrics.sources.append(lambda: put(7))
        assert [total for _, _, total in read(metrics, mine, clock)] == [7]


class TestDurability:
    def test_a_stopped_store_has_written_everything(self, metrics, mine, put, clock, database):
        put(4)
        metrics.close()
        again = MetricStore(database, clock=clock, write_every_s=3600)
        assert [total for _, _, total in read(again, mine, clock)] == [4]
        again.close()

    def test_the_writer_needs_nobody_to_ask(self, database, clock, mine, eventually):
        """What a killed server had put ten seconds ago is in the database."""
        store = MetricStore(database, clock=clock, write_every_s=0.01)
        store.put(mine, [Sample("m", "Count", clock.ms / 1000, STANDARD_S, Distribution.of({1.0: 1}))])

        def rows():
            with database.read() as connection:
                return connection.execute(select(func.count()).select_from(metric_points)).scalar()

        eventually(rows)
        store.close()

    def test_what_the_database_refuses_is_tried_again(self, metrics, mine, put, clock, database, caplog):
        with database.write() as connection:
            connection.execute(text("ALTER TABLE metric_points RENAME TO gone"))
        put(1)
        with caplog.at_level(logging.CRITICAL):
            metrics.flush()
        with database.write() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO metric_points"))
        put(2)
        assert sum(total for _, _, total in read(metrics, mine, clock)) == 3


class TestMetrics:
    def test_lists_what_had_values(self, metrics, put, scope, clock):
        put(name="b")
        put(name="a")
        put(name="a", of=MetricSet(scope, "Alone", ()))
        since_s = clock.ms / 1000 - 3600
        shown = metrics.metrics(scope, since_s=since_s)
        dimensions = (("a", "1"), ("b", "2"))
        assert shown == [Metric("Alone", "a", ()), Metric("Mine", "a", dimensions), Metric("Mine", "b", dimensions)]
        assert metrics.metrics(scope, since_s=since_s, namespace="Alone", name="b") == []

    def test_not_what_had_none_lately(self, metrics, put, scope, clock):
        put(ago_s=2 * 3600)
        assert metrics.metrics(scope, since_s=clock.ms / 1000 - 3600) == []
        put()
        assert len(metrics.metrics(scope, since_s=clock.ms / 1000 - 3600)) == 1

    def test_there_is_a_limit(self, database, clock, scope, caplog):
        """A request id as a dimension fills a log, not the disk."""
        store = MetricStore(database, clock=clock, write_every_s=3600, sets_limit=2)
        for number in range(4):
            metric_set = MetricSet(scope, "Mine", dimensions_of({"id": str(number)}))
            store.put(metric_set, [Sample("m", "Count", clock.ms / 1000, STANDARD_S, Distribution.of({1.0: 1}))])
        assert len(store.metrics(scope, since_s=0)) == 2
        assert "2 samples are dropped" in caplog.text
        store.close()


class TestTend:
    @pytest.mark.parametrize(
        ("age_s", "period_s"), [(3 * 3600, 60), (15 * DAY_S, 300), (63 * DAY_S, 3600)], ids=["3 h", "15 d", "63 d"]
    )
    def test_points_become_coarser(self, metrics, mine, put, clock, age_s, period_s):
        """After three hours a value a minute is kept, and so on: AWS's own steps."""
        clock.ms = clock.ms // 3_600_000 * 3_600_000
        for ago_s in range(10, 3610, 10):
            put(1, ago_s)
        metrics.flush()
        clock.ms += age_s * 1000
        metrics.tend()
        points = read(metrics, mine, clock)
        assert len(points) == 3600 // period_s
        assert sum(count for _, count, _ in points) == 360
        assert all(start_s % period_s == 0 for start_s, _, _ in points)
        metrics.tend()
        assert read(metrics, mine, clock) == points

    def test_younger_ones_stay(self, metrics, mine, put, clock):
        for ago_s in range(0, 600, 10):
            put(1, ago_s)
        metrics.flush()
        metrics.tend()
        assert len(read(metrics, mine, clock)) == 60

    def test_in_the_end_they_go(self, metrics, mine, put, clock, database, scope):
        put()
        metrics.flush()
        clock.ms += 456 * DAY_S * 1000
        metrics.tend()
        assert read(metrics, mine, clock) == []
        with database.read() as connection:
            assert connection.execute(select(func.count()).select_from(metric_sets)).scalar() == 0
        put(3)  # and the same metric can begin anew
        assert [total for _, _, total in read(metrics, mine, clock)] == [3]

    def test_retention_can_be_shorter(self, database, clock, mine):
        store = MetricStore(database, clock=clock, write_every_s=3600, retention_days=1)
        store.put(mine, [Sample("m", "Count", clock.ms / 1000, STANDARD_S, Distribution.of({1.0: 1}))])
        store.flush()
        clock.ms += 2 * DAY_S * 1000
        store.tend()
        assert read(store, mine, clock) == []
        store.close()
