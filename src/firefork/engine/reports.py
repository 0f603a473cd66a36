"""The platform's own log lines: INIT_START, START, END, REPORT, INIT_REPORT, as text or as JSON records.

AWS: Lambda developer guide, "Log system events"; wording and separators as recorded (fact sheet section 7.2), JSON
records as in the Telemetry API's schema (section 4.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from firefork.aws.record import record
from firefork.catalog.function import LoggingConfig
from firefork.engine.telemetry_api import Record, show_time
from firefork.engine.trace import Trace
from firefork.telemetry.log_event import LogEvent

_LEVELS: Final = {"DEBUG": 0, "INFO": 1, "WARN": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A named part of an invoke's time. AWS: Telemetry API schema reference, "Spans"."""

    name: str
    start_ms: int
    """Epoch milliseconds."""
    duration_ms: float

    def shown(self) -> dict[str, object]:
        return {"name": self.name, "start": show_time(self.start_ms), "durationMs": round(self.duration_ms, 3)}


@record
class Report:
    """What one invoke cost."""

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_used_mb: int
    init_ms: float | None = None
    status: str = "success"
    error_type: str | None = None
    """Set where AWS adds a Status part: timeouts, exits, out of memory."""
    told_error_type: str | None = None
    """As records have it: exceptions of the handler have one there, too."""
    trace: Trace | None = None
    """Set when the function's tracing is active."""
    tracing: Mapping[str, str] | None = None
    """The trace context of records."""
    restore_ms: float | None = None
    produced_bytes: int | None = None
    """Length of the runtime's answer."""
    runtime_spans: tuple[Span, ...] = ()
    """responseLatency, responseDuration, runtimeOverhead: parts of platform.runtimeDone."""
    spans: tuple[Span, ...] = ()
    """extensionOverhead: part of platform.report."""


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """Whole milliseconds, init included (AWS bills init for every configuration since August 2025)."""
    return math.ceil(round(duration_ms + (init_ms or 0.0), 6))


Observer = Callable[[Record], None]


class SystemLog:
    """Makes platform events: log lines in the format that the function's logging configuration asks for, and records
    for whoever observes.
    """

    def __init__(
        self,
        logging: LoggingConfig,
        *,
        runtime_label: str,
        runtime_version_arn: str,
        name: str,
        version: str,
        initialization_type: str = "on-demand",
        instance_id: str = "",
        instance_memory_mb: int = 0,
    ):
        """``instance_id`` is what records call the environment: AWS takes the name of its log stream."""
        self._json = logging.log_format == "JSON"
        self._threshold = _LEVELS.get(logging.system_log_level or "INFO", 1)
        self._label = runtime_label
        self._arn = runtime_version_arn
        self._version = version
        self._type = initialization_type
        self._about = {
            "runtimeVersion": runtime_label,
            "runtimeVersionArn": runtime_version_arn,
            "functionName": name,
            "functionVersion": version,
            "instanceId": instance_id,
            "instanceMaxMemory": instance_memory_mb,
        }
        self.observer: Observer | None = None

    def init_start(self, now_ms: int, *, phase: str = "init") -> list[LogEvent]:
        text = f"INIT_START Runtime Version: {self._label}\tRuntime Version ARN: {self._arn}\n"
        record = {"initializationType": self._type, "phase": phase} | self._about
        return self._made(now_ms, "initStart", "INFO", text if phase == "init" else None, record)

    def init_runtime_done(self, now_ms: int, *, phase: str, status: str, error_type: str | None) -> list[LogEvent]:
        record = {"initializationType": self._type, "phase": phase, "status": status} | _error(error_type)
        return self._made(now_ms, "initRuntimeDone", _unless_failed(status, "DEBUG"), None, record)

    def init_report(
        self, now_ms: int, *, duration_ms: float, phase: str, status: str, error_type: str | None = None
    ) -> list[LogEvent]:
        """AWS writes the text line of a successful init only where it was not the first invoke that waited for it."""
        on_demand = self._type == "on-demand"
        text = None
        if status != "success" or not on_demand:
            tail = f"\tStatus: {status}" if status != "success" else ""
            tail += f"\tError Type: {error_type}" if status == "error" and error_type else ""
            text = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}{tail}\n"
        record: dict[str, object] = {
            "initializationType": self._type,
            "phase": phase,
            "status": status,
            "metrics": {"durationMs": round(duration_ms, 3)},
        }
        level = _unless_failed(status, "DEBUG" if on_demand else "INFO")
        return self._made(now_ms, "initReport", level, text, record | _error(error_type))

    def restore_start(self, now_ms: int) -> list[LogEvent]:
        text = f"RESTORE_START Runtime Version: {self._label}\tRuntime Version ARN: {self._arn}\n"
        return self._made(now_ms, "restoreStart", "INFO", text, self._about)

    def restore_runtime_done(self, now_ms: int, *, status: str, error_type: str | None) -> list[LogEvent]:
        """The runtime ran its hooks and asks for an event, or will not."""
        record = {"status": status} | _error(error_type)
        return self._made(now_ms, "restoreRuntimeDone", _unless_failed(status, "DEBUG"), None, record)

    def restore_report(
        self, now_ms: int, *, duration_ms: float, status: str, error_type: str | None = None
    ) -> list[LogEvent]:
        tail = f"\tStatus: {status}" if status != "success" else ""
        tail += f"\tError Type: {error_type}" if status == "error" and error_type else ""
        text = f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms{tail}\n"
        record: dict[str, object] = {"status": status, "metrics": {"durationMs": round(duration_ms, 3)}}
        level = _unless_failed(status, "INFO")
        return self._made(now_ms, "restoreReport", level, text, record | _error(error_type))

    def extension(
        self, now_ms: int, *, name: str, state: str, events: Sequence[str], error_type: str | None = None
    ) -> list[LogEvent]:
        text = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]"
        text += f"\tError Type: {error_type}\n" if error_type else "\n"
        record: dict[str, object] = {"name": name, "state": state, "events": list(events)}
        return self._made(now_ms, "extension", "WARN" if error_type else "INFO", text, record | _error(error_type))

    def subscription(self, now_ms: int, *, api: str, name: str, types: Sequence[str]) -> list[LogEvent]:
        """``api`` is ``Telemetry`` or ``Logs``."""
        text = f"{api.upper()}\tName: {name}\tState: Subscribed\tTypes: [{', '.join(types)}]\n"
        record = {"name": name, "state": "Subscribed", "types": [kind.lower() for kind in types]}
        return self._made(now_ms, f"{api.lower()}Subscription", "INFO", text, record)

    def start(self, now_ms: int, request_id: str, tracing: Mapping[str, str] | None = None) -> list[LogEvent]:
        if not self._json and self.observer is None:  # the common case, on every invoke's path
            return [LogEvent(now_ms, f"START RequestId: {request_id} Version: {self._version}\n")]
        record: dict[str, object] = {"requestId": request_id, "version": self._version}
        if tracing:
            record["tracing"] = tracing
        text = f"START RequestId: {request_id} Version: {self._version}\n"
        return self._made(now_ms, "start", "INFO", text, record)

    def runtime_done(self, now_ms: int, report: Report) -> list[LogEvent]:
        """The runtime is done with an event, or was ended; extensions may still be at work on it."""
        if not self._json and self.observer is None:  # the common case, on every invoke's path
            return []
        metrics: dict[str, object] = {"durationMs": round(report.duration_ms, 3)}
        if report.produced_bytes is not None:
            metrics["producedBytes"] = report.produced_bytes
        record: dict[str, object] = {"requestId": report.request_id, "status": report.status, "metrics": metrics}
        record |= _error(report.told_error_type) | _context(report.tracing, report.runtime_spans)
        return self._made(now_ms, "runtimeDone", _unless_failed(report.status, "DEBUG"), None, record)

    def fault(self, now_ms: int, request_id: str, status: str, error_type: str | None) -> list[LogEvent]:
        """What the Logs API, and only it, says of a failure of the runtime or its environment."""
        told = f"RequestId: {request_id} Status: {status}" + (f"\tErrorType: {error_type}" if error_type else "")
        return self._made(now_ms, "fault", None, None, told)

    def end_and_report(self, now_ms: int, report: Report) -> list[LogEvent]:
        end_text = f"END RequestId: {report.request_id}\n"
        if not self._json and self.observer is None:
            return [LogEvent(now_ms, end_text), LogEvent(now_ms, _report_text(report))]
        metrics: dict[str, object] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.max_memory_used_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        if report.restore_ms is not None:
            metrics["restoreDurationMs"] = round(report.restore_ms, 3)
            metrics["billedRestoreDurationMs"] = math.ceil(report.restore_ms)
        record: dict[str, object] = {"requestId": report.request_id, "metrics": metrics, "status": report.status}
        record |= _error(report.told_error_type) | _context(report.tracing, report.spans)
        return [
            *self._made(now_ms, "end", None, end_text, {"requestId": report.request_id}),
            *self._made(now_ms, "report", _unless_failed(report.status, "INFO"), _report_text(report), record),
        ]

    def _made(
        self, now_ms: int, name: str, level: str | None, text: str | None, record: Mapping[str, object] | str
    ) -> list[LogEvent]:
        """An event, told and logged. ``text`` or ``level`` is ``None`` where a format has none."""
        kind = f"platform.{name}"
        if self.observer is not None:
            self.observer(Record(time_ms=now_ms, kind=kind, record=record))
        if not self._json:
            return [LogEvent(now_ms, text)] if text is not None else []
        if level is None or _LEVELS[level] < self._threshold:
            return []
        line = orjson.dumps({"time": show_time(now_ms), "type": kind, "record": record}).decode()
        return [LogEvent(now_ms, line + "\n")]


def _error(error_type: str | None) -> dict[str, object]:
    return {"errorType": error_type} if error_type else {}


def _context(tracing: Mapping[str, str] | None, spans: tuple[Span, ...]) -> dict[str, object]:
    """The members of a record that tell of traces."""
    context: dict[str, object] = {"spans": [span.shown() for span in spans]} if spans else {}
    return context | ({"tracing": tracing} if tracing else {})


def _unless_failed(status: str, level: str) -> str:
    return level if status == "success" else "WARN"


def _report_text(report: Report) -> str:
    text = (
        f"REPORT RequestId: {report.request_id}\tDuration: {report.duration_ms:.2f} ms\t"
        f"Billed Duration: {report.billed_ms} ms\tMemory Size: {report.memory_mb} MB\t"
        f"Max Memory Used: {report.max_memory_used_mb} MB\t"
    )
    if report.init_ms is not None:
        text += f"Init Duration: {report.init_ms:.2f} ms\t"
    if report.restore_ms is not None:
        text += f"Restore Duration: {report.restore_ms:.2f} ms\t"
        text += f"Billed Restore Duration: {math.ceil(report.restore_ms)} ms\t"
    if report.status == "timeout":
        text += "Status: timeout"
    elif report.error_type is not None:
        text += f"Status: error\tError Type: {report.error_type}"
    if report.trace is not None and report.trace.sampled:
        text += f"\nXRAY TraceId: {report.trace.root}\tSegmentId: {report.trace.segment_id}\tSampled: true\t"
    return text + "\n"
