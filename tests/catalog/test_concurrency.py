"""Provisioned concurrency of aliases, and what happens to configurations when their subject goes."""

import pytest

from firefork.aws.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.concurrency import Concurrency

HERE = Scope("000000000000", "us-east-1")
CONFIGURATION = {
    "runtime": "python3.12",
    "handler": "app.handler",
    "role": "arn:aws:iam::000000000000:role/r",
    "layers": (),
    "stored_only": {},
}


class Catalog:
    """Functions and their concurrency; ``aliases`` stands for the aliases of ``f``."""

    def __init__(self, database, functions, package):
        self.functions = functions
        self.aliases = {}
        self._database = database
        self._package = package
        self.concurrency = self.load()

    def load(self):
        """What another server would read."""
        return Concurrency(
            self._database,
            self.functions,
            account_concurrency=1000,
            alias_targets=lambda scope, name: self.aliases if name == "f" else {},
        )

    def create(self, name="f", versions=2):
        self.functions.create(HERE, name, CONFIGURATION, self._package, {})
        self.functions.settle(HERE, name)
        for number in range(versions):
            self.functions.publish_version(HERE, name, description=str(number))


@pytest.fixture
def catalog(database, packages, functions, zipped):
    made = Catalog(database, functions, packages.accept(zipped({"app.py": "def handler(event, context): pass"})))
    made.create()
    return made


class TestAliases:
    def test_an_alias_counts_for_the_version_it_points_at(self, catalog):
        catalog.aliases["live"] = "1"
        catalog.concurrency.put_provisioned(HERE, "f", "live", 3)
        assert catalog.concurrency.targets(HERE, "f") == {"1": 3}
        catalog.aliases["live"] = "2"
        assert catalog.concurrency.targets(HERE, "f") == {"2": 3}

    def test_a_version_is_provisioned_once(self, catalog):
        catalog.aliases.update(live="1", other="2")
        catalog.concurrency.put_provisioned(HERE, "f", "live", 1)
        with pytest.raises(ResourceConflict) as pointed:
            catalog.concurrency.put_provisioned(HERE, "f", "1", 1)
        assert pointed.value.message == "Version is pointed by a Provisioned Concurrency alias"
        catalog.concurrency.put_provisioned(HERE, "f", "2", 1)
        with pytest.raises(ResourceConflict) as provisioned:
            catalog.concurrency.put_provisioned(HERE, "f", "other", 1)
        assert provisioned.value.message == (
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )

    def test_a_deleted_alias_takes_its_configuration_along(self, catalog):
        catalog.aliases["live"] = "1"
        catalog.concurrency.put_provisioned(HERE, "f", "live", 1)
        del catalog.aliases["live"]
        for listener in catalog.functions.changed:
            listener(HERE, "f", False)
        assert catalog.concurrency.targets(HERE, "f") == {}
        assert catalog.concurrency.unreserved(HERE) == 1000
        with pytest.raises(ResourceNotFound):
            catalog.concurrency.provisioned(HERE, "f", "live")


class TestSnapStart:
    def test_a_version_with_snapstart_is_not_provisioned(self, catalog):
        catalog.functions.update_configuration(HERE, "f", {"snap_start_apply_on": "PublishedVersions"})
        catalog.functions.settle(HERE, "f")
        catalog.functions.publish_version(HERE, "f")
        with pytest.raises(InvalidParameterValue):
            catalog.concurrency.put_provisioned(HERE, "f", "3", 1)
        catalog.concurrency.put_provisioned(HERE, "f", "2", 1)


class TestRaces:
    def test_a_function_that_is_deleted_meanwhile_gets_no_concurrency(self, catalog, monkeypatch):
        """It was there when the request was checked, and is gone when it is stored."""
        found = catalog.functions.get(HERE, "f", None)
        catalog.functions.delete(HERE, "f", None)
        monkeypatch.setattr(catalog.functions, "get", lambda *parameters: found)
        with pytest.raises(ResourceNotFound):
            catalog.concurrency.put_reserved(HERE, "f", 9)
        assert catalog.concurrency.unreserved(HERE) == 1000


class TestStorage:
    def test_everything_is_there_after_a_restart(self, catalog):
        catalog.concurrency.put_reserved(HERE, "f", 9)
        config = catalog.concurrency.put_provisioned(HERE, "f", "2", 4)
        later = catalog.load()
        assert later.of(HERE, "f") == catalog.concurrency.of(HERE, "f")
        assert later.provisioned(HERE, "f", "2") == config
        assert later.unreserved(HERE) == 991
        assert later.provisioned_functions() == [(HERE, "f")]

    def test_a_deletion_that_a_killed_server_left_half_done_is_finished(self, catalog):
        catalog.concurrency.put_reserved(HERE, "f", 9)
        catalog.concurrency.put_provisioned(HERE, "f", "2", 4)
        catalog.functions.changed.clear()
        catalog.functions.delete(HERE, "f", None)
        assert catalog.load().unreserved(HERE) == 1000
        catalog.create()
        assert catalog.load().of(HERE, "f").reserved is None

    def test_other_functions_keep_theirs(self, catalog):
        catalog.create("g")
        for name in ("f", "g"):
            catalog.concurrency.put_reserved(HERE, name, 10)
            catalog.concurrency.put_provisioned(HERE, name, "1", 1)
        catalog.functions.delete(HERE, "f", None)
        assert catalog.concurrency.provisioned_functions() == [(HERE, "g")]
        assert catalog.load().unreserved(HERE) == catalog.concurrency.unreserved(HERE) == 990
