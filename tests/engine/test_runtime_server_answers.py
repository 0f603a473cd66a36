"""Connections of an environment's processes, with a real socket and an API that is made for these tests."""

import asyncio
import socket

import pytest

from firefork.engine.guest_reply import ACCEPTED, NOT_FOUND, Reply
from firefork.engine.runtime_server import GuestServer

NEXT = b"GET /next HTTP/1.1\r\nHost: runtime\r\n\r\n"
POST = b"POST /response HTTP/1.1\r\nHost: runtime\r\nContent-Length: 2\r\n\r\n{}"
EVENT = Reply(status=200, body=b"event", headers={"Lambda-Runtime-Deadline-Ms": "1"})


class Api:
    """Accepts posts, parks ``/next`` until ``deliver``, knows nothing else."""

    def __init__(self):
        self.parked = asyncio.Queue()

    def receive(self, method, path, headers, body, connection):
        if path == "/next":
            self.parked.put_nowait(connection)
            return None
        return ACCEPTED if method == "POST" else NOT_FOUND

    async def deliver(self):
        (await self.parked.get()).answer(EVENT)


@pytest.fixture
async def guest():
    """An API, and the reading and writing end of a process's connection to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    api = Api()
    server = GuestServer([listener], api)
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    yield api, reader, writer
    writer.close()
    server.close()
    listener.close()


async def answers(reader, count):
    found = []
    for _ in range(count):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
        found.append((int(head.split()[1]), await reader.readexactly(length)))
    return found


class TestAcceptances:
    async def test_one_alone_is_answered_at_once(self, guest):
        _, reader, writer = guest
        writer.write(POST)
        assert await answers(reader, 1) == [(202, ACCEPTED.body)]

    async def test_one_with_the_next_call_behind_it_comes_with_the_next_event(self, guest):
        """A runtime that waits for its event anyway is woken once, not twice."""
        api, reader, writer = guest
        writer.write(POST + NEXT)
        connection = await api.parked.get()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        connection.answer(EVENT)
        assert await answers(reader, 2) == [(202, ACCEPTED.body), (200, b"event")]

    async def test_the_next_call_in_a_write_of_its_own_changes_nothing(self, guest):
        api, reader, writer = guest
        writer.write(POST)
        assert await answers(reader, 1) == [(202, ACCEPTED.body)]
        writer.write(NEXT)
        await api.deliver()
        assert await answers(reader, 1) == [(200, b"event")]

    async def test_answers_keep_their_order(self, guest):
        api, reader, writer = guest
        writer.write(POST + b"GET /unknown HTTP/1.1\r\n\r\n" + POST + NEXT)
        await api.deliver()
        assert [status for status, _ in await answers(reader, 4)] == [202, 404, 202, 200]

    async def test_one_before_the_end_of_the_connection_is_not_lost(self, guest):
        _, reader, writer = guest
        writer.write(POST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert await answers(reader, 1) == [(202, ACCEPTED.body)]
        assert await reader.read() == b""

    async def test_one_before_rubbish_is_not_lost_either(self, guest):
        _, reader, writer = guest
        writer.write(POST + b"rubbish\r\n\r\n")
        assert [status for status, _ in await answers(reader, 2)] == [202, 400]
        assert await reader.read() == b""
