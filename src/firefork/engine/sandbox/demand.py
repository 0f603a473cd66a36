"""How many spares are worth keeping. Pure: knows times, makes nothing."""

from __future__ import annotations

from collections import deque
from typing import Final

MOST_SPARES: Final = 32
"""Of one zygote; each costs a few megabytes."""
_AT_ONCE_S: Final = 1.0
"""Sandboxes taken within this time were wanted at the same moment."""
_REMEMBERED_S: Final = 600.0
"""For so long a burst is expected to come again."""
_EXPECTED_S: Final = 60.0
"""For so long a function that was made or changed is expected to be invoked for the first time."""


class Demand:
    """At least the number that was asked for, and beyond it what bursts and new functions are likely to take.

    All times are seconds of one steady clock. Nothing is kept ahead when ``least`` is 0.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._most = max(least, MOST_SPARES) if least else 0
        self._taken: deque[float] = deque()
        self._burst = 0
        self._burst_until_s = 0.0
        self._expected: deque[float] = deque(maxlen=MOST_SPARES)

    def took(self, now_s: float) -> None:
        """A sandbox was taken."""
        self._taken.append(now_s)
        while self._taken[0] <= now_s - _AT_ONCE_S:
            self._taken.popleft()
        if len(self._taken) >= self._burst or now_s > self._burst_until_s:
            self._burst, self._burst_until_s = len(self._taken), now_s + _REMEMBERED_S
        if self._expected:
            self._expected.popleft()

    def expect(self, now_s: float) -> None:
        """One more will be wanted soon."""
        self._expected.append(now_s + _EXPECTED_S)

    def spares(self, now_s: float) -> int:
        """How many to have ready."""
        while self._expected and self._expected[0] <= now_s:
            self._expected.popleft()
        burst = self._burst if now_s <= self._burst_until_s else 0
        return min(self._most, max(self._least, burst, len(self._expected)))
