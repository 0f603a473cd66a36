"""HTTP for the APIs inside an environment: connections of its processes on their listening socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import httptools

from firefork.engine.guest_reply import ACCEPTED, Reply
from firefork.engine.runtime_api import PAYLOAD_LIMIT, RESPONSE_MODE

_REASONS: Final = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}
_HEADER_LIMIT: Final = 2 * 1024 * 1024
"""Bytes of one request's head: the runtime client sends up to 1 MiB of X-Ray cause as a header."""
_READ_SIZE: Final = 256 * 1024
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
        self.loop = asyncio.get_running_loop()
        self.api = api
        self.connections: set[GuestConnection] = set()
        self._listeners = listeners
        for listener in listeners:
            listener.setblocking(False)
            self.loop.add_reader(listener.fileno(), self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            if len(self.connections) >= _CONNECTION_LIMIT:
                accepted.close()
                continue
            accepted.setblocking(False)
            with contextlib.suppress(OSError):
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            GuestConnection(self, accepted)

    def hang_up(self) -> None:
        """Close all connections: their runtime is gone."""
        for connection in list(self.connections):
            connection.abort()

    def close(self) -> None:
        """Stop accepting and hang up; the listeners themselves stay their owner's."""
        for listener in self._listeners:
            if listener.fileno() >= 0:
                self.loop.remove_reader(listener.fileno())
        self.hang_up()


class GuestConnection:
    """One HTTP/1.1 connection. Requests are answered in order; a guest that floods is not read until it is answered.

    On the bare socket: every invoke passes here twice, and an answer that is written at once, not at the end of the
    loop's round as a transport does, is at the runtime earlier.
    """

    def __init__(self, server: GuestServer, accepted: socket.socket) -> None:
        self._server = server
        self._socket = accepted
        self._parser = httptools.HttpRequestParser(self)
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
        self._reading = True
        self._unsent = b""
        self._parsing = False
        self._held = b""
        """Acceptances that go out with the next answer."""
        self._closing = False
        server.connections.add(self)
        server.loop.add_reader(accepted.fileno(), self._readable)
        self._readable()  # the first request is often there already

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            self.data_received(data)
        else:
            self.abort()

    def _writable(self) -> None:
        unsent, self._unsent = self._unsent, b""
        self._server.loop.remove_writer(self._socket.fileno())
        self._write(unsent)

    def _send(self, data: bytes) -> None:
        held, self._held = self._held, b""
        self._write(held + data)

    def _write(self, data: bytes) -> None:
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.abort()
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._server.loop.add_writer(self._socket.fileno(), self._writable)
        elif self._closing:
            self.abort()

    def abort(self) -> None:
        """Close at once, whatever was still to be sent."""
        number = self._socket.fileno()
        if number < 0:
            return
        self._server.loop.remove_reader(number)
        if self._unsent:
            self._server.loop.remove_writer(number)
        self._socket.close()
        self._server.connections.discard(self)
        if self._streaming:
            self._streaming = False
            self._server.api.stream_broken()

    def data_received(self, data: bytes) -> None:
        if self._busy:
            # Pipelined while a call is parked: keep it, and stop reading so that it cannot grow.
            self._waiting.append(data)
            self.pause()
            return
        self._parsing = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.answer(Reply(status=400, body=b"400 Bad Request", content_type="text/plain"), close=True)
        self._parsing = False
        if self._held and not self._busy:
            self._send(b"")

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
        if self._reading and self._socket.fileno() >= 0:
            self._reading = False
            self._server.loop.remove_reader(self._socket.fileno())

    def resume(self) -> None:
        if not self._reading and self._socket.fileno() >= 0:
            self._reading = True
            self._server.loop.add_reader(self._socket.fileno(), self._readable)

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
        if self._socket.fileno() < 0 or self._closing:
            return False
        data = _bytes_of(reply)
        self._busy = False
        self._closing = close or not self._keep_alive
        if self._parsing and reply is ACCEPTED:
            # A runtime that asks for its next event in the same breath, as ours does, is not woken for this alone.
            self._held += data
        else:
            self._send(data)
        if self._waiting and not self._closing:
            waiting, self._waiting = self._waiting, []
            self.resume()
            for data in waiting:
                self.data_received(data)
        return True


def _bytes_of(reply: Reply) -> bytes:
    more = "".join([f"{name}: {value}\r\n" for name, value in reply.headers.items()])
    head = (
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n{more}\r\n"
    )
    return head.encode() + reply.body
