"""What callers get when the runtime could not answer: payloads as recorded on AWS."""

import pytest

from firefork.engine import failures


class TestPayloads:
    def test_timeout(self):
        failure = failures.timed_out("id", 1)
        assert failure.payload == (
            b'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id Error: Task timed out after 1.00 seconds"}'
        )
        assert failure.status == "timeout"

    @pytest.mark.parametrize(
        ("wait_status", "text"),
        [
            (0, "Runtime exited without providing a reason"),
            (1 << 8, "Runtime exited with error: exit status 1"),
            (127 << 8, "Runtime exited with error: exit status 127"),
            (9, "Runtime exited with error: signal: killed"),
            (11, "Runtime exited with error: signal: segmentation fault"),
            (6 | 128, "Runtime exited with error: signal: aborted"),
            (40, "Runtime exited with error: signal: signal 40"),
        ],
    )
    def test_exit(self, wait_status, text):
        failure = failures.exited("id", wait_status, out_of_memory=False)
        expected = f'{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id Error: {text}"}}'
        assert failure.payload.decode() == expected
        assert failure.log_error_type == "Runtime.ExitError"

    def test_out_of_memory_is_named_in_the_log_only(self):
        failure = failures.exited("id", 9, out_of_memory=True)
        assert b'"Runtime.ExitError"' in failure.payload
        assert failure.log_error_type == "Runtime.OutOfMemory"


@pytest.mark.parametrize(
    ("reported", "logged"),
    [
        ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
        ("Function.Mine", "Function.Mine"),
        ("Function.not-a-name", "Function.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        (None, "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
    ],
)
def test_logs_admit_only_the_platforms_error_types(reported, logged):
    assert failures.logged_error_type(reported) == logged
