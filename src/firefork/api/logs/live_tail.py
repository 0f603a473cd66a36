"""StartLiveTail. AWS: CloudWatch Logs API reference, StartLiveTail, LiveTailSessionUpdate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.logs.groups import group_name
from firefork.aws.errors import InvalidParameter
from firefork.aws.scope import Scope
from firefork.store.clock import new_id
from firefork.telemetry.filter_pattern import Predicate, compile_pattern
from firefork.telemetry.live_tail import LiveTail, LiveTails, Selection
from firefork.telemetry.log_store import LogStore

SESSION_LIMIT_S: Final = 3 * 3600.0
UPDATE_EVERY_S: Final = 1.0


def _compiled(pattern: str) -> Predicate:
    """A refusal says more than FilterLogEvents' does: published in DefangLabs/defang#1008."""
    try:
        return compile_pattern(pattern)
    except InvalidParameter as error:
        if error.message.startswith("Invalid character(s)"):
            raise InvalidParameter(f"Invalid filter pattern: {error.message}") from None
        raise


class LiveTailSessions:
    """Belongs to the event loop."""

    def __init__(self, store: LogStore, tails: LiveTails, *, session_limit_s: float = SESSION_LIMIT_S) -> None:
        self._store = store
        self._tails = tails
        self._limit_s = session_limit_s
        self._open: set[_Session] = set()

    async def start_live_tail(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        identifiers: list[str] = request["logGroupIdentifiers"]
        streams, prefixes = request.get("logStreamNames"), request.get("logStreamNamePrefixes")
        if streams and prefixes:
            raise InvalidParameter("logStreamNames and logStreamNamePrefixes cannot be used together.")
        if (streams or prefixes) and len(identifiers) > 1:
            raise InvalidParameter("Log streams can only be chosen when there is one log group identifier.")
        for identifier in identifiers:
            if not identifier.startswith("arn:"):
                raise InvalidParameter(f"logGroupIdentifiers must be ARNs of log groups: {identifier}")
        groups = {group_name(call.scope, identifier) for identifier in identifiers}
        pattern = request.get("logEventFilterPattern") or ""
        selection = Selection(
            groups=groups,
            matches=_compiled(pattern),
            streams=set(streams) if streams else None,
            prefixes=tuple(prefixes) if prefixes else None,
        )
        await asyncio.to_thread(self._check_groups, call.scope, groups)
        session = _Session(self._tails.open(call.scope, selection), call, request, self._limit_s, self._ended)
        self._open.add(session)
        return {"responseStream": session}

    def _ended(self, session: _Session) -> None:
        self._tails.close(session.tail)
        self._open.discard(session)

    def _check_groups(self, scope: Scope, groups: set[str]) -> None:
        """Raises LogsResourceNotFound."""
        for group in groups:
            self._store.group(scope, group)

    def end_all(self) -> None:
        """The server stops: all streams come to their end."""
        for session in list(self._open):
            session.abandon()


class _Session:
    """The events of one answer: sessionStart, then an update each second until somebody has enough."""

    def __init__(
        self,
        tail: LiveTail,
        call: Call,
        request: Mapping[str, Any],
        limit_s: float,
        ended: Callable[[_Session], None],
    ) -> None:
        self.tail = tail
        self._ended = ended
        self._call = call
        self._request = request
        self._ends_at_s = time.monotonic() + limit_s
        self._abandoned = asyncio.Event()

    def abandon(self) -> None:
        """Nobody reads any more."""
        self._abandoned.set()
        self._ended(self)

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        try:
            yield {"sessionStart": self._start()}
            while not await self._is_over():
                yield {"sessionUpdate": self._update()}
            if not self._abandoned.is_set():
                yield {"SessionTimeoutException": {"message": "The session has reached its time limit."}}
        finally:
            self._ended(self)

    async def _is_over(self) -> bool:
        """After a second, or when the session ends before."""
        left_s = self._ends_at_s - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, min(UPDATE_EVERY_S, left_s))):
                await self._abandoned.wait()
        except TimeoutError:
            return left_s <= UPDATE_EVERY_S
        return True

    def _start(self) -> dict[str, Any]:
        shown = ("logGroupIdentifiers", "logStreamNames", "logStreamNamePrefixes", "logEventFilterPattern")
        return {
            "requestId": self._call.request_id,
            "sessionId": new_id(),
            **{name: self._request[name] for name in shown if name in self._request},
        }

    def _update(self) -> dict[str, Any]:
        events, sampled = self.tail.take()
        scope = self._call.scope
        return {
            "sessionMetadata": {"sampled": sampled},
            "sessionResults": [
                {
                    "logGroupIdentifier": f"{scope.account}:{event.group}",
                    "logStreamName": event.stream,
                    "timestamp": event.timestamp_ms,
                    "ingestionTime": event.ingested_ms,
                    "message": event.message,
                }
                for event in events
            ],
        }
