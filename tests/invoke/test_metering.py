"""Which metrics invokes make."""

import pytest

from firefork.aws.scope import Scope
from firefork.engine.reports import Report, Span
from firefork.invoke.admission import Reason, Slot
from firefork.invoke.metering import Metering
from firefork.invoke.observations import EventReceived, InvokeEnded, InvokeStarted, InvokeThrottled

HERE = Scope("000000000000", "us-east-1")
FUNCTION = (("FunctionName", "f"),)


class Store:
    """Adds up what is put, by namespace, dimensions and metric."""

    def __init__(self):
        self.found = {}

    def put(self, metric_set, samples):
        assert metric_set.scope == HERE
        for sample in samples:
            key = (metric_set.namespace, metric_set.dimensions, sample.name)
            if key in self.found:
                self.found[key].merge(sample.values)
            else:
                self.found[key] = sample.values
            self.unit = sample.unit

    def of(self, *dimensions, namespace="AWS/Lambda"):
        """``{metric: distribution}`` of one set of dimensions."""
        return {
            name: values
            for (space, known, name), values in self.found.items()
            if (space, known) == (namespace, dimensions)
        }


@pytest.fixture
def store():
    return Store()


class Clock:
    s = 1_790_000_000.0

    def __call__(self):
        return self.s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def metering(store, clock):
    return Metering(store, shares_invokes=lambda scope, name, alias: alias == "both", clock=clock)


def report(duration_ms=5.0, **members):
    return Report(
        request_id="id", duration_ms=duration_ms, billed_ms=9, memory_mb=200, max_memory_used_mb=50, **members
    )


@pytest.fixture
def start(metering):
    def start(*, version="$LATEST", qualifier=None, slot=Slot.UNRESERVED, spilled_over=False, provisioned=0):
        who = {"scope": HERE, "name": "f", "version": version, "qualifier": qualifier}
        started = InvokeStarted(**who, slot=slot, spilled_over=spilled_over, provisioned=provisioned)
        metering.observe(started)

        def end(shown=None, *, failed=False):
            metering.observe(InvokeEnded(start=started, started_ms=1_790_000_000_000, report=shown, failed=failed))

        return end

    return start


class TestCounts:
    def test_invokes_errors_and_durations(self, metering, store, start):
        start()(report(5))
        start()(report(7), failed=True)
        metering.collect()
        found = store.of(*FUNCTION)
        assert found["Invocations"].total == 2
        assert (found["Errors"].total, found["Errors"].count) == (1, 2)
        assert (found["Throttles"].total, found["Throttles"].count) == (0, 2)
        assert (found["Duration"].minimum, found["Duration"].maximum) == (5, 7)

    def test_durations_are_those_of_report_lines(self, metering, store, start):
        """Which show two digits: a thousand invokes of much the same duration are kept as a few values."""
        for number in range(1000):
            start()(report(2.0 + number / 100_000))
        start()(report(0.004))
        metering.collect()
        values = store.of(*FUNCTION)["Duration"]
        assert (values.count, values.minimum, values.maximum) == (1001, 0, 2.01)
        assert values.total == pytest.approx(2005, abs=1)

    def test_what_never_reached_the_function_is_no_invocation(self, metering, store, start):
        start()(None)
        metering.collect()
        assert set(store.of(*FUNCTION)) == {"ConcurrentExecutions"}

    def test_a_throttle_is_only_that(self, metering, store):
        metering.observe(
            InvokeThrottled(scope=HERE, name="f", version="1", qualifier="1", reason=Reason.RESERVED_CONCURRENCY)
        )
        metering.collect()
        assert {name: values.total for name, values in store.of(*FUNCTION).items()} == {"Throttles": 1}

    def test_events(self, metering, store):
        metering.observe(EventReceived(scope=HERE, name="f", version="1", qualifier=None))
        metering.collect()
        assert {name: values.total for name, values in store.of().items()} == {"AsyncEventsReceived": 1}

    def test_extensions_after_the_runtime(self, metering, store, start):
        start()(report(spans=(Span(name="extensionOverhead", start_ms=0, duration_ms=3.0),)))
        metering.collect()
        assert store.of(*FUNCTION)["PostRuntimeExtensionsDuration"].total == 3

    def test_provisioned_concurrency(self, metering, store, start):
        """Two of four environments busy, a third invoke spilled over."""
        members = {"version": "1", "qualifier": "1", "provisioned": 4}
        ends = [start(**members, slot=Slot.PROVISIONED) for _ in range(2)]
        ends.append(start(**members, spilled_over=True))
        for end in ends:
            end(report())
        metering.collect()
        found = store.of(*FUNCTION, ("Resource", "f:1"))
        assert found["ProvisionedConcurrentExecutions"].maximum == 2
        assert found["ProvisionedConcurrencyUtilization"].maximum == 0.5
        assert found["ProvisionedConcurrencyInvocations"].total == 2
        assert found["ProvisionedConcurrencySpilloverInvocations"].total == 1

    def test_memory_and_inits_are_in_the_namespace_of_insights(self, metering, store, start):
        start()(report(init_ms=120.0))
        start()(report())
        metering.collect()
        found = store.of(("function_name", "f"), namespace="LambdaInsights")
        assert found["init_duration"].count == 1
        assert found["used_memory_max"].maximum == 50
        assert found["memory_utilization"].maximum == 25
        assert (
            found.keys() == store.of(("function_name", "f"), ("version", "$LATEST"), namespace="LambdaInsights").keys()
        )


class TestDimensions:
    @pytest.mark.parametrize(
        ("called", "resource", "executed"),
        [
            ({}, "f", False),
            ({"version": "3", "qualifier": "3"}, "f:3", False),
            ({"version": "3", "qualifier": "live"}, "f:live", False),
            ({"version": "3", "qualifier": "both"}, "f:both", True),
        ],
    )
    def test_account_function_resource_and_version(self, metering, store, start, called, resource, executed):
        """Only an alias that shares its invokes is told apart by version."""
        start(**called)(report())
        metering.collect()
        sets = {dimensions for namespace, dimensions, name in store.found if name == "Invocations"}
        named = (*FUNCTION, ("Resource", resource))
        expected = {(), FUNCTION, named}
        assert sets == expected | ({(("ExecutedVersion", "3"), *named)} if executed else set())


class TestConcurrency:
    def test_the_peak_counts(self, metering, store, start):
        first, second = start(), start()
        first(report())
        start()(report())
        metering.collect()
        assert store.of(*FUNCTION)["ConcurrentExecutions"].maximum == 2
        assert store.of()["UnreservedConcurrentExecutions"].maximum == 2
        assert store.of()["ClaimedAccountConcurrency"].maximum == 2
        second(report())

    def test_an_invoke_that_goes_on_is_seen_in_each_period(self, metering, store, start):
        end = start(slot=Slot.RESERVED)
        metering.collect()
        store.found.clear()
        metering.collect()
        assert store.of(*FUNCTION)["ConcurrentExecutions"].maximum == 1
        assert "UnreservedConcurrentExecutions" not in store.of()
        end(report())
        metering.collect()
        store.found.clear()
        metering.collect()
        assert store.found == {}


class TestTotals:
    def test_grow_from_the_start(self, metering, start):
        start()(report(3, init_ms=1.0))
        metering.collect()
        start()(report(400), failed=True)
        start()(report(1, restore_ms=5.0))
        (total,) = metering.totals().values()
        assert (total.invocations, total.errors, total.cold_starts) == (3, 1, 2)
        assert total.duration_s == pytest.approx(0.404)
        assert sum(total.durations) == 3

    def test_a_deleted_function_has_none(self, metering, store, start):
        end = start()
        start()(report())
        metering.forget(HERE, "f")
        assert store.of(*FUNCTION)["Invocations"].total == 1
        assert metering.totals() == {}
        end(report())  # one that was still running, on a function that is new now
        metering.collect()
        assert min(values.minimum for values in store.of(*FUNCTION).values()) >= 0
