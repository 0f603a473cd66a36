"""The two databases: schema, transactions, and what the catalog and the log store do on both."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import ArgumentError, IntegrityError

from firefork.aws.errors import ResourceConflict, ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.aliases import Aliases
from firefork.catalog.event_invoke_configs import EventInvokeConfigs
from firefork.catalog.event_source_mappings import EventSourceMappings
from firefork.catalog.function_urls import FunctionUrls
from firefork.catalog.functions import Functions
from firefork.catalog.layers import Layers
from firefork.catalog.packages import Packages
from firefork.catalog.policies import Policies
from firefork.catalog.references import FunctionReference
from firefork.catalog.schemas.registries import Registries
from firefork.catalog.tags import TaggedResource, Tags
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.database import Database
from firefork.store.tables import layer_versions, layers
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import LogStore
from firefork.telemetry.metrics.distribution import Distribution
from firefork.telemetry.metrics.metric import STANDARD_S, Metric, MetricSet, Sample, dimensions_of
from firefork.telemetry.metrics.metric_store import MetricStore

HERE = Scope("123456789012", "eu-west-1")
LAYER = {"account": "123456789012", "region": "eu-west-1", "name": "l"}


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

    def test_an_error_does_not_tell_what_was_to_be_written(self, database):
        """Statements are logged when they fail; their values may be anybody's secrets."""

        def add_twice():
            with database.write() as connection:
                for _ in range(2):
                    row = {**LAYER, "version": 1, "code_sha256": "0" * 64, "document": "hunter2"}
                    connection.execute(insert(layer_versions).values(**row))

        with pytest.raises(IntegrityError) as refusal:
            add_twice()
        assert "hunter2" not in str(refusal.value)


class TestAddresses:
    def test_only_the_two_kinds_are_known(self, vault):
        for address in ("mysql://root@127.0.0.1/x", "nonsense"):
            with pytest.raises(ArgumentError):
                Database(address, vault)


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
        assert Tags(database, catalog).of(TaggedResource.parse(HERE.arn("lambda", "function:f"))) == {"k": "v"}
        assert catalog.usage(HERE) == (1, 3 * package.size), "every version counts"
        assert catalog.uses(package.digest)
        assert not catalog.uses("0" * 64)
        catalog.delete(HERE, "f", None)
        assert catalog.version_names(HERE, "f") == set()

    def test_what_belongs_to_functions(self, database, tmp_path):
        """Written, written again, read, and gone with its function."""
        packages = Packages(Blobs(tmp_path / "b"), tmp_path / "c", tmp_path / "o")
        settings = Settings(data_dir=tmp_path, runtimes_dir=tmp_path)
        stored_layers = Layers(database)
        functions = Functions(database, packages, stored_layers, settings, schedule=lambda seconds, work: work())
        package = packages.accept(EMPTY_ZIP)
        wanted = {"runtime": "python3.12", "handler": "a.b", "role": "arn:aws:iam::123456789012:role/r"}
        functions.create(HERE, "f", wanted, package, {})
        target = FunctionReference(scope=HERE, name="f", qualifier=None)
        aliases, policies = Aliases(database, functions), Policies(database, functions)
        configs, urls = EventInvokeConfigs(database, functions), FunctionUrls(database, functions)
        functions.publish_version(HERE, "f")
        aliases.create(HERE, "f", "live", "$LATEST", description="", weights={})
        moved = aliases.update(HERE, "f", "live", version="1", description="d", weights=None, revision_id=None)
        assert aliases.get(HERE, "f", "live") == moved
        for sid in ("s1", "s2"):
            policies.add(target, {"Sid": sid, "Principal": "*", "Action": "lambda:*"}, None)
        assert [each["Sid"] for each in policies.policy_of(target.arn)["Statement"]] == ["s1", "s2"]
        for attempts in (1, 2):
            configs.put(target, {"maximum_retry_attempts": attempts}, merge=False)
        assert configs.get(target).maximum_retry_attempts == 2
        urls.create(target, {"auth_type": "NONE"})
        assert urls.update(target, {"auth_type": "AWS_IAM"}).auth_type == urls.get(target).auth_type == "AWS_IAM"
        arn = stored_layers.publish(HERE, "l", package).arn
        policies.add_layer(HERE, "l", 1, {"Sid": "s", "Principal": "*", "Action": "lambda:GetLayerVersion"}, None)
        stored_layers.delete(HERE, "l", 1)
        assert policies.policy_of(arn) is None
        mappings = EventSourceMappings(database, functions)
        mapping = mappings.create(target, "arn:aws:sqs:us-east-1:1:q", {}, enabled=True, tags={})
        assert mappings.get(HERE, mapping.uuid).state == "Enabled"
        functions.delete(HERE, "f", None)
        assert policies.policy_of(target.arn) is None
        with pytest.raises(ResourceNotFound):
            configs.get(target)
        mappings.delete(HERE, mapping.uuid)
        with pytest.raises(ResourceNotFound):
            mappings.get(HERE, mapping.uuid)

    def test_metrics(self, database):
        """Written, read, folded into longer periods and listed."""
        moments_ms = [1_790_000_000_000]
        store = MetricStore(database, clock=lambda: moments_ms[0], write_every_s=3600)
        metric_set = MetricSet(HERE, "Shop", dimensions_of({"stage": "prod"}))
        for second in (0, 10, 20):
            values = Distribution.of({2.0: 1})
            store.put(metric_set, [Sample("orders", "Count", moments_ms[0] / 1000 - second, STANDARD_S, values)])
        assert len(list(store.points(metric_set, "orders", 0, 2**31))) == 3
        assert store.metrics(HERE, since_s=0) == [Metric("Shop", "orders", (("stage", "prod"),))]
        moments_ms[0] += 4 * 3_600_000
        store.tend()
        assert sum(point.values.total for point in store.points(metric_set, "orders", 0, 2**31)) == 6
        moments_ms[0] += 456 * 86_400_000
        store.tend()
        assert store.metrics(HERE, since_s=0) == []
        store.close()

    def test_schemas(self, database):
        registries = Registries(database)
        registries.create_registry(HERE, "r", description=None, tags={})
        members = {"kind": "JSONSchemaDraft4", "content": "{}"}
        registries.create_schema(HERE, "r", "s", **members, description="d", tags={"a": "b"})
        registries.update_schema(HERE, "r", "s", kind=None, content='{"type": "object"}', description=None)
        schema, version = registries.schema(HERE, "r", "s")
        assert (schema.version_count, version.number, schema.description) == (2, 2, "d")
        registries.delete_schema(HERE, "r", "s")
        registries.delete_registry(HERE, "r")
        assert registries.registries(HERE, prefix="", after="", limit=10) == []

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
