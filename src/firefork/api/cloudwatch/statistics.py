"""GetMetricStatistics. AWS: CloudWatch API reference."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.cloudwatch.data import read_dimensions
from firefork.aws.errors import InvalidParameterCombination, InvalidParameterValue, MissingRequiredParameter
from firefork.telemetry.metrics.metric import MetricSet
from firefork.telemetry.metrics.metric_store import MetricStore
from firefork.telemetry.metrics.series import Window, by_period_and_unit, is_period
from firefork.telemetry.metrics.statistics import BASIC, UnknownStatistic, extended

_POINTS_LIMIT: Final = 1440


class MetricStatistics:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def get_metric_statistics(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        window = self._window(request)
        basic, others = request.get("Statistics") or (), request.get("ExtendedStatistics") or ()
        if not basic and not others:
            raise MissingRequiredParameter(
                "At least one of the parameters Statistics and ExtendedStatistics must be specified."
            )
        told = {}
        for name in others:
            try:
                told[name] = extended(name)
            except UnknownStatistic:
                raise InvalidParameterValue(
                    f"The value {name} for parameter ExtendedStatistics.member is not supported."
                ) from None
        metric_set = MetricSet(
            call.scope, request["Namespace"], read_dimensions(request.get("Dimensions") or (), "GetMetricStatistics")
        )
        points = self._store.points(metric_set, request["MetricName"], window.start_s, window.end_s)
        shown = []
        for (start_s, unit), values in by_period_and_unit(points, window).items():
            if request.get("Unit") not in (None, unit):
                continue
            datapoint: dict[str, Any] = {"Timestamp": start_s, "Unit": unit}
            datapoint.update({name: BASIC[name](values) for name in basic})
            extra = {name: value for name, tell in told.items() if (value := tell(values)) is not None}
            if basic or extra:
                shown.append({**datapoint, "ExtendedStatistics": extra or None})
        return {"Label": request["MetricName"], "Datapoints": shown}

    def _window(self, request: dict[str, Any]) -> Window:
        start, end, period_s = request["StartTime"], request["EndTime"], request["Period"]
        check_times(start, end)
        if not is_period(period_s):
            raise InvalidParameterValue(
                "The parameter Period must be equal to 1, 5, 10, 20, 30 or be a multiple of 60."
            )
        window = Window.of(start.timestamp(), end.timestamp(), period_s, self._store.clock() / 1000)
        count = len(window.starts)
        if count > _POINTS_LIMIT:
            raise InvalidParameterCombination(
                f"You have requested up to {count:,} datapoints, which exceeds the limit of {_POINTS_LIMIT:,}. "
                "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
            )
        return window


def check_times(start: datetime, end: datetime) -> None:
    """Raises InvalidParameterValue."""
    if start >= end:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
