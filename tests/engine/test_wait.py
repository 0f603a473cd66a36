"""Waiting for the processes of an environment."""

import asyncio

import pytest

from firefork.engine import failures
from firefork.engine.wait import Wait

FIRST, SECOND = failures.timed_out("first", 1), failures.timed_out("second", 1)


@pytest.fixture
async def wait():
    made = Wait()
    yield made
    made.close()


def begun(wait, reached, limit_s=60.0):
    return asyncio.ensure_future(wait.until(reached, limit_s))


class TestUntil:
    async def test_what_is_so_already_is_not_waited_for(self, wait):
        assert await wait.until(lambda: True, 0)

    async def test_ends_when_it_is_so_and_somebody_looks(self, wait):
        so = []
        waiting = begun(wait, lambda: bool(so))
        await asyncio.sleep(0)
        wait.look()
        assert not waiting.done()
        so.append(1)
        wait.look()
        assert await waiting

    async def test_ends_with_its_time(self, wait):
        """Also a short wait after one whose alarm would ring much later."""
        so = []
        longer = begun(wait, lambda: bool(so))
        await asyncio.sleep(0)
        so.append(1)
        wait.look()
        assert await longer
        assert not await asyncio.wait_for(wait.until(lambda: False, 0.01), 30)

    async def test_an_alarm_of_an_earlier_wait_does_not_end_a_longer_one(self, wait):
        assert not await wait.until(lambda: False, 0.005)
        so = []
        first = begun(wait, lambda: bool(so), 0.005)
        await asyncio.sleep(0)
        so.append(1)
        wait.look()
        assert await first
        assert not await asyncio.wait_for(wait.until(lambda: False, 0.03), 30)


class TestFaults:
    async def test_the_first_one_ends_the_wait_and_counts(self, wait):
        waiting = begun(wait, lambda: False)
        await asyncio.sleep(0)
        wait.fail(FIRST)
        wait.fail(SECOND)
        assert not await waiting
        assert wait.fault is FIRST
        assert not await wait.until(lambda: False, 60), "the next wait ends at once"

    async def test_a_wait_that_begins_before_the_ended_one_goes_on_is_not_lost(self, wait):
        """As when an environment is closed while it waits: the shutdown's own wait begins at once."""
        first = begun(wait, lambda: False)
        await asyncio.sleep(0)
        wait.fail(FIRST)
        wait.begin_end()
        assert not await asyncio.wait_for(wait.until(lambda: False, 0.01), 30)
        assert not await first

    async def test_there_are_none_while_everything_is_being_ended(self, wait):
        wait.fail(FIRST)
        wait.begin_end()
        wait.fail(SECOND)
        assert wait.fault is None
        wait.begin()
        wait.fail(SECOND)
        assert wait.fault is SECOND

    async def test_one_that_comes_after_the_close_is_none(self, wait):
        wait.close()
        wait.fail(FIRST)
        assert wait.fault is None
