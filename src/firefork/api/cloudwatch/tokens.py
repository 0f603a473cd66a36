"""The tokens by which an answer is continued: how much of the whole was told before."""

from __future__ import annotations

import base64
import binascii

from firefork.aws.errors import InvalidNextToken


def token(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def read_token(text: str | None) -> int:
    """0 without a token. Raises InvalidNextToken."""
    if not text:
        return 0
    try:
        found = base64.urlsafe_b64decode(text.encode()).decode("ascii")
    except (binascii.Error, ValueError):
        found = ""
    if not found.isdecimal():
        raise InvalidNextToken("The nextToken is invalid.")
    return int(found)
