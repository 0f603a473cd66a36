"""Where the statements of a document stand in its text, as the policy simulator tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, both from one on."""

    line: int
    column: int


def statement_positions(text: str) -> list[tuple[Position, Position]]:
    """Beginning and end of each statement of a valid document, in order, as AWS's answers have them.

    A statement begins where its reader stood before it: behind the bracket of the list or the statement before, and
    one alone behind its own brace. Published answers: AWS CLI's examples of simulate-custom-policy, AdministratorAccess
    in several public repositories, and ScottLogic/blog#308.
    """
    decoder = json.JSONDecoder()
    at = _after_space(text, text.index("{") + 1)
    while True:
        name, at = decoder.raw_decode(text, at)
        at = _after_space(text, at)
        if name == "Statement":
            break
        _, at = decoder.raw_decode(text, at)
        at = _after_space(text, at)
    if text[at] != "[":
        _, end = decoder.raw_decode(text, at)
        return [(_position(text, at + 1), _position(text, end))]
    found = []
    end = at + 1
    while text[at := _after_space(text, end)] != "]":
        begin = end
        _, end = decoder.raw_decode(text, at)
        found.append((_position(text, begin), _position(text, end)))
    return found


def _after_space(text: str, at: int) -> int:
    while text[at] in " \t\r\n,:":
        at += 1
    return at


def _position(text: str, at: int) -> Position:
    return Position(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
