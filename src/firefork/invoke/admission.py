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
from dataclasses import dataclass
from typing import Final

from firefork.aws.record import record
from firefork.aws.scope import Scope

REQUESTS_PER_CONCURRENCY: Final = 10
"""Synchronous requests per second for each unit of concurrency. AWS: Lambda quotas, "Lambda API requests"."""
SCALING_BURST: Final = 1000
SCALING_PER_S: Final = 100.0
"""A function may grow by 1,000 environments every 10 seconds. AWS: developer guide, "Concurrency scaling rate"."""

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


@record
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
    has_rate: bool = True
    """Whether it counts as a request: asynchronous invokes are limited by concurrency alone."""


@record
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


class _Function:
    """What runs of one function, and how fast it came."""

    __slots__ = ("growth", "provisioned", "requests", "reserved", "running")

    def __init__(self) -> None:
        self.running = 0
        self.reserved = 0
        self.provisioned: dict[str, int] = {}
        """By version."""
        self.requests: TokenBucket | None = None
        self.growth: TokenBucket | None = None


class _Account:
    """What runs of one account in one region."""

    __slots__ = ("functions", "requests", "running", "unreserved")

    def __init__(self) -> None:
        self.running = 0
        self.unreserved = 0
        self.requests: TokenBucket | None = None
        """Functions without a reservation share the account's rate, as they share its concurrency."""
        self.functions: dict[str, _Function] = {}


class Admission:
    """What runs now in every account and region. Every invoke passes here: a few look-ups, whatever there is."""

    def __init__(self, account_concurrency: int) -> None:
        self._account_concurrency = account_concurrency
        self._accounts: dict[Scope, _Account] = {}

    def admit(self, demand: Demand, now_s: float) -> Admitted | Refusal:
        """Give the invoke a slot, or say why there is none. A refusal changes nothing: it costs no token."""
        account = self._accounts.get(demand.scope)
        if account is None:
            account = self._accounts[demand.scope] = _Account()
        function = account.functions.get(demand.name)
        if function is None:
            function = account.functions[demand.name] = _Function()
        slot = self._slot(demand, account, function)
        if isinstance(slot, Refusal):
            return slot
        refusal = self._take_tokens(demand, account, function, now_s)
        if refusal is not None:
            return refusal
        _count(account, function, slot, demand.version, 1)
        return Admitted(
            scope=demand.scope,
            name=demand.name,
            version=demand.version,
            slot=slot,
            spilled_over=demand.provisioned > 0 and slot is not Slot.PROVISIONED,
        )

    def release(self, admitted: Admitted) -> None:
        """The invoke ended, however it did. Once for each ``Admitted``."""
        account = self._accounts[admitted.scope]
        _count(account, account.functions[admitted.name], admitted.slot, admitted.version, -1)

    def running(self, scope: Scope, name: str | None = None) -> int:
        """Invokes that hold a slot: of one function, or of all."""
        account = self._accounts.get(scope)
        if account is None:
            return 0
        if name is None:
            return account.running
        function = account.functions.get(name)
        return function.running if function is not None else 0

    def forget(self, scope: Scope, name: str) -> None:
        """A function was deleted: how fast it came is of no interest any more. Its running invokes still count."""
        account = self._accounts.get(scope)
        function = account.functions.get(name) if account is not None else None
        if account is None or function is None:
            return
        if function.running:
            function.requests = function.growth = None
        else:
            del account.functions[name]

    def _slot(self, demand: Demand, account: _Account, function: _Function) -> Slot | Refusal:
        reserved = demand.reserved
        if reserved == 0:
            return Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=None)
        if account.running >= self._account_concurrency:
            # Slots fit into the account; only for a while after a limit was changed they may not.
            retry_after_s = _BUSY_RETRY_S if self._account_concurrency else None
            return Refusal(reason=Reason.CONCURRENCY, retry_after_s=retry_after_s)
        if reserved is not None and function.running >= reserved:
            return Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=_BUSY_RETRY_S)
        if demand.provisioned and function.provisioned.get(demand.version, 0) < demand.provisioned:
            return Slot.PROVISIONED
        if reserved is not None:
            if function.reserved < reserved - demand.provisioned_of_function:
                return Slot.RESERVED
            return Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=_BUSY_RETRY_S)
        if account.unreserved < self._account_concurrency - demand.set_aside:
            return Slot.UNRESERVED
        return Refusal(reason=Reason.CONCURRENCY, retry_after_s=_BUSY_RETRY_S)

    def _take_tokens(self, demand: Demand, account: _Account, function: _Function, now_s: float) -> Refusal | None:
        """One request's, and one environment's if it needs one; none of them when one is missing."""
        owner: _Account | _Function = account if demand.reserved is None else function
        concurrency = self._account_concurrency if demand.reserved is None else demand.reserved
        rate = float(REQUESTS_PER_CONCURRENCY * concurrency)
        if owner.requests is None:
            owner.requests = TokenBucket(rate, now_s)
        wait_s = owner.requests.wait_s(rate, rate, now_s)
        if demand.has_rate and wait_s > 0:
            reason = Reason.RATE if demand.reserved is None else Reason.RESERVED_RATE
            return Refusal(reason=reason, retry_after_s=wait_s)
        if demand.starts:
            if function.growth is None:
                function.growth = TokenBucket(SCALING_BURST, now_s)
            wait_s = function.growth.wait_s(SCALING_BURST, SCALING_PER_S, now_s)
            if wait_s > 0:
                return Refusal(reason=Reason.CONCURRENCY, retry_after_s=wait_s)
            function.growth.take()
        if demand.has_rate:
            owner.requests.take()
        return None


def _count(account: _Account, function: _Function, slot: Slot, version: str, step: int) -> None:
    account.running += step
    function.running += step
    if slot is Slot.UNRESERVED:
        account.unreserved += step
    elif slot is Slot.RESERVED:
        function.reserved += step
    else:
        function.provisioned[version] = function.provisioned.get(version, 0) + step
