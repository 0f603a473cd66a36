"""One request on its way in: its head at once, its body as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from firefork.api.http_wire import RequestHead


class ClientGone(Exception):
    """The client went away in the middle of its request: nobody waits for an answer."""


class AnswerCut(Exception):
    """The rest of an answer that has begun will not come: its connection has to break off, so that its client knows."""


class BodyTooLong(Exception):
    """A body has more bytes than were to be read."""


class RequestBody:
    """Parts go in as they arrive and are read by one reader, in order."""

    __slots__ = ("_lost", "_parts", "_waiter", "_wanted", "buffered", "complete")

    def __init__(self, wanted: Callable[[], None]) -> None:
        """``wanted`` is called when the reader has to wait for a part."""
        self._wanted = wanted
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self.buffered = 0
        """Bytes that nobody has read yet."""
        self.complete = False
        """Whether no part will follow those that are here."""

    def feed(self, part: bytes) -> None:
        self._parts.append(part)
        self.buffered += len(part)
        self._wake()

    def end(self) -> None:
        self.complete = True
        self._wake()

    def lose(self) -> None:
        """The client went away: there will be no more than is here."""
        self._lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, patience_s: float) -> bytes:
        """What has come, as soon as something has; empty at the end.

        Raises TimeoutError when nothing comes for ``patience_s`` seconds, ClientGone when nothing will.
        """
        if not self._parts and not self.complete:
            await self._wait(patience_s)
        parts, self._parts = self._parts, []
        self.buffered = 0
        if not parts and not self.complete:
            raise ClientGone
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _wait(self, patience_s: float) -> None:
        if self._lost:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        self._wanted()
        try:
            async with asyncio.timeout(patience_s):
                await self._waiter
        finally:
            self._waiter = None

    async def read_all(self, *, limit: int, patience_s: float) -> bytes:
        """All of the body. Raises BodyTooLong as soon as it is longer than ``limit``, and what ``read`` raises."""
        body = await self.read(patience_s)
        if self.complete and len(body) <= limit:
            return body
        parts, size = [body], len(body)
        while size <= limit and (part := await self.read(patience_s)):
            parts.append(part)
            size += len(part)
        if size > limit:
            raise BodyTooLong
        return b"".join(parts)


@dataclass(slots=True)
class Request:
    """What the server hands to its application."""

    head: RequestHead
    body: RequestBody
    client: str = ""
    """The address that the connection comes from; empty where the transport has none."""
    secure: bool = False
    """Whether it came over TLS."""
