"""The platform's own log lines: INIT_START, START, END, REPORT, INIT_REPORT, as text or as JSON records.

AWS: Lambda developer guide, "Log system events"; wording and separators as recorded (fact sheet section 7.2), JSON
records as in the Telemetry API's schema (section 4.3).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from firefork.catalog.function import LoggingConfig
from firefork.engine.spec import Initialization
from firefork.telemetry.log_event import LogEvent

_LEVELS: Final = {"DEBUG": 0, "INFO": 1, "WARN": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
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
    trace_id: str | None = None


def billed_ms(duration_ms: float, init_ms: float | None) -> int:
    """Whole milliseconds, init included (AWS bills init for every configuration since August 2025)."""
    return math.ceil(round(duration_ms + (init_ms or 0.0), 6))


class SystemLog:
    """Makes platform events in the format that a function's logging configuration asks for."""

    def __init__(
        self,
        logging: LoggingConfig,
        *,
        runtime_label: str,
        runtime_version_arn: str,
        name: str,
        version: str,
        initialization: Initialization = Initialization.ON_DEMAND,
    ):
        self._json = logging.log_format == "JSON"
        self._threshold = _LEVELS.get(logging.system_log_level or "INFO", 1)
        self._label = runtime_label
        self._arn = runtime_version_arn
        self._name = name
        self._version = version
        self._initialization = initialization

    def init_start(self, now_ms: int, *, phase: str = "init") -> list[LogEvent]:
        if not self._json:
            text = f"INIT_START Runtime Version: {self._label}\tRuntime Version ARN: {self._arn}\n"
            return [LogEvent(now_ms, text)]
        record = {
            "initializationType": self._initialization.value,
            "phase": phase,
            "runtimeVersion": self._label,
            "runtimeVersionArn": self._arn,
            "functionName": self._name,
            "functionVersion": self._version,
        }
        return self._record(now_ms, "platform.initStart", record, "INFO")

    def init_report(
        self, now_ms: int, *, duration_ms: float, phase: str, status: str, error_type: str | None = None
    ) -> list[LogEvent]:
        if not self._json:
            tail = f"\tStatus: {status}" if status != "success" else ""
            tail += f"\tError Type: {error_type}" if status == "error" and error_type else ""
            return [LogEvent(now_ms, f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}{tail}\n")]
        record: dict[str, object] = {
            "initializationType": self._initialization.value,
            "phase": phase,
            "status": status,
            "metrics": {"durationMs": round(duration_ms, 3)},
        }
        if error_type:
            record["errorType"] = error_type
        return self._record(now_ms, "platform.initReport", record, "DEBUG" if status == "success" else "WARN")

    def start(self, now_ms: int, request_id: str) -> list[LogEvent]:
        if not self._json:
            return [LogEvent(now_ms, f"START RequestId: {request_id} Version: {self._version}\n")]
        record = {"requestId": request_id, "version": self._version}
        return self._record(now_ms, "platform.start", record, "INFO")

    def end_and_report(self, now_ms: int, report: Report) -> list[LogEvent]:
        if not self._json:
            return [
                LogEvent(now_ms, f"END RequestId: {report.request_id}\n"),
                LogEvent(now_ms, _report_text(report)),
            ]
        metrics: dict[str, object] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_ms,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.max_memory_used_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        record: dict[str, object] = {
            "requestId": report.request_id,
            "metrics": metrics,
            "status": report.status,
        }
        done: dict[str, object] = {
            "requestId": report.request_id,
            "status": report.status,
            "metrics": {"durationMs": round(report.duration_ms, 3)},
        }
        for part in (record, done):
            if report.error_type:
                part["errorType"] = report.error_type
        failed = report.status != "success"
        return [
            *self._record(now_ms, "platform.runtimeDone", done, "WARN" if failed else "DEBUG"),
            *self._record(now_ms, "platform.report", record, "WARN" if failed else "INFO"),
        ]

    def _record(self, now_ms: int, kind: str, record: Mapping[str, object], level: str) -> list[LogEvent]:
        if _LEVELS[level] < self._threshold:
            return []
        time = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now_ms % 1000:03d}Z"
        return [LogEvent(now_ms, orjson.dumps({"time": time, "type": kind, "record": record}).decode() + "\n")]


def _report_text(report: Report) -> str:
    text = (
        f"REPORT RequestId: {report.request_id}\tDuration: {report.duration_ms:.2f} ms\t"
        f"Billed Duration: {report.billed_ms} ms\tMemory Size: {report.memory_mb} MB\t"
        f"Max Memory Used: {report.max_memory_used_mb} MB\t"
    )
    if report.init_ms is not None:
        text += f"Init Duration: {report.init_ms:.2f} ms\t"
    if report.status == "timeout":
        text += "Status: timeout"
    elif report.error_type is not None:
        text += f"Status: error\tError Type: {report.error_type}"
    return text + "\n"
