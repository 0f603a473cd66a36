"""A response that is written in parts: from the runtime to the caller, with AWS's limits on size and speed.

AWS: Lambda developer guide, "Response streaming for Lambda functions": the first 6 MB go at any speed, then 2 MB/s;
200 MB in all (fact sheet sections 4.1 and 9).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from firefork.engine.runtime_server import GuestConnection

_MIB: Final = 1024 * 1024
_HIGH_WATER: Final = 1 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What one streamed response may be."""

    total_bytes: int = 200 * _MIB
    free_bytes: int = 6 * _MIB
    """So many go at any speed."""
    bytes_per_s: float | None = 2 * _MIB
    """The rest; ``None`` for no limit."""


class ResponseStream:
    """Parts between a runtime that writes and a caller that reads; a slow reader stops the writer."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._parts: deque[bytes] = deque()
        self._waiting = 0
        self._received = 0
        self._sent = 0
        self._shaping_since_s: float | None = None
        self._paused: GuestConnection | None = None
        self._wake = asyncio.Event()
        self._finished = False

    @property
    def limit_bytes(self) -> int:
        return self._limits.total_bytes

    def feed(self, data: bytes, connection: GuestConnection) -> bool:
        """Take a part; false when it goes beyond the limit, and then it is not taken."""
        if self._received + len(data) > self._limits.total_bytes:
            return False
        self._received += len(data)
        self._parts.append(data)
        self._waiting += len(data)
        if self._waiting > _HIGH_WATER and self._paused is None:
            self._paused = connection
            connection.pause()
        self._wake.set()
        return True

    def finish(self) -> None:
        """No part will come any more."""
        self._finished = True
        self._wake.set()

    async def parts(self) -> AsyncIterator[bytes]:
        """The parts as they come, until the response is finished."""
        while True:
            while self._parts:
                part = self._parts.popleft()
                await self._keep_to_speed(len(part))
                self._waiting -= len(part)
                if self._paused is not None and self._waiting <= _HIGH_WATER // 2:
                    self._paused.resume()
                    self._paused = None
                yield part
            if self._finished:
                return
            self._wake.clear()
            await self._wake.wait()

    async def _keep_to_speed(self, size: int) -> None:
        limits = self._limits
        self._sent += size
        beyond = self._sent - limits.free_bytes
        if limits.bytes_per_s is None or beyond <= 0:
            return
        now_s = time.monotonic()
        if self._shaping_since_s is None:
            self._shaping_since_s = now_s
        ahead_s = beyond / limits.bytes_per_s - (now_s - self._shaping_since_s)
        if ahead_s > 0:
            await asyncio.sleep(ahead_s)
