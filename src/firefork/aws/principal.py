"""Who signed a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The identity behind an access key. AWS: IAM User Guide, "IAM identifiers"."""

    account: str
    arn: str
    """``arn:aws:iam::000000000000:root`` or ``arn:aws:sts::…:assumed-role/ROLE/SESSION``."""
    user_id: str
    """What GetCallerIdentity shows as UserId: the account for root, ``AROA…:SESSION`` for a role session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An access key as SigV4 verification needs it."""

    access_key_id: str
    secret: str
    session_token: str | None
    expires_at_s: float | None
    """Epoch seconds; ``None`` for long-term keys."""
    principal: Principal
