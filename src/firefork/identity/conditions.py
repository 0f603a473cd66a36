"""Condition operators. AWS: IAM User Guide, "IAM JSON policy elements: Condition operators"."""

from __future__ import annotations

import base64
import functools
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from firefork.identity.context import Context
from firefork.identity.patterns import Matcher, Style, keys_of, matcher, parts_of

_NAME: Final = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?", re.IGNORECASE)

Factory = Callable[[tuple[str, ...], bool], Matcher]
"""From a condition's values, and whether they may hold variables, to what compares one value of the request."""


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: how a value is compared, and whether the answer is turned around (``StringNotEquals``)."""

    negated: bool
    make: Factory


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of a Condition block, ready to be asked."""

    holds: Callable[[Context], bool]
    keys: frozenset[str]
    """Every key that the answer depends on, in lower case."""


@dataclass(frozen=True, slots=True)
class OperatorName:
    """``ForAnyValue:StringLikeIfExists`` taken apart, in lower case."""

    quantifier: str
    """``forallvalues``, ``foranyvalue`` or empty."""
    base: str
    if_exists: bool


class UnknownOperator(ValueError):
    """An operator that IAM does not have."""


def parse_operator(name: str) -> OperatorName:
    """Raises UnknownOperator."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise UnknownOperator(name)
    parsed = OperatorName((found[1] or "").lower(), found[2].lower(), bool(found[3]))
    if parsed.base == "null" and (parsed.quantifier or parsed.if_exists):
        raise UnknownOperator(name)
    if parsed.base != "null" and parsed.base not in OPERATORS:
        raise UnknownOperator(name)
    return parsed


def compiled(name: str, key: str, values: tuple[str, ...], *, variables: bool) -> Condition:
    """``compiled("StringLike", "aws:userid", ("AROA*:me",), variables=True)``. Raises UnknownOperator.

    A policy's value that the operator cannot read (a number that is none) equals nothing.
    """
    parsed = parse_operator(name)
    quantifier, base = parsed.quantifier, parsed.base
    key = key.lower()
    if base == "null":
        wanted = {value.lower() == "true" for value in values}
        return Condition(lambda context: (context.get(key) is None) in wanted, frozenset({key}))
    kind = OPERATORS[base]
    test, negated = kind.make(values, variables), kind.negated
    if_missing = parsed.if_exists or quantifier == "forallvalues" or (negated and quantifier != "foranyvalue")

    def holds(context: Context) -> bool:
        value = context.get(key)
        if value is None or value == ():
            return if_missing
        asked = (value,) if isinstance(value, str) else value
        if quantifier == "forallvalues":
            return all(test(one, context) != negated for one in asked)
        if quantifier == "foranyvalue":
            return any(test(one, context) != negated for one in asked)
        return any(test(one, context) for one in asked) != negated

    used = {name for value in values for name in keys_of(parts_of(value, variables=variables))}
    return Condition(holds, frozenset({key, *used}))


def _text(style: Style, *, ignore_case: bool = False) -> Factory:
    return lambda values, variables: matcher(values, style, variables=variables, ignore_case=ignore_case)


def _compared(read: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Factory:
    """Values that are read first: numbers, dates. What cannot be read compares to nothing."""

    def make(values: tuple[str, ...], variables: bool) -> Matcher:
        wanted = [value for text in values if (value := read(text)) is not None]

        def test(text: str, context: Context) -> bool:
            asked = read(text)
            return asked is not None and any(compare(asked, value) for value in wanted)

        return test

    return make


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_DATE: Final = re.compile(
    r"(?P<year>-?\d{1,9})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?"
    r"(?:[Tt](?:(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,9}))?)?)?)?"
    r"(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?"
)
_LATEST_EPOCH: Final = 2**63 - 1
_YEAR_S: Final = 31_556_952
"""Mean length of a Gregorian year: good enough where the calendar of Python ends."""


def moment(text: str) -> float | None:
    """Epoch seconds of a date, ``None`` if it is none: an epoch time, or an ISO 8601 date that may end early.

    As the service was seen to read them: digits alone are an epoch time.
    """
    if text.isascii() and text.isdigit():
        return float(text) if int(text) <= _LATEST_EPOCH else None
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year = int(found["year"])
    try:
        # Out of the calendar's range the year decides alone, but the rest must be right as well.
        usual = datetime(
            year if 1 <= year <= 9999 else 2000,
            int(found["month"] or 1),
            int(found["day"] or 1),
            int(found["hour"] or 0),
            int(found["minute"] or 0),
            int(found["second"] or 0),
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        return None
    if not 1 <= year <= 9999:
        return float((year - 1970) * _YEAR_S)
    fraction = float(f"0.{found['fraction'] or 0}")
    return usual + fraction - _offset_s(found["zone"] or "Z")


def _offset_s(zone: str) -> int:
    """``+01:30`` is 5400 s ahead of UTC."""
    if zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


@functools.lru_cache(maxsize=4096)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """An address is a network of one."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _within(asked: Any, wanted: Any) -> bool:
    return bool(asked.version == wanted.version and asked.subnet_of(wanted))


_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}

OPERATORS: Final[Mapping[str, Operator]] = {
    "stringequals": Operator(False, _text(Style.EXACT)),
    "stringnotequals": Operator(True, _text(Style.EXACT)),
    "stringequalsignorecase": Operator(False, _text(Style.EXACT, ignore_case=True)),
    "stringnotequalsignorecase": Operator(True, _text(Style.EXACT, ignore_case=True)),
    "stringlike": Operator(False, _text(Style.TEXT)),
    "stringnotlike": Operator(True, _text(Style.TEXT)),
    # ArnEquals and ArnLike behave identically.
    "arnequals": Operator(False, _text(Style.ARN)),
    "arnlike": Operator(False, _text(Style.ARN)),
    "arnnotequals": Operator(True, _text(Style.ARN)),
    "arnnotlike": Operator(True, _text(Style.ARN)),
    "bool": Operator(False, _compared(_boolean, operator.eq)),
    "binaryequals": Operator(False, _compared(_bytes, operator.eq)),
    "ipaddress": Operator(False, _compared(_network, _within)),
    "notipaddress": Operator(True, _compared(_network, _within)),
    "numericequals": Operator(False, _compared(_number, operator.eq)),
    "numericnotequals": Operator(True, _compared(_number, operator.eq)),
    "dateequals": Operator(False, _compared(moment, operator.eq)),
    "datenotequals": Operator(True, _compared(moment, operator.eq)),
    **{f"numeric{name}": Operator(False, _compared(_number, compare)) for name, compare in _COMPARISONS.items()},
    **{f"date{name}": Operator(False, _compared(moment, compare)) for name, compare in _COMPARISONS.items()},
}
"""By name in lower case, without quantifier and ``IfExists``; ``Null`` asks about the key itself and is apart."""
