"""Sending an environment's telemetry to the listeners of its extensions, inside its sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

import h11

from firefork.engine.telemetry_api import Batches, Destination, Record, Subscription, shown

logger = logging.getLogger(__name__)

_ATTEMPTS: Final = 5
_FIRST_PAUSE_S: Final = 0.05
_ANSWER_LIMIT_S: Final = 2.0
_HISTORY_LIMIT: Final = 1_000
"""Events from before a subscription that it still gets."""


class TelemetryDelivery:
    """One environment's subscribers, from one init to its end.

    ``open_socket`` makes a TCP socket inside the sandbox, not connected; ``host`` is the address there.
    """

    def __init__(self, open_socket: Callable[[], Awaitable[socket.socket]], host: str) -> None:
        self._open_socket = open_socket
        self._host = host
        self._senders: dict[str, _Sender] = {}
        self._history: list[Record] | None = []

    @property
    def wanted(self) -> bool:
        """Whether events have to be made at all."""
        return self._history is not None or bool(self._senders)

    def subscribe(self, subscription: Subscription) -> None:
        """Begin to send; what happened since the start of the init comes first.

        A repeated subscription changes nothing, another one of the same extension takes the place of the first and
        goes on where that is: AWS calls subscribing idempotent.
        """
        known = self._senders.get(subscription.extension)
        if known is not None and known.subscription == subscription:
            return
        self._senders[subscription.extension] = sender = _Sender(subscription, self._open_socket, self._host)
        if known is not None:
            known.stop()
            return
        for record in self._history or ():
            sender.add(record)

    def close_subscription(self) -> None:
        """Init is over: nobody can subscribe any more, so nothing is kept for later subscribers."""
        self._history = None

    def add(self, record: Record) -> None:
        if self._history is not None and len(self._history) < _HISTORY_LIMIT:
            self._history.append(record)
        for sender in self._senders.values():
            sender.add(record)

    @property
    def sending(self) -> bool:
        """Whether a listener is being talked to at this moment."""
        return any(sender.sending for sender in self._senders.values())

    def pause(self) -> None:
        """The environment stands still: a listener would take what is sent now only later, and more than once."""
        for sender in self._senders.values():
            sender.running.clear()

    def resume(self) -> None:
        for sender in self._senders.values():
            sender.running.set()

    async def flush(self, limit_s: float) -> None:
        """Send now what is waiting; gives up after ``limit_s``."""
        if self._senders:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.gather(*(sender.flush() for sender in self._senders.values())), limit_s)

    def stop(self) -> None:
        """End without sending: nobody is left to hear it."""
        for sender in self._senders.values():
            sender.stop()
        self._senders.clear()
        self._history = None


class _Sender:
    """Sends one subscription's batches, one after the other."""

    def __init__(
        self, subscription: Subscription, open_socket: Callable[[], Awaitable[socket.socket]], host: str
    ) -> None:
        self.subscription = subscription
        self.running = asyncio.Event()
        self.running.set()
        self.sending = False
        self._batches = Batches(subscription)
        self._open_socket = open_socket
        self._host = host
        self._wake = asyncio.Event()
        self._flushing: list[asyncio.Future[None]] = []
        self._stream: asyncio.StreamWriter | None = None
        self._task = asyncio.ensure_future(self._run())

    def add(self, record: Record) -> None:
        event = shown(record, self.subscription)
        if event is not None:
            self._batches.add(event, time.monotonic())
            self._wake.set()

    async def flush(self) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushing.append(done)
        self._wake.set()
        await done

    def stop(self) -> None:
        self._task.cancel()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._stream is not None:
            # Not closed: that would keep what is unsent until the listener reads it, which it may never do.
            self._stream.transport.abort()
            self._stream = None

    async def _run(self) -> None:
        while True:
            await self.running.wait()
            wait_s = self._batches.due_in(time.monotonic())
            if wait_s is not None and (wait_s == 0 or self._flushing):
                await self._send(self._batches.take())
                continue
            if wait_s is None:
                for done in self._flushing:
                    if not done.done():
                        done.set_result(None)
                self._flushing.clear()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _send(self, batch: list[bytes]) -> None:
        lost = self._batches.dropped()
        notice = shown(lost.record(time.time_ns() // 1_000_000), self.subscription) if lost is not None else None
        told = batch if notice is None else [*batch, notice]
        pause_s = _FIRST_PAUSE_S
        for attempt in range(_ATTEMPTS):
            await self.running.wait()
            self.sending = True
            try:
                await asyncio.wait_for(self._send_once(told), _ANSWER_LIMIT_S)
            except (OSError, TimeoutError, h11.RemoteProtocolError) as error:
                logger.debug("telemetry for %s, attempt %d: %s", self.subscription.extension, attempt + 1, error)
                self._hang_up()
            else:
                if lost is not None:
                    self._batches.told_of_dropped(lost)
                return
            finally:
                self.sending = False
            await asyncio.sleep(pause_s)
            pause_s *= 2
        self._batches.drop(batch)

    async def _send_once(self, batch: list[bytes]) -> None:
        destination = self.subscription.destination
        if destination.protocol == "TCP":
            if self._stream is None:
                _, self._stream = await self._connect(destination)
            self._stream.write(b"".join(event + b"\n" for event in batch))
            await self._stream.drain()
            return
        reader, writer = await self._connect(destination)
        try:
            await _post(reader, writer, destination, b"[" + b",".join(batch) + b"]")
        finally:
            writer.close()

    async def _connect(self, destination: Destination) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made = await self._open_socket()
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, (self._host, destination.port))
            return await asyncio.open_connection(sock=made)
        except BaseException:
            made.close()
            raise


async def _post(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, destination: Destination, body: bytes
) -> None:
    """One request; raises OSError unless it is answered with a 2xx status."""
    protocol = h11.Connection(our_role=h11.CLIENT)
    request = h11.Request(
        method=destination.method,
        target=destination.path,
        headers=[
            ("Host", f"sandbox.localdomain:{destination.port}"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ],
    )
    parts = (protocol.send(request), protocol.send(h11.Data(data=body)), protocol.send(h11.EndOfMessage()))
    writer.write(b"".join(part for part in parts if part))
    await writer.drain()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            protocol.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            if not 200 <= event.status_code < 300:
                raise OSError(f"answered with status {event.status_code}")
            return
