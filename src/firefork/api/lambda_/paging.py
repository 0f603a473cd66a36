"""Pages of lists: opaque markers, and how long a page may be."""

from __future__ import annotations

import base64
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
    if not request.get("Marker"):
        return None
    match _read(request["Marker"]):
        case str(text):
            return text
        case _:
            raise _invalid()


def number_after(request: Mapping[str, Any]) -> int | None:
    """The same for lists in order of one number."""
    if not request.get("Marker"):
        return None
    match _read(request["Marker"]):
        case int(number) if not isinstance(number, bool):
            return number
        case _:
            raise _invalid()


def version_after(request: Mapping[str, Any]) -> tuple[str, int] | None:
    """The same for lists in order of a name and a version's number."""
    if not request.get("Marker"):
        return None
    match _read(request["Marker"]):
        case [str(name), int(number)] if not isinstance(number, bool):
            return name, number
        case _:
            raise _invalid()


def _read(marker_text: str) -> object:
    try:
        return json.loads(base64.urlsafe_b64decode(marker_text))
    except ValueError:  # binascii.Error is one
        raise _invalid() from None


def _invalid() -> InvalidParameterValue:
    return InvalidParameterValue("Invalid pagination token")
