"""Pages of lists: a limit, and a token that is where the page before ended."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from firefork.aws.errors import SchemasBadRequest

_MOST: Final = 100
_Item = TypeVar("_Item")


def start_of(request: dict[str, Any]) -> str:
    """What the page before ended with; empty for the first. Raises SchemasBadRequest."""
    token = request.get("NextToken")
    if not token:
        return ""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise SchemasBadRequest("The NextToken is invalid.") from None


def limit_of(request: dict[str, Any]) -> int:
    """Raises SchemasBadRequest."""
    limit = request.get("Limit")
    if limit is None:
        return _MOST
    if not 1 <= limit <= _MOST:
        raise SchemasBadRequest(f"Limit must be between 1 and {_MOST}.")
    return int(limit)


def page(found: Sequence[_Item], limit: int, key: Callable[[_Item], str]) -> tuple[Sequence[_Item], str | None]:
    """Of one more than ``limit``, those that fit and the token for the rest."""
    if len(found) <= limit:
        return found, None
    return found[:limit], base64.urlsafe_b64encode(key(found[limit - 1]).encode()).decode()
