"""The course of one invoke: what happened when, and the report that comes of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from firefork.engine import failures
from firefork.engine.environment_log import now_ms
from firefork.engine.failures import Failure
from firefork.engine.reports import Report, Span, billed_ms
from firefork.engine.runtime_api import Responded
from firefork.engine.spec import ExecutionSpec
from firefork.engine.trace import Trace


@dataclass(slots=True, kw_only=True)
class InvokeCourse:
    """One invoke in progress. Times are readings of time.perf_counter()."""

    spec: ExecutionSpec
    request_id: str
    started_s: float
    init_ms: float | None
    """Of the environment's init, where this is its first invoke."""
    restore_ms: float | None
    trace: Trace | None
    tracing: Mapping[str, str] | None = None
    """The trace context of records."""
    first_byte_s: float | None = None
    answered_s: float = 0.0
    polled_s: float = 0.0
    """When the runtime asked for its next event."""
    produced_bytes: int = 0
    told_done: bool = False
    """Whether it was told that the runtime is done with it."""

    @property
    def deadline_s(self) -> float:
        return self.started_s + self.spec.timeout_s

    def report(
        self,
        answer: Responded | None,
        failure: Failure | None,
        *,
        max_memory_used_mb: int,
        with_spans: bool,
        after: tuple[Span, ...] = (),
    ) -> Report:
        """What the invoke cost, ``after`` included: the parts of its time that came after the answer.

        ``with_spans``: whether somebody hears of how long the runtime took for what.
        """
        status, error_type, told_error_type = "success", None, None
        if failure is not None:
            status, error_type = failure.status, failure.log_error_type
            told_error_type = error_type if status != "timeout" else None
        elif answer is not None and answer.failed:
            status = "error"
            told_error_type = failures.logged_error_type(answer.error_type)
            if answer.error_type == "Function.ResponseSizeTooLarge" or answer.streamed:
                error_type = told_error_type
        duration_ms = (self.answered_s - self.started_s) * 1000
        if failure is not None and status == "timeout":
            duration_ms = self.spec.timeout_s * 1000.0
        tail_ms = sum(span.duration_ms for span in after)
        return Report(
            request_id=self.request_id,
            duration_ms=duration_ms,
            billed_ms=billed_ms(duration_ms + (tail_ms if status != "timeout" else 0.0), self.init_ms),
            memory_mb=self.spec.memory_mb,
            max_memory_used_mb=max_memory_used_mb,
            init_ms=self.init_ms,
            restore_ms=self.restore_ms,
            status=status,
            error_type=error_type if status != "timeout" else None,
            told_error_type=told_error_type,
            trace=self.trace,
            tracing=self.tracing,
            produced_bytes=self.produced_bytes if answer is not None else None,
            runtime_spans=self._runtime_spans() if with_spans else (),
            spans=after,
        )

    def _runtime_spans(self) -> tuple[Span, ...]:
        """How long the first byte, the rest of the answer, and the runtime's way to its next call took."""
        first, answered = self.first_byte_s, self.answered_s
        if first is None:
            return ()
        marks = (
            ("responseLatency", self.started_s, first),
            ("responseDuration", first, answered),
            ("runtimeOverhead", answered, max(self.polled_s, answered)),
        )
        return tuple(_span(name, begin, end) for name, begin, end in marks)

    def extension_spans(self) -> tuple[Span, ...]:
        """How long the extensions have been at work since the runtime was done."""
        return (_span("extensionOverhead", max(self.polled_s, self.answered_s), time.perf_counter()),)


def _span(name: str, begin: float, end: float) -> Span:
    """Between two readings of time.perf_counter()."""
    start_ms = now_ms() - int((time.perf_counter() - begin) * 1000)
    return Span(name=name, start_ms=start_ms, duration_ms=max(0.0, (end - begin) * 1000))
