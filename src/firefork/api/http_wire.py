"""HTTP/1.1 as bytes, the server's side of it, without I/O: requests out of a connection's bytes, answers into them.

Source: RFC 9110 (semantics) and RFC 9112 (messages). llhttp, behind httptools, does the parsing proper.
"""

from __future__ import annotations

import functools
import http
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final
from urllib.parse import urlsplit

import httptools

from firefork.aws.protocols.message import HttpAnswer

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of a request's line and headers together, and of what may stand between two parts of a body."""
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

_BODILESS: Final = (204, 304)
"""Statuses whose answers have neither body nor length. RFC 9110 section 8.6."""


@dataclass(slots=True)
class RequestHead:
    """What is known of a request before its body. Not frozen: one is made for each request, at half the cost."""

    method: str
    path: str
    """Undecoded."""
    query: str
    """Undecoded, without the question mark."""
    headers: dict[str, str] = field(default_factory=dict)
    """By name in lower case; one that is repeated has its values joined (RFC 9110 section 5.3)."""
    keep_alive: bool = True
    """Whether the client lets the connection go on after the answer."""
    takes_chunks: bool = True
    """Not before HTTP/1.1."""

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits to be asked for the body. RFC 9110 section 10.1.1."""
        return self.headers.get("expect", "").lower() == "100-continue"


class RequestEnd:
    """The request is complete."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """No request, or one that is too long: nothing can follow it on this connection."""

    status: int
    message: str


Event = RequestHead | bytes | RequestEnd | Malformed
"""A request is a head, any number of parts of its body, and an end."""
_END: Final = RequestEnd()


class RequestParser:
    """The requests of one connection. Feed it no more after ``Malformed``."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._events: list[Event] = []
        self._unfinished = 0
        """Bytes since the last event: of a head, or of what stands between two parts of a body."""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._in_body = False
        self._upgrading = False
        self.between_requests = True
        """Whether nothing of a further request has come."""

    def feed(self, data: bytes) -> list[Event]:
        """What ``data`` completes, in order."""
        self._unfinished += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            self._events.append(Malformed(400, f"The request is not well-formed HTTP/1.1: {error}."))
        events, self._events = self._events, []
        if self._unfinished > HEAD_LIMIT:
            events = _without_long_heads(events) if events else [_TOO_LONG]
        if events:
            self._unfinished = 0
        return events

    def _parse(self, data: bytes) -> None:
        rest = memoryview(data)
        while True:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                self._pass_over_upgrade()
            else:
                return

    def _pass_over_upgrade(self) -> None:
        """Go on as if the client had not asked for another protocol, which a server may (RFC 9110 section 7.8).

        llhttp takes what follows the head for that protocol. So a new parser is told the body's length again.
        """
        self._parser = httptools.HttpRequestParser(self)
        told = (f"{name}: {self._headers[name]}\r\n" for name in _FRAMING if name in self._headers)
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{''.join(told)}\r\n".encode("latin-1"))

    # ---- what llhttp calls

    def on_message_begin(self) -> None:
        self.between_requests = False
        if not self._upgrading:
            self._url, self._headers = b"", {}

    def on_url(self, url: bytes) -> None:
        if not self._upgrading:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body or self._upgrading:  # a trailer, which nobody here asks for, or the head told again
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        self._in_body = True
        if self._upgrading:
            self._upgrading = False
            return
        parser = self._parser
        version = parser.get_http_version()
        if version not in _VERSIONS:
            self._events.append(Malformed(505, f"HTTP/{version} is not spoken here."))
            return
        path, query = _split(self._url.decode("latin-1"))
        method = parser.get_method().decode("ascii")
        newest = version == "1.1"
        head = RequestHead(method, path, query, self._headers, newest and parser.should_keep_alive(), newest)
        self._events.append(head)
        self._upgrading = parser.should_upgrade()

    def on_body(self, body: bytes) -> None:
        self._events.append(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        if not self._upgrading:
            self.between_requests = True
            self._events.append(_END)


_VERSIONS: Final = ("1.1", "1.0")
_FRAMING: Final = ("content-length", "transfer-encoding")
_TOO_LONG: Final = Malformed(431, f"The request's line and headers are longer than {HEAD_LIMIT} bytes.")


def _without_long_heads(events: list[Event]) -> list[Event]:
    """The events up to the first head that is too long."""
    for number, event in enumerate(events):
        if isinstance(event, RequestHead):
            size = len(event.path) + len(event.query)
            size += sum(len(name) + len(value) for name, value in event.headers.items())
            if size > HEAD_LIMIT:
                return [*events[:number], _TOO_LONG]
    return events


def _split(target: str) -> tuple[str, str]:
    """Path and query of a request's target. RFC 9112 section 3.2."""
    if target.startswith("/") and "#" not in target:
        path, _, query = target.partition("?")
        return path, query
    if target.startswith("/"):
        target = f"http://host{target}"  # urlsplit would take // at the beginning for an authority
    elif "://" not in target:
        return target, ""  # OPTIONS *, CONNECT host:port
    try:
        parts = urlsplit(target)
    except ValueError:  # no authority that could be one
        return "/", ""
    return parts.path or "/", parts.query


def whole(answer: HttpAnswer, request: RequestHead, *, keep_alive: bool, now_s: int) -> bytes:
    """An answer with its body, which HEAD does without. ``now_s`` in epoch seconds."""
    head = start(answer, request, keep_alive=keep_alive, now_s=now_s)
    return head if request.method == "HEAD" or answer.status in _BODILESS else head + answer.body


def start(answer: HttpAnswer, request: RequestHead, *, keep_alive: bool, now_s: int) -> bytes:
    """An answer's head. Raises ValueError for a header with a line break in it."""
    lines = [_status_line(answer.status), _date_line(now_s)]
    lines += [f"{name}: {value}\r\n" for name, value in answer.headers]
    length = len(answer.body) if answer.stream is None and answer.length is None else answer.length
    if length is not None:
        if answer.status not in _BODILESS:
            lines.append(f"content-length: {length}\r\n")
    elif request.takes_chunks:
        lines.append("transfer-encoding: chunked\r\n")
    if not keep_alive:
        lines.append("connection: close\r\n")
    text = "".join(lines)
    if not text.count("\n") == text.count("\r") == len(lines):
        raise ValueError(f"a header of the answer holds a line break: {answer.headers!r}")
    return f"{text}\r\n".encode("latin-1", "replace")


def chunk(part: bytes) -> bytes:
    """A part of an answer, not empty, where its length was not told. RFC 9112 section 7.1."""
    return b"%x\r\n%b\r\n" % (len(part), part)


@functools.cache
def _status_line(status: int) -> str:
    known = status in http.HTTPStatus.__members__.values()
    return f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase if known else 'Unknown'}\r\n"


@functools.lru_cache(maxsize=2)
def _date_line(now_s: int) -> str:
    return f"date: {formatdate(now_s, usegmt=True)}\r\n"
