"""What invokes ask of the catalog: never the database once a function is known, never an outdated answer."""

import dataclasses
from collections import Counter
from contextlib import contextmanager

import pytest

from firefork.aws.errors import ResourceNotFound
from firefork.catalog.alias import Route
from firefork.catalog.aliases import Aliases
from firefork.store.database import Database

WANTED = {"runtime": "python3.12", "handler": "app.handler", "role": "arn:aws:iam::123456789012:role/r"}


class CountingDatabase(Database):
    """Counts how often it is read."""

    reads = 0

    @contextmanager
    def read(self):
        self.reads += 1
        with super().read() as connection:
            yield connection


@pytest.fixture
def database(tmp_path):
    made = CountingDatabase.in_folder(tmp_path)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def aliases(database, functions):
    return Aliases(database, functions)


@pytest.fixture
def function(functions, packages, scope, zipped):
    """``f`` with versions 1 and 2."""
    functions.create(scope, "f", WANTED, packages.accept(zipped({"app.py": "x"})), {})
    functions.settle(scope, "f")
    functions.publish_version(scope, "f")
    functions.update_configuration(scope, "f", {"timeout_s": 5})
    functions.settle(scope, "f")
    functions.publish_version(scope, "f")
    return functions.get(scope, "f", None)


@pytest.fixture
def live(aliases, function, scope):
    """An alias that shares its invokes between the two versions."""
    return aliases.create(scope, "f", "live", "1", description="", weights={"2": 0.25})


class TestResolve:
    def test_reads_nothing_once_a_qualifier_is_known(self, functions, database, live, scope):
        qualifiers = (None, "$LATEST", "1", "live")
        for qualifier in qualifiers:
            functions.resolve(scope, "f", qualifier)
        database.reads = 0
        for qualifier in qualifiers:
            functions.resolve(scope, "f", qualifier)
        assert database.reads == 0

    def test_an_update_leaves_nothing_to_be_read_by_the_next_invoke(self, functions, aliases, database, live, scope):
        functions.resolve(scope, "f", "live")
        aliases.update(scope, "f", "live", version="2", description=None, weights={}, revision_id=None)
        functions.update_configuration(scope, "f", {"timeout_s": 6})
        database.reads = 0
        assert functions.resolve(scope, "f", "live").version == "2"
        assert functions.resolve(scope, "f", None).timeout_s == 6
        assert database.reads == 0

    def test_what_is_deleted_is_not_found_at_once(self, functions, aliases, function, live, scope):
        assert functions.resolve(scope, "f", "live").version in ("1", "2")
        aliases.delete(scope, "f", "live")
        with pytest.raises(ResourceNotFound) as refusal:
            functions.resolve(scope, "f", "live")
        assert refusal.value.message == f"Function not found: {function.function_arn}:live"
        functions.delete(scope, "f", None)
        with pytest.raises(ResourceNotFound) as refusal:
            functions.resolve(scope, "f", None)
        assert refusal.value.message == f"Function not found: {function.function_arn}:$LATEST"

    @pytest.mark.parametrize("qualifier", ["0", "007", "99", "²"])
    def test_not_every_number_is_a_version(self, functions, function, scope, qualifier):
        with pytest.raises(ResourceNotFound):
            functions.resolve(scope, "f", qualifier)

    def test_a_function_that_comes_again_has_no_routes_of_the_old_one(self, functions, live, packages, scope, zipped):
        functions.resolve(scope, "f", "live")
        functions.delete(scope, "f", None)
        functions.create(scope, "f", WANTED, packages.accept(zipped({"app.py": "y"})), {})
        with pytest.raises(ResourceNotFound):
            functions.resolve(scope, "f", "live")


class TestRoute:
    def test_the_weight_is_the_share(self, function):
        """Every draw from 0 up to the weight goes to the additional version, the rest to the alias's own."""
        route = Route(function, dataclasses.replace(function, version="2"), 0.25)
        draws = iter(number / 100 for number in range(100))
        counts = Counter(route.pick(lambda: next(draws)).version for _ in range(100))
        assert counts == {"$LATEST": 75, "2": 25}


class TestPublishedStates:
    def test_a_start_finishes_versions_too(self, functions, function, packages, scope, zipped):
        """Published with an update, a version is Pending until both are settled."""
        functions.update_code(scope, "f", packages.accept(zipped({"app.py": "z"})), publish=True)
        assert functions.get(scope, "f", "3").state == "Pending"
        functions.settle_all()
        for qualifier in ("3", "$LATEST"):
            version = functions.get(scope, "f", qualifier)
            assert (version.state, version.last_update_status) == ("Active", "Successful")
