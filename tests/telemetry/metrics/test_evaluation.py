"""Metric math: what expressions say, and what they come to."""

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.telemetry.metrics.evaluation import FUNCTIONS, Evaluation, TimeSeries
from firefork.telemetry.metrics.expression import BadExpression, names_in, parse
from firefork.telemetry.metrics.series import Window

WINDOW = Window(start_s=0, end_s=300, period_s=60)
ALL = {
    "invocations": TimeSeries({0: 10.0, 60: 20.0, 120: 0.0, 240: 40.0}, "Invocations"),
    "errors": TimeSeries({0: 1.0, 60: 0.0, 120: 0.0, 180: 5.0}, "Errors"),
    "none": TimeSeries({}, "None"),
}


def compute(text):
    def lookup(name):
        if name not in ALL:
            raise BadExpression(f"unknown id '{name}'")
        return ALL[name]

    return Evaluation(WINDOW, lookup, lambda: ALL).of(parse(text))


class TestArithmetic:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("10 - 4 - 3", 3),
            ("2 ^ 3 ^ 2", 512),
            ("-2 ^ 2", -4),
            ("8 / 4 / 2", 1),
            ("1 < 2 && 3 >= 4 || 5 != 6", 1),
            ("1 > 2 OR 0 AND 1", 0),
            ("1.5e3 + .5", 1500.5),
            ("ABS(-3)", 3),
            ("CEIL(1.2) + FLOOR(1.8)", 3),
        ],
    )
    def test_of_numbers(self, text, value):
        assert compute(text) == value

    def test_of_series_is_for_each_time_that_both_have(self):
        """An error rate: where there was no invocation there is none."""
        assert compute("100 * errors / invocations").points == {0: 10.0, 60: 0.0}

    def test_of_an_array_is_for_each_series_in_it(self):
        doubled = compute("[invocations, errors] * 2")
        assert [(each.label, each.points[0]) for each in doubled] == [("Invocations", 20.0), ("Errors", 2.0)]


class TestFunctions:
    @pytest.mark.parametrize(
        ("text", "points"),
        [
            ("SUM([invocations, errors])", {0: 11, 60: 20, 120: 0, 180: 5, 240: 40}),
            ("MAX(METRICS())", {0: 10, 60: 20, 120: 0, 180: 5, 240: 40}),
            ("MIN(METRICS())", {0: 1, 60: 0, 120: 0, 180: 5, 240: 40}),
            ('AVG(METRICS("err"))', {0: 1, 60: 0, 120: 0, 180: 5}),
            ("errors / MAX(errors)", {0: 0.2, 60: 0, 120: 0, 180: 1}),
            ("DIFF(invocations)", {60: 10, 120: -20, 240: 40}),
            ("DIFF_TIME(invocations)", {60: 60, 120: 60, 240: 120}),
            ("RATE(invocations)", {60: 1 / 6, 120: -1 / 3, 240: 1 / 3}),
            ("RUNNING_SUM(invocations)", {0: 10, 60: 30, 120: 30, 240: 70}),
            ("FILL(invocations, 0)", {0: 10, 60: 20, 120: 0, 180: 0, 240: 40}),
            ("FILL(invocations, REPEAT)", {0: 10, 60: 20, 120: 0, 180: 0, 240: 40}),
            ("FILL(invocations, LINEAR)", {0: 10, 60: 20, 120: 0, 180: 20, 240: 40}),
            ("FILL(none, 1)", {0: 1, 60: 1, 120: 1, 180: 1, 240: 1}),
            ("IF(errors > 0, errors, -1)", {0: 1, 60: -1, 120: -1, 180: 5}),
            ("IF(errors > 0, 9)", {0: 9, 180: 9}),
            ("IF(1 > 2, errors, none)", {}),
            ("invocations / PERIOD(invocations)", {0: 1 / 6, 60: 1 / 3, 120: 0, 240: 2 / 3}),
            ("TIME_SERIES(3)", {0: 3, 60: 3, 120: 3, 180: 3, 240: 3}),
            ("LAST(SORT(METRICS(), SUM, ASC))", {0: 10, 60: 20, 120: 0, 240: 40}),
            ("FIRST(SLICE(METRICS(), 1))", {0: 1, 60: 0, 120: 0, 180: 5}),
            ("MINUTE(errors)", {0: 0, 60: 1, 120: 2, 180: 3}),
            ("YEAR(FIRST([errors]))", {0: 1970, 60: 1970, 120: 1970, 180: 1970}),
        ],
    )
    def test_that_give_a_series(self, text, points):
        assert compute(text).points == pytest.approx(points)

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("SUM(invocations)", 70),
            ("AVG(errors)", 1.5),
            ("STDDEV([errors, errors])", None),
            ("DATAPOINT_COUNT(invocations)", 4),
            ("METRIC_COUNT(METRICS())", 3),
            ("METRIC_COUNT(REMOVE_EMPTY(METRICS()))", 2),
        ],
    )
    def test_that_give_a_number(self, text, value):
        found = compute(text)
        assert found == value if value is not None else set(found.points.values()) == {0}


class TestBadExpressions:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "unexpected end of the expression"),
            ("1 +", "unexpected end of the expression"),
            ("(1", "expected ')', found end of the expression"),
            ("1 2", "unexpected '2'"),
            ("a ? b", "unexpected character at position 2"),
            ("()", "unexpected '('"),
            ("other + 1", "unknown id 'other'"),
            ("SEARCH('x', 'Sum', 60)", "the function SEARCH is not supported"),
            ("SUM()", "the function SUM takes 1 arguments, not 0"),
            ("IF(1)", "the function IF takes 2 to 3 arguments, not 1"),
            ("[errors] + [errors]", "an operator cannot have arrays on both sides"),
            ("SUM(3)", "a time series or an array is expected, not a number"),
            ("SUM(none)", "a time series in it has no values"),
            ("1 / 0", "a number in it cannot be computed"),
            ("'text'", "a text can only be an argument of METRICS"),
            ("(" * 80 + "1" + ")" * 80, "it is nested too deeply"),
        ],
    )
    def test_say_why(self, text, why):
        with pytest.raises(BadExpression) as refusal:
            compute(text)
        assert str(refusal.value) == why

    @given(
        st.lists(
            st.sampled_from([*FUNCTIONS, *ALL, *"+-*/^()[],<>\"'", "&&", "REPEAT", "DESC", "1", "0.5", " "]),
            max_size=12,
        ).map("".join)
        | st.text(string.printable, max_size=20)
    )
    def test_whatever_is_written_is_computed_or_refused(self, text):
        with contextlib.suppress(BadExpression):
            value = compute(text)
            assert isinstance(value, int | float | TimeSeries | tuple)

    def test_names(self):
        assert names_in(parse("FILL(a1 + [b, c], REPEAT) / METRICS('d')")) == {"a1", "b", "c"}
