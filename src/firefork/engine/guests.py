"""The processes of one environment between an init and its end, as the APIs that they call see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from firefork.engine import extensions_api, telemetry_api
from firefork.engine.extensions_api import Extension, ExtensionEvent, ExtensionPolled, ExtensionsApi
from firefork.engine.guest_reply import Reply
from firefork.engine.runtime_api import (
    Delivery,
    Polled,
    RestoreReady,
    RuntimeApi,
    RuntimeEvent,
    RuntimeState,
)
from firefork.engine.runtime_server import GuestConnection
from firefork.engine.telemetry_api import Subscription, TelemetryApi

Event = RuntimeEvent | ExtensionEvent | Subscription
_EXTENSIONS: Final = extensions_api.PREFIX
_INITIALISED: Final = frozenset({RuntimeState.READY, RuntimeState.RESTORE_READY})
CREDENTIALS_PATH: Final = "/2021-04-23/credentials"


class StreamReceiver(Protocol):
    """Takes the parts of a response in streaming mode."""

    def feed(self, data: bytes, connection: GuestConnection) -> None: ...

    def broken(self) -> None:
        """The connection ended before the response did."""


class Guests:
    """One generation: runtime, extensions, their parked calls. A restarted environment gets a new object."""

    def __init__(
        self,
        function: extensions_api.FunctionFacts,
        external: list[str],
        *,
        receiver: StreamReceiver,
        on_event: Callable[[Event], None],
        credentials: Callable[[str], Reply] | None = None,
        restored: bool = False,
    ) -> None:
        """``external`` names the extensions that are processes of their own; ``on_event`` hears of every call.

        ``restored``: the runtime was initialised elsewhere, so it is too late to register or to subscribe.
        """
        self.runtime = RuntimeApi(RuntimeState.RESTORING if restored else RuntimeState.STARTED)
        self.extensions = ExtensionsApi(function, external)
        self.extensions.registration_open = not restored
        self.telemetry = TelemetryApi(self.extensions)
        self.telemetry.open = not restored
        self._receiver = receiver
        self._on_event = on_event
        self._credentials = credentials
        self._runtime_call: GuestConnection | None = None
        self._extension_calls: dict[str, GuestConnection] = {}
        self._shutdown: bytes | None = None
        self._told: set[str] = set()
        """Extensions that were given it; one that asks once more waits for its end."""

    # ---- what the processes ask

    def receive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, connection: GuestConnection
    ) -> Reply | None:
        if path.startswith(_EXTENSIONS):
            return self._receive_extension(method, path, headers, body, connection)
        if path in telemetry_api.APIS:
            reply, subscription = self.telemetry.receive(method, path, headers, body)
            if subscription is not None:
                self._on_event(subscription)
            return reply
        if path == CREDENTIALS_PATH and method == "GET" and self._credentials is not None:
            return self._credentials(headers.get("authorization", ""))
        runtime_reply, event = self.runtime.receive(method, path, headers, body)
        if isinstance(event, (Polled, RestoreReady)):
            self._runtime_call = connection
            self.extensions.registration_open = False
        if event is not None:
            self._on_event(event)
        return runtime_reply

    def _receive_extension(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, connection: GuestConnection
    ) -> Reply | None:
        reply, event = self.extensions.receive(method, path, headers, body)
        if isinstance(event, ExtensionPolled):
            extension = event.extension
            if self._shutdown is not None and "SHUTDOWN" in extension.events and extension.name not in self._told:
                self._told.add(extension.name)
                return extensions_api.deliver(extension, self._shutdown)
            self._extension_calls[extension.name] = connection
        if event is not None:
            self._on_event(event)
        return reply

    def open_stream(self, path: str, headers: Mapping[str, str], connection: GuestConnection) -> Reply | None:
        return self.runtime.open_stream(path, headers)

    def stream_data(self, data: bytes, connection: GuestConnection) -> None:
        self._receiver.feed(data, connection)

    def end_stream(self, trailer: Mapping[str, str]) -> Reply:
        reply, event = self.runtime.end_stream(trailer)
        self._on_event(event)
        return reply

    def stream_broken(self) -> None:
        self._receiver.broken()

    # ---- what they are given

    @property
    def runtime_is_ready(self) -> bool:
        return self.runtime.state is RuntimeState.READY

    @property
    def waits_for_restoration(self) -> bool:
        return self.runtime.state is RuntimeState.RESTORE_READY

    @property
    def initialised(self) -> bool:
        """Whether init is over: the runtime waits for an event, or to be restored, and every extension for an event."""
        return self.runtime.state in _INITIALISED and self.extensions.settled

    @property
    def invoke_is_over(self) -> bool:
        """Whether the runtime and every extension that was told of the invoke wait for the next event."""
        return self.runtime.state is RuntimeState.READY and all(
            extension.settled for extension in self.extensions if "INVOKE" in extension.events
        )

    def deliver(self, delivery: Delivery) -> bool:
        """Give an event to the runtime and to the extensions that want it; whether the runtime could take it.

        Raises IllegalTransition when the runtime did not ask.
        """
        if self.extensions:
            event = extensions_api.invoke_event(
                deadline_ms=delivery.deadline_ms,
                request_id=delivery.request_id,
                function_arn=delivery.invoked_function_arn,
                trace_id=delivery.trace_id,
            )
            for extension in self.extensions.subscribers("INVOKE"):
                self._give(extension, event)
        call, self._runtime_call = self._runtime_call, None
        reply = self.runtime.deliver(delivery)
        return call is not None and call.answer(reply)

    def restore(self) -> bool:
        """Let an initialised runtime go on; whether it was there. Raises IllegalTransition."""
        call, self._runtime_call = self._runtime_call, None
        reply = self.runtime.restore()
        return call is not None and call.answer(reply)

    def shut_down(self, event: bytes) -> None:
        """Give the SHUTDOWN event to every extension that wants it, now or when it asks next."""
        self._shutdown = event
        for extension in self.extensions.subscribers("SHUTDOWN"):
            self._told.add(extension.name)
            self._give(extension, event)

    def _give(self, extension: Extension, event: bytes) -> None:
        reply = extensions_api.deliver(extension, event)
        call = self._extension_calls.pop(extension.name, None)
        if call is not None:
            call.answer(reply)
