"""Packages in the database, for the nodes that share it: each node's own folder is only a copy of what it used."""

from __future__ import annotations

from typing import Final, Protocol

from sqlalchemy import delete, select

from firefork.store import rows
from firefork.store.clock import now_ms
from firefork.store.database import Database
from firefork.store.tables import packages

UPLOAD_MS: Final = 3_600_000
"""How long after it was accepted a package may be without owner: its function is still being created."""


class InUse(Protocol):
    """Whether something refers to a package, by its digest; reads the database."""

    def __call__(self, digest: str, /) -> bool: ...


class SharedPackages:
    """Thread-safe; methods may block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, digest: str, data: bytes) -> None:
        """Store a package, or note that it was accepted again."""
        with self._database.write() as connection:
            rows.put(connection, packages, {"digest": digest}, data=data, touched_ms=now_ms())

    def read(self, digest: str) -> bytes | None:
        with self._database.read() as connection:
            data: bytes | None = connection.execute(select(packages.c.data).where(packages.c.digest == digest)).scalar()
        return data

    def digests(self) -> set[str]:
        with self._database.read() as connection:
            return set(connection.execute(select(packages.c.digest)).scalars())

    def collect(self, in_use: InUse) -> int:
        """Delete packages that nothing refers to and that no node accepted lately; how many."""
        before_ms = now_ms() - UPLOAD_MS
        stale = packages.c.touched_ms < before_ms
        with self._database.read() as connection:
            candidates = connection.execute(select(packages.c.digest).where(stale)).scalars().all()
        count = 0
        for digest in candidates:
            if not in_use(digest):
                with self._database.write() as connection:
                    # Still stale: a node that took it up again in the meantime has touched it.
                    count += connection.execute(delete(packages).where(packages.c.digest == digest, stale)).rowcount
        return count
