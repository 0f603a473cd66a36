"""How many spares are kept: bursts, new functions, and when they are forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from firefork.engine.sandbox.demand import MOST_SPARES, Demand


def test_the_least_number_is_kept_while_nothing_happens():
    assert Demand(2).spares(0.0) == 2
    assert Demand(2).spares(10_000.0) == 2


def test_as_many_as_were_taken_at_once_for_ten_minutes():
    demand = Demand(2)
    for number in range(24):
        demand.took(100.0 + number / 100)
    assert demand.spares(101.0) == 24
    assert demand.spares(690.0) == 24
    assert demand.spares(710.0) == 2


def test_a_steady_trickle_is_no_burst():
    demand = Demand(2)
    for second in range(60):
        demand.took(100.0 + second)
    assert demand.spares(160.0) == 2


def test_a_smaller_burst_later_does_not_make_the_larger_one_last_longer():
    demand = Demand(1)
    for _ in range(10):
        demand.took(0.0)
    for _ in range(5):
        demand.took(500.0)
    assert demand.spares(599.0) == 10
    assert demand.spares(601.0) == 1
    for _ in range(5):
        demand.took(700.0)
    assert demand.spares(701.0) == 5


def test_new_functions_are_expected_for_a_minute_or_until_they_start():
    demand = Demand(2)
    for _ in range(5):
        demand.expect(10.0)
    assert demand.spares(11.0) == 5
    demand.took(12.0)
    assert demand.spares(13.0) == 4
    assert demand.spares(70.0) == 2


def test_nobody_keeps_spares_who_asked_for_none():
    demand = Demand(0)
    demand.took(0.0)
    demand.expect(0.0)
    assert demand.spares(0.0) == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=200), st.integers(1, 40))
def test_never_fewer_than_the_least_nor_more_than_the_most(events, least):
    demand, now_s = Demand(least), 0.0
    for is_new, gap_s in events:
        now_s += gap_s
        (demand.expect if is_new else demand.took)(now_s)
        assert least <= demand.spares(now_s) <= max(least, MOST_SPARES)
