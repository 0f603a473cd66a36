"""What an observer of invokes is told: plain values, from which metrics can be made.

AWS: Lambda developer guide, "Types of metrics for Lambda functions" (fact sheet section 10.1) names what is counted.
"""

from __future__ import annotations

from collections.abc import Callable

from firefork.aws.record import record
from firefork.aws.scope import Scope
from firefork.engine.reports import Report
from firefork.invoke.admission import Reason, Slot


@record
class InvokeStarted:
    """An invoke got its slot."""

    scope: Scope
    name: str
    version: str
    qualifier: str | None
    """The version or alias that the caller named."""
    slot: Slot
    spilled_over: bool
    """It runs on demand although its version has provisioned concurrency."""
    provisioned: int
    """Ready environments of the version's provisioned concurrency."""


@record
class InvokeEnded:
    """An invoke gave its slot back, whatever came of it."""

    start: InvokeStarted
    started_ms: int
    """Epoch milliseconds; metrics go by this time."""
    report: Report | None
    """What it cost; ``None`` if it never reached an environment."""
    failed: bool
    """Whether the function answered with an error, or not at all."""


@record
class InvokeThrottled:
    """An invoke was refused with 429; it counts as neither an invocation nor an error."""

    scope: Scope
    name: str
    version: str
    qualifier: str | None
    reason: Reason


@record
class EventReceived:
    """An asynchronous invoke was accepted."""

    scope: Scope
    name: str
    version: str
    qualifier: str | None


Observation = InvokeStarted | InvokeEnded | InvokeThrottled | EventReceived
Observer = Callable[[Observation], None]
