"""Backups: one file with all that a server keeps, written while it runs, restored into an empty data folder.

A backup is a tar archive: ``manifest.json``, ``firefork.db`` (always a SQLite database, so that it can be restored into
either kind), ``blobs/SHA256`` for each package that something refers to, and the key files if they were asked for.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

import firefork
from firefork.catalog.function_records import used_packages
from firefork.store.blobs import Blobs
from firefork.store.clock import now
from firefork.store.database import FILE, Database, sqlite_url
from firefork.store.shared_packages import SharedPackages
from firefork.store.tables import function_versions, metadata, packages
from firefork.store.vault import KEY_FILE, SecretUnreadable, Vault, write_secret

KEY_FILES: Final = (KEY_FILE, "session.key", "credentials")
"""What opens the secrets of a backup, and what clients of its server sign with."""
_FORMAT: Final = 1
_ROWS: Final = 50
"""Rows that are copied at once; a chunk of log events may have a megabyte."""
_MANIFEST: Final = "manifest.json"
_BLOB: Final = re.compile(r"blobs/([0-9a-f]{64})")


class BackupFailed(Exception):
    """Why nothing was written or restored, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    release: str
    schema: str
    """Revision of the database."""
    taken: str
    """ISO 8601, UTC."""
    functions: int
    packages: int
    keys: tuple[str, ...]
    """Names of the key files that are in it."""


def write_backup(target: Path, database: Database, data_dir: Path, *, with_keys: bool) -> Manifest:
    """Write ``target``, whole or not at all, for nobody but its owner. The server may be running.

    Raises BackupFailed, OSError, SQLAlchemyError.
    """
    if target.exists():
        raise BackupFailed(f"{target} is there already")
    revision = database.revision()
    if revision != Database.newest_revision():
        raise BackupFailed("the database is of another release: start the server of this one once")
    shared = None if database.is_sqlite else SharedPackages(database)
    blobs = Blobs(data_dir / "blobs", shared, is_owner=False)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        snapshot = Path(folder, FILE)
        _take_snapshot(database, snapshot)
        copy = Database(sqlite_url(snapshot), database.vault)
        with copy.read() as connection:
            digests = sorted(used_packages(connection))
            latest = function_versions.c.number == 0
            functions = connection.execute(select(func.count()).where(latest)).scalar_one()
        copy.close()
        manifest = Manifest(
            format=_FORMAT,
            release=firefork.__version__,
            schema=revision,
            taken=now().isoformat(timespec="seconds"),
            functions=functions,
            packages=len(digests),
            keys=KEY_FILES if with_keys else (),
        )
        work = Path(folder, "work")
        with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                text = json.dumps(dataclasses.asdict(manifest), indent=2).encode()
                head = tarfile.TarInfo(_MANIFEST)
                head.size = len(text)
                archive.addfile(head, io.BytesIO(text))
                for name in manifest.keys:
                    archive.add(data_dir / name, name)
                archive.add(snapshot, FILE)
                for digest in digests:
                    try:
                        archive.add(blobs.path(digest), f"blobs/{digest}")
                    except FileNotFoundError:
                        raise BackupFailed(f"the package {digest} is missing; was it deleted meanwhile?") from None
            file.flush()
            os.fsync(file.fileno())
        os.replace(work, target)
    return manifest


def restore_backup(source: Path, url: str | None, data_dir: Path) -> Manifest:
    """Restore into an empty data folder and, with ``url``, into an empty PostgreSQL database.

    The folder may hold key files, which then count more than those of the backup. On failure nothing is left behind.
    Raises BackupFailed, OSError, SQLAlchemyError.
    """
    present = {path.name for path in data_dir.iterdir()} if data_dir.exists() else set()
    if present - set(KEY_FILES):
        raise BackupFailed(f"the data folder {data_dir} is not empty")
    data_dir.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(dir=data_dir, prefix=".restore-"))
    try:
        manifest = _unpack(source, stage, [name for name in KEY_FILES if name not in present])
        key = next((folder / KEY_FILE for folder in (data_dir, stage) if (folder / KEY_FILE).exists()), None)
        if key is None:
            names = ", ".join(KEY_FILES)
            raise BackupFailed(f"the backup has no keys: put {names} of its server into {data_dir} first")
        vault = Vault(key)
        snapshot = Database(sqlite_url(stage / FILE), vault)
        try:
            snapshot.migrate()
            with snapshot.read() as connection:
                missing = used_packages(connection) - set(Blobs(stage / "blobs").digests())
                if missing:
                    raise BackupFailed(f"the backup {source} lacks {len(missing)} packages")
                if url is not None:
                    _fill(Database(url, vault), connection)
        except SecretUnreadable:
            raise BackupFailed(f"{key} is not the key that the secrets of this backup were sealed with") from None
        finally:
            snapshot.close()
        if url is not None:
            (stage / FILE).unlink()
        # The database last: without it the folder is not taken for a whole one.
        for path in sorted(stage.iterdir(), key=lambda path: path.name == FILE):
            os.replace(path, data_dir / path.name)
    finally:
        shutil.rmtree(stage)
    return manifest


def _take_snapshot(database: Database, target: Path) -> None:
    """All rows at one moment."""
    if database.is_sqlite:
        source = sqlite3.connect(str(database.file))
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)  # in one step: https://sqlite.org/backup.html
        finally:
            copy.close()
            source.close()
        return
    copied = Database(sqlite_url(target), database.vault)
    copied.migrate()
    with database.snapshot() as connection, copied.write() as writer:
        _copy_rows(connection, writer)
    copied.close()


def _fill(database: Database, source: Connection) -> None:
    """Put all rows into an empty PostgreSQL database."""
    try:
        if database.revision() is not None:
            raise BackupFailed("the PostgreSQL database is not empty")
        database.migrate(then=lambda connection: _copy_rows(source, connection))
    finally:
        database.close()


def _copy_rows(source: Connection, target: Connection) -> None:
    for table in metadata.sorted_tables:
        if table is packages:
            continue  # they are files of the backup, and a server shares them when it starts
        target.execute(delete(table))
        rows = source.execution_options(yield_per=_ROWS).execute(select(table)).mappings()
        for part in rows.partitions():
            target.execute(insert(table), [dict(row) for row in part])
        counter = table.autoincrement_column
        if counter is not None and target.dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence(table.name, counter.name)
            following = select(func.coalesce(func.max(counter), 0) + 1).scalar_subquery()
            target.execute(select(func.setval(sequence, following, False)))


def _unpack(source: Path, stage: Path, keys: Sequence[str]) -> Manifest:
    """The parts of a backup as files in ``stage``, every package checked. Raises BackupFailed."""
    blobs = Blobs(stage / "blobs")
    try:
        with tarfile.open(source, "r:") as archive:
            manifest = _manifest(archive)
            for member in archive:
                file = archive.extractfile(member)
                name = _BLOB.fullmatch(member.name)
                if file is None or member.name == _MANIFEST:
                    continue
                if name is not None:
                    if blobs.put(file.read()) != name[1]:
                        raise BackupFailed(f"the backup {source} is damaged: a package is not what it was")
                elif member.name in keys:
                    write_secret(stage / member.name, file.read())
                elif member.name == FILE:
                    with (stage / FILE).open("xb") as copy:
                        shutil.copyfileobj(file, copy)
    except (tarfile.TarError, EOFError, KeyError, ValueError, TypeError) as error:
        raise BackupFailed(f"{source} is no backup, or is damaged: {error}") from None
    if not (stage / FILE).exists():
        raise BackupFailed(f"{source} is no backup, or is damaged: it has no database")
    return manifest


def _manifest(archive: tarfile.TarFile) -> Manifest:
    file = archive.extractfile(_MANIFEST)
    assert file is not None  # a member of that name that is no file: KeyError otherwise
    manifest = Manifest(**json.loads(file.read()))
    if manifest.format != _FORMAT or manifest.schema > Database.newest_revision():
        raise BackupFailed(f"the backup is of a newer release ({manifest.release})")
    return manifest
