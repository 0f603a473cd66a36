"""Who signed a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from firefork.aws.errors import ValidationError


class PrincipalType(Enum):
    """What ``aws:PrincipalType`` says."""

    ROOT = "Account"
    USER = "User"
    ROLE_SESSION = "AssumedRole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What temporary credentials carry besides the identity. AWS: STS API reference, AssumeRole."""

    issued_at_s: int
    """Epoch seconds."""
    role_arn: str | None = None
    """The assumed role with its path; ``None`` for a session of a user or of root (GetSessionToken)."""
    policies: tuple[str, ...] | None = None
    """Session policies as JSON; ``None`` if none were given."""
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    function_arn: str | None = None
    """The function whose execution environment got these credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The identity behind an access key. AWS: IAM User Guide, "IAM identifiers"."""

    account: str
    arn: str
    """``arn:aws:iam::000000000000:root`` or ``arn:aws:sts::…:assumed-role/ROLE/SESSION``."""
    user_id: str
    """What GetCallerIdentity shows as UserId: the account for root, ``AROA…:SESSION`` for a role session."""
    session: Session | None = None
    """``None`` for long-term keys."""

    @property
    def type(self) -> PrincipalType:
        resource = self.arn.rpartition(":")[2]
        if resource == "root":
            return PrincipalType.ROOT
        return PrincipalType.USER if resource.startswith("user/") else PrincipalType.ROLE_SESSION

    @property
    def name(self) -> str:
        """The user's or role's own name, without path; ``root``."""
        resource = self.arn.rpartition(":")[2]
        if self.type is PrincipalType.ROLE_SESSION:
            return resource.split("/")[1]
        return resource.rpartition("/")[2]

    def own_user_name(self) -> str:
        """The user that a request of IAM means when it names none: the caller.

        Raises ValidationError if the caller is no user.
        """
        if self.type is not PrincipalType.USER:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An access key as SigV4 verification needs it."""

    access_key_id: str
    secret: str = field(repr=False)
    session_token: str | None = field(repr=False)
    expires_at_s: float | None
    """Epoch seconds; ``None`` for long-term keys."""
    principal: Principal
