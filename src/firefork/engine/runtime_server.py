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
"""Bytes of one request that are no body: the runtime client sends up to 1 MiB of X-Ray cause as a header."""
_HEADER_COUNT_LIMIT: Final = 200
_READ_SIZE: Final = 64 * 1024
_CONNECTION_LIMIT: Final = 64
"""Open connections of one environment; further ones are closed at once."""
_HELD_LIMIT: Final = 4 * PAYLOAD_LIMIT
"""Bytes of unfinished bodies of one environment; one beyond it is treated as one that is too long."""
_PIPELINE_LIMIT: Final = 32
"""Requests that may arrive at once on a connection."""
_WINDOW_S: Final = 0.1
_WINDOW_REQUESTS: Final = 500
"""Of one environment; several times what a runtime and its extensions need at a thousand invokes a second."""


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
        self.held_bytes = 0
        """Bytes of unfinished bodies."""
        self._listeners = listeners
        self._window_s = 0.0
        self._requests = 0
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

    def is_flooded(self) -> bool:
        """Count a request; whether there were so many that whoever sent it has to wait: other environments' turn."""
        now_s = self.loop.time()
        if now_s - self._window_s >= _WINDOW_S:
            self._window_s, self._requests = now_s, 0
        self._requests += 1
        return self._requests > _WINDOW_REQUESTS

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
        self._unseen = 0
        """Bytes read since the last part of a body or end of a head."""
        self._body: bytes | bytearray = b""
        self._body_size = 0
        self._arrived = 0
        """Whole requests in what was read last."""
        self._busy = False
        self._streaming = False
        self._trailer: dict[str, str] = {}
        self._refused = False
        self._keep_alive = True
        self._waiting: list[bytes] = []
        self._holds: set[str] = set()
        """Why nothing is read now."""
        self._unsent = bytearray()
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
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.abort()
            return
        del self._unsent[:sent]
        if self._unsent:
            return
        self._server.loop.remove_writer(self._socket.fileno())
        if self._closing:
            self.abort()
        else:
            self.resume("unsent")

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
            self._unsent += data[sent:]
            self._server.loop.add_writer(self._socket.fileno(), self._writable)
            self.pause("unsent")  # who does not read its answers sends no further requests
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
        self._release_body()
        if self._streaming:
            self._streaming = False
            self._server.api.stream_broken()

    def data_received(self, data: bytes) -> None:
        if self._busy:
            # Pipelined while a call is parked: keep it, and stop reading so that it cannot grow.
            self._waiting.append(data)
            self.pause("parked")
            return
        self._parsing = True
        self._unseen += len(data)
        self._arrived = 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.answer(Reply(status=400, body=b"400 Bad Request", content_type="text/plain"), close=True)
        else:
            if self._unseen > _HEADER_LIMIT:
                self.abort()
        self._parsing = False
        if self._held and not self._busy:
            self._send(b"")

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # What comes behind the head of a stream belongs to its trailer.
        headers = self._trailer if self._streaming else self._headers
        if len(headers) >= _HEADER_COUNT_LIMIT:
            raise ValueError("too many headers")  # the parser stops, and says so
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._unseen = 0
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
        self._unseen = 0
        if self._socket.fileno() < 0:
            return  # closed while the rest of what was read is parsed
        if self._streaming:
            self._server.api.stream_data(body, self)
            return
        self._body_size += len(body)
        if self._body_size > PAYLOAD_LIMIT or self._server.held_bytes + len(body) > _HELD_LIMIT:
            self._body_size = max(self._body_size, PAYLOAD_LIMIT + 1)
            self._release_body()  # read to the end but not kept: the answer is 413
            return
        self._server.held_bytes += len(body)
        if not self._body:
            self._body = body  # mostly the only part
        elif isinstance(self._body, bytearray):
            self._body += body
        else:
            self._body = bytearray(self._body + body)

    def _release_body(self) -> bytes:
        """Give the body away: it is held here no longer."""
        body = bytes(self._body)
        self._server.held_bytes -= len(body)
        self._body = b""
        return body

    def pause(self, why: str = "stream") -> None:
        """Read no further until every reason is gone. ``stream``: whoever takes it is slower than its writer."""
        if not self._holds and self._socket.fileno() >= 0:
            self._server.loop.remove_reader(self._socket.fileno())
        self._holds.add(why)

    def resume(self, why: str = "stream") -> None:
        if why in self._holds:
            self._holds.remove(why)
            if not self._holds and self._socket.fileno() >= 0:
                self._server.loop.add_reader(self._socket.fileno(), self._readable)

    def on_message_complete(self) -> None:
        self._arrived += 1
        if self._arrived > _PIPELINE_LIMIT:
            raise ValueError("too many requests at once")
        if self._refused or self._socket.fileno() < 0:
            return
        if self._busy:
            self.abort()  # a further request behind a call that is parked: no client of ours does that
            return
        if self._streaming:
            trailer, self._trailer = self._trailer, {}
            self._streaming = False
            self._path, self._headers = b"", {}
            self._keep_alive = self._parser.should_keep_alive()
            self.answer(self._server.api.end_stream(trailer))
            return
        body = self._release_body() if self._body_size <= PAYLOAD_LIMIT else None
        path = self._path.decode("latin-1").partition("?")[0]
        headers = self._headers
        self._path, self._headers, self._body_size = b"", {}, 0
        self._keep_alive = self._parser.should_keep_alive()
        self._busy = True
        reply = self._server.api.receive(self._parser.get_method().decode("ascii"), path, headers, body, self)
        if reply is not None:
            self.answer(reply)
        if self._server.is_flooded() and "flood" not in self._holds:
            self.pause("flood")
            self._server.loop.call_later(_WINDOW_S, self.resume, "flood")

    def answer(self, reply: Reply, *, close: bool = False) -> bool:
        """Send the answer to the request in progress; whether there was a connection to send it on."""
        if self._socket.fileno() < 0 or self._closing:
            return False
        data = bytes_of(reply)
        self._busy = False
        self._closing = close or not self._keep_alive
        if self._parsing and reply is ACCEPTED:
            # A runtime that asks for its next event in the same breath, as ours does, is not woken for this alone.
            self._held += data
        else:
            self._send(data)
        if self._waiting and not self._closing:
            waiting, self._waiting = self._waiting, []
            self.resume("parked")
            for data in waiting:
                self.data_received(data)
        return True


def bytes_of(reply: Reply) -> bytes:
    """A reply as it is sent."""
    more = "".join([f"{name}: {value}\r\n" for name, value in reply.headers.items()])
    head = (
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n{more}\r\n"
    )
    return head.encode() + reply.body
