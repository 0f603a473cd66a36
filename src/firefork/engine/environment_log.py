"""All that is said in one environment and of it: lines of its processes, records of its runtime, the platform's events.

Each goes to the environment's log stream, to the tail that a caller waits for, and to the subscribers of its telemetry.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from firefork.engine.log_lines import FrameDecoder, LineSplitter
from firefork.engine.reports import SystemLog
from firefork.engine.sandbox.sandbox import Sandbox
from firefork.engine.telemetry_api import Record, Subscription
from firefork.engine.telemetry_delivery import TelemetryDelivery
from firefork.telemetry.log_event import LogEvent

TAIL_LIMIT: Final = 4096
"""Bytes of log that LogType=Tail returns."""
_READ_SIZE: Final = 65536
_CONTINUATIONS: Final = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 with which no character begins."""


class EnvironmentLog:
    """Reads what the processes of a sandbox write, and hands every event on in the order of its arrival."""

    def __init__(
        self, sandbox: Sandbox, system: SystemLog, *, as_json: bool, write: Callable[[list[LogEvent]], None]
    ) -> None:
        """``system`` makes the platform's events, ``write`` takes every event for the log stream.

        ``as_json``: whether lines that are JSON objects are told as objects to subscribers.
        """
        self.system = system
        self._sandbox = sandbox
        self._as_json = as_json
        self._write = write
        self._loop = asyncio.get_running_loop()
        self._lines = LineSplitter()
        self._frames = FrameDecoder()
        self._extension_lines = LineSplitter()
        self._last_event_ms = 0
        self._tail: list[str] | None = None
        self._delivery: TelemetryDelivery | None = None

    # ---- reading

    def read_runtime(self) -> None:
        """Begin to read what the runtime writes; ``close`` ends it."""
        self._loop.add_reader(self._sandbox.output, self._read_output)
        self._loop.add_reader(self._sandbox.frames, self._read_frames)

    def read_extensions(self) -> None:
        """The same for external extensions, once the sandbox has some."""
        if self._sandbox.extension_output is not None:
            self._loop.add_reader(self._sandbox.extension_output, self._read_extensions)

    def close(self) -> None:
        """Read no more."""
        for descriptor in (self._sandbox.output, self._sandbox.frames, self._sandbox.extension_output):
            if descriptor is not None:
                self._loop.remove_reader(descriptor)

    def _read_output(self) -> None:
        data = _read(self._sandbox.output)
        if data:
            self._emit(self._lines.feed(data, now_ms()), "function")
        elif data == b"":
            self._loop.remove_reader(self._sandbox.output)

    def _read_frames(self) -> None:
        data = _read(self._sandbox.frames)
        if data:
            self._emit(self._frames.feed(data, now_ms(), self._last_event_ms), "function")
        elif data == b"":
            self._loop.remove_reader(self._sandbox.frames)

    def _read_extensions(self) -> None:
        descriptor = self._sandbox.extension_output
        assert descriptor is not None
        data = _read(descriptor)
        if data:
            self._emit(self._extension_lines.feed(data, now_ms()), "extension")
        elif data == b"":
            self._loop.remove_reader(descriptor)

    def drain(self) -> None:
        """Read all that is in the pipes now, and end an unfinished line."""
        time_ms = now_ms()
        for data in _read_waiting(self._sandbox.output):
            self._emit(self._lines.feed(data, time_ms), "function")
        for data in _read_waiting(self._sandbox.frames):
            self._emit(self._frames.feed(data, time_ms, self._last_event_ms), "function")
        if unfinished := self._lines.flush(time_ms):
            self._emit(unfinished, "function")
        self.drain_extensions()

    def drain_extensions(self) -> None:
        """The same for what extensions print; the runtime may be in the middle of a line."""
        if self._sandbox.extension_output is not None:
            time_ms = now_ms()
            for data in _read_waiting(self._sandbox.extension_output):
                self._emit(self._extension_lines.feed(data, time_ms), "extension")
            self._emit(self._extension_lines.flush(time_ms), "extension")

    # ---- telling

    def tell(self, events: list[LogEvent]) -> None:
        """Log events that ``system`` made; subscribers were told of them by it."""
        self._emit(events, None)

    def _emit(self, events: list[LogEvent], source: str | None) -> None:
        """Log events; ``source`` names them for telemetry."""
        if not events:
            return
        # Lines have the time of arrival, records their own: without this floor a record could stand before a line
        # that was written before it.
        self._last_event_ms = events[-1].timestamp_ms
        if self._tail is not None:
            # Far more than 4 KB is never needed, and a chatty function must not grow this.
            self._tail.extend(event.message for event in events[-TAIL_LIMIT:])
            if len(self._tail) > 2 * TAIL_LIMIT:
                del self._tail[:-TAIL_LIMIT]
        if source is not None and self._delivery is not None and self._delivery.wanted:
            for event in events:
                content = _content(event, self._as_json)
                self._delivery.add(Record(time_ms=event.timestamp_ms, kind=source, record=content))
        self._write(events)

    def begin_tail(self) -> None:
        """Keep the last events from now on."""
        self._tail = []

    def end_tail(self) -> bytes:
        """What was kept: at most ``TAIL_LIMIT`` bytes, nothing when ``begin_tail`` was not called."""
        messages, self._tail = self._tail, None
        return _tail_bytes(messages) if messages else b""

    # ---- subscribers

    def listen_for_subscribers(self) -> None:
        """There are extensions that may subscribe: keep for them what happens from now on."""
        if self._delivery is None:
            self._delivery = TelemetryDelivery(self._sandbox.open_socket, self._sandbox.address)
            self.system.observer = self._delivery.add

    def subscribe(self, subscription: Subscription) -> None:
        if self._delivery is None:
            return
        self._delivery.subscribe(subscription)
        self.tell(
            self.system.subscription(
                now_ms(), api=subscription.api, name=subscription.extension, types=subscription.shown_types()
            )
        )

    def close_subscription(self) -> None:
        """Nobody can subscribe any more; without a subscriber no record need be made."""
        if self._delivery is not None:
            self._delivery.close_subscription()
            self.system.observer = self._delivery.add if self._delivery.wanted else None

    @property
    def sending(self) -> bool:
        """Whether a subscriber is being talked to."""
        return self._delivery is not None and self._delivery.sending

    async def flush(self, limit_s: float) -> None:
        """Read what was written and send subscribers what they were not sent yet, within ``limit_s``."""
        if self._delivery is not None:
            self.drain()
            await self._delivery.flush(limit_s)

    def pause(self) -> None:
        """The processes stand still: nothing can be sent to them."""
        if self._delivery is not None:
            self._delivery.pause()

    def resume(self) -> None:
        if self._delivery is not None:
            self._delivery.resume()

    def stop_delivery(self) -> None:
        """Forget the subscribers: their processes are ended."""
        self.system.observer = None
        if self._delivery is not None:
            self._delivery.stop()
            self._delivery = None


def now_ms() -> int:
    """Epoch milliseconds, as log events and records have them."""
    return time.time_ns() // 1_000_000


def _content(event: LogEvent, as_json: bool) -> Mapping[str, Any] | str:
    """A line as telemetry has it: an object when the format is JSON and it is one."""
    text = event.message.removesuffix("\n")
    if as_json and text.startswith("{"):
        with contextlib.suppress(ValueError):
            parsed = json.loads(text)
            if isinstance(parsed, dict):
                return parsed
    return text


def _read(descriptor: int) -> bytes | None:
    """What is there, ``b""`` at the end, ``None`` when there is nothing now."""
    try:
        return os.read(descriptor, _READ_SIZE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _read_waiting(descriptor: int) -> Iterator[bytes]:
    """What is in a pipe at this moment, and no more: a process may go on writing as fast as it is read."""
    try:
        left = int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)
    except OSError:
        return
    while left > 0 and (data := _read(descriptor)):
        left -= len(data)
        yield data


def _tail_bytes(messages: list[str]) -> bytes:
    parts: list[bytes] = []
    size = 0
    for message in reversed(messages):
        data = message.encode()
        parts.append(data)
        size += len(data)
        if size >= TAIL_LIMIT:
            break
    # Text, not bytes: a character that the cut divides goes altogether.
    return b"".join(reversed(parts))[-TAIL_LIMIT:].lstrip(_CONTINUATIONS)
