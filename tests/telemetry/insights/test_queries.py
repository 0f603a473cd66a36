"""Queries that are stopped, that fail, that are too many."""

import threading

import pytest

from firefork.aws.errors import LogsLimitExceeded, LogsResourceNotFound
from firefork.aws.scope import Scope
from firefork.telemetry.insights import queries as queries_module
from firefork.telemetry.insights.queries import Queries, QueryStatus
from firefork.telemetry.log_event import LogEvent


class HeldStore:
    """A log store whose events come only when the test lets them."""

    def __init__(self, store):
        self.store = store
        self.go = threading.Event()
        self.reading = threading.Event()
        self.clock = store.clock
        self.oldest_ms = store.oldest_ms
        self.group = store.group
        self.flush = store.flush

    def events(self, *arguments, **options):
        for event in self.store.events(*arguments, **options):
            self.reading.set()
            self.go.wait(30)
            yield event


@pytest.fixture
def held(store, scope):
    lines = [LogEvent(1000 + number, f"line {number}") for number in range(200)]
    store.append(scope, "g", "s", [*lines, LogEvent(2000, "a" * 60 + "b")])
    return HeldStore(store)


@pytest.fixture
def open_queries(held):
    made = []

    def make(**options):
        made.append(Queries(held, **options))
        return made[-1]

    yield make
    held.go.set()
    for queries in made:
        queries.close()


@pytest.fixture
def start(scope):
    def ask(queries, text="fields @message"):
        return queries.query(scope, queries.start(scope, ["g"], text, start_ms=0, end_ms=10**13, limit=1000))

    return ask


def status_at_end(query):
    assert query.ended.wait(60)
    return query.status


def test_a_stopped_query_is_cancelled(open_queries, held, start):
    query = start(open_queries())
    assert held.reading.wait(30)
    assert query.status is QueryStatus.RUNNING
    query.stopped.set()
    held.go.set()
    assert status_at_end(query) is QueryStatus.CANCELLED
    assert len(query.rows) < 201


def test_a_query_whose_time_is_over(open_queries, held, start):
    held.go.set()
    assert status_at_end(start(open_queries(time_limit_s=0.0))) is QueryStatus.TIMEOUT


def test_a_query_that_takes_too_long_on_one_line_fails(open_queries, held, start):
    held.go.set()
    assert status_at_end(start(open_queries(), "filter @message like /^(a|a)*$/")) is QueryStatus.FAILED


def test_too_many_at_once(open_queries, start, monkeypatch):
    monkeypatch.setattr(queries_module, "_OPEN_LIMIT", 2)
    queries = open_queries()
    start(queries)
    start(queries)
    with pytest.raises(LogsLimitExceeded):
        start(queries)


def test_the_oldest_results_go(open_queries, held, start, scope, monkeypatch):
    held.go.set()
    monkeypatch.setattr(queries_module, "_ENDED_KEPT", 1)
    queries = open_queries()
    made = []
    for _ in range(3):
        made.append(start(queries))
        assert status_at_end(made[-1]) is QueryStatus.COMPLETE
    with pytest.raises(LogsResourceNotFound):
        queries.query(scope, made[0].id)
    assert queries.query(scope, made[-1].id) is made[-1]


def test_another_accounts_query_is_not_there(open_queries, start):
    queries = open_queries()
    query = start(queries)
    with pytest.raises(LogsResourceNotFound):
        queries.query(Scope("111111111111", "us-east-1"), query.id)


def test_closing_stops_what_runs(open_queries, held, start):
    queries = open_queries()
    query = start(queries)
    assert held.reading.wait(30)
    held.go.set()
    queries.close()
    assert status_at_end(query) in (QueryStatus.CANCELLED, QueryStatus.COMPLETE)
