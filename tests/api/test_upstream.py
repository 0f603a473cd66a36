"""Passing requests on: what arrives on the other side, and what a client gets when nothing good comes back."""

import asyncio
import socket
import struct

import pytest

from firefork.api.http_server import HttpServer
from firefork.api.http_wire import RequestHead
from firefork.api.request import AnswerCut, ClientGone, Request, RequestBody
from firefork.api.upstream import Upstream
from firefork.aws.errors import RequestTimeout, UpstreamFailed
from firefork.aws.protocols.message import HttpAnswer


class Other:
    """An endpoint that sends ``answer`` once it has a request, and then closes the connection."""

    def __init__(self, answer):
        self.answer = answer
        self.received = b""
        self.ended = asyncio.Event()

    async def serve(self, reader, writer):
        try:
            self.received = await reader.readuntil(b"\r\n\r\n")
            if b"chunked" in self.received:
                self.received += await reader.readuntil(b"0\r\n\r\n")
            if self.answer is None:
                await reader.read()  # until the other side gives up
            else:
                writer.write(self.answer)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass  # what the test of a body that is cut off is about
        finally:
            writer.close()
            self.ended.set()


@pytest.fixture
async def other(request):
    """An endpoint and an Upstream that leads to it."""
    made = Other(request.param)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    made.upstream = Upstream(f"{made.url}/base", "node", answer_s=0.5, body_patience_s=0.2)
    yield made
    await made.upstream.close()
    server.close()


def asked(method="GET", path="/b/k%2F%20", query="a=%2B&b", *, parts=None, whole=True, lost=False, **headers):
    """A request; with ``parts`` it has a body, in chunks, that may not be whole or will never be."""
    body = RequestBody(lambda: None)
    for part in parts or ():
        body.feed(part)
    if parts is not None:
        headers["transfer-encoding"] = "chunked"
    if whole:
        body.end()
    if lost:
        body.lose()
    return Request(RequestHead(method, path, query, headers), body)


async def read(answer):
    return b"".join([part async for part in answer.stream])


OK = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Amz-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nKeep-Alive: x\r\n\r\nbody"
)


class TestForward:
    @pytest.mark.parametrize("other", [OK], indirect=True)
    async def test_the_request_arrives_as_it_came(self, other):
        """Target and headers byte for byte, so that signatures stay good; what belongs to the connection stays."""
        headers = {"host": "bucket.example", "authorization": "AWS4-HMAC-SHA256 x", "connection": "keep-alive"}
        answer = await other.upstream.forward(asked(**headers, expect="100-continue"))
        assert await read(answer) == b"body"
        line, *told = other.received.decode().split("\r\n")
        assert line == "GET /base/b/k%2F%20?a=%2B&b HTTP/1.1"
        assert {each for each in told if each} == {
            "host: bucket.example",
            "authorization: AWS4-HMAC-SHA256 x",
            "via: 1.1 firefork-node",
        }

    @pytest.mark.parametrize("other", [OK], indirect=True)
    async def test_the_answer_comes_as_it_is(self, other):
        answer = await other.upstream.forward(asked(host="h"))
        assert (answer.status, answer.length) == (200, 4)
        headers = [(name.lower(), value) for name, value in answer.headers]
        assert headers == [("x-amz-a", "1"), ("set-cookie", "a"), ("set-cookie", "b")]
        assert await read(answer) == b"body"

    @pytest.mark.parametrize("other", [OK], indirect=True)
    async def test_a_body_in_parts(self, other):
        answer = await other.upstream.forward(asked("PUT", parts=[b"one", b"two"], host="h"))
        assert await read(answer) == b"body"
        assert other.received.partition(b"\r\n\r\n")[2] == b"6\r\nonetwo\r\n0\r\n\r\n"

    @pytest.mark.parametrize("other", [b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"], indirect=True)
    async def test_head_tells_the_length_of_what_it_does_not_send(self, other):
        answer = await other.upstream.forward(asked("HEAD", host="h"))
        assert (answer.stream, answer.body, answer.length) == (None, b"", 77)

    @pytest.mark.parametrize("other", [OK], indirect=True)
    async def test_a_request_that_came_from_here_is_not_passed_round_in_a_circle(self, other):
        with pytest.raises(UpstreamFailed, match="leads back to this server"):
            await other.upstream.forward(asked(host="h", via="1.1 proxy, 1.1 firefork-node"))
        assert other.received == b""


class TestClientsThatLeave:
    """On a real connection: what nobody reads any more is not fetched to its end."""

    @pytest.mark.parametrize("goes_on", [True, False], ids=["amid a download", "while nothing comes"])
    async def test_end_the_download(self, goes_on):
        ended = asyncio.Event()

        async def send_without_end(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
            try:
                while goes_on:
                    writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
                    await writer.drain()
                await reader.read()
            except ConnectionError:
                pass  # which is what it means to leave within an answer
            finally:
                ended.set()
                writer.close()

        endpoint = await asyncio.start_server(send_without_end, "127.0.0.1", 0)
        upstream = Upstream(f"http://127.0.0.1:{endpoint.sockets[0].getsockname()[1]}", "node")
        server = HttpServer(upstream.forward, lambda status, message: HttpAnswer(status=status, headers=[], body=b""))
        listener = socket.create_server(("127.0.0.1", 0))
        await server.start(listener)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readuntil(b"x")
        # Closed with a reset: a mere end of what is sent may be a client that still reads its answer.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await asyncio.wait_for(ended.wait(), 30)
        await server.stop()
        await upstream.close()
        endpoint.close()


class TestFailures:
    async def test_refused(self):
        upstream = Upstream("http://127.0.0.1:1", "node")
        with pytest.raises(UpstreamFailed, match=r"http://127\.0\.0\.1:1 cannot be reached") as refusal:
            await upstream.forward(asked(host="h"))
        assert refusal.value.status == 502
        await upstream.close()

    @pytest.mark.parametrize("other", [None], indirect=True)
    async def test_no_answer_in_time(self, other):
        """And the connection is not left open."""
        with pytest.raises(UpstreamFailed, match="did not answer in time"):
            await other.upstream.forward(asked(host="h"))
        await asyncio.wait_for(other.ended.wait(), 5)

    @pytest.mark.parametrize("other", [b"", b"nonsense\r\n\r\n"], indirect=True)
    async def test_no_answer_at_all(self, other):
        with pytest.raises(UpstreamFailed, match="broke off before it answered"):
            await other.upstream.forward(asked(host="h"))

    @pytest.mark.parametrize(
        "other",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n",
        ],
        indirect=True,
    )
    async def test_half_an_answer_is_not_passed_for_a_whole_one(self, other):
        answer = await other.upstream.forward(asked(host="h"))
        parts = []

        async def collect():
            async for part in answer.stream:
                parts.append(part)

        with pytest.raises(AnswerCut):
            await collect()
        assert b"".join(parts) == b"body"

    @pytest.mark.parametrize("other", [OK], indirect=True)
    async def test_a_client_that_leaves_within_its_body(self, other):
        with pytest.raises(ClientGone):
            await other.upstream.forward(asked("PUT", parts=[b"one"], whole=False, lost=True, host="h"))
        await asyncio.wait_for(other.ended.wait(), 5)

    @pytest.mark.parametrize("other", [OK], indirect=True)
    async def test_a_client_that_stops_within_its_body(self, other):
        with pytest.raises(RequestTimeout):
            await other.upstream.forward(asked("PUT", parts=[b"one"], whole=False, host="h"))
        await asyncio.wait_for(other.ended.wait(), 5)
