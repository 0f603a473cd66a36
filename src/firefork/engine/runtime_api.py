"""One environment's side of the Runtime API, without I/O: requests and deliveries in, replies and events out.

It knows nothing of sockets, clocks or event loops, so every order of calls that a runtime can produce is a unit test.
Source: AWS Lambda developer guide, "Using the Lambda runtime API"; error bodies and states as in AWS's runtime
interface emulator.
"""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from firefork.aws.record import record
from firefork.engine import failures
from firefork.engine.guest_reply import ACCEPTED, NOT_FOUND, IllegalTransition, Reply, error_reply
from firefork.store.clock import new_id

PAYLOAD_LIMIT: Final = 6 * 1024 * 1024 + 100
"""Bytes of a response; AWS answers 413 beyond it."""

PREFIX: Final = "/2018-06-01/runtime/"
RESPONSE_MODE: Final = "lambda-runtime-function-response-mode"
_WITH_CAUSE: Final = "application/vnd.aws.lambda.error.cause+json"
_ERROR_MEMBERS: Final = ("errorMessage", "errorType", "stackTrace")


class RuntimeState(enum.Enum):
    """Where the runtime process stands, in the words of AWS's own state names."""

    STARTED = "Started"
    RESTORE_READY = "RestoreReady"
    """Initialised, and waiting to be restored (SnapStart)."""
    RESTORING = "Restoring"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "InvocationResponse"
    """A streamed response has begun."""
    RESPONDED = "ResponseSent"
    INIT_ERROR = "InitError"
    RESTORE_ERROR = "RestoreError"

    __hash__ = object.__hash__
    """By identity: Enum's own hashes the name anew, for each look-up in the table below."""


class RuntimeCall(enum.Enum):
    """What moves the state: calls of the runtime, and deliveries to it."""

    NEXT = "Ready"
    DELIVERY = "Running"
    STREAM = "InvocationResponse"
    RESPONSE = "ResponseSent"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"
    RESTORE_NEXT = "RestoreReady"
    RESTORE = "Restoring"
    RESTORE_ERROR = "RestoreError"

    __hash__ = object.__hash__


TRANSITIONS: Final[Mapping[tuple[RuntimeState, RuntimeCall], RuntimeState]] = {
    (RuntimeState.STARTED, RuntimeCall.NEXT): RuntimeState.READY,
    (RuntimeState.STARTED, RuntimeCall.INIT_ERROR): RuntimeState.INIT_ERROR,
    (RuntimeState.STARTED, RuntimeCall.RESTORE_NEXT): RuntimeState.RESTORE_READY,
    (RuntimeState.RESTORE_READY, RuntimeCall.RESTORE): RuntimeState.RESTORING,
    (RuntimeState.RESTORING, RuntimeCall.NEXT): RuntimeState.READY,
    (RuntimeState.RESTORING, RuntimeCall.RESTORE_ERROR): RuntimeState.RESTORE_ERROR,
    (RuntimeState.READY, RuntimeCall.NEXT): RuntimeState.READY,
    (RuntimeState.READY, RuntimeCall.DELIVERY): RuntimeState.RUNNING,
    (RuntimeState.RUNNING, RuntimeCall.STREAM): RuntimeState.RESPONDING,
    (RuntimeState.RUNNING, RuntimeCall.RESPONSE): RuntimeState.RESPONDED,
    (RuntimeState.RUNNING, RuntimeCall.ERROR): RuntimeState.RESPONDED,
    (RuntimeState.RESPONDING, RuntimeCall.RESPONSE): RuntimeState.RESPONDED,
    (RuntimeState.RESPONDED, RuntimeCall.NEXT): RuntimeState.READY,
}
"""A pair that is absent is illegal and answered 403."""


def advance(state: RuntimeState, call: RuntimeCall) -> RuntimeState:
    """The state after ``call``. Raises IllegalTransition."""
    try:
        return TRANSITIONS[state, call]
    except KeyError:
        raise IllegalTransition(
            f"State transition from {state.value} to {call.value} failed for runtime. "
            "Error: State transition is not allowed"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """The runtime asked for the next event: init, or the invoke before, is over."""


@record
class Responded:
    """The runtime answered the invoke. ``body`` goes to the caller as it is; a streamed one has gone already."""

    body: bytes
    failed: bool = False
    error_type: str | None = None
    streamed: bool = False
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReady:
    """The runtime is initialised and waits for the end of its restoration (SnapStart)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreFailed:
    """A hook failed after the restoration; the runtime is about to exit."""

    body: bytes
    error_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InitFailed:
    """The runtime could not load the function; it is about to exit."""

    body: bytes
    error_type: str


@record
class Delivery:
    """An event on its way to the runtime, and the headers that go with it."""

    request_id: str
    deadline_ms: int
    invoked_function_arn: str
    trace_id: str | None
    payload: bytes
    client_context: str | None = None
    """Decoded JSON text."""
    cognito_identity: str | None = None
    tenant_id: str | None = None
    content_type: str = "application/json"
    streaming: bool = False
    """Whether the caller takes parts as they come. Told in a header of ours, for Python's generator handlers."""


RuntimeEvent = Polled | Responded | InitFailed | RestoreReady | RestoreFailed


_TOO_LARGE: Final = error_reply(
    413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
)


class RuntimeApi:
    """The calls of one environment's runtime. One invoke at a time; a restarted runtime gets a new object."""

    def __init__(self, state: RuntimeState = RuntimeState.STARTED) -> None:
        """``state`` is another one where the runtime did not begin here: it was forked from an initialised one."""
        self.state = state
        self._request_id: str | None = None
        self._invocation_id = ""

    def receive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply | None, RuntimeEvent | None]:
        """A request of the runtime. ``body`` is ``None`` when it was longer than ``PAYLOAD_LIMIT``.

        The reply is ``None`` for the two next-calls, which ``deliver`` and ``restore`` answer. Header names are lower
        case.
        """
        if not path.startswith(PREFIX):
            return (Reply(status=200, body=b"pong", content_type="text/plain") if path == "/ping" else NOT_FOUND), None
        call = path[len(PREFIX) :]
        try:
            if call == "invocation/next" and method == "GET":
                self.state = advance(self.state, RuntimeCall.NEXT)
                return None, Polled()
            request_id, action = _invocation(call)
            if method == "POST" and action in ("response", "error"):
                return self._answered(request_id, action, headers, body)
            return self._rare(method, call, headers, body)
        except IllegalTransition as error:
            return error_reply(403, "InvalidStateTransition", str(error)), None

    def _rare(
        self, method: str, call: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply | None, RuntimeEvent | None]:
        error_type = headers.get("lambda-runtime-function-error-type", "")
        if call == "init/error" and method == "POST":
            self.state = advance(self.state, RuntimeCall.INIT_ERROR)
            return ACCEPTED, InitFailed(body=body or b"", error_type=error_type)
        if call == "restore/next" and method == "GET":
            self.state = advance(self.state, RuntimeCall.RESTORE_NEXT)
            return None, RestoreReady()
        if call == "restore/error" and method == "POST":
            self.state = advance(self.state, RuntimeCall.RESTORE_ERROR)
            return ACCEPTED, RestoreFailed(body=body or b"", error_type=error_type)
        return NOT_FOUND, None

    def _answered(
        self, request_id: str, action: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply, RuntimeEvent | None]:
        failed = action == "error"
        refusal = self._check_answer(request_id, headers)
        if refusal is not None:
            return refusal, None
        self.state = advance(self.state, RuntimeCall.ERROR if failed else RuntimeCall.RESPONSE)
        self._request_id = None
        if body is None:
            failure = failures.response_too_large(PAYLOAD_LIMIT)
            return _TOO_LARGE, Responded(body=failure.payload, failed=True, error_type=failure.log_error_type)
        error_type = headers.get("lambda-runtime-function-error-type") if failed else None
        content_type = headers.get("content-type", "application/json")
        if failed and content_type == _WITH_CAUSE:
            body = _without_cause(body)
        return ACCEPTED, Responded(body=body, failed=failed, error_type=error_type, content_type=content_type)

    def _check_answer(self, request_id: str, headers: Mapping[str, str]) -> Reply | None:
        """Why an answer cannot be taken, if it cannot."""
        if request_id != self._request_id:
            return error_reply(400, "InvalidRequestID", "Invalid request ID")
        invocation_id = headers.get("lambda-runtime-invocation-id")
        if invocation_id is not None and invocation_id != self._invocation_id:
            return error_reply(400, "InvalidInvocationId", "Invalid invocation ID")
        if headers.get(RESPONSE_MODE, "streaming") != "streaming":
            return error_reply(400, "InvalidFunctionResponseMode", "Invalid function response mode")
        return None

    # ---- streamed responses: begun when their head is there, ended by the trailer

    def open_stream(self, path: str, headers: Mapping[str, str]) -> Reply | None:
        """A response in streaming mode begins; the refusal, or ``None`` when its parts may come."""
        request_id, action = _invocation(path[len(PREFIX) :])
        if action != "response":
            return NOT_FOUND
        refusal = self._check_answer(request_id, headers)
        if refusal is not None:
            return refusal
        try:
            self.state = advance(self.state, RuntimeCall.STREAM)
        except IllegalTransition as error:
            return error_reply(403, "InvalidStateTransition", str(error))
        return None

    def end_stream(self, trailer: Mapping[str, str]) -> tuple[Reply, Responded]:
        """The response is complete. An error that came in the middle of it is in the trailer, its body in base64."""
        self.state = advance(self.state, RuntimeCall.RESPONSE)
        self._request_id = None
        error_type = trailer.get("lambda-runtime-function-error-type")
        if error_type is None:
            return ACCEPTED, Responded(body=b"", streamed=True)
        try:
            body = base64.b64decode(trailer.get("lambda-runtime-function-error-body", ""), validate=True)
        except binascii.Error:
            body = b""
        return ACCEPTED, Responded(body=body, failed=True, error_type=error_type, streamed=True)

    def restore(self) -> Reply:
        """The answer to the waiting restore/next-call. Raises IllegalTransition when no runtime waits."""
        self.state = advance(self.state, RuntimeCall.RESTORE)
        return Reply(status=200)

    def deliver(self, delivery: Delivery) -> Reply:
        """The answer to the waiting next-call. Raises IllegalTransition when no runtime waits."""
        self.state = advance(self.state, RuntimeCall.DELIVERY)
        self._request_id = delivery.request_id
        self._invocation_id = new_id()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": delivery.request_id,
            "Lambda-Runtime-Deadline-Ms": str(delivery.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": delivery.invoked_function_arn,
            "Lambda-Runtime-Invocation-Id": self._invocation_id,
        }
        if delivery.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = delivery.trace_id
        if delivery.client_context:
            headers["Lambda-Runtime-Client-Context"] = delivery.client_context
        if delivery.cognito_identity:
            headers["Lambda-Runtime-Cognito-Identity"] = delivery.cognito_identity
        if delivery.tenant_id:
            headers["Lambda-Runtime-Aws-Tenant-Id"] = delivery.tenant_id
        if delivery.streaming:
            headers["Firefork-Response-Mode"] = "streaming"
        return Reply(status=200, body=delivery.payload, headers=headers, content_type=delivery.content_type)


def _invocation(call: str) -> tuple[str, str]:
    """``(request id, action)`` of ``invocation/{id}/{action}``; empty texts for other calls."""
    resource, _, rest = call.partition("/")
    request_id, _, action = rest.partition("/")
    return (request_id, action) if resource == "invocation" else ("", "")


def _without_cause(body: bytes) -> bytes:
    """The error's body out of the content type that wraps it together with its X-Ray cause."""
    try:
        wrapped = orjson.loads(body)
        return orjson.dumps({name: wrapped[name] for name in _ERROR_MEMBERS if name in wrapped})
    except (ValueError, TypeError):
        return body
