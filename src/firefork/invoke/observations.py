"""What an observer of invokes is told: plain values, from which metrics can be made.

AWS: Lambda developer guide, "Types of metrics for Lambda functions" (fact sheet section 10.1) names what is counted:
ConcurrentExecutions, Throttles, ProvisionedConcurrencyInvocations, ProvisionedConcurrencySpilloverInvocations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firefork.aws.scope import Scope
from firefork.invoke.admission import Reason, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeStarted:
    """An invoke got its slot. The counts include it."""

    scope: Scope
    name: str
    version: str
    slot: Slot
    spilled_over: bool
    """It runs on demand although its version has provisioned concurrency."""
    concurrent: int
    """Running invokes of the account and region."""
    concurrent_of_function: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeEnded:
    """An invoke gave its slot back, whatever came of it. The counts are without it."""

    scope: Scope
    name: str
    version: str
    slot: Slot
    concurrent: int
    concurrent_of_function: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeThrottled:
    """An invoke was refused with 429; it counts as neither an invocation nor an error."""

    scope: Scope
    name: str
    version: str
    reason: Reason


Observation = InvokeStarted | InvokeEnded | InvokeThrottled
Observer = Callable[[Observation], None]
