"""Function versions in the database: one JSON document a version, ``$LATEST`` as number 0.

Environment variables are where people put secrets, so they are sealed; on AWS a KMS key does that for every function.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from firefork.aws.errors import ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST, FunctionVersion, LayerReference, LoggingConfig
from firefork.store import rows
from firefork.store.clock import new_id
from firefork.store.tables import aliases, function_versions, layer_versions
from firefork.store.vault import Vault, vault_of

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


def number_of(qualifier: str | None) -> int | None:
    """A version's number, 0 for ``$LATEST``; ``None`` for what can only be an alias."""
    if qualifier is None or qualifier == LATEST:
        return 0
    return int(qualifier) if _NUMBER.fullmatch(qualifier) else None


def load(connection: Connection, scope: Scope, name: str, number: int) -> FunctionVersion | None:
    text = connection.execute(
        select(function_versions.c.document).where(rows.within(function_versions, scope, name=name, number=number))
    ).scalar()
    return None if text is None else from_document(vault_of(connection), scope, text)


def need(connection: Connection, scope: Scope, name: str, number: int = 0) -> FunctionVersion:
    """Raises ResourceNotFound, with the version's number unless that is ``$LATEST``."""
    found = load(connection, scope, name, number)
    if found is None:
        suffix = f":{number}" if number else ""
        raise ResourceNotFound(f"Function not found: {scope.arn('lambda', f'function:{name}')}{suffix}")
    return found


def save(connection: Connection, function: FunctionVersion, *, new: bool = False) -> None:
    row = rows.key(function.scope, name=function.name, number=number_of(function.version))
    values = {
        "state": function.state,
        "last_update_status": function.last_update_status,
        "code_sha256": function.code_sha256,
        "document": _to_document(vault_of(connection), function),
    }
    if new:
        connection.execute(insert(function_versions).values(**row, **values))
    else:
        condition = rows.within(function_versions, function.scope, name=function.name, number=row["number"])
        connection.execute(update(function_versions).where(condition).values(**values))


def function_packages(connection: Connection) -> set[str]:
    """The digest of every package that some version uses, as its code or as a layer."""
    found = set()
    for text in connection.execute(select(function_versions.c.document)).scalars():
        document = json.loads(text)
        found.add(document["code_sha256"])
        found.update(layer["code_sha256"] for layer in document["layers"])
    return found


def used_packages(connection: Connection) -> set[str]:
    """The digest of every package that a version of a function or a layer uses."""
    layers = connection.execute(select(layer_versions.c.code_sha256)).scalars()
    return function_packages(connection) | set(layers)


def revision_of(connection: Connection, scope: Scope, name: str, qualifier: str | None) -> str:
    """The revision id of a version or an alias: policies on it share it. Raises ResourceNotFound."""
    number = number_of(qualifier)
    if number is not None:
        return need(connection, scope, name, number).revision_id
    revision: str | None = connection.execute(
        select(aliases.c.revision_id).where(rows.within(aliases, scope, name=name, alias=qualifier))
    ).scalar()
    if revision is None:
        need(connection, scope, name)
        missing = "Function not found" if "$" in str(qualifier) else "Cannot find alias arn"  # no alias has a $
        raise ResourceNotFound(f"{missing}: {scope.arn('lambda', f'function:{name}:{qualifier}')}")
    return revision


def renew_revision(connection: Connection, scope: Scope, name: str, qualifier: str | None) -> str:
    """Give an existing version or alias a new revision id."""
    revision, number = new_id(), number_of(qualifier)
    if number is None:
        condition = rows.within(aliases, scope, name=name, alias=qualifier)
        connection.execute(update(aliases).where(condition).values(revision_id=revision))
    else:
        save(connection, dataclasses.replace(need(connection, scope, name, number), revision_id=revision))
    return revision


def _to_document(vault: Vault, function: FunctionVersion) -> str:
    fields = {field.name: getattr(function, field.name) for field in dataclasses.fields(function)}
    del fields["scope"]
    fields["layers"] = [dataclasses.asdict(layer) for layer in function.layers]
    fields["logging"] = dataclasses.asdict(function.logging)
    fields["last_modified"] = function.last_modified.isoformat()
    if function.environment is not None:
        sealed = vault.seal(json.dumps(dict(function.environment)), _owner(function.scope, fields))
        fields["environment"] = base64.b64encode(sealed).decode()
    return json.dumps(fields)


def from_document(vault: Vault, scope: Scope, text: str) -> FunctionVersion:
    """Raises SecretUnreadable for a document that was changed or belongs to another version."""
    fields = json.loads(text)
    if fields["environment"] is not None:
        sealed = base64.b64decode(fields["environment"])
        fields["environment"] = json.loads(vault.open(sealed, _owner(scope, fields)))
    fields["layers"] = tuple(LayerReference(**layer) for layer in fields["layers"])
    fields["logging"] = LoggingConfig(**fields["logging"])
    fields["last_modified"] = datetime.fromisoformat(fields["last_modified"]).astimezone(UTC)
    return FunctionVersion(scope=scope, **fields)


def _owner(scope: Scope, fields: dict[str, Any]) -> str:
    """The name under which a version's environment is sealed; migration 0005 has it, too."""
    return f"environment {scope.account} {scope.region} {fields['name']} {fields['version']}"
