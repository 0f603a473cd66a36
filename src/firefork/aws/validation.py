"""Checks parsed requests against the service model; all violations of a request are told at once, as AWS words them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import regex
from botocore.model import Shape

Check = Callable[[Any, str, list[str]], None]
"""Adds what is wrong with a value to a list; the text in the middle is where the value stands."""


def violations(shape: Shape, value: Mapping[str, Any]) -> list[str]:
    """What is wrong with ``value``, in AWS's words, one entry for each constraint that fails."""
    found: list[str] = []
    _check_of(shape)(value, "", found)
    return found


_SHOWN_VALUE: Final = regex.compile(r"Value (?:'.*'|null) at (?='[^']*' failed to)", regex.DOTALL)


def message(found: list[str], *, show_values: bool = True) -> str:
    """``1 validation error detected: Value 'x' at 'functionName' failed to satisfy constraint: …``"""
    if not show_values:
        found = [_SHOWN_VALUE.sub("Value at ", text, count=1) for text in found]
    noun = "validation error" if len(found) == 1 else "validation errors"
    return f"{len(found)} {noun} detected: {'; '.join(found)}"


@functools.cache
def _check_of(shape: Shape) -> Check:
    """By the object, for shapes that are asked for again and again: the ``_Key`` takes longer than most checks."""
    return _compiled(_Key(shape))


class _Key:
    """Shapes by identity of service and name: botocore makes new shape objects for every look-up."""

    __slots__ = ("identity", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.identity = (
            shape.type_name,
            shape.name,
            repr(sorted(shape.metadata.items(), key=lambda item: item[0])),
        )

    def __hash__(self) -> int:
        return hash(self.identity)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Key)
            and self.identity == other.identity
            and _resolver(self.shape) is _resolver(other.shape)
        )


def _resolver(shape: Any) -> object:
    """Which model a shape is of."""
    return shape._shape_resolver


@functools.cache
def _compiled(key: _Key) -> Check:
    shape = key.shape
    make = {
        "structure": _structure,
        "list": _list,
        "map": _map,
        "string": _string,
        "integer": _number,
        "long": _number,
        "float": _number,
        "double": _number,
        "blob": _blob,
    }.get(shape.type_name)
    return make(shape) if make is not None else lambda value, path, found: None


@dataclass(slots=True)
class _Inner:
    """A member or an element. Its check is made when it is needed first: shapes may hold themselves."""

    shape: Any
    required: bool = False
    check: Check | None = None

    def add_violations(self, value: Any, path: str, found: list[str]) -> None:
        if value is None:
            found.append(_null(path))
            return
        if self.check is None:
            self.check = _check_of(self.shape)
        self.check(value, f"{path}." if self.shape.type_name == "structure" else path, found)


def _structure(shape: Any) -> Check:
    required = frozenset(shape.required_members)
    members = [
        (name, f"{name[0].lower()}{name[1:]}", _Inner(member, name in required))
        for name, member in shape.members.items()
    ]

    def check(value: Mapping[str, Any], path: str, found: list[str]) -> None:
        for name, shown, member in members:
            given = value.get(name)
            if given is not None or member.required:
                member.add_violations(given, path + shown, found)

    return check


def _list(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")
    sparse = bool(shape._shape_model.get("sparse"))
    item_problem = _scalar_problem(shape.member, nullable=sparse)
    constraints = list(_constraints(shape.member))
    alone = constraints[0] if sparse and len(constraints) == 1 else None
    element = _Inner(shape.member)

    def check(value: list[Any], path: str, found: list[str]) -> None:
        _check_length(len(value), f"[{', '.join(map(_show, value))}]", path, lowest, highest, found)
        if item_problem is not None:
            problem = next(filter(None, map(item_problem, value)), None)
            if problem:
                shown = f"[{', '.join(map(_show, value))}]"
                found.append(_failed(shown, path, alone or f"Member must satisfy constraint: {problem}"))
            return
        for number, item in enumerate(value, 1):
            element.add_violations(item, f"{path}.{number}.member", found)

    return check


def _map(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")
    key_problem, value_problem = _scalar_problem(shape.key, nullable=True), _scalar_problem(shape.value)
    secret = bool(shape.metadata.get("sensitive"))
    element = _Inner(shape.value)

    def check(value: Mapping[str, Any], path: str, found: list[str]) -> None:
        shown = None if secret else f"{{{', '.join(f'{key}={_show(item)}' for key, item in value.items())}}}"
        _check_length(len(value), shown, path, lowest, highest, found)
        if key_problem is not None:
            problem = next(filter(None, map(key_problem, value)), None)
            if problem:
                found.append(_failed(shown, path, f"Map keys must satisfy constraint: {problem}"))
        if value_problem is not None:
            problem = next(filter(None, map(value_problem, value.values())), None)
            if problem:
                found.append(_failed(shown, path, f"Map value must satisfy constraint: {problem}"))
            return
        for name, item in value.items():
            element.add_violations(item, f"{path}.{name}.member", found)

    return check


def _scalar_problem(shape: Shape, *, nullable: bool = False) -> Callable[[Any], str | None] | None:
    """For elements that are plain values: all that holds for one, if it breaks any of it. ``None`` for the others.

    The service tells the whole set, once for the collection: ``[Member must …, Member must not be null]``. Of keys,
    and of the elements of sparse lists, it does not say the last (recorded in November 2025).
    """
    if shape.type_name in ("structure", "list", "map"):
        return None
    whole = f"[{', '.join([*_constraints(shape), *([] if nullable else [_NOT_NULL])])}]"
    check = _check_of(shape)

    def problem(value: Any) -> str | None:
        found: list[str] = []
        if value is not None:
            check(value, "", found)
        return whole if value is None or found else None

    return problem


def _constraints(shape: Shape) -> Iterator[str]:
    what = "value" if shape.type_name in ("integer", "long", "float", "double") else "length"
    metadata = shape.metadata
    if "max" in metadata:
        yield f"Member must have {what} less than or equal to {metadata['max']}"
    if "min" in metadata:
        yield f"Member must have {what} greater than or equal to {metadata['min']}"
    if "pattern" in metadata:
        yield f"Member must satisfy regular expression pattern: {metadata['pattern']}"
    if "enum" in metadata:
        yield f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"


def _string(shape: Any) -> Check:
    metadata = shape.metadata
    lowest, highest = metadata.get("min", 0), metadata.get("max")
    expression = metadata.get("pattern")
    allowed = metadata.get("enum")
    secret = bool(metadata.get("sensitive"))

    def check(value: str, path: str, found: list[str]) -> None:
        shown = None if secret else value
        if expression is not None and not _fits(expression, value):
            found.append(_failed(shown, path, f"Member must satisfy regular expression pattern: {expression}"))
        _check_length(len(value), shown, path, lowest, highest, found)
        if allowed is not None and value not in allowed:
            found.append(_failed(shown, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]"))

    return check


def _blob(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")

    def check(value: bytes, path: str, found: list[str]) -> None:
        _check_length(len(value), "java.nio.HeapByteBuffer", path, lowest, highest, found)

    return check


def _number(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: float, path: str, found: list[str]) -> None:
        if highest is not None and value > highest:
            found.append(_failed(value, path, f"Member must have value less than or equal to {highest}"))
        if lowest is not None and value < lowest:
            found.append(_failed(value, path, f"Member must have value greater than or equal to {lowest}"))

    return check


def _check_length(length: int, shown: object, path: str, lowest: int, highest: int | None, found: list[str]) -> None:
    if highest is not None and length > highest:
        found.append(_failed(shown, path, f"Member must have length less than or equal to {highest}"))
    if length < lowest:
        found.append(_failed(shown, path, f"Member must have length greater than or equal to {lowest}"))


_NOT_NULL: Final = "Member must not be null"


def _null(path: str) -> str:
    return f"Value null at '{path}' failed to satisfy constraint: {_NOT_NULL}"


def _failed(value: object, path: str, constraint: str) -> str:
    """``value`` is ``None`` for what is sensitive: the service does not repeat that."""
    shown = "" if value is None else f"'{value}' "
    return f"Value {shown}at '{path}' failed to satisfy constraint: {constraint}"


def _show(value: Any) -> str:
    """A value as the service's Java shows it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fits(expression: str, value: str) -> bool:
    return _fits_short(expression, value) if len(value) <= _SHORT else bool(pattern(expression).fullmatch(value))


_SHORT: Final = 256


@functools.lru_cache(maxsize=4096)
def _fits_short(expression: str, value: str) -> bool:
    """Remembered: it is mostly names, the same ones again and again."""
    return bool(pattern(expression).fullmatch(value))


@functools.cache
def pattern(expression: str) -> regex.Pattern[str]:
    """A model's pattern. They are written for Java, whose character properties ``re`` does not know."""
    return regex.compile(expression, regex.DOTALL)
