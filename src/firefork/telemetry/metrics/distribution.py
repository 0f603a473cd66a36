"""What a metric's values within one period come to: count, sum, extremes, and how often each value was there.

Values are kept to three significant digits: exact for whole numbers below 1,000, and never off by more than half a
percent, so that a percentile is not either. A wide range of values costs at most 900 entries for each power of ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

_COARSER_BEYOND: Final = 5000
"""Distinct values from which on new ones are kept to two digits only."""


class Distribution:
    """Values and how often they were there; counts may be fractions, as in PutMetricData."""

    __slots__ = ("count", "maximum", "minimum", "total", "values")

    def __init__(self) -> None:
        self.count = 0.0
        self.total = 0.0
        self.minimum = math.inf
        self.maximum = -math.inf
        self.values: dict[float, float] = {}

    @classmethod
    def of(cls, values: Mapping[float, float]) -> Distribution:
        """Of values and how often each one was there."""
        made = cls()
        for value, times in values.items():
            if times:
                made.add(value, times)
        return made

    def add(self, value: float, times: float = 1.0) -> None:
        self.count += times
        self.total += value * times
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value
        self._keep(value, times)

    def add_set(self, count: float, total: float, minimum: float, maximum: float) -> None:
        """A set of which the single values are not known, unless all of them must be the same."""
        if count == 1 or minimum == maximum:
            self.add(minimum, count)
            return
        self.count += count
        self.total += total
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)

    def merge(self, other: Distribution) -> None:
        self.count += other.count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if not self.values:
            self.values = dict(other.values)
            return
        if len(self.values) + len(other.values) <= _COARSER_BEYOND:
            # They have their digits: to round them again would be most of what publishing an invoke costs.
            for value, times in other.values.items():
                self.values[value] = self.values.get(value, 0.0) + times
            return
        for value, times in other.values.items():
            self._keep(value, times)

    def _keep(self, value: float, times: float) -> None:
        digits = ".3g" if len(self.values) < _COARSER_BEYOND else ".2g"
        kept = float(format(value, digits))
        self.values[kept] = self.values.get(kept, 0.0) + times

    @property
    def is_whole(self) -> bool:
        """Whether every value is known: what percentiles need."""
        return math.isclose(sum(self.values.values()), self.count)

    def as_row(self) -> list[Any]:
        """As JSON can hold it."""
        return [self.count, self.total, self.minimum, self.maximum, list(self.values.items())]

    @classmethod
    def from_row(cls, row: list[Any]) -> Distribution:
        made = cls()
        made.count, made.total, made.minimum, made.maximum, values = row
        made.values = dict(values)
        return made
