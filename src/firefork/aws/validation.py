"""Checks parsed requests against the service model; all violations of a request are told at once, as AWS words them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import regex
from botocore.model import Shape

Check = Callable[[Any, str], Iterator[str]]


def violations(shape: Shape, value: Mapping[str, Any]) -> list[str]:
    """What is wrong with ``value``, in AWS's words, one entry for each constraint that fails."""
    return list(_check_of(shape)(value, ""))


_SHOWN_VALUE: Final = re.compile(r"Value (?:'.*'|null) at (?='[^']*' failed to)", re.DOTALL)


def message(found: list[str], *, show_values: bool = True) -> str:
    """``1 validation error detected: Value 'x' at 'functionName' failed to satisfy constraint: …``"""
    if not show_values:
        found = [_SHOWN_VALUE.sub("Value at ", text, count=1) for text in found]
    noun = "validation error" if len(found) == 1 else "validation errors"
    return f"{len(found)} {noun} detected: {'; '.join(found)}"


def _check_of(shape: Shape) -> Check:
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
    return make(shape) if make is not None else lambda value, path: iter(())


def _structure(shape: Any) -> Check:
    required = frozenset(shape.required_members)
    members: dict[str, Shape] = dict(shape.members)

    def check(value: Mapping[str, Any], path: str) -> Iterator[str]:
        for name, member in members.items():
            where = f"{path}{name[0].lower()}{name[1:]}"
            if value.get(name) is None:
                if name in required:
                    yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
            elif member.type_name == "structure":
                yield from _check_of(member)(value[name], f"{where}.")
            else:
                yield from _check_of(member)(value[name], where)

    return check


def _list(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")

    def check(value: list[Any], path: str) -> Iterator[str]:
        yield from _length(len(value), f"[{', '.join(map(str, value))}]", path, lowest, highest)
        member = shape.member
        for number, item in enumerate(value, 1):
            where = f"{path}.{number}.member"
            yield from _check_of(member)(item, f"{where}." if member.type_name == "structure" else where)

    return check


def _map(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")
    keys = {name: shape.key.metadata[name] for name in ("min", "max", "pattern") if name in shape.key.metadata}

    def check(value: Mapping[str, Any], path: str) -> Iterator[str]:
        yield from _length(len(value), str(dict(value)), path, lowest, highest)
        for name in value:
            problems = list(_key_problems(name, keys))
            if problems:
                yield (
                    f"Value '{{{', '.join(f'{key}={item}' for key, item in value.items())}}}' at '{path}' failed to "
                    f"satisfy constraint: Map keys must satisfy constraint: [{', '.join(problems)}]"
                )
                break
        member = shape.value
        for name, item in value.items():
            where = f"{path}.{name}.member"
            yield from _check_of(member)(item, f"{where}." if member.type_name == "structure" else where)

    return check


def _key_problems(name: str, limits: Mapping[str, Any]) -> Iterator[str]:
    if "max" in limits and len(name) > limits["max"]:
        yield f"Member must have length less than or equal to {limits['max']}"
    if "min" in limits and len(name) < limits["min"]:
        yield f"Member must have length greater than or equal to {limits['min']}"
    if "pattern" in limits and not pattern(limits["pattern"]).fullmatch(name):
        yield f"Member must satisfy regular expression pattern: {limits['pattern']}"


def _string(shape: Any) -> Check:
    metadata = shape.metadata
    lowest, highest = metadata.get("min", 0), metadata.get("max")
    expression = metadata.get("pattern")
    allowed = metadata.get("enum")

    def check(value: str, path: str) -> Iterator[str]:
        if expression is not None and not pattern(expression).fullmatch(value):
            yield _failed(value, path, f"Member must satisfy regular expression pattern: {expression}")
        yield from _length(len(value), value, path, lowest, highest)
        if allowed is not None and value not in allowed:
            yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")

    return check


def _blob(shape: Any) -> Check:
    highest = shape.metadata.get("max")

    def check(value: bytes, path: str) -> Iterator[str]:
        if highest is not None and isinstance(value, bytes) and len(value) > highest:
            yield _failed("java.nio.HeapByteBuffer", path, f"Member must have length less than or equal to {highest}")

    return check


def _number(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")

    def check(value: float, path: str) -> Iterator[str]:
        if highest is not None and value > highest:
            yield _failed(value, path, f"Member must have value less than or equal to {highest}")
        if lowest is not None and value < lowest:
            yield _failed(value, path, f"Member must have value greater than or equal to {lowest}")

    return check


def _length(length: int, shown: str, path: str, lowest: int, highest: int | None) -> Iterator[str]:
    if highest is not None and length > highest:
        yield _failed(shown, path, f"Member must have length less than or equal to {highest}")
    if length < lowest:
        yield _failed(shown, path, f"Member must have length greater than or equal to {lowest}")


def _failed(value: object, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


@functools.cache
def pattern(expression: str) -> regex.Pattern[str]:
    """A model's pattern. They are written for Java, whose character properties ``re`` does not know."""
    return regex.compile(expression, regex.DOTALL)
