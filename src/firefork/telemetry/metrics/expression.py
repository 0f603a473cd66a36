"""The syntax of metric math. AWS: CloudWatch user guide, "Using math expressions with CloudWatch metrics"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


class BadExpression(ValueError):
    """Why an expression cannot be read or computed."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """Another query by its id, or a word that a function takes."""

    name: str


@dataclass(frozen=True, slots=True)
class Binary:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    """In capital letters."""
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    items: tuple[Node, ...]


Node = Number | Text | Name | Binary | Function | Listed

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"]*\"|'[^']*')|(?P<sign>&&|\|\||[<>=!]=|[-+*/^()<>,\[\]]))"
)
_LEVELS: Final = (("||", "OR"), ("&&", "AND"), ("<", "<=", ">", ">=", "==", "!="), ("+", "-"), ("*", "/"))
"""Binary operators, the loosest first; ``^`` binds tighter than all, and to the right."""
_WORDS: Final = {"OR": "||", "AND": "&&"}
_DEPTH_LIMIT: Final = 64


def parse(text: str) -> Node:
    """Raises BadExpression."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None:
                raise BadExpression(f"unexpected character at position {position + 1}")
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
            position = found.end()
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._binary(0)
        if self._at < len(self._tokens):
            raise BadExpression(f"unexpected '{self._tokens[self._at][1]}'")
        return found

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "end of the expression")

    def _take(self, *signs: str) -> str | None:
        kind, text = self._next()
        if kind in ("sign", "name") and text in signs:
            self._at += 1
            return text
        return None

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        found = self._binary(level + 1)
        while sign := self._take(*_LEVELS[level]):
            found = Binary(_WORDS.get(sign, sign), found, self._binary(level + 1))
        return found

    def _unary(self) -> Node:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise BadExpression("it is nested too deeply")
        if self._take("-"):
            found: Node = Binary("-", Number(0.0), self._unary())
        else:
            self._take("+")
            found = self._primary()
            if self._take("^"):
                found = Binary("^", found, self._unary())
        self._depth -= 1
        return found

    def _primary(self) -> Node:
        kind, text = self._next()
        self._at += 1
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name":
            return Function(text.upper(), self._items(")")) if self._take("(") else Name(text)
        if text == "[":
            return Listed(self._items("]"))
        if text == "(" and kind == "sign":
            (found,) = self._items(")", most=1) or (None,)
            if found is not None:
                return found
        raise BadExpression(f"unexpected {text if kind == 'end' else repr(text)}")

    def _items(self, end: str, *, most: int = 64) -> tuple[Node, ...]:
        """What stands between brackets, of which the first is taken."""
        items: list[Node] = []
        if self._take(end):
            return ()
        while True:
            items.append(self._binary(0))
            if self._take(end):
                return tuple(items)
            if len(items) == most or not self._take(","):
                raise BadExpression(f"expected '{end}', found {self._next()[1]}")


def names_in(node: Node) -> set[str]:
    """The ids of other queries in an expression; words that functions take are in capital letters."""
    if isinstance(node, Name):
        return {node.name} if node.name[0].islower() else set()
    if isinstance(node, Binary):
        return names_in(node.left) | names_in(node.right)
    below = node.arguments if isinstance(node, Function) else node.items if isinstance(node, Listed) else ()
    return {name for part in below for name in names_in(part)}
