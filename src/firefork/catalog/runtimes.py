"""The runtime identifiers and their dates. Data, not code: AWS has moved block dates repeatedly.

AWS: Lambda developer guide, "Lambda runtimes"; fact sheet section 1.1 (later of two dates where sources disagree).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """One managed runtime, or one of the bases for custom ones."""

    identifier: str
    operating_system: str
    deprecated_on: date | None = None
    block_create_on: date | None = None
    block_update_on: date | None = None

    @property
    def python(self) -> tuple[int, int] | None:
        """The language version, ``None`` for custom runtimes."""
        if not self.identifier.startswith("python"):
            return None
        major, _, minor = self.identifier.removeprefix("python").partition(".")
        return int(major), int(minor)

    def creatable(self, today: date) -> bool:
        return self.block_create_on is None or today < self.block_create_on

    def updatable(self, today: date) -> bool:
        return self.block_update_on is None or today < self.block_update_on


def _runtime(identifier: str, system: str, *dates: str) -> RuntimeInfo:
    deprecated, create, update = (date.fromisoformat(text) for text in dates) if dates else (None, None, None)
    return RuntimeInfo(
        identifier=identifier,
        operating_system=system,
        deprecated_on=deprecated,
        block_create_on=create,
        block_update_on=update,
    )


_AL1, _AL2, _AL2023 = "Amazon Linux 1", "Amazon Linux 2", "Amazon Linux 2023"

RUNTIMES: Final[Mapping[str, RuntimeInfo]] = {
    runtime.identifier: runtime
    for runtime in (
        _runtime("python3.7", _AL1, "2023-12-04", "2024-01-09", "2026-09-30"),
        _runtime("python3.8", _AL2, "2024-10-14", "2027-02-01", "2027-03-03"),
        _runtime("python3.9", _AL2, "2025-12-15", "2027-02-01", "2027-03-03"),
        _runtime("python3.10", _AL2, "2026-10-31", "2026-11-30", "2027-01-15"),
        _runtime("python3.11", _AL2, "2027-06-30", "2027-07-31", "2027-08-31"),
        _runtime("python3.12", _AL2023, "2028-10-31", "2028-11-30", "2029-01-10"),
        _runtime("python3.13", _AL2023, "2029-06-30", "2029-07-31", "2029-08-31"),
        _runtime("python3.14", _AL2023, "2029-06-30", "2029-07-31", "2029-08-31"),
        _runtime("python3.15", _AL2023),
        _runtime("provided", _AL1, "2024-01-08", "2024-02-08", "2027-03-03"),  # create already refused (recorded)
        _runtime("provided.al2", _AL2, "2026-07-31", "2027-02-01", "2027-03-03"),
        _runtime("provided.al2023", _AL2023, "2029-06-30", "2029-07-31", "2029-08-31"),
    )
}

RETIRED: Final = frozenset(
    {
        *("nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x"),
        *("nodejs14.x", "python2.7", "python3.6", "ruby2.5", "ruby2.7", "java8", "go1.x"),
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1"),
    }
)
"""Identifiers of which AWS says that they are no longer supported, and that are not run here in any case."""


def creatable(today: date, *, allow_blocked: bool = False) -> list[str]:
    """Identifiers that functions may be created with."""
    return [name for name, runtime in RUNTIMES.items() if allow_blocked or runtime.creatable(today)]
