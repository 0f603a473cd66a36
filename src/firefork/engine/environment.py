"""One execution environment: a bound sandbox, its runtime and extensions, its log stream, one invoke at a time.

AWS: Lambda developer guide, "Understanding the Lambda execution environment lifecycle"; fact sheet section 3.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import secrets
import signal
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from firefork.engine import environment_state, extensions_api, failures
from firefork.engine.binding import Binding
from firefork.engine.environment_log import EnvironmentLog, now_ms
from firefork.engine.environment_state import EnvironmentState
from firefork.engine.extensions_api import (
    EXTENSION_LIMIT,
    ExtensionFailed,
    ExtensionPolled,
    ExtensionRegistered,
    ExtensionState,
)
from firefork.engine.failures import Failure
from firefork.engine.guest_reply import IllegalTransition, Reply
from firefork.engine.guests import Event, Guests
from firefork.engine.invocation import Invocation, Outcome
from firefork.engine.invoke_course import InvokeCourse
from firefork.engine.reports import Report, Span, SystemLog
from firefork.engine.response_stream import ResponseStream
from firefork.engine.runtime_api import (
    PAYLOAD_LIMIT,
    Delivery,
    InitFailed,
    Polled,
    Responded,
    RestoreFailed,
    RestoreReady,
)
from firefork.engine.runtime_server import GuestConnection, GuestServer
from firefork.engine.sandbox.cgroups import MB_PER_CPU
from firefork.engine.sandbox.sandbox import Sandbox, SandboxLost
from firefork.engine.spec import ExecutionSpec, Initialization, extension_environment
from firefork.engine.telemetry_api import Subscription
from firefork.engine.wait import LOOP_TICK_S, Wait
from firefork.telemetry.log_event import LogEvent

PREPARED_INIT_LIMIT_S: Final = 130.0
"""Of an init that nobody waits for, or the function's timeout if that is longer: provisioned concurrency, SnapStart."""
RESTORE_LIMIT_S: Final = 10.0
"""For loading and the hooks after the restoration together."""
SHUTDOWN_LIMIT_S: Final = 2.0
"""For runtime and external extensions together."""
INTERNAL_SHUTDOWN_LIMIT_S: Final = 0.5
"""For a runtime with internal extensions only."""
_RUNTIME_SHARE: Final = 0.3
"""Of the shutdown's time, before the runtime is killed."""
_KILL_LIMIT_S: Final = 1.0
_FLUSH_LIMIT_S: Final = 0.2
_FREEZE_AFTER_S: Final = 0.02
_MIB: Final = 1024 * 1024


class RestorationFailed(Exception):
    """A snapshot could not be restored; AWS tells the caller of the invoke (SnapStartException and its kin)."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.payload.decode(errors="replace"))
        self.failure = failure


class Environment:
    """Owns a sandbox from ``initialise`` to ``close``; ``log`` receives every log event of it."""

    def __init__(
        self,
        spec: ExecutionSpec,
        sandbox: Sandbox,
        *,
        log: Callable[[str, list[LogEvent]], None],
        variables: Callable[[str], dict[str, str]],
        binding: Binding,
        runtime_label: str,
        end_endpoint: Callable[[], None],
        on_available: Callable[[Environment], None],
        on_closed: Callable[[Environment], None],
        init_limit_s: float,
        initialization: Initialization = Initialization.ON_DEMAND,
        credentials: Callable[[str], Reply] | None = None,
    ) -> None:
        """``variables`` makes the runtime's environment for a log stream; ``end_endpoint`` stops serving the API on
        the sandbox's endpoint listener; ``credentials`` answers the container credentials' path for a token.
        """
        self.spec = spec
        self.sandbox = sandbox
        self.initialization = initialization
        self._state = EnvironmentState.STARTING
        self.invokes = 0
        self.created_s = time.monotonic()
        self.idle_since_s = self.created_s
        self.log_stream = log_stream_name(spec, datetime.now(UTC))
        self._loop = asyncio.get_running_loop()
        self._variables = variables
        self._binding = binding
        self._end_endpoint = end_endpoint
        self._on_available = on_available
        self._on_closed = on_closed
        self._init_limit_s = init_limit_s
        self._system_log = SystemLog(
            spec.logging,
            runtime_label=runtime_label,
            runtime_version_arn=spec.runtime_version_arn,
            name=spec.name,
            version=spec.version,
            initialization_type=initialization.value,
            instance_id=self.log_stream,
            instance_memory_mb=spec.memory_mb,
        )
        as_json = spec.logging.log_format == "JSON"
        self._log = EnvironmentLog(sandbox, self._system_log, as_json=as_json, write=partial(log, self.log_stream))
        self._credentials = credentials
        self._restore_ms: float | None = None
        self._server: GuestServer | None = None
        self._guests = self._new_guests()
        self._bound = False
        self._init_ms: float | None = None
        self.init_failure: Failure | None = None
        """Why the first init failed, if it did."""
        self._freezing: asyncio.TimerHandle | None = None
        self._frozen = False
        self._oom_kills = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._wait = Wait()
        self._runtime_alive = False
        self._extensions_alive: set[str] = set()
        # The invoke in progress.
        self._request_id = ""
        self._answer: Responded | None = None
        self._init_error: InitFailed | RestoreFailed | None = None
        self._stream: ResponseStream | None = None
        self._collected = bytearray()
        self._course: InvokeCourse | None = None
        # With which phase of init it is still to be told that the runtime is done.
        self._untold_init: str | None = None

    @property
    def state(self) -> EnvironmentState:
        return self._state

    def _advance(self, state: EnvironmentState) -> None:
        """The only place where the state changes. Raises IllegalStateChange."""
        self._state = environment_state.advance(self._state, state)

    def _new_guests(self) -> Guests:
        spec = self.spec
        facts = extensions_api.FunctionFacts(
            name=spec.name, version=spec.version, handler=spec.handler, account_id=spec.scope.account
        )
        return Guests(
            facts,
            list(self._binding.extensions),
            receiver=self,
            on_event=self._heard,
            credentials=self._credentials,
            restored=self._binding.restored,
        )

    @property
    def extensions(self) -> list[str]:
        """The names of all that registered since the last start."""
        return [extension.name for extension in self._guests.extensions]

    # ---- init

    async def initialise(self, started_up: Callable[[], None]) -> None:
        """Start extensions and runtime and wait until all ask for an event, one fails, or their time is over.

        ``started_up`` is called when that is decided. Failing is not an error here: the environment is then BROKEN
        and its next invoke starts the runtime again. Raises SandboxLost when the sandbox itself is gone, and
        RestorationFailed when what comes after a snapshot failed: it is closed then.
        """
        sandbox = self.sandbox
        assert sandbox.runtime_listener is not None
        sandbox.on_exit = self._runtime_exited
        sandbox.on_extension_exit = self._extension_exited
        sandbox.on_gone = self._sandbox_gone
        self._server = GuestServer([sandbox.runtime_listener, *sandbox.more_listeners], self._guests)
        self._log.read_runtime()
        if sandbox.cgroup is not None:
            # Shared pages of the zygote are not charged to the group, but a process of its own would have them.
            limit = max(16 * _MIB, self.spec.memory_mb * _MIB - sandbox.baseline_bytes)
            sandbox.cgroup.limit_memory(limit)
        started = time.perf_counter()
        failure = None
        try:
            if self._binding.restored:
                self._runtime_alive = self._bound = True
                await self._restore(self._bind)
            else:
                failure = await self._start_up(self._init_limit_s, "init")
        except RestorationFailed:
            await self.close()
            raise
        finally:
            started_up()
        self.init_failure = failure
        if self._binding.template is not None:
            return
        if failure is None:
            if not self._binding.restored and self.initialization is not Initialization.PROVISIONED:
                self._init_ms = (time.perf_counter() - started) * 1000 - (self._restore_ms or 0.0)
            self._limit_cpu()
            self._become_available()
        elif self._state is not EnvironmentState.CLOSED:
            await self._end_runtime("TIMEOUT" if failure.status == "timeout" else "FAILURE")
            self._become_available(broken=True)

    async def _start_up(self, limit_s: float, phase: str) -> Failure | None:
        """One init. ``phase``: ``init``, or ``invoke`` when it is repeated inside an invoke. Returns why it failed.

        Raises RestorationFailed: where a snapshot would have been made of the runtime, its restoration follows at once.
        """
        started = time.perf_counter()
        self._answer = self._init_error = None
        self._wait.begin()
        self._guests = self._new_guests()
        assert self._server is not None
        self._server.api = self._guests
        self._log.stop_delivery()
        if self._binding.extensions:
            self._log.listen_for_subscribers()
        self._log.tell(self._system_log.init_start(now_ms(), phase=phase))
        self._untold_init = None
        failure = await self._run_init(started + limit_s, limit_s, phase)
        self._guests.telemetry.open = False
        self._log.close_subscription()
        self._log.drain()
        status, error_type = _told(failure)
        self._tell_init_done(status, error_type)
        self._report_extensions()
        duration_ms = (time.perf_counter() - started) * 1000
        self._log.tell(
            self._system_log.init_report(
                now_ms(), duration_ms=duration_ms, phase=phase, status=status, error_type=error_type
            )
        )
        if failure is None and self._binding.template is None and self._guests.waits_for_restoration:
            await self._restore(self._guests.restore)
        return failure

    def _tell_init_done(self, status: str = "success", error_type: str | None = None) -> None:
        """The runtime is initialised, or will not be; extensions may not have got so far. Told once, if it started."""
        phase, self._untold_init = self._untold_init, None
        if phase is not None:
            self._log.tell(
                self._system_log.init_runtime_done(now_ms(), phase=phase, status=status, error_type=error_type)
            )

    async def _restore(self, release: Callable[[], object]) -> None:
        """What comes after a snapshot: ``release`` lets the runtime go on, its hooks run, then it asks for an event.

        Raises RestorationFailed. AWS: Telemetry API schema reference, "platform.restoreStart" and the two after it.
        """
        started = time.perf_counter()
        self._log.tell(self._system_log.restore_start(now_ms()))
        failure: Failure | None = None
        try:
            release()
            if not await self._wait.until(lambda: self._guests.runtime_is_ready, RESTORE_LIMIT_S):
                failure = self._init_failure(RESTORE_LIMIT_S)
        except OSError:
            failure = self._lost()
        self._log.drain()
        status, error_type = _told(failure)
        self._log.tell(self._system_log.restore_runtime_done(now_ms(), status=status, error_type=error_type))
        self._restore_ms = (time.perf_counter() - started) * 1000
        self._log.tell(
            self._system_log.restore_report(
                now_ms(), duration_ms=self._restore_ms, status=status, error_type=error_type
            )
        )
        if failure is not None:
            raise RestorationFailed(failure)

    async def _run_init(self, deadline: float, limit_s: float, phase: str) -> Failure | None:
        if len(self._binding.extensions) > EXTENSION_LIMIT:
            self._guests.extensions.not_launched(self._binding.extensions[EXTENSION_LIMIT], "TooManyExtensions")
            return failures.too_many_extensions(self._request_id)
        if not self._binding.has_entry:
            return failures.no_entry(self._request_id)
        sandbox = self.sandbox
        # A spare has had none: only what was before a repeated init has to be known.
        self._oom_kills = sandbox.cgroup.oom_kills if self._bound and sandbox.cgroup else 0
        self._extensions_alive = set(self._binding.extensions)
        self._runtime_alive = True
        try:
            if not self._bound:
                self._bound = True
                self._bind()
            else:
                sandbox.restart()
            if self._binding.extensions:
                registered = await self._wait.until(self._all_registered, deadline - time.perf_counter())
                if not registered or self._wait.fault is not None:
                    return self._init_failure(limit_s)
                sandbox.start()
            self._untold_init = phase
        except OSError:
            return self._lost()
        if not await self._wait.until(self._is_initialised, deadline - time.perf_counter()):
            return self._init_failure(limit_s)
        return None

    def _all_registered(self) -> bool:
        return self._guests.extensions.registered

    def _is_initialised(self) -> bool:
        if self._binding.template is not None:
            # One that executed another interpreter asks as it would anywhere; that one cannot be forked.
            return self._binding.template.is_ready or self._guests.waits_for_restoration
        return self._guests.initialised

    def _bind(self) -> None:
        if self._binding.restored:
            # All that the environments of one snapshot have of their own comes over the credentials' path.
            self.sandbox.bind(mounts=(), tmp_mb=self.spec.tmp_mb, runtime=json.dumps({"environment": {}}))
            return
        environment = self._variables(self.log_stream)
        order = {
            "environment": environment,
            "user_environment": dict(self.spec.environment),
            "task_root": environment["LAMBDA_TASK_ROOT"],
            "entry": self._binding.entry,
        }
        self.sandbox.bind(
            mounts=self._binding.mounts,
            tmp_mb=self.spec.tmp_mb,
            runtime=json.dumps(order),
            hide=self._binding.hide,
            extensions=self._binding.extensions,
            extension_environment=extension_environment(environment) if self._binding.extensions else None,
            template=self._binding.template.channel.guest_end().fileno() if self._binding.template else None,
        )
        if self._binding.template is not None:
            self._binding.template.channel.guest_end().close()
            self._binding.template.on_change = self._wait.look
        self._log.read_extensions()

    def _init_failure(self, limit_s: float) -> Failure:
        if self._wait.fault is not None:
            return self._wait.fault
        if self._init_error is not None:
            return self._reported_init_error(self._init_error)
        return failures.timed_out(self._request_id, limit_s)

    @staticmethod
    def _reported_init_error(event: InitFailed | RestoreFailed) -> Failure:
        log_type = failures.logged_error_type(event.error_type)
        return Failure(status="error", payload=event.body, log_error_type=log_type)

    def _lost(self) -> Failure:
        return failures.platform_failure("Sandbox.Failure", "the sandbox is gone", self._request_id)

    def _report_extensions(self) -> None:
        for extension in self._guests.extensions:
            state = "Ready" if extension.settled else extension.state.value
            self._log.tell(
                self._system_log.extension(
                    now_ms(),
                    name=extension.name,
                    state=state,
                    events=extension.shown_events(),
                    error_type=extension.error_type,
                )
            )

    # ---- invoke

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event to its answer.

        The environment is available again when ``on_available`` is called. Raises IllegalStateChange while it is not.
        """
        was_broken = self._state is EnvironmentState.BROKEN
        self._advance(EnvironmentState.BUSY)
        self._unfreeze()
        started = time.perf_counter()
        self.invokes += 1
        self._request_id = invocation.request_id
        self._stream = invocation.stream
        self._answer = None
        self._collected.clear()
        course = self._course = InvokeCourse(
            spec=self.spec,
            request_id=invocation.request_id,
            started_s=started,
            init_ms=self._init_ms,
            restore_ms=self._restore_ms,
            trace=invocation.trace,
        )
        self._init_ms = self._restore_ms = None
        failure = await self._start_again() if was_broken else None
        course.tracing = _tracing(invocation, self._system_log)
        if invocation.wants_tail:
            self._log.begin_tail()
        self._log.tell(self._system_log.start(now_ms(), invocation.request_id, course.tracing))
        if failure is None:
            failure = await self._run(invocation, course.deadline_s)
        answer = self._answer
        if answer is None:
            course.answered_s = time.perf_counter()
        if failure is None and invocation.wants_tail and self._guests.extensions:
            failure = await self._await_extensions(course.deadline_s)
            return self._conclude(course, answer, failure, answered_already=True)
        if failure is not None or invocation.wants_tail:
            return self._conclude(course, answer, failure)
        assert answer is not None
        # The caller has its answer as soon as the runtime gave it; the extensions have until the deadline.
        report = self._report(course, answer, None)
        outcome = Outcome(
            payload=answer.body,
            failed=answer.failed,
            report=report,
            log_tail=b"",
            streamed=answer.streamed,
            content_type=answer.content_type,
        )
        if self._guests.extensions:
            self._spawn(self._finish(course, answer))
        else:
            # Before the loop looks at any socket again, but behind the answer, which need not wait for the log.
            self._advance(EnvironmentState.SETTLING)
            self._loop.call_soon(partial(self._conclude, course, answer, None, report=report))
        return outcome

    async def _finish(self, course: InvokeCourse, answer: Responded) -> None:
        late = await self._await_extensions(course.deadline_s)
        self._conclude(course, answer, late, answered_already=True)

    def _report(
        self, course: InvokeCourse, answer: Responded | None, failure: Failure | None, after: tuple[Span, ...] = ()
    ) -> Report:
        with_spans = self._system_log.observer is not None
        used_mb = self._used_mb()
        return course.report(answer, failure, max_memory_used_mb=used_mb, with_spans=with_spans, after=after)

    async def _start_again(self) -> Failure | None:
        """Init inside an invoke: its time counts against the function's timeout (AWS: "suppressed init")."""
        if self.sandbox.gone.is_set():
            return self._lost()
        if self.sandbox.cgroup is not None:
            self.sandbox.cgroup.unlimit_cpu()
        try:
            failure = await self._start_up(self.spec.timeout_s, "invoke")
        except RestorationFailed as error:
            failure = error.failure
        if failure is None:
            self._limit_cpu()
        elif failure.status == "timeout":
            return failures.timed_out(self._request_id, self.spec.timeout_s)
        return failure

    async def _run(self, invocation: Invocation, deadline: float) -> Failure | None:
        remaining_s = deadline - time.perf_counter()
        delivery = Delivery(
            request_id=invocation.request_id,
            deadline_ms=int((time.time() + remaining_s) * 1000),
            invoked_function_arn=invocation.invoked_function_arn,
            trace_id=invocation.trace_id,
            payload=invocation.payload,
            client_context=invocation.client_context,
            streaming=self._stream is not None,
        )
        try:
            taken = self._wait.fault is None and self._guests.deliver(delivery)
        except IllegalTransition:
            taken = False
        if not taken and self._wait.fault is None:
            self._wait.fail(failures.platform_failure("Sandbox.Failure", "the runtime hung up", invocation.request_id))
        if await self._wait.until(lambda: self._answer is not None, remaining_s):
            return None
        return self._wait.fault or failures.timed_out(invocation.request_id, self.spec.timeout_s)

    async def _await_extensions(self, deadline: float) -> Failure | None:
        """After the answer: wait for the runtime and its extensions. Returns what came between, if anything."""
        if await self._wait.until(lambda: self._guests.invoke_is_over, deadline - time.perf_counter()):
            return None
        return self._wait.fault or failures.timed_out(self._request_id, self.spec.timeout_s)

    def _conclude(
        self,
        course: InvokeCourse,
        answer: Responded | None,
        failure: Failure | None,
        *,
        answered_already: bool = False,
        report: Report | None = None,
    ) -> Outcome:
        """END and REPORT, and on to the next state. With an answer the caller keeps it, whatever came after.

        ``report`` is what the caller was told, where that is all.
        """
        if answered_already or failure is not None:  # else it was done with the answer, just now
            self._log.drain()
        if report is None:
            report = self._report(course, answer, failure, course.extension_spans() if answered_already else ())
        if not course.told_done:
            course.told_done = True
            self._log.tell(self._system_log.runtime_done(now_ms(), report))
        if failure is not None:
            self._log.tell(self._system_log.fault(now_ms(), self._request_id, failure.status, failure.log_error_type))
        self._log.tell(self._system_log.end_and_report(now_ms(), report))
        tail = self._log.end_tail()
        if self._state is EnvironmentState.BUSY:
            self._advance(EnvironmentState.SETTLING)
        if self._state is EnvironmentState.SETTLING:
            if failure is not None or not self._runtime_alive:
                # The caller has the answer at once; the processes are ended before anyone gets this environment again.
                self._advance(EnvironmentState.ENDING)
                timed_out = failure is not None and failure.status == "timeout"
                self._spawn(self._break("TIMEOUT" if timed_out else "FAILURE"))
            elif self._guests.invoke_is_over:
                self._become_available()
            else:
                self._spawn(self._settle(course.deadline_s))
        if answer is None or (failure is not None and not answered_already):
            assert failure is not None
            streamed = course.produced_bytes > 0 and self._stream is not None
            return Outcome(payload=failure.payload, failed=True, report=report, log_tail=tail, streamed=streamed)
        return Outcome(
            payload=answer.body,
            failed=answer.failed,
            report=report,
            log_tail=tail,
            streamed=answer.streamed,
            content_type=answer.content_type,
        )

    async def _settle(self, deadline: float) -> None:
        """The runtime asks for its next event within a millisecond of its answer; end it if it does not in time."""
        limit_s = max(0.05, deadline - time.perf_counter())
        if await self._wait.until(lambda: self._guests.invoke_is_over, limit_s):
            self._become_available()
        else:
            self._log.drain()
            if self._state is EnvironmentState.SETTLING:
                self._advance(EnvironmentState.ENDING)
            await self._break("FAILURE" if self._wait.fault is not None else "TIMEOUT")

    def _become_available(self, *, broken: bool = False) -> None:
        if self._state is EnvironmentState.CLOSED:
            return
        self._advance(EnvironmentState.BROKEN if broken else EnvironmentState.IDLE)
        self.idle_since_s = time.monotonic()
        self._request_id = ""
        self._on_available(self)
        if self._state is EnvironmentState.IDLE and self._freezing is None:
            self._freezing = self._loop.call_later(_FREEZE_AFTER_S, self._freeze)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- shutdown

    async def _break(self, reason: str) -> None:
        if self._state is EnvironmentState.CLOSED:
            return  # close ends it
        if self._binding.restored:
            # Its runtime cannot be initialised again in place; the pool restores another one.
            await self.close()
            return
        try:
            await self._end_runtime(reason)
        except SandboxLost:
            await self.close()  # it is being killed: the next invoke would be killed with it
            return
        self._become_available(broken=True)

    async def _end_runtime(self, reason: str) -> None:
        """End runtime and extensions and everything they started; the sandbox and its ``/tmp`` stay.

        Raises SandboxLost where processes did not end, and the sandbox is killed for it.
        """
        if not self.sandbox.gone.is_set():
            await self._shut_down(reason)
        await self.sandbox.clear()
        if self._server is not None:
            self._server.hang_up()
        self._log.stop_delivery()
        self._log.drain()

    async def _shut_down(self, reason: str) -> None:
        """AWS's shutdown phase, without the final kill: nothing without extensions, 500 ms with internal ones only,
        2 s with external ones. ``reason``: SPINDOWN, TIMEOUT or FAILURE.
        """
        extensions = list(self._guests.extensions)
        self._wait.begin_end()
        if not extensions:
            return
        external = [extension for extension in extensions if extension.external]
        limit_s = SHUTDOWN_LIMIT_S if external else INTERNAL_SHUTDOWN_LIMIT_S
        started = time.perf_counter()
        await self._log.flush(_FLUSH_LIMIT_S)
        await self._shut_down_runtime(limit_s * (_RUNTIME_SHARE if external else 1.0))
        if not external:
            return
        await self._log.flush(_FLUSH_LIMIT_S)
        deadline_ms = now_ms() + int((started + limit_s - time.perf_counter()) * 1000)
        self._guests.shut_down(extensions_api.shutdown_event(reason=reason, deadline_ms=deadline_ms))
        for extension in external:
            if "SHUTDOWN" not in extension.events or extension.state in _FAILED_STATES:
                self.sandbox.signal(signal.SIGKILL, extension=extension.name)
        await self._wait.until(lambda: not self._extensions_alive, started + limit_s - time.perf_counter())

    async def _shut_down_runtime(self, limit_s: float) -> None:
        if not self._runtime_alive:
            return
        if self.spec.delivers_sigterm:
            self.sandbox.signal(signal.SIGTERM)
            if await self._wait.until(lambda: not self._runtime_alive, limit_s):
                return
        self.sandbox.signal(signal.SIGKILL)
        await self._wait.until(lambda: not self._runtime_alive, _KILL_LIMIT_S)

    async def close(self) -> None:
        """Shut the environment down and release everything; safe to call twice."""
        if self._state is EnvironmentState.CLOSED:
            return
        was_up = self._state is not EnvironmentState.BROKEN
        self._advance(EnvironmentState.CLOSED)
        if self._freezing is not None:
            self._freezing.cancel()
        self._wait.fail(failures.platform_failure("Sandbox.Failure", "the environment was ended", self._request_id))
        if was_up and self._guests.extensions and not self.sandbox.gone.is_set():
            self._unfreeze()
            await self._shut_down("SPINDOWN")
        self._wait.close()
        if self._server is not None:
            self._server.close()
        self._log.stop_delivery()
        if not self.sandbox.gone.is_set():
            self.sandbox.kill()
        self._log.drain()
        self._log.close()
        # Before its descriptor is closed: the loop would go on watching the number, deaf to whoever gets it next.
        self._end_endpoint()
        await self.sandbox.close()
        self._on_closed(self)

    # ---- what guests and sandbox tell

    def _heard(self, event: Event) -> None:
        """A call of the runtime or of an extension."""
        if isinstance(event, Polled):
            if self._course is not None:
                self._course.polled_s = time.perf_counter()
            self._tell_init_done()
            self._tell_invoke_done()
        elif isinstance(event, Responded):
            self._take_answer(event)
        elif isinstance(event, (InitFailed, RestoreFailed)):
            self._log.drain()
            self._init_error = event  # the runtime exits by itself after this; what it printed comes first
        elif isinstance(event, ExtensionFailed):
            name = event.extension.error_type or ""
            self._wait.fail(failures.extension_reported(self._request_id, event.phase, name))
        elif isinstance(event, Subscription):
            self._log.subscribe(event)
        elif isinstance(event, RestoreReady):
            self._tell_init_done()
        elif isinstance(event, ExtensionRegistered) and not self._wait.ending:
            self._log.listen_for_subscribers()
        elif isinstance(event, ExtensionPolled) and not event.first:
            self._log.drain_extensions()
        self._wait.look()

    def _tell_invoke_done(self) -> None:
        """As soon as the runtime asks for its next event: extensions wait for this before they ask for theirs."""
        course, answer = self._course, self._answer
        if course is None or answer is None or course.told_done or self._system_log.observer is None:
            return
        course.told_done = True
        self._log.drain()
        self._log.tell(self._system_log.runtime_done(now_ms(), self._report(course, answer, None)))

    def _take_answer(self, event: Responded) -> None:
        # Before anybody hears of it, so that this invoke's log has all that it wrote.
        self._log.drain()
        if self._wait.fault is not None:
            return
        course = self._course
        assert course is not None  # the Runtime API takes answers to invokes only
        if event.streamed and self._stream is None:
            body = event.body if event.failed else bytes(self._collected)
            event = Responded(body=body, failed=event.failed, error_type=event.error_type)
        elif not event.streamed:
            course.produced_bytes = len(event.body)
            course.first_byte_s = time.perf_counter()
        course.answered_s = time.perf_counter()
        self._answer = event

    def feed(self, data: bytes, connection: GuestConnection) -> None:
        """A part of a streamed response."""
        course = self._course
        assert course is not None
        if course.first_byte_s is None:
            course.first_byte_s = time.perf_counter()
        course.produced_bytes += len(data)
        if self._stream is not None:
            if not self._stream.feed(data, connection):
                self._wait.fail(failures.response_too_large(self._stream.limit_bytes))
                connection.abort()
        elif len(self._collected) + len(data) <= PAYLOAD_LIMIT:
            self._collected += data
        else:
            self._wait.fail(failures.response_too_large(PAYLOAD_LIMIT))
            connection.abort()

    def broken(self) -> None:
        """The connection of a streamed response ended too early."""
        self._wait.fail(
            failures.platform_failure("Runtime.TruncatedResponse", "HTTP request truncated", self._request_id)
        )

    def _runtime_exited(self, status: int) -> None:
        self._runtime_alive = False
        self._log.drain()
        if self._init_error is not None:
            self._wait.fail(self._reported_init_error(self._init_error))
        else:
            self._wait.fail(self._exit_failure(status))
        self._broke_while_idle()

    def _extension_exited(self, name: str, status: int | None, reason: str) -> None:
        self._extensions_alive.discard(name)
        self._log.drain()
        if status is None:
            denied = reason == os.strerror(errno.EACCES).lower()
            self._guests.extensions.not_launched(name, "PermissionDenied" if denied else "UnknownError")
            self._wait.fail(failures.extension_not_launched(self._request_id, name, reason))
        else:
            self._wait.fail(failures.extension_ended(self._request_id, status))
        self._broke_while_idle()

    def _broke_while_idle(self) -> None:
        if self._state is EnvironmentState.IDLE:
            # It ended between invokes: the next one starts it again.
            self._advance(EnvironmentState.BROKEN)
            if self._binding.restored:
                self._spawn(self.close())
        self._wait.look()

    def _sandbox_gone(self) -> None:
        self._runtime_alive = False
        self._extensions_alive.clear()
        self._wait.fail(self._exit_failure(signal.SIGKILL))
        if self._state in (EnvironmentState.IDLE, EnvironmentState.BROKEN):
            self._spawn(self.close())

    def _exit_failure(self, status: int) -> Failure:
        cgroup = self.sandbox.cgroup
        killed_for_memory = cgroup is not None and cgroup.oom_kills > self._oom_kills
        return failures.exited(self._request_id, status, out_of_memory=killed_for_memory)

    # ---- limits

    def _limit_cpu(self) -> None:
        # From the first invoke on: AWS, too, lets init run at full speed.
        if self.sandbox.cgroup is not None:
            self.sandbox.cgroup.limit_cpu(self.spec.memory_mb / MB_PER_CPU)

    def _freeze(self) -> None:
        self._freezing = None
        if self._state is not EnvironmentState.IDLE:
            return
        left = _FREEZE_AFTER_S - (time.monotonic() - self.idle_since_s)
        if left <= LOOP_TICK_S and self._log.sending:
            left = _FREEZE_AFTER_S  # a listener that is talked to gets to answer
        if left > LOOP_TICK_S:
            self._freezing = self._loop.call_later(left, self._freeze)
        else:
            self._frozen = True
            self._log.pause()
            self.sandbox.freeze()

    def _unfreeze(self) -> None:
        if self._frozen:
            self._frozen = False
            self.sandbox.thaw()
            self._log.resume()

    def _used_mb(self) -> int:
        cgroup = self.sandbox.cgroup
        peak = cgroup.peak_bytes if cgroup is not None else None
        if peak is None:
            return self.spec.memory_mb
        return min(self.spec.memory_mb, -(-(peak + self.sandbox.baseline_bytes) // _MIB))


_FAILED_STATES: Final = frozenset(
    {ExtensionState.STARTED, ExtensionState.INIT_ERROR, ExtensionState.EXIT_ERROR, ExtensionState.LAUNCH_ERROR}
)


def _told(failure: Failure | None) -> tuple[str, str | None]:
    """Status and error type of an init or a restoration; with a timeout AWS names no type."""
    if failure is None:
        return "success", None
    return failure.status, None if failure.status == "timeout" else failure.log_error_type


def _tracing(invocation: Invocation, log: SystemLog) -> dict[str, str] | None:
    """The trace context of this invoke's records."""
    if invocation.trace is not None:
        return invocation.trace.record
    if log.observer is None or not invocation.trace_id:
        return None
    return {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id}


def log_stream_name(spec: ExecutionSpec, now: datetime) -> str:
    """``2026/11/22/[$LATEST]<32 hex>``; in a log group of another name, the function's stands before the version."""
    owner = "" if spec.logging.log_group == f"/aws/lambda/{spec.name}" else spec.name
    return f"{now:%Y/%m/%d}/{owner}[{spec.version}]{secrets.token_hex(16)}"
