"""What a caller may do by the policies attached to it, compiled and kept until something in IAM changes."""

from __future__ import annotations

import dataclasses
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Final

from firefork.aws.principal import Principal, PrincipalType, Session
from firefork.aws.scope import Scope
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Entity, Group, Role, User
from firefork.catalog.keys import id_of_no_role, role_session
from firefork.identity import document as documents
from firefork.identity.callers import Caller
from firefork.identity.document import Kind, Policy
from firefork.identity.evaluation import AccessRequest, Decision, Identity, evaluate

_KEPT: Final = 4096
LAMBDA: Final = "lambda.amazonaws.com"


class RoleMode(Enum):
    """What a role that does not exist is worth."""

    RELAXED = "relaxed"
    """It may do everything in its account: an ARN copied from somewhere just works."""
    ENFORCE = "enforce"
    """It may do nothing, and no function can be made with it."""


@dataclass(frozen=True, kw_only=True)  # without slots: it keeps what it has worked out
class Known:
    """A caller with everything that decisions about it need."""

    caller: Caller
    identity: Identity
    tags: tuple[tuple[str, str], ...]
    """Of the user or role; a session's own win over the role's."""
    decided: dict[tuple[str, str, str | None], Decision] = field(default_factory=dict, compare=False)
    """Decisions that hold for as long as this value: by action, resource and the resource's policy."""

    @cached_property
    def keys(self) -> frozenset[str]:
        """The condition keys that its policies depend on."""
        return self.identity.keys

    @cached_property
    def needs_resource_tags(self) -> bool:
        return any(key.startswith("aws:resourcetag/") for key in self.keys)


class Identities:
    """Thread-safe. ``cached`` never blocks."""

    def __init__(self, directory: Directory, mode: RoleMode) -> None:
        self._directory = directory
        self._mode = mode
        self._lock = threading.Lock()
        self._known: dict[Principal, Known] = {}
        self._roles: dict[str, Role | None] = {}
        self._generation = 0
        directory.changed.append(self._forget)

    def cached(self, principal: Principal) -> Known | None:
        """What ``load`` gave, if nothing has changed since."""
        return self._known.get(principal)

    def load(self, principal: Principal) -> Known:
        """Read and compile what is attached to a caller; may block."""
        found = self._known.get(principal)
        if found is not None:
            return found
        with self._lock:
            generation = self._generation
        known = self._read(principal)
        with self._lock:
            # A change in the meantime makes this one outdated: it serves this request and is not kept.
            if generation == self._generation:
                if len(self._known) >= _KEPT:
                    self._known.clear()
                self._known[principal] = known
        return known

    def assumable_by_lambda(self, role_arn: str) -> bool:
        """Whether functions can be made with this role."""
        role = self.role(role_arn)
        if role is None:
            return self._mode is RoleMode.RELAXED
        caller = Caller.of_service(LAMBDA)
        request = AccessRequest(caller=caller, action="sts:AssumeRole", resource=role.arn, context={})
        trust = documents.compiled(role.trust_policy, Kind.TRUST)
        return evaluate(request, Identity(), resource_policy=trust, same_account=True).allowed

    def role(self, arn: str) -> Role | None:
        """A role by its ARN, path included."""
        account, resource = arn.split(":", 5)[4:]
        role = self._directory.find(Role, account, resource.rpartition("/")[2])
        return role if role is not None and role.arn == arn else None

    def function_session(self, role_arn: str, function: Scope, name: str) -> Principal:
        """Who the code of a function is: a session of its role. A role that does not exist is taken for one of the
        function's own account, so that an ARN copied from another account does not lead into that one.

        Reads the database once for each role, and again after something in IAM has changed.
        """
        with self._lock:
            generation = self._generation
            seen, role = role_arn in self._roles, self._roles.get(role_arn)
        if not seen:
            role = self.role(role_arn)
            with self._lock:
                if generation == self._generation:
                    self._roles[role_arn] = role
        if role is None:
            parts = role_arn.split(":", 5)
            role_arn = ":".join((*parts[:4], function.account, parts[5]))
        session = Session(
            issued_at_s=int(time.time()), role_arn=role_arn, function_arn=function.arn("lambda", f"function:{name}")
        )
        return role_session(role_arn, name, role_id=role.id if role is not None else None, session=session)

    @property
    def relaxed(self) -> bool:
        return self._mode is RoleMode.RELAXED

    def _forget(self) -> None:
        with self._lock:
            self._generation += 1
            self._known = {}
            self._roles = {}

    def _read(self, principal: Principal) -> Known:
        session = principal.session
        caller = Caller(arn=principal.arn, account=principal.account)
        limits = None
        if session is not None and session.policies is not None:
            limits = tuple(documents.compiled(text, Kind.IDENTITY) for text in session.policies)
        if principal.type is PrincipalType.ROOT:
            return Known(caller=caller, identity=Identity(unrestricted=True), tags=())
        if principal.type is PrincipalType.USER:
            user = self._directory.find(User, principal.account, principal.name)
            if user is None:
                return Known(caller=caller, identity=Identity(), tags=())
            groups = self._directory.containers(Group, user.account, user.name)
            policies = (
                *self._attached(User, user.account, user.name),
                *(policy for group in groups for policy in self._attached(Group, user.account, group)),
            )
            identity = Identity(policies=policies, boundary=self._boundary(user), session=limits)
            return Known(caller=caller, identity=identity, tags=tuple(user.tags.items()))
        role = self._directory.find(Role, principal.account, principal.name)
        if role is None:
            role_arn = session.role_arn if session is not None else None
            # A role that did exist took its sessions' rights along when it was deleted.
            never_was = role_arn is not None and principal.user_id.startswith(f"{id_of_no_role(role_arn)}:")
            return Known(
                caller=Caller(arn=principal.arn, account=principal.account, role_arn=role_arn),
                # Its session policies hold all the same: they are the caller's own wish.
                identity=Identity(unrestricted=self.relaxed and never_was, session=limits),
                tags=session.tags if session is not None else (),
            )
        tags = {**role.tags, **dict(session.tags if session else ())}
        return Known(
            caller=Caller(arn=principal.arn, account=principal.account, role_arn=role.arn),
            identity=Identity(
                policies=self._attached(Role, role.account, role.name), boundary=self._boundary(role), session=limits
            ),
            tags=tuple(tags.items()),
        )

    def _attached(self, kind: type[Entity], account: str, name: str) -> tuple[Policy, ...]:
        inline = self._directory.inline(kind, account, name).values()
        found = [documents.compiled(text, Kind.IDENTITY) for text in inline]
        for arn in self._directory.attached(kind, account, name):
            document = self._directory.document_of(account, arn)
            if document is not None:
                found.append(_managed(document, arn))
        return tuple(found)

    def _boundary(self, entity: Role | User) -> Policy | None:
        """A boundary that has been deleted allows nothing, as on AWS."""
        if entity.boundary_arn is None:
            return None
        document = self._directory.document_of(entity.account, entity.boundary_arn)
        return _managed(document or _NOTHING, entity.boundary_arn)


def _managed(text: str, arn: str) -> Policy:
    return dataclasses.replace(documents.compiled(text, Kind.IDENTITY), arn=arn)


_NOTHING: Final = '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'
