"""The two databases: schema, transactions, and what the catalog and the log store do on both."""

from concurrent.futures import ThreadPoolExecutor

import alembic.autogenerate
import alembic.migration
import pytest
from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import ArgumentError, IntegrityError

from firefork.aws.errors import ResourceConflict
from firefork.aws.scope import Scope
from firefork.catalog.functions import Functions
from firefork.catalog.layers import Layers
from firefork.catalog.packages import Packages
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.database import Database
from firefork.store.tables import layers, metadata
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import LogStore

HERE = Scope("123456789012", "eu-west-1")
LAYER = {"account": "123456789012", "region": "eu-west-1", "name": "l"}


class TestMigrations:
    def test_they_make_the_tables_that_the_code_uses(self, database):
        with database.read() as connection:
            context = alembic.migration.MigrationContext.configure(connection)
            assert alembic.autogenerate.compare_metadata(context, metadata) == []

    def test_a_database_of_the_first_version_is_opened_with_its_content(self, url):
        """What the first release wrote is there after the newest one has started on it."""
        first = Database(url)
        first.migrate("0001")
        with first.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO layers (account, region, name, last_version) VALUES ('123456789012', 'eu-west-1', 'l', 7)"
            )
        first.close()
        newest = Database(url)
        newest.migrate()
        newest.migrate()
        with newest.read() as connection:
            assert connection.execute(select(layers.c.last_version)).scalar_one() == 7
            assert set(metadata.tables) <= set(inspect(connection).get_table_names())
        newest.close()

    def test_one_that_fails_leaves_nothing(self, url, monkeypatch):
        """A start that is killed halfway can be done again."""
        database = Database(url)

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


class TestTransactions:
    def test_all_or_nothing(self, database):
        def add_twice():
            with database.write() as connection:
                for _ in range(2):
                    connection.execute(insert(layers).values(**LAYER, last_version=1))

        with pytest.raises(IntegrityError):
            add_twice()
        with database.read() as connection:
            assert connection.execute(select(layers)).all() == []

    def test_writers_in_many_threads_wait_for_each_other(self, database, tmp_path):
        """No number is given out twice and none is lost."""
        catalog = Layers(database)
        package = Packages(Blobs(tmp_path / "b"), tmp_path / "c", tmp_path / "o").accept(EMPTY_ZIP)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: catalog.publish(HERE, "l", package), range(8)))
        versions, _ = catalog.list_versions(HERE, "l", before=None, limit=50)
        assert [version.version for version in versions] == list(range(8, 0, -1))


class TestAddresses:
    def test_only_the_two_kinds_are_known(self):
        for address in ("mysql://root@127.0.0.1/x", "nonsense"):
            with pytest.raises(ArgumentError):
                Database(address)


EMPTY_ZIP = (
    b"PK\x03\x04\x14\x00\x00\x00\x00\x00\x00\x00!\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00a"
    b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00\x00\x00!\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00"
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00aPK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00/\x00"
    b"\x00\x00\x1f\x00\x00\x00\x00\x00"
)
"""One empty file named ``a``."""


class TestContent:
    """The catalog and the log store, on whichever database."""

    def test_functions(self, database, tmp_path):
        packages = Packages(Blobs(tmp_path / "b"), tmp_path / "c", tmp_path / "o")
        settings = Settings(data_dir=tmp_path, runtimes_dir=tmp_path)
        scheduled = []
        catalog = Functions(
            database, packages, Layers(database), settings, schedule=lambda seconds, work: scheduled.append(work)
        )
        package = packages.accept(EMPTY_ZIP)
        wanted = {"runtime": "python3.12", "handler": "a.b", "role": "arn:aws:iam::123456789012:role/r"}
        catalog.create(HERE, "f", wanted, package, {"k": "v"})
        with pytest.raises(ResourceConflict, match="Function already exist: f"):
            catalog.create(HERE, "f", wanted, package, {})
        scheduled.pop()()
        assert catalog.publish_version(HERE, "f", description="one").version == "1"
        assert catalog.publish_version(HERE, "f").description == "", "a description of its own makes another version"
        assert [found.version for found in catalog.list_versions(HERE, "f", after=None, limit=9).versions] == [
            "$LATEST",
            "1",
            "2",
        ]
        assert catalog.tags(HERE, "f") == {"k": "v"}
        assert catalog.usage(HERE) == (1, package.size)
        assert catalog.uses(package.digest)
        assert not catalog.uses("0" * 64)
        catalog.delete(HERE, "f", None)
        assert catalog.version_names(HERE, "f") == set()

    def test_log_events(self, database):
        store = LogStore(database)
        for number in range(3):
            store.append(HERE, "/A", f"s{number}", [LogEvent(1000 - number, f"{number} \x00")])
            store.flush()
        store.create_group(HERE, "/a", {})
        assert [event.message[0] for event in store.events(HERE, "/A")] == ["2", "1", "0"]
        assert [group.name for group in store.groups(HERE, prefix="/")] == ["/A", "/a"]
        assert [group.name for group in store.groups(HERE, pattern="A")] == ["/A"]
        store.set_retention(HERE, "/A", 1)
        assert store.expire() == 3
        store.delete_group(HERE, "/A")
        assert [group.name for group in store.groups(HERE)] == ["/a"]
        store.close()
