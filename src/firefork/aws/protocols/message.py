"""HTTP messages as the protocols see them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from firefork.aws.record import record


@record
class HttpRequest:
    """A whole request. ``path`` and ``query`` are undecoded; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@record
class HttpAnswer:
    """A whole answer, or one whose body comes in parts."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    stream: AsyncIterator[bytes] | None = None
    """Instead of ``body``. Read to its end whether the client is there or not: who produces it has to finish."""
    length: int | None = None
    """What is told to the client: needed where ``body`` is not all, for a ``stream`` or the answer to a HEAD."""
    abandon: Callable[[], None] | None = None
    """Called when the client leaves before the end of ``stream``, which then comes to its end by itself."""
