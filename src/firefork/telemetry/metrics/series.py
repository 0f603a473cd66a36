"""From kept points to the periods of a question. AWS: CloudWatch API reference, GetMetricData, GetMetricStatistics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import Point

_DAY_S: Final = 86_400
_ROUNDING: Final = ((63 * _DAY_S, 3600), (15 * _DAY_S, 300), (0, 60))
"""Age of a start, and to what it is rounded down; both in seconds."""
UNITS: Final = (
    "Megabits", "Terabits", "Gigabits", "Count", "Bytes", "Gigabytes", "Gigabytes/Second", "Kilobytes",
    "Kilobits/Second", "Terabytes", "Terabits/Second", "Bytes/Second", "Percent", "Megabytes", "Megabits/Second",
    "Milliseconds", "Microseconds", "Kilobytes/Second", "Gigabits/Second", "Megabytes/Second", "Bits", "Bits/Second",
    "Count/Second", "Seconds", "Kilobits", "Terabytes/Second", "None",
)  # fmt: skip
"""In the order in which GetMetricData prefers them (localstack's recordings of December 2023)."""
SHORT_PERIODS: Final = (1, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Periods one after the other; ``end_s`` is excluded."""

    start_s: int
    end_s: int
    period_s: int

    @classmethod
    def of(cls, start_s: float, end_s: float, period_s: int, now_s: float) -> Window:
        """From the times of a request, the start rounded as AWS does."""
        if period_s in SHORT_PERIODS:
            step_s = period_s
        else:
            step_s = next((step for age, step in _ROUNDING if now_s - start_s >= age), 60)
        return cls(start_s=int(start_s // step_s) * step_s, end_s=int(-(-end_s // 1)), period_s=period_s)

    @property
    def starts(self) -> range:
        return range(self.start_s, self.end_s, self.period_s)

    def start_of(self, time_s: int) -> int:
        return time_s - (time_s - self.start_s) % self.period_s


def units_of(points: Iterable[Point]) -> list[str]:
    """Each unit once, the preferred one first."""
    return sorted({point.unit for point in points}, key=UNITS.index)


def by_period(points: Iterable[Point], window: Window, unit: str | None = None) -> dict[int, Distribution]:
    """What points come to in each period of a window, those of one unit only if it is given."""
    found: dict[int, Distribution] = {}
    for point in points:
        if unit is None or point.unit == unit:
            found.setdefault(window.start_of(point.start_s), Distribution()).merge(point.values)
    return found


def by_period_and_unit(points: Iterable[Point], window: Window) -> dict[tuple[int, str], Distribution]:
    found: dict[tuple[int, str], Distribution] = {}
    for point in points:
        found.setdefault((window.start_of(point.start_s), point.unit), Distribution()).merge(point.values)
    return found


def is_period(period_s: int) -> bool:
    return period_s in SHORT_PERIODS or (period_s > 0 and period_s % 60 == 0)
