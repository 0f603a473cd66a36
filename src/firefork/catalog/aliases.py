"""Aliases of functions. AWS: Lambda API reference, CreateAlias to DeleteAlias; fact sheet section 12.1."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from firefork.aws.errors import InvalidParameterValue, PreconditionFailed, ResourceConflict, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.alias import Alias, alias_of, load_alias
from firefork.catalog.function import LATEST
from firefork.catalog.function_records import load, need, number_of
from firefork.catalog.functions import REVISION_MISMATCH, Functions, forget_qualifier
from firefork.store import rows
from firefork.store.clock import new_id
from firefork.store.database import Database
from firefork.store.tables import aliases

_LATEST_PUBLISHED: Final = "$LATEST.PUBLISHED"


class Aliases:
    """The aliases of all functions. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def create(
        self, scope: Scope, function: str, name: str, version: str, *, description: str, weights: Mapping[str, float]
    ) -> Alias:
        """Raises ResourceConflict, ResourceNotFound (function or version), InvalidParameterValue (weights)."""
        alias = Alias(
            scope=scope,
            function=function,
            name=name,
            version=version,
            description=description,
            revision_id=new_id(),
            **_shares(weights),
        )
        with self._functions.change(scope, function) as connection:
            _check(connection, alias)
            if load_alias(connection, scope, function, name) is not None:
                raise ResourceConflict(f"Alias already exists: {alias.arn}")
            _save(connection, alias)
        return alias

    def update(
        self,
        scope: Scope,
        function: str,
        name: str,
        *,
        version: str | None,
        description: str | None,
        weights: Mapping[str, float] | None,
        revision_id: str | None,
    ) -> Alias:
        """Change what is given; empty ``weights`` end the sharing. Raises as ``create``, and PreconditionFailed."""
        with self._functions.change(scope, function) as connection:
            need(connection, scope, function)
            known = load_alias(connection, scope, function, name)
            if known is None:
                raise ResourceNotFound(f"Alias not found: {scope.arn('lambda', f'function:{function}:{name}')}")
            if revision_id is not None and revision_id != known.revision_id:
                raise PreconditionFailed(REVISION_MISMATCH)
            alias = dataclasses.replace(
                known,
                version=known.version if version is None else version,
                description=known.description if description is None else description,
                revision_id=new_id(),
                **({} if weights is None else _shares(weights)),
            )
            _check(connection, alias)
            _save(connection, alias)
        return alias

    def get(self, scope: Scope, function: str, name: str) -> Alias:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            need(connection, scope, function)
            alias = load_alias(connection, scope, function, name)
        if alias is None:
            raise ResourceNotFound(f"Cannot find alias arn: {scope.arn('lambda', f'function:{function}:{name}')}")
        return alias

    def list(
        self, scope: Scope, function: str, *, version: str | None, after: str | None, limit: int
    ) -> tuple[Sequence[Alias], str | None]:
        """By name, those that lead to ``version`` if it is given; and the name after which the next page begins."""
        query = select(aliases).where(rows.within(aliases, scope, name=function))
        if version is not None:
            query = query.where((aliases.c.version == version) | (aliases.c.other_version == version))
        if after is not None:
            query = query.where(aliases.c.alias > after)
        with self._database.read() as connection:
            need(connection, scope, function)
            found = connection.execute(query.order_by(aliases.c.alias).limit(limit + 1)).all()
        page = [alias_of(row) for row in found[:limit]]
        return page, page[-1].name if len(found) > limit else None

    def targets(self, scope: Scope, function: str) -> dict[str, str]:
        """Which version each alias leads to, that of the greater part of its invokes."""
        with self._database.read() as connection:
            query = select(aliases).where(rows.within(aliases, scope, name=function))
            return {alias.name: alias.version for alias in map(alias_of, connection.execute(query))}

    def shares_invokes(self, scope: Scope, function: str, name: str) -> bool:
        """Whether there is an alias of this name and it leads to more than one version."""
        with self._database.read() as connection:
            alias = load_alias(connection, scope, function, name)
        return alias is not None and alias.other_version is not None

    def delete(self, scope: Scope, function: str, name: str) -> None:
        """Delete an alias and what was configured for it; one that is not there is no error, as on AWS."""
        with self._functions.change(scope, function) as connection:
            need(connection, scope, function)
            connection.execute(delete(aliases).where(rows.within(aliases, scope, name=function, alias=name)))
            forget_qualifier(connection, scope, function, name)


def _shares(weights: Mapping[str, float]) -> dict[str, Any]:
    """Alias's fields for AdditionalVersionWeights. Raises InvalidParameterValue."""
    if len(weights) > 1:
        raise InvalidParameterValue("Number of items in AdditionalVersionWeights cannot be greater than 1")
    version, weight = next(iter(weights.items()), (None, 0.0))
    return {"other_version": version, "other_weight": weight}


def _check(connection: Connection, alias: Alias) -> None:
    scope, function = alias.scope, alias.function
    if alias.version == _LATEST_PUBLISHED:
        raise InvalidParameterValue(f"{_LATEST_PUBLISHED} is only supported for functions on managed instances.")
    if alias.other_version is not None:
        if alias.version == LATEST:
            # Recorded without the member Type that the other errors have.
            raise InvalidParameterValue(
                "$LATEST is not supported for an alias pointing to more than 1 version", Type=None
            )
        if alias.other_version == alias.version:
            raise InvalidParameterValue(
                f"Invalid function version {alias.version}. Function version {alias.version} is already included in "
                "routing configuration."
            )
    targets = [version for version in (alias.version, alias.other_version) if version is not None]
    found = []
    for version in targets:
        number = number_of(version)
        target = None if number is None else load(connection, scope, function, number)
        if target is None:
            arn = scope.arn("lambda", f"function:{function}")
            raise ResourceNotFound(f"Function not found: {arn}:{version}")
        found.append((target.role, target.stored_only.get("DeadLetterConfig")))
    if len(found) == 2 and found[0] != found[1]:
        raise InvalidParameterValue(
            "Both versions of an alias with routing configuration must have the same execution role and the same "
            "dead-letter queue configuration."
        )


def _save(connection: Connection, alias: Alias) -> None:
    rows.put(
        connection,
        aliases,
        rows.key(alias.scope, name=alias.function, alias=alias.name),
        version=alias.version,
        other_version=alias.other_version,
        other_weight=alias.other_weight if alias.other_version is not None else None,
        description=alias.description,
        revision_id=alias.revision_id,
    )
