"""What identifies a metric. AWS: CloudWatch user guide, "Metrics concepts"."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from firefork.aws.scope import Scope
from firefork.telemetry.metrics.distribution import Distribution

Dimensions = tuple[tuple[str, str], ...]
"""Names and values, by name."""


def dimensions_of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Dimensions:
    return tuple(sorted(dict(pairs).items()))


class MetricSet(NamedTuple):
    """All metrics of a namespace that have the same dimensions: they are published, and kept, together."""

    scope: Scope
    namespace: str
    dimensions: Dimensions

    @property
    def digest(self) -> str:
        """Of the dimensions, which may be longer than a database's index takes."""
        return hashlib.sha256(self.dimensions_json.encode()).hexdigest()

    @property
    def dimensions_json(self) -> str:
        return json.dumps(self.dimensions)


class Sample(NamedTuple):
    """Values of one metric at one time."""

    name: str
    unit: str
    time_s: float
    """Epoch seconds."""
    resolution_s: int
    """How fine the time is to be kept: ``HIGH_S`` or ``STANDARD_S``."""
    values: Distribution


HIGH_S = 1
STANDARD_S = 10
"""AWS keeps minutes; here the last hours can be looked at more closely."""


class Point(NamedTuple):
    """What was kept of a metric for one period."""

    start_s: int
    unit: str
    values: Distribution


class Metric(NamedTuple):
    """A metric as ListMetrics shows it."""

    namespace: str
    name: str
    dimensions: Dimensions
