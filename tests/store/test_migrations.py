"""Migrations: from every schema there ever was to the one that the code uses, with what was in it."""

import json
from pathlib import Path

import alembic.autogenerate
import alembic.command
import alembic.config
import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import firefork.store
from firefork.aws.scope import Scope
from firefork.catalog.aliases import Aliases
from firefork.catalog.concurrency import Concurrency
from firefork.catalog.function_records import load
from firefork.catalog.functions import Functions
from firefork.catalog.iam.access_keys import AccessKeys
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import User
from firefork.catalog.layers import Layers
from firefork.catalog.packages import Packages
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.database import Database
from firefork.store.tables import metadata
from firefork.store.vault import SecretUnreadable, Vault

ACCOUNT = "123456789012"
HERE = Scope(ACCOUNT, "eu-west-1")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
SECRET = "hunter2-in-the-clear"

_CONFIG = alembic.config.Config()
_CONFIG.set_main_option("script_location", str(Path(firefork.store.__file__).parent / "migrations"))
REVISIONS = [script.revision for script in reversed(list(ScriptDirectory.from_config(_CONFIG).walk_revisions()))]

DOCUMENT = {
    "name": "f",
    "version": "$LATEST",
    "revision_id": "11111111-1111-4111-8111-111111111111",
    "runtime": "python3.12",
    "handler": "a.b",
    "role": ROLE,
    "environment": {"PASSWORD": SECRET},
    "layers": [],
    "code_sha256": "0" * 64,
    "code_size": 7,
    "logging": {
        "log_group": "/aws/lambda/f",
        "log_format": "Text",
        "application_log_level": None,
        "system_log_level": None,
    },
    "state": "Active",
    "last_update_status": "Successful",
    "last_modified": "2026-01-01T00:00:00+00:00",
}


def _insert(connection, table, **columns):
    names, marks = ", ".join(f'"{name}"' for name in columns), ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), columns)


def _write_0001(connection, vault):
    _insert(connection, "functions", account=ACCOUNT, region="eu-west-1", name="f", last_version=1, tags='{"k": "v"}')
    for number, version, environment in ((0, "$LATEST", {"PASSWORD": SECRET}), (1, "1", None)):
        document = DOCUMENT | {"version": version, "environment": environment}
        row = {"account": ACCOUNT, "region": "eu-west-1", "name": "f", "number": number, "state": "Active"}
        _insert(connection, "function_versions", **row, code_sha256="0" * 64, document=json.dumps(document))


def _write_0002(connection, vault):
    user = {
        "partition": "aws",
        "id": "AIDA00000000000000000",
        "created": "2026-01-01T00:00:00+00:00",
        "tags": {},
        "boundary_arn": None,
    }
    key = {"account": ACCOUNT, "kind": "user", "name": "ann", "folded": "ann", "path": "/"}
    _insert(connection, "iam_entities", **key, document=json.dumps(user))
    sealed = vault.seal("signs", "AKIA1")
    row = {"id": "AKIA1", "account": ACCOUNT, "user": "ann", "active": 1, "created_ms": 1, "sealed_secret": sealed}
    _insert(connection, "iam_access_keys", **row)


def _write_0003(connection, vault):
    row = {"account": ACCOUNT, "region": "eu-west-1", "name": "f", "alias": "live", "version": "1"}
    _insert(connection, "aliases", **row, description="d", revision_id=DOCUMENT["revision_id"])


def _write_0004(connection, vault):
    _insert(connection, "function_concurrency", account=ACCOUNT, region="eu-west-1", name="f", reserved=3)


WRITERS = {"0001": _write_0001, "0002": _write_0002, "0003": _write_0003, "0004": _write_0004}
"""What a release with that schema wrote and the one before did not."""


@pytest.fixture
def old(url, vault):
    """Makes the database that a release with a schema of then has left."""

    def make(revision):
        database = Database(url, vault)
        for each in REVISIONS[: REVISIONS.index(revision) + 1]:
            database.migrate(each)
            if each in WRITERS:
                with database.write() as connection:
                    WRITERS[each](connection, vault)
        database.close()

    return make


class TestMigrations:
    def test_make_the_tables_that_the_code_uses(self, database):
        with database.read() as connection:
            assert alembic.autogenerate.compare_metadata(MigrationContext.configure(connection), metadata) == []

    @pytest.mark.parametrize("revision", REVISIONS[:-1])
    def test_a_database_of_each_earlier_schema_is_opened_with_its_content(self, revision, old, url, vault, tmp_path):
        """What a release of then wrote is there after the newest one has started on it, twice."""
        old(revision)
        database = Database(url, vault)
        database.migrate()
        database.migrate()
        functions = Functions(
            database,
            Packages(Blobs(tmp_path / "b"), tmp_path / "c", tmp_path / "o"),
            Layers(database),
            Settings(data_dir=tmp_path, runtimes_dir=tmp_path),
        )
        found = functions.get(HERE, "f", None)
        assert (found.handler, found.environment) == ("a.b", {"PASSWORD": SECRET})
        assert functions.get(HERE, "f", "1").environment is None
        directory = Directory(database)
        concurrency = Concurrency(database, functions, account_concurrency=1000)
        if revision >= "0002":
            assert directory.get(User, ACCOUNT, "ann").path == "/"
            assert AccessKeys(database, directory).lookup("AKIA1").secret == "signs"
        if revision >= "0003":
            assert Aliases(database, functions).get(HERE, "f", "live").version == "1"
        if revision >= "0004":
            assert concurrency.of(HERE, "f").reserved == 3
        with database.read() as connection:
            assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        database.close()

    def test_can_be_taken_back(self, old, url, vault):
        """One by one, down to nothing; the environments are readable for the release before they were sealed."""
        old("0004")
        database = Database(url, vault)
        database.migrate()
        with database.write() as connection:
            _CONFIG.attributes["connection"] = connection
            alembic.command.downgrade(_CONFIG, "0004")
            query = "SELECT document FROM function_versions WHERE number = 0"
            document = connection.exec_driver_sql(query).scalar_one()
            assert json.loads(document)["environment"] == {"PASSWORD": SECRET}
            alembic.command.downgrade(_CONFIG, "base")
            assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        database.close()

    def test_one_that_fails_leaves_nothing(self, url, vault, monkeypatch):
        """A start that is killed halfway can be done again."""
        database = Database(url, vault)

        def fail(*arguments):
            raise RuntimeError("killed")

        with monkeypatch.context() as patch:
            patch.setattr("alembic.op.create_index", fail)
            with pytest.raises(RuntimeError, match="killed"):
                database.migrate()
        with database.read() as connection:
            assert inspect(connection).get_table_names() == []
        database.migrate()
        database.close()


class TestSealing:
    """Migration 0005: what was in the clear is sealed, and no copy stays in the files."""

    def test_the_files_do_not_hold_what_was_in_them(self, old, url, vault, files_of):
        old("0004")
        assert SECRET.encode() in files_of(url)
        database = Database(url, vault)
        database.migrate()
        assert SECRET.encode() not in files_of(url)
        with database.read() as connection:
            assert load(connection, HERE, "f", 0).environment == {"PASSWORD": SECRET}
        database.close()

    def test_a_start_that_is_killed_in_between_is_made_up_for(self, old, url, vault, files_of, monkeypatch):
        """The rows are sealed, their old copies still there: the next start removes them."""
        old("0004")
        database = Database(url, vault)

        def fail(self):
            raise RuntimeError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(Database, "_scrub", fail)
            with pytest.raises(RuntimeError, match="killed"):
                database.migrate()
        database.migrate()
        assert SECRET.encode() not in files_of(url)
        database.close()

    def test_another_key_file_is_refused_and_nothing_changes(self, old, url, vault, tmp_path):
        """Before the migration by the access keys, after it by everything."""
        other = Vault(tmp_path / "other")
        old("0004")
        wrong, right = Database(url, other), Database(url, vault)
        for migrate in (lambda: None, right.migrate):
            migrate()
            with pytest.raises(SecretUnreadable):
                wrong.migrate()
        right.migrate()
        wrong.close()
        right.close()
