"""From what a runtime writes to log events, without I/O: lines of stdout and stderr, frames of the telemetry pipe."""

from __future__ import annotations

import struct
from typing import Final

from firefork.telemetry.log_event import LogEvent

EVENT_LIMIT: Final = 256 * 1024
"""Bytes of one event; a longer line goes on in the next event."""

_FRAME_HEAD: Final = struct.Struct("!IIq")
_FRAME_MAGIC: Final = 0xA55A0000
_FRAME_LIMIT: Final = 8 * 1024 * 1024


class LineSplitter:
    """Splits a byte stream into events at newlines; a line keeps its newline, as CloudWatch shows it."""

    def __init__(self) -> None:
        self._partial = b""

    def feed(self, data: bytes, now_ms: int) -> list[LogEvent]:
        """Events of the lines that ``data`` completes."""
        if self._partial:
            data = self._partial + data
        *lines, self._partial = data.split(b"\n")
        events = [LogEvent(now_ms, _text(line) + "\n") for line in lines] if len(data) <= EVENT_LIMIT else []
        if not events and lines:
            for line in lines:
                events.extend(_pieces(line + b"\n", now_ms))
        while len(self._partial) > EVENT_LIMIT:
            end = _end_of_piece(self._partial, 0)
            events.append(LogEvent(now_ms, _text(self._partial[:end])))
            self._partial = self._partial[end:]
        return events

    def flush(self, now_ms: int) -> list[LogEvent]:
        """What was written without a newline so far, when its invoke is over."""
        partial, self._partial = self._partial, b""
        return _pieces(partial, now_ms) if partial else []


class FrameDecoder:
    """Decodes the runtime client's framed log records, so that a multi-line record is one event.

    A frame is type (4 bytes, 0xa55a…), length (4), timestamp in microseconds (8), all big-endian, then the text. Bytes
    that are no frame can only come from a function that writes to the descriptor itself; they are taken as lines.
    """

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes, now_ms: int, not_before_ms: int = 0) -> list[LogEvent]:
        """Events of the frames that ``data`` completes, at their own times, but none before ``not_before_ms``."""
        data = self._data + data if self._data else data
        events: list[LogEvent] = []
        position = 0
        while len(data) - position >= _FRAME_HEAD.size:
            kind, length, timestamp_us = _FRAME_HEAD.unpack_from(data, position)
            if kind & 0xFFFF0000 != _FRAME_MAGIC or length > _FRAME_LIMIT:
                end = data.find(b"\n", position) + 1 or len(data)
                events.extend(_pieces(data[position:end], now_ms))
                position = end
                continue
            start = position + _FRAME_HEAD.size
            if len(data) - start < length:
                break
            timestamp_ms = timestamp_us // 1000
            if not 0 <= now_ms - timestamp_ms < 86_400_000:
                timestamp_ms = now_ms
            timestamp_ms = max(timestamp_ms, not_before_ms)
            events.extend(_pieces(data[start : start + length], timestamp_ms))
            position = start + length
        self._data = data[position:]
        return events


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _pieces(data: bytes, timestamp_ms: int) -> list[LogEvent]:
    events = []
    start = 0
    while start < len(data):
        end = _end_of_piece(data, start)
        events.append(LogEvent(timestamp_ms, _text(data[start:end])))
        start = end
    return events


def _end_of_piece(data: bytes, start: int) -> int:
    """Where the event that begins at ``start`` ends: at the limit, but not within a character of UTF-8."""
    end = start + EVENT_LIMIT
    if end >= len(data):
        return len(data)
    for boundary in range(end, end - 4, -1):
        if data[boundary] & 0xC0 != 0x80:
            return boundary
    return end  # no UTF-8 at all
