"""One execution environment: a bound sandbox, its runtime, its log stream, one invoke at a time.

AWS: Lambda developer guide, "Understanding the Lambda execution environment lifecycle".
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
import os
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from firefork.engine import failures
from firefork.engine.failures import Failure
from firefork.engine.log_lines import FrameDecoder, LineSplitter
from firefork.engine.reports import Report, SystemLog, billed_ms
from firefork.engine.runtime_api import (
    Delivery,
    IllegalTransition,
    InitFailed,
    Polled,
    Reply,
    Responded,
    RuntimeApi,
    RuntimeEvent,
    RuntimeState,
)
from firefork.engine.runtime_server import GuestConnection, GuestServer
from firefork.engine.sandbox.cgroups import MB_PER_CPU
from firefork.engine.sandbox.sandbox import Sandbox, SandboxLost
from firefork.engine.spec import ExecutionSpec, Initialization
from firefork.telemetry.log_event import LogEvent

INIT_LIMIT_S: Final = 10.0
PROVISIONED_INIT_LIMIT_S: Final = 130.0
"""Or the function's timeout, if that is longer (fact sheet section 3.1)."""
TAIL_LIMIT: Final = 4096
"""Bytes of log that LogType=Tail returns."""
_FREEZE_AFTER_S: Final = 0.02
_READ_SIZE: Final = 65536
_MIB: Final = 1024 * 1024


class EnvironmentState(enum.Enum):
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    SETTLING = "settling"
    """The caller has its answer; the runtime has not asked for the next event yet, or is being ended."""
    BROKEN = "broken"
    """The runtime failed or was ended; it is started again by the next invoke, with ``/tmp`` kept."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event on its way to a function."""

    request_id: str
    payload: bytes
    invoked_function_arn: str
    trace_id: str | None = None
    client_context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an invoke came to."""

    payload: bytes
    failed: bool
    report: Report
    log_tail: bytes
    """At most 4 KB of this invoke's log, START to REPORT."""


class _Signal:
    """What an init or an invoke is waiting for: a runtime event, its exit, or nothing (the deadline)."""

    __slots__ = ("future",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[RuntimeEvent | int | None] = loop.create_future()

    def set(self, value: RuntimeEvent | int | None) -> None:
        if not self.future.done():
            self.future.set_result(value)


class Environment:
    """Owns a sandbox from ``initialise`` to ``close``; ``log`` receives every log event of it."""

    def __init__(
        self,
        spec: ExecutionSpec,
        sandbox: Sandbox,
        *,
        log: Callable[[str, list[LogEvent]], None],
        variables: Callable[[str], dict[str, str]],
        binding: Mapping[str, object],
        runtime_label: str,
        end_endpoint: Callable[[], None],
        on_available: Callable[[Environment], None],
        on_closed: Callable[[Environment], None],
        initialization: Initialization = Initialization.ON_DEMAND,
    ) -> None:
        """``end_endpoint`` stops serving the API on the sandbox's endpoint listener."""
        self.spec = spec
        self.sandbox = sandbox
        self.initialization = initialization
        self.state = EnvironmentState.STARTING
        self.invokes = 0
        self.created_s = time.monotonic()
        self.idle_since_s = self.created_s
        now = datetime.now(UTC)
        self.log_stream = log_stream_name(spec, now)
        self._loop = asyncio.get_running_loop()
        self._log = log
        self._variables = variables
        self._binding = binding
        self._end_endpoint = end_endpoint
        self._on_available = on_available
        self._on_closed = on_closed
        self._system_log = SystemLog(
            spec.logging,
            runtime_label=runtime_label,
            runtime_version_arn=spec.runtime_version_arn,
            name=spec.name,
            version=spec.version,
            initialization=initialization,
        )
        self._lines = LineSplitter()
        self._frames = FrameDecoder()
        self._tail: list[str] | None = None
        self._api = RuntimeApi()
        self._parked: GuestConnection | None = None
        self._signal = _Signal(self._loop)
        self._init_ms: float | None = None
        self._bound = False
        self._freezing: asyncio.TimerHandle | None = None
        self._frozen = False
        self._server: GuestServer | None = None
        self._oom_kills = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- life

    async def initialise(self, started_up: Callable[[], None]) -> None:
        """Start the runtime and wait until it asks for an event, fails, or its time is over.

        ``started_up`` is called when that is decided. Failing is not an error here: the environment is then BROKEN
        and its next invoke starts the runtime again. Raises SandboxLost when the sandbox itself is gone.
        """
        sandbox = self.sandbox
        assert sandbox.runtime_listener is not None
        sandbox.on_exit = self._runtime_exited
        sandbox.on_gone = self._sandbox_gone
        self._server = GuestServer(sandbox.runtime_listener, self._receive)
        self._loop.add_reader(sandbox.output, self._read_output)
        self._loop.add_reader(sandbox.frames, self._read_frames)
        self._emit(self._system_log.init_start(_now_ms()))
        if sandbox.cgroup is not None:
            # Shared pages of the zygote are not charged to the group, but a process of its own would have them.
            limit = max(16 * _MIB, self.spec.memory_mb * _MIB - sandbox.baseline_bytes)
            sandbox.cgroup.limit_memory(limit)
        started = time.perf_counter()
        try:
            failure, _ = await self._start_runtime(self._init_limit_s, request_id="")
        finally:
            started_up()
        duration_ms = (time.perf_counter() - started) * 1000
        if failure is None:
            if self.initialization is Initialization.PROVISIONED:
                self._report_init(duration_ms, "init", None)  # the invoke that comes much later does not report it
            else:
                self._init_ms = duration_ms
            self._limit_cpu()
            self._become_available()
        else:
            if not sandbox.gone.is_set():
                await self._end_runtime()
            self._report_init(duration_ms, "init", failure)
            self._become_available(broken=True)

    @property
    def _init_limit_s(self) -> float:
        if self.initialization is Initialization.PROVISIONED:
            return max(PROVISIONED_INIT_LIMIT_S, self.spec.timeout_s)
        return INIT_LIMIT_S

    async def _start_runtime(self, limit_s: float, request_id: str) -> tuple[Failure | None, bool]:
        """Bind or restart, then wait for the first poll. Returns why it failed and whether time ran out."""
        if not self._binding.get("has_entry", True):
            return failures.no_entry(request_id), False
        self._api = RuntimeApi()
        self._parked = None
        self._signal = _Signal(self._loop)
        self._oom_kills = self.sandbox.cgroup.oom_kills if self.sandbox.cgroup else 0
        if not self._bound:
            self._bound = True
            self.sandbox.bind(
                mounts=self._binding["mounts"],  # type: ignore[arg-type]
                tmp_mb=self.spec.tmp_mb,
                runtime=self._runtime_order(),
                hide=self._binding.get("hide", ()),  # type: ignore[arg-type]
            )
        else:
            self.sandbox.restart()
        deadline = self._loop.call_later(limit_s, lambda: self._signal.set(None))
        try:
            event = await self._signal.future
            if isinstance(event, InitFailed):
                # The runtime exits by itself after this; what it printed comes first.
                self._signal = _Signal(self._loop)
                await self._signal.future
                return (
                    Failure(
                        status="error",
                        payload=event.body,
                        log_error_type=failures.logged_error_type(event.error_type),
                    ),
                    False,
                )
        finally:
            deadline.cancel()
        if isinstance(event, Polled):
            return None, False
        if event is None:
            return failures.timed_out(request_id, limit_s), True
        assert isinstance(event, int)
        return self._exit_failure(event, request_id), False

    def _runtime_order(self) -> str:
        environment = self._variables(self.log_stream)
        order = {
            "environment": environment,
            "user_environment": dict(self.spec.environment),
            "task_root": environment["LAMBDA_TASK_ROOT"],
            "entry": self._binding.get("entry"),
        }
        return json.dumps(order)

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event to its answer. The environment is available again when ``on_available`` is called."""
        assert self.state in (EnvironmentState.IDLE, EnvironmentState.BROKEN)
        self._unfreeze()
        spec = self.spec
        init_ms, self._init_ms = self._init_ms, None
        request_id = invocation.request_id
        was_broken = self.state is EnvironmentState.BROKEN
        self.state = EnvironmentState.BUSY
        self.invokes += 1
        started = time.perf_counter()
        deadline_s = time.time() + spec.timeout_s
        failure: Failure | None = None
        answer: Responded | None = None
        if was_broken:
            failure = await self._start_again(request_id, started)
        self._tail = []
        self._emit(self._system_log.start(_now_ms(), request_id))
        if failure is None:
            remaining = spec.timeout_s - (time.perf_counter() - started)
            answer, failure = await self._deliver(invocation, deadline_s, remaining)
        duration_ms = (time.perf_counter() - started) * 1000
        if failure is not None and failure.status == "timeout":
            duration_ms = spec.timeout_s * 1000.0
        self._drain()
        report = self._report(request_id, duration_ms, init_ms, answer, failure)
        self._emit(self._system_log.end_and_report(_now_ms(), report))
        tail = _tail_bytes(self._tail or [])
        self._tail = None
        self.state = EnvironmentState.SETTLING
        if failure is not None:
            # The caller has the answer at once; the processes are ended before anyone gets this environment again.
            self._spawn(self._break())
            return Outcome(payload=failure.payload, failed=True, report=report, log_tail=tail)
        assert answer is not None
        remaining = spec.timeout_s - (time.perf_counter() - started)
        self._await_poll(remaining)
        return Outcome(payload=answer.body, failed=answer.failed, report=report, log_tail=tail)

    async def _start_again(self, request_id: str, started: float) -> Failure | None:
        """Init inside an invoke: its time counts against the function's timeout (AWS: "suppressed init")."""
        if self.sandbox.gone.is_set():
            return failures.platform_failure("Sandbox.Failure", "the sandbox is gone", request_id)
        if self.sandbox.cgroup is not None:
            self.sandbox.cgroup.unlimit_cpu()
        failure, timed_out = await self._start_runtime(self.spec.timeout_s, request_id)
        if failure is None:
            self._limit_cpu()
            return None
        self._drain()
        if timed_out:
            return failures.timed_out(request_id, self.spec.timeout_s)
        self._report_init((time.perf_counter() - started) * 1000, "invoke", failure)
        return failure

    async def _deliver(
        self, invocation: Invocation, deadline_s: float, remaining_s: float
    ) -> tuple[Responded | None, Failure | None]:
        self._signal = _Signal(self._loop)
        delivery = Delivery(
            request_id=invocation.request_id,
            deadline_ms=int(deadline_s * 1000),
            invoked_function_arn=invocation.invoked_function_arn,
            trace_id=invocation.trace_id,
            payload=invocation.payload,
            client_context=invocation.client_context,
        )
        parked, self._parked = self._parked, None
        try:
            reply = self._api.deliver(delivery)
        except IllegalTransition:
            return None, failures.platform_failure("Sandbox.Failure", "the runtime is not ready", invocation.request_id)
        if parked is None or not parked.answer(reply):
            return None, failures.platform_failure("Sandbox.Failure", "the runtime hung up", invocation.request_id)
        timer = self._loop.call_later(max(0.0, remaining_s), self._signal.set, None)
        event = await self._signal.future
        timer.cancel()
        if isinstance(event, Responded):
            return event, None
        if event is None:
            return None, failures.timed_out(invocation.request_id, self.spec.timeout_s)
        assert isinstance(event, int)
        return None, self._exit_failure(event, invocation.request_id)

    def _await_poll(self, remaining_s: float) -> None:
        """Become available when the runtime polls again, as it does at once; break it if it does not in time."""
        if self._api.state is RuntimeState.READY:
            self._become_available()
            return
        if self._api.state is not RuntimeState.RESPONDED or self.sandbox.gone.is_set():
            self._spawn(self._break())
            return
        signal = self._signal = _Signal(self._loop)
        timer = self._loop.call_later(max(0.05, remaining_s), signal.set, None)

        def settle(future: asyncio.Future[RuntimeEvent | int | None]) -> None:
            timer.cancel()
            if isinstance(future.result(), Polled):
                self._become_available()
            else:
                self._drain()
                self._spawn(self._break())

        signal.future.add_done_callback(settle)

    def _become_available(self, *, broken: bool = False) -> None:
        if self.state is EnvironmentState.CLOSED:
            return
        self.state = EnvironmentState.BROKEN if broken else EnvironmentState.IDLE
        self.idle_since_s = time.monotonic()
        self._on_available(self)
        if self.state is EnvironmentState.IDLE and self._freezing is None:
            self._freezing = self._loop.call_later(_FREEZE_AFTER_S, self._freeze)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _break(self) -> None:
        await self._end_runtime()
        self._become_available(broken=True)

    async def _end_runtime(self) -> None:
        """End the runtime and everything it started; the sandbox and its ``/tmp`` stay."""
        with contextlib.suppress(SandboxLost):
            await self.sandbox.clear()
        if self._server is not None:
            self._server.hang_up()
        self._drain()

    async def close(self) -> None:
        """End the environment. Without extensions AWS sends no signal first (shutdown phase of 0 ms)."""
        if self.state is EnvironmentState.CLOSED:
            return
        self.state = EnvironmentState.CLOSED
        if self._freezing is not None:
            self._freezing.cancel()
        self._signal.set(0)
        if self._server is not None:
            self._server.close()
        self._loop.remove_reader(self.sandbox.output)
        self._loop.remove_reader(self.sandbox.frames)
        if not self.sandbox.gone.is_set():
            self.sandbox.kill()
        self._drain()
        # Before its descriptor is closed: the loop would go on watching the number, deaf to whoever gets it next.
        self._end_endpoint()
        await self.sandbox.close()
        self._on_closed(self)

    # ---- what the sandbox tells

    def _receive(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        connection: GuestConnection,
    ) -> Reply | None:
        reply, event = self._api.receive(method, path, headers, body)
        if reply is None:
            self._parked = connection
        if isinstance(event, (Responded, InitFailed)):
            # Before anybody hears of it, so that this invoke's log has all that it wrote.
            self._drain()
        if event is not None:
            self._signal.set(event)
        return reply

    def _runtime_exited(self, status: int) -> None:
        self._drain()
        self._signal.set(status)
        if self.state is EnvironmentState.IDLE:
            # It ended between invokes: the next one starts it again.
            self.state = EnvironmentState.BROKEN

    def _sandbox_gone(self) -> None:
        self._signal.set(9)
        if self.state in (EnvironmentState.IDLE, EnvironmentState.BROKEN):
            self._spawn(self.close())

    def _exit_failure(self, status: int, request_id: str) -> Failure:
        cgroup = self.sandbox.cgroup
        killed_for_memory = cgroup is not None and cgroup.oom_kills > self._oom_kills
        return failures.exited(request_id, status, out_of_memory=killed_for_memory)

    # ---- limits

    def _limit_cpu(self) -> None:
        # From the first invoke on: AWS, too, lets init run at full speed.
        if self.sandbox.cgroup is not None:
            self.sandbox.cgroup.limit_cpu(self.spec.memory_mb / MB_PER_CPU)

    def _freeze(self) -> None:
        self._freezing = None
        if self.state is not EnvironmentState.IDLE:
            return
        left = _FREEZE_AFTER_S - (time.monotonic() - self.idle_since_s)
        if left > 0.001:
            self._freezing = self._loop.call_later(left, self._freeze)
        else:
            self._frozen = True
            self.sandbox.freeze()

    def _unfreeze(self) -> None:
        if self._frozen:
            self._frozen = False
            self.sandbox.thaw()

    def _used_mb(self) -> int:
        cgroup = self.sandbox.cgroup
        peak = cgroup.peak_bytes if cgroup is not None else None
        if peak is None:
            return self.spec.memory_mb
        return min(self.spec.memory_mb, -(-(peak + self.sandbox.baseline_bytes) // _MIB))

    # ---- logs

    def _read_output(self) -> None:
        data = _read(self.sandbox.output)
        if data:
            self._emit(self._lines.feed(data, _now_ms()))
        elif data == b"":
            self._loop.remove_reader(self.sandbox.output)

    def _read_frames(self) -> None:
        data = _read(self.sandbox.frames)
        if data:
            self._emit(self._frames.feed(data, _now_ms()))
        elif data == b"":
            self._loop.remove_reader(self.sandbox.frames)

    def _drain(self) -> None:
        """Read all that is in the pipes now, and end an unfinished line."""
        now_ms = _now_ms()
        while data := _read(self.sandbox.output):
            self._emit(self._lines.feed(data, now_ms))
        while data := _read(self.sandbox.frames):
            self._emit(self._frames.feed(data, now_ms))
        self._emit(self._lines.flush(now_ms))

    def _emit(self, events: list[LogEvent]) -> None:
        if not events:
            return
        if self._tail is not None:
            # Far more than 4 KB is never needed, and a chatty function must not grow this.
            self._tail.extend(event.message for event in events[-TAIL_LIMIT:])
            if len(self._tail) > 2 * TAIL_LIMIT:
                del self._tail[:-TAIL_LIMIT]
        self._log(self.log_stream, events)

    def _report_init(self, duration_ms: float, phase: str, failure: Failure | None) -> None:
        self._emit(
            self._system_log.init_report(
                _now_ms(),
                duration_ms=duration_ms,
                phase=phase,
                status=failure.status if failure else "success",
                error_type=failure.log_error_type if failure else None,
            )
        )

    def _report(
        self,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        answer: Responded | None,
        failure: Failure | None,
    ) -> Report:
        status, error_type = "success", None
        if failure is not None:
            status, error_type = failure.status, failure.log_error_type
        elif answer is not None and answer.failed:
            status = "error"
            if answer.error_type == "Function.ResponseSizeTooLarge":
                error_type = answer.error_type
        return Report(
            request_id=request_id,
            duration_ms=duration_ms,
            billed_ms=billed_ms(duration_ms, init_ms),
            memory_mb=self.spec.memory_mb,
            max_memory_used_mb=self._used_mb(),
            init_ms=init_ms,
            status=status,
            error_type=error_type if status != "timeout" else None,
        )


def log_stream_name(spec: ExecutionSpec, now: datetime) -> str:
    """``2026/11/22/[$LATEST]<32 hex>``; in a log group of another name, the function's stands before the version."""
    owner = "" if spec.logging.log_group == f"/aws/lambda/{spec.name}" else spec.name
    return f"{now:%Y/%m/%d}/{owner}[{spec.version}]{secrets.token_hex(16)}"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _read(descriptor: int) -> bytes | None:
    """What is there, ``b""`` at the end, ``None`` when there is nothing now."""
    try:
        return os.read(descriptor, _READ_SIZE)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _tail_bytes(messages: list[str]) -> bytes:
    parts: list[bytes] = []
    size = 0
    for message in reversed(messages):
        data = message.encode()
        parts.append(data)
        size += len(data)
        if size >= TAIL_LIMIT:
            break
    return b"".join(reversed(parts))[-TAIL_LIMIT:]
