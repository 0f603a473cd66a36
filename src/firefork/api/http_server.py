"""Serving an application over HTTP/1.1: on the public address, and on a listener inside each environment.

What the bytes mean is decided in ``http_wire.py``; here are sockets, waiting and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, cast

from firefork.api import http_wire
from firefork.api.http_wire import Malformed, RequestHead, RequestParser
from firefork.api.request import AnswerCut, ClientGone, Request, RequestBody
from firefork.aws.protocols.message import HttpAnswer
from firefork.engine.sandbox.sandbox import Sandbox

logger = logging.getLogger(__name__)

Application = Callable[[Request], Awaitable[HttpAnswer]]
Refuse = Callable[[int, str], HttpAnswer]
"""Makes the answer to what is no request, from a status and the reason."""

_BUFFER: Final = 256 * 1024
"""Bytes of a body that may wait for their reader before the connection is not read any more."""
_GUEST_CONNECTIONS: Final = 64
"""Open connections to one environment's listener; further ones are closed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """How long clients may take. Seconds; a connection is looked at about once a second."""

    idle_s: float = 75.0
    """Between two requests."""
    head_s: float = 30.0
    """For a request's line and headers."""
    stall_s: float = 60.0
    """Without taking anything of an answer that waits for them."""
    drain_s: float = 2.0
    """For the next part of a body that is thrown away, because it was answered before it had come."""
    drain_bytes: int = 300_000_000
    """And how much of it."""
    finish_s: float = 5.0
    """For the requests in progress when the server stops."""


class HttpServer:
    """One application on many sockets."""

    def __init__(
        self,
        application: Application,
        refuse: Refuse,
        *,
        ssl_context: ssl.SSLContext | None = None,
        limits: HttpLimits | None = None,
    ) -> None:
        """With ``ssl_context`` the public address speaks TLS; listeners inside environments never do."""
        self.application = application
        self.refuse = refuse
        self.limits = limits or HttpLimits()
        self.connections: set[Connection] = set()
        """Those that are open, and those whose client left before its answer."""
        self.stopping = False
        """Set when no new connections are accepted: those that are open end with the answer in progress."""
        self._ssl_context = ssl_context
        self._public: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._attaching: set[asyncio.Task[object]] = set()

    async def start(self, listener: socket.socket) -> None:
        """Begin to serve on a bound and listening socket."""
        loop = asyncio.get_running_loop()
        self._public = await loop.create_server(
            lambda: Connection(self, public=True), sock=listener, ssl=self._ssl_context, backlog=1024
        )
        self._sweep()

    def attach(self, sandbox: Sandbox) -> Callable[[], None]:
        """Serve on the endpoint listener of a sandbox as well; what is returned ends that."""
        listener = sandbox.endpoint_listener
        assert listener is not None
        loop = asyncio.get_running_loop()
        listener.setblocking(False)
        guests: set[Connection] = set()

        def accept() -> None:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            if len(guests) >= _GUEST_CONNECTIONS:
                accepted.close()
                return
            accepted.setblocking(False)
            connecting = loop.connect_accepted_socket(lambda: Connection(self, siblings=guests), accepted)
            task: asyncio.Task[object] = asyncio.ensure_future(connecting)
            self._attaching.add(task)
            task.add_done_callback(self._attaching.discard)

        descriptor = listener.fileno()
        loop.add_reader(descriptor, accept)

        def detach() -> None:
            loop.remove_reader(descriptor)
            for guest in list(guests):
                guest.abort()

        return detach

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for connection in list(self.connections):
            connection.check_time(now_s)
        self._sweeper = loop.call_later(min(1.0, self.limits.head_s), self._sweep)

    def stop_accepting(self) -> None:
        """No new connections from outside, and no further requests on those that are open; those in progress go on."""
        self.stopping = True
        if self._public is not None:
            self._public.close()
        for connection in list(self.connections):
            connection.close_if_idle()

    async def stop(self) -> None:
        """End all connections; what is still in progress has a few seconds."""
        self.stop_accepting()
        if self._sweeper is not None:
            self._sweeper.cancel()
        serving = [connection.serving for connection in self.connections if connection.serving is not None]
        if serving:
            _, late = await asyncio.wait(serving, timeout=self.limits.finish_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for connection in list(self.connections):
            connection.abort()


class Connection(asyncio.Protocol):
    """One client's connection. Requests are answered one after the other, in the order in which they came."""

    def __init__(self, server: HttpServer, *, public: bool = False, siblings: set[Connection] | None = None) -> None:
        """``siblings`` has the open connections that are counted together."""
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._public = public
        self._siblings = siblings
        self._parser = RequestParser()
        self._transport: asyncio.Transport | None = None
        self._client = ""
        self._secure = False
        self.serving: asyncio.Task[None] | None = None
        """What answers the request in progress."""
        self._queue: deque[Request | Malformed] = deque()
        """What came behind the request in progress."""
        self._incoming: RequestBody | None = None
        """The body whose parts come now."""
        self._held = False
        """Whether reading is paused."""
        self._is_asked_for = True
        """Whether a client that waits to be asked for a body was."""
        self._ends = False
        """Whether no further request is read."""
        self._since_s = 0.0
        """When the present wait for the client began."""
        self._unsent = 0
        """Bytes that waited for the client at the last look, while it took nothing."""
        self._writable: asyncio.Future[None] | None = None
        """Set while the client takes less than it is sent."""
        self._abandon: Callable[[], None] | None = None
        """Ends the stream in progress if the client leaves."""
        self._left: asyncio.Future[None] | None = None
        """Set while nothing but the client's leaving is waited for."""

    # ---- what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # which uvloop's is in all but name
        peer = transport.get_extra_info("peername")
        self._client = peer[0] if isinstance(peer, tuple) else ""
        self._secure = transport.get_extra_info("ssl_object") is not None
        self._since_s = self._loop.time()
        self._server.connections.add(self)
        if self._siblings is not None:
            self._siblings.add(self)
        self.close_if_idle()  # one that was accepted just before the listener was closed

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self.serving is None:
            self._server.connections.discard(self)
        if self._siblings is not None:
            self._siblings.discard(self)
        self._queue.clear()
        if self._incoming is not None:
            self._incoming.lose()
        self.resume_writing()
        self._note_leave()
        if self._abandon is not None:
            self._abandon()

    def data_received(self, data: bytes) -> None:
        if self._ends:
            return
        was_between = self._parser.between_requests
        for event in self._parser.feed(data):
            if isinstance(event, bytes):
                assert self._incoming is not None
                self._is_asked_for = True
                self._incoming.feed(event)
            elif isinstance(event, RequestHead):
                self._incoming = RequestBody(self._body_wanted)
                self._is_asked_for = not event.expects_continue
                self._take(Request(event, self._incoming, self._client, self._secure))
            elif isinstance(event, Malformed):
                if self._incoming is not None:
                    self._incoming.lose()
                self._ends = True
                self._take(event)
            else:
                assert self._incoming is not None
                self._incoming.end()
                self._incoming = None
        if was_between and self.serving is None:
            self._since_s = self._loop.time()
        if self._queue or (self._incoming is not None and self._incoming.buffered > _BUFFER):
            self._hold()

    def eof_received(self) -> bool:
        """The client sends no more. It may still be there for the answer."""
        self._ends = True
        if self._incoming is not None:
            self._incoming.lose()
        self._note_leave()
        return self.serving is not None and not self._secure

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()
        self._since_s = self._loop.time()
        self._unsent = 0

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # ---- one request after the other

    def _take(self, request: Request | Malformed) -> None:
        if self.serving is None:
            self.serving = self._loop.create_task(self._serve(request))
        else:
            self._queue.append(request)

    async def _serve(self, request: Request | Malformed) -> None:
        """Answer a request, and those that came behind it."""
        try:
            while await self._answered(request) and self._queue:
                request = self._queue.popleft()
                if not self._queue:
                    self._read_on()
            self._since_s = self._loop.time()
        except (AnswerCut, ClientGone):
            self.abort()
        except Exception:  # a defect: the client gets no answer, or no more of it, and the log the cause
            logger.exception("a request could not be answered")
            self.abort()
        finally:
            self.serving = None
            if self._transport is None:
                self._server.connections.discard(self)

    async def _answered(self, request: Request | Malformed) -> bool:
        """Send the answer; whether the connection goes on after it."""
        if isinstance(request, Malformed):
            refusal = self._server.refuse(request.status, request.message)
            self._write(http_wire.whole(refusal, _NO_REQUEST, keep_alive=False, now_s=int(time.time())))
            await self._let_leave()
            self._close()
            return False
        answer = await self._server.application(request)
        complete = request.body.complete
        goes_on = (
            request.head.keep_alive
            and complete
            and not (self._ends and not self._queue)
            and not (self._public and self._server.stopping)
            and (request.head.takes_chunks or answer.stream is None or answer.length is not None)
        )
        await self._send(answer, request.head, keep_alive=goes_on)
        if not complete:
            self._is_asked_for = True
            await self._drain(request.body)
        if not goes_on:
            self._close()
        return goes_on

    async def _send(self, answer: HttpAnswer, request: RequestHead, *, keep_alive: bool) -> None:
        now_s = int(time.time())
        if answer.stream is None:
            self._write(http_wire.whole(answer, request, keep_alive=keep_alive, now_s=now_s))
        else:
            self._write(http_wire.start(answer, request, keep_alive=keep_alive, now_s=now_s))
            in_chunks = answer.length is None and request.takes_chunks
            self._abandon = answer.abandon
            if self._abandon is not None and self._transport is None:
                self._abandon()
            async for part in answer.stream:
                if part and request.method != "HEAD":
                    self._write(http_wire.chunk(part) if in_chunks else part)
                if self._writable is not None:
                    await self._writable
            self._abandon = None
            if in_chunks and request.method != "HEAD":
                self._write(http_wire.LAST_CHUNK)
        if self._writable is not None:
            await self._writable

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _body_wanted(self) -> None:
        """The application waits for the request's body."""
        if not self._is_asked_for:
            self._is_asked_for = True
            self._write(http_wire.CONTINUE)
        self._read_on()

    async def _drain(self, body: RequestBody) -> None:
        """Read on and throw away: most clients look at the answer only when they have sent all."""
        limits = self._server.limits
        left = limits.drain_bytes
        with contextlib.suppress(TimeoutError, ClientGone):
            while left > 0 and (part := await body.read(limits.drain_s)):
                left -= len(part)

    async def _let_leave(self) -> None:
        """Have the client read its refusal: closed at once, with bytes of it unread, a connection loses that."""
        if self._transport is None or not self._transport.can_write_eof():
            return
        self._transport.write_eof()
        self._left = self._loop.create_future()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._server.limits.drain_s):
                await self._left

    def _note_leave(self) -> None:
        if self._left is not None and not self._left.done():
            self._left.set_result(None)

    def _hold(self) -> None:
        if not self._held and self._transport is not None:
            self._held = True
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if self._held and self._transport is not None:
            self._held = False
            self._transport.resume_reading()

    # ---- its end

    def _close(self) -> None:
        """End when all that was written is on its way."""
        self._ends = True
        self._queue.clear()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End at once."""
        self._ends = True
        if self._transport is not None:
            self._transport.abort()

    def close_if_idle(self) -> None:
        """End unless there is a request in progress, if its server is about to stop."""
        if self._server.stopping and self._public and self.serving is None:
            self._close()

    def check_time(self, now_s: float) -> None:
        """End if the client takes too long. ``now_s`` as the loop's time."""
        limits, waited_s = self._server.limits, now_s - self._since_s
        if self._writable is not None:
            assert self._transport is not None
            unsent = self._transport.get_write_buffer_size()
            if unsent != self._unsent:
                self._unsent, self._since_s = unsent, now_s
            elif waited_s > limits.stall_s:
                self.abort()
        elif self.serving is None:
            if self._parser.between_requests:
                if waited_s > limits.idle_s:
                    self._close()
            elif waited_s > limits.head_s:
                self._ends = True
                self._take(Malformed(408, "The request's line and headers did not arrive in time."))


_NO_REQUEST: Final = RequestHead("", "", "")
