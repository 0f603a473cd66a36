"""The machine's memory as a limit: what environments are charged, and who gives way for a new one.

The rule. An environment is charged what it was measured to use, not what it is configured to have: its control
group's working set (usage without inactive page cache), or the proportional set size of its processes where there is
no memory controller. Pages that it still shares with its zygote are not its own. One that has not been measured yet
is charged what its version's largest one used, or ``FIRST_ESTIMATE`` for a version's first; never more than its
configured size.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

_Tenant = TypeVar("_Tenant")

_MIB: Final = 1024 * 1024

FIRST_ESTIMATE: Final = 32 * _MIB
BUDGET_SHARE: Final = 0.8
"""Of the memory that is available when the server starts; zygotes and the server itself live on the rest."""
FUNCTION_SHARE: Final = 0.9
"""Of the budget that one function may fill: a flooding one leaves room for another's first environment."""


class MemoryExhausted(Exception):
    """No room for one more environment, though every idle one that may go has been counted; says who has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle(Generic[_Tenant]):
    """An environment that may be ended for another."""

    tenant: _Tenant
    owner: Hashable
    bytes: int
    since_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Room(Generic[_Tenant]):
    """What ``make_room`` decided."""

    evictions: Sequence[_Tenant]
    fits: bool


def make_room(
    *, need: int, budget: int, used: int, used_by_owner: int, owner: Hashable, idle: Iterable[Idle[_Tenant]]
) -> Room[_Tenant]:
    """Who has to go so that ``owner`` may have ``need`` bytes more: the longest idle first, nobody once it fits.

    All sizes in bytes. Nobody goes, either, when all of them would not be enough.
    """
    if used + need <= budget and used_by_owner + need <= budget * FUNCTION_SHARE:
        return Room(evictions=(), fits=True)  # nobody's idle time is asked for where there is room, as there mostly is
    evictions: list[_Tenant] = []
    allowance = budget * FUNCTION_SHARE
    for candidate in sorted(idle, key=lambda candidate: candidate.since_s):
        if used + need <= budget and used_by_owner + need <= allowance:
            break
        if used + need <= budget and candidate.owner != owner:
            continue  # the machine has room: only the function's own share is full
        evictions.append(candidate.tenant)
        used -= candidate.bytes
        if candidate.owner == owner:
            used_by_owner -= candidate.bytes
    fits = used + need <= budget and used_by_owner + need <= allowance
    return Room(evictions=evictions if fits else (), fits=fits)


class MemoryLedger:
    """Who is charged how much; sums are kept, so that asking costs the same with one environment and with 500."""

    def __init__(self, budget: int) -> None:
        """``budget`` in bytes."""
        self.budget = budget
        self.used = 0
        self._charges: dict[Hashable, tuple[Hashable, int]] = {}
        self._by_owner: Counter[Hashable] = Counter()

    def charge(self, tenant: Hashable, owner: Hashable, size: int) -> None:
        """Charge ``tenant`` of ``owner`` these bytes from now on, instead of what it had."""
        self.release(tenant)
        self._charges[tenant] = (owner, size)
        self._by_owner[owner] += size
        self.used += size

    def release(self, tenant: Hashable) -> None:
        """The tenant is gone; one that is not known is no error."""
        owner, size = self._charges.pop(tenant, (None, 0))
        self.used -= size
        self._by_owner[owner] -= size
        if not self._by_owner[owner]:
            del self._by_owner[owner]

    def __contains__(self, tenant: Hashable) -> bool:
        return tenant in self._charges

    def charged(self, tenant: Hashable) -> int:
        return self._charges.get(tenant, (None, 0))[1]

    def used_by(self, owner: Hashable) -> int:
        return self._by_owner[owner]


def default_budget(*, meminfo: Path = Path("/proc/meminfo"), group_limit: int | None = None) -> int:
    """Bytes that environments may use when no option says it: a share of what this machine or container has left.

    Source: proc(5), MemAvailable. ``group_limit`` is the limit of the control group that the server lives in.
    """
    available = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if meminfo.exists():  # not so on macOS
        for line in meminfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                available = int(value.split()[0]) * 1024
    if group_limit is not None:
        available = min(available, group_limit)
    return int(available * BUDGET_SHARE)
