"""Sending telemetry to listeners as they are: quick, slow, dead, frozen."""

import asyncio
import contextlib
import json
import socket

import pytest

from firefork.engine import telemetry_delivery
from firefork.engine.telemetry_api import BACKLOG_LIMIT, Buffering, Destination, Record, Subscription
from firefork.engine.telemetry_delivery import TelemetryDelivery


class Listener:
    """Takes telemetry over HTTP, and answers with the statuses it is given, then with 200."""

    def __init__(self):
        self.batches = asyncio.Queue()
        self.heads = []
        self.statuses = []
        self.answers = asyncio.Event()
        self.answers.set()

    async def serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line[16:]) for line in head.splitlines() if line.lower().startswith("content-length: "))
            body = json.loads(await reader.readexactly(length))
            await self.answers.wait()
            status = self.statuses.pop(0) if self.statuses else 200
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
            await writer.drain()
            if status == 200:
                self.heads.append(head)
                self.batches.put_nowait(body)
        writer.close()

    async def next(self):
        return await asyncio.wait_for(self.batches.get(), 10)


@pytest.fixture
async def listener():
    made = Listener()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=2**22) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@pytest.fixture
async def delivery():
    async def open_socket():
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # so that nothing hides in the kernel
        return made

    made = TelemetryDelivery(open_socket, "127.0.0.1")
    yield made
    made.stop()


@pytest.fixture
def impatient(monkeypatch):
    """Attempts follow each other at once, and none waits long."""
    monkeypatch.setattr(telemetry_delivery, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(telemetry_delivery, "_ANSWER_LIMIT_S", 0.1)


def subscription(port, *, protocol="HTTP", extension="listener", timeout_ms=25, **buffering):
    return Subscription(
        extension=extension,
        api="Telemetry",
        types=frozenset({"platform", "function"}),
        buffering=Buffering(timeout_ms=timeout_ms, **buffering),
        destination=Destination(protocol=protocol, port=port, path="/in"),
        schema_version="2022-12-13",
    )


def line(text):
    return Record(time_ms=0, kind="function", record=text)


def texts(batch):
    return [event["record"] for event in batch]


class TestHttp:
    async def test_posts_a_json_array(self, delivery, listener):
        delivery.subscribe(subscription(listener.port))
        delivery.add(line("one"))
        assert await listener.next() == [{"time": "1970-01-01T00:00:00.000Z", "type": "function", "record": "one"}]
        assert listener.heads[0].startswith("POST /in HTTP/1.1\r\n")
        assert f"host: sandbox.localdomain:{listener.port}\r\n" in listener.heads[0].lower()

    async def test_what_happened_since_the_start_of_init_comes_first(self, delivery, listener):
        delivery.add(line("before"))
        delivery.subscribe(subscription(listener.port))
        delivery.add(line("after"))
        assert texts(await listener.next()) == ["before", "after"]

    async def test_the_same_subscription_again_changes_nothing(self, delivery, listener):
        """AWS: subscribing is idempotent."""
        delivery.add(line("once"))
        for _ in range(3):
            delivery.subscribe(subscription(listener.port))
        assert texts(await listener.next()) == ["once"]
        delivery.add(line("last"))
        assert texts(await listener.next()) == ["last"]

    async def test_another_one_takes_its_place(self, delivery, listener):
        delivery.subscribe(subscription(1))
        delivery.subscribe(subscription(listener.port))
        delivery.add(line("here"))
        assert texts(await listener.next()) == ["here"]

    @pytest.mark.usefixtures("impatient")
    async def test_a_refused_batch_is_sent_again(self, delivery, listener):
        listener.statuses = [500, 404]
        delivery.subscribe(subscription(listener.port))
        delivery.add(line("stubborn"))
        assert texts(await listener.next()) == ["stubborn"]

    async def test_a_flush_does_not_wait_for_the_timeout(self, delivery, listener):
        delivery.subscribe(subscription(listener.port, timeout_ms=30_000))
        delivery.add(line("now"))
        await delivery.flush(10)
        assert texts(listener.batches.get_nowait()) == ["now"]


class TestTcp:
    async def test_sends_a_line_for_each_event_on_one_connection(self, delivery):
        lines = asyncio.Queue()

        async def serve(reader, writer):
            while data := await reader.readline():
                lines.put_nowait(json.loads(data)["record"])
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            delivery.subscribe(subscription(server.sockets[0].getsockname()[1], protocol="TCP"))
            for text in ("one", "two"):
                delivery.add(line(text))
                assert await asyncio.wait_for(lines.get(), 10) == text
            delivery.stop()

    @pytest.mark.usefixtures("impatient")
    async def test_one_that_never_reads_holds_no_more_than_the_backlog(self, delivery):
        """Its socket fills up, batches are given up and counted, and a flush comes back."""
        connections = []

        async def ignore(reader, writer):
            reader._transport.pause_reading()
            connections.append(writer)

        bound = socket.create_server(("127.0.0.1", 0))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with await asyncio.start_server(ignore, sock=bound):
            delivery.subscribe(subscription(bound.getsockname()[1], protocol="TCP"))
            for _ in range(60):
                delivery.add(line("x" * 500_000))
            await delivery.flush(0.5)
            batches = delivery._senders["listener"]._batches
            assert batches._size <= BACKLOG_LIMIT
            assert batches.dropped().records > 40
            delivery.stop()
            for writer in connections:
                writer.transport.abort()


@pytest.mark.usefixtures("impatient")
class TestLostEvents:
    async def test_a_dead_listener_is_told_of_them_when_it_is_back(self, delivery, listener):
        listener.statuses = [500] * 5
        delivery.subscribe(subscription(listener.port))
        delivery.add(line("lost"))
        await delivery.flush(10)
        delivery.add(line("kept"))
        kept, notice = await listener.next()
        assert kept["record"] == "kept"
        assert notice["type"] == "platform.logsDropped"
        assert (notice["record"]["droppedRecords"], notice["record"]["droppedBytes"]) == (
            1,
            len('{"time":"1970-01-01T00:00:00.000Z","type":"function","record":"lost"}'),
        )
        delivery.add(line("again"))
        assert texts(await listener.next()) == ["again"], "told once"

    async def test_nobody_listening_harms_no_other_listener(self, delivery, listener):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            delivery.subscribe(subscription(unused.getsockname()[1], extension="dead"))
            delivery.subscribe(subscription(listener.port))
            delivery.add(line("heard"))
            assert texts(await listener.next()) == ["heard"]

    async def test_garbage_is_an_answer_of_no_use(self, delivery):
        attempts = asyncio.Queue()

        async def serve(reader, writer):
            attempts.put_nowait(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"\x00" * 100_000)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            delivery.subscribe(subscription(server.sockets[0].getsockname()[1]))
            delivery.add(line("x"))
            await delivery.flush(10)
            assert attempts.qsize() == 5
            delivery.stop()


class TestStandstill:
    async def test_nothing_is_sent_to_an_environment_that_stands_still(self, delivery, listener):
        """A frozen listener would take every attempt when it moves again: it gets the event once."""
        delivery.subscribe(subscription(listener.port))
        delivery.pause()
        delivery.add(line("later"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listener.batches.get(), 0.1)
        delivery.resume()
        assert texts(await listener.next()) == ["later"]
        assert listener.batches.empty()

    async def test_says_whether_a_listener_is_being_talked_to(self, delivery, listener):
        """Until it answers, its environment is not to be frozen."""
        delivery.subscribe(subscription(listener.port))
        assert not delivery.sending
        listener.answers.clear()
        delivery.add(line("x"))
        async with asyncio.timeout(10):
            while not delivery.sending:
                await asyncio.sleep(0)
        listener.answers.set()
        await listener.next()
        async with asyncio.timeout(10):
            while delivery.sending:
                await asyncio.sleep(0)
