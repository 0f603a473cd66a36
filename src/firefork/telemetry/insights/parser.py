"""The text of a query, as commands. The grammar stands in ``grammar.lark``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import regex
from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError
from lark.tree import Meta

from firefork.telemetry.insights.syntax import (
    Binary,
    Command,
    Dedup,
    Display,
    Every,
    Expression,
    Field,
    Fields,
    Filter,
    Function,
    In,
    Limit,
    Literal,
    MalformedQuery,
    Parse,
    Pattern,
    Period,
    Selection,
    Sort,
    Stats,
    Unary,
)

MOST_ROWS: Final = 100_000
"""That the limit command may ask for."""
_UNITS_MS: Final = (
    ("ms", 1),
    ("mil", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
)
"""By what a unit's name begins with; the first that fits counts."""
_NAME_PART: Final = re.compile(r"`([^`]+)`|\[(\d+)\]|([^.`\[\]]+)")


def parse(query: str) -> Sequence[Command]:
    """Raises MalformedQuery."""
    try:
        tree = _GRAMMAR.parse(query)
        commands: Sequence[Command] = _Commands(query).transform(tree)
    except (UnexpectedEOF, UnexpectedToken, UnexpectedCharacters) as error:
        raise _unexpected(query, error) from None
    except VisitError as error:
        if isinstance(error.orig_exc, MalformedQuery):
            raise error.orig_exc from None
        raise
    except RecursionError:
        raise MalformedQuery("the query is nested too deeply", 0, len(query)) from None
    return commands


def _unexpected(query: str, error: UnexpectedEOF | UnexpectedToken | UnexpectedCharacters) -> MalformedQuery:
    """In AWS's words, as users of it have published them: the first symbol that cannot stand there."""
    position = getattr(error, "pos_in_stream", None)
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    if position is None or at_end or isinstance(error, UnexpectedEOF):
        position, found = len(query), "<EOF>"
    else:
        found = str(error.token) if isinstance(error, UnexpectedToken) else query[position : position + 1]
    line = query.count("\n", 0, position) + 1
    column = position - (query.rfind("\n", 0, position) + 1)
    text = f"unexpected symbol found {found} at line {line} and position {column}"
    return MalformedQuery(text, position, min(position + len(found), len(query)))


@v_args(inline=True)
class _Commands(Transformer[Token, Any]):
    """Makes syntax of the tree, from the leaves up."""

    def __init__(self, query: str) -> None:
        super().__init__()
        self._query = query
        self._defined: set[str] = set()

    def _define(self, name: str, meta: Meta) -> None:
        """A name that the query makes itself it can make once: published, "Ephemeral field is already defined"."""
        if name in self._defined:
            message = f"Ephemeral field is already defined: {name} ([{meta.start_pos},{meta.end_pos - 1}])"
            raise MalformedQuery(message, meta.start_pos, meta.end_pos)
        self._defined.add(name)

    # ---- commands

    def query(self, *commands: Command) -> Sequence[Command]:
        return commands

    def fields(self, *selections: Selection) -> Command:
        return Fields(selections)

    def display(self, *fields: Field) -> Command:
        return Display([field.name for field in fields])

    def filter(self, condition: Expression) -> Command:
        return Filter(condition)

    @v_args(inline=False, meta=True)
    def parse(self, meta: Meta, children: list[Any]) -> Command:
        source, written, *names = children
        named = [field.name for field in names if field is not None]
        for name in named:
            self._define(name, meta)
        try:
            if written.type == "STRING":
                return _parse_by_glob(source, _unquoted(written), named)
            pattern = _expression_text(written)
            groups = regex.compile(pattern).groupindex
        except MalformedQuery as error:
            raise MalformedQuery(error.message, meta.start_pos, meta.end_pos) from None
        except regex.error as error:
            raise MalformedQuery(f"invalid regular expression: {error}", meta.start_pos, meta.end_pos) from None
        if not groups or named:
            raise MalformedQuery(
                "a regular expression of parse names its fields itself: (?<name>...)", meta.start_pos, meta.end_pos
            )
        for name in groups:
            self._define(name, meta)
        return Parse(source, pattern, [(number, name) for name, number in groups.items()])

    def stats(self, *parts: Selection | tuple[Selection, ...] | None) -> Command:
        *selections, by = parts
        return Stats([part for part in selections if isinstance(part, Selection)], by if isinstance(by, tuple) else ())

    def by(self, *selections: Selection) -> tuple[Selection, ...]:
        return selections

    def sort(self, *keys: tuple[Field, bool]) -> Command:
        return Sort(keys)

    def sort_key(self, field: Field, direction: Token | None) -> tuple[Field, bool]:
        return field, direction is not None and direction.lower() == "desc"

    def limit(self, count: Token) -> Command:
        if not count.isdigit() or not 1 <= int(count) <= MOST_ROWS:
            raise MalformedQuery(
                f"limit must be a whole number from 1 to {MOST_ROWS}", count.start_pos or 0, count.end_pos or 0
            )
        return Limit(int(count))

    def dedup(self, *fields: Field) -> Command:
        return Dedup([field.name for field in fields])

    @v_args(inline=False, meta=True)
    def selection(self, meta: Meta, children: list[Any]) -> Selection:
        expression, alias = children
        if alias is not None:
            self._define(alias.name, meta)
            return Selection(expression, alias.name)
        written = self._query[meta.start_pos : meta.end_pos].strip()
        return Selection(expression, expression.name if isinstance(expression, Field) else written)

    # ---- expressions

    def disjunction(self, *parts: Expression) -> Expression:
        return _chain("or", parts)

    def conjunction(self, *parts: Expression) -> Expression:
        return _chain("and", parts)

    def negated(self, operand: Expression) -> Expression:
        return Unary("not", operand)

    def compared(self, left: Expression, operator: Token, right: Expression) -> Expression:
        return Binary(str(operator), left, right)

    def calculated(self, left: Expression, operator: Token, right: Expression) -> Expression:
        return Binary(str(operator), left, right)

    def signed(self, operator: Token, operand: Expression) -> Expression:
        return Unary("-", operand) if operator == "-" else operand

    def like(self, operand: Expression, matcher: Expression) -> Expression:
        return Binary("like", operand, matcher)

    def unlike(self, operand: Expression, matcher: Expression) -> Expression:
        return Unary("not", Binary("like", operand, matcher))

    def among(self, operand: Expression, choices: Sequence[Expression]) -> Expression:
        return In(operand, choices)

    def not_among(self, operand: Expression, choices: Sequence[Expression]) -> Expression:
        return Unary("not", In(operand, choices))

    def list(self, *choices: Expression) -> Sequence[Expression]:
        return choices

    def matcher(self, written: Token) -> Expression:
        if written.type == "STRING":
            return Literal(_unquoted(written))
        text = _expression_text(written)
        try:
            regex.compile(text)
        except regex.error as error:
            raise MalformedQuery(
                f"invalid regular expression: {error}", written.start_pos or 0, written.end_pos or 0
            ) from None
        return Pattern(text)

    def number(self, written: Token) -> Expression:
        return Literal(int(written) if written.isdigit() else float(written))

    def string(self, written: Token) -> Expression:
        return Literal(_unquoted(written))

    def boolean(self, written: Token) -> Expression:
        return Literal(written.lower() == "true")

    def period(self, written: Token) -> Expression:
        digits = re.match(r"\d+", written)
        assert digits is not None
        unit = written[digits.end() :].strip().lower()
        size = next(ms for beginning, ms in _UNITS_MS if unit.startswith(beginning))
        return Period(int(digits[0]) * size)

    def every(self, _star: Token) -> Expression:
        return Every()

    def field(self, written: Token) -> Expression:
        parts = _NAME_PART.findall(written)
        return Field(".".join(quoted or index or plain for quoted, index, plain in parts))

    def function(self, name: Token, *arguments: Expression | None) -> Expression:
        return Function(name.lower(), [argument for argument in arguments if argument is not None])


def _chain(operator: str, parts: Sequence[Expression]) -> Expression:
    left, *others = parts
    for right in others:
        left = Binary(operator, left, right)
    return left


def _unquoted(written: Token) -> str:
    return re.sub(r"\\(.)", r"\1", written[1:-1], flags=re.DOTALL)


def _expression_text(written: Token) -> str:
    """What stands between the slashes. Flags stand inside: ``/(?i)error/``."""
    return written[1:-1]


def _parse_by_glob(source: Field, glob: str, names: Sequence[str]) -> Parse:
    """Each star of a glob is as short as it can be; one at the end takes all that is left."""
    first, *literals = glob.split("*")
    if not literals or len(literals) != len(names):
        raise MalformedQuery(f"parse has {len(literals)} wildcards and {len(names)} names")
    pattern = regex.escape(first)
    for literal in literals:
        pattern += "(.*?)" + regex.escape(literal)
    if not literals[-1]:
        pattern = pattern.removesuffix("?)") + ")"
    return Parse(source, f"(?s){pattern}", list(enumerate(names, 1)))


_GRAMMAR: Final = Lark.open(
    "grammar.lark", rel_to=__file__, start="query", parser="lalr", maybe_placeholders=True, propagate_positions=True
)
