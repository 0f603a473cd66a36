"""What the stats command computes over the rows of a group. AWS: CloudWatch Logs user guide, "stats"."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

from firefork.telemetry.insights.rows import Row
from firefork.telemetry.insights.values import Moment, Value, as_number, as_text, rank

Evaluate = Callable[[Row], Value]


class Aggregate(Protocol):
    """Takes rows, and has a result at any time."""

    def add(self, row: Row) -> None: ...

    def result(self) -> Value: ...


class Count:
    """Of all rows, or of those that have a field."""

    def __init__(self, evaluate: Evaluate | None = None) -> None:
        self._evaluate = evaluate
        self._count = 0

    def add(self, row: Row) -> None:
        if self._evaluate is None or self._evaluate(row) is not None:
            self._count += 1

    def result(self) -> Value:
        return self._count


class CountDistinct:
    """Exact, where AWS estimates large numbers."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._seen: set[str] = set()

    def add(self, row: Row) -> None:
        value = self._evaluate(row)
        if value is not None:
            self._seen.add(as_text(value))

    def result(self) -> Value:
        return len(self._seen)


class Moments:
    """Sum, average and deviation of numbers, by Welford's method: no loss where large numbers differ a little."""

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self.count = 0
        self.sum: float | int = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, row: Row) -> None:
        number = as_number(self._evaluate(row))
        if number is None:
            return
        self.count += 1
        self.sum += number
        difference = number - self._mean
        self._mean += difference / self.count
        self._squares += difference * (number - self._mean)

    def variance(self) -> float:
        return self._squares / self.count


class Sum(Moments):
    def result(self) -> Value:
        return self.sum if self.count else None


class Average(Moments):
    def result(self) -> Value:
        return self.sum / self.count if self.count else None


class Deviation(Moments):
    def result(self) -> Value:
        return math.sqrt(self.variance()) if self.count else None


class Extreme:
    """The first or the last value in order."""

    def __init__(self, evaluate: Evaluate, *, last: bool) -> None:
        self._evaluate = evaluate
        self._last = last
        self._value: Value = None

    def add(self, row: Row) -> None:
        value = self._evaluate(row)
        if value is None:
            return
        if self._value is None or (rank(value) > rank(self._value)) == self._last:
            self._value = value

    def result(self) -> Value:
        return self._value


class AtEdge:
    """The value of the row with the earliest or the latest timestamp."""

    def __init__(self, evaluate: Evaluate, *, latest: bool) -> None:
        self._evaluate = evaluate
        self._latest = latest
        self._at: float | None = None
        self._value: Value = None

    def add(self, row: Row) -> None:
        value, at = self._evaluate(row), as_number(row.get("@timestamp"))
        if value is None or at is None:
            return
        if self._at is None or (at > self._at if self._latest else at < self._at):
            self._at, self._value = at, value

    def result(self) -> Value:
        return self._value


class Percentile:
    """By linear interpolation between the two nearest values."""

    def __init__(self, evaluate: Evaluate, percent: float) -> None:
        self._evaluate = evaluate
        self._percent = percent
        self._numbers: list[float] = []
        self._of_moments = False

    def add(self, row: Row) -> None:
        value = self._evaluate(row)
        number = as_number(value)
        if number is not None:
            self._of_moments = isinstance(value, Moment)
            self._numbers.append(number)

    def result(self) -> Value:
        if not self._numbers:
            return None
        ordered = sorted(self._numbers)
        place = (len(ordered) - 1) * self._percent / 100
        below = math.floor(place)
        above = min(below + 1, len(ordered) - 1)
        number = ordered[below] + (ordered[above] - ordered[below]) * (place - below)
        return Moment(number) if self._of_moments else number


AGGREGATES: Final[dict[str, Callable[[Evaluate], Aggregate]]] = {
    "count": Count,
    "count_distinct": CountDistinct,
    "sum": Sum,
    "avg": Average,
    "stddev": Deviation,
    "min": lambda evaluate: Extreme(evaluate, last=False),
    "max": lambda evaluate: Extreme(evaluate, last=True),
    "sortsfirst": lambda evaluate: Extreme(evaluate, last=False),
    "sortslast": lambda evaluate: Extreme(evaluate, last=True),
    "earliest": lambda evaluate: AtEdge(evaluate, latest=False),
    "latest": lambda evaluate: AtEdge(evaluate, latest=True),
    "median": lambda evaluate: Percentile(evaluate, 50),
}
"""Those of one field, by name in lower case. ``count(*)`` and ``pct(field, percent)`` are made apart."""

AGGREGATE_NAMES: Final = frozenset({*AGGREGATES, "pct", "percentile"})
