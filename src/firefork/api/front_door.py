"""The application that all services share: from an HTTP request to one handler and back.

The service is the one that the request was signed for, as with AWS's own regional endpoints behind one address.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import time
import zlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from firefork.api.authorization import Authorizer
from firefork.api.call import Call
from firefork.api.dispatch import Operation, dispatch_table
from firefork.api.http_wire import RequestHead
from firefork.api.request import BodyTooLong, ClientGone, Request
from firefork.api.upstream import Upstream
from firefork.api.web_console import sign_in, web_console
from firefork.api.web_console.web_console import WebConsole
from firefork.aws import deviations, models, sigv4, validation
from firefork.aws.errors import (
    BadRequest,
    IncompleteSignature,
    InvalidAction,
    InvalidSignature,
    MissingAction,
    NotImplementedHere,
    RequestEntityTooLarge,
    RequestTimeout,
    SerializationFailure,
    ServiceError,
    ServiceFailure,
    UnknownOperation,
    ValidationError,
)
from firefork.aws.protocols import json_rpc, query, rest_json, rest_xml, rpc_v2_cbor
from firefork.aws.protocols.message import HttpAnswer, HttpRequest
from firefork.aws.scope import Scope
from firefork.store.clock import new_id

logger = logging.getLogger(__name__)
access = logging.getLogger("firefork.access")

_CODE_LIMIT: Final = 70_167_211
_INVOKE_LIMIT: Final = 6_291_456
_DEFAULT_LIMIT: Final = 6_291_456
BODY_LIMITS: Final[Mapping[tuple[str, str], tuple[int, str]]] = {
    ("lambda", "CreateFunction"): (_CODE_LIMIT, "CreateFunction"),
    ("lambda", "UpdateFunctionCode"): (_CODE_LIMIT, "UpdateFunctionCode"),
    ("lambda", "PublishLayerVersion"): (_CODE_LIMIT, "PublishLayerVersion"),
    ("lambda", "Invoke"): (_INVOKE_LIMIT, "InvokeFunction"),
    ("lambda", "InvokeAsync"): (_INVOKE_LIMIT, "InvokeAsync"),
    ("lambda", "InvokeWithResponseStream"): (_INVOKE_LIMIT, "InvokeWithResponseStream"),
}
"""Bytes of a request's body, and the operation's name in the refusal (fact sheet sections 5.5 and 9)."""

BODY_PATIENCE_S: Final = 60.0
"""How long the next part of a body may take."""
_REGION: Final = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_INTERNAL: Final = "/_firefork/"
_CHUNK: Final = 256 * 1024


class WireProtocol(Protocol):
    """The answering half of a protocol; the modules of ``aws.protocols`` are such."""

    def serialize(self, service: str, operation: str, result: Mapping[str, Any], request_id: str) -> HttpAnswer: ...

    def serialize_error(self, service: str, error: ServiceError, request_id: str) -> HttpAnswer: ...


CBOR: Final = "smithy-rpc-v2-cbor"
SERIALIZERS: Final[Mapping[str, WireProtocol]] = {
    "rest-json": rest_json,
    "json": json_rpc,
    "query": query,
    CBOR: rpc_v2_cbor,
}
"""By botocore's name of the protocol."""

Download = Callable[[str, str], "Path | None"]


class FrontDoor:
    """Authenticates, parses, validates, dispatches, serializes. Knows no service's behaviour."""

    def __init__(
        self,
        services: Mapping[str, Sequence[object]],
        *,
        authenticate: sigv4.KeyLookup,
        authorizer: Authorizer,
        health: Callable[[], Mapping[str, object]],
        download: Download = lambda path, query: None,
        console: WebConsole | None = None,
        upstream: Upstream | None = None,
        metrics_page: Callable[[str], HttpAnswer] | None = None,
        verbose: bool = False,
        body_patience_s: float = BODY_PATIENCE_S,
    ) -> None:
        """``services`` maps botocore's names to the objects whose methods answer. ``health`` has ``status`` ``ready``
        or something else; ``download`` finds the file behind a presigned link's path and query; ``console`` answers
        below its own path; ``upstream`` serves the services that are not among ``services``; ``metrics_page`` is what
        Prometheus gets for its Authorization header, in a worker thread.
        """
        self._tables = {name: dispatch_table(name, providers) for name, providers in services.items()}
        self._signing_names = {models.service_model(name).signing_name: name for name in services}
        self._authenticate = authenticate
        self._authorizer = authorizer
        self._health = health
        self._download = download
        self._console = console
        self.upstream = upstream
        self._metrics_page = metrics_page
        self._verbose = verbose
        self.body_patience_s = body_patience_s
        self._workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="handler")

    def close(self) -> None:
        self._workers.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, request: Request) -> HttpAnswer:
        path = request.head.path
        if self._console is not None and (path == "/" or path.startswith(web_console.PREFIX)):
            answer = await self._console_answer(self._console, request)
            if answer is not None:
                return answer
        if path.startswith(_INTERNAL):
            return await self._internal_answer(request.head)
        started = time.perf_counter()
        exchange = _Exchange(self, request)
        answer = await exchange.run()
        if self._verbose:
            access.info(
                "%s %s %d %.1f ms",
                request.head.method,
                f"{exchange.service}.{exchange.operation}" if exchange.operation else path,
                answer.status,
                (time.perf_counter() - started) * 1000,
            )
        return answer

    def refuse(self, status: int, message: str) -> HttpAnswer:
        """The answer to bytes that are no request: whom they were meant for is not known."""
        answer = rest_json.serialize_error("lambda", BadRequest(message), new_id())
        return dataclasses.replace(answer, status=status)

    async def handle(self, operation: Operation, call: Call, parameters: dict[str, Any]) -> Mapping[str, Any]:
        """Check that the caller may, then run the handler: coroutines on the loop, the others in a worker thread."""
        if not operation.on_loop:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._workers, self._check_and_run, operation, call, parameters)
        if self._authorizer.may_block(call, parameters):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._workers, self._authorizer.check, call, parameters)
        else:
            self._authorizer.check(call, parameters)
        return await operation.handler(call, parameters) or {}

    def _check_and_run(self, operation: Operation, call: Call, parameters: dict[str, Any]) -> Mapping[str, Any]:
        self._authorizer.check(call, parameters)
        return operation.handler(call, parameters) or {}

    def table(self, service: str) -> Mapping[str, Operation] | None:
        return self._tables.get(service)

    def service_of(self, signing_name: str) -> str:
        """botocore's name of the service that a credential scope names."""
        return self._signing_names.get(signing_name, signing_name)

    @property
    def services(self) -> Sequence[str]:
        """botocore's names of those that are served."""
        return list(self._tables)

    @property
    def authenticate(self) -> sigv4.KeyLookup:
        return self._authenticate

    async def _internal_answer(self, head: RequestHead) -> HttpAnswer:
        headers = [("content-type", "application/json")]
        if head.path == "/_firefork/health":
            report = self._health()
            status = 200 if report.get("status") == "ready" else 503
            return HttpAnswer(status=status, headers=headers, body=orjson.dumps(report))
        if head.path == "/_firefork/metrics" and self._metrics_page is not None:
            authorization = head.headers.get("authorization", "")
            return await asyncio.get_running_loop().run_in_executor(self._workers, self._metrics_page, authorization)
        # Another node may have the file, and fetching it takes its time.
        wanted = head.method in ("GET", "HEAD")
        file = await asyncio.to_thread(self._download, head.path, head.query) if wanted else None
        if file is None:
            body = orjson.dumps({"message": "There is nothing here, or the link has expired."})
            return HttpAnswer(status=403, headers=headers, body=body)
        return HttpAnswer(
            status=200,
            headers=[("content-type", "application/zip")],
            body=b"",
            stream=_content(file) if head.method == "GET" else None,
            length=file.stat().st_size,
        )

    async def _console_answer(self, console: WebConsole, request: Request) -> HttpAnswer | None:
        """What a browser gets for the console; ``None`` if the request is for a service after all."""
        head = request.head
        if web_console.wants_page(head.method, head.path, head.headers) or head.path == web_console.PREFIX:
            return web_console.to_console()
        if not head.path.startswith(web_console.ROOT):
            return None
        body = b""
        if head.method == "POST":
            try:
                body = await request.body.read_all(limit=sign_in.BODY_LIMIT, patience_s=self.body_patience_s)
            except (BodyTooLong, TimeoutError):
                return self.refuse(400, "This is no sign-in to the console.")
        return console.answer(
            HttpRequest(method=head.method, path=head.path, query="", headers=head.headers, body=body)
        )


class _Exchange:
    """One request on its way."""

    def __init__(self, door: FrontDoor, request: Request) -> None:
        self._door = door
        self._request = request
        self._method = request.head.method
        self._path = request.head.path
        self._query = request.head.query
        self._headers = request.head.headers
        self._flat: Mapping[str, str] = {}
        self.request_id = new_id()
        self.service = ""
        self.protocol = ""
        self.operation = ""

    async def run(self) -> HttpAnswer:
        try:
            return await self._run()
        except ServiceError as error:
            return self._refuse(error)
        except ClientGone:
            raise
        except Exception:  # whatever it was: the caller gets AWS's shape, the log the cause
            logger.exception("request %s (%s.%s) failed", self.request_id, self.service, self.operation)
            return self._refuse(ServiceFailure("An error occurred and the request cannot be processed."))

    async def _run(self) -> HttpAnswer:
        try:
            authorization = sigv4.read_authorization(self._headers, self._query)
        except IncompleteSignature:
            self.service = self._guess_service()
            if self._seems_served():
                raise
            return await self._pass_on(self.service)
        self.service = self._service_of(authorization)
        table = self._door.table(self.service)
        if table is None or (authorization is None and not self._seems_served()):
            return await self._pass_on(self.service)
        labels: dict[str, str] = {}
        self.protocol = self._protocol_of(self.service)
        if self.protocol == "rest-json":
            found = models.router(self.service).find(self._method, self._path, self._query)
            if found is not None:
                self.operation, labels = found
        elif self.protocol == "json":
            target = self._headers.get("x-amz-target", "")
            self.operation = models.operation_by_target(self.service).get(target, "")
        elif self.protocol == CBOR:
            name = rpc_v2_cbor.operation_of(self._path)
            self.operation = name if name in table else ""
        body = await self._read_body()
        request = HttpRequest(method=self._method, path=self._path, query=self._query, headers=self._headers, body=body)
        key = sigv4.verify(authorization, request, self._door.authenticate, time.time())
        assert authorization is not None
        if not _REGION.fullmatch(authorization.region):
            raise InvalidSignature("Credential should be scoped to a valid region.")
        if self._headers.get("content-encoding") == "gzip" and models.takes_gzip(self.service):
            request = dataclasses.replace(request, body=self._unzipped(body))
        if self.protocol == "query":
            self._flat = query.parameters_of(request)
            action = self._flat.get("Action", "")
            self.operation = action if action in table else ""
        if not self.operation:
            raise self._unknown()
        parameters = self._parse(labels, request)
        call = Call(
            service=self.service,
            operation=self.operation,
            scope=Scope(key.principal.account, authorization.region),
            principal=key.principal,
            request_id=self.request_id,
            endpoint=f"{'https' if self._request.secure else 'http'}://{self._headers.get('host', 'localhost')}",
            headers=self._headers,
            source_ip=self._request.client,
            access_key_id=key.access_key_id,
        )
        result = await self._door.handle(table[self.operation], call, parameters)
        return SERIALIZERS[self.protocol].serialize(self.service, self.operation, result, self.request_id)

    def _parse(self, labels: Mapping[str, str], request: HttpRequest) -> dict[str, Any]:
        if self.protocol == "rest-json":
            parameters = rest_json.parse(self.service, self.operation, labels, request)
        elif self.protocol == "query":
            parameters = query.parse(self.service, self.operation, self._flat)
        elif self.protocol == "json":
            parameters = json_rpc.parse(self.service, self.operation, request)
        else:
            parameters = rpc_v2_cbor.parse(self.service, self.operation, request)
        shape = models.operation_model(self.service, self.operation).input_shape
        if shape is not None:
            found = validation.violations(shape, parameters)
            if found:
                usual, words = deviations.own_words(self.service, found)
                show_values = self.service not in deviations.HIDDEN_VALUES
                raise ValidationError(words or validation.message(usual, show_values=show_values))
        return parameters

    async def _pass_on(self, service: str) -> HttpAnswer:
        upstream = self._door.upstream
        if upstream is None:
            raise NotImplementedHere(
                f"Firefork does not serve the service '{service}'. Start it with --upstream URL (FIREFORK_UPSTREAM) to "
                "have requests for other services passed on to an endpoint that serves them."
            )
        return await upstream.forward(self._request)

    def _seems_served(self) -> bool:
        """Whether a request without SigV4 is for a service of this server, as far as its form tells.

        Without an upstream every such request is: it gets the refusal that AWS has for it.
        """
        if self._door.upstream is None or rpc_v2_cbor.HEADER in self._headers:
            return True
        if "x-amz-target" in self._headers:
            return self._headers["x-amz-target"] in models.operation_by_target("logs")
        if "Action=" in self._query or "x-www-form-urlencoded" in self._headers.get("content-type", ""):
            return True
        return models.router("lambda").find(self._method, self._path, self._query) is not None

    def _service_of(self, authorization: sigv4.Authorization | None) -> str:
        if authorization is None:
            return self._guess_service()
        return self._door.service_of(authorization.service)

    def _guess_service(self) -> str:
        """For a request that does not say: only the form of the refusal hangs on it."""
        if "x-amz-target" in self._headers:
            return "logs"
        if "Action=" in self._query or "x-www-form-urlencoded" in self._headers.get("content-type", ""):
            return "sts"
        return "lambda"

    def _protocol_of(self, service: str) -> str:
        """The one that the request is in, of those that the service speaks."""
        spoken = models.protocols(service)
        if CBOR in spoken and self._headers.get(rpc_v2_cbor.HEADER) == rpc_v2_cbor.HEADER_VALUE:
            return CBOR
        if "json" in spoken and ("x-amz-target" in self._headers or "query" not in spoken):
            return "json"
        return "query" if "query" in spoken else spoken[0]

    def _unknown(self) -> ServiceError:
        if self.protocol == "query":
            action = self._flat.get("Action")
            if action is None:
                return MissingAction("The request must contain the parameter Action.")
            version = models.service_model(self.service).api_version
            return InvalidAction(f"Could not find operation {action} for version {version}")
        if self.protocol == "json":
            target = self._headers.get("x-amz-target", "")
            return UnknownOperation(f"{self.service} has no operation {target!r}.")
        return UnknownOperation(f"Unable to determine the operation of {self.service} for {self._method} {self._path}.")

    async def _read_body(self) -> bytes:
        """The body; refused as soon as it is known to be too long."""
        limit, name = self._limit()
        declared = self._headers.get("content-length", "")
        try:
            if declared.isdecimal() and int(declared) > limit:
                raise BodyTooLong
            return await self._request.body.read_all(limit=limit, patience_s=self._door.body_patience_s)
        except BodyTooLong:
            raise _too_large(limit, name) from None
        except TimeoutError:
            raise RequestTimeout("The request's body did not arrive in time.") from None

    def _unzipped(self, body: bytes) -> bytes:
        """The body as it was before the client compressed it; the signature is of what was sent."""
        limit, name = self._limit()
        unzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found = unzip.decompress(body, limit + 1)
        except zlib.error:
            raise SerializationFailure("Unable to decompress the request body") from None
        if len(found) > limit:
            raise _too_large(limit, name)
        if not unzip.eof:
            raise SerializationFailure("Unable to decompress the request body")
        return found

    def _limit(self) -> tuple[int, str]:
        return BODY_LIMITS.get((self.service, self.operation), (_DEFAULT_LIMIT, self.operation or "requested"))

    def _refuse(self, error: ServiceError) -> HttpAnswer:
        if self.service in rest_xml.SIGNING_NAMES:
            return rest_xml.serialize_error(error, self.request_id)
        service = self.service if self._door.table(self.service) is not None else self._guess_service()
        protocol = self._protocol_of(service)
        if isinstance(error, ValidationError):
            error = _recoded(error, deviations.VALIDATION_CODES.get(service, error.code))
        return SERIALIZERS[protocol].serialize_error(service, error, self.request_id)


def _recoded(error: ServiceError, code: str) -> ServiceError:
    """The same error under the code that a service has for it."""
    if code == error.code:
        return error
    other = ServiceError(error.message, **error.members)
    other.code = code  # type: ignore[misc]
    other.status = error.status  # type: ignore[misc]
    other.fault = error.fault  # type: ignore[misc]
    other.message_member = error.message_member  # type: ignore[misc]
    return other


async def _content(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while part := opened.read(_CHUNK):
            yield part


def _too_large(limit: int, name: str) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"Request must be smaller than {limit} bytes for the {name} operation")
