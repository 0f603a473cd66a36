"""From an Invoke request to its answer: which version, whether it may run now, what the caller gets."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from collections.abc import Callable

import orjson

from firefork.aws.errors import (
    InvalidRequestContent,
    ResourceConflict,
    ServiceError,
    ServiceFailure,
    SnapStartFailure,
    SnapStartTimeout,
    TooManyRequests,
)
from firefork.aws.record import record
from firefork.aws.scope import Scope
from firefork.catalog.concurrency import Concurrency
from firefork.catalog.function import LATEST, FunctionVersion
from firefork.engine.engine import Engine
from firefork.engine.environment import RestorationFailed
from firefork.engine.failures import Failure
from firefork.engine.invocation import Invocation, Outcome
from firefork.engine.memory import MemoryExhausted
from firefork.engine.response_stream import ResponseStream, StreamLimits
from firefork.engine.sandbox.sandbox import SandboxLost
from firefork.engine.sandbox.zygote import ZygoteFailed
from firefork.engine.spec import ExecutionSpec
from firefork.engine.trace import Sampler, Trace, trace_of, unsampled_header
from firefork.invoke.admission import Admission, Admitted, Demand, Reason, Refusal
from firefork.invoke.observations import (
    EventReceived,
    InvokeEnded,
    InvokeStarted,
    InvokeThrottled,
    Observation,
    Observer,
)
from firefork.invoke.payload_faults import READABLE, describe
from firefork.invoke.provisioner import Provisioner
from firefork.store.clock import now_ms

logger = logging.getLogger(__name__)


@record
class InvokeRequest:
    """One call of a resolved function version."""

    function: FunctionVersion
    request_id: str
    payload: bytes
    invoked_arn: str
    client_context: str | None = None
    trace_header: str | None = None
    wants_tail: bool = False
    stream: ResponseStream | None = None

    @property
    def qualifier(self) -> str | None:
        """The version or alias that the caller named."""
        parts = self.invoked_arn.split(":", 7)
        return parts[7] if len(parts) > 7 else None


class Invoker:
    """Runs invokes on the engine. All methods belong to the event loop."""

    def __init__(
        self,
        engine: Engine,
        concurrency: Concurrency,
        provisioner: Provisioner,
        stream_limits: StreamLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives seconds that do not go back."""
        self._engine = engine
        self._concurrency = concurrency
        self._provisioner = provisioner
        self._stream_limits = stream_limits or StreamLimits()
        self._clock = clock
        self._admission = Admission(concurrency.account_concurrency)
        self.observers: list[Observer] = []
        """Told of every invoke that starts, ends or is throttled, on the event loop; must not block or raise."""
        self._events: set[asyncio.Task[None]] = set()
        self._sampler = Sampler()
        self._specs: dict[str, tuple[FunctionVersion, ExecutionSpec]] = {}

    async def invoke(self, request: InvokeRequest, *, is_event: bool = False) -> Outcome:
        """Run an invoke, ``is_event`` if its caller does not wait for it.

        Raises InvalidRequestContent, TooManyRequests, ServiceFailure.
        """
        check_state(request.function)
        payload = request.payload or b"{}"
        check_json(payload)
        spec = self._spec(request.function)
        admitted, start = self._admit(spec, request, is_event=is_event)
        started_ms = now_ms()
        outcome: Outcome | None = None
        trace = self._trace(request) if spec.tracing_mode == "Active" else None
        invocation = Invocation(
            request_id=request.request_id,
            payload=payload,
            invoked_function_arn=request.invoked_arn,
            trace_id=trace.header if trace is not None else request.trace_header or unsampled_header(),
            trace=trace,
            client_context=request.client_context,
            wants_tail=request.wants_tail,
            stream=request.stream,
        )
        try:
            outcome = await self._engine.invoke(spec, invocation)
        except MemoryExhausted as error:
            raise self._throttled(spec, request, Reason.CONCURRENCY, f"Rate Exceeded. {error}", 1.0) from error
        except (ZygoteFailed, SandboxLost) as error:
            logger.error("%s: no environment: %s", request.function.qualified_arn, error)
            raise ServiceFailure(f"The execution environment could not be started: {error}") from error
        except RestorationFailed as error:
            raise _restoration_refusal(error.failure) from None
        finally:
            self._release(admitted, start, started_ms, outcome)
        return outcome

    def _trace(self, request: InvokeRequest) -> Trace:
        function = request.function
        key = (function.scope, function.name)
        return trace_of(request.trace_header, lambda: self._sampler.wants(key, self._clock()))

    def _admit(self, spec: ExecutionSpec, request: InvokeRequest, *, is_event: bool) -> tuple[Admitted, InvokeStarted]:
        """Take a slot for one invoke, and tell observers of it. Raises TooManyRequests."""
        scope, name = spec.scope, spec.name
        configured = self._concurrency.of(scope, name)
        ready = self._provisioner.ready(scope, name)
        demand = Demand(
            scope=scope,
            name=name,
            version=spec.version,
            reserved=configured.reserved,
            provisioned=ready.get(spec.version, 0),
            provisioned_of_function=sum(ready.values()),
            set_aside=self._concurrency.set_aside(scope),
            starts=self._engine.must_start(spec),
            has_rate=not is_event,
        )
        decision = self._admission.admit(demand, self._clock())
        if isinstance(decision, Refusal):
            raise self._throttled(spec, request, decision.reason, "Rate Exceeded.", decision.retry_after_s)
        start = InvokeStarted(
            scope=scope,
            name=name,
            version=spec.version,
            qualifier=request.qualifier,
            slot=decision.slot,
            spilled_over=decision.spilled_over,
            provisioned=demand.provisioned,
        )
        self._tell(start)
        return decision, start

    def _release(self, admitted: Admitted, start: InvokeStarted, started_ms: int, outcome: Outcome | None) -> None:
        self._admission.release(admitted)
        self._tell(
            InvokeEnded(
                start=start,
                started_ms=started_ms,
                report=outcome.report if outcome is not None else None,
                failed=outcome.failed if outcome is not None else False,
            )
        )

    def _throttled(
        self, spec: ExecutionSpec, request: InvokeRequest, reason: Reason, message: str, retry_after_s: float | None
    ) -> TooManyRequests:
        self._tell(
            InvokeThrottled(
                scope=spec.scope,
                name=spec.name,
                version=spec.version,
                qualifier=request.qualifier,
                reason=reason,
            )
        )
        # Retry-After holds whole seconds (RFC 9110, section 10.2.3).
        retry_after = None if retry_after_s is None else str(math.ceil(retry_after_s))
        return TooManyRequests(message, Reason=reason.value, Type="User", retryAfterSeconds=retry_after)

    def _tell(self, observation: Observation) -> None:
        for observer in self.observers:
            observer(observation)

    def new_stream(self) -> ResponseStream:
        """Where the parts of a streamed answer go, with this server's limits."""
        return ResponseStream(self._stream_limits)

    def start_event(self, request: InvokeRequest) -> None:
        """Accept an asynchronous invoke and run it once, behind the caller's back."""
        check_json(request.payload or b"{}")
        function = request.function
        self._tell(
            EventReceived(
                scope=function.scope,
                name=function.name,
                version=function.version,
                qualifier=request.qualifier,
            )
        )

        async def run() -> None:
            try:
                await self.invoke(request, is_event=True)
            except Exception:
                logger.exception("asynchronous invoke %s failed", request.request_id)

        task = asyncio.create_task(run())
        self._events.add(task)
        task.add_done_callback(self._events.discard)

    def _spec(self, function: FunctionVersion) -> ExecutionSpec:
        """The spec of a version, made once for each configuration and not for each invoke."""
        key = function.qualified_arn
        known = self._specs.get(key)
        if known is None or known[0] is not function:
            known = self._specs[key] = (function, ExecutionSpec.of(function))
        return known[1]

    def forget(self, scope: Scope, name: str, *, deleted: bool) -> None:
        """A function changed or is gone: drop what was derived from it."""
        if deleted:
            self._admission.forget(scope, name)
            self._sampler.forget((scope, name))
        prefix = scope.arn("lambda", f"function:{name}:")
        for key in [key for key in self._specs if key.startswith(prefix)]:
            del self._specs[key]


def _restoration_refusal(failure: Failure) -> ServiceError:
    """AWS: Lambda developer guide, "Activating and managing Lambda SnapStart", errors of restoration."""
    if failure.status == "timeout":
        return SnapStartTimeout("Lambda couldn't restore the snapshot within the timeout limit.")
    return SnapStartFailure(
        f"A hook failed while the snapshot was restored: {failure.payload.decode(errors='replace')}"
    )


def check_state(function: FunctionVersion) -> None:
    """Raises ResourceConflict for a published version that is not ready, as AWS does for one that is optimised.

    ``$LATEST`` of a new function is invoked all the same: it only takes a moment until it is active.
    """
    if function.state == "Failed" or (function.state == "Pending" and function.version != LATEST):
        raise ResourceConflict(
            "The operation cannot be performed at this time. The function is currently in the following state: "
            f"{function.state}"
        )


def check_json(payload: bytes) -> None:
    """Raises InvalidRequestContent unless the payload is JSON. The wording is the service's (fact sheet 6.2)."""
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestContent(
            "Could not parse request body into json: Could not parse payload into json: "
            + _parser_words(payload, error)
        ) from None


def _parser_words(payload: bytes, error: json.JSONDecodeError) -> str:
    """AWS's parser's words; for payloads that are long, or right to that parser, those of ours."""
    found = describe(payload) if len(payload) <= READABLE else None
    return found or f"{error.msg}; line: {error.lineno}, column: {error.colno}"
