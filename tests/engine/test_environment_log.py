"""An environment's log, on real pipes: what is written comes out once, whole and in order."""

import asyncio
import os
import struct
import types

import pytest

from firefork.catalog.function import LoggingConfig
from firefork.engine.environment_log import TAIL_LIMIT, EnvironmentLog, now_ms
from firefork.engine.reports import SystemLog


class Pipe:
    def __init__(self):
        self.read_end, self.write_end = os.pipe()
        os.set_blocking(self.read_end, False)

    def write(self, data):
        os.write(self.write_end, data)

    def close(self):
        os.close(self.read_end)
        os.close(self.write_end)


@pytest.fixture
def pipes():
    made = types.SimpleNamespace(output=Pipe(), frames=Pipe(), extensions=Pipe())
    yield made
    for pipe in vars(made).values():
        pipe.close()


class Events(list):
    """What was told so far; ``until`` waits for more."""

    def __init__(self):
        self.grown = asyncio.Event()

    def take(self, events):
        self.extend(events)
        self.grown.set()

    async def until(self, *expected):
        while messages(self) != list(expected):
            self.grown.clear()
            await asyncio.wait_for(self.grown.wait(), 30)


@pytest.fixture
async def events():
    return Events()


@pytest.fixture
async def log(pipes, events):
    sandbox = types.SimpleNamespace(
        output=pipes.output.read_end, frames=pipes.frames.read_end, extension_output=pipes.extensions.read_end
    )
    config = LoggingConfig(log_group="/aws/lambda/f")
    system = SystemLog(config, runtime_label="python:3.12.v1", runtime_version_arn="arn:x", name="f", version="1")
    made = EnvironmentLog(sandbox, system, as_json=False, write=events.take)
    yield made
    made.close()


def messages(events):
    return [event.message for event in events]


def frame(text, time_ms):
    return struct.pack("!IIq", 0xA55A0003, len(text), time_ms * 1000) + text


class TestReading:
    async def test_lines_are_told_as_they_come(self, log, pipes, events):
        log.read_runtime()
        log.read_extensions()
        pipes.output.write(b"one\ntw")
        await events.until("one\n")
        pipes.output.write(b"o\n")
        await events.until("one\n", "two\n")
        pipes.extensions.write(b"beside\n")
        await events.until("one\n", "two\n", "beside\n")

    async def test_a_drain_takes_all_and_ends_an_unfinished_line(self, log, pipes, events):
        pipes.output.write(b"whole\nhalf")
        pipes.frames.write(frame(b"a record\nof two lines", now_ms()))
        pipes.extensions.write(b"helper")
        log.drain()
        assert messages(events) == ["whole\n", "a record\nof two lines", "half", "helper"]
        log.drain()
        assert len(events) == 4

    async def test_extensions_can_be_drained_while_the_runtime_is_in_the_middle_of_a_line(self, log, pipes, events):
        pipes.output.write(b"half")
        pipes.extensions.write(b"helper")
        log.drain_extensions()
        assert messages(events) == ["helper"]

    async def test_a_record_stands_behind_the_line_before_it(self, log, pipes, events):
        """Records have times of their own; one that is earlier than a line written before gets that one's."""
        pipes.output.write(b"line\n")
        log.drain()
        pipes.frames.write(frame(b"record", events[0].timestamp_ms - 50))
        log.drain()
        assert events[1].timestamp_ms == events[0].timestamp_ms


class TestTail:
    async def test_has_what_was_said_since_it_began(self, log, pipes):
        log.tell(log.system.start(now_ms(), "before"))
        log.begin_tail()
        log.tell(log.system.start(now_ms(), "id"))
        pipes.output.write(b"printed\n")
        log.drain()
        assert log.end_tail() == b"START RequestId: id Version: 1\nprinted\n"
        assert log.end_tail() == b"", "over"

    async def test_ends_with_at_most_four_kilobytes(self, log, pipes):
        log.begin_tail()
        pipes.output.write("\n".join("é" * 100 for _ in range(60)).encode() + b"!\n")
        log.drain()
        tail = log.end_tail()
        assert TAIL_LIMIT - 1 <= len(tail) <= TAIL_LIMIT
        assert tail.decode().endswith("é!\n"), "no character is divided"


class TestSubscribers:
    async def test_there_are_none_without_extensions(self, log, events):
        log.close_subscription()
        await log.flush(0.01)
        log.pause()
        log.resume()
        log.stop_delivery()
        assert (log.sending, log.system.observer, events) == (False, None, [])

    async def test_records_are_made_while_someone_may_still_subscribe(self, log):
        log._sandbox.open_socket, log._sandbox.address = None, "127.0.0.1"
        log.listen_for_subscribers()
        assert log.system.observer is not None
        log.close_subscription()
        assert log.system.observer is None, "nobody did"
        log.stop_delivery()
