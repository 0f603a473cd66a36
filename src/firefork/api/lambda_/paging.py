"""Pages of lists: opaque markers, and how long a page may be."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from firefork.aws.errors import InvalidParameterValue

_LONGEST_PAGE: Final = 50
"""Whatever the caller asks for. AWS: API reference, ListFunctions."""


def limit(request: Mapping[str, Any]) -> int:
    """How many items the next page has at most."""
    return min(request.get("MaxItems") or _LONGEST_PAGE, _LONGEST_PAGE)


def marker(position: object) -> str | None:
    """An opaque page marker, ``None`` at the end."""
    if position is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def text_after(request: Mapping[str, Any]) -> str | None:
    """Where the page begins, for lists in order of one text. Raises InvalidParameterValue."""
    found = _read(request)
    if found is not None and not isinstance(found, str):
        raise _invalid()
    return found


def number_after(request: Mapping[str, Any]) -> int | None:
    """The same for lists in order of one number."""
    found = _read(request)
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise _invalid()
    return found


def version_after(request: Mapping[str, Any]) -> tuple[str, int] | None:
    """The same for lists in order of a name and a version's number."""
    found = _read(request)
    if found is None:
        return None
    match found:
        case [str(name), int(number)]:
            return name, number
        case _:
            raise _invalid()


def _read(request: Mapping[str, Any]) -> Any:
    text = request.get("Marker")
    if not text:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError):
        raise _invalid() from None


def _invalid() -> InvalidParameterValue:
    return InvalidParameterValue("Invalid pagination token")
