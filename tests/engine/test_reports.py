"""The platform's own log lines, separator for separator."""

import dataclasses
import json

import pytest

from firefork.catalog.function import LoggingConfig
from firefork.engine.reports import Report, SystemLog, billed_ms
from firefork.engine.trace import Trace

NOW_MS = 1_700_000_000_123


def system_log(**logging):
    config = LoggingConfig(log_group="/aws/lambda/f", **logging)
    return SystemLog(
        config,
        runtime_label="python:3.12.v1",
        runtime_version_arn="arn:x",
        name="f",
        version="$LATEST",
        instance_id="2026/11/25/[$LATEST]abc",
        instance_memory_mb=128,
    )


def report(**changes):
    values = {
        "request_id": "id",
        "duration_ms": 15.741,
        "billed_ms": 147,
        "memory_mb": 128,
        "max_memory_used_mb": 56,
    }
    return Report(**(values | changes))


def text(events):
    return "".join(event.message for event in events)


class TestText:
    def test_first_invoke_has_its_init(self):
        lines = text(system_log().end_and_report(NOW_MS, report(init_ms=130.488)))
        assert lines == (
            "END RequestId: id\n"
            "REPORT RequestId: id\tDuration: 15.74 ms\tBilled Duration: 147 ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 56 MB\tInit Duration: 130.49 ms\t\n"
        )

    @pytest.mark.parametrize(
        ("changes", "tail"),
        [
            ({}, "Max Memory Used: 56 MB\t\n"),
            ({"status": "error"}, "Max Memory Used: 56 MB\t\n"),
            ({"status": "timeout"}, "Max Memory Used: 56 MB\tStatus: timeout\n"),
            (
                {"status": "error", "error_type": "Runtime.ExitError"},
                "Max Memory Used: 56 MB\tStatus: error\tError Type: Runtime.ExitError\n",
            ),
        ],
    )
    def test_status_stands_where_aws_has_it(self, changes, tail):
        assert text(system_log().end_and_report(NOW_MS, report(**changes))).endswith(tail)

    def test_a_traced_invoke_names_its_segment_on_a_line_of_the_same_event(self):
        trace = Trace(root="1-5f92b333-70350ac7708cb2b827d1dd11", segment_id="6" * 16, parent_id="7" * 16, sampled=True)
        _, event = system_log().end_and_report(NOW_MS, report(trace=trace))
        assert event.message.endswith(
            "Max Memory Used: 56 MB\t\n"
            "XRAY TraceId: 1-5f92b333-70350ac7708cb2b827d1dd11\tSegmentId: 6666666666666666\tSampled: true\t\n"
        )
        unsampled = dataclasses.replace(trace, sampled=False)
        assert "XRAY" not in text(system_log().end_and_report(NOW_MS, report(trace=unsampled)))

    def test_start_and_init_lines(self):
        log = system_log()
        assert text(log.start(NOW_MS, "id")) == "START RequestId: id Version: $LATEST\n"
        assert text(log.init_start(NOW_MS)) == (
            "INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: arn:x\n"
        )
        assert text(log.init_report(NOW_MS, duration_ms=10009.13, phase="init", status="timeout")) == (
            "INIT_REPORT Init Duration: 10009.13 ms\tPhase: init\tStatus: timeout\n"
        )
        assert log.init_report(NOW_MS, duration_ms=10.0, phase="init", status="success") == []
        failed = log.init_report(
            NOW_MS, duration_ms=312.9, phase="invoke", status="error", error_type="Runtime.ImportModuleError"
        )
        assert text(failed) == (
            "INIT_REPORT Init Duration: 312.90 ms\tPhase: invoke\tStatus: error\t"
            "Error Type: Runtime.ImportModuleError\n"
        )


ABOUT = {
    "runtimeVersion": "python:3.12.v1",
    "runtimeVersionArn": "arn:x",
    "functionName": "f",
    "functionVersion": "$LATEST",
    "instanceId": "2026/11/25/[$LATEST]abc",
    "instanceMaxMemory": 128,
}


class TestJson:
    def test_records_have_the_telemetry_schema(self):
        events = system_log(log_format="JSON").end_and_report(NOW_MS, report())
        (record,) = (json.loads(event.message) for event in events)
        assert record["time"] == "2023-11-14T22:13:20.123Z"
        assert record["type"] == "platform.report"
        assert record["record"]["metrics"]["billedDurationMs"] == 147

    def test_an_init_tells_whose_it_is(self):
        (event,) = system_log(log_format="JSON").init_start(NOW_MS)
        assert json.loads(event.message)["record"] == {
            "initializationType": "on-demand",
            "phase": "init",
            **ABOUT,
        }

    @pytest.mark.parametrize(
        ("status", "error_type", "told"),
        [
            ("success", None, {"status": "success"}),
            ("timeout", None, {"status": "timeout"}),
            ("error", "Runtime.Unknown", {"status": "error", "errorType": "Runtime.Unknown"}),
        ],
    )
    def test_a_restoration_has_three_records(self, status, error_type, told):
        """AWS: Telemetry API schema reference. The second one of a success is for DEBUG only, failures for everyone."""
        log = system_log(log_format="JSON", system_log_level="DEBUG" if status == "success" else "WARN")
        started = log.restore_start(NOW_MS)
        done = log.restore_runtime_done(NOW_MS, status=status, error_type=error_type)
        reported = log.restore_report(NOW_MS, duration_ms=15.1899, status=status, error_type=error_type)
        records = [json.loads(event.message) for event in (*started, *done, *reported)]
        if status == "success":
            start = records.pop(0)
            assert (start["type"], start["record"]) == ("platform.restoreStart", ABOUT)
        assert [(record["type"], record["record"]) for record in records] == [
            ("platform.restoreRuntimeDone", told),
            ("platform.restoreReport", {**told, "metrics": {"durationMs": 15.19}}),
        ]

    @pytest.mark.parametrize(("level", "count"), [("DEBUG", 2), ("INFO", 1), ("WARN", 0)])
    def test_the_system_log_level_filters_successes(self, level, count):
        log = system_log(log_format="JSON", system_log_level=level)
        assert len(log.runtime_done(NOW_MS, report()) + log.end_and_report(NOW_MS, report())) == count

    def test_failures_pass_every_level(self):
        log = system_log(log_format="JSON", system_log_level="WARN")
        failed = report(status="timeout")
        assert len(log.runtime_done(NOW_MS, failed) + log.end_and_report(NOW_MS, failed)) == 2

    def test_an_exception_of_the_handler_is_named_in_records_only(self):
        failed = report(status="error", told_error_type="Runtime.Unknown")
        (event,) = system_log(log_format="JSON").end_and_report(NOW_MS, failed)
        assert json.loads(event.message)["record"]["errorType"] == "Runtime.Unknown"
        assert "Runtime.Unknown" not in text(system_log().end_and_report(NOW_MS, failed))


@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed"),
    [(3.01, None, 4), (15.74, 130.49, 147), (5.0, None, 5), (0.1, 0.2, 1)],
)
def test_billing_rounds_the_whole_up(duration_ms, init_ms, billed):
    assert billed_ms(duration_ms, init_ms) == billed
