"""What an environment is asked to run, and what comes of it."""

from __future__ import annotations

from firefork.aws.record import record
from firefork.engine.reports import Report
from firefork.engine.response_stream import ResponseStream
from firefork.engine.trace import Trace


@record
class Invocation:
    """One event on its way to a function."""

    request_id: str
    payload: bytes
    invoked_function_arn: str
    trace_id: str | None = None
    """The trace header that the runtime gets."""
    trace: Trace | None = None
    """Set when the function's tracing is active."""
    client_context: str | None = None
    wants_tail: bool = False
    """Whether the caller waits for the log tail, which ends with REPORT: extensions are awaited then."""
    stream: ResponseStream | None = None
    """Takes the parts of a streamed answer while they come; whoever made it finishes it."""


@record
class Outcome:
    """What an invoke came to."""

    payload: bytes
    """Empty when it was streamed."""
    failed: bool
    report: Report
    """As known when the answer was there."""
    log_tail: bytes
    """At most 4 KB of this invoke's log, START to REPORT; empty unless it was asked for."""
    streamed: bool = False
    content_type: str = "application/json"
