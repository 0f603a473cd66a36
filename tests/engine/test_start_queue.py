"""Turns to start environments: bounded, fair, and given back."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.engine.start_queue import FairQueue, StartQueue


class TestFairQueue:
    def test_owners_take_turns(self):
        queue = FairQueue()
        for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
            queue.push(item[0], item)
        assert len(queue) == 6
        assert [queue.pop() for _ in range(7)] == ["a1", "b1", "c1", "a2", "c2", "a3", None]
        assert not queue

    @given(pushes=st.lists(st.sampled_from("abcd"), max_size=60))
    def test_nobody_starves(self, pushes):
        """While an owner waits, no other is served twice before it is served; its own items keep their order."""
        queue = FairQueue()
        for number, owner in enumerate(pushes):
            queue.push(owner, (owner, number))
        waiting = Counter(pushes)
        since = {owner: Counter() for owner in waiting}
        order = {owner: [] for owner in waiting}
        while (item := queue.pop()) is not None:
            owner, number = item
            order[owner].append(number)
            waiting[owner] -= 1
            since[owner].clear()
            for other in waiting:
                if other != owner and waiting[other]:
                    since[other][owner] += 1
                    assert since[other][owner] <= 1
        assert all(numbers == sorted(numbers) for numbers in order.values())
        assert sum(map(len, order.values())) == len(pushes)


class TestStartQueue:
    async def test_gives_no_more_turns_than_its_limit(self):
        queue = StartQueue(2)
        first, _second = await queue.turn("a"), await queue.turn("a")
        third = asyncio.ensure_future(queue.turn("a"))
        await asyncio.sleep(0)
        assert not third.done()
        first.end()
        first.end()
        await third
        fourth = asyncio.ensure_future(queue.turn("a"))
        await asyncio.sleep(0)
        assert not fourth.done()
        fourth.cancel()

    async def test_another_owner_is_next_whatever_the_flood(self):
        queue = StartQueue(1)
        turn = await queue.turn("flood")
        served = []

        async def start(owner):
            taken = await queue.turn(owner)
            served.append(owner)
            taken.end()

        tasks = [asyncio.ensure_future(start("flood")) for _ in range(50)]
        await asyncio.sleep(0)
        tasks.append(asyncio.ensure_future(start("quiet")))
        await asyncio.sleep(0)
        turn.end()
        await asyncio.gather(*tasks)
        assert served.index("quiet") <= 1
        assert len(served) == 51

    async def test_a_start_that_takes_long_lets_others_begin(self):
        """The turn ends by itself, though nobody ended it."""
        queue = StartQueue(1)
        await queue.turn("slow")
        await asyncio.wait_for(queue.turn("other"), 10)

    @pytest.mark.parametrize("served", [False, True], ids=["waiting", "just served"])
    async def test_a_cancelled_wait_loses_no_turn(self, served):
        queue = StartQueue(1)
        turn = await queue.turn("a")
        waiting = asyncio.ensure_future(queue.turn("a"))
        await asyncio.sleep(0)
        if served:
            turn.end()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        turn.end()
        (await asyncio.wait_for(queue.turn("b"), 10)).end()
