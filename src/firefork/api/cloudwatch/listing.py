"""ListMetrics. AWS: CloudWatch API reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.cloudwatch.tokens import read_token, token
from firefork.telemetry.metrics.metric import Metric
from firefork.telemetry.metrics.metric_store import MetricStore

_PAGE: Final = 500
_SINCE_S: Final = 14 * 86_400
_RECENT_S: Final = 3 * 3600


class MetricList:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def list_metrics(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        age_s = _RECENT_S if request.get("RecentlyActive") else _SINCE_S
        found = self._store.metrics(
            call.scope,
            since_s=self._store.clock() / 1000 - age_s,
            namespace=request.get("Namespace"),
            name=request.get("MetricName"),
        )
        filters = request.get("Dimensions") or ()
        matching = [metric for metric in found if _matches(metric, filters)]
        start = read_token(request.get("NextToken"))
        page = matching[start : start + _PAGE]
        return {
            "Metrics": [_show(metric) for metric in page],
            "NextToken": token(start + _PAGE) if len(matching) > start + _PAGE else None,
            "OwningAccounts": [call.scope.account] * len(page) if request.get("IncludeLinkedAccounts") else None,
        }


def _matches(metric: Metric, filters: Sequence[Mapping[str, str]]) -> bool:
    """Whether it has every dimension that is asked for, with the value if one is named."""
    dimensions = dict(metric.dimensions)
    return all(each["Name"] in dimensions and each.get("Value") in (None, dimensions[each["Name"]]) for each in filters)


def _show(metric: Metric) -> dict[str, Any]:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }
