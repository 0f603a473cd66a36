"""Pages of IAM's lists: Marker and MaxItems. AWS: IAM API reference, "Common parameters" of the List operations."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from firefork.aws.errors import ValidationError

Item = TypeVar("Item")
_PAGE: Final = 100


def page(
    request: dict[str, Any], member: str, items: Sequence[Item], key: Callable[[Item], str], show: Callable[[Item], Any]
) -> dict[str, Any]:
    """The asked part of ``items`` in order of ``key``, as ``{member: …, "IsTruncated": …, "Marker": …}``.

    A marker names the last item of the page before, so what comes and goes in between shifts nothing.
    """
    items = sorted(items, key=key)  # databases sort texts in orders of their own
    marker = request.get("Marker")
    if marker is not None:
        after = _decoded(marker)
        items = [item for item in items if key(item) > after]
    size = request.get("MaxItems") or _PAGE
    shown = items[:size]
    answer: dict[str, Any] = {member: [show(item) for item in shown], "IsTruncated": len(items) > size}
    if len(items) > size:
        answer["Marker"] = base64.b64encode(key(shown[-1]).encode()).decode()
    return answer


def _decoded(marker: str) -> str:
    try:
        return base64.b64decode(marker, validate=True).decode()
    except ValueError:
        raise ValidationError("Invalid Marker.") from None
