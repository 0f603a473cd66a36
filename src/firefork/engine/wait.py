"""Waiting for what the processes of an environment do, until they do it, something breaks, or their time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from firefork.engine.failures import Failure

LOOP_TICK_S: Final = 0.001
"""How much too early a timer may come: uvloop counts in milliseconds."""


class Wait:
    """One environment's waits, one at a time; whoever changes what one may be for calls ``look``."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reached: Callable[[], bool] = lambda: False
        self._waiter: asyncio.Future[None] | None = None
        self._ends_s = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_s = 0.0
        self.fault: Failure | None = None
        """What ends every wait."""
        self.ending = False
        """Whether everything is being ended: nothing that breaks is a fault then."""

    def begin(self) -> None:
        """A new start: what was broken is no more."""
        self.fault = None
        self.ending = False

    def begin_end(self) -> None:
        """Everything is being ended, which may be waited for."""
        self.fault = None
        self.ending = True

    async def until(self, reached: Callable[[], bool], limit_s: float) -> bool:
        """Wait until ``reached()``; false when a fault came first or the time ran out."""
        if reached():
            return True
        if self.fault is not None:
            return False
        self._reached = reached
        self._ends_s = self._loop.time() + max(0.0, limit_s)
        self._set_alarm(self._ends_s)
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            if self._waiter is waiter:  # else the next wait has begun already: what ended this one goes on before it
                self._waiter = None
        return reached()

    def look(self) -> None:
        """Something happened that a wait may be for."""
        waiter = self._waiter
        if waiter is not None and not waiter.done() and (self.fault is not None or self._reached()):
            waiter.set_result(None)

    def fail(self, failure: Failure) -> None:
        """The first fault counts; while everything is being ended there are none."""
        if self.fault is None and not self.ending:
            self.fault = failure
        self.look()

    def close(self) -> None:
        """No wait will come any more."""
        self.ending = True
        if self._alarm is not None:
            self._alarm.cancel()

    def _set_alarm(self, at_s: float) -> None:
        """Look at the present wait at ``at_s`` of the loop's time, or earlier.

        The alarm of an earlier wait serves as well. Most invokes are over long before their time is, and a timer set
        and cancelled for each of them would cost more than all else about waiting.
        """
        if self._alarm is not None and self._alarm_s > at_s:
            self._alarm.cancel()
            self._alarm = None
        if self._alarm is None:
            self._alarm_s = at_s
            self._alarm = self._loop.call_at(at_s, self._alarmed)

    def _alarmed(self) -> None:
        self._alarm = None
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if self._ends_s - self._loop.time() > LOOP_TICK_S:
            self._set_alarm(self._ends_s)
        else:
            waiter.set_result(None)
