"""Access key ids: random, and they tell the account they belong to, as AWS's do (STS: GetAccessKeyInfo)."""

from __future__ import annotations

import base64
import secrets
from typing import Final

_PREFIX_LENGTH: Final = 4
_NUMBER_SIZE: Final = 6
"""Bytes that hold the account: one set bit, 40 bits of account, 7 random bits."""
_SHIFT: Final = 7
_ACCOUNT_MASK: Final = (1 << 40) - 1
_MARK: Final = 1 << 47


def new_access_key_id(prefix: str, account: str) -> str:
    """``prefix`` is ``AKIA`` for long-term keys, ``ASIA`` for temporary ones."""
    number = _MARK | int(account) << _SHIFT | secrets.randbelow(1 << _SHIFT)
    raw = number.to_bytes(_NUMBER_SIZE, "big") + secrets.token_bytes(4)
    return prefix + base64.b32encode(raw).decode()


def account_of(access_key_id: str) -> str | None:
    """The account that an access key id tells, ``None`` if it is not of that form."""
    try:
        raw = base64.b32decode(access_key_id[_PREFIX_LENGTH:])
    except ValueError:
        return None
    if len(raw) < _NUMBER_SIZE:
        return None
    account = int.from_bytes(raw[:_NUMBER_SIZE], "big") >> _SHIFT & _ACCOUNT_MASK
    return f"{account:012d}" if account < 10**12 else None
