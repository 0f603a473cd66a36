"""Whether an invoke may run now. Counts and token buckets; no clock, no socket, no event loop.

AWS: Lambda developer guide, "Understanding Lambda function scaling", "Configuring reserved concurrency" and
"Lambda quotas"; reasons and message of a refusal are those of TooManyRequestsException (fact sheet section 6.2).

Every invoke takes one slot, of the first kind that has room:

    provisioned   a ready environment of the version's provisioned concurrency
    reserved      what the function's reservation has beyond its provisioned concurrency
    unreserved    what the account has beyond all reservations and provisioned concurrency

A function with a reservation never takes an unreserved slot: the reservation is its ceiling as well as its floor.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, TypeVar

from firefork.aws.scope import Scope

REQUESTS_PER_CONCURRENCY: Final = 10
"""Requests per second for each unit of concurrency. AWS: Lambda quotas, "Invocation requests per second"."""
SCALING_BURST: Final = 1000
SCALING_PER_S: Final = 100.0
"""A function may grow by 1,000 environments every 10 seconds. AWS: developer guide, "Concurrency scaling rate"."""

_Key = TypeVar("_Key", bound=Hashable)

_BUSY_RETRY_S: Final = 1.0
"""What a caller is told to wait for a slot: nobody knows when one is free, and it may be at once."""


class Slot(enum.Enum):
    PROVISIONED = "provisioned"
    RESERVED = "reserved"
    UNRESERVED = "unreserved"


class Reason(enum.Enum):
    """botocore's ThrottleReason, those that an invoke can meet here."""

    CONCURRENCY = "ConcurrentInvocationLimitExceeded"
    RESERVED_CONCURRENCY = "ReservedFunctionConcurrentInvocationLimitExceeded"
    RATE = "FunctionInvocationRateLimitExceeded"
    RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """An invoke that wants to run, and what is configured for it at this moment."""

    scope: Scope
    name: str
    version: str
    reserved: int | None = None
    """The function's reserved concurrency; ``None`` without a reservation."""
    provisioned: int = 0
    """Ready environments of the version's provisioned concurrency."""
    provisioned_of_function: int = 0
    """The same, of all versions of the function."""
    set_aside: int = 0
    """Concurrency of the account that reservations and provisioned concurrency keep from the unreserved pool."""
    starts: bool = False
    """Whether it needs an environment that does not exist yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The invoke may run. Hand it to ``Admission.release`` when it ended."""

    scope: Scope
    name: str
    version: str
    slot: Slot
    spilled_over: bool
    """The version has provisioned concurrency, and all of it was busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The invoke is throttled."""

    reason: Reason
    retry_after_s: float | None
    """``None``: waiting does not help, the limit itself is zero."""


class TokenBucket:
    """A rate with a burst. ``now_s`` may be any clock that does not go back."""

    __slots__ = ("_at_s", "_level")

    def __init__(self, burst: float, now_s: float) -> None:
        self._level = burst
        self._at_s = now_s

    def wait_s(self, burst: float, per_s: float, now_s: float) -> float:
        """Seconds until one token is there: 0 when it is now. Limits are given anew: they may have been changed."""
        self._level = min(burst, self._level + (now_s - self._at_s) * per_s)
        self._at_s = now_s
        return 0.0 if self._level >= 1 else (1 - self._level) / per_s

    def take(self) -> None:
        """Take the token that ``wait_s`` found."""
        self._level -= 1


class Admission:
    """What runs now in every account and region, and how fast it came."""

    def __init__(self, account_concurrency: int) -> None:
        self._account_concurrency = account_concurrency
        self._running: Counter[Scope] = Counter()
        self._unreserved: Counter[Scope] = Counter()
        self._of_function: Counter[tuple[Scope, str]] = Counter()
        self._reserved: Counter[tuple[Scope, str]] = Counter()
        self._provisioned: Counter[tuple[Scope, str, str]] = Counter()
        self._requests: dict[tuple[Scope, str | None], TokenBucket] = {}
        self._growth: dict[tuple[Scope, str], TokenBucket] = {}

    def admit(self, demand: Demand, now_s: float) -> Admitted | Refusal:
        """Give the invoke a slot, or say why there is none. A refusal changes nothing: it costs no token."""
        slot = self._slot(demand)
        if isinstance(slot, Refusal):
            return slot
        buckets = [self._request_bucket(demand, now_s)]
        if demand.starts:
            buckets.append(self._growth_bucket(demand, now_s))
        for _, reason, wait_s in buckets:
            if wait_s > 0:
                return Refusal(reason=reason, retry_after_s=wait_s)
        for bucket, _, _ in buckets:
            bucket.take()
        admitted = Admitted(
            scope=demand.scope,
            name=demand.name,
            version=demand.version,
            slot=slot,
            spilled_over=demand.provisioned > 0 and slot is not Slot.PROVISIONED,
        )
        self._count(admitted, 1)
        return admitted

    def release(self, admitted: Admitted) -> None:
        """The invoke ended, however it did. Once for each ``Admitted``."""
        self._count(admitted, -1)

    def running(self, scope: Scope, name: str | None = None) -> int:
        """Invokes that hold a slot: of one function, or of all."""
        return self._running[scope] if name is None else self._of_function[scope, name]

    def forget(self, scope: Scope, name: str) -> None:
        """A function was deleted: how fast it came is of no interest any more. Its running invokes still count."""
        self._requests.pop((scope, name), None)
        self._growth.pop((scope, name), None)

    def _slot(self, demand: Demand) -> Slot | Refusal:
        scope, function = demand.scope, (demand.scope, demand.name)
        if demand.reserved == 0:
            return Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=None)
        if self._running[scope] >= self._account_concurrency:
            # Slots fit into the account; only for a while after a limit was changed they may not.
            retry_after_s = _BUSY_RETRY_S if self._account_concurrency else None
            return Refusal(reason=Reason.CONCURRENCY, retry_after_s=retry_after_s)
        if demand.reserved is not None and self._of_function[function] >= demand.reserved:
            return Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=_BUSY_RETRY_S)
        if self._provisioned[*function, demand.version] < demand.provisioned:
            return Slot.PROVISIONED
        if demand.reserved is not None:
            if self._reserved[function] < demand.reserved - demand.provisioned_of_function:
                return Slot.RESERVED
            return Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=_BUSY_RETRY_S)
        if self._unreserved[scope] < self._account_concurrency - demand.set_aside:
            return Slot.UNRESERVED
        return Refusal(reason=Reason.CONCURRENCY, retry_after_s=_BUSY_RETRY_S)

    def _request_bucket(self, demand: Demand, now_s: float) -> tuple[TokenBucket, Reason, float]:
        """Functions without a reservation share the account's rate, as they share its concurrency."""
        reserved = demand.reserved is not None
        concurrency = self._account_concurrency if demand.reserved is None else demand.reserved
        rate = float(REQUESTS_PER_CONCURRENCY * concurrency)
        key = (demand.scope, demand.name if reserved else None)
        bucket = self._requests.get(key)
        if bucket is None:
            bucket = self._requests[key] = TokenBucket(rate, now_s)
        return bucket, Reason.RESERVED_RATE if reserved else Reason.RATE, bucket.wait_s(rate, rate, now_s)

    def _growth_bucket(self, demand: Demand, now_s: float) -> tuple[TokenBucket, Reason, float]:
        key = (demand.scope, demand.name)
        bucket = self._growth.get(key)
        if bucket is None:
            bucket = self._growth[key] = TokenBucket(SCALING_BURST, now_s)
        return bucket, Reason.CONCURRENCY, bucket.wait_s(SCALING_BURST, SCALING_PER_S, now_s)

    def _count(self, admitted: Admitted, step: int) -> None:
        function = (admitted.scope, admitted.name)
        _add(self._running, admitted.scope, step)
        _add(self._of_function, function, step)
        if admitted.slot is Slot.PROVISIONED:
            _add(self._provisioned, (*function, admitted.version), step)
        elif admitted.slot is Slot.RESERVED:
            _add(self._reserved, function, step)
        else:
            _add(self._unreserved, admitted.scope, step)


def _add(counter: Counter[_Key], key: _Key, step: int) -> None:
    """Count, and forget what came to nothing: functions come and go."""
    counter[key] += step
    if not counter[key]:
        del counter[key]
