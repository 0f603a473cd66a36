"""The functions of expressions. AWS: user guide, "Boolean, comparison, numeric, datetime, and other functions"."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firefork.telemetry.insights.values import Moment, Value, as_number, as_text

Scalar = Callable[..., Value]
_MANY: Final = 1000


@dataclass(frozen=True, slots=True)
class Signature:
    """A function of values, and how many it takes."""

    call: Scalar
    least: int
    most: int | None = None
    """``None``: as many as ``least``."""

    def takes(self, count: int) -> bool:
        return self.least <= count <= (self.least if self.most is None else self.most)


def _of_numbers(work: Callable[..., float]) -> Scalar:
    """Nothing where an argument is no number, or the result is none."""

    def call(*arguments: Value) -> Value:
        numbers = [as_number(argument) for argument in arguments]
        if None in numbers:
            return None
        try:
            result = work(*numbers)
        except (ArithmeticError, ValueError):
            return None
        return result if not isinstance(result, complex) and math.isfinite(result) else None

    return call


def _of_texts(work: Callable[..., Value]) -> Scalar:
    """Nothing where the first argument is missing."""

    def call(*arguments: Value) -> Value:
        return None if arguments[0] is None else work(*map(as_text, arguments))

    return call


def _substring(value: Value, start: Value, length: Value = None) -> Value:
    begin, size = as_number(start), as_number(length)
    if value is None or begin is None:
        return None
    text = as_text(value)[max(0, int(begin)) :]
    return text if size is None else text[: max(0, int(size))]


def _floor(moment: Value, period: Value) -> Value:
    at, size = as_number(moment), as_number(period)
    return None if at is None or not size else Moment(at // size * size)


def _ceiling(moment: Value, period: Value) -> Value:
    at, size = as_number(moment), as_number(period)
    return None if at is None or not size else Moment(-(-at // size) * size)


def _moment(value: Value) -> Value:
    number = as_number(value)
    return None if number is None else Moment(number)


def _milliseconds(value: Value) -> Value:
    number = as_number(value)
    return None if number is None else int(number)


def _is_address(version: int | None) -> Scalar:
    def call(value: Value) -> Value:
        try:
            address = ipaddress.ip_address(as_text(value))
        except ValueError:
            return 0
        return int(version is None or address.version == version)

    return call


def _is_in_subnet(version: int | None) -> Scalar:
    def call(value: Value, subnet: Value) -> Value:
        try:
            address = ipaddress.ip_address(as_text(value))
            network = ipaddress.ip_network(as_text(subnet), strict=False)
        except ValueError:
            return 0
        return int((version is None or address.version == version) and address in network)

    return call


FUNCTIONS: Final[dict[str, Signature]] = {
    "abs": Signature(_of_numbers(abs), 1),
    "ceil": Signature(_of_numbers(math.ceil), 1),
    "floor": Signature(_of_numbers(math.floor), 1),
    "greatest": Signature(_of_numbers(lambda *numbers: max(numbers)), 1, _MANY),
    "least": Signature(_of_numbers(lambda *numbers: min(numbers)), 1, _MANY),
    "log": Signature(_of_numbers(math.log), 1),
    "sqrt": Signature(_of_numbers(math.sqrt), 1),
    "datefloor": Signature(_floor, 2),
    "dateceil": Signature(_ceiling, 2),
    "frommillis": Signature(_moment, 1),
    "tomillis": Signature(_milliseconds, 1),
    "now": Signature(lambda: int(time.time()), 0),
    "ispresent": Signature(lambda value: int(value is not None), 1),
    "coalesce": Signature(lambda *values: next((value for value in values if value is not None), None), 1, _MANY),
    "isvalidip": Signature(_is_address(None), 1),
    "isvalidipv4": Signature(_is_address(4), 1),
    "isvalidipv6": Signature(_is_address(6), 1),
    "isipinsubnet": Signature(_is_in_subnet(None), 2),
    "isipv4insubnet": Signature(_is_in_subnet(4), 2),
    "isipv6insubnet": Signature(_is_in_subnet(6), 2),
    "isempty": Signature(lambda value: int(value is None or value == ""), 1),
    "isblank": Signature(lambda value: int(not as_text(value).strip()), 1),
    "concat": Signature(lambda *values: "".join(map(as_text, values)), 1, _MANY),
    "ltrim": Signature(_of_texts(lambda text, characters=None: text.lstrip(characters)), 1, 2),
    "rtrim": Signature(_of_texts(lambda text, characters=None: text.rstrip(characters)), 1, 2),
    "trim": Signature(_of_texts(lambda text, characters=None: text.strip(characters)), 1, 2),
    "strlen": Signature(_of_texts(len), 1),
    "toupper": Signature(_of_texts(str.upper), 1),
    "tolower": Signature(_of_texts(str.lower), 1),
    "substr": Signature(_substring, 2, 3),
    "replace": Signature(_of_texts(lambda text, old, new: text.replace(old, new)), 3),
    "strcontains": Signature(_of_texts(lambda text, part: int(part in text)), 2),
}
"""By name in lower case. ``bin(period)`` is compiled as ``datefloor(@timestamp, period)``."""

ARITHMETIC: Final[dict[str, Scalar]] = {
    "+": _of_numbers(lambda left, right: left + right),
    "-": _of_numbers(lambda left, right: left - right),
    "*": _of_numbers(lambda left, right: left * right),
    "/": _of_numbers(lambda left, right: left / right),
    "%": _of_numbers(lambda left, right: left % right),
    "^": _of_numbers(lambda left, right: float(left) ** right),
}
