"""The decision about one request. AWS: IAM User Guide, "Policy evaluation logic" and its pages on single and cross
account evaluation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from firefork.identity.callers import Caller, Naming
from firefork.identity.context import Context
from firefork.identity.document import Policy, Statement


class Source(Enum):
    """The kinds of policies, as refusals name them."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"


class Effect(Enum):
    """What came out, as SimulatePrincipalPolicy names it."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What is attached to a caller."""

    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] | None = None
    """Policies given to AssumeRole: the session may do what one of them allows. ``None``: none were given."""
    unrestricted: bool = False
    """A root user, who needs no policy."""

    @property
    def keys(self) -> frozenset[str]:
        """Every condition key that a decision may depend on, in lower case."""
        parts = (*self.policies, *(self.session or ()), *((self.boundary,) if self.boundary else ()))
        keys: frozenset[str] = frozenset()
        return keys.union(*(policy.keys for policy in parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """Who wants to do what."""

    caller: Caller
    action: str
    """``lambda:InvokeFunction``."""
    resource: str
    """An ARN, or ``*`` for actions without a resource."""
    context: Context


@dataclass(frozen=True, slots=True)
class Match:
    """A statement that fitted the request."""

    source: Source
    policy: Policy
    statement: Statement


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, and which kind of policy it hung on."""

    effect: Effect
    source: Source
    matches: tuple[Match, ...]
    """Those that denied, or else those that allowed."""

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOWED


_ROOT: Final = Identity(unrestricted=True)
_ROOT_ALLOWED: Final = Decision(Effect.ALLOWED, Source.IDENTITY, ())


def evaluate(
    request: AccessRequest,
    identity: Identity,
    *,
    resource_policy: Policy | None,
    same_account: bool,
    consent_needed: bool = False,
) -> Decision:
    """Explicit denies first, then what allows. ``same_account``: the resource is of the caller's own account;
    ``consent_needed``: the resource's policy has to allow even there, as a role's trust policy has to.

    In the own account either side may allow; across accounts both have to. What the resource's policy gives to a user
    or session by name is not limited by what boundary and session policy leave out; what it gives to a role is.
    """
    if identity == _ROOT and same_account and resource_policy is None:
        return _ROOT_ALLOWED
    session, boundary = identity.session or (), (identity.boundary,) if identity.boundary is not None else ()
    by_identity = _matches(Source.IDENTITY, identity.policies, request)
    by_boundary = _matches(Source.BOUNDARY, boundary, request)
    by_session = _matches(Source.SESSION, session, request)
    by_resource = _matches(Source.RESOURCE, (resource_policy,) if resource_policy is not None else (), request)
    for found in (by_identity, by_resource, by_boundary, by_session):
        denies = tuple(match for match in found if not match.statement.allows)
        if denies:
            return Decision(Effect.EXPLICIT_DENY, denies[0].source, denies)
    naming = max((match.statement.naming(request.caller) for match in by_resource), default=Naming.NOT)
    within_boundary = identity.boundary is None or bool(by_boundary)
    within_session = identity.session is None or bool(by_session)
    granted = bool(by_identity) or identity.unrestricted
    if same_account and naming is Naming.ITSELF:
        return Decision(Effect.ALLOWED, Source.RESOURCE, tuple(by_resource))
    if not granted and not (same_account and naming is Naming.ROLE):
        return Decision(Effect.IMPLICIT_DENY, Source.IDENTITY, ())
    if not within_boundary:
        return Decision(Effect.IMPLICIT_DENY, Source.BOUNDARY, ())
    if not within_session:
        return Decision(Effect.IMPLICIT_DENY, Source.SESSION, ())
    if (consent_needed or not same_account) and naming is Naming.NOT:
        return Decision(Effect.IMPLICIT_DENY, Source.RESOURCE, ())
    return Decision(Effect.ALLOWED, Source.IDENTITY, (*by_identity, *by_resource))


def _matches(source: Source, policies: Iterable[Policy], request: AccessRequest) -> list[Match]:
    action = request.action.lower()
    return [
        Match(source, policy, statement)
        for policy in policies
        for statement in policy.statements
        if (statement.principals is None or statement.naming(request.caller) is not Naming.NOT)
        and statement.covers(action, request.resource, request.context)
    ]
