"""Name resolution for environments: their queries go to this machine's name servers, answers come back as they are.

The sockets that environments ask are in their own network namespaces, like the Runtime API's. So the machine's name
servers may be anywhere, loopback and private addresses included, while environments reach nothing there. Messages are
passed on unread (RFC 1035, section 4.2).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

QUERIES_PER_S: Final = 1024
"""AWS: "1,024 packets per second per network interface" (Amazon VPC user guide, "Amazon DNS quotas")."""
_SETTINGS: Final = Path("/etc/resolv.conf")
_PORT: Final = 53
_MAXIMUM_SERVERS: Final = 3
"""As many as resolv.conf(5) lets a resolver ask."""
_SERVER_PATIENCE_S: Final = 2.0
_STREAM_LIMIT_S: Final = 30.0
_MAXIMUM_WAITING: Final = 128
_MAXIMUM_STREAMS: Final = 8
_BATCH: Final = 32
_LARGEST: Final = 65_535
_HEADER_SIZE: Final = 12
_SERVER_FAILURE: Final = 2


class NameService:
    """Passes on the queries of all environments of a server."""

    def __init__(self, settings: Path = _SETTINGS) -> None:
        """``settings``: a file in the form of resolv.conf(5). It is read again whenever it has changed."""
        self._settings = settings
        self._read_from: tuple[int, int] | None = None
        self._servers: list[str] = []

    def attach(self, datagrams: socket.socket, streams: socket.socket) -> Callable[[], None]:
        """Answer what arrives on a bound datagram socket and a listening one; what is returned ends that."""
        return _Desk(self, datagrams, streams).close

    def servers(self) -> list[str]:
        """Addresses of the machine's name servers, in order."""
        try:
            status = self._settings.stat()
        except OSError:
            return ["127.0.0.1"]
        if self._read_from != (status.st_ino, status.st_mtime_ns):
            self._read_from = (status.st_ino, status.st_mtime_ns)
            self._servers = name_servers(self._settings.read_text(errors="replace"))
        return self._servers


def name_servers(text: str) -> list[str]:
    """The usable ``nameserver`` lines; without one the local machine's, as resolv.conf(5) says."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            with contextlib.suppress(ValueError):
                ipaddress.ip_address(words[1].partition("%")[0])
                found.append(words[1])
    return found[:_MAXIMUM_SERVERS] or ["127.0.0.1"]


def server_failure(query: bytes) -> bytes:
    """The answer SERVFAIL to a query (RFC 1035, section 4.1.1): its header and what follows, as a response."""
    flags = bytes([query[2] | 0x80, query[3] & 0x70 | 0x80 | _SERVER_FAILURE])
    return query[:2] + flags + query[4:]


class _Desk:
    """One environment's queries, bounded in rate and number: a flood costs its sender answers, and nobody else."""

    def __init__(self, service: NameService, datagrams: socket.socket, streams: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._service = service
        self._datagrams = datagrams
        self._streams = streams
        self._tasks: set[asyncio.Task[None]] = set()
        self._open_streams = 0
        self._credit = float(QUERIES_PER_S)
        self._credited_s = time.monotonic()
        self._pause: asyncio.TimerHandle | None = None
        for listener in (datagrams, streams):
            listener.setblocking(False)
        self._loop.add_reader(datagrams.fileno(), self._take_queries)
        self._loop.add_reader(streams.fileno(), self._accept)

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        for listener in (self._datagrams, self._streams):
            self._loop.remove_reader(listener.fileno())
            listener.close()
        for task in self._tasks:
            task.cancel()

    def _take_queries(self) -> None:
        now_s = time.monotonic()
        self._credit = min(QUERIES_PER_S, self._credit + (now_s - self._credited_s) * QUERIES_PER_S)
        self._credited_s = now_s
        for _ in range(_BATCH):
            if self._credit < 1:
                # Look away until there is credit again; meanwhile the kernel drops what its buffer cannot hold.
                self._loop.remove_reader(self._datagrams.fileno())
                self._pause = self._loop.call_later(_BATCH / QUERIES_PER_S, self._resume)
                return
            try:
                query, sender = self._datagrams.recvfrom(_LARGEST)
            except OSError:  # nothing there
                return
            self._credit -= 1
            if len(query) >= _HEADER_SIZE and len(self._tasks) < _MAXIMUM_WAITING:
                self._spawn(self._answer(query, sender))

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._datagrams.fileno(), self._take_queries)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, query: bytes, sender: Any) -> None:
        answer = None
        for server in self._service.servers():
            answer = await _ask(server, query)
            if answer is not None:
                break
        with contextlib.suppress(OSError):  # the asker's buffer is full
            self._datagrams.sendto(answer or server_failure(query), sender)

    def _accept(self) -> None:
        try:
            stream, _ = self._streams.accept()
        except OSError:  # the asker has gone again
            return
        if self._open_streams >= _MAXIMUM_STREAMS:
            stream.close()
        else:
            self._open_streams += 1
            self._spawn(self._pass_stream(stream))

    async def _pass_stream(self, stream: socket.socket) -> None:
        """Both directions, to the first server that accepts."""
        upstream = None
        asker = await asyncio.open_connection(sock=stream)
        try:
            async with asyncio.timeout(_STREAM_LIMIT_S):
                for server in self._service.servers():
                    with contextlib.suppress(OSError, TimeoutError):
                        async with asyncio.timeout(_SERVER_PATIENCE_S):
                            upstream = await asyncio.open_connection(server, _PORT)
                        break
                if upstream is not None:
                    await _relay(asker, upstream)
        except TimeoutError:
            pass
        finally:
            self._open_streams -= 1
            for side in (asker, upstream):
                if side is not None:
                    side[1].close()


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _relay(asker: _Stream, server: _Stream) -> None:
    """Until either side is done: a side that ends its stream has all its answers or wants no more."""
    copies = [
        asyncio.ensure_future(_copy(asker[0], server[1])),
        asyncio.ensure_future(_copy(server[0], asker[1])),
    ]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_LARGEST):
            target.write(data)
            await target.drain()


async def _ask(server: str, query: bytes) -> bytes | None:
    """One server's answer to one query, over a socket of its own: its port is as hard to guess as the identifier."""
    loop = asyncio.get_running_loop()
    try:
        transport, answers = await loop.create_datagram_endpoint(_Answers, remote_addr=(server, _PORT))
    except OSError:
        return None
    try:
        transport.sendto(query)
        async with asyncio.timeout(_SERVER_PATIENCE_S):
            return await answers.to(query[:2])
    except (OSError, TimeoutError):
        return None
    finally:
        transport.close()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self._received: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._received.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self._received.put_nowait(exc)

    async def to(self, identifier: bytes) -> bytes:
        """The answer with this identifier. Raises OSError when the server cannot be reached."""
        while True:
            received = await self._received.get()
            if isinstance(received, Exception):
                raise received
            if received[:2] == identifier:
                return received
