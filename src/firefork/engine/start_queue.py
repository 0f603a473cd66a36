"""Whose environment is started next: few at a time, and functions take turns.

Without it a function that asks for two hundred environments at once would put another function's single one behind
all of them, on the processor if not in a queue.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

_Item = TypeVar("_Item")

TURN_LIMIT_S: Final = 0.1
"""After this long a start that is still under way no longer counts: it is waiting rather than computing, or it is an
init so long that others must not wait for its end."""


class FairQueue(Generic[_Item]):
    """First come, first served within one owner; owners in turn. Pure: holds items, starts nothing."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[Hashable, deque[_Item]] = OrderedDict()

    def push(self, owner: Hashable, item: _Item) -> None:
        self._lanes.setdefault(owner, deque()).append(item)

    def pop(self) -> _Item | None:
        """The next item; its owner goes to the end of the line."""
        if not self._lanes:
            return None
        owner, lane = self._lanes.popitem(last=False)
        item = lane.popleft()
        if lane:
            self._lanes[owner] = lane
        return item

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __bool__(self) -> bool:
        return bool(self._lanes)


class Turn:
    """Leave to start one environment, until ``end`` or for ``TURN_LIMIT_S``."""

    def __init__(self, queue: StartQueue) -> None:
        self._queue: StartQueue | None = queue
        self._limit = asyncio.get_running_loop().call_later(TURN_LIMIT_S, self.end)

    def end(self) -> None:
        """Let the next one start. Does nothing the second time."""
        queue, self._queue = self._queue, None
        if queue is not None:
            self._limit.cancel()
            queue._ended()


class StartQueue:
    """Gives turns to start environments, ``limit`` at a time. Belongs to the event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running = 0
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    async def turn(self, owner: Hashable) -> Turn:
        """Wait for a turn; at once when there are few starts. The caller has to end it."""
        if self._running >= self._limit:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.push(owner, waiter)
            try:
                await waiter  # whoever completes it has counted this turn already
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._ended()
                raise
        else:
            self._running += 1
        return Turn(self)

    def _ended(self) -> None:
        while (waiter := self._waiting.pop()) is not None:
            if not waiter.done():
                waiter.set_result(None)  # the place is handed on
                return
        self._running -= 1
