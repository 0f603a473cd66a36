"""A keep-alive HTTP/1.1 connection that costs almost nothing, so that what is measured is the server.

Requests are signed (SigV4, by botocore) when they are *prepared*: signing is outside of the timed part, verifying the
signature is the server's work and inside of it.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    failed: bool
    """Whether it says that the function failed (``X-Amz-Function-Error``)."""


def prepare(url: str, body: bytes = b"{}", credentials: Credentials | None = None, region: str = "us-east-1") -> bytes:
    """A POST request's bytes, signed for Lambda when there are credentials."""
    request = AWSRequest(method="POST", url=url, data=body, headers={"Content-Type": "application/json"})
    if credentials is not None:
        SigV4Auth(credentials, "lambda", region).add_auth(request)
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One connection, one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""

    def send(self, request: bytes) -> None:
        self._data = b""
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """Read what is there (or wait for it); the answer once it is whole. Raises ConnectionError."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server hung up")
        self._data += chunk
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        length = int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return None
        return Answer(int(head[9:12]), body, b"\r\nx-amz-function-error:" in lower)

    def exchange(self, request: bytes) -> Answer:
        self.send(request)
        while True:
            if (answer := self.receive()) is not None:
                return answer

    def time_ms(self, request: bytes) -> float:
        """From the first byte sent to the last one received. Raises RuntimeError unless it was a success."""
        started = time.perf_counter()
        answer = self.exchange(request)
        elapsed = (time.perf_counter() - started) * 1000
        check(answer)
        return elapsed

    def close(self) -> None:
        self.socket.close()


def check(answer: Answer) -> None:
    """Raises RuntimeError unless the function answered and did not fail: an error's speed is no figure."""
    if answer.status != 200 or answer.failed or b'"errorType"' in answer.body:
        raise RuntimeError(f"the invoke failed: {answer.status} {answer.body[:300]!r}")


def all_at_once(work: Sequence[tuple[Connection, bytes]]) -> float:
    """Send one request on each connection and wait for all answers; seconds."""
    started = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection, request in work:
            connection.send(request)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        left = len(work)
        while left:
            for key, _ in selector.select():
                if (answer := key.data.receive()) is not None:
                    check(answer)
                    selector.unregister(key.fileobj)
                    left -= 1
    return time.perf_counter() - started


def saturate(connections: Sequence[Connection], request: bytes, count: int) -> float:
    """Keep every connection busy until ``count`` answers are here; answers a second."""
    started = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            connection.send(request)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        sent, received = len(connections), 0
        while received < count:
            for key, _ in selector.select():
                if (answer := key.data.receive()) is None:
                    continue
                check(answer)
                received += 1
                if sent < count:
                    sent += 1
                    key.data.send(request)
    return count / (time.perf_counter() - started)
