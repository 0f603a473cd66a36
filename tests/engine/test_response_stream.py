"""A streamed response between its writer and its reader: size, speed, back pressure."""

import asyncio
from types import SimpleNamespace

import pytest

from firefork.engine import response_stream
from firefork.engine.response_stream import ResponseStream, StreamLimits

MIB = 1024 * 1024


@pytest.fixture
def clock(monkeypatch):
    """Time that passes only where the stream sleeps; ``slept`` adds it up."""
    time = SimpleNamespace(now_s=100.0, slept=0.0)
    really_sleep = asyncio.sleep

    async def sleep(seconds):
        time.now_s += seconds
        time.slept += seconds
        await really_sleep(0)

    monkeypatch.setattr(response_stream, "asyncio", SimpleNamespace(sleep=sleep, Event=asyncio.Event))
    monkeypatch.setattr(response_stream, "time", SimpleNamespace(monotonic=lambda: time.now_s))
    return time


class Writer:
    """The connection that writes: whether it is read."""

    def __init__(self):
        self.held = False

    def pause(self):
        self.held = True

    def resume(self):
        self.held = False


async def read(stream):
    return b"".join([part async for part in stream.parts()])


class TestSpeed:
    @pytest.mark.parametrize(
        ("limits", "size", "seconds"),
        [
            (StreamLimits(), 6 * MIB, 0.0),
            (StreamLimits(), 10 * MIB, 2.0),
            (StreamLimits(bytes_per_s=0.5 * MIB), 10 * MIB, 8.0),
            (StreamLimits(bytes_per_s=None), 100 * MIB, 0.0),
        ],
    )
    async def test_the_first_6_mb_are_free_and_the_rest_has_its_rate(self, clock, limits, size, seconds):
        stream = ResponseStream(limits)
        part = b"x" * MIB
        for _ in range(size // MIB):
            assert stream.feed(part, Writer())
        stream.finish()
        assert len(await read(stream)) == size
        assert clock.slept == pytest.approx(seconds)


class TestSize:
    def test_a_part_beyond_the_limit_is_not_taken(self):
        stream = ResponseStream(StreamLimits(total_bytes=10))
        writer = Writer()
        assert stream.feed(b"x" * 10, writer)
        assert not stream.feed(b"x", writer)
        assert stream.limit_bytes == 10


class TestBackPressure:
    async def test_a_writer_waits_for_its_reader(self):
        stream, writer = ResponseStream(StreamLimits()), Writer()
        for _ in range(3):
            stream.feed(b"x" * MIB, writer)
        assert writer.held
        parts = stream.parts()
        for _ in range(3):
            await anext(parts)
        assert not writer.held
