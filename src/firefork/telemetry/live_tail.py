"""Live tails: who watches log groups while events come in. AWS: CloudWatch Logs user guide, "Live Tail".

The log store tells of events when they are written, on its own thread; each tail keeps those that it wants until its
reader takes them, and no more than it may show in a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from firefork.aws.errors import LogsLimitExceeded
from firefork.aws.scope import Scope
from firefork.store.clock import now_ms
from firefork.telemetry.log_event import LogEvent

EVENTS_LIMIT: Final = 500
"""Events that a tail shows of one second; of more it shows the first ones and says so."""
TAILS_LIMIT: Final = 15
"""Tails of an account and region at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a tail wants to see."""

    groups: Collection[str]
    matches: Callable[[str], bool]
    streams: Collection[str] | None = None
    prefixes: tuple[str, ...] | None = None

    def takes(self, group: str, stream: str) -> bool:
        return (
            group in self.groups
            and (self.streams is None or stream in self.streams)
            and (self.prefixes is None or stream.startswith(self.prefixes))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TailedEvent:
    group: str
    stream: str
    timestamp_ms: int
    ingested_ms: int
    message: str


class LiveTail:
    """Events that wait for one reader. Thread-safe."""

    def __init__(self, scope: Scope, selection: Selection) -> None:
        self.scope = scope
        self._selection = selection
        self._lock = threading.Lock()
        self._waiting: list[TailedEvent] = []
        self._sampled = False

    def offer(self, group: str, stream: str, events: Sequence[LogEvent], ingested_ms: int) -> None:
        if not self._selection.takes(group, stream):
            return
        found = [event for event in events if self._selection.matches(event.message)]
        with self._lock:
            room = EVENTS_LIMIT - len(self._waiting)
            self._sampled = self._sampled or len(found) > room
            self._waiting += [
                TailedEvent(
                    group=group,
                    stream=stream,
                    timestamp_ms=event.timestamp_ms,
                    ingested_ms=ingested_ms,
                    message=event.message,
                )
                for event in found[:room]
            ]

    def take(self) -> tuple[Sequence[TailedEvent], bool]:
        """What came since the last time, and whether there was more of it."""
        with self._lock:
            (events, self._waiting), (sampled, self._sampled) = (self._waiting, []), (self._sampled, False)
        return events, sampled


class LiveTails:
    """The tails of all accounts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tails: set[LiveTail] = set()

    def open(self, scope: Scope, selection: Selection) -> LiveTail:
        """Raises LogsLimitExceeded."""
        tail = LiveTail(scope, selection)
        with self._lock:
            if sum(known.scope == scope for known in self._tails) >= TAILS_LIMIT:
                raise LogsLimitExceeded(f"There can be at most {TAILS_LIMIT} concurrent Live Tail sessions.")
            self._tails.add(tail)
        return tail

    def close(self, tail: LiveTail) -> None:
        with self._lock:
            self._tails.discard(tail)

    def offer(self, scope: Scope, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """A listener of the log store."""
        if not self._tails:
            return
        with self._lock:
            interested = [tail for tail in self._tails if tail.scope == scope]
        moment_ms = now_ms()
        for tail in interested:
            tail.offer(group, stream, events, moment_ms)
