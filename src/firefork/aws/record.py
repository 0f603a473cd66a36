"""Values of which every invoke makes a dozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A dataclass with slots and keywords that the type checker takes for frozen, and Python does not.

    Frozen for Python, too, it would be made in two to three times the time; all of them together were a twentieth of
    what the server did for a warm invoke. Values that are hashed are frozen dataclasses as everywhere.
    """
    return dataclass(slots=True, kw_only=True)(cls)
