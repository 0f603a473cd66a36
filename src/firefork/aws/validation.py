"""Checks parsed requests against the service model; all violations of a request are told at once, as AWS words them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.model import Shape

Check = Callable[[Any, str], Iterator[str]]


def violations(shape: Shape, value: Mapping[str, Any]) -> list[str]:
    """What is wrong with ``value``, in AWS's words, one entry for each constraint that fails."""
    return list(_check_of(shape)(value, ""))


def message(found: list[str]) -> str:
    """``1 validation error detected: Value 'x' at 'functionName' failed to satisfy constraint: …``"""
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
    member = shape.member
    constraints = _constraints(member)

    def check(value: list[Any], path: str) -> Iterator[str]:
        shown = f"[{', '.join(map(str, value))}]"
        yield from _length(len(value), shown, path, lowest, highest)
        if constraints:
            if any(item is None or any(_check_of(member)(item, path)) for item in value):
                yield _failed(shown, path, f"Member must satisfy constraint: [{constraints}]")
            return
        for number, item in enumerate(value, 1):
            where = f"{path}.{number}.member"
            if item is None:
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
            else:
                yield from _check_of(member)(item, f"{where}." if member.type_name == "structure" else where)

    return check


def _map(shape: Any) -> Check:
    lowest, highest = shape.metadata.get("min", 0), shape.metadata.get("max")
    secret = shape.metadata.get("sensitive", False)
    constraints = _constraints(shape.value)

    def check(value: Mapping[str, Any], path: str) -> Iterator[str]:
        shown = "Value" if secret else f"Value '{_show_map(value)}'"
        failed = f"{shown} at '{path}' failed to satisfy constraint:"
        if highest is not None and len(value) > highest:
            yield f"{failed} Member must have length less than or equal to {highest}"
        if len(value) < lowest:
            yield f"{failed} Member must have length greater than or equal to {lowest}"
        if any(any(_check_of(shape.key)(name, path)) for name in value):
            yield f"{failed} Map keys must satisfy constraint: [{_constraints(shape.key)}]"
        if constraints:
            if any(item is None or any(_check_of(shape.value)(item, path)) for item in value.values()):
                yield f"{failed} Map value must satisfy constraint: [{constraints}]"
            return
        for name, item in value.items():
            where = f"{path}.{name}.member"
            if item is None:
                yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
            else:
                yield from _check_of(shape.value)(item, f"{where}." if shape.value.type_name == "structure" else where)

    return check


def _show_map(value: Mapping[str, Any]) -> str:
    return f"{{{', '.join(f'{key}={item}' for key, item in value.items())}}}"


def _constraints(shape: Any) -> str:
    """All that the members of a list or map must satisfy, as told when one of them does not; empty for structures."""
    metadata = shape.metadata
    if "enum" in metadata:
        return f"Member must satisfy enum value set: [{', '.join(metadata['enum'])}]"
    if shape.type_name not in ("string", "integer", "long", "float", "double"):
        return ""
    measure = "length" if shape.type_name == "string" else "value"
    told = []
    if "max" in metadata:
        told.append(f"Member must have {measure} less than or equal to {metadata['max']}")
    if "min" in metadata:
        told.append(f"Member must have {measure} greater than or equal to {metadata['min']}")
    if "pattern" in metadata:
        told.append(f"Member must satisfy regular expression pattern: {metadata['pattern']}")
    return ", ".join([*told, "Member must not be null"])


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
def pattern(expression: str) -> re.Pattern[str]:
    """A model's pattern for Python; what only Java's engine understands is let pass."""
    translated = expression
    for name, characters in (
        (r"\p{L}", r"[^\W\d_]"),
        (r"\p{Z}", r"\s"),
        (r"\p{N}", r"\d"),
        (r"\p{Alnum}", "[A-Za-z0-9]"),
        (r"\p{Graph}", r"[!-~]"),
        (r"\p{Print}", r"[ -~]"),
    ):
        # Inside a character class the class's own brackets must not be doubled.
        translated = translated.replace(name, characters.strip("[]") if f"[{name}" in translated else characters)
    try:
        return re.compile(translated, re.DOTALL)
    except re.error:
        return re.compile(".*", re.DOTALL)
