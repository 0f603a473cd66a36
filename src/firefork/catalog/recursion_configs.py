"""What happens to recursive loops of a function. AWS: Lambda API reference, PutFunctionRecursionConfig."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update

from firefork.aws.scope import Scope
from firefork.catalog.function_records import need
from firefork.catalog.functions import Functions
from firefork.store import rows
from firefork.store.database import Database
from firefork.store.tables import functions

DEFAULT: Final = "Terminate"


class RecursionConfigs:
    """``Allow`` or ``Terminate`` for every function. Thread-safe; methods may block."""

    def __init__(self, database: Database, functions: Functions) -> None:
        self._database = database
        self._functions = functions

    def put(self, scope: Scope, name: str, loop: str) -> None:
        """Raises ResourceNotFound."""
        with self._functions.change(scope, name) as connection:
            need(connection, scope, name)
            row = rows.within(functions, scope, name=name)
            connection.execute(update(functions).where(row).values(recursive_loop=loop))

    def get(self, scope: Scope, name: str) -> str:
        """Raises ResourceNotFound."""
        with self._database.read() as connection:
            need(connection, scope, name)
            row = rows.within(functions, scope, name=name)
            loop: str | None = connection.execute(select(functions.c.recursive_loop).where(row)).scalar()
        return loop or DEFAULT
