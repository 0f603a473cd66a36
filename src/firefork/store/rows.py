"""Rows that belong to an account and region: the key, the conditions and the upsert that every noun needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, Connection, Table, and_, cast, func
from sqlalchemy.dialects import postgresql, sqlite

from firefork.aws.scope import Scope


def key(scope: Scope, **columns: Any) -> dict[str, Any]:
    """Column values of a row in ``scope``."""
    return {"account": scope.account, "region": scope.region, **columns}


def within(table: Table, scope: Scope, **columns: Any) -> ColumnElement[bool]:
    """The condition that a row is in ``scope`` and has these column values."""
    return and_(*(table.c[name] == value for name, value in key(scope, **columns).items()))


def put(connection: Connection, table: Table, row: Mapping[str, Any], **values: Any) -> None:
    """Insert the row whose primary key is ``row``, or give the one that is there these ``values``."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**row, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(row), set_=values))


def number_in(connection: Connection, document: ColumnElement[str], member: str) -> ColumnElement[int]:
    """A whole number in a JSON document, read by the database: for sums over rows that nobody has to load."""
    if connection.dialect.name == "postgresql":
        return cast(cast(document, JSON)[member].as_string(), BigInteger)
    return func.json_extract(document, f"$.{member}")
