"""What is kept of values."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.statistics import UnknownStatistic, statistic

VALUES = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=50)


def of(*values):
    return Distribution.of(Counter(values))


class TestDistribution:
    @given(VALUES, VALUES)
    def test_two_that_are_added_up_are_one_of_all_values(self, first, second):
        merged = of(*first)
        merged.merge(of(*second))
        whole = of(*first, *second)
        assert (merged.count, merged.minimum, merged.maximum) == (whole.count, whole.minimum, whole.maximum)
        assert merged.total == pytest.approx(whole.total)
        assert merged.values == whole.values

    @given(VALUES)
    def test_is_the_same_after_it_was_stored(self, values):
        kept = of(*values)
        again = Distribution.from_row(json.loads(json.dumps(kept.as_row())))
        assert again.as_row() == kept.as_row()

    @given(VALUES, st.integers(1, 100))
    def test_percentiles_are_half_a_percent_off_at_most(self, values, share):
        exact = sorted(values)[-(-share * len(values) // 100) - 1]
        assert statistic(f"p{share}")(of(*values)) == pytest.approx(exact, rel=0.0051)

    def test_many_different_values_are_kept_more_coarsely(self):
        """A metric that has every value once must not grow without end."""
        kept = Distribution()
        for power in range(-20, 20):
            for number in range(1000, 10000, 10):
                kept.add(number * 10.0**power)
        assert len(kept.values) < 9000
        assert kept.is_whole


class TestStatistic:
    def test_the_basic_five(self):
        values = of(1, 2, 2, 7)
        told = {name: statistic(name)(values) for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")}
        assert told == {"SampleCount": 4, "Sum": 12, "Average": 3, "Minimum": 1, "Maximum": 7}

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("p0", 1),
            ("p50", 50),
            ("p90", 90),
            ("p99.9", 100),
            ("p100", 100),
            ("tm90", 45.5),
            ("tc90", 90),
            ("ts10", 55),
            ("wm90", 45.5 * 0.9 + 90 * 0.1),
            ("TM(10%:90%)", 50.5),
            ("TM(:10)", 5.5),
            ("TC(90:)", 10),
            ("TS(98:)", 199),
            ("PR(:25)", 25),
            ("PR(10:25)", 15),
            ("WM(10:90)", 50.4),
            ("IQM", 50.5),
        ],
    )
    def test_the_extended_ones(self, name, expected):
        assert statistic(name)(of(*range(1, 101))) == pytest.approx(expected)

    @pytest.mark.parametrize("name", ["", "average", "p101", "p", "TM(1%:5)", "PR(1%:2%)", "tm", "TM(5)", "x50"])
    def test_there_are_no_others(self, name):
        with pytest.raises(UnknownStatistic):
            statistic(name)

    def test_a_set_tells_no_percentile(self):
        """Unless all of its values must be the same."""
        values = Distribution()
        values.add_set(3, 6, 2, 2)
        assert statistic("p50")(values) == 2
        values.add_set(3, 6, 1, 3)
        assert statistic("p50")(values) is None
        assert statistic("Average")(values) == 2

    def test_negative_values_have_none(self):
        assert statistic("p50")(of(-1, 1)) is None
