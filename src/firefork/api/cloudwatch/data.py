"""PutMetricData. AWS: CloudWatch API reference, MetricDatum; quotas and wording as documented and recorded there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from firefork.api.call import Call
from firefork.aws.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingRequiredParameter,
)
from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import HIGH_S, STANDARD_S, Dimensions, MetricSet, Sample, dimensions_of
from firefork.telemetry.metrics.metric_store import MetricStore

_DATA_LIMIT: Final = 1000
_VALUES_LIMIT: Final = 150
_OLDEST_S: Final = 14 * 86_400
_NEWEST_S: Final = 2 * 3600
_GREATEST: Final = 2.0**360
_STANDARD: Final = 60
"""StorageResolution of a metric that is not of high resolution."""


class MetricData:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def put_metric_data(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        namespace: str = request["Namespace"]
        if namespace.startswith("AWS/"):
            raise InvalidParameterValue("The value AWS/ for parameter Namespace is invalid.")
        data = dict(_all_data(request))
        if not data:
            raise MissingRequiredParameter("The parameter MetricData is required.")
        if len(data) > _DATA_LIMIT:
            raise InvalidParameterValue(f"The collection MetricData must not have a size greater than {_DATA_LIMIT}.")
        now_s = self._store.clock() / 1000
        samples: dict[Dimensions, list[Sample]] = {}
        for place, datum in data.items():
            dimensions = read_dimensions(datum.get("Dimensions") or (), place)
            samples.setdefault(dimensions, []).append(_sample(datum, place, now_s))
        for dimensions, found in samples.items():
            self._store.put(MetricSet(call.scope, namespace, dimensions), found)
        return {}


def _all_data(request: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every datum with its place in the request; those with an entity count like the others."""
    for index, datum in enumerate(request.get("MetricData") or (), 1):
        yield f"MetricData.member.{index}", datum
    for number, entity in enumerate(request.get("EntityMetricData") or (), 1):
        for index, datum in enumerate(entity.get("MetricData") or (), 1):
            yield f"EntityMetricData.member.{number}.MetricData.member.{index}", datum


def read_dimensions(dimensions: Sequence[Mapping[str, str]], place: str) -> Dimensions:
    """Raises InvalidParameterValue for a name that is there twice."""
    names = Counter(dimension["Name"] for dimension in dimensions)
    for name, times in names.items():
        if times > 1:
            raise InvalidParameterValue(f"No duplicate dimension names are allowed in {place}.Dimensions: {name}.")
    return dimensions_of((dimension["Name"], dimension["Value"]) for dimension in dimensions)


def _sample(datum: Mapping[str, Any], place: str, now_s: float) -> Sample:
    """Raises InvalidParameterValue, InvalidParameterCombination, MissingRequiredParameter."""
    moment = datum.get("Timestamp")
    time_s = now_s if moment is None else moment.timestamp()
    if time_s < now_s - _OLDEST_S:
        raise InvalidParameterValue(f"The parameter {place}.Timestamp must specify a time within the past two weeks.")
    if time_s > now_s + _NEWEST_S:
        raise InvalidParameterValue(
            f"The parameter {place}.Timestamp must specify a time no more than two hours in the future."
        )
    resolution = datum.get("StorageResolution", _STANDARD)
    if resolution not in (1, _STANDARD):
        raise InvalidParameterValue(f"The parameter {place}.StorageResolution must be equal to 1 or {_STANDARD}.")
    return Sample(
        name=datum["MetricName"],
        unit=datum.get("Unit") or "None",
        time_s=time_s,
        resolution_s=HIGH_S if resolution == 1 else STANDARD_S,
        values=_values(datum, place),
    )


def _values(datum: Mapping[str, Any], place: str) -> Distribution:
    value, values, counts = datum.get("Value"), datum.get("Values"), datum.get("Counts")
    statistics = datum.get("StatisticValues")
    # Values beside StatisticValues is let pass, as recorded.
    for name, other in (("Values", values), ("StatisticValues", statistics)):
        if value is not None and other is not None:
            raise InvalidParameterCombination(
                f"The parameters {place}.Value and {place}.{name} are mutually exclusive and you have specified both."
            )
    found = Distribution()
    if value is not None:
        found.add(_checked(value, f"{place}.Value"))
    elif statistics is not None:
        count, total, least, most = (
            _checked(statistics[name], f"{place}.StatisticValues.{name}")
            for name in ("SampleCount", "Sum", "Minimum", "Maximum")
        )
        if count <= 0 or least > most:
            raise InvalidParameterValue(f"The value of the parameter {place}.StatisticValues is invalid.")
        found.add_set(count, total, least, most)
    elif values:
        counts = [1.0] * len(values) if counts is None else counts
        if len(values) != len(counts):
            raise InvalidParameterValue(f"The parameters {place}.Values and {place}.Counts must be of the same size.")
        if len(values) > _VALUES_LIMIT:
            raise InvalidParameterValue(
                f"The collection {place}.Values must not have a size greater than {_VALUES_LIMIT}."
            )
        for number, (each, times) in enumerate(zip(values, counts, strict=True), 1):
            if _checked(times, f"{place}.Counts.member.{number}") <= 0:
                raise InvalidParameterValue(
                    f"The value {times:g} for parameter {place}.Counts.member.{number} is invalid."
                )
            found.add(_checked(each, f"{place}.Values.member.{number}"), times)
    else:
        raise MissingRequiredParameter(
            f"At least one of the parameters {place}.Value, {place}.Values, {place}.StatisticValues must be specified."
        )
    return found


def _checked(value: float, place: str) -> float:
    if not math.isfinite(value) or abs(value) > _GREATEST:
        raise InvalidParameterValue(f"The value {value} for parameter {place} is invalid.")
    return value
