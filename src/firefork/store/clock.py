"""The one place for the time and for identifiers."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Final

_bits: Final = random.Random().getrandbits


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def random_hex(digits: int) -> str:
    """Random hexadecimal digits, no secret either."""
    return f"{_bits(4 * digits):0{digits}x}"


def new_id() -> str:
    """A random UUID in its usual form. Unique, but no secret: asking the kernel each time would cost more.

    RFC 9562, version 4. Written out here because every invoke needs two, and ``uuid`` takes four times as long.
    """
    text = f"{_bits(128) & _RANDOM | _VERSION:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


_RANDOM: Final = (1 << 128) - 1 & ~(0xF000 << 64) & ~(0xC000 << 48)
_VERSION: Final = 0x4000 << 64 | 0x8000 << 48
"""The bits of a UUID that say what it is: version 4, in RFC 9562's variant."""
