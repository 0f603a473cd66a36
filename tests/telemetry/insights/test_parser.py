"""The grammar of queries: what it takes, what it refuses, and where it points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.telemetry.insights.parser import parse
from firefork.telemetry.insights.pipeline import Pipeline
from firefork.telemetry.insights.syntax import (
    Binary,
    Field,
    Filter,
    Function,
    Limit,
    Literal,
    MalformedQuery,
    Period,
    Sort,
    Unary,
)


def condition(text):
    (command,) = parse(f"filter {text}")
    assert isinstance(command, Filter)
    return command.condition


class TestPrecedence:
    def test_and_binds_closer_than_or(self):
        assert condition("a or b and c") == Binary("or", Field("a"), Binary("and", Field("b"), Field("c")))

    def test_not_takes_a_whole_comparison(self):
        assert condition("not a = 1") == Unary("not", Binary("=", Field("a"), Literal(1)))

    def test_powers_group_to_the_right(self):
        power = Binary("^", Literal(2), Binary("^", Literal(3), Literal(2)))
        assert condition("2 ^ 3 ^ 2 = x") == Binary("=", power, Field("x"))

    def test_a_slash_divides_where_no_expression_can_stand(self):
        assert condition("a / 2 / b > 1") == Binary(
            ">", Binary("/", Binary("/", Field("a"), Literal(2)), Field("b")), Literal(1)
        )


class TestNames:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("@timestamp", "@timestamp"),
            ("`foo-bar`", "foo-bar"),
            ("a.b.0.c", "a.b.0.c"),
            ("a.items[3].b", "a.items.3.b"),
            ("a.`x y`.z", "a.x y.z"),
            ("android", "android"),
            ("inner", "inner"),
            ("bytes", "bytes"),
        ],
    )
    def test_fields(self, text, name):
        assert condition(f"{text} = 1") == Binary("=", Field(name), Literal(1))

    def test_commands_and_operators_in_any_case(self):
        assert parse("FIELDS a | FILTER a LIKE 'x' AND NOT b IN [1] | SORT a DESC | LIMIT 3") == parse(
            "fields a | filter a like 'x' and not b in [1] | sort a desc | limit 3"
        )


def test_periods_of_all_units():
    units = {"1ms": 1, "2s": 2000, "3 minutes": 180_000, "1hour": 3_600_000, "2d": 172_800_000, "1w": 604_800_000}
    for text, ms in units.items():
        assert condition(f"bin({text}) = 1") == Binary("=", Function("bin", [Period(ms)]), Literal(1))


def test_comments_end_with_their_line():
    assert parse("filter a = 1 # | limit 1\n| limit 2")[1] == Limit(2)


def test_dedup_stands_last_but_for_limits():
    assert [type(command).__name__ for command in parse("sort a | dedup a, b | limit 3")] == ["Sort", "Dedup", "Limit"]
    assert [type(command).__name__ for command in parse("| dedup a")] == ["Dedup"]


def test_what_a_query_made_it_can_name_again():
    assert len(parse("parse a 'x *' as v | fields v, v * 2 as w | stats max(w) by v | sort v")) == 4


def test_sort_directions():
    (command,) = parse("sort a, b desc, c asc")
    assert command == Sort(((Field("a"), False), (Field("b"), True), (Field("c"), False)))


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "message", "start"),
        [
            ("bogus command", "unexpected symbol found bogus at line 1 and position 0", 0),
            ("fields a\n| filter a ==", "unexpected symbol found = at line 2 and position 12", 21),
            ("", "unexpected symbol found <EOF> at line 1 and position 0", 0),
            ("fields", "unexpected symbol found <EOF> at line 1 and position 6", 6),
            ("filter a = ", "unexpected symbol found <EOF> at line 1 and position 11", 11),
            ("filter a like /x/i", "unexpected symbol found i at line 1 and position 17", 17),
            ("stats count() by bin(1m) | sort bin(1m)", "unexpected symbol found ( at line 1 and position 35", 35),
            ("dedup a | sort b", "unexpected symbol found sort at line 1 and position 10", 10),
            ("parse a 'x *' as v | stats max(v) as v", "Ephemeral field is already defined: v ([27,37])", 27),
            ("fields a as v | parse b /(?<v>.)/", "Ephemeral field is already defined: v ([16,32])", 16),
            ("limit 0", "limit must be a whole number from 1 to 100000", 6),
            ("limit 1.5", "limit must be a whole number from 1 to 100000", 6),
            ("parse @message 'a*b' as x, y", "parse has 1 wildcards and 2 names", 0),
            ("parse @message 'ab' as x", "parse has 0 wildcards and 1 names", 0),
            ("parse @message /a/", "a regular expression of parse names its fields itself: (?<name>...)", 0),
        ],
    )
    def test_says_what_and_where(self, query, message, start):
        """In AWS's words where users of it have published them: grafana/grafana's tests of its data source,
        trade-tariff/trade-tariff-backend#3558, and notes on queries in public repositories."""
        with pytest.raises(MalformedQuery) as refusal:
            parse(query)
        assert refusal.value.message == message
        assert refusal.value.start == start

    @pytest.mark.parametrize("query", ["filter a like /(/", "parse a /(?<x>[/", "fields " + "(" * 5000 + "a"])
    def test_broken_expressions_and_depth(self, query):
        with pytest.raises(MalformedQuery):
            parse(query)

    @pytest.mark.parametrize(
        "query",
        [
            "fields nope(a)",
            "fields strlen(a, b)",
            "fields sum(a)",
            "filter count(*) > 1",
            "stats a by b",
            "stats sum(avg(a))",
            "stats pct(a)",
            "stats pct(a, 101)",
            "stats sum(*)",
        ],
    )
    def test_what_means_nothing(self, query):
        with pytest.raises(MalformedQuery):
            Pipeline.of(parse(query))

    @given(st.text(alphabet="fieldstaronby |,()[]=<>!'\"/*`@.#0159\n-+^%", max_size=60))
    def test_any_text_is_a_query_or_is_refused(self, text):
        refusals = []
        try:
            Pipeline.of(parse(text))
        except MalformedQuery as refusal:
            refusals.append(refusal)
        assert all(0 <= refusal.start <= refusal.end <= len(text) for refusal in refusals)
