"""Who asks, as the Principal element of a policy sees it. AWS: IAM User Guide, "Policy elements: Principal"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root|(\d{12})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A principal of a request."""

    arn: str
    """``arn:aws:iam::…:user/NAME``, ``arn:aws:sts::…:assumed-role/ROLE/SESSION``; a service's name for a service."""
    account: str | None
    """``None`` for a service."""
    role_arn: str | None = None
    """The role of a session, with its path."""

    @classmethod
    def of_service(cls, name: str) -> Caller:
        """``Caller.of_service("lambda.amazonaws.com")``."""
        return cls(arn=name, account=None)


class Naming(IntEnum):
    """How exactly a Principal element names a caller; what that is worth depends on it."""

    NOT = 0
    ACCOUNT = 1
    """The whole account: it only delegates, an identity policy has to allow as well."""
    ROLE = 2
    """The role: a boundary and a session policy still limit its sessions."""
    ITSELF = 3
    """The user, the session or the service."""


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal or NotPrincipal element."""

    everybody: bool
    accounts: frozenset[str]
    arns: frozenset[str]
    services: frozenset[str]
    excluded: bool
    """NotPrincipal: all but these."""

    def naming(self, caller: Caller) -> Naming:
        if self.excluded:
            # An account in the list only stands for its root user: others must be listed themselves.
            root = caller.arn.endswith(":root") and caller.account in self.accounts
            listed = self.everybody or root or self._naming(caller) > Naming.ACCOUNT
            return Naming.NOT if listed else Naming.ITSELF
        return self._naming(caller)

    def _naming(self, caller: Caller) -> Naming:
        if caller.account is None:
            return Naming.ITSELF if self.everybody or caller.arn in self.services else Naming.NOT
        if caller.arn in self.arns:
            return Naming.ITSELF
        if caller.role_arn is not None and (self.everybody or caller.role_arn in self.arns):
            return Naming.ROLE
        if self.everybody:
            return Naming.ITSELF
        return Naming.ACCOUNT if caller.account in self.accounts else Naming.NOT


EVERYBODY: Final = Principals(True, frozenset(), frozenset(), frozenset(), excluded=False)


def principals(entries: dict[str, tuple[str, ...]], *, excluded: bool) -> Principals:
    """From ``{"AWS": ("123456789012",), "Service": (…)}``; ``{"AWS": ("*",)}`` is everybody."""
    everybody, accounts, arns = False, set(), set()
    for value in entries.get("AWS", ()):
        if value == "*":
            everybody = True
        elif (found := _ROOT.fullmatch(value)) is not None:
            accounts.add(found[1] or found[2])
        else:
            arns.add(value)
    services = frozenset(entries.get("Service", ()))
    return Principals(everybody, frozenset(accounts), frozenset(arns), services, excluded)
