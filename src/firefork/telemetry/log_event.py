"""A log event on its way to the store."""

from __future__ import annotations

from typing import NamedTuple


class LogEvent(NamedTuple):
    """One entry of a log stream. AWS: CloudWatch Logs API, InputLogEvent."""

    timestamp_ms: int
    """Epoch milliseconds."""
    message: str
