"""An invoke's place in an X-Ray trace: headers, identifiers, and which invokes are traced.

Nothing is sent anywhere: what X-Ray's SDKs and extensions need is there, who collects it is the user's choice.
Source: AWS X-Ray developer guide, "Tracing header" and "Sampling rules"; AWS Lambda developer guide, "Visualize Lambda
function invocations using AWS X-Ray" (fact sheet section 10.2).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from firefork.store.clock import random_hex

_ROOT: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_ID: Final = re.compile(r"[0-9a-f]{16}")
SHARE: Final = 0.05
"""Of the invokes of a function beyond the first one of each second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One invoke of a function whose tracing is active."""

    root: str
    """The trace's id: ``1-<8 hex, epoch seconds>-<24 hex>``."""
    segment_id: str
    """Of the function's own segment, 16 hex: the parent of whatever the function calls."""
    parent_id: str
    """Of the segment above it."""
    sampled: bool
    lineage: str | None = None

    @property
    def header(self) -> str:
        """As the runtime gets it, in ``_X_AMZN_TRACE_ID``."""
        return self._below(self.segment_id)

    @property
    def record(self) -> dict[str, str]:
        """The trace context of telemetry records. AWS: Telemetry API schema reference, "TraceContext"."""
        return {"spanId": self.segment_id, "type": "X-Amzn-Trace-Id", "value": self._below(self.parent_id)}

    def _below(self, parent: str) -> str:
        tail = f";Lineage={self.lineage}" if self.lineage else ""
        return f"Root={self.root};Parent={parent};Sampled={int(self.sampled)}{tail}"


class Sampler:
    """X-Ray's default rule for each function: the first invoke of every second, and one in twenty of the others."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """``chance`` gives numbers from 0 up to 1."""
        self._chance = chance
        self._seconds: dict[Hashable, int] = {}

    def wants(self, function: Hashable, now_s: float) -> bool:
        second = int(now_s)
        if self._seconds.get(function) != second:
            self._seconds[function] = second
            return True
        return self._chance() < SHARE

    def forget(self, function: Hashable) -> None:
        self._seconds.pop(function, None)


def trace_of(given: str | None, wants: Callable[[], bool]) -> Trace:
    """The trace of an invoke that came with the header ``given``.

    What the header says counts, its decision whether to sample as well; ``wants`` decides where it says nothing.
    """
    parts = dict(part.strip().partition("=")[::2] for part in (given or "").split(";"))
    root, parent, sampled = parts.get("Root", ""), parts.get("Parent", ""), parts.get("Sampled")
    return Trace(
        root=root if _ROOT.fullmatch(root) else _new_root(),
        parent_id=parent if _ID.fullmatch(parent) else random_hex(16),
        segment_id=random_hex(16),
        sampled=wants() if sampled not in ("0", "1") else sampled == "1",
        lineage=parts.get("Lineage"),
    )


def unsampled_header() -> str:
    """For an invoke that came without a trace header, of a function whose tracing is not active."""
    return f"Root={_new_root()};Parent={random_hex(16)};Sampled=0"


def _new_root() -> str:
    return f"1-{int(time.time()):08x}-{random_hex(24)}"
