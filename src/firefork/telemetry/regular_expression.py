"""Searching with the regular expressions of users: some take longer with every character, without end."""

from __future__ import annotations

from typing import Final

import regex

_PATIENCE_S: Final = 0.5
"""Of one search."""


class ExpressionTooSlow(Exception):
    """A search did not come to an end; the message is the expression."""


def search(pattern: regex.Pattern[str], text: str) -> regex.Match[str] | None:
    """Raises ExpressionTooSlow."""
    try:
        return pattern.search(text, timeout=_PATIENCE_S)
    except TimeoutError:
        raise ExpressionTooSlow(pattern.pattern) from None
