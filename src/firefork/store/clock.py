"""The one place for the time and for identifiers."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Final

_bits: Final = random.Random().getrandbits


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """A random UUID in its usual form. Unique, but no secret: asking the kernel each time would cost more."""
    return str(uuid.UUID(int=_bits(128), version=4))
