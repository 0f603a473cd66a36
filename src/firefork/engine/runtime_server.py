"""HTTP for the APIs inside an environment: connections of its processes on their listening socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Final, Protocol, cast

import httptools

from firefork.engine.guest_reply import Reply
from firefork.engine.runtime_api import PAYLOAD_LIMIT, RESPONSE_MODE

_REASONS: Final = {
    200: b"OK",
    202: b"Accepted",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    413: b"Request Entity Too Large",
    500: b"Internal Server Error",
}
_HEADER_LIMIT: Final = 2 * 1024 * 1024
"""Bytes of one request's head: the runtime client sends up to 1 MiB of X-Ray cause as a header."""
_CONNECTION_LIMIT: Final = 64
"""Open connections of one environment; further ones are closed at once."""


class GuestApi(Protocol):
    """What answers the requests of an environment's processes."""

    def receive(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, connection: GuestConnection
    ) -> Reply | None:
        """A whole request; ``None`` parks the connection. ``body`` is ``None`` beyond ``PAYLOAD_LIMIT``."""

    def open_stream(self, path: str, headers: Mapping[str, str], connection: GuestConnection) -> Reply | None:
        """The head of a response in streaming mode; a reply refuses it."""

    def stream_data(self, data: bytes, connection: GuestConnection) -> None: ...

    def end_stream(self, trailer: Mapping[str, str]) -> Reply: ...

    def stream_broken(self) -> None:
        """The connection ended before its streamed response did."""


class GuestServer:
    """Accepts on an environment's listeners and hands each request to ``api``."""

    def __init__(self, listeners: Sequence[socket.socket], api: GuestApi) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners = listeners
        self.api = api
        self.connections: set[GuestConnection] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        for listener in listeners:
            listener.setblocking(False)
            self._loop.add_reader(listener.fileno(), self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if len(self.connections) >= _CONNECTION_LIMIT:
                connection.close()
                continue
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task: asyncio.Task[object] = asyncio.ensure_future(
                self._loop.connect_accepted_socket(lambda: GuestConnection(self), connection)
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def hang_up(self) -> None:
        """Close all connections: their runtime is gone."""
        for connection in list(self.connections):
            connection.abort()

    def close(self) -> None:
        """Stop accepting and hang up; the listeners themselves stay their owner's."""
        for listener in self._listeners:
            if listener.fileno() >= 0:
                self._loop.remove_reader(listener.fileno())
        self.hang_up()


class GuestConnection(asyncio.Protocol):
    """One HTTP/1.1 connection. Requests are answered in order; a guest that floods is not read until it is answered."""

    def __init__(self, server: GuestServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._path = b""
        self._headers: dict[str, str] = {}
        self._head_size = 0
        self._body: list[bytes] = []
        self._body_size = 0
        self._busy = False
        self._streaming = False
        self._trailer: dict[str, str] = {}
        self._refused = False
        self._keep_alive = True
        self._waiting: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has classes of its own
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._transport = None
        if self._streaming:
            self._streaming = False
            self._server.api.stream_broken()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._busy:
            # Pipelined while a call is parked: keep it, and stop reading so that it cannot grow.
            self._waiting.append(data)
            if self._transport is not None:
                self._transport.pause_reading()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.answer(Reply(status=400, body=b"400 Bad Request", content_type="text/plain"), close=True)

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > _HEADER_LIMIT:
            self.abort()
            return
        if self._streaming:  # the head is behind us: this belongs to the trailer
            self._trailer[name.decode("latin-1").lower()] = value.decode("latin-1")
            return
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get(RESPONSE_MODE) != "streaming" or not self._path.endswith(b"/response"):
            return
        refusal = self._server.api.open_stream(self._path.decode("latin-1"), self._headers, self)
        if refusal is None:
            self._streaming = True
        else:
            self._refused = True
            self._busy = True
            self.answer(refusal, close=True)

    def on_body(self, body: bytes) -> None:
        if self._streaming:
            self._server.api.stream_data(body, self)
            return
        self._body_size += len(body)
        if self._body_size <= PAYLOAD_LIMIT:
            self._body.append(body)
        else:
            self._body.clear()  # read to the end but not kept: the answer is 413

    def pause(self) -> None:
        """Read no further: whoever takes the stream is slower than its writer."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def on_message_complete(self) -> None:
        if self._refused:
            return
        if self._busy:
            self.abort()  # a further request behind a call that is parked: no client of ours does that
            return
        if self._streaming:
            trailer, self._trailer = self._trailer, {}
            self._streaming = False
            self._path, self._headers, self._head_size = b"", {}, 0
            self._keep_alive = self._parser.should_keep_alive()
            self.answer(self._server.api.end_stream(trailer))
            return
        body = b"".join(self._body) if self._body_size <= PAYLOAD_LIMIT else None
        path = self._path.decode("latin-1").partition("?")[0]
        headers = self._headers
        self._path, self._headers, self._body = b"", {}, []
        self._head_size = self._body_size = 0
        self._keep_alive = self._parser.should_keep_alive()
        self._busy = True
        reply = self._server.api.receive(self._parser.get_method().decode("ascii"), path, headers, body, self)
        if reply is not None:
            self.answer(reply)

    def answer(self, reply: Reply, *, close: bool = False) -> bool:
        """Send the answer to the request in progress; whether there was a connection to send it on."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        head = [b"HTTP/1.1 %d %s\r\n" % (reply.status, _REASONS.get(reply.status, b"Unknown"))]
        head.append(f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n".encode("latin-1"))
        for name, value in reply.headers.items():
            head.append(f"{name}: {value}\r\n".encode())
        head.append(b"\r\n")
        head.append(reply.body)
        self._busy = False
        transport.write(b"".join(head))
        if close or not self._keep_alive:
            transport.close()
        elif self._waiting:
            waiting, self._waiting = self._waiting, []
            transport.resume_reading()
            for data in waiting:
                self.data_received(data)
        return True
