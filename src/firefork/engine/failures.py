"""What the caller of a failed invoke gets when the runtime could not say it itself.

Payloads have the key order and wording recorded on AWS (fact sheet section 3.3); the exit texts are those of AWS's
runtime interface emulator.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Final

import orjson

_GO_SIGNAL_NAMES: Final = {
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGHUP: "hangup",
    signal.SIGILL: "illegal instruction",
    signal.SIGINT: "interrupt",
    signal.SIGKILL: "killed",
    signal.SIGPIPE: "broken pipe",
    signal.SIGQUIT: "quit",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGSYS: "bad system call",
    signal.SIGALRM: "alarm clock",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGXCPU: "CPU time limit exceeded",
    signal.SIGXFSZ: "file size limit exceeded",
}
"""How AWS names signals: the words of Go's syscall package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an init or an invoke failed, as it is reported and as it is logged."""

    status: str
    """``error``, ``failure`` or ``timeout``."""
    payload: bytes
    log_error_type: str | None
    """For the REPORT line and telemetry; ``None`` where AWS adds no Status part (a handler's own exception)."""


def platform_failure(error_type: str, message: str, request_id: str, *, status: str = "error") -> Failure:
    payload = orjson.dumps({"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"})
    return Failure(status=status, payload=payload, log_error_type=error_type)


def timed_out(request_id: str, timeout_s: float) -> Failure:
    return platform_failure(
        "Sandbox.Timedout", f"Task timed out after {timeout_s:.2f} seconds", request_id, status="timeout"
    )


def no_entry(request_id: str) -> Failure:
    """A custom runtime without its executable. AWS: developer guide, "Troubleshoot invocation issues in Lambda"."""
    return platform_failure(
        "Runtime.InvalidEntrypoint",
        "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
        request_id,
    )


def exited(request_id: str, wait_status: int, *, out_of_memory: bool) -> Failure:
    """The runtime process ended. ``wait_status`` as waitpid(2) gives it."""
    failure = platform_failure("Runtime.ExitError", exit_text(wait_status), request_id)
    if out_of_memory:
        return Failure(status="error", payload=failure.payload, log_error_type="Runtime.OutOfMemory")
    return failure


def extension_ended(request_id: str, wait_status: int) -> Failure:
    """An external extension's process ended by itself."""
    text = exit_text(wait_status).removeprefix("Runtime exited with error: ")
    return platform_failure("Extension.Crash", "exit code 0" if wait_status == 0 else text, request_id)


def extension_not_launched(request_id: str, name: str, reason: str) -> Failure:
    """An executable of ``/opt/extensions`` that cannot be executed; ``reason`` is the kernel's."""
    return platform_failure("Extension.LaunchError", f"fork/exec /opt/extensions/{name}: {reason}", request_id)


def too_many_extensions(request_id: str) -> Failure:
    """More external extensions than are allowed; AWS's supervisor shows its own error's name."""
    return platform_failure("Extension.LaunchError", "ErrTooManyExtensions", request_id)


def extension_reported(request_id: str, phase: str, error_type: str) -> Failure:
    """An extension called init/error or exit/error."""
    kind = "Extension.InitError" if phase == "init" else "Extension.ExitError"
    return platform_failure(kind, error_type, request_id)


def response_too_large(limit: int) -> Failure:
    """A response beyond ``limit`` bytes. Recorded wording: fact sheet section 5.5."""
    payload = orjson.dumps(
        {
            "errorMessage": f"Response payload size exceeded maximum allowed payload size ({limit} bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
    )
    return Failure(status="error", payload=payload, log_error_type="Function.ResponseSizeTooLarge")


def exit_text(wait_status: int) -> str:
    if os.WIFSIGNALED(wait_status):
        number = os.WTERMSIG(wait_status)
        name = _GO_SIGNAL_NAMES.get(number, f"signal {number}")  # type: ignore[call-overload]
        return f"Runtime exited with error: signal: {name}"
    code = os.WEXITSTATUS(wait_status)
    return f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"


def logged_error_type(reported: str | None) -> str:
    """The error type that logs may show for one a runtime reported; AWS admits only its own name space."""
    if reported:
        space, _, name = reported.partition(".")
        if space in ("Runtime", "Function") and name.isalpha() and name[0].isupper():
            return reported
        if space == "Function":
            return "Function.Unknown"
    return "Runtime.Unknown"
