"""HTTP of the APIs inside an environment: clients that mean harm each find a limit, and the next one a server."""

import asyncio
import socket

import pytest

from firefork.engine.guest_reply import Reply
from firefork.engine.runtime_api import PAYLOAD_LIMIT
from firefork.engine.runtime_server import GuestServer

MIB = 1024 * 1024


class Echo:
    """Answers with what it got; parks what asks for it; takes streams."""

    def __init__(self):
        self.requests = []
        self.parked = []
        self.streamed = 0
        self.trailer = None
        self.broken = 0

    def receive(self, method, path, headers, body, connection):
        self.requests.append((method, path, headers, body))
        if path == "/park":
            self.parked.append(connection)
            return None
        return Reply(status=413 if body is None else 200, body=path.encode())

    def open_stream(self, path, headers, connection):
        return None

    def stream_data(self, data, connection):
        self.streamed += len(data)

    def end_stream(self, trailer):
        self.trailer = trailer
        return Reply(status=202)

    def stream_broken(self):
        self.broken += 1


@pytest.fixture
async def served():
    """A server, what it serves, and a way to connect."""
    api = Echo()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        server = GuestServer([listener], api)
        server.api_of_test = api
        server.address = listener.getsockname()
        yield server
        server.close()


class Client:
    def __init__(self, server):
        self.address = server.address

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(*self.address, limit=8 * MIB)
        return self

    async def __aexit__(self, *exc):
        self.writer.transport.abort()

    async def send(self, data, times=1):
        """Send until all is taken or the server hangs up; whether all was taken."""
        try:
            for _ in range(times):
                self.writer.write(data)
                await asyncio.wait_for(self.writer.drain(), 10)
        except ConnectionError:
            return False
        return True

    async def answer(self):
        """The next status and body; ``None`` when the server hung up."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
            length = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
            return int(head.split()[1]), await asyncio.wait_for(self.reader.readexactly(length), 10)
        except (ConnectionError, asyncio.IncompleteReadError):
            return None


async def works(server):
    async with Client(server) as client:
        await client.send(b"GET /fine HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await client.answer() == (200, b"/fine")


async def settled(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


class TestHeads:
    @pytest.mark.parametrize(
        ("begin", "more"),
        [
            (b"GET /x HTTP/1.1\r\nName: ", b"a" * 65536),
            (b"GET /x HTTP/1.1\r\n", b"a" * 65536),
            (b"GET /", b"a" * 65536),
            (b"GET /x HTTP/1.1\r\n", b"".join(b"n%d: v\r\n" % number for number in range(8000))),
            (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nName: ", b"a" * 65536),
            (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", b"a" * 65536),
            (
                b"POST /x/response HTTP/1.1\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
                b"".join(b"n%d: v\r\n" % number for number in range(8000)),
            ),
        ],
        ids=["value", "name", "url", "many", "trailer", "chunk-extension", "stream-trailer"],
    )
    async def test_an_endless_one_is_cut_off(self, served, begin, more):
        """No more than a few megabytes are taken before the server hangs up."""
        async with Client(served) as client:
            await client.send(begin)
            assert not await client.send(more, times=1000)
        await works(served)

    async def test_a_long_one_is_taken(self, served):
        """The runtime client sends up to 1 MiB of X-Ray cause in a header."""
        async with Client(served) as client:
            await client.send(b"POST /x HTTP/1.1\r\nCause: " + b"a" * MIB + b"\r\nContent-Length: 0\r\n\r\n")
            assert await client.answer() == (200, b"/x")

    @pytest.mark.parametrize(
        "garbage",
        [
            b"\x00\xff" * 100,
            b"HELO there\r\n\r\n",
            b"GET /x HTTP/9.9\r\n\r\n",
            b"GET /x HTTP/1.1\r\nno colon\r\n\r\n",
            b"POST /x HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /x HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        ],
    )
    async def test_garbage_ends_its_connection_and_nothing_else(self, served, garbage):
        unhandled = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
        async with Client(served) as client, Client(served) as bystander:
            await bystander.send(b"GET /by HTTP/1.1\r\nHost: x\r\n")
            await client.send(garbage)
            while (answer := await client.answer()) is not None:
                assert answer[0] in (200, 400)
            await bystander.send(b"\r\n")
            assert await bystander.answer() == (200, b"/by")
        assert unhandled == []


class TestBodies:
    async def test_one_beyond_the_limit_is_read_and_not_kept(self, served):
        async with Client(served) as client:
            await client.send(b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (PAYLOAD_LIMIT + 1))
            await client.send(b"a" * (PAYLOAD_LIMIT + 1))
            assert (await client.answer())[0] == 413
            await client.send(b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
            assert await client.answer() == (200, b"/x")
        assert served.api_of_test.requests[-1][3] == b"abc"
        assert served.held_bytes == 0

    async def test_one_of_many_small_parts_costs_no_more_than_its_bytes(self, served):
        """A part of one byte is no object of its own: 1 MiB of them is 1 MiB."""
        async with Client(served) as client:
            await client.send(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            await client.send(b"1\r\na\r\n" * 1024, times=1024)
            await settled(lambda: served.held_bytes == MIB)
            (connection,) = served.connections
            assert isinstance(connection._body, bytearray)
            await client.send(b"0\r\n\r\n")
            assert await client.answer() == (200, b"/x")
        assert served.api_of_test.requests[0][3] == b"a" * MIB

    async def test_all_of_one_environment_together_are_limited(self, served):
        """Sixty connections that each hold a large body: the later ones are told that theirs is too large."""
        async with asyncio.TaskGroup() as group:

            async def hold(number):
                async with Client(served) as client:
                    await client.send(b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (5 * MIB))
                    await client.send(b"a" * (5 * MIB - 1))
                    assert served.held_bytes <= 4 * PAYLOAD_LIMIT
                    held.append(number)
                    await everybody.wait()
                    await client.send(b"a")
                    statuses.append((await client.answer())[0])

            held, statuses, everybody = [], [], asyncio.Event()
            for number in range(12):
                group.create_task(hold(number))
            await settled(lambda: len(held) == 12)
            everybody.set()
        assert sorted(set(statuses)) == [200, 413]
        assert statuses.count(200) <= 4
        assert served.held_bytes == 0

    async def test_a_connection_that_breaks_off_gives_back_what_it_held(self, served):
        async with Client(served) as client:
            await client.send(b"POST /x HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + b"a" * 900)
            await settled(lambda: served.held_bytes == 900)
        await settled(lambda: served.held_bytes == 0)

    async def test_a_stream_that_breaks_off_is_told(self, served):
        async with Client(served) as client:
            await client.send(
                b"POST /x/response HTTP/1.1\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
            )
            await settled(lambda: served.api_of_test.streamed == 3)
        await settled(lambda: served.api_of_test.broken == 1)


class TestConnections:
    async def test_a_thousand_leave_one_that_works(self, served):
        """Beyond 64 each is closed at once, and those that go make room."""
        writers = []
        for _ in range(1000):
            _, writer = await asyncio.open_connection(*served.address)
            writers.append(writer)
            assert len(served.connections) <= 64
        await settled(lambda: len(served.connections) == 64)
        for writer in writers:
            writer.transport.abort()
        await settled(lambda: not served.connections)
        await works(served)

    async def test_one_that_half_closes_is_done(self, served):
        async with Client(served) as client:
            await client.send(b"GET /park HTTP/1.1\r\nHost: x\r\n\r\n")
            await settled(lambda: served.api_of_test.parked)
            client.writer.write_eof()
            assert await client.answer() is None
        assert served.api_of_test.parked[0].answer(Reply(status=200)) is False

    async def test_half_a_request_holds_up_nobody(self, served):
        async with Client(served) as slow:
            await slow.send(b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
            await works(served)


class TestFloods:
    async def test_a_few_pipelined_requests_are_answered_in_order(self, served):
        async with Client(served) as client:
            await client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(10)))
            assert [(await client.answer())[1] for _ in range(10)] == [b"/%d" % number for number in range(10)]

    async def test_thousands_at_once_are_not(self, served):
        async with Client(served) as client:
            await client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n" * 10_000)
            while await client.answer() not in (None, (400, b"400 Bad Request")):
                pass
        assert len(served.api_of_test.requests) < 100
        await works(served)

    async def test_one_behind_a_parked_call_waits_or_ends_the_connection(self, served):
        async with Client(served) as client:
            await client.send(b"GET /park HTTP/1.1\r\nHost: x\r\n\r\n")
            await settled(lambda: served.api_of_test.parked)
            await client.send(b"GET /after HTTP/1.1\r\nHost: x\r\n\r\n")
            assert served.api_of_test.parked[0].answer(Reply(status=200, body=b"event"))
            assert [await client.answer(), await client.answer()] == [(200, b"event"), (200, b"/after")]

    async def test_who_does_not_read_answers_is_not_read_either(self, served):
        """What waits to be sent stays small, however much is asked."""
        request = b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        with socket.socket() as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            made.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(made, served.address)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_sendall(made, request * 500), 1)
            (connection,) = served.connections
            assert len(connection._unsent) < MIB
            await works(served)

    async def test_too_many_requests_wait_and_others_have_their_turn(self, served):
        """A flood on many connections is answered at a limited pace, without any being lost."""
        async with asyncio.TaskGroup() as group:

            async def flood():
                async with Client(served) as client:
                    for _ in range(100):
                        await client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                        assert await client.answer() == (200, b"/x")

            started = asyncio.get_running_loop().time()
            for _ in range(20):
                group.create_task(flood())
        assert asyncio.get_running_loop().time() - started > 0.25, "2000 requests, 500 in a tenth of a second"
