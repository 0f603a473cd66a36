"""What is known about a request: the values that conditions and policy variables refer to."""

from __future__ import annotations

from typing import Protocol

Value = str | tuple[str, ...]
"""One value, or all values of a multivalued key."""


class Context(Protocol):
    """Condition keys by name in lower case; a dict is one. AWS: IAM User Guide, "Request context"."""

    def get(self, key: str, /) -> Value | None:
        """The key's value, ``None`` if the request does not have the key."""
