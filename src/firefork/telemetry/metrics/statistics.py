"""Statistics of a distribution by their names. AWS: CloudWatch user guide, "CloudWatch statistics definitions"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from firefork.telemetry.metrics.distribution import Distribution

Statistic = Callable[[Distribution], float | None]
"""``None``: it cannot be told of these values."""

BASIC: Final[dict[str, Statistic]] = {
    "SampleCount": lambda values: values.count,
    "Average": lambda values: values.total / values.count if values.count else None,
    "Sum": lambda values: values.total,
    "Minimum": lambda values: values.minimum,
    "Maximum": lambda values: values.maximum,
}

_NUMBER: Final = r"\d{1,3}(?:\.\d{1,10})?"
_PERCENTILE: Final = re.compile(rf"p({_NUMBER})")
_SHORT: Final = re.compile(rf"(tm|tc|ts|wm)({_NUMBER})")
_RANGE: Final = re.compile(
    r"(TM|TC|TS|WM|PR)\((?:(?P<low>-?\d+(?:\.\d+)?)(?P<low_share>%)?)?:(?:(?P<high>-?\d+(?:\.\d+)?)(?P<high_share>%)?)?\)"
)
_IQM: Final = "IQM"


class UnknownStatistic(ValueError):
    """No statistic has this name."""


def statistic(name: str) -> Statistic:
    """``Average`` and its like, ``p99.9``, ``tm90``, ``TM(10%:90%)``, ``PR(:300)``, ``IQM``.

    Raises UnknownStatistic.
    """
    basic = BASIC.get(name)
    return basic if basic is not None else extended(name)


def extended(name: str) -> Statistic:
    """Those of ExtendedStatistics. Raises UnknownStatistic."""
    if (found := _PERCENTILE.fullmatch(name)) and float(found[1]) <= 100:
        share = float(found[1]) / 100
        return lambda values: _percentile(values, share) if _can_be_told(values) else None
    if (found := _SHORT.fullmatch(name)) and float(found[2]) <= 100:
        return _trimmed(found[1], 0.0, float(found[2]) / 100)
    if name.upper() == _IQM:
        return _trimmed("tm", 0.25, 0.75)
    if found := _RANGE.fullmatch(name):
        kind, low, high = found[1].lower(), found["low"], found["high"]
        by_share = {bool(found[f"{side}_share"]) for side in ("low", "high") if found[side] is not None}
        if len(by_share) == 1 and (kind != "pr" or by_share == {False}):
            scale = 100 if by_share == {True} else 1
            lowest = float(low) / scale if low is not None else None
            highest = float(high) / scale if high is not None else None
            if by_share == {True}:
                return _trimmed(kind, 0.0 if lowest is None else lowest, 1.0 if highest is None else highest)
            return _between(kind, lowest, highest)
    raise UnknownStatistic(name)


def _can_be_told(values: Distribution) -> bool:
    return values.count > 0 and values.minimum >= 0 and values.is_whole


def _ranked(values: Distribution) -> list[tuple[float, float]]:
    return sorted(values.values.items())


def _percentile(values: Distribution, share: float) -> float:
    """The nearest rank: the smallest value that ``share`` of all are not above."""
    if share <= 0:
        return values.minimum
    wanted, passed = share * values.count, 0.0
    for value, times in _ranked(values):
        passed += times
        if passed >= wanted - 1e-9:
            return min(max(value, values.minimum), values.maximum)
    return values.maximum


def _trimmed(kind: str, low: float, high: float) -> Statistic:
    """Of the values that rank between two shares of all; ``wm`` has the others moved to the bounds."""

    def told(values: Distribution) -> float | None:
        if not _can_be_told(values):
            return None
        if kind == "wm":
            return _winsorized(values, _percentile(values, low), _percentile(values, high))
        kept, passed = [], 0.0
        first, last = low * values.count, high * values.count
        for value, times in _ranked(values):
            inside = min(passed + times, last) - max(passed, first)
            if inside > 1e-9:
                kept.append((value, inside))
            passed += times
        return _of(kind, kept, values)

    return told


def _between(kind: str, low: float | None, high: float | None) -> Statistic:
    """Of the values above ``low`` and up to ``high``."""

    def told(values: Distribution) -> float | None:
        if not _can_be_told(values):
            return None
        if kind == "wm":
            return _winsorized(values, values.minimum if low is None else low, values.maximum if high is None else high)
        kept = [
            (value, times)
            for value, times in _ranked(values)
            if (low is None or value > low) and (high is None or value <= high)
        ]
        return _of(kind, kept, values)

    return told


def _winsorized(values: Distribution, bottom: float, top: float) -> float | None:
    """The mean of values that are moved to the bounds where they are beyond."""
    return _of("tm", [(min(max(value, bottom), top), times) for value, times in _ranked(values)], values)


def _of(kind: str, kept: Sequence[tuple[float, float]], values: Distribution) -> float | None:
    count = sum(times for _, times in kept)
    if kind == "tc":
        return count
    if kind == "pr":
        return 100 * count / values.count
    total = sum(value * times for value, times in kept)
    if kind == "ts":
        return total
    return total / count if count else None
