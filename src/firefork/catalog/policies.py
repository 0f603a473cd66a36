"""Resource policies of functions, their versions and aliases, and of layer versions.

AWS: Lambda API reference, AddPermission to DeleteResourcePolicy and AddLayerVersionPermission to
GetLayerVersionPolicy; documents and messages as recorded (fact sheet section 12.7).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from firefork.aws.errors import (
    InvalidParameterValue,
    PolicyLengthExceeded,
    PreconditionFailed,
    ResourceConflict,
    ResourceNotFound,
)
from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST
from firefork.catalog.function_records import load, number_of, renew_revision, revision_of
from firefork.catalog.functions import Functions
from firefork.catalog.qualified import Documents
from firefork.catalog.references import FunctionReference
from firefork.store import rows
from firefork.store.changes import LAYER_POLICY
from firefork.store.clock import new_id
from firefork.store.database import Database
from firefork.store.tables import function_policies, layer_policies, layer_versions

POLICY_LIMIT: Final = 20_480
"""Bytes of a policy document. AWS: Lambda quotas."""

_MISSING: Final = "The resource you requested does not exist."
_NO_POLICY: Final = "No policy is associated with the given resource."
_STALE: Final = (
    "The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve the latest Revision Id"
)
_ACCOUNT: Final = re.compile(r"\d{12}")
_SERVICE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws|amazon)\.com(\.cn)?")
_IAM: Final = re.compile(
    r"arn:aws[a-z-]*:(iam::\d{12}:(root|(user|role)/.+)|sts::\d{12}:(assumed-role|federated-user)/.+)"
)
_LAYER_VERSION: Final = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):layer:(?P<name>[a-zA-Z0-9-_]+):(?P<version>\d{1,9})"
)

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, in the words and order in which the API shows it."""

    statements: tuple[Statement, ...]

    @property
    def document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Id": "default", "Statement": list(self.statements)}

    def with_statement(self, statement: Statement) -> Policy:
        """Raises ResourceConflict if there is one of the same Sid, PolicyLengthExceeded."""
        sid = statement["Sid"]
        if any(known.get("Sid") == sid for known in self.statements):
            raise ResourceConflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement."
            )
        policy = Policy((*self.statements, statement))
        _check_size(_compact(policy.document))
        return policy

    def without_statement(self, sid: str) -> Policy:
        """Raises ResourceNotFound."""
        kept = tuple(statement for statement in self.statements if statement.get("Sid") != sid)
        if len(kept) == len(self.statements):
            raise ResourceNotFound(f"Statement {sid} is not found in resource policy.")
        return Policy(kept)


_EMPTY: Final = Policy(())
_DOCUMENTS: Final = Documents(function_policies)
_REVISION: Final = "RevisionId"
"""The revision id is kept among the members of a function's document."""


class Policies:
    """The policies of all functions and layer versions. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self.layer_policy_changed: Callable[[], None] = lambda: None
        """Called after a change; those of functions' policies are told as changes of the functions."""
        self._database = database
        self._functions = functions

    def policy_of(self, arn: str) -> dict[str, Any] | None:
        """The document on a function, version, alias or layer version ARN; ``None`` when nothing is attached."""
        layer = _LAYER_VERSION.fullmatch(arn)
        if layer is not None:
            scope = Scope(layer["account"], layer["region"])
            with self._database.read() as connection:
                found = _load_layer(connection, scope, layer["name"], int(layer["version"]))
            return found[0] if found is not None else None
        parts = arn.split(":")
        if len(parts) not in (7, 8) or parts[2] != "lambda" or parts[5] != "function":
            return None
        qualifier = parts[7] if len(parts) == 8 else None
        with self._database.read() as connection:
            return (_load(connection, Scope(parts[4], parts[3]), parts[6], qualifier) or (None,))[0]

    # ---- functions; $LATEST and the unqualified function have one policy. A policy has a revision id of its own,
    # which publishing and updates leave as it is (recorded in November 2025; before, it was the function's).

    def add(self, target: FunctionReference, statement: Statement, revision_id: str | None) -> Statement:
        """Attach a statement, completed with its Resource. Raises AWS's errors."""
        if target.qualifier == LATEST:
            raise InvalidParameterValue("We currently do not support adding policies for $LATEST.")
        scope, name, qualifier = target.scope, target.name, target.qualifier
        with self._functions.change(scope, name) as connection:
            revision_of(connection, scope, name, qualifier)  # what it is attached to has to be there
            document, revision = _load(connection, scope, name, qualifier) or (None, None)
            _check_revision(revision, revision_id, "GetPolicy")
            complete = _complete(statement, target.arn)
            _save(connection, scope, name, qualifier, _policy(document).with_statement(complete).document)
        return complete

    def remove(self, target: FunctionReference, sid: str, revision_id: str | None) -> None:
        """Detach a statement. Raises ResourceNotFound, PreconditionFailed."""
        scope, name, qualifier = target.scope, target.name, target.qualifier
        with self._functions.change(scope, name) as connection:
            if load(connection, scope, name, 0) is None:
                raise ResourceNotFound(f"No policy found for: {scope.arn('lambda', f'function:{name}')}")
            if number_of(qualifier) is None:
                revision_of(connection, scope, name, qualifier)  # an alias has to be there, a version has not
            found = _load(connection, scope, name, qualifier)
            if found is None:
                raise ResourceNotFound(_NO_POLICY)
            policy = _policy(found[0]).without_statement(sid)
            _check_revision(found[1], revision_id, "GetPolicy")
            _save(connection, scope, name, qualifier, policy.document if policy.statements else None)

    def get(self, target: FunctionReference) -> tuple[dict[str, Any], str]:
        """The document and its revision id. Raises ResourceNotFound, in the same words if there is no function."""
        with self._database.read() as connection:
            found = _load(connection, target.scope, target.name, target.qualifier)
        if found is None:
            raise ResourceNotFound(_MISSING)
        return found

    def put(self, target: FunctionReference, text: str, revision_id: str | None) -> tuple[dict[str, Any], str]:
        """Replace the whole document. Raises InvalidParameterValue, PreconditionFailed, ResourceNotFound."""
        document = _read_document(text, target.arn)
        scope, name, qualifier = target.scope, target.name, target.qualifier
        with self._functions.change(scope, name) as connection:
            revision_of(connection, scope, name, qualifier)
            _, revision = _load(connection, scope, name, qualifier) or (None, None)
            _check_revision(revision, revision_id, "GetResourcePolicy")
            return document, _save(connection, scope, name, qualifier, document)

    def delete(self, target: FunctionReference, revision_id: str | None) -> None:
        """Remove the whole document. Raises ResourceNotFound, PreconditionFailed."""
        scope, name, qualifier = target.scope, target.name, target.qualifier
        with self._functions.change(scope, name) as connection:
            revision_of(connection, scope, name, qualifier)
            found = _load(connection, scope, name, qualifier)
            if found is None:
                raise ResourceNotFound(_NO_POLICY)
            _check_revision(found[1], revision_id, "GetResourcePolicy")
            _save(connection, scope, name, qualifier, None)

    # ---- layer versions

    def add_layer(
        self, scope: Scope, name: str, version: int, statement: Statement, revision_id: str | None
    ) -> tuple[Statement, str]:
        """Attach a statement to a layer version; with the policy's new revision id. Raises AWS's errors."""
        with self._database.write(LAYER_POLICY) as connection:
            arn = _need_layer(connection, scope, name, version, to_write=True)
            document, revision = _load_layer(connection, scope, name, version) or (None, None)
            complete = _complete(statement, arn)
            policy = _policy(document).with_statement(complete)
            if revision_id is not None and revision_id != revision:
                raise PreconditionFailed(_STALE.format("GetLayerPolicy"))
            revision = _save_layer(connection, scope, name, version, policy)
        self.layer_policy_changed()
        return complete, revision

    def remove_layer(self, scope: Scope, name: str, version: int, sid: str, revision_id: str | None) -> None:
        """Detach a statement. Raises ResourceNotFound, PreconditionFailed."""
        with self._database.write(LAYER_POLICY) as connection:
            _need_layer(connection, scope, name, version, to_write=True)
            document, revision = _load_layer(connection, scope, name, version) or (None, None)
            if revision_id is not None and revision_id != revision:
                raise PreconditionFailed(_STALE.format("GetLayerPolicy"))
            _save_layer(connection, scope, name, version, _policy(document).without_statement(sid))
        self.layer_policy_changed()

    def get_layer(self, scope: Scope, name: str, version: int) -> tuple[dict[str, Any], str]:
        """The document and its revision id. Raises ResourceNotFound."""
        with self._database.read() as connection:
            _need_layer(connection, scope, name, version)
            found = _load_layer(connection, scope, name, version)
        if found is None:
            raise ResourceNotFound(_NO_POLICY)
        return found


def principal(scope: Scope, text: str) -> str | dict[str, str]:
    """A statement's Principal for what the caller wrote. Raises InvalidParameterValue."""
    if text == "*":
        return "*"
    if _ACCOUNT.fullmatch(text):
        return {"AWS": f"arn:{scope.partition}:iam::{text}:root"}
    if _IAM.fullmatch(text):
        return {"AWS": text}
    if _SERVICE.fullmatch(text):
        return {"Service": text}
    raise InvalidParameterValue("The provided principal was invalid. Please check the principal and try again.")


def _complete(statement: Statement, arn: str) -> dict[str, Any]:
    """In AWS's order: Sid, Effect, Principal, Action, Resource, Condition."""
    condition = {"Condition": statement["Condition"]} if statement.get("Condition") else {}
    return {
        "Sid": statement["Sid"],
        "Effect": "Allow",
        "Principal": statement["Principal"],
        "Action": statement["Action"],
        "Resource": arn,
        **condition,
    }


def _read_document(text: str, arn: str) -> dict[str, Any]:
    """A whole policy as the caller wrote it. Raises InvalidParameterValue, PolicyLengthExceeded."""
    _check_size(text)
    try:
        document = json.loads(text)
    except ValueError:
        raise InvalidParameterValue("The provided policy is not valid JSON.") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not _are_statements(statements):
        raise InvalidParameterValue(
            "The provided policy is invalid: it needs a Statement, and each statement an Effect of Allow or Deny, a "
            "Principal and an Action."
        )
    for statement in statements:
        resources = statement.get("Resource", arn)
        if any(resource != arn for resource in (resources if isinstance(resources, list) else [resources])):
            raise InvalidParameterValue(f"The provided policy is invalid: every Resource must be {arn}.")
    return document if isinstance(document["Statement"], list) else {**document, "Statement": statements}


def _are_statements(statements: Sequence[Any]) -> bool:
    return all(
        isinstance(statement, dict)
        and statement.get("Effect") in ("Allow", "Deny")
        and ("Principal" in statement or "NotPrincipal" in statement)
        and ("Action" in statement or "NotAction" in statement)
        for statement in statements
    )


def _check_size(text: str) -> None:
    size = len(text.encode())
    if size > POLICY_LIMIT:
        raise PolicyLengthExceeded(f"The final policy size ({size}) is bigger than the limit ({POLICY_LIMIT}).")


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _policy(document: Mapping[str, Any] | None) -> Policy:
    return _EMPTY if document is None else Policy(tuple(document["Statement"]))


def _check_revision(current: str | None, given: str | None, api: str) -> None:
    """``current`` is ``None`` where there is no policy yet; ``api`` is what tells it. Raises PreconditionFailed."""
    if given is not None and given != current:
        raise PreconditionFailed(_STALE.format(api))


def _load(connection: Connection, scope: Scope, name: str, qualifier: str | None) -> tuple[dict[str, Any], str] | None:
    """A function's document and its revision id."""
    document = _DOCUMENTS.load(connection, scope, name, qualifier)
    if document is None:
        return None
    # Documents of older versions of Firefork share that of what they are attached to.
    revision = document.pop(_REVISION, None) or revision_of(connection, scope, name, qualifier)
    return document, revision


def _save(
    connection: Connection, scope: Scope, name: str, qualifier: str | None, document: Mapping[str, Any] | None
) -> str:
    """Store or remove a document; it and what it is attached to get new revision ids. The document's."""
    revision = new_id()
    if document is None:
        _DOCUMENTS.delete(connection, scope, name, qualifier)
    else:
        _DOCUMENTS.save(connection, scope, name, qualifier, {**document, _REVISION: revision})
    renew_revision(connection, scope, name, qualifier)
    return revision


def _need_layer(connection: Connection, scope: Scope, name: str, version: int, *, to_write: bool = False) -> str:
    """The layer version's ARN; its row is locked ``to_write``. Raises ResourceNotFound, InvalidParameterValue."""
    if version < 1:
        raise InvalidParameterValue("Layer Version Cannot be less than 1")
    arn = scope.arn("lambda", f"layer:{name}:{version}")
    condition = rows.within(layer_versions, scope, name=name, version=version)
    query = select(layer_versions.c.version).where(condition)
    if connection.execute(query.with_for_update() if to_write else query).first() is None:
        raise ResourceNotFound(f"Layer version {arn} does not exist.")
    return arn


def _load_layer(connection: Connection, scope: Scope, name: str, version: int) -> tuple[dict[str, Any], str] | None:
    row = connection.execute(
        select(layer_policies).where(rows.within(layer_policies, scope, name=name, version=version))
    ).first()
    return None if row is None else (dict(json.loads(row.document)), row.revision_id)


def _save_layer(connection: Connection, scope: Scope, name: str, version: int, policy: Policy) -> str:
    """The new revision id."""
    row, revision = {"name": name, "version": version}, new_id()
    if policy.statements:
        text = json.dumps(policy.document)
        rows.put(connection, layer_policies, rows.key(scope, **row), document=text, revision_id=revision)
    else:
        connection.execute(delete(layer_policies).where(rows.within(layer_policies, scope, **row)))
    return revision
