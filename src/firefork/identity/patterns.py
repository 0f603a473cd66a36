"""Wildcards, ARN patterns and policy variables, translated to regular expressions once.

AWS: IAM User Guide, "IAM JSON policy elements: Resource", "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from firefork.identity.context import Context

_VARIABLE: Final = re.compile(r"\$\{([^{}]+?)(?:\s*,\s*'([^']*)')?\s*\}")
_ESCAPES: Final = ("*", "?", "$")
_SEGMENTS: Final = 6
"""``arn:partition:service:region:account:resource``; only the last part may hold colons."""

Matcher = Callable[[str, Context], bool]
"""Whether a text fits one of the patterns, with variables taken from the context."""


class Style(Enum):
    """How ``*`` and ``?`` are read."""

    EXACT = "no wildcards"
    TEXT = "StringLike: wildcards match everything"
    RESOURCE = "Resource element: a * that ends a segment goes on beyond the colon, another one stays inside"
    ARN = "ArnLike: each of the six segments is compared by itself"


@dataclass(frozen=True, slots=True)
class Variable:
    """``${aws:username}`` or ``${aws:PrincipalTag/team, 'none'}``."""

    key: str
    """In lower case."""
    default: str | None


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that is never a wildcard: what ``${*}`` and its like stand for."""

    text: str


Part = str | Variable | Literal


def parts_of(pattern: str, *, variables: bool) -> tuple[Part, ...]:
    """A pattern cut at its variables; one of a policy before version 2012-10-17 has none."""
    if not variables or "${" not in pattern:
        return (pattern,)
    found: list[Part] = []
    position = 0
    for match in _VARIABLE.finditer(pattern):
        found.append(pattern[position : match.start()])
        name = match[1].strip()
        found.append(Literal(name) if name in _ESCAPES else Variable(name.lower(), match[2]))
        position = match.end()
    found.append(pattern[position:])
    return tuple(part for part in found if part != "")


def keys_of(parts: Iterable[Part]) -> Iterator[str]:
    """The condition keys that the variables of a pattern refer to."""
    return (part.key for part in parts if isinstance(part, Variable))


def spelled_keys(text: str) -> list[str]:
    """The variables of a text as it spells them."""
    return [name for match in _VARIABLE.finditer(text) if (name := match[1].strip()) not in _ESCAPES]


def matcher(patterns: Iterable[str], style: Style, *, variables: bool, ignore_case: bool = False) -> Matcher:
    """Fits a text when any pattern does. A variable without value and without default fits nothing."""
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    cut = [parts_of(pattern, variables=variables) for pattern in patterns]
    fixed = [parts for parts in cut if not any(keys_of(parts))]
    open_ones = [parts for parts in cut if any(keys_of(parts))]
    if any(parts == ("*",) for parts in fixed) and style is not Style.EXACT:
        return lambda text, context: True
    sources = [source for parts in fixed if (source := _source(parts, style, None)) is not None]
    expression = re.compile("|".join(f"(?:{source})" for source in sources) if sources else r"(?!)", flags)
    if not open_ones:
        return lambda text, context: expression.fullmatch(text) is not None

    def match(text: str, context: Context) -> bool:
        if expression.fullmatch(text) is not None:
            return True
        for parts in open_ones:
            source = _source(parts, style, context)
            if source is not None and _compiled(source, flags).fullmatch(text) is not None:
                return True
        return False

    return match


@functools.lru_cache(maxsize=4096)
def _compiled(source: str, flags: int) -> re.Pattern[str]:
    return re.compile(source, flags)


def _source(parts: tuple[Part, ...], style: Style, context: Context | None) -> str | None:
    """The regular expression of a pattern, ``None`` if a variable has no single value."""
    result: list[str] = []
    colons = 0
    for part in parts:
        if isinstance(part, Variable):
            value = context.get(part.key) if context is not None else None
            value = part.default if value is None else value
            if not isinstance(value, str):
                return None
            result.append(re.escape(value))
            colons += value.count(":")
        elif isinstance(part, Literal):
            result.append(re.escape(part.text))
        elif style is Style.EXACT:
            result.append(re.escape(part))
        else:
            for index, character in enumerate(part):
                if character in "*?":
                    inside = colons < _SEGMENTS - 1
                    ends_segment = part[index + 1 : index + 2] in ("", ":")
                    result.append(_wildcard(character, style, inside=inside, ends_segment=ends_segment))
                else:
                    colons += character == ":"
                    result.append(re.escape(character))
    return "".join(result)


def _wildcard(character: str, style: Style, *, inside: bool, ends_segment: bool) -> str:
    """``inside`` one of the first five segments of an ARN; ``ends_segment``: a colon or nothing follows."""
    if character == "?":
        return "[^:]" if style is Style.ARN and inside else "."
    if style is Style.ARN and inside:
        return "[^:]*"
    if style is Style.RESOURCE and inside and not ends_segment:
        return "[^:]*"
    return ".*"
