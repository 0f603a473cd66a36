"""GetMetricData. AWS: CloudWatch API reference, MetricDataQuery; user guide, "Using dynamic labels"."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.cloudwatch.data import read_dimensions
from firefork.api.cloudwatch.statistics import check_times
from firefork.api.cloudwatch.tokens import read_token, token
from firefork.aws.errors import ValidationError
from firefork.telemetry.metrics.evaluation import Evaluation, TimeSeries, Value
from firefork.telemetry.metrics.expression import BadExpression, Node, names_in, parse
from firefork.telemetry.metrics.metric import MetricSet
from firefork.telemetry.metrics.metric_store import MetricStore
from firefork.telemetry.metrics.series import Window, by_period, is_period, units_of
from firefork.telemetry.metrics.statistics import UnknownStatistic, statistic

_QUERIES_LIMIT: Final = 500
_POINTS_LIMIT: Final = 100_800
_ID: Final = re.compile(r"[a-z][a-zA-Z0-9_]*")
_DYNAMIC: Final = re.compile(r"\$\{\s*(\w+)(?:\(\s*'([^']*)'\s*\))?\s*\}")
_STATISTIC_OF_LABEL: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "AVG": lambda values: math.fsum(values) / len(values),
    "DATAPOINT_COUNT": len,
    "FIRST": lambda values: values[0],
    "LAST": lambda values: values[-1],
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
}


class MetricQueries:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def get_metric_data(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        check_times(request["StartTime"], request["EndTime"])
        queries = request["MetricDataQueries"]
        _check(queries)
        limit = request.get("MaxDatapoints") or _POINTS_LIMIT
        if not 0 < limit <= _POINTS_LIMIT:
            raise ValidationError(f"The parameter MaxDatapoints must be between 1 and {_POINTS_LIMIT}.")
        start = read_token(request.get("NextToken"))
        computation = _Computation(self._store, call, request)
        results = []
        passed = 0
        for query in queries:
            if query.get("ReturnData") is False:
                continue
            for series in computation.series_of(query["Id"]):
                points = list(series.points.items())
                if request.get("ScanBy") != "TimestampAscending":
                    points.reverse()
                first, last = max(0, start - passed), start + limit - passed
                passed += len(points)
                if (start and first >= len(points)) or last <= 0 < len(points):
                    continue  # told before, or told later
                shown = _show(query["Id"], series.label, points[first:last], whole=last >= len(points))
                results.append({**shown, "Messages": computation.messages.get(query["Id"])})
        return {
            "MetricDataResults": results,
            "NextToken": token(start + limit) if passed > start + limit else None,
            "Messages": [],
        }


def _show(id_: str, label: str, points: Sequence[tuple[int, float]], *, whole: bool) -> dict[str, Any]:
    return {
        "Id": id_,
        "Label": label,
        "Timestamps": [time for time, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if whole else "PartialData",
    }


def _check(queries: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValidationError."""
    if not queries:
        raise ValidationError("The parameter MetricDataQueries must contain at least one element.")
    if len(queries) > _QUERIES_LIMIT:
        raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {_QUERIES_LIMIT}.")
    if max(Counter(query["Id"] for query in queries).values()) > 1:
        raise ValidationError("The values for parameter id in MetricDataQueries are not unique.")
    if all(query.get("ReturnData") is False for query in queries):
        raise ValidationError("At least one of the MetricDataQueries must have ReturnData set to true.")
    for number, query in enumerate(queries, 1):
        place = f"MetricDataQueries.member.{number}"
        if not _ID.fullmatch(query["Id"]):
            raise ValidationError(
                f"The value {query['Id']} for parameter {place}.Id is not matching the expected pattern "
                f"^{_ID.pattern}$."
            )
        stat = query.get("MetricStat")
        if (stat is None) == (query.get("Expression") is None):
            raise ValidationError(
                f"The parameters {place}.Expression and {place}.MetricStat are mutually exclusive and you have "
                "specified both."
                if stat is not None
                else f"One of the parameters {place}.Expression and {place}.MetricStat must be specified."
            )
        if stat is None:
            continue
        if query.get("Period") is not None:
            raise ValidationError(
                f"The parameters {place}.Period and {place}.MetricStat are mutually exclusive and you have specified "
                "both."
            )
        if not is_period(stat["Period"]):
            raise ValidationError(
                f"The parameter {place}.MetricStat.Period must be equal to 1, 5, 10, 20, 30 or be a multiple of 60."
            )
        for member in ("Namespace", "MetricName"):
            if stat["Metric"].get(member) is None:
                raise ValidationError(f"The parameter {place}.MetricStat.Metric.{member} is required.")


@dataclass(frozen=True, slots=True)
class _Computed:
    value: Value
    period_s: int


class _Computation:
    """The values of a request's queries, each computed once and when it is needed."""

    def __init__(self, store: MetricStore, call: Call, request: Mapping[str, Any]) -> None:
        self._store = store
        self._call = call
        self._start_s, self._end_s = request["StartTime"].timestamp(), request["EndTime"].timestamp()
        self._queries = {query["Id"]: query for query in request["MetricDataQueries"]}
        self._computed: dict[str, _Computed] = {}
        self._running: list[str] = []
        self.messages: dict[str, list[dict[str, str]]] = {}
        """What there is to tell about a query's result."""

    def series_of(self, id_: str) -> tuple[TimeSeries, ...]:
        """What a query is answered with. Raises ValidationError."""
        query = self._queries[id_]
        value = self._compute(id_).value
        if isinstance(value, TimeSeries):
            value = (value,)
        if not isinstance(value, tuple):
            raise _refusal(id_, "it must give a time series, and gives a number")
        return tuple(replace(each, label=_label(query, each, self._call)) for each in value)

    def _compute(self, id_: str) -> _Computed:
        known = self._computed.get(id_)
        if known is None:
            query = self._queries[id_]
            self._running.append(id_)
            known = self._metric(query) if query.get("MetricStat") else self._expression(query)
            self._running.pop()
            self._computed[id_] = known
        return known

    def _metric(self, query: Mapping[str, Any]) -> _Computed:
        stat = query["MetricStat"]
        metric, period_s = stat["Metric"], stat["Period"]
        try:
            tell = statistic(stat["Stat"])
        except UnknownStatistic:
            raise ValidationError(f"The value {stat['Stat']} for parameter Stat is not supported.") from None
        metric_set = MetricSet(
            self._call.scope, metric["Namespace"], read_dimensions(metric.get("Dimensions") or (), query["Id"])
        )
        window = self._window(period_s)
        points = list(self._store.points(metric_set, metric["MetricName"], window.start_s, window.end_s))
        units = [stat["Unit"]] if stat.get("Unit") else units_of(points)
        if len(units) > 1:  # they are not added up: one of them counts
            told_units = f"Multiple units returned: '[{', '.join(units)}]'"
            self.messages[query["Id"]] = [{"Code": "MultipleUnits", "Value": told_units}]
        found = by_period(points, window, units[0] if units else None)
        told = ((time, tell(found[time])) for time in sorted(found))
        series = TimeSeries({time: value for time, value in told if value is not None}, self._name(stat))
        return _Computed(series, period_s)

    def _name(self, stat: Mapping[str, Any]) -> str:
        """A metric's label: its name, and whatever tells it from other queries of the same metric (recorded)."""
        others = [query["MetricStat"] for query in self._queries.values() if query.get("MetricStat")]
        same = [other for other in others if other["Metric"] == stat["Metric"]]
        parts = [stat["Metric"]["MetricName"]]
        parts += [str(stat[member]) for member in ("Stat", "Period") if len({other[member] for other in same}) > 1]
        return " ".join(parts)

    def _expression(self, query: Mapping[str, Any]) -> _Computed:
        id_ = query["Id"]
        try:
            node = parse(query["Expression"])
            period_s = query.get("Period") or self._period_of(node)
            evaluation = Evaluation(self._window(period_s), self._lookup, self._metrics)
            value = evaluation.of(node)
        except BadExpression as error:
            raise _refusal(id_, str(error)) from None
        if isinstance(value, TimeSeries):
            value = replace(value, label=id_)
        elif isinstance(value, tuple):
            value = tuple(replace(each, label=f"{id_} {each.label}".strip()) for each in value)
        return _Computed(value, period_s)

    def _lookup(self, id_: str) -> Value:
        if id_ not in self._queries:
            raise BadExpression(f"unknown id '{id_}'")
        if id_ in self._running:
            raise BadExpression(f"it refers to itself through '{id_}'")
        return self._compute(id_).value

    def _metrics(self) -> Mapping[str, TimeSeries]:
        """Every query that is a metric, by id."""
        return dict(self._all_metrics())

    def _all_metrics(self) -> Iterator[tuple[str, TimeSeries]]:
        for id_, query in self._queries.items():
            if query.get("MetricStat"):
                value = self._compute(id_).value
                assert isinstance(value, TimeSeries)
                yield id_, value

    def _period_of(self, node: Node) -> int:
        """The longest of those that the expression is made of, or of all metrics when it names none."""
        names = [name for name in names_in(node) if name in self._queries and name not in self._running]
        if not names:
            names = [id_ for id_, query in self._queries.items() if query.get("MetricStat")]
        return max((self._compute(name).period_s for name in names), default=60)

    def _window(self, period_s: int) -> Window:
        window = Window.of(self._start_s, self._end_s, period_s, self._store.clock() / 1000)
        if len(window.starts) > _POINTS_LIMIT:
            raise ValidationError(
                f"You have requested up to {len(window.starts):,} datapoints, which exceeds the limit of "
                f"{_POINTS_LIMIT:,}. You may reduce the datapoints requested by increasing Period, or decreasing the "
                "time range."
            )
        return window


def _refusal(id_: str, why: str) -> ValidationError:
    return ValidationError(f"Error in expression '{id_}': {why[:1].upper()}{why[1:]}")


def _label(query: Mapping[str, Any], series: TimeSeries, call: Call) -> str:
    """The label that a query asks for, with what stands in ``${…}`` filled in; else the one that the series has."""
    template: str | None = query.get("Label")
    values = list(series.points.values())
    stat = query.get("MetricStat") or {}
    metric = stat.get("Metric") or {}
    properties: dict[str, str] = {
        "AccountId": call.scope.account,
        "MetricName": metric.get("MetricName", ""),
        "Namespace": metric.get("Namespace", ""),
        "Period": str(stat.get("Period", "")),
        "Region": call.scope.region,
        "Stat": stat.get("Stat", ""),
        **{f"Dim.{each['Name']}": each["Value"] for each in metric.get("Dimensions") or ()},
    }

    def fill(found: re.Match[str]) -> str:
        word, argument = found[1], found[2]
        if word == "LABEL":
            return series.label
        if word == "PROP":
            return properties.get(argument, "")
        if word not in _STATISTIC_OF_LABEL:
            return found[0]
        return f"{_STATISTIC_OF_LABEL[word](values):g}" if values else "--"

    return _DYNAMIC.sub(fill, template) if template else series.label
