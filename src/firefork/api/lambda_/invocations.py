"""Invoke: the call that everything else exists for."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from firefork.api.call import Call
from firefork.api.lambda_.targets import target_of
from firefork.aws.errors import InvalidRequestContent, RequestEntityTooLarge, ServiceError
from firefork.catalog.function import FunctionVersion
from firefork.catalog.functions import Functions
from firefork.catalog.references import FunctionReference
from firefork.engine.invocation import Outcome
from firefork.engine.response_stream import ResponseStream
from firefork.invoke.invoker import Invoker, InvokeRequest

EVENT_PAYLOAD_LIMIT: Final = 1_048_576
"""Bytes of an asynchronous event. AWS: Lambda quotas (256 KB until October 2025)."""


class Invocations:
    """AWS: Lambda API reference, Invoke, InvokeAsync, InvokeWithResponseStream."""

    def __init__(self, functions: Functions, invoker: Invoker) -> None:
        self._functions = functions
        self._invoker = invoker

    async def invoke(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        function, reference = self._resolve(call, request)
        kind = request.get("InvocationType", "RequestResponse")
        if kind == "DryRun":
            return {"StatusCode": 204}
        invoke_request = self._invoke_request(call, request, function, reference)
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
        if invoke_request.wants_tail:
            answer["LogResult"] = base64.b64encode(outcome.log_tail).decode()
        return answer

    async def invoke_async(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """Deprecated: another way to write Invoke with InvocationType Event."""
        function, reference = self._resolve(call, request)
        self._start_event(self._invoke_request(call, {"Payload": request["InvokeArgs"]}, function, reference))
        return {"Status": 202}

    def _start_event(self, request: InvokeRequest) -> None:
        size = len(request.payload)
        if size > EVENT_PAYLOAD_LIMIT:
            raise RequestEntityTooLarge(
                f"{size} byte payload is too large for the Event invocation type (limit {EVENT_PAYLOAD_LIMIT} bytes)"
            )
        self._invoker.start_event(request)

    async def invoke_with_response_stream(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        """The answer in parts, as the function writes them; one that is not streamed comes as one part."""
        function, reference = self._resolve(call, request)
        if request.get("InvocationType") == "DryRun":
            return {"StatusCode": 204, "ExecutedVersion": function.version, "EventStream": _nothing()}
        stream = self._invoker.new_stream()
        invoke_request = self._invoke_request(call, request, function, reference, stream)
        running = asyncio.ensure_future(self._invoker.invoke(invoke_request))
        running.add_done_callback(lambda done: stream.finish())
        parts = stream.parts()
        # What is wrong before the first part is an error of this operation, with its status.
        first = await anext(parts, None)
        if first is None:
            await running
        return {
            "StatusCode": 200,
            "ExecutedVersion": function.version,
            "EventStream": _events(first, parts, running, invoke_request.wants_tail),
        }

    def _resolve(self, call: Call, request: dict[str, Any]) -> tuple[FunctionVersion, FunctionReference]:
        reference = target_of(call, request)
        return self._functions.resolve(reference.scope, reference.name, reference.qualifier), reference

    @staticmethod
    def _invoke_request(
        call: Call,
        request: dict[str, Any],
        function: FunctionVersion,
        reference: FunctionReference,
        stream: ResponseStream | None = None,
    ) -> InvokeRequest:
        return InvokeRequest(
            function=function,
            request_id=call.request_id,
            payload=request.get("Payload") or b"",
            invoked_arn=reference.arn,
            client_context=_client_context(request.get("ClientContext")),
            trace_header=call.headers.get("x-amzn-trace-id"),
            wants_tail=request.get("LogType") == "Tail",
            stream=stream,
        )


async def _nothing() -> AsyncIterator[dict[str, Any]]:
    return
    yield {}


async def _events(
    first: bytes | None, parts: AsyncIterator[bytes], running: asyncio.Future[Outcome], wants_tail: bool
) -> AsyncIterator[dict[str, Any]]:
    """PayloadChunk for each part, then InvokeComplete. AWS: Lambda API reference, InvokeWithResponseStream."""
    if first is not None:
        yield {"PayloadChunk": {"Payload": first}}
        async for part in parts:
            yield {"PayloadChunk": {"Payload": part}}
    complete: dict[str, Any] = {}
    try:
        outcome = await running
    except ServiceError as error:
        # The head is out, so this is the only place left to tell it.
        yield {"InvokeComplete": {"ErrorCode": error.code, "ErrorDetails": error.message}}
        return
    if outcome.failed:
        details = outcome.payload.decode(errors="replace")
        complete = {"ErrorCode": _error_type(outcome.payload) or "Unhandled", "ErrorDetails": details}
    elif not outcome.streamed:
        yield {"PayloadChunk": {"Payload": outcome.payload}}
    if wants_tail:
        complete["LogResult"] = base64.b64encode(outcome.log_tail).decode()
    yield {"InvokeComplete": complete}


def _error_type(payload: bytes) -> str | None:
    """What the error of a function says of its type; a custom runtime's need not be JSON."""
    try:
        told = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    return str(told["errorType"]) if isinstance(told, dict) and told.get("errorType") else None


def _client_context(encoded: str | None) -> str | None:
    """The JSON text behind ``X-Amz-Client-Context``, on one line: it travels on as a header."""
    if not encoded:
        return None
    try:
        return json.dumps(json.loads(base64.b64decode(encoded, validate=True)))
    except (binascii.Error, ValueError):
        raise InvalidRequestContent("Client context must be a valid Base64-encoded JSON object.") from None
