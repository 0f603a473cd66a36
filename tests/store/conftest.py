"""Both databases: SQLite in a file, and a PostgreSQL server of the tests' own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from firefork.store.database import Database

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _program(name):
    return next((str(folder / name) for folder in _FOLDERS if (folder / name).exists()), shutil.which(name))


def _unprivileged():
    """Options that run a program as nobody: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgresql():
    """The URL of an empty PostgreSQL database on loopback, in a folder that goes with it."""
    if _program("initdb") is None:
        pytest.skip("no PostgreSQL here: scripts/system-packages test installs it")
    # Not in pytest's folder: only its owner may enter that, and the server is somebody else.
    folder = Path(tempfile.mkdtemp(prefix="firefork-postgresql-"))
    options = _unprivileged()
    if options:
        os.chown(folder, options["user"], options["group"])
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    data = folder / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **options}
    try:
        initdb = [_program("initdb"), "-D", data, "-U", "firefork", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*initdb, "--locale=C.UTF-8"], **run)
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [_program("pg_ctl"), "-D", data, "-w"]
        subprocess.run([*control, "-o", settings, "-l", folder / "log", "start"], **run)
        try:
            yield f"postgresql://firefork@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'firefork.db'}"
        return
    address = request.getfixturevalue("postgresql")
    yield address
    cleaner = Database(address)
    with cleaner.write() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    cleaner.close()


@pytest.fixture
def database(url):
    made = Database(url)
    made.migrate()
    yield made
    made.close()
