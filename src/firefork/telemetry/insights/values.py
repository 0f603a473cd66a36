"""What fields hold: text, numbers, points of time, or nothing; how they compare, and how a result shows them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final


class Moment(int):
    """Epoch milliseconds, shown as a date."""


Value = str | float | int | None
"""A JSON boolean is 1 or 0."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def as_number(value: Value) -> float | int | None:
    """The number that a value is or spells."""
    if isinstance(value, (int, float)):
        return value
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def as_text(value: Value) -> str:
    """As results show it: numbers with at most four places, moments as ``2026-11-25 10:00:00.000``."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Moment):
        return _as_date(value)
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else ""
    return str(value)


def _as_date(moment: Moment) -> str:
    try:
        date = _EPOCH + timedelta(milliseconds=int(moment))
    except OverflowError:
        return str(int(moment))
    return f"{date:%Y-%m-%d %H:%M:%S}.{date.microsecond // 1000:03d}"


def compare(sign: str, left: Value, right: Value) -> bool:
    """As numbers where both are, else as text. A field that is missing only differs (whether it does on AWS is
    unverified).
    """
    if left is None or right is None:
        return sign == "!=" and left is not right
    one, other = as_number(left), as_number(right)
    order = _ORDERS[sign]
    if one is not None and other is not None:
        return order(one, other)
    return order(as_text(left), as_text(right))


def rank(value: Value) -> tuple[int, float, str]:
    """A key to sort by: numbers, then text."""
    number = as_number(value)
    return (0, number, "") if number is not None else (1, 0.0, as_text(value))


def is_true(value: Value) -> bool:
    """Whether a condition holds."""
    number = as_number(value)
    return bool(number) if number is not None else bool(value)
