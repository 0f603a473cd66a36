"""Metrics in log lines. AWS: CloudWatch user guide, "Specification: Embedded metric format".

A line that is not what the specification asks for is a log line and nothing else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from firefork.aws.scope import Scope
from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import HIGH_S, STANDARD_S, MetricSet, Sample, dimensions_of

MARK: Final = '"_aws"'
"""What a line that publishes metrics has in it, and hardly another."""
_DIMENSIONS_LIMIT: Final = 30
_METRICS_LIMIT: Final = 100
_VALUES_LIMIT: Final = 100
_GREATEST: Final = 2.0**360


def embedded_metrics(scope: Scope, message: str) -> Iterator[tuple[MetricSet, list[Sample]]]:
    """What a log line publishes; nothing for all other lines."""
    try:
        root = orjson.loads(message)
    except orjson.JSONDecodeError:
        return
    metadata = root.get("_aws") if isinstance(root, dict) else None
    if not isinstance(metadata, dict) or not _is_number(metadata.get("Timestamp")):
        return
    for directive in _list(metadata.get("CloudWatchMetrics")):
        if isinstance(directive, dict):
            yield from _published(scope, root, directive, metadata["Timestamp"] / 1000)


def _published(
    scope: Scope, root: Mapping[str, Any], directive: Mapping[str, Any], time_s: float
) -> Iterator[tuple[MetricSet, list[Sample]]]:
    namespace = directive.get("Namespace")
    if not isinstance(namespace, str) or not 0 < len(namespace) <= 255 or namespace.startswith("AWS/"):
        return
    definitions = _list(directive.get("Metrics"))[:_METRICS_LIMIT]
    samples = [sample for each in definitions if (sample := _sample(root, each, time_s)) is not None]
    if not samples:
        return
    for names in _list(directive.get("Dimensions", [[]])):
        if not isinstance(names, list) or len(names) > _DIMENSIONS_LIMIT:
            continue
        if all(isinstance(name, str) and isinstance(root.get(name), str | int | float) for name in names):
            yield MetricSet(scope, namespace, dimensions_of({name: str(root[name])[:1024] for name in names})), samples


def _sample(root: Mapping[str, Any], definition: Any, time_s: float) -> Sample | None:
    if not isinstance(definition, dict):
        return None
    name, unit = definition.get("Name"), definition.get("Unit", "None")
    if not isinstance(name, str) or not 0 < len(name) <= 255 or not isinstance(unit, str):
        return None
    value = root.get(name)
    values = value if isinstance(value, list) else [value]
    if not values or len(values) > _VALUES_LIMIT or not all(map(_is_number, values)):
        return None
    return Sample(
        name=name,
        unit=unit,
        time_s=time_s,
        resolution_s=HIGH_S if definition.get("StorageResolution") == 1 else STANDARD_S,
        values=Distribution.of(Counter(map(float, values))),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and abs(value) <= _GREATEST
    )
