"""What a query is made of. The parser makes these; the pipeline runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | float | int | bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression between slashes."""

    text: str


@dataclass(frozen=True, slots=True)
class Field:
    name: str


@dataclass(frozen=True, slots=True)
class Period:
    """``5m``: a length of time, in milliseconds."""

    ms: int


@dataclass(frozen=True, slots=True)
class Every:
    """The star of ``count(*)``."""


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    """In lower case."""
    arguments: Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Unary:
    """``not`` or ``-``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, a comparison, ``and``, ``or``, ``like``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class In:
    operand: Expression
    choices: Sequence[Expression]


Expression = Literal | Pattern | Field | Period | Every | Function | Unary | Binary | In


@dataclass(frozen=True, slots=True)
class Selection:
    """An expression and the name of the column that it makes."""

    expression: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Fields:
    selections: Sequence[Selection]


@dataclass(frozen=True, slots=True)
class Display:
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Filter:
    condition: Expression


@dataclass(frozen=True, slots=True)
class Parse:
    field: Field
    pattern: str
    """A regular expression, also where the query has a glob."""
    names: Sequence[tuple[int, str]]
    """The fields that it makes: number of the group, name."""


@dataclass(frozen=True, slots=True)
class Stats:
    selections: Sequence[Selection]
    by: Sequence[Selection]


@dataclass(frozen=True, slots=True)
class Sort:
    keys: Sequence[tuple[Expression, bool]]
    """Each with whether it goes down."""


@dataclass(frozen=True, slots=True)
class Limit:
    count: int


@dataclass(frozen=True, slots=True)
class Dedup:
    names: Sequence[str]


Command = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup


class MalformedQuery(Exception):
    """A query that breaks the grammar, or means nothing. ``start`` and ``end`` are offsets of characters in it."""

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
