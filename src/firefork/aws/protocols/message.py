"""HTTP messages as the protocols see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A whole request. ``path`` and ``query`` are undecoded; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A whole answer, or one whose body comes in parts."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    stream: AsyncIterator[bytes] | None = None
    """Instead of ``body``."""
    abandon: Callable[[], None] | None = None
    """Called when the client leaves before the end of ``stream``, which then comes to its end; without it the stream
    goes on: whoever produces its parts must be able to finish.
    """
