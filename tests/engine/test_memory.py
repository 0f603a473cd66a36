"""Who gives way when memory is short; pure decisions and the ledger behind them."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.engine.memory import BUDGET_SHARE, FUNCTION_SHARE, Idle, MemoryLedger, default_budget, make_room


def idle(tenant, since_s, *, size=10, owner="other"):
    return Idle(tenant=tenant, owner=owner, bytes=size, since_s=since_s)


def room(need=10, budget=1000, used=0, used_by_owner=0, tenants=()):
    return make_room(need=need, budget=budget, used=used, used_by_owner=used_by_owner, owner="mine", idle=tenants)


class TestMakeRoom:
    def test_nobody_goes_where_there_is_room(self):
        assert room(tenants=[idle("a", 1.0)]).evictions == ()
        assert room().fits

    def test_the_longest_idle_goes_first_and_no_more_than_needed(self):
        tenants = [idle("young", 3.0), idle("old", 1.0), idle("middle", 2.0)]
        decided = room(need=15, used=1000, tenants=tenants)
        assert (list(decided.evictions), decided.fits) == (["old", "middle"], True)

    def test_nobody_goes_when_it_would_not_be_enough(self):
        decided = room(need=25, used=1000, tenants=[idle("a", 1.0), idle("b", 2.0)])
        assert (list(decided.evictions), decided.fits) == ([], False)

    def test_one_function_leaves_a_rest_to_others(self):
        full = int(1000 * FUNCTION_SHARE)
        assert not room(used=full, used_by_owner=full).fits
        assert room(used=full, used_by_owner=0).fits

    def test_a_function_beyond_its_share_ends_its_own_idle_environments_only(self):
        full = int(1000 * FUNCTION_SHARE)
        tenants = [idle("others", 1.0), idle("own", 2.0, owner="mine")]
        decided = room(used=full, used_by_owner=full, tenants=tenants)
        assert (list(decided.evictions), decided.fits) == (["own"], True)

    @given(
        need=st.integers(1, 60),
        tenants=st.lists(st.tuples(st.integers(1, 30), st.floats(0, 100), st.sampled_from(["mine", "other"]))),
        busy=st.integers(0, 120),
    )
    def test_what_fits_is_within_the_budget(self, need, tenants, busy):
        """After the evictions there is room; and a refusal is one that evicting everybody would not have spared."""
        budget = 100
        offered = [
            Idle(tenant=number, owner=owner, bytes=size, since_s=since)
            for number, (size, since, owner) in enumerate(tenants)
        ]
        held = {one.tenant: one for one in offered}
        mine = sum(one.bytes for one in offered if one.owner == "mine")
        used = busy + sum(one.bytes for one in offered)
        decided = room(need, budget, used, mine, offered)
        if decided.fits:
            freed = [held[tenant] for tenant in decided.evictions]
            assert used - sum(one.bytes for one in freed) + need <= budget
            assert mine - sum(one.bytes for one in freed if one.owner == "mine") + need <= budget * FUNCTION_SHARE
        else:
            assert not decided.evictions
            assert busy + need > budget or need > budget * FUNCTION_SHARE


class TestMemoryLedger:
    def test_keeps_sums_of_all_and_of_each_owner(self):
        ledger = MemoryLedger(100)
        ledger.charge("a", "f", 10)
        ledger.charge("b", "f", 20)
        ledger.charge("c", "g", 30)
        ledger.charge("a", "f", 15)
        assert (ledger.used, ledger.used_by("f"), ledger.used_by("g"), ledger.charged("a")) == (65, 35, 30, 15)
        for tenant in "abc":
            ledger.release(tenant)
        ledger.release("a")
        assert (ledger.used, ledger.used_by("f"), ledger.charged("a")) == (0, 0, 0)
        assert "a" not in ledger


class TestDefaultBudget:
    @pytest.mark.parametrize(("limit", "expected"), [(None, 1000), (400, 400), (5000, 1000)])
    def test_is_a_share_of_what_the_machine_or_its_group_has(self, tmp_path, limit, expected):
        meminfo = tmp_path / "meminfo"
        meminfo.write_text("MemTotal:  9000 kB\nMemFree:   10 kB\nMemAvailable:   1000 kB\n")
        budget = default_budget(meminfo=meminfo, group_limit=None if limit is None else limit * 1024)
        assert budget == int(expected * 1024 * BUDGET_SHARE)

    def test_falls_back_to_the_machine_s_memory(self):
        assert default_budget(meminfo=Path("/nowhere")) > 0
