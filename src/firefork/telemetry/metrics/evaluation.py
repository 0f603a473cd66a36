"""Computes metric math. AWS: CloudWatch user guide, "Using math expressions with CloudWatch metrics".

A value is a number, a time series, or an array of time series. Arithmetic and comparisons work on the times that both
sides have; what cannot be computed (a division by zero) is left out.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Final, TypeVar

from firefork.telemetry.metrics.expression import BadExpression, Binary, Function, Listed, Name, Node, Number, Text
from firefork.telemetry.metrics.series import Window


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Values by the start of their period, in epoch seconds and in order."""

    points: Mapping[int, float]
    label: str = ""


Array = tuple[TimeSeries, ...]
Value = float | TimeSeries | Array
_Given = TypeVar("_Given")


class Evaluation:
    """Computes the expressions of one request."""

    def __init__(
        self, window: Window, lookup: Callable[[str], Value], metrics: Callable[[], Mapping[str, TimeSeries]]
    ) -> None:
        """``lookup`` finds a query's value by its id, raises BadExpression; ``metrics`` gives those of METRICS(), by
        id.
        """
        self.window = window
        self.metrics = metrics
        self._lookup = lookup

    def of(self, node: Node) -> Value:
        """Raises BadExpression."""
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return self._lookup(node.name)
        if isinstance(node, Binary):
            return _apply(_OPERATORS[node.sign], self.of(node.left), self.of(node.right))
        if isinstance(node, Listed):
            return tuple(series for item in node.items for series in _as_array(self.of(item)))
        if isinstance(node, Function):
            return self._call(node)
        raise BadExpression("a text can only be an argument of METRICS")

    def _call(self, node: Function) -> Value:
        known = FUNCTIONS.get(node.name)
        if known is None:
            raise BadExpression(f"the function {node.name} is not supported")
        least, most, function = known
        if not least <= len(node.arguments) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise BadExpression(f"the function {node.name} takes {wanted} arguments, not {len(node.arguments)}")
        return function(self, node.arguments)

    def series(self, node: Node) -> TimeSeries:
        value = self.of(node)
        if not isinstance(value, TimeSeries):
            raise BadExpression("a time series is expected, not a number or an array")
        return value

    def number(self, node: Node) -> float:
        value = self.of(node)
        if not isinstance(value, int | float):
            raise BadExpression("a number is expected, not a time series")
        return value

    def array(self, node: Node) -> Array:
        return _as_array(self.of(node))

    def constant(self, value: float) -> TimeSeries:
        return TimeSeries(dict.fromkeys(self.window.starts, value))


def _as_array(value: Value) -> Array:
    if isinstance(value, TimeSeries):
        return (value,)
    if isinstance(value, tuple):
        return value
    raise BadExpression("a time series or an array is expected, not a number")


# ---- operators


def _power(left: float, right: float) -> float:
    found = left**right
    if isinstance(found, complex):
        raise ArithmeticError
    return float(found)


_OPERATORS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "||": lambda left, right: float(bool(left) or bool(right)),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": _power,
}


def _apply(compute: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """An operator on two values, each time and each element for itself."""
    if isinstance(left, tuple) and isinstance(right, tuple):
        raise BadExpression("an operator cannot have arrays on both sides")
    if isinstance(left, tuple):
        return tuple(_labelled(_apply(compute, each, right), each.label) for each in left)
    if isinstance(right, tuple):
        return tuple(_labelled(_apply(compute, left, each), each.label) for each in right)
    if isinstance(left, TimeSeries) and isinstance(right, TimeSeries):
        return TimeSeries(
            _computed(
                {time: (value, right.points[time]) for time, value in left.points.items() if time in right.points},
                lambda pair: compute(*pair),
            )
        )
    if isinstance(left, TimeSeries):
        assert not isinstance(right, TimeSeries)
        return TimeSeries(_computed(left.points, lambda value: compute(value, right)))
    if isinstance(right, TimeSeries):
        return TimeSeries(_computed(right.points, lambda value: compute(left, value)))
    try:
        return compute(left, right)
    except (ArithmeticError, ValueError):
        raise BadExpression("a number in it cannot be computed") from None


def _computed(points: Mapping[int, _Given], compute: Callable[[_Given], float]) -> dict[int, float]:
    """The values that can be computed, and are numbers."""
    found = {}
    for time, value in points.items():
        try:
            result = compute(value)
        except (ArithmeticError, ValueError):
            continue
        if math.isfinite(result):
            found[time] = result
    return found


def _labelled(value: Value, label: str) -> TimeSeries:
    assert isinstance(value, TimeSeries)
    return replace(value, label=label)


# ---- functions

_Arguments = Sequence[Node]
_Call = Callable[[Evaluation, _Arguments], Value]


def _of_each(change: Callable[[TimeSeries], Mapping[int, float]]) -> _Call:
    """A function from a time series to one; of an array, of each in it."""

    def call(evaluation: Evaluation, given: _Arguments) -> Value:
        value = evaluation.of(given[0])
        changed = tuple(replace(series, points=change(series)) for series in _as_array(value))
        return changed if isinstance(value, tuple) else changed[0]

    return call


def _of_value(compute: Callable[[float], float]) -> _Call:
    each = _of_each(lambda series: _computed(series.points, compute))

    def call(evaluation: Evaluation, given: _Arguments) -> Value:
        value = evaluation.of(given[0])
        return each(evaluation, given) if not isinstance(value, int | float) else compute(value)

    return call


def _of_many(compute: Callable[[Sequence[float]], float]) -> _Call:
    """Of a time series a number; of an array a time series, from the values of each time."""

    def call(evaluation: Evaluation, given: _Arguments) -> Value:
        value = evaluation.of(given[0])
        if isinstance(value, TimeSeries):
            if not value.points:
                raise BadExpression("a time series in it has no values")
            return compute(list(value.points.values()))
        array = _as_array(value)
        times = sorted({time for series in array for time in series.points})
        return TimeSeries(
            {time: compute([series.points[time] for series in array if time in series.points]) for time in times}
        )

    return call


def _of_time(part: Callable[[datetime], float]) -> _Call:
    return _of_each(lambda series: {time: float(part(datetime.fromtimestamp(time, UTC))) for time in series.points})


def _between(compute: Callable[[int, float], float]) -> _Call:
    """From each value and the one before it: their distance in seconds and their difference."""

    def change(series: TimeSeries) -> dict[int, float]:
        pairs = pairwise(series.points.items())
        return {time: compute(time - earlier, value - before) for (earlier, before), (time, value) in pairs}

    return _of_each(change)


def _running_sum(series: TimeSeries) -> dict[int, float]:
    return dict(zip(series.points, accumulate(series.points.values()), strict=True))


def _fill(evaluation: Evaluation, given: _Arguments) -> Value:
    """FILL(series, number or series or REPEAT or LINEAR)."""
    how = given[1]
    word = how.name if isinstance(how, Name) and how.name in ("REPEAT", "LINEAR") else None
    value = evaluation.of(how) if word is None else 0.0
    filler = evaluation.constant(value) if isinstance(value, int | float) else evaluation.series(how)

    def change(series: TimeSeries) -> dict[int, float]:
        if word is None:
            return {
                time: series.points.get(time, filler.points.get(time, math.nan))
                for time in evaluation.window.starts
                if time in series.points or time in filler.points
            }
        return _repeated(series, evaluation.window) if word == "REPEAT" else _interpolated(series, evaluation.window)

    return _of_each(change)(evaluation, given)


def _repeated(series: TimeSeries, window: Window) -> dict[int, float]:
    found: dict[int, float] = {}
    last = None
    for time in window.starts:
        last = series.points.get(time, last)
        if last is not None:
            found[time] = last
    return found


def _interpolated(series: TimeSeries, window: Window) -> dict[int, float]:
    found = dict(series.points)
    for (earlier, before), (later, after) in pairwise(series.points.items()):
        for time in range(earlier + window.period_s, later, window.period_s):
            found[time] = before + (after - before) * (time - earlier) / (later - earlier)
    return dict(sorted(found.items()))


def _if(evaluation: Evaluation, given: _Arguments) -> Value:
    """IF(condition, then, else): with a time series as condition, for each of its times."""
    condition = evaluation.of(given[0])
    if isinstance(condition, tuple):
        raise BadExpression("the condition of IF cannot be an array")
    if not isinstance(condition, TimeSeries):
        if len(given) == 2 and not condition:
            return TimeSeries({})
        return evaluation.of(given[1] if condition else given[2])
    branches = [evaluation.of(branch) for branch in given[1:]]
    sources = [evaluation.constant(one) if isinstance(one, int | float) else _only(one) for one in branches]
    found = {}
    for time, value in condition.points.items():
        index = 0 if value else 1
        if index < len(sources) and time in sources[index].points:
            found[time] = sources[index].points[time]
    return TimeSeries(found)


def _only(value: Value) -> TimeSeries:
    if not isinstance(value, TimeSeries):
        raise BadExpression("IF takes numbers and time series")
    return value


def _metrics(evaluation: Evaluation, given: _Arguments) -> Value:
    """METRICS(): all metrics of the request; METRICS("part"): those with that in their id."""
    part = given[0].value if given and isinstance(given[0], Text) else ""
    if given and not isinstance(given[0], Text):
        raise BadExpression("METRICS takes a text")
    return tuple(series for name, series in evaluation.metrics().items() if part in name)


def _count_points(evaluation: Evaluation, given: _Arguments) -> Value:
    value = evaluation.of(given[0])
    if isinstance(value, tuple):
        return tuple(replace(evaluation.constant(len(each.points)), label=each.label) for each in value)
    return float(len(evaluation.series(given[0]).points))


def _place(index: int) -> _Call:
    def call(evaluation: Evaluation, given: _Arguments) -> Value:
        array = evaluation.array(given[0])
        return array[index] if array else TimeSeries({})

    return call


def _remove_empty(evaluation: Evaluation, given: _Arguments) -> Value:
    return tuple(series for series in evaluation.array(given[0]) if series.points)


def _slice(evaluation: Evaluation, given: _Arguments) -> Value:
    bounds = [int(evaluation.number(node)) for node in given[1:]]
    return evaluation.array(given[0])[slice(*bounds) if len(bounds) == 2 else slice(bounds[0], None)]


def _sort(evaluation: Evaluation, given: _Arguments) -> Value:
    """SORT(array, AVG or MIN or MAX or SUM, ASC or DESC, how many)."""
    words = [node.name if isinstance(node, Name) else "" for node in given[1:3]]
    if words[0] not in _ORDERS or words[1] not in ("ASC", "DESC"):
        raise BadExpression("SORT takes AVG, MIN, MAX or SUM, and ASC or DESC")
    order = _ORDERS[words[0]]
    filled = [series for series in evaluation.array(given[0]) if series.points]
    ranked = sorted(filled, key=lambda series: order(list(series.points.values())), reverse=words[1] == "DESC")
    return tuple(ranked[: int(evaluation.number(given[3])) if len(given) > 3 else None])


_ORDERS: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "AVG": statistics.fmean,
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
}

FUNCTIONS: Final[Mapping[str, tuple[int, int, _Call]]] = {
    "ABS": (1, 1, _of_value(abs)),
    "CEIL": (1, 1, _of_value(math.ceil)),
    "FLOOR": (1, 1, _of_value(math.floor)),
    "LOG": (1, 1, _of_value(math.log)),
    "LOG10": (1, 1, _of_value(math.log10)),
    "AVG": (1, 1, _of_many(statistics.fmean)),
    "MAX": (1, 1, _of_many(max)),
    "MIN": (1, 1, _of_many(min)),
    "STDDEV": (1, 1, _of_many(statistics.pstdev)),
    "SUM": (1, 1, _of_many(math.fsum)),
    "DIFF": (1, 1, _between(lambda seconds, change: change)),
    "DIFF_TIME": (1, 1, _between(lambda seconds, change: float(seconds))),
    "RATE": (1, 1, _between(lambda seconds, change: change / seconds)),
    "RUNNING_SUM": (1, 1, _of_each(_running_sum)),
    "FILL": (2, 2, _fill),
    "IF": (2, 3, _if),
    "METRICS": (0, 1, _metrics),
    "METRIC_COUNT": (1, 1, lambda evaluation, given: float(len(evaluation.array(given[0])))),
    "DATAPOINT_COUNT": (1, 1, _count_points),
    "PERIOD": (1, 1, lambda evaluation, given: float(evaluation.window.period_s)),
    "TIME_SERIES": (1, 1, lambda evaluation, given: evaluation.constant(evaluation.number(given[0]))),
    "FIRST": (1, 1, _place(0)),
    "LAST": (1, 1, _place(-1)),
    "REMOVE_EMPTY": (1, 1, _remove_empty),
    "SLICE": (2, 3, _slice),
    "SORT": (3, 4, _sort),
    "MINUTE": (1, 1, _of_time(lambda time: time.minute)),
    "HOUR": (1, 1, _of_time(lambda time: time.hour)),
    "DAY": (1, 1, _of_time(lambda time: time.isoweekday())),
    "DATE": (1, 1, _of_time(lambda time: time.day)),
    "MONTH": (1, 1, _of_time(lambda time: time.month)),
    "YEAR": (1, 1, _of_time(lambda time: time.year)),
    "EPOCH": (1, 1, _of_time(lambda time: time.timestamp())),
}
"""Least and most arguments, and what computes it."""
