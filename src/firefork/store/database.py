"""The database: SQLite in a file by default, PostgreSQL by URL. Synchronous and safe to use from threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
from sqlalchemy import Connection, create_engine, event, func, inspect, make_url, select
from sqlalchemy.exc import ArgumentError

from firefork.store.changes import CHANNEL, Change
from firefork.store.clock import new_id
from firefork.store.tables import secrets_keys
from firefork.store.vault import KEY_FILE, SecretUnreadable, Vault

FILE: Final = "firefork.db"
"""The embedded database's name in a data folder."""
_WRITERS: Final = 0x66697265
"""Key of the lock that writers hold on PostgreSQL: numbers are read, counted up and written in one transaction."""
_UNSCRUBBED: Final = "unscrubbed"
"""A table that is there from the migration that sealed secrets until their plain copies are gone from the files."""
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_PROBE: Final = "the database itself"
"""Whose secret the probe is that tells one key file from another."""


class Database:
    """A pool of connections. Reads see committed data; there is one writer at a time, on every node together."""

    def __init__(self, url: str, vault: Vault) -> None:
        """``url``: ``sqlite:////folder/file`` or ``postgresql://…``. Raises sqlalchemy.exc.ArgumentError for others.

        ``vault`` seals what is secret before it is written; ``vault_of`` finds it by a connection.
        """
        self.vault = vault
        self.node = new_id()
        """Who tells other nodes of changes that are made through this object."""
        address = make_url(url)
        dialect = address.get_backend_name()
        if dialect not in ("sqlite", "postgresql"):
            raise ArgumentError(f"'{dialect}' is no database that Firefork works with: use a postgresql:// address")
        self.is_sqlite = dialect == "sqlite"
        if not self.is_sqlite:
            address = address.set(drivername="postgresql+psycopg")
        self.address = address.set(drivername="postgresql").render_as_string(hide_password=False)
        """For connections beside the pool."""
        # The pool asks before it lends: a PostgreSQL that was restarted costs no request.
        self._engine = create_engine(
            address,
            pool_size=8,
            max_overflow=8,
            pool_pre_ping=not self.is_sqlite,
            # What is written can be anybody's secret: an error names the statement, not its values.
            hide_parameters=True,
            execution_options={"vault": vault},
        )
        if self.is_sqlite:
            event.listen(self._engine, "connect", _configure_sqlite)

    @classmethod
    def in_folder(cls, folder: Path) -> Database:
        """The embedded default. Raises OSError, ValueError for a key file that cannot be used."""
        return cls(sqlite_url(folder / FILE), Vault(folder / KEY_FILE))

    @property
    def file(self) -> Path:
        """Where a SQLite database is."""
        return Path(self._engine.url.database or "")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self, change: Change | None = None) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        ``change`` is what other nodes hear of when it is committed.
        """
        with self._engine.connect() as connection, connection.begin():
            if self.is_sqlite:
                # From the start a writer: one that begins by reading could fail when it comes to write.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
            yield connection
            if change is not None and not self.is_sqlite:
                connection.execute(select(func.pg_notify(CHANNEL, change.told_by(self.node))))

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection whose queries all see the database of one moment."""
        with self._engine.connect() as connection:
            if self.is_sqlite:
                connection.exec_driver_sql("BEGIN")
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def revision(self) -> str | None:
        """The schema's revision, ``None`` if there are no tables."""
        with self.read() as connection:
            return alembic.migration.MigrationContext.configure(connection).get_current_revision()

    @staticmethod
    def newest_revision() -> str:
        """The revision that ``migrate`` leads to."""
        head = alembic.script.ScriptDirectory(str(_MIGRATIONS)).get_current_head()
        assert head is not None
        return head

    def migrate(self, revision: str = "head", *, then: Callable[[Connection], object] | None = None) -> None:
        """Bring the schema to ``revision``, all or nothing: a server that is killed meanwhile leaves no half of it.

        ``then`` is called in the same transaction. Raises SecretUnreadable if what is sealed in this database was
        sealed with another key file.
        """
        config = alembic.config.Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.write() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, revision)
            tables = inspect(connection).get_table_names()
            if secrets_keys.name in tables:
                self._check_key(connection)
            if then is not None:
                then(connection)
        if _UNSCRUBBED in tables:
            self._scrub()

    def _check_key(self, connection: Connection) -> None:
        sealed = connection.execute(select(secrets_keys.c.probe)).scalar_one()
        try:
            self.vault.open(sealed, _PROBE)
        except SecretUnreadable:
            raise SecretUnreadable(
                f"its secrets were sealed with another key: put the {KEY_FILE} that belongs to it into the data folder"
            ) from None

    def _scrub(self) -> None:
        """Write tables anew whose old rows held secrets in the clear: deleted rows stay in the files otherwise."""
        with self._engine.connect() as connection:
            if self.is_sqlite:
                # The log is emptied last: it, too, holds pages as they were.
                scrub = [
                    "PRAGMA secure_delete=ON",
                    "VACUUM",
                    "PRAGMA secure_delete=OFF",
                    "PRAGMA wal_checkpoint(TRUNCATE)",
                ]
            else:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                scrub = ["VACUUM FULL function_versions"]
            for statement in [*scrub, f"DROP TABLE IF EXISTS {_UNSCRUBBED}"]:
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        self._engine.dispose()


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


def _configure_sqlite(connection: Any, record: object) -> None:
    assert isinstance(connection, sqlite3.Connection)
    # Transactions are begun by `write`, not by the driver in front of the first change.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
