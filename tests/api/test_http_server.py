"""The server on real sockets, before applications that are made for each test."""

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from firefork.api.http_server import HttpLimits, HttpServer
from firefork.api.request import ClientGone
from firefork.aws.protocols.message import HttpAnswer

QUICK = HttpLimits(idle_s=0.1, head_s=0.1, stall_s=0.1, drain_s=0.1, finish_s=0.1)
GET = b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n"


def text(body, status=200):
    return HttpAnswer(status=status, headers=[], body=body if isinstance(body, bytes) else body.encode())


async def echo(request):
    body = await request.body.read_all(limit=1 << 26, patience_s=10)
    return text(f"{request.head.method} {request.head.path} {len(body)}")


def listener():
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


@pytest.fixture
async def serve():
    """Starts servers; ``serve(application)`` gives the server and a function that connects to it."""
    servers = []

    async def start(application, **options):
        server = HttpServer(application, lambda status, message: text(message, status), **options)
        servers.append(server)
        at = listener()
        address = at.getsockname()
        await server.start(at)
        return server, lambda **more: asyncio.open_connection(*address, **more)

    yield start
    for server in servers:
        await server.stop()


async def read_answer(reader):
    """Status, headers and body of the next answer."""
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        assert await reader.readline() == b"\r\n"
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return int(status.split()[1]), headers, body


async def at_end(reader):
    with contextlib.suppress(ConnectionResetError):
        return await reader.read() == b""
    return True


class TestRequests:
    async def test_one_after_the_other_on_one_connection(self, serve):
        _, connect = await serve(echo)
        reader, writer = await connect()
        for path in (b"a", b"b"):
            writer.write(GET % path)
            status, headers, body = await read_answer(reader)
            assert (status, body) == (200, b"GET /%b 0" % path)
            assert "connection" not in headers
        writer.write(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert (await read_answer(reader))[1]["connection"] == "close"
        assert await at_end(reader)
        writer.close()

    async def test_pipelined_ones_are_answered_in_order_and_not_at_the_same_time(self, serve):
        first_may_end, running = asyncio.Event(), []

        async def application(request):
            running.append(request.head.path)
            if request.head.path == "/0":
                await first_may_end.wait()
            assert request.body.complete
            return text(request.head.path)

        _, connect = await serve(application)
        reader, writer = await connect()
        writer.write(b"".join(GET % b"%d" % number for number in range(3)))
        writer.write(b"POST /3 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + GET % b"4")
        while not running:
            await asyncio.sleep(0)
        assert running == ["/0"]
        first_may_end.set()
        assert [(await read_answer(reader))[2] for _ in range(5)] == [b"/%d" % number for number in range(5)]
        writer.close()

    async def test_a_client_that_sends_no_more_still_gets_its_answers(self, serve):
        _, connect = await serve(echo)
        reader, writer = await connect()
        writer.write(GET % b"a" + GET % b"b")
        writer.write_eof()
        assert [(await read_answer(reader))[2] for _ in range(2)] == [b"GET /a 0", b"GET /b 0"]
        assert await at_end(reader)
        writer.close()

    async def test_what_is_no_request_is_answered_behind_those_that_are(self, serve):
        _, connect = await serve(echo)
        reader, writer = await connect()
        writer.write(GET % b"a" + b"rubbish\r\n\r\n" + GET % b"b")
        assert (await read_answer(reader))[2] == b"GET /a 0"
        status, headers, body = await read_answer(reader)
        assert (status, headers["connection"]) == (400, "close")
        assert b"not well-formed" in body
        assert await at_end(reader)
        writer.close()

    async def test_a_defect_ends_the_connection_and_is_logged(self, serve, caplog):
        async def application(request):
            raise RuntimeError("a defect")

        _, connect = await serve(application)
        reader, writer = await connect()
        writer.write(GET % b"")
        assert await at_end(reader)
        assert "a defect" in caplog.text
        writer.close()

    async def test_tls(self, serve, tmp_path):
        async def application(request):
            return text(f"{request.secure} {request.client}")

        certificate, server_side = certified(tmp_path)
        _, connect = await serve(application, ssl_context=server_side)
        client_side = ssl.create_default_context(cafile=str(certificate))
        reader, writer = await connect(ssl=client_side, server_hostname="127.0.0.1")
        writer.write(GET % b"" + GET % b"")
        for _ in range(2):
            assert (await read_answer(reader))[2] == b"True 127.0.0.1"
        writer.close()


def certified(folder):
    """A certificate for 127.0.0.1, and a context that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context


class TestBodies:
    HEAD = b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n"

    async def test_who_waits_to_be_asked_is_asked_when_the_body_is_wanted(self, serve):
        _, connect = await serve(echo)
        reader, writer = await connect()
        for _ in range(2):
            writer.write(self.HEAD % 10 + b"Expect: 100-continue\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"hello")
            writer.write(b"world")
            assert (await read_answer(reader))[2] == b"PUT / 10"
        writer.write(self.HEAD % 5 + b"Expect: 100-continue\r\n\r\nhello")
        assert (await read_answer(reader))[2] == b"PUT / 5", "this one did not wait"
        writer.close()

    async def test_who_waits_to_be_asked_is_not_when_there_is_an_answer_already(self, serve):
        async def application(request):
            return text("no", 413)

        _, connect = await serve(application, limits=QUICK)
        reader, writer = await connect()
        writer.write(self.HEAD % 10 + b"Expect: 100-continue\r\n\r\n")
        status, headers, _ = await read_answer(reader)
        assert (status, headers["connection"]) == (413, "close")
        assert await at_end(reader)
        writer.close()

    async def test_an_early_answer_is_the_last_one_and_the_rest_of_the_body_is_thrown_away(self, serve):
        """A client that sends all before it looks finds the answer, not a broken connection."""

        async def application(request):
            return text("no", 413)

        _, connect = await serve(application)
        reader, writer = await connect()
        writer.write(self.HEAD % (8 << 20) + b"\r\n")
        for _ in range(8):
            writer.write(b"x" * (1 << 20))
            await writer.drain()
        writer.write(GET % b"never")
        status, headers, _ = await read_answer(reader)
        assert (status, headers["connection"]) == (413, "close")
        assert await at_end(reader)
        writer.close()

    async def test_not_more_than_a_client_may_still_send(self, serve):
        async def application(request):
            return text("no", 413)

        _, connect = await serve(application, limits=HttpLimits(drain_bytes=1 << 20))
        _, writer = await connect()
        writer.write(self.HEAD % (1 << 30) + b"\r\n")
        with contextlib.suppress(ConnectionError):
            while True:  # until the server has enough
                writer.write(b"x" * (1 << 20))
                await writer.drain()
        writer.close()

    async def test_a_body_that_nobody_reads_is_not_taken_in(self, serve):
        seen, may_read = asyncio.Future(), asyncio.Event()

        async def application(request):
            seen.set_result(request)
            await may_read.wait()
            return await echo(request)

        _, connect = await serve(application)
        reader, writer = await connect()
        size = 32 << 20
        writer.write(self.HEAD % size + b"\r\n" + b"x" * size)
        request = await seen
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.3)
        assert 0 < request.body.buffered < 2 << 20
        may_read.set()
        assert (await read_answer(reader))[2] == b"PUT / %d" % size
        writer.close()

    async def test_a_client_that_leaves_in_the_middle(self, serve, caplog):
        told = asyncio.Future()

        async def application(request):
            try:
                await request.body.read_all(limit=100, patience_s=10)
            except ClientGone:
                told.set_result(True)
                raise

        server, connect = await serve(application)
        _, writer = await connect()
        writer.write(self.HEAD % 10 + b"\r\nhello")
        writer.close()
        assert await asyncio.wait_for(told, 10)
        while server.connections:
            await asyncio.sleep(0)
        assert caplog.text == ""


class TestStreams:
    async def test_parts_as_chunks_or_as_they_are_when_the_length_is_told(self, serve):
        async def application(request):
            length = 4 if request.head.path == "/told" else None
            return HttpAnswer(status=200, headers=[], body=b"", stream=parts(), length=length)

        async def parts():
            for part in (b"ab", b"", b"cd"):
                yield part

        _, connect = await serve(application)
        reader, writer = await connect()
        for path in (b"told", b"untold"):
            writer.write(GET % path)
            assert (await read_answer(reader))[2] == b"abcd"
        writer.write(b"HEAD / HTTP/1.1\r\n\r\n" + GET % b"told")
        assert b"chunked" in await reader.readuntil(b"\r\n\r\n")
        assert (await read_answer(reader))[2] == b"abcd", "nothing stood between"
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\nconnection: close\r\n\r\nabcd")
        writer.close()

    async def test_they_are_not_made_faster_than_they_are_read(self, serve):
        made = []

        async def application(request):
            return HttpAnswer(status=200, headers=[], body=b"", stream=parts())

        async def parts():
            for number in range(1000):
                made.append(number)
                yield b"x" * 65536

        _, connect = await serve(application)
        reader, writer = await connect(limit=65536)
        writer.write(GET % b"")
        await reader.readuntil(b"\r\n\r\n")
        before = -1
        while len(made) != before:
            before = len(made)
            await asyncio.sleep(0.05)
        assert before < 500
        assert len(await reader.read(1)) == 1
        writer.transport.abort()

    async def test_they_run_to_their_end_when_the_client_left(self, serve):
        ended = asyncio.Future()

        async def application(request):
            return HttpAnswer(status=200, headers=[], body=b"", stream=parts())

        async def parts():
            for _ in range(1000):
                yield b"x" * 65536
            ended.set_result(True)

        server, connect = await serve(application)
        reader, writer = await connect()
        writer.write(GET % b"")
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        assert await asyncio.wait_for(ended, 10)
        while server.connections:
            await asyncio.sleep(0)


class TestSlowClients:
    async def test_who_asks_nothing_is_let_go(self, serve):
        _, connect = await serve(echo, limits=QUICK)
        reader, writer = await connect()
        writer.write(GET % b"")
        await read_answer(reader)
        assert await at_end(reader)
        writer.close()

    async def test_a_head_that_comes_slowly_is_not_waited_for(self, serve):
        """A byte now and then does not help."""
        _, connect = await serve(echo, limits=QUICK)
        reader, writer = await connect()

        async def trickle():
            for byte in GET % (b"a" * 10_000):
                writer.write(bytes([byte]))
                await asyncio.sleep(0.01)

        trickling = asyncio.ensure_future(trickle())
        status, headers, _ = await read_answer(reader)
        assert (status, headers["connection"]) == (408, "close")
        assert await at_end(reader)
        trickling.cancel()
        writer.close()

    async def test_an_answer_that_is_not_taken_is_given_up(self, serve):
        async def application(request):
            return text(b"x" * (32 << 20))

        server, connect = await serve(application, limits=QUICK)
        _, writer = await connect(limit=1024)
        writer.write(GET % b"")
        while not server.connections:
            await asyncio.sleep(0.01)
        while server.connections:
            await asyncio.sleep(0.01)
        writer.close()

    async def test_an_answer_that_takes_its_time_is_waited_for(self, serve):
        """The limits are the clients', not the functions'."""

        async def application(request):
            await asyncio.sleep(0.5)
            return text("late")

        _, connect = await serve(application, limits=QUICK)
        reader, writer = await connect()
        writer.write(GET % b"")
        assert (await read_answer(reader))[2] == b"late"
        writer.close()


class TestEnd:
    async def test_requests_in_progress_are_finished_and_nothing_new_is_taken(self, serve):
        may_end, begun = asyncio.Event(), asyncio.Event()

        async def application(request):
            begun.set()
            await may_end.wait()
            return text("done")

        server, connect = await serve(application)
        reader, writer = await connect()
        idle_reader, idle_writer = await connect()
        writer.write(GET % b"")
        await begun.wait()
        server.stop_accepting()
        assert await at_end(idle_reader)
        with pytest.raises(ConnectionError):
            await connect()
        stopping = asyncio.ensure_future(server.stop())
        await asyncio.sleep(0)
        may_end.set()
        _, headers, body = await read_answer(reader)
        assert (headers["connection"], body) == ("close", b"done")
        await stopping
        assert not server.connections
        writer.close()
        idle_writer.close()

    async def test_what_does_not_end_in_time_is_ended(self, serve):
        cancelled, begun = asyncio.Event(), asyncio.Event()

        async def application(request):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        server, connect = await serve(application, limits=QUICK)
        reader, writer = await connect()
        writer.write(GET % b"")
        await begun.wait()
        await server.stop()
        assert cancelled.is_set()
        assert await at_end(reader)
        writer.close()


class TestListenersInsideEnvironments:
    @pytest.fixture
    async def attached(self, serve):
        server, _ = await serve(echo)
        sandbox = SimpleNamespace(endpoint_listener=listener())
        detach = server.attach(sandbox)
        yield server, lambda: asyncio.open_connection(*sandbox.endpoint_listener.getsockname()), detach
        sandbox.endpoint_listener.close()

    async def test_they_serve_until_they_are_detached(self, attached):
        """Also while the server takes nothing new from outside: functions that end may still call."""
        server, connect, detach = attached
        server.stop_accepting()
        reader, writer = await connect()
        writer.write(GET % b"a")
        assert (await read_answer(reader))[2] == b"GET /a 0"
        detach()
        assert await at_end(reader)
        writer.close()

    async def test_an_environment_has_a_limited_number_of_connections(self, attached):
        server, connect, detach = attached
        opened = [await connect() for _ in range(64)]
        while len(server.connections) < 64:
            await asyncio.sleep(0)
        reader, writer = await connect()
        assert await at_end(reader)
        for _, each in [*opened, (reader, writer)]:
            each.close()
        while server.connections:
            await asyncio.sleep(0)
        reader, writer = await connect()
        writer.write(GET % b"a")
        assert (await read_answer(reader))[0] == 200
        detach()
        writer.close()
