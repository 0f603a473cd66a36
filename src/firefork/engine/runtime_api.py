"""One environment's side of the Runtime API, without I/O: requests and deliveries in, replies and events out.

It knows nothing of sockets, clocks or event loops, so every order of calls that a runtime can produce is a unit test.
Source: AWS Lambda developer guide, "Using the Lambda runtime API"; error bodies and states as in AWS's runtime
interface emulator.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

PAYLOAD_LIMIT: Final = 6 * 1024 * 1024 + 100
"""Bytes of a response; AWS answers 413 beyond it."""

_PREFIX: Final = "/2018-06-01/runtime/"


class RuntimeState(enum.Enum):
    """Where the runtime process stands, in the words of AWS's own state names."""

    STARTED = "Started"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDED = "ResponseSent"
    INIT_ERROR = "InitError"


class RuntimeCall(enum.Enum):
    """What moves the state: calls of the runtime, and deliveries to it."""

    NEXT = "Ready"
    DELIVERY = "Running"
    RESPONSE = "InvocationResponse"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"


TRANSITIONS: Final[Mapping[tuple[RuntimeState, RuntimeCall], RuntimeState]] = {
    (RuntimeState.STARTED, RuntimeCall.NEXT): RuntimeState.READY,
    (RuntimeState.STARTED, RuntimeCall.INIT_ERROR): RuntimeState.INIT_ERROR,
    (RuntimeState.READY, RuntimeCall.NEXT): RuntimeState.READY,
    (RuntimeState.READY, RuntimeCall.DELIVERY): RuntimeState.RUNNING,
    (RuntimeState.RUNNING, RuntimeCall.RESPONSE): RuntimeState.RESPONDED,
    (RuntimeState.RUNNING, RuntimeCall.ERROR): RuntimeState.RESPONDED,
    (RuntimeState.RESPONDED, RuntimeCall.NEXT): RuntimeState.READY,
}
"""A pair that is absent is illegal and answered 403."""


class IllegalTransition(Exception):
    """A call that the state does not allow; nothing changed."""


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
class Reply:
    """An HTTP answer to the runtime."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """The runtime asked for the next event: init, or the invoke before, is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """The runtime answered the invoke. ``body`` goes to the caller as it is."""

    body: bytes
    failed: bool = False
    error_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitFailed:
    """The runtime could not load the function; it is about to exit."""

    body: bytes
    error_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
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
    content_type: str = "application/json"


RuntimeEvent = Polled | Responded | InitFailed


def error_reply(status: int, error_type: str, message: str) -> Reply:
    return Reply(status=status, body=orjson.dumps({"errorMessage": message, "errorType": error_type}))


_ACCEPTED: Final = Reply(status=202, body=b'{"status":"OK"}\n')
_NOT_FOUND: Final = Reply(status=404, body=b"404 page not found\n", content_type="text/plain; charset=utf-8")
_TOO_LARGE: Final = error_reply(
    413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
)
_TOO_LARGE_ANSWER: Final = orjson.dumps(
    {
        "errorMessage": f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
)


class RuntimeApi:
    """The calls of one environment's runtime. One invoke at a time; a restarted runtime gets a new object."""

    def __init__(self) -> None:
        self.state = RuntimeState.STARTED
        self._request_id: str | None = None

    def receive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply | None, RuntimeEvent | None]:
        """A request of the runtime. ``body`` is ``None`` when it was longer than ``PAYLOAD_LIMIT``.

        The reply is ``None`` for the next-call, which is answered by ``deliver``. Header names are lower case.
        """
        if not path.startswith(_PREFIX):
            return (Reply(status=200, body=b"pong", content_type="text/plain") if path == "/ping" else _NOT_FOUND), None
        call = path[len(_PREFIX) :]
        try:
            if call == "invocation/next" and method == "GET":
                self.state = advance(self.state, RuntimeCall.NEXT)
                return None, Polled()
            if call == "init/error" and method == "POST":
                self.state = advance(self.state, RuntimeCall.INIT_ERROR)
                error_type = headers.get("lambda-runtime-function-error-type", "")
                return _ACCEPTED, InitFailed(body=body or b"", error_type=error_type)
            resource, _, rest = call.partition("/")
            request_id, _, action = rest.partition("/")
            if resource == "invocation" and method == "POST" and action in ("response", "error"):
                return self._answered(request_id, action, headers, body)
        except IllegalTransition as error:
            return error_reply(403, "InvalidStateTransition", str(error)), None
        return _NOT_FOUND, None

    def _answered(
        self, request_id: str, action: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply, RuntimeEvent | None]:
        if request_id != self._request_id:
            return error_reply(400, "InvalidRequestID", "Invalid request ID"), None
        failed = action == "error"
        state = advance(self.state, RuntimeCall.ERROR if failed else RuntimeCall.RESPONSE)
        if headers.get("lambda-runtime-function-response-mode", "streaming") != "streaming":
            return error_reply(400, "InvalidFunctionResponseMode", "Invalid function response mode"), None
        self.state = state
        self._request_id = None
        if body is None:
            answer = Responded(body=_TOO_LARGE_ANSWER, failed=True, error_type="Function.ResponseSizeTooLarge")
            return _TOO_LARGE, answer
        error_type = headers.get("lambda-runtime-function-error-type") if failed else None
        return _ACCEPTED, Responded(body=body, failed=failed, error_type=error_type)

    def deliver(self, delivery: Delivery) -> Reply:
        """The answer to the waiting next-call. Raises IllegalTransition when no runtime waits."""
        self.state = advance(self.state, RuntimeCall.DELIVERY)
        self._request_id = delivery.request_id
        headers = {
            "Lambda-Runtime-Aws-Request-Id": delivery.request_id,
            "Lambda-Runtime-Deadline-Ms": str(delivery.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": delivery.invoked_function_arn,
        }
        if delivery.trace_id:
            headers["Lambda-Runtime-Trace-Id"] = delivery.trace_id
        if delivery.client_context:
            headers["Lambda-Runtime-Client-Context"] = delivery.client_context
        if delivery.cognito_identity:
            headers["Lambda-Runtime-Cognito-Identity"] = delivery.cognito_identity
        return Reply(status=200, body=delivery.payload, headers=headers, content_type=delivery.content_type)
