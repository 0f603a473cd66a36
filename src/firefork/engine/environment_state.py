"""The states of an execution environment, as one table.

AWS: Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final


class EnvironmentState(enum.Enum):
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SETTLING = "settling"
    """The caller has its answer; the runtime or an extension is not done yet."""
    ENDING = "ending"
    """The caller has its answer, a failure; the processes are being ended."""
    BROKEN = "broken"
    """The runtime failed or was ended; it is started again by the next invoke, with ``/tmp`` kept."""
    CLOSED = "closed"

    __hash__ = object.__hash__
    """By identity: Enum's own hashes the name anew, for each look-up in the table below."""


TRANSITIONS: Final[Mapping[EnvironmentState, frozenset[EnvironmentState]]] = {
    EnvironmentState.STARTING: frozenset({EnvironmentState.IDLE, EnvironmentState.BROKEN, EnvironmentState.CLOSED}),
    EnvironmentState.IDLE: frozenset({EnvironmentState.BUSY, EnvironmentState.BROKEN, EnvironmentState.CLOSED}),
    EnvironmentState.BUSY: frozenset({EnvironmentState.SETTLING, EnvironmentState.CLOSED}),
    EnvironmentState.SETTLING: frozenset({EnvironmentState.IDLE, EnvironmentState.ENDING, EnvironmentState.CLOSED}),
    EnvironmentState.ENDING: frozenset({EnvironmentState.BROKEN, EnvironmentState.CLOSED}),
    EnvironmentState.BROKEN: frozenset({EnvironmentState.BUSY, EnvironmentState.CLOSED}),
    EnvironmentState.CLOSED: frozenset(),
}
"""Every change of an environment's state; the diagram in docs/lifecycle.md is made from this table."""


class IllegalStateChange(Exception):
    """A change that is not in the table; the environment stays what it was. Only a mistake of ours can ask for one."""

    def __init__(self, before: EnvironmentState, after: EnvironmentState) -> None:
        super().__init__(f"an environment that is {before.value} cannot become {after.value}")
        self.before = before
        self.after = after


def advance(before: EnvironmentState, after: EnvironmentState) -> EnvironmentState:
    """The state after a change from ``before`` to ``after``. Raises IllegalStateChange."""
    if after not in TRANSITIONS[before]:
        raise IllegalStateChange(before, after)
    return after
