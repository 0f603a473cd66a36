"""One environment's side of the Extensions API, without I/O: registrations, events, errors.

Source: AWS Lambda developer guide, "Using the Lambda Extensions API to create extensions"; states and error texts as in
AWS's runtime interface emulator (fact sheet section 4.2).
"""

from __future__ import annotations

import enum
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from firefork.engine.guest_reply import ACCEPTED, NOT_FOUND, IllegalTransition, Reply, error_reply

EXTENSION_LIMIT: Final = 10
"""External and internal ones together."""
PREFIX: Final = "/2020-01-01/extension/"


class ExtensionState(enum.Enum):
    """Where an extension stands, in the words of AWS's own state names."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    LAUNCH_ERROR = "LaunchError"
    """It is no process: it could not be executed, or it is one too many."""


class ExtensionCall(enum.Enum):
    """What moves the state: calls of the extension, deliveries to it, and the kernel's refusal to execute it."""

    REGISTER = "Registered"
    NEXT = "Ready"
    DELIVERY = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    LAUNCH_ERROR = "LaunchError"


TRANSITIONS: Final[Mapping[tuple[ExtensionState, ExtensionCall], ExtensionState]] = {
    (ExtensionState.STARTED, ExtensionCall.REGISTER): ExtensionState.REGISTERED,
    (ExtensionState.STARTED, ExtensionCall.LAUNCH_ERROR): ExtensionState.LAUNCH_ERROR,
    (ExtensionState.REGISTERED, ExtensionCall.NEXT): ExtensionState.READY,
    (ExtensionState.REGISTERED, ExtensionCall.INIT_ERROR): ExtensionState.INIT_ERROR,
    (ExtensionState.REGISTERED, ExtensionCall.EXIT_ERROR): ExtensionState.EXIT_ERROR,
    (ExtensionState.READY, ExtensionCall.NEXT): ExtensionState.READY,
    (ExtensionState.READY, ExtensionCall.DELIVERY): ExtensionState.RUNNING,
    (ExtensionState.READY, ExtensionCall.EXIT_ERROR): ExtensionState.EXIT_ERROR,
    (ExtensionState.RUNNING, ExtensionCall.NEXT): ExtensionState.READY,
    (ExtensionState.RUNNING, ExtensionCall.EXIT_ERROR): ExtensionState.EXIT_ERROR,
    # Repeated reports are accepted; the first one counts.
    (ExtensionState.INIT_ERROR, ExtensionCall.INIT_ERROR): ExtensionState.INIT_ERROR,
    (ExtensionState.EXIT_ERROR, ExtensionCall.EXIT_ERROR): ExtensionState.EXIT_ERROR,
}
"""A pair that is absent is illegal and answered 403."""


def advance(state: ExtensionState, call: ExtensionCall, name: str) -> ExtensionState:
    """The state after ``call``. Raises IllegalTransition."""
    try:
        return TRANSITIONS[state, call]
    except KeyError:
        raise IllegalTransition(
            f"State transition from {state.value} to {call.value} failed for extension {name}. "
            "Error: State transition is not allowed"
        ) from None


class Extension:
    """One extension of an environment."""

    __slots__ = ("error_type", "events", "external", "identifier", "name", "state")

    def __init__(self, name: str, *, external: bool) -> None:
        self.name = name
        self.external = external
        """Whether it is a process of its own, from ``/opt/extensions``."""
        self.identifier = str(uuid.uuid4())
        self.events: frozenset[str] = frozenset()
        self.state = ExtensionState.STARTED
        self.error_type: str | None = None
        """What it reported on init/error or exit/error, or why it was not launched."""

    @property
    def settled(self) -> bool:
        """Whether nothing has to be waited for: it asked for its next event."""
        return self.state is ExtensionState.READY

    def shown_events(self) -> list[str]:
        return [event for event in ("INVOKE", "SHUTDOWN") if event in self.events]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRegistered:
    extension: Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionPolled:
    """An extension asked for its next event: its init, or the invoke before, is over."""

    extension: Extension
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionFailed:
    """An extension reported that it cannot go on."""

    extension: Extension
    phase: str
    """``init`` or ``exit``."""


ExtensionEvent = ExtensionRegistered | ExtensionPolled | ExtensionFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFacts:
    """What registration tells an extension of its function."""

    name: str
    version: str
    handler: str
    account_id: str


def _refusal(error_type: str, message: str) -> Reply:
    return error_reply(403, f"Extension.{error_type}", message)


class ExtensionsApi:
    """The extensions of one environment, from one init to its end."""

    def __init__(self, function: FunctionFacts, external: Sequence[str] = ()) -> None:
        """``external`` are the file names below ``/opt/extensions`` that are being started."""
        self._function = function
        # Those beyond the first that is too many are not even looked at.
        known = external[: EXTENSION_LIMIT + 1]
        self._by_name = {name: Extension(name, external=True) for name in known}
        self._by_identifier: dict[str, Extension] = {}
        self.registration_open = True

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._by_name.values())

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def not_launched(self, name: str, error_type: str) -> None:
        """The external extension of that name is no process. Raises IllegalTransition when it has registered."""
        extension = self._by_name[name]
        extension.state = advance(extension.state, ExtensionCall.LAUNCH_ERROR, name)
        extension.error_type = error_type

    def named(self, name: str) -> Extension | None:
        return self._by_name.get(name)

    def find(self, identifier: str) -> Extension | Reply:
        """The extension behind a ``Lambda-Extension-Identifier``, or the refusal."""
        if not identifier:
            return _refusal("MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            uuid.UUID(identifier)
        except ValueError:
            return _refusal("InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        found = self._by_identifier.get(identifier)
        if found is None:
            return _refusal("UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        return found

    @property
    def registered(self) -> bool:
        """Whether every external extension has registered (or has given up): the runtime may start."""
        return all(extension.state is not ExtensionState.STARTED for extension in self)

    @property
    def settled(self) -> bool:
        """Whether every extension that takes part asked for its next event."""
        return all(extension.settled for extension in self)

    def receive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[Reply | None, ExtensionEvent | None]:
        """A request below ``PREFIX``. The reply is ``None`` for the next-call, which ``deliver`` answers."""
        call = path[len(PREFIX) :]
        if call == "register" and method == "POST":
            return self._register(headers, body)
        if (call, method) not in (("event/next", "GET"), ("init/error", "POST"), ("exit/error", "POST")):
            return NOT_FOUND, None
        extension = self.find(headers.get("lambda-extension-identifier", ""))
        if isinstance(extension, Reply):
            return extension, None
        try:
            if call == "event/next":
                first = extension.state is ExtensionState.REGISTERED
                extension.state = advance(extension.state, ExtensionCall.NEXT, extension.name)
                return None, ExtensionPolled(extension=extension, first=first)
            return self._failed(extension, call.partition("/")[0], headers)
        except IllegalTransition as error:
            return _refusal("InvalidExtensionState", str(error)), None

    def _failed(
        self, extension: Extension, phase: str, headers: Mapping[str, str]
    ) -> tuple[Reply, ExtensionEvent | None]:
        error_type = headers.get("lambda-extension-function-error-type", "")
        if not error_type:
            return _refusal("MissingHeader", "Lambda-Extension-Function-Error-Type not found"), None
        before = extension.state
        wanted = ExtensionCall.INIT_ERROR if phase == "init" else ExtensionCall.EXIT_ERROR
        extension.state = advance(before, wanted, extension.name)
        if extension.state is before:
            return ACCEPTED, None
        extension.error_type = error_type
        return ACCEPTED, ExtensionFailed(extension=extension, phase=phase)

    def _register(self, headers: Mapping[str, str], body: bytes | None) -> tuple[Reply, ExtensionEvent | None]:
        name = headers.get("lambda-extension-name", "")
        if not name:
            return _refusal("InvalidExtensionName", "Empty extension name"), None
        try:
            request = orjson.loads(body or b"{}")
            events = request.get("events") or []
            if not isinstance(events, list) or not all(isinstance(event, str) for event in events):
                raise ValueError("events must be a list of strings")
        except (ValueError, AttributeError) as error:
            return error_reply(403, "InvalidRequestFormat", str(error)), None
        extension = self._by_name.get(name)
        if extension is None or not extension.external:
            if extension is not None:
                return _refusal("InvalidExtensionState", "Extension with this name already registered"), None
            if not self.registration_open:
                return _refusal("RegistrationClosed", "Extension registration closed already"), None
            if len(self._by_name) >= EXTENSION_LIMIT:
                return _refusal("TooManyExtensions", f"Extension limit ({EXTENSION_LIMIT}) reached"), None
            extension = Extension(name, external=False)
        allowed = {"INVOKE", "SHUTDOWN"} if extension.external else {"INVOKE"}
        for event in events:
            if event not in allowed:
                known = event == "SHUTDOWN"
                text = "ShutdownEventNotSupportedForInternalExtension" if known else event
                return _refusal("InvalidEventType", f"{text}: extension.InvalidEventType"), None
        try:
            extension.state = advance(extension.state, ExtensionCall.REGISTER, name)
        except IllegalTransition as error:
            return _refusal("InvalidExtensionState", str(error)), None
        extension.events = frozenset(events)
        self._by_name[name] = extension
        self._by_identifier[extension.identifier] = extension
        facts = {
            "functionName": self._function.name,
            "functionVersion": self._function.version,
            "handler": self._function.handler,
        }
        wanted = headers.get("lambda-extension-accept-feature", "")
        if "accountId" in (feature.strip() for feature in wanted.split(",")):
            facts["accountId"] = self._function.account_id
        reply = Reply(
            status=200, body=orjson.dumps(facts), headers={"Lambda-Extension-Identifier": extension.identifier}
        )
        return reply, ExtensionRegistered(extension=extension)

    def subscribers(self, event: str) -> list[Extension]:
        """Extensions that wait for an event of this type."""
        return [found for found in self if found.state is ExtensionState.READY and event in found.events]


def deliver(extension: Extension, event: bytes) -> Reply:
    """The answer to the waiting next-call of ``extension``. Raises IllegalTransition."""
    extension.state = advance(extension.state, ExtensionCall.DELIVERY, extension.name)
    return Reply(status=200, body=event, headers={"Lambda-Extension-Event-Identifier": str(uuid.uuid4())})


def invoke_event(*, deadline_ms: int, request_id: str, function_arn: str, trace_id: str | None) -> bytes:
    """The INVOKE event. AWS: Extensions API reference, "Next"."""
    return orjson.dumps(
        {
            "eventType": "INVOKE",
            "deadlineMs": deadline_ms,
            "requestId": request_id,
            "invokedFunctionArn": function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": trace_id or ""},
        }
    )


def shutdown_event(*, reason: str, deadline_ms: int) -> bytes:
    """The SHUTDOWN event; ``reason`` is SPINDOWN, TIMEOUT or FAILURE."""
    return orjson.dumps({"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms})
