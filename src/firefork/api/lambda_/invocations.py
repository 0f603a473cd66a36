"""Invoke: the call that everything else exists for."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from firefork.api.call import Call
from firefork.api.lambda_.targets import target_of
from firefork.aws.errors import InvalidRequestContent, RequestEntityTooLarge
from firefork.catalog.functions import Functions
from firefork.invoke.invoker import Invoker, InvokeRequest

EVENT_PAYLOAD_LIMIT: Final = 1_048_576
"""Bytes of an asynchronous event. AWS: Lambda quotas (256 KB until October 2025)."""


class Invocations:
    """AWS: Lambda API reference, Invoke, InvokeAsync."""

    def __init__(self, functions: Functions, invoker: Invoker) -> None:
        self._functions = functions
        self._invoker = invoker

    async def invoke(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        kind = request.get("InvocationType", "RequestResponse")
        target = target_of(call, request)
        function = self._functions.resolve(target.scope, target.name, target.qualifier)
        if kind == "DryRun":
            return {"StatusCode": 204}
        invoke_request = InvokeRequest(
            function=function,
            request_id=call.request_id,
            payload=request.get("Payload") or b"",
            invoked_arn=target.arn,
            client_context=_client_context(request.get("ClientContext")),
            trace_header=call.headers.get("x-amzn-trace-id"),
        )
        if kind == "Event":
            self._start_event(invoke_request)
            return {"StatusCode": 202}
        outcome = await self._invoker.invoke(invoke_request)
        answer: dict[str, Any] = {
            "StatusCode": 200,
            "ExecutedVersion": function.version,
            "Payload": outcome.payload,
        }
        if outcome.failed:
            answer["FunctionError"] = "Unhandled"
        if request.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(outcome.log_tail).decode()
        return answer

    async def invoke_async(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Deprecated in favour of Invoke with InvocationType Event, which it is another way to write."""
        target = target_of(call, request)
        self._start_event(
            InvokeRequest(
                function=self._functions.resolve(target.scope, target.name, target.qualifier),
                request_id=call.request_id,
                payload=request["InvokeArgs"],
                invoked_arn=target.arn,
                trace_header=call.headers.get("x-amzn-trace-id"),
            )
        )
        return {"Status": 202}

    def _start_event(self, request: InvokeRequest) -> None:
        if len(request.payload) > EVENT_PAYLOAD_LIMIT:
            raise RequestEntityTooLarge(
                f"{len(request.payload)} byte payload is too large for the Event invocation type "
                f"(limit {EVENT_PAYLOAD_LIMIT} bytes)"
            )
        self._invoker.start_event(request)


def _client_context(encoded: str | None) -> str | None:
    """The JSON text behind ``X-Amz-Client-Context``, on one line: it travels on as a header."""
    if not encoded:
        return None
    try:
        return json.dumps(json.loads(base64.b64decode(encoded, validate=True)))
    except (binascii.Error, ValueError):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from None
