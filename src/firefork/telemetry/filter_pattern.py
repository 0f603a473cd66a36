"""CloudWatch Logs filter patterns: terms, JSON and space-delimited ones, compiled to a predicate on a message.

AWS: CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters, filter log events,
and Live Tail".
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import regex

from firefork.aws.errors import InvalidParameter
from firefork.telemetry.regular_expression import ExpressionTooSlow, search

Predicate = Callable[[str], bool]

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MISSING: Final = object()


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Predicate:
    """The predicate of a pattern. Raises InvalidParameter for one that AWS would refuse."""
    text = pattern.strip()
    if not text:
        return lambda message: True
    try:
        if text.startswith("{"):
            _check_end(text, "}")
            return _json(text[1:-1])
        if text.startswith("["):
            _check_end(text, "]")
            return _fields(text[1:-1])
        return _terms(text)
    except (_Bad, regex.error, IndexError, StopIteration, RecursionError):
        raise InvalidParameter("Invalid filter pattern") from None


class _Bad(Exception):
    """The pattern breaks the grammar."""


def _check_end(text: str, bracket: str) -> None:
    if not text.endswith(bracket):
        raise InvalidParameter(f"If a filter pattern starts with '{text[0]}' it must end with '{bracket}'")


def _bad_term(found: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid character(s) in term '{found}'")


_NOT_IN_TERMS: Final = re.compile(r"[:,()\[\]{}@*\\`]")
"""What a term without quotes cannot have: each published by users whose pattern was refused. The documentation wants
quotes around everything but letters, digits and underscores; what is not known to be refused is taken."""
_NOT_IN_EXPRESSIONS: Final = re.compile(r"[()!\"'&<>~`]|[^\x00-\x7f]")
"""AWS lists what expressions can have, and says that parentheses and multi-byte characters are not among it."""


# ---- terms

_TERM: Final = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"%]+))')


def _terms(text: str) -> Predicate:
    """All plain terms, none of the excluded ones, and one of the optional ones if there are only such."""
    needed: list[Predicate] = []
    optional: list[Predicate] = []
    excluded: list[Predicate] = []
    position = 0
    while position < len(text.rstrip()):
        found = _TERM.match(text, position)
        if found is None:
            raise _Bad
        position = found.end()
        sign, quoted, expression, plain = found.groups()
        if expression is not None:
            matches: Predicate = _regular(expression)
        else:
            if quoted == "":
                raise _bad_term('""')
            if plain is not None and (bad := _NOT_IN_TERMS.search(plain)) is not None:
                raise _bad_term(bad[0])
            matches = _contains(_unquote(quoted) if quoted is not None else plain)
        {"?": optional, "-": excluded, "": needed}[sign].append(matches)
    if needed:
        # AWS: optional terms beside needed ones have no effect.
        optional = []

    def check(message: str) -> bool:
        return (
            all(matches(message) for matches in needed)
            and (not optional or any(matches(message) for matches in optional))
            and not any(matches(message) for matches in excluded)
        )

    return check


def _contains(term: str) -> Predicate:
    return lambda message: term in message


def _regular(expression: str) -> Predicate:
    if (bad := _NOT_IN_EXPRESSIONS.search(expression)) is not None:
        raise _bad_term(bad[0])
    pattern = regex.compile(expression)

    def check(message: str) -> bool:
        try:
            return search(pattern, message) is not None
        except ExpressionTooSlow:
            raise InvalidParameter(f"The regular expression %{expression}% takes too long.") from None

    return check


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


# ---- JSON

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<regex>%[^%]*%)|(?P<op>&&|\|\||!=|<=|>=|[=<>()])'
    r"|(?P<selector>\$(?:\.[^\s.\[\]=!<>()&|\"]+|\.?\[(?:\d+|\*|\"[^\"]*\"|'[^']*')\]|\.\*)*)|(?P<word>[^\s=!<>()&|\"]+))"
)


class _Tokens:
    def __init__(self, text: str) -> None:
        self._found: list[tuple[str, str]] = []
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None or match.end() == position:
                raise _Bad
            position = match.end()
            assert match.lastgroup is not None
            self._found.append((match.lastgroup, match[match.lastgroup]))
        self._next = 0

    def peek(self) -> tuple[str, str]:
        return self._found[self._next] if self._next < len(self._found) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self._next += 1
        return token


Node = Callable[[Any], bool]


def _json(text: str) -> Predicate:
    tokens = _Tokens(text)
    node = _either(tokens)
    if tokens.peek()[0] != "end":
        raise _bad_term(",") if tokens.peek()[1].startswith(",") else _Bad

    def check(message: str) -> bool:
        start = message.find("{")
        if start < 0:
            return False
        try:
            document = json.loads(message[start:])
        except ValueError:
            return False
        return node(document)

    return check


def _either(tokens: _Tokens) -> Node:
    nodes = [_both(tokens)]
    while tokens.peek() == ("op", "||"):
        tokens.take()
        nodes.append(_both(tokens))
    return nodes[0] if len(nodes) == 1 else lambda document: any(node(document) for node in nodes)


def _both(tokens: _Tokens) -> Node:
    nodes = [_one(tokens)]
    while tokens.peek() == ("op", "&&"):
        tokens.take()
        nodes.append(_one(tokens))
    return nodes[0] if len(nodes) == 1 else lambda document: all(node(document) for node in nodes)


def _one(tokens: _Tokens) -> Node:
    kind, text = tokens.take()
    if (kind, text) == ("op", "("):
        node = _either(tokens)
        if tokens.take() != ("op", ")"):
            raise _Bad
        return node
    if kind != "selector":
        raise _Bad
    path = _path(text)
    kind, symbol = tokens.take()
    if (kind, symbol) == ("word", ".") and tokens.peek()[0] == "quoted":  # $."a-b"
        raise _bad_term(f'{text}."')
    if kind == "word":
        return _keyword(path, symbol, tokens)
    if kind != "op" or symbol not in ("=", "!=", *_COMPARE):
        raise _Bad
    kind, value = tokens.take()
    if kind not in ("quoted", "word", "regex"):
        raise _Bad
    matches = _value(symbol.lstrip("!"), kind, value)
    if symbol == "!=":
        return lambda document: any(
            item is not _MISSING and not isinstance(item, dict | list) and not matches(item)
            for item in _select(document, path)
        )
    return lambda document: any(item is not _MISSING and matches(item) for item in _select(document, path))


def _keyword(path: list[str | int], word: str, tokens: _Tokens) -> Node:
    second = tokens.take()[1]
    phrase = f"{word} {second}".upper()
    if phrase == "IS NULL":
        return lambda document: any(item is None for item in _select(document, path))
    if phrase == "IS TRUE":
        return lambda document: any(item is True for item in _select(document, path))
    if phrase == "IS FALSE":
        return lambda document: any(item is False for item in _select(document, path))
    if phrase == "NOT EXISTS":
        return lambda document: all(item is _MISSING for item in _select(document, path))
    raise _Bad


def _path(text: str) -> list[str | int]:
    steps: list[str | int] = []
    for found in re.finditer(r"\.([^.\[\]]+)|\[(\d+|\*)\]|\[[\"']([^\"']*)[\"']\]", text[1:]):
        name, index, quoted = found.groups()
        if index is not None:
            steps.append("*" if index == "*" else int(index))
        else:
            steps.append(name if name is not None else quoted)
    return steps


def _select(document: Any, path: list[str | int]) -> Iterator[Any]:
    found = [document]
    for step in path:
        following: list[Any] = []
        for item in found:
            if step == "*" and isinstance(item, list):
                following.extend(item)
            elif step == "*" and isinstance(item, dict):
                following.extend(item.values())
            elif isinstance(step, int):
                following.append(item[step] if isinstance(item, list) and step < len(item) else _MISSING)
            else:
                following.append(item.get(step, _MISSING) if isinstance(item, dict) else _MISSING)
        found = following
    yield from found


def _value(symbol: str, kind: str, text: str) -> Callable[[Any], bool]:
    """How one value is compared: numbers as numbers, text with ``*``, regular expressions between ``%``."""
    if symbol in _COMPARE:
        number = _number(text)
        if number is None or kind != "word":
            raise _bad_term(text)
        compare = _COMPARE[symbol]
        return lambda item: isinstance(item, int | float) and not isinstance(item, bool) and compare(item, number)
    if kind == "regex":
        found = _regular(text[1:-1])
        return lambda item: isinstance(item, str | int | float) and found(_shown(item))
    plain = _unquote(text[1:-1]) if kind == "quoted" else text
    number = _number(plain) if kind == "word" else None
    if number is not None:
        return lambda item: not isinstance(item, bool) and item in (number, plain)
    fits = _wildcards(plain)
    return lambda item: isinstance(item, str | int | float | bool) and fits(_shown(item))


def _wildcards(text: str) -> Predicate:
    """A text with stars. As AWS's TestMetricFilter showed it to others, what stands behind a star counts where it is
    found first: ``*1`` does not fit 11."""
    first, *others = text.split("*")

    def fits(value: str) -> bool:
        if not value.startswith(first):
            return False
        position = len(first)
        for part in others:
            position = value.find(part, position) + len(part)
            if position < len(part):
                return False
        return position == len(value) or (bool(others) and not others[-1])

    return fits


def _shown(item: object) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


# ---- space-delimited fields

_FIELD: Final = re.compile(r'\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|(\S+)')
_CONDITION: Final = re.compile(r"\s*(!=|<=|>=|=|<|>)\s*(\"(?:[^\"\\]|\\.)*\"|%[^%]*%|\S+)\s*")


def _fields(text: str) -> Predicate:
    """``[ip, user, ..., status=4*]``: names in order, each with conditions; ``...`` stands for any number."""
    columns: list[Callable[[str], bool] | None] = []
    for part in text.split(","):
        stripped = part.strip()
        if not stripped:
            raise _Bad
        if stripped.startswith("...") and stripped != "...":
            raise _bad_term(stripped)
        columns.append(None if stripped == "..." else _column(stripped))
    if columns.count(None) > 1:
        raise _Bad

    def check(message: str) -> bool:
        values = [next(group for group in found.groups() if group is not None) for found in _FIELD.finditer(message)]
        if None in columns:
            gap = columns.index(None)
            behind = len(columns) - gap - 1
            if len(values) < gap + behind:
                return False
            chosen = values[:gap] + (values[len(values) - behind :] if behind else [])
        else:
            if len(values) != len(columns):
                return False
            chosen = values
        checks = [column for column in columns if column is not None]
        return all(column(value) for column, value in zip(checks, chosen, strict=True))

    return check


def _column(text: str) -> Callable[[str], bool]:
    alternatives = []
    for option in re.split(r"\|\|", text):
        conditions = []
        for condition in option.split("&&"):
            name = re.match(r"\s*\w+\s*", condition)
            if name is None:
                raise _Bad
            rest = condition[name.end() :]
            if not rest.strip():
                continue
            found = _CONDITION.fullmatch(rest)
            if found is None:
                raise _Bad
            conditions.append(_field_condition(found[1], found[2]))
        alternatives.append(conditions)
    return lambda value: any(all(holds(value) for holds in conditions) for conditions in alternatives)


def _field_condition(symbol: str, text: str) -> Callable[[str], bool]:
    kind = "quoted" if text.startswith('"') else "regex" if text.startswith("%") else "word"
    matches = _value(symbol.lstrip("!"), kind, text)
    if symbol in _COMPARE:
        return lambda value: (number := _number(value)) is not None and matches(number)

    def equal(value: str) -> bool:
        number = _number(value)
        return matches(value) or (kind == "word" and number is not None and matches(number))

    return (lambda value: not equal(value)) if symbol == "!=" else equal
