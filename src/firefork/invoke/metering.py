"""Counts invokes, and makes of them the metrics that Lambda publishes.

AWS: Lambda developer guide, "Types of metrics for Lambda functions", "View metrics for Lambda functions" (dimensions);
CloudWatch user guide, "Metrics collected by Lambda Insights" (init duration and memory, which Lambda itself does not
publish).

An observation of an invoke is put in a queue, which is a tenth of a microsecond; a full queue is counted at once, which
costs less than as many single observations. Values that occur again are counted and not kept once more. What came
together is turned into metrics when the metric store asks for it, every ten seconds on the store's own thread, and
invokes do not wait for that.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST
from firefork.invoke.admission import Slot
from firefork.invoke.observations import EventReceived, InvokeEnded, InvokeStarted, InvokeThrottled, Observation
from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import STANDARD_S, MetricSet, Sample, dimensions_of
from firefork.telemetry.metrics.metric_store import MetricStore

NAMESPACE: Final = "AWS/Lambda"
INSIGHTS: Final = "LambdaInsights"
DURATION_BOUNDS_S: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    900.0,
)
"""Upper bounds of the histograms that are kept since the start."""


_COUNTED_TOGETHER: Final = 64
"""Observations: too few for the collector of garbage to look at them, and for the invoke that counts them to wait."""


class Gauge:
    """How many there are now, and were at most since the last look."""

    __slots__ = ("limit", "now", "peak")

    def __init__(self) -> None:
        self.now = self.peak = self.limit = 0

    def look(self) -> int:
        seen, self.peak = self.peak, self.now
        return seen


class _Tally:
    """What happened on one line within one period."""

    __slots__ = (
        "cold_starts",
        "durations",
        "errors",
        "events",
        "inits_ms",
        "memory",
        "on_provisioned",
        "post_runtime_ms",
        "spilled_over",
        "throttles",
    )

    def __init__(self) -> None:
        self.durations: dict[int, int] = {}
        """Hundredths of a millisecond, which is what a REPORT line shows, and how often they were there."""
        self.inits_ms: list[float] = []
        self.post_runtime_ms: list[float] = []
        self.memory: dict[tuple[int, int], int] = {}
        """Megabytes used and allowed, and how often they were there."""
        self.cold_starts = self.errors = self.throttles = self.events = self.on_provisioned = self.spilled_over = 0

    @property
    def invocations(self) -> int:
        return sum(self.durations.values())

    @property
    def durations_ms(self) -> dict[float, int]:
        return {hundredths / 100: times for hundredths, times in self.durations.items()}


class _LineKey(NamedTuple):
    """Who was invoked, and how the caller named it."""

    scope: Scope
    name: str
    version: str
    qualifier: str | None

    @property
    def resource(self) -> str:
        """The dimension Resource: the function, or what the caller named of it."""
        return f"{self.name}:{self.qualifier}" if self.qualifier else self.name


class _Line:
    """A key's tallies, and the gauges that its invokes move."""

    __slots__ = ("gauges", "provisioned", "tallies")

    def __init__(self, account: Gauge, unreserved: Gauge, function: Gauge, resource: Gauge, provisioned: Gauge) -> None:
        self.provisioned = provisioned
        always = account, function, resource
        self.gauges: dict[Slot, tuple[Gauge, ...]] = {
            Slot.UNRESERVED: (*always, unreserved),
            Slot.PROVISIONED: (*always, provisioned),
            Slot.RESERVED: always,
        }
        """Those that an invoke in a slot moves."""
        self.tallies: dict[int, _Tally] = {}
        """By the start of their period."""

    def tally(self, time_s: float) -> _Tally:
        start_s = int(time_s // STANDARD_S) * STANDARD_S
        known = self.tallies.get(start_s)
        if known is None:
            known = self.tallies[start_s] = _Tally()
        return known


@dataclass(slots=True)
class Totals:
    """A version's counts since the server's start."""

    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    cold_starts: int = 0
    events: int = 0
    duration_s: float = 0.0
    durations: list[int] = field(default_factory=lambda: [0] * (len(DURATION_BOUNDS_S) + 1))
    """How many took up to each bound and longer than the one before; the last: longer than all."""


class Metering:
    """``observe`` is for the event loop and must be quick; ``collect`` is called from any thread."""

    def __init__(
        self,
        store: MetricStore,
        *,
        shares_invokes: Callable[[Scope, str, str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``shares_invokes(scope, function, qualifier)``: whether it is an alias that leads to more than one version;
        may block. ``clock`` gives epoch seconds.
        """
        self._store = store
        self._shares_invokes = shares_invokes
        self._clock = clock
        self._lock = threading.Lock()
        """Of the lines and gauges. The event loop takes it for each observation: others hold it for moments only."""
        self._adding_up = threading.Lock()
        """Of the totals."""
        self._queue: deque[InvokeStarted | InvokeEnded] = deque()
        """What is not counted yet, in the order in which it happened. Whoever takes from it holds the lock."""
        self._lines: dict[tuple[Scope, str, str, str | None], _Line] = {}
        """By what a ``_LineKey`` holds."""
        self._gauges: dict[tuple[object, ...], Gauge] = {}
        self._looked_s = clock()
        self._totals: dict[tuple[Scope, str, str], Totals] = {}

    # ---- counting

    def observe(self, seen: Observation) -> None:
        if isinstance(seen, (InvokeThrottled, EventReceived)):
            with self._lock:
                tally = self._line(seen).tally(self._clock())
                if isinstance(seen, InvokeThrottled):
                    tally.throttles += 1
                else:
                    tally.events += 1
            return
        self._queue.append(seen)
        if len(self._queue) >= _COUNTED_TOGETHER:
            with self._lock:
                self._count()

    def _count(self) -> None:
        """What is in the queue; the lock is held."""
        queue = self._queue
        while queue:
            seen = queue.popleft()
            if isinstance(seen, InvokeStarted):
                self._started(self._line(seen), seen)
            else:
                self._ended(self._line(seen.start), seen)

    def _line(self, who: InvokeStarted | InvokeThrottled | EventReceived) -> _Line:
        line = self._lines.get((who.scope, who.name, who.version, who.qualifier))
        return line or self._new_line(_LineKey(who.scope, who.name, who.version, who.qualifier))

    def _new_line(self, key: _LineKey) -> _Line:
        def gauge(*parts: object) -> Gauge:
            return self._gauges.setdefault(parts, Gauge())

        scope, name, resource = key.scope, key.name, key.resource
        line = self._lines[key] = _Line(
            gauge("account", scope),
            gauge("unreserved", scope),
            gauge("function", scope, name),
            gauge("resource", scope, name, resource),
            gauge("provisioned", scope, name, resource),
        )
        return line

    @staticmethod
    def _started(line: _Line, seen: InvokeStarted) -> None:
        for gauge in line.gauges[seen.slot]:
            gauge.now += 1
            if gauge.now > gauge.peak:
                gauge.peak = gauge.now
        line.provisioned.limit = seen.provisioned

    @staticmethod
    def _ended(line: _Line, seen: InvokeEnded) -> None:
        for gauge in line.gauges[seen.start.slot]:
            # One that entered before its function was deleted and made again is not known here.
            if gauge.now:
                gauge.now -= 1
        report = seen.report
        if report is None:
            return  # refused, or lost by the platform: no invocation of the function
        tally = line.tally(seen.started_ms / 1000)
        hundredths = int(report.duration_ms * 100 + 0.5)
        tally.durations[hundredths] = tally.durations.get(hundredths, 0) + 1
        memory = (report.max_memory_used_mb, report.memory_mb)
        tally.memory[memory] = tally.memory.get(memory, 0) + 1
        tally.errors += seen.failed
        if report.init_ms is not None:
            tally.inits_ms.append(report.init_ms)
        if report.init_ms is not None or report.restore_ms is not None:
            tally.cold_starts += 1
        for span in report.spans:
            tally.post_runtime_ms.append(span.duration_ms)
        if seen.start.slot is Slot.PROVISIONED:
            tally.on_provisioned += 1
        elif seen.start.spilled_over:
            tally.spilled_over += 1

    def count_untrusted(self, scope: Scope, name: str) -> None:
        """Something was to be deployed to a function that its code signing config does not trust. Any thread."""
        sample = _sample("SignatureValidationErrors", "Count", self._clock(), {1.0: 1})
        self._store.put(MetricSet(scope, NAMESPACE, dimensions_of({"FunctionName": name})), [sample])

    def forget(self, scope: Scope, name: str) -> None:
        """A function was deleted; what was counted is published first."""
        self.collect()
        with self._lock:
            for line in [key for key in self._lines if key[:2] == (scope, name)]:
                del self._lines[line]
            for gauge in [key for key in self._gauges if key[1:3] == (scope, name)]:
                del self._gauges[gauge]
        with self._adding_up:
            for total in [key for key in self._totals if key[:2] == (scope, name)]:
                del self._totals[total]

    # ---- publishing

    def collect(self) -> None:
        """Hand what came together since the last time to the metric store."""
        with self._lock:
            self._count()
            since_s, self._looked_s = self._looked_s, self._clock()
            tallies = []
            for key, line in self._lines.items():
                if line.tallies:
                    tallies += [(_LineKey(*key), start_s, tally) for start_s, tally in line.tallies.items()]
                    line.tallies = {}
            peaks = [(key, gauge.look(), gauge.limit) for key, gauge in self._gauges.items()]
        with self._adding_up:
            for key, _, tally in tallies:
                self._add_up(key, tally)
        for key, start_s, tally in tallies:
            self._publish(key, list(_lambda_samples(start_s, tally)), list(_insights_samples(start_s, tally)))
        for gauge_key, peak, limit in peaks:
            if peak:
                self._publish_peak(gauge_key, peak, limit, since_s)

    def totals(self) -> dict[tuple[Scope, str, str], Totals]:
        """By scope, function and version."""
        self.collect()
        with self._adding_up:
            return dict(self._totals)

    def _add_up(self, key: _LineKey, tally: _Tally) -> None:
        total = self._totals.setdefault((key.scope, key.name, key.version), Totals())
        total.invocations += tally.invocations
        total.errors += tally.errors
        total.throttles += tally.throttles
        total.events += tally.events
        total.cold_starts += tally.cold_starts
        for duration_ms, times in tally.durations_ms.items():
            total.duration_s += duration_ms / 1000 * times
            total.durations[bisect.bisect_left(DURATION_BOUNDS_S, duration_ms / 1000)] += times

    def _publish(self, key: _LineKey, samples: list[Sample], insights: list[Sample]) -> None:
        scope, name = key.scope, key.name
        sets = [{}, {"FunctionName": name}, {"FunctionName": name, "Resource": key.resource}]
        if key.qualifier not in (None, LATEST, key.version) and self._shares_invokes(scope, name, str(key.qualifier)):
            sets.append({"FunctionName": name, "Resource": key.resource, "ExecutedVersion": key.version})
        for dimensions in sets:
            self._store.put(MetricSet(scope, NAMESPACE, dimensions_of(dimensions)), samples)
        for dimensions in ({"function_name": name}, {"function_name": name, "version": key.version}):
            self._store.put(MetricSet(scope, INSIGHTS, dimensions_of(dimensions)), insights)

    def _publish_peak(self, key: tuple[object, ...], peak: int, limit: int, time_s: float) -> None:
        """One value for a period: its greatest. AWS calls Maximum the meaningful statistic of these metrics."""
        kind, scope, *who = key
        assert isinstance(scope, Scope)
        names = {"unreserved": "UnreservedConcurrentExecutions", "provisioned": "ProvisionedConcurrentExecutions"}
        found = {names.get(str(kind), "ConcurrentExecutions"): ("Count", float(peak))}
        if kind == "provisioned" and limit:
            found["ProvisionedConcurrencyUtilization"] = ("None", peak / limit)
        if kind == "account":
            found["ClaimedAccountConcurrency"] = ("Count", float(peak))
        dimensions = dimensions_of(zip(("FunctionName", "Resource"), map(str, who), strict=False))
        samples = [_sample(name, unit, time_s, {value: 1}) for name, (unit, value) in found.items()]
        self._store.put(MetricSet(scope, NAMESPACE, dimensions), samples)


def _sample(name: str, unit: str, time_s: float, values: Mapping[float, float]) -> Sample:
    return Sample(name, unit, time_s, STANDARD_S, Distribution.of(values))


def _flags(name: str, time_s: float, of: int, raised: int) -> Sample:
    """A count as AWS has it: 0 or 1 for each invoke, so that its average is a rate."""
    return _sample(name, "Count", time_s, {0.0: of - raised, 1.0: raised})


def _lambda_samples(time_s: float, tally: _Tally) -> Iterator[Sample]:
    count = tally.invocations
    if count:
        yield _flags("Invocations", time_s, count, count)
        yield _flags("Errors", time_s, count, tally.errors)
        yield _sample("Duration", "Milliseconds", time_s, tally.durations_ms)
    if count + tally.throttles:
        yield _flags("Throttles", time_s, count + tally.throttles, tally.throttles)
    if tally.on_provisioned + tally.spilled_over:
        provisioned, spilled = tally.on_provisioned, tally.spilled_over
        yield _flags("ProvisionedConcurrencyInvocations", time_s, provisioned + spilled, provisioned)
        yield _flags("ProvisionedConcurrencySpilloverInvocations", time_s, provisioned + spilled, spilled)
    if tally.post_runtime_ms:
        yield _sample("PostRuntimeExtensionsDuration", "Milliseconds", time_s, Counter(tally.post_runtime_ms))
    if tally.events:
        yield _flags("AsyncEventsReceived", time_s, tally.events, tally.events)


def _insights_samples(time_s: float, tally: _Tally) -> Iterator[Sample]:
    if tally.memory:
        used_mb, allowed_mb, percent = Counter[float](), Counter[float](), Counter[float]()
        for (used, allowed), times in tally.memory.items():
            used_mb[used] += times
            allowed_mb[allowed] += times
            percent[100 * used / allowed] += times
        yield _sample("used_memory_max", "Megabytes", time_s, used_mb)
        yield _sample("total_memory", "Megabytes", time_s, allowed_mb)
        yield _sample("memory_utilization", "Percent", time_s, percent)
    if tally.inits_ms:
        yield _sample("init_duration", "Milliseconds", time_s, Counter(tally.inits_ms))
