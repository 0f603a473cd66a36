"""The migrations lead to the tables that the code uses."""

from pathlib import Path

import alembic.command
import alembic.config
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

import firefork.store
from firefork.store.database import Database
from firefork.store.tables import metadata


@pytest.fixture
def config(tmp_path):
    """Alembic's view of a database file of its own."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(Path(firefork.store.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{tmp_path / 'firefork.db'}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        yield config
    engine.dispose()


class TestMigrations:
    def test_make_what_the_tables_say(self, config):
        alembic.command.upgrade(config, "head")
        context = MigrationContext.configure(config.attributes["connection"])
        assert compare_metadata(context, metadata) == []

    def test_can_be_taken_back(self, config):
        alembic.command.upgrade(config, "head")
        alembic.command.downgrade(config, "base")
        assert set(inspect(config.attributes["connection"]).get_table_names()) <= {"alembic_version"}

    def test_an_older_database_keeps_its_rows(self, config, tmp_path):
        """One of the first schema gets the tables that came later."""
        alembic.command.upgrade(config, "0001")
        connection = config.attributes["connection"]
        connection.exec_driver_sql("INSERT INTO functions VALUES ('000000000000', 'us-east-1', 'f', 3, '{}')")
        connection.commit()
        database = Database.in_folder(tmp_path)
        database.migrate()
        with database.read() as reader:
            assert reader.exec_driver_sql("SELECT name, last_version FROM functions").all() == [("f", 3)]
            assert reader.exec_driver_sql("SELECT count(*) FROM iam_entities").scalar() == 0
        database.close()
