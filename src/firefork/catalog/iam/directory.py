"""The IAM of all accounts: what exists, what is attached to what, and the rules about it.

AWS: IAM API reference and "IAM and AWS STS quotas"; messages as recorded from the service (public test snapshots of
February 2026).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from firefork.aws.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
    UnmodifiableEntity,
    ValidationError,
)
from firefork.catalog.iam import aws_policies
from firefork.catalog.iam.entities import Entity, Group, InstanceProfile, ManagedPolicy, Role, User
from firefork.identity import document as documents
from firefork.identity.document import Kind
from firefork.store.changes import IAM
from firefork.store.clock import now, now_ms
from firefork.store.database import Database
from firefork.store.tables import (
    iam_access_keys,
    iam_attachments,
    iam_entities,
    iam_inline_policies,
    iam_members,
    iam_policy_versions,
)

E = TypeVar("E", bound=Entity)

_POLICY_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy(/(?:[!-~]*/)?)([\w+=,.@-]+)")
_VERSIONS: Final = 5
_TAGS: Final = 50
_ATTACHMENTS: Final[Mapping[str, int]] = {"role": 10, "user": 10, "group": 10}
_INLINE_SIZE: Final[Mapping[str, int]] = {"role": 10_240, "user": 2048, "group": 5120}
"""Characters of all inline policies of one entity, white space not counted."""
_ENTITIES: Final[Mapping[str, int]] = {
    "role": 1000,
    "user": 5000,
    "group": 300,
    "policy": 1500,
    "instance-profile": 1000,
}
_TRUST_SIZE: Final = 2048
_POLICY_SIZE: Final = 6144
_GROUPS_PER_USER: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One version of a managed policy."""

    number: int
    created: datetime
    document: str
    is_default: bool


class Directory:
    """Thread-safe; methods may block. Names and ARNs that are not there raise NoSuchEntity."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.changed: list[Callable[[], None]] = []
        """Called after every change, in the writer's thread."""

    # ---- entities

    def get(self, kind: type[E], account: str, name: str) -> E:
        with self._database.read() as connection:
            return _get(connection, kind, account, name)

    def find(self, kind: type[E], account: str, name: str) -> E | None:
        with self._database.read() as connection:
            return _find(connection, kind, account, name)

    def entities(self, kind: type[E], account: str, path_prefix: str = "/") -> list[E]:
        """In order of their names."""
        table = iam_entities.c
        query = select(table.name, table.path, table.document).where(
            table.account == account,
            table.kind == kind.kind,
            table.path.startswith(path_prefix, autoescape=True),
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.folded)).all()
        return [kind.from_row(account, row.name, row.path, row.document) for row in rows]

    def create(self, entity: Entity, *, document: str | None = None) -> None:
        """Store a new one; a managed policy comes with its first ``document``.

        Raises EntityAlreadyExists, LimitExceeded, InvalidInput, NoSuchEntity (a boundary that is not there).
        """
        check_tags(entity.tags, of_policy=isinstance(entity, ManagedPolicy))
        if isinstance(entity, Role):
            _check_trust_size(entity.trust_policy)
        with self._database.write(IAM) as connection:
            self._check_boundary(connection, entity)
            count = connection.execute(
                select(func.count()).where(_is(iam_entities, entity.account, entity.kind))
            ).scalar_one()
            if count >= _ENTITIES[entity.kind]:
                noun = {"instance-profile": "InstanceProfiles", "policy": "Policies"}.get(
                    entity.kind, f"{entity.kind.capitalize()}s"
                )
                raise LimitExceeded(f"Cannot exceed quota for {noun}PerAccount: {_ENTITIES[entity.kind]}")
            _insert(connection, entity)
            if isinstance(entity, ManagedPolicy):
                assert document is not None
                _check_policy_size(document)
                _insert_version(connection, entity, 1, document)
        self._announce()

    def change(self, kind: type[E], account: str, name: str, make: Callable[[E], E]) -> E:
        """Replace an entity by what ``make`` makes of it; a new name renames it everywhere.

        Raises EntityAlreadyExists, InvalidInput, LimitExceeded, UnmodifiableEntity.
        """
        with self._database.write(IAM) as connection:
            before = _get(connection, kind, account, name)
            check_modifiable(before)
            after = make(before)
            check_tags(after.tags, of_policy=isinstance(after, ManagedPolicy))
            if isinstance(after, Role):
                _check_trust_size(after.trust_policy)
            self._check_boundary(connection, after)
            connection.execute(delete(iam_entities).where(_is(iam_entities, account, kind.kind, name=name)))
            _insert(connection, after)
            if after.name != name:
                _rename(connection, before, after.name)
        self._announce()
        return after

    def delete(self, kind: type[Entity], account: str, name: str, *, even_protected: bool = False) -> None:
        """Raises DeleteConflict while something is attached; UnmodifiableEntity for a service-linked role."""
        with self._database.write(IAM) as connection:
            entity = _get(connection, kind, account, name)
            if not even_protected:
                check_modifiable(entity)
            _check_unused(connection, entity)
            connection.execute(delete(iam_entities).where(_is(iam_entities, account, kind.kind, name=name)))
            versions = iam_policy_versions.c
            if isinstance(entity, ManagedPolicy):
                connection.execute(
                    delete(iam_policy_versions).where(versions.account == account, versions.name == name)
                )
        self._announce()

    def _check_boundary(self, connection: Connection, entity: Entity) -> None:
        boundary = entity.boundary_arn if isinstance(entity, Role | User) else None
        if boundary is None:
            return
        if not _POLICY_ARN.fullmatch(boundary):
            raise InvalidInput(f"ARN {boundary} is not valid.")
        if not _policy_exists(connection, entity.account, boundary):
            raise NoSuchEntity(f"Scope ARN: {boundary} does not exist or is not attachable.")

    # ---- inline policies

    def put_inline(self, kind: type[Entity], account: str, owner: str, name: str, document: str) -> None:
        """Raises MalformedPolicyDocument, LimitExceeded."""
        documents.compiled(document, Kind.IDENTITY)
        where = _is(iam_inline_policies, account, kind.kind, owner=owner)
        with self._database.write(IAM) as connection:
            check_modifiable(_get(connection, kind, account, owner))
            others = connection.execute(
                select(iam_inline_policies.c.document).where(where, iam_inline_policies.c.name != name)
            ).scalars()
            limit = _INLINE_SIZE[kind.kind]
            if sum(map(_size, others)) + _size(document) > limit:
                raise LimitExceeded(f"Maximum policy size of {limit} bytes exceeded for {kind.kind} {owner}")
            connection.execute(delete(iam_inline_policies).where(where, iam_inline_policies.c.name == name))
            connection.execute(
                insert(iam_inline_policies).values(
                    account=account, kind=kind.kind, owner=owner, name=name, document=document
                )
            )
        self._announce()

    def inline(self, kind: type[Entity], account: str, owner: str) -> dict[str, str]:
        """Documents by name, in order."""
        table = iam_inline_policies.c
        query = select(table.name, table.document).where(_is(iam_inline_policies, account, kind.kind, owner=owner))
        with self._database.read() as connection:
            _get(connection, kind, account, owner)
            rows = connection.execute(query.order_by(table.name)).all()
        return {row.name: row.document for row in rows}

    def get_inline(self, kind: type[Entity], account: str, owner: str, name: str) -> str:
        found = self.inline(kind, account, owner).get(name)
        if found is None:
            raise NoSuchEntity(f"The {kind.kind} policy with name {name} cannot be found.")
        return found

    def delete_inline(self, kind: type[Entity], account: str, owner: str, name: str) -> None:
        with self._database.write(IAM) as connection:
            check_modifiable(_get(connection, kind, account, owner))
            where = _is(iam_inline_policies, account, kind.kind, owner=owner)
            done = connection.execute(delete(iam_inline_policies).where(where, iam_inline_policies.c.name == name))
            if not done.rowcount:
                raise NoSuchEntity(f"The {kind.kind} policy with name {name} cannot be found.")
        self._announce()

    # ---- managed policies

    def policy(self, account: str, arn: str) -> ManagedPolicy:
        """By ARN, AWS's own included. Raises NoSuchEntity, ValidationError."""
        with self._database.read() as connection:
            found = _policy(connection, account, arn)
        if found is None:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return found

    def own_policy(self, account: str, arn: str) -> ManagedPolicy:
        """One that the account may change. Raises NoSuchEntity; AccessDenied is the front door's affair."""
        found = self.policy(account, arn)
        if found.account != account:
            raise NoSuchEntity(f"Policy {arn} was not found.")
        return found

    def document_of(self, account: str, arn: str) -> str | None:
        """The default version's document, ``None`` if there is no such policy."""
        own = aws_policies.find(arn)
        if own is not None:
            return own.document
        with self._database.read() as connection:
            found = _policy(connection, account, arn)
            if found is None:
                return None
            return _version(connection, found, found.default_version)

    def versions(self, account: str, arn: str) -> Sequence[PolicyVersion]:
        """Newest first."""
        policy = self.policy(account, arn)
        own = aws_policies.find(arn)
        if own is not None:
            number = policy.default_version
            return [PolicyVersion(number=number, created=policy.updated, document=own.document, is_default=True)]
        table = iam_policy_versions.c
        query = select(table.number, table.created_ms, table.document).where(
            table.account == account, table.name == policy.name
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.number.desc())).all()
        return [
            PolicyVersion(
                number=row.number,
                created=datetime.fromtimestamp(row.created_ms / 1000, UTC),
                document=row.document,
                is_default=row.number == policy.default_version,
            )
            for row in rows
        ]

    def version(self, account: str, arn: str, number: int) -> PolicyVersion:
        missing = NoSuchEntity(f"Policy {arn} version v{number} does not exist or is not attachable.")
        try:
            found = next((one for one in self.versions(account, arn) if one.number == number), None)
        except NoSuchEntity:
            raise missing from None
        if found is None:
            raise missing
        return found

    def create_version(self, account: str, arn: str, document: str, *, as_default: bool) -> PolicyVersion:
        """Raises MalformedPolicyDocument, LimitExceeded."""
        documents.compiled(document, Kind.IDENTITY)
        _check_policy_size(document)
        policy = self.own_policy(account, arn)
        table = iam_policy_versions.c
        with self._database.write(IAM) as connection:
            policy = _get(connection, ManagedPolicy, account, policy.name)
            count = connection.execute(
                select(func.count()).where(table.account == account, table.name == policy.name)
            ).scalar_one()
            if count >= _VERSIONS:
                raise LimitExceeded(
                    f"A managed policy can have up to {_VERSIONS} versions. Before you create a new version, you must "
                    "delete an existing version."
                )
            number = policy.last_version + 1
            _insert_version(connection, policy, number, document)
            default = number if as_default else policy.default_version
            _replace(
                connection,
                dataclasses.replace(policy, last_version=number, default_version=default, updated=now()),
            )
        self._announce()
        return self.version(account, arn, number)

    def delete_version(self, account: str, arn: str, number: int) -> None:
        """Raises DeleteConflict for the default version."""
        version = self.version(account, arn, number)
        if version.is_default:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        name = self.own_policy(account, arn).name
        table = iam_policy_versions.c
        with self._database.write(IAM) as connection:
            connection.execute(
                delete(iam_policy_versions).where(table.account == account, table.name == name, table.number == number)
            )
        self._announce()

    def set_default_version(self, account: str, arn: str, number: int) -> None:
        self.version(account, arn, number)
        name = self.own_policy(account, arn).name
        with self._database.write(IAM) as connection:
            policy = _get(connection, ManagedPolicy, account, name)
            _replace(connection, dataclasses.replace(policy, default_version=number, updated=now()))
        self._announce()

    # ---- attachments

    def attach(self, kind: type[Entity], account: str, owner: str, arn: str) -> None:
        """Attaching twice is no error. Raises ValidationError, LimitExceeded."""
        where = _is(iam_attachments, account, kind.kind, owner=owner)
        with self._database.write(IAM) as connection:
            check_modifiable(_get(connection, kind, account, owner))
            if not _policy_exists(connection, account, arn):
                raise not_attachable(arn)
            attached = set(connection.execute(select(iam_attachments.c.policy_arn).where(where)).scalars())
            if arn in attached:
                return
            limit = _ATTACHMENTS[kind.kind]
            if len(attached) >= limit:
                raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{kind.kind.capitalize()}: {limit}")
            connection.execute(
                insert(iam_attachments).values(account=account, kind=kind.kind, owner=owner, policy_arn=arn)
            )
        self._announce()

    def detach(self, kind: type[Entity], account: str, owner: str, arn: str) -> None:
        with self._database.write(IAM) as connection:
            check_modifiable(_get(connection, kind, account, owner))
            where = _is(iam_attachments, account, kind.kind, owner=owner)
            done = connection.execute(delete(iam_attachments).where(where, iam_attachments.c.policy_arn == arn))
            if not done.rowcount:
                raise NoSuchEntity(f"Policy {arn} was not found.")
        self._announce()

    def attached(self, kind: type[Entity], account: str, owner: str) -> list[str]:
        """ARNs of the attached policies, in order."""
        table = iam_attachments.c
        with self._database.read() as connection:
            _get(connection, kind, account, owner)
            query = select(table.policy_arn).where(_is(iam_attachments, account, kind.kind, owner=owner))
            return list(connection.execute(query.order_by(table.policy_arn)).scalars())

    def attached_to(self, account: str, arn: str) -> list[tuple[str, str]]:
        """Kind and name of every entity that a policy is attached to."""
        table = iam_attachments.c
        query = select(table.kind, table.owner).where(table.account == account, table.policy_arn == arn)
        with self._database.read() as connection:
            return [(row.kind, row.owner) for row in connection.execute(query.order_by(table.kind, table.owner))]

    def attachment_counts(self, account: str) -> dict[str, int]:
        """How many entities each attached policy is attached to, by ARN."""
        table = iam_attachments.c
        query = select(table.policy_arn, func.count()).where(table.account == account).group_by(table.policy_arn)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def bounded_by(self, account: str, arn: str) -> list[Role | User]:
        """Whose permissions boundary a policy is."""
        return [entity for entity in self._bounded(account) if entity.boundary_arn == arn]

    def boundary_arns(self, account: str) -> list[str]:
        """The boundary of every role and user that has one."""
        return [entity.boundary_arn for entity in self._bounded(account) if entity.boundary_arn is not None]

    def _bounded(self, account: str) -> list[Role | User]:
        return [*self.entities(Role, account), *self.entities(User, account)]

    # ---- members

    def add_member(self, kind: type[Group | InstanceProfile], account: str, container: str, member: str) -> None:
        """A user into a group (twice is no error), a role into an instance profile (which holds one)."""
        with self._database.write(IAM) as connection:
            inner: type[Entity] = User if kind is Group else Role
            _get(connection, kind, account, container)
            _get(connection, inner, account, member)
            table = iam_members.c
            inside = connection.execute(
                select(table.member).where(_is(iam_members, account, kind.kind, container=container))
            ).scalars()
            present = set(inside)
            if kind is InstanceProfile and present:
                raise LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
            if member in present:
                return
            if kind is Group:
                groups = connection.execute(
                    select(func.count()).where(_is(iam_members, account, kind.kind, member=member))
                ).scalar_one()
                if groups >= _GROUPS_PER_USER:
                    raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {_GROUPS_PER_USER}")
            connection.execute(
                insert(iam_members).values(account=account, kind=kind.kind, container=container, member=member)
            )
        self._announce()

    def remove_member(self, kind: type[Group | InstanceProfile], account: str, container: str, member: str) -> None:
        with self._database.write(IAM) as connection:
            if kind is Group:
                # The user is looked for first, as recorded.
                _get(connection, User, account, member)
                _get(connection, Group, account, container)
            else:
                _get(connection, InstanceProfile, account, container)
                _get(connection, Role, account, member)
            done = connection.execute(
                delete(iam_members).where(_is(iam_members, account, kind.kind, container=container, member=member))
            )
            if kind is InstanceProfile and not done.rowcount:
                raise NoSuchEntity(f"Role {member} in Instance Profile {container} cannot be found.")
        self._announce()

    def members(self, kind: type[Group | InstanceProfile], account: str, container: str) -> list[str]:
        with self._database.read() as connection:
            _get(connection, kind, account, container)
            query = select(iam_members.c.member).where(_is(iam_members, account, kind.kind, container=container))
            return list(connection.execute(query.order_by(iam_members.c.member)).scalars())

    def containers(self, kind: type[Group | InstanceProfile], account: str, member: str) -> list[str]:
        """The groups of a user, the instance profiles of a role."""
        with self._database.read() as connection:
            _get(connection, User if kind is Group else Role, account, member)
            query = select(iam_members.c.container).where(_is(iam_members, account, kind.kind, member=member))
            return list(connection.execute(query.order_by(iam_members.c.container)).scalars())

    # ---- what an account has one of

    def setting(self, account: str, kind: str) -> tuple[str, dict[str, Any]] | None:
        """Its name and what was stored with it: the account's alias, its password policy."""
        query = select(iam_entities.c.name, iam_entities.c.document).where(_is(iam_entities, account, kind))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.name, json.loads(row.document))

    def put_setting(
        self, account: str, kind: str, name: str, document: Mapping[str, Any], *, taken: Exception | None = None
    ) -> None:
        """In place of the one before. Raises ``taken`` if any account has one of that name."""
        table = iam_entities.c
        with self._database.write(IAM) as connection:
            same = select(table.account).where(table.kind == kind, table.name == name).limit(1)
            if taken is not None and connection.execute(same).first() is not None:
                raise taken
            connection.execute(delete(iam_entities).where(_is(iam_entities, account, kind)))
            values = {"account": account, "kind": kind, "name": name, "folded": name.lower(), "path": "/"}
            connection.execute(insert(iam_entities).values(**values, document=json.dumps(document)))
        self._announce()

    def drop_setting(self, account: str, kind: str, name: str) -> bool:
        """Whether there was one of that name."""
        with self._database.write(IAM) as connection:
            done = connection.execute(delete(iam_entities).where(_is(iam_entities, account, kind, name=name)))
        self._announce()
        return bool(done.rowcount)

    def heard(self) -> None:
        """Another node changed something."""
        self._announce()

    def _announce(self) -> None:
        for listener in self.changed:
            listener()


# ---- rules


def check_modifiable(entity: Entity) -> None:
    """Service-linked roles belong to their service. Raises UnmodifiableEntity."""
    if isinstance(entity, Role) and entity.service_linked:
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{entity.name}' - this role is only modifiable by AWS"
        )


def tags_from(entries: Sequence[Mapping[str, str]], *, of_policy: bool = False) -> dict[str, str]:
    """``[{"Key": …, "Value": …}]`` as a mapping. Raises InvalidInput for a key given twice."""
    keys = [entry["Key"] if of_policy else entry["Key"].lower() for entry in entries]
    if len(keys) != len(set(keys)):
        raise InvalidInput(_duplicate_tags(of_policy))
    return {entry["Key"]: entry["Value"] for entry in entries}


def check_tags(tags: Mapping[str, str], *, of_policy: bool) -> None:
    """Raises LimitExceeded, InvalidInput. Only the keys of policies' tags differ by case."""
    if len(tags) > _TAGS:
        raise LimitExceeded("The number of tags has reached the maximum limit.")
    if not of_policy and len({key.lower() for key in tags}) != len(tags):
        raise InvalidInput(_duplicate_tags(of_policy))
    reserved = [key for key in tags if key.lower().startswith("aws:")]
    if reserved:
        raise InvalidInput("aws: prefixed tag key names are not allowed for external use.")


def _duplicate_tags(of_policy: bool) -> str:
    hint = "" if of_policy else " Please note that Tag keys are case insensitive."
    return f"Duplicate tag keys found.{hint}"


def _size(document: str) -> int:
    return len(re.sub(r"\s", "", document))


def _check_trust_size(document: str) -> None:
    if _size(document) > _TRUST_SIZE:
        raise LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {_TRUST_SIZE}")


def _check_policy_size(document: str) -> None:
    if _size(document) > _POLICY_SIZE:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {_POLICY_SIZE}")


def not_attachable(arn: str) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")


def _missing(kind: type[Entity], name: str) -> NoSuchEntity:
    if kind is InstanceProfile:
        return NoSuchEntity(f"Instance Profile {name} cannot be found.")
    return NoSuchEntity(f"The {kind.kind} with name {name} cannot be found.")


def _taken(entity: Entity) -> EntityAlreadyExists:
    if isinstance(entity, InstanceProfile):
        return EntityAlreadyExists(f"Instance Profile {entity.name} already exists.")
    if isinstance(entity, ManagedPolicy):
        return EntityAlreadyExists(f"A policy called {entity.name} already exists. Duplicate names are not allowed.")
    return EntityAlreadyExists(f"{entity.kind.capitalize()} with name {entity.name} already exists.")


def _check_unused(connection: Connection, entity: Entity) -> None:
    account, kind, name = entity.account, entity.kind, entity.name

    def any_of(table: Table, *conditions: Any) -> bool:
        return connection.execute(select(table.c.account).where(*conditions).limit(1)).first() is not None

    if isinstance(entity, ManagedPolicy):
        table = iam_attachments.c
        if any_of(iam_attachments, table.account == account, table.policy_arn == entity.arn):
            raise DeleteConflict("Cannot delete a policy attached to entities.")
        versions = iam_policy_versions.c
        count = connection.execute(
            select(func.count()).where(versions.account == account, versions.name == name)
        ).scalar_one()
        if count > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        return
    if isinstance(entity, Role) and any_of(iam_members, _is(iam_members, account, "instance-profile", member=name)):
        raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
    if isinstance(entity, InstanceProfile):
        if any_of(iam_members, _is(iam_members, account, kind, container=name)):
            raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
        return
    if isinstance(entity, Group) and any_of(iam_members, _is(iam_members, account, kind, container=name)):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if isinstance(entity, User):
        if any_of(iam_members, _is(iam_members, account, "group", member=name)):
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        keys = iam_access_keys.c
        if any_of(iam_access_keys, keys.account == account, keys.user == name):
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    if any_of(iam_attachments, _is(iam_attachments, account, kind, owner=name)):
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if any_of(iam_inline_policies, _is(iam_inline_policies, account, kind, owner=name)):
        raise DeleteConflict("Cannot delete entity, must delete policies first.")


# ---- rows


def _is(table: Table, account: str, kind: str, **columns: str) -> Any:
    return and_(
        table.c.account == account,
        table.c.kind == kind,
        *(table.c[name] == value for name, value in columns.items()),
    )


def _find(connection: Connection, kind: type[E], account: str, name: str) -> E | None:
    table = iam_entities.c
    row = connection.execute(
        select(table.path, table.document).where(_is(iam_entities, account, kind.kind, name=name))
    ).first()
    return None if row is None else kind.from_row(account, name, row.path, row.document)


def _get(connection: Connection, kind: type[E], account: str, name: str) -> E:
    found = _find(connection, kind, account, name)
    if found is None:
        raise _missing(kind, name)
    return found


def _insert(connection: Connection, entity: Entity) -> None:
    try:
        connection.execute(
            insert(iam_entities).values(
                account=entity.account,
                kind=entity.kind,
                name=entity.name,
                folded=entity.name.lower(),
                path=entity.path,
                document=entity.to_document(),
            )
        )
    except IntegrityError:
        raise _taken(entity) from None


def _replace(connection: Connection, entity: Entity) -> None:
    connection.execute(
        update(iam_entities)
        .where(_is(iam_entities, entity.account, entity.kind, name=entity.name))
        .values(path=entity.path, document=entity.to_document())
    )


def _rename(connection: Connection, before: Entity, name: str) -> None:
    """Everything that refers to an entity by its name: users and groups can be renamed."""
    for table in (iam_inline_policies, iam_attachments):
        where = _is(table, before.account, before.kind, owner=before.name)
        connection.execute(update(table).where(where).values(owner=name))
    if isinstance(before, User):
        where = _is(iam_members, before.account, "group", member=before.name)
        connection.execute(update(iam_members).where(where).values(member=name))
        keys = iam_access_keys.c
        connection.execute(
            update(iam_access_keys).where(keys.account == before.account, keys.user == before.name).values(user=name)
        )
    else:
        where = _is(iam_members, before.account, before.kind, container=before.name)
        connection.execute(update(iam_members).where(where).values(container=name))


def _insert_version(connection: Connection, policy: ManagedPolicy, number: int, document: str) -> None:
    connection.execute(
        insert(iam_policy_versions).values(
            account=policy.account,
            name=policy.name,
            number=number,
            created_ms=now_ms(),
            document=document,
        )
    )


def _version(connection: Connection, policy: ManagedPolicy, number: int) -> str:
    table = iam_policy_versions.c
    query = select(table.document).where(
        table.account == policy.account, table.name == policy.name, table.number == number
    )
    return str(connection.execute(query).scalar_one())


def _policy(connection: Connection, account: str, arn: str) -> ManagedPolicy | None:
    found = _POLICY_ARN.fullmatch(arn)
    if found is None:
        raise ValidationError(f"ARN {arn} is not valid.")
    own = aws_policies.find(arn)
    if own is not None:
        return own.as_entity(arn.split(":")[1])
    if found[1] != account:
        return None
    policy = _find(connection, ManagedPolicy, account, found[3])
    return policy if policy is not None and policy.arn == arn else None


def _policy_exists(connection: Connection, account: str, arn: str) -> bool:
    return _policy(connection, account, arn) is not None
