"""The database: SQLite in a file by default, PostgreSQL by URL. Synchronous and safe to use from threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import alembic.command
import alembic.config
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

_WRITERS: Final = 0x66697265
"""Key of the lock that writers hold on PostgreSQL: numbers are read, counted up and written in one transaction."""


class Database:
    """A pool of connections. Reads see committed data; there is one writer at a time, on every node together."""

    def __init__(self, url: str) -> None:
        """``url``: ``sqlite:////folder/file`` or ``postgresql://…``. Raises sqlalchemy.exc.ArgumentError for others."""
        address = make_url(url)
        dialect = address.get_backend_name()
        if dialect not in ("sqlite", "postgresql"):
            raise ArgumentError(f"'{dialect}' is no database that Firefork works with: use a postgresql:// address")
        self.is_sqlite = dialect == "sqlite"
        if not self.is_sqlite:
            address = address.set(drivername="postgresql+psycopg")
        # The pool asks before it lends: a PostgreSQL that was restarted costs no request.
        self._engine = create_engine(address, pool_size=8, max_overflow=8, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            event.listen(self._engine, "connect", _configure_sqlite)

    @classmethod
    def in_folder(cls, folder: Path) -> Database:
        """The embedded default."""
        return cls(f"sqlite:///{folder / 'firefork.db'}")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        with self._engine.connect() as connection, connection.begin():
            if self.is_sqlite:
                # From the start a writer: one that begins by reading could fail when it comes to write.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
            yield connection

    def migrate(self, revision: str = "head") -> None:
        """Bring the schema to ``revision``, all or nothing: a server that is killed meanwhile leaves no half of it."""
        config = alembic.config.Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.write() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, revision)

    def close(self) -> None:
        self._engine.dispose()


def _configure_sqlite(connection: Any, record: object) -> None:
    assert isinstance(connection, sqlite3.Connection)
    # Transactions are begun by `write`, not by the driver in front of the first change.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
