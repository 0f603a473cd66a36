"""``firefork backup`` and ``firefork restore``: all that a server keeps, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from firefork.cli import options


@click.command()
@click.argument("file", type=options.PATH)
@options.data_dir
@options.database
@click.option(
    "--with-keys",
    envvar="FIREFORK_WITH_KEYS",
    is_flag=True,
    help="Put the key files into the backup: whoever has it then has all secrets.",
)
def backup(*, file: Path, data_dir: Path, database: str | None, with_keys: bool) -> None:
    """Write functions, code, identities and logs into FILE, as they are at one moment.

    The server may go on running. Without --with-keys keep secrets.key, session.key and credentials of the data folder
    in another place: a backup cannot be restored without them.
    """
    from firefork.catalog.backup import write_backup
    from firefork.store.database import Database
    from firefork.store.vault import KEY_FILE, Vault

    if not (data_dir / KEY_FILE).exists():
        raise click.ClickException(f"no server has kept anything in {data_dir}")
    with _told_in_one_line():
        opened = Database(database, Vault(data_dir / KEY_FILE)) if database else Database.in_folder(data_dir)
        try:
            written = write_backup(file, opened, data_dir, with_keys=with_keys)
        finally:
            opened.close()
    print(f"{file}: {written.functions} functions, {written.packages} packages, {file.stat().st_size} bytes")
    print("its keys are in it" if with_keys else f"its keys are not in it: keep those of {data_dir} in another place")


@click.command()
@click.argument("file", type=options.EXISTING_PATH)
@options.data_dir
@options.database
def restore(*, file: Path, data_dir: Path, database: str | None) -> None:
    """Restore a backup into an empty data folder, and into PostgreSQL if --database is given.

    A backup without keys needs those of its server in the data folder first.
    """
    from firefork.catalog.backup import restore_backup

    with _told_in_one_line():
        restored = restore_backup(file, database, data_dir)
    print(f"{data_dir}: {restored.functions} functions, {restored.packages} packages, as of {restored.taken}")


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    from sqlalchemy.exc import SQLAlchemyError

    from firefork.catalog.backup import BackupFailed

    try:
        yield
    except (BackupFailed, OSError, ValueError, ImportError) as error:  # ImportError: a URL with an unknown driver
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise click.ClickException(f"the database cannot be used: {reason}") from None
