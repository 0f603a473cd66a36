"""Every condition operator, with quantifiers and IfExists."""

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.identity.conditions import OPERATORS, UnknownOperator, compiled, moment


def holds(operator, values, value, variables=True):
    """Ask with the key ``k``; ``None`` means the request does not have it."""
    values = (values,) if isinstance(values, str) else values
    context = {} if value is None else {"k": value}
    return compiled(operator, "K", values, variables=variables).holds(context)


class TestOperators:
    @pytest.mark.parametrize(
        ("operator", "values", "value", "expected"),
        [
            ("StringEquals", "a", "a", True),
            ("StringEquals", "a", "A", False),
            ("StringEquals", ("a", "b"), "b", True),
            ("StringEquals", "a*", "ab", False),
            ("StringNotEquals", "a", "b", True),
            ("StringNotEquals", ("a", "b"), "b", False),
            ("StringEqualsIgnoreCase", "aB", "Ab", True),
            ("StringNotEqualsIgnoreCase", "aB", "Ab", False),
            ("StringLike", "a*c?", "abbcd", True),
            ("StringNotLike", "a*", "abc", False),
            ("NumericEquals", "5", "5.0", True),
            ("NumericNotEquals", "5", "5.0", False),
            ("NumericLessThan", "5", "5", False),
            ("NumericLessThanEquals", "5", "5", True),
            ("NumericGreaterThan", "5", "6", True),
            ("NumericGreaterThanEquals", "5", "4.9", False),
            ("NumericEquals", "5", "five", False),
            ("NumericEquals", "five", "5", False),
            ("NumericNotEquals", "5", "five", True),
            ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
            ("DateEquals", "1767225600", "2026-01-01T00:00:00Z", True),
            ("DateNotEquals", "2026-01-01", "2026-01-02", True),
            ("DateLessThan", "2026-01-02", "2026-01-01T23:59:59Z", True),
            ("DateLessThanEquals", "2026-01", "2026-01-01t0:00:00.5+00:30", True),
            ("DateGreaterThan", "2026-01-01T00:00:00Z", "1767225601", True),
            ("DateGreaterThanEquals", "2026-01-01", "not a date", False),
            ("Bool", "true", "True", True),
            ("Bool", "false", "true", False),
            ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
            ("BinaryEquals", "QmluYXJ5", "????", False),
            ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
            ("IpAddress", "203.0.113.0/24", "203.0.114.9", False),
            ("IpAddress", ("10.0.0.1", "2001:db8::/32"), "2001:db8::1", True),
            ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
            ("NotIpAddress", "203.0.113.0/24", "203.0.113.9", False),
            ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
            ("ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
            ("ArnLike", "arn:aws:*:::bucket", "arn:aws:s3:::bucket", True),
            ("ArnNotEquals", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket", False),
            ("ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", True),
            ("Null", "true", None, True),
            ("Null", "true", "x", False),
            ("Null", "false", "x", True),
            ("Null", "false", None, False),
        ],
    )
    def test_one_value(self, operator, values, value, expected):
        assert holds(operator, values, value) is expected

    def test_names_are_case_insensitive(self):
        assert holds("stringequals", "a", "a")
        assert holds("forallvalues:STRINGEQUALSIFEXISTS", "a", None)

    @pytest.mark.parametrize("name", ["StringMatches", "", "ForSomeValues:StringEquals", "NullIfExists"])
    def test_unknown_ones_are_refused(self, name):
        with pytest.raises(UnknownOperator):
            compiled(name, "k", ("a",), variables=True)

    def test_variables_in_values(self):
        condition = compiled("StringEquals", "k", ("${aws:username}",), variables=True)
        assert condition.holds({"k": "ann", "aws:username": "ann"})
        assert not condition.holds({"k": "ann", "aws:username": "bob"})
        assert condition.keys == {"k", "aws:username"}


class TestMissingKeys:
    @pytest.mark.parametrize("name", sorted(OPERATORS))
    def test_positive_fail_negative_hold(self, name):
        """Without the key a positive operator does not match and a negative one does."""
        assert holds(name, "1", None) is OPERATORS[name].negated

    @pytest.mark.parametrize("name", sorted(OPERATORS))
    def test_if_exists_holds(self, name):
        assert holds(f"{name}IfExists", "1", None)

    def test_quantifiers(self):
        assert holds("ForAllValues:StringEquals", "a", None)
        assert not holds("ForAnyValue:StringEquals", "a", None)
        assert not holds("ForAnyValue:StringNotEquals", "a", None)
        assert holds("ForAllValues:StringEquals", "a", ())
        assert not holds("ForAnyValue:StringEquals", "a", ())


class TestQuantifiers:
    @pytest.mark.parametrize(
        ("operator", "request_values", "expected"),
        [
            ("ForAllValues:StringEquals", ("a", "b"), True),
            ("ForAllValues:StringEquals", ("a", "c"), False),
            ("ForAnyValue:StringEquals", ("a", "c"), True),
            ("ForAnyValue:StringEquals", ("c", "d"), False),
            ("ForAllValues:StringNotEquals", ("c", "d"), True),
            ("ForAllValues:StringNotEquals", ("a", "d"), False),
            ("ForAnyValue:StringNotEquals", ("a", "d"), True),
            ("ForAnyValue:StringNotEquals", ("a", "b"), False),
            ("StringEquals", ("c", "a"), True),
            ("StringNotEquals", ("c", "a"), False),
        ],
    )
    def test_against_a_and_b(self, operator, request_values, expected):
        assert holds(operator, ("a", "b"), request_values) is expected

    @given(st.lists(st.sampled_from("abc"), min_size=1), st.lists(st.sampled_from("abc"), min_size=1))
    def test_are_set_relations(self, policy_values, request_values):
        """ForAllValues is "subset of", ForAnyValue is "meets"."""
        policy, request = tuple(policy_values), tuple(request_values)
        assert holds("ForAllValues:StringEquals", policy, request) is (set(request) <= set(policy))
        assert holds("ForAnyValue:StringEquals", policy, request) is bool(set(request) & set(policy))
        assert holds("ForAllValues:StringNotEquals", policy, request) is not (set(request) & set(policy))


class TestNegation:
    @given(st.sampled_from(sorted(OPERATORS)), st.text(max_size=6), st.text(max_size=6))
    def test_turns_the_answer_around(self, name, wanted, asked):
        """Whatever the texts: no operator raises, and the Not… twin says the opposite."""
        answer = holds(name, wanted, asked, variables=False)
        twin = {"bool": None, "binaryequals": None}.get(name, name.replace("not", "") if "not" in name else None)
        if twin is not None:
            assert holds(twin, wanted, asked, variables=False) is not answer


class TestDates:
    @given(st.datetimes(timezones=st.integers(-1439, 1439).map(lambda left: timezone(timedelta(minutes=left)))))
    def test_iso_dates_are_read(self, when):
        assert moment(when.isoformat()) == pytest.approx(when.timestamp(), abs=1e-3)

    @given(st.text(alphabet="0123456789-:tTzZ+.", max_size=24))
    def test_anything_else_is_no_date(self, text):
        """Never an error, whatever the text."""
        assert moment(text) is None or isinstance(moment(text), float)
