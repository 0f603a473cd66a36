"""The function catalog without a server: states that only end when the test says so, and what invokes see."""

import dataclasses
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from firefork.aws.errors import PreconditionFailed, ResourceConflict, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.alias import Route
from firefork.catalog.aliases import Aliases
from firefork.catalog.functions import Functions
from firefork.catalog.layers import Layers
from firefork.catalog.packages import Packages
from firefork.catalog.policies import Policies
from firefork.catalog.references import FunctionReference
from firefork.catalog.tags import TaggedResource, Tags
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.database import Database

SCOPE = Scope("000000000000", "us-east-1")
ARN = SCOPE.arn("lambda", "function:f")


class CountingDatabase(Database):
    """Counts how often it is read."""

    reads = 0

    @contextmanager
    def read(self):
        self.reads += 1
        with super().read() as connection:
            yield connection


@pytest.fixture
def catalog(tmp_path, zipped):
    """The nouns on a database of their own, and ``settle`` to end what is in progress."""
    database = CountingDatabase.in_folder(tmp_path)
    database.migrate()
    packages = Packages(Blobs(tmp_path / "blobs"), tmp_path / "code", tmp_path / "opt")
    later = []
    functions = Functions(
        database,
        packages,
        Layers(database),
        Settings(data_dir=tmp_path, runtimes_dir=tmp_path),
        schedule=lambda seconds, work: later.append(work),
    )

    def settle():
        while later:
            later.pop()()

    package = packages.accept(zipped({"app.py": "def handler(e, c): pass"}))
    functions.create(SCOPE, "f", {"runtime": "python3.12", "handler": "app.handler", "role": ROLE}, package, {})
    settle()
    yield SimpleNamespace(
        database=database,
        functions=functions,
        aliases=Aliases(database, functions),
        policies=Policies(database, functions),
        tags=Tags(database, functions),
        package=package,
        settle=settle,
    )
    database.close()


ROLE = "arn:aws:iam::000000000000:role/tester"


class TestStates:
    def test_one_update_at_a_time(self, catalog):
        """Recorded on AWS: what would change a function waits for the update that is in progress."""
        catalog.functions.update_configuration(SCOPE, "f", {"timeout_s": 8})
        message = f"The operation cannot be performed at this time. An update is in progress for resource: {ARN}"
        for attempt in (
            lambda: catalog.functions.update_configuration(SCOPE, "f", {"timeout_s": 9}),
            lambda: catalog.functions.update_code(SCOPE, "f", catalog.package),
            lambda: catalog.functions.publish_version(SCOPE, "f"),
            lambda: catalog.tags.change(TaggedResource.parse(ARN), add={"a": "b"}, remove=[]),
        ):
            with pytest.raises(ResourceConflict) as refusal:
                attempt()
            assert refusal.value.message == message
        catalog.settle()
        assert catalog.functions.update_configuration(SCOPE, "f", {"timeout_s": 9}).timeout_s == 9

    def test_a_killed_servers_work_is_finished_at_the_next_start(self, catalog):
        catalog.functions.update_code(SCOPE, "f", catalog.package, publish=True)
        assert catalog.functions.get(SCOPE, "f", "1").state == "Pending"
        catalog.functions.settle_all()
        for qualifier in ("1", "$LATEST"):
            version = catalog.functions.get(SCOPE, "f", qualifier)
            assert (version.state, version.last_update_status) == ("Active", "Successful")

    def test_a_stale_revision_id_changes_nothing(self, catalog):
        before = catalog.functions.get(SCOPE, "f", None)
        with pytest.raises(PreconditionFailed):
            catalog.functions.update_configuration(SCOPE, "f", {"timeout_s": 9}, revision_id="stale")
        assert catalog.functions.get(SCOPE, "f", None) == before


class TestResolve:
    """What invokes ask: never the database once a function is known, never an outdated answer."""

    @pytest.fixture
    def shared(self, catalog):
        """An alias that shares its invokes between versions 1 and 2."""
        catalog.functions.publish_version(SCOPE, "f")
        catalog.functions.update_configuration(SCOPE, "f", {"timeout_s": 5})
        catalog.settle()
        catalog.functions.publish_version(SCOPE, "f")
        catalog.aliases.create(SCOPE, "f", "live", "1", description="", weights={"2": 0.25})
        return catalog

    def test_reads_nothing_once_a_qualifier_is_known(self, shared):
        qualifiers = (None, "$LATEST", "1", "live")
        for qualifier in qualifiers:
            shared.functions.resolve(SCOPE, "f", qualifier)
        shared.database.reads = 0
        for qualifier in qualifiers:
            shared.functions.resolve(SCOPE, "f", qualifier)
        assert shared.database.reads == 0

    def test_an_update_leaves_nothing_to_be_read_by_the_next_invoke(self, shared):
        shared.functions.resolve(SCOPE, "f", "live")
        shared.aliases.update(SCOPE, "f", "live", version="2", description=None, weights={}, revision_id=None)
        shared.functions.update_configuration(SCOPE, "f", {"timeout_s": 6})
        shared.database.reads = 0
        assert shared.functions.resolve(SCOPE, "f", "live").version == "2"
        assert shared.functions.resolve(SCOPE, "f", None).timeout_s == 6
        assert shared.database.reads == 0

    def test_what_is_deleted_is_not_found_at_once(self, shared):
        assert shared.functions.resolve(SCOPE, "f", "live").version in ("1", "2")
        shared.aliases.delete(SCOPE, "f", "live")
        with pytest.raises(ResourceNotFound) as refusal:
            shared.functions.resolve(SCOPE, "f", "live")
        assert refusal.value.message == f"Function not found: {ARN}:live"
        shared.functions.delete(SCOPE, "f", None)
        with pytest.raises(ResourceNotFound) as refusal:
            shared.functions.resolve(SCOPE, "f", None)
        assert refusal.value.message == f"Function not found: {ARN}:$LATEST"

    @pytest.mark.parametrize("qualifier", ["0", "007", "99", "²", ""])
    def test_what_looks_like_a_number_is_not_always_a_version(self, catalog, qualifier):
        if not qualifier:
            assert catalog.functions.resolve(SCOPE, "f", qualifier or None).version == "$LATEST"
            return
        with pytest.raises(ResourceNotFound):
            catalog.functions.resolve(SCOPE, "f", qualifier)

    def test_the_weight_is_the_share(self, catalog):
        """Every draw from 0 up to the weight goes to the additional version, the rest to the alias's own."""
        version = catalog.functions.get(SCOPE, "f", None)
        route = Route(version, dataclasses.replace(version, version="2"), 0.25)
        draws = iter(number / 100 for number in range(100))
        counts = Counter(route.pick(lambda: next(draws)).version for _ in range(100))
        assert counts == {"$LATEST": 75, "2": 25}


class TestPolicyOf:
    """What the evaluation of permissions asks."""

    def test_documents_by_arn(self, catalog):
        catalog.functions.publish_version(SCOPE, "f")
        statement = {"Sid": "s", "Principal": "*", "Action": "lambda:InvokeFunction"}
        catalog.policies.add(FunctionReference(scope=SCOPE, name="f", qualifier=None), statement, None)
        document = catalog.policies.policy_of(ARN)
        assert document["Statement"] == [{**statement, "Effect": "Allow", "Resource": ARN}]
        assert catalog.policies.policy_of(f"{ARN}:$LATEST") == document
        assert catalog.policies.policy_of(f"{ARN}:1") is None
        assert catalog.policies.policy_of(f"{ARN}-other") is None
        assert catalog.policies.policy_of("arn:aws:s3:::bucket") is None
