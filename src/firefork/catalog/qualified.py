"""What is configured for a function's qualifiers: JSON documents, one for ``$LATEST``, a version or an alias."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, select

from firefork.aws.scope import Scope
from firefork.catalog.alias import load_alias
from firefork.catalog.function import LATEST
from firefork.catalog.function_records import load, number_of
from firefork.store import rows


class Documents:
    """One table of such documents. ``None`` as a qualifier means ``$LATEST``."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, connection: Connection, scope: Scope, name: str, qualifier: str | None) -> dict[str, Any] | None:
        condition = rows.within(self._table, scope, name=name, qualifier=qualifier or LATEST)
        text = connection.execute(select(self._table.c.document).where(condition)).scalar()
        return None if text is None else dict(json.loads(text))

    def save(
        self,
        connection: Connection,
        scope: Scope,
        name: str,
        qualifier: str | None,
        document: Mapping[str, Any],
        **columns: Any,
    ) -> None:
        row = rows.key(scope, name=name, qualifier=qualifier or LATEST)
        rows.put(connection, self._table, row, document=json.dumps(document), **columns)

    def delete(self, connection: Connection, scope: Scope, name: str, qualifier: str | None) -> bool:
        """Whether there was one."""
        condition = rows.within(self._table, scope, name=name, qualifier=qualifier or LATEST)
        return connection.execute(delete(self._table).where(condition)).rowcount > 0

    def page(
        self, connection: Connection, scope: Scope, name: str, *, after: str | None, limit: int
    ) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
        """Qualifiers and documents in order of the qualifier; and the one after which the next page begins."""
        table = self._table.c
        query = select(table.qualifier, table.document).where(rows.within(self._table, scope, name=name))
        if after is not None:
            query = query.where(table.qualifier > after)
        found = connection.execute(query.order_by(table.qualifier).limit(limit + 1)).all()
        page = [(row.qualifier, dict(json.loads(row.document))) for row in found[:limit]]
        return page, page[-1][0] if len(found) > limit else None


def qualifier_exists(connection: Connection, scope: Scope, name: str, qualifier: str | None) -> bool:
    """Whether a function has this version or alias."""
    number = number_of(qualifier)
    if number is None:
        return qualifier is not None and load_alias(connection, scope, name, qualifier) is not None
    return load(connection, scope, name, number) is not None


def qualified_arn(scope: Scope, name: str, qualifier: str | None) -> str:
    """With the qualifier, if there is one."""
    arn = scope.arn("lambda", f"function:{name}")
    return f"{arn}:{qualifier}" if qualifier else arn
