"""Rules of functions that need a moment held still."""

import pytest

from firefork.aws.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from firefork.catalog.functions import Functions
from firefork.settings import Settings

WANTED = {"runtime": "python3.12", "handler": "a.b", "role": "arn:aws:iam::123456789012:role/r"}
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f"


@pytest.fixture
def package(packages, zipped):
    return packages.accept(zipped({"a.py": "x"}))


class TestStates:
    def changes(self, functions, scope, package):
        """Everything that changes a function."""
        return (
            lambda: functions.update_code(scope, "f", package),
            lambda: functions.update_code(scope, "f", package, dry_run=True),
            lambda: functions.update_configuration(scope, "f", {"timeout_s": 5}),
            lambda: functions.publish_version(scope, "f"),
            lambda: functions.change_tags(scope, "f", {"a": "b"}, []),
        )

    def test_while_it_is_created_nothing_else_changes_it(self, functions, scope, package):
        functions.create(scope, "f", WANTED, package, {})
        for change in self.changes(functions, scope, package):
            with pytest.raises(ResourceConflict) as refusal:
                change()
            assert refusal.value.message == (
                f"The operation cannot be performed at this time. The resource {ARN} is currently in the following "
                "state: 'Pending'. StateReasonCode: 'Creating'"
            )
        assert functions.get(scope, "f", None).state == "Pending"
        functions.settle(scope, "f")
        functions.change_tags(scope, "f", {"a": "b"}, [])

    def test_while_it_is_updated_nothing_else_changes_it(self, functions, scope, package):
        functions.create(scope, "f", WANTED, package, {})
        functions.settle(scope, "f")
        functions.update_configuration(scope, "f", {"timeout_s": 4})
        for change in self.changes(functions, scope, package):
            with pytest.raises(ResourceConflict) as refusal:
                change()
            assert refusal.value.message == (
                f"The operation cannot be performed at this time. An update is in progress for resource: {ARN}"
            )

    def test_a_start_finishes_what_a_killed_server_had_begun(
        self, functions, scope, package, database, packages, layers
    ):
        functions.create(scope, "f", WANTED, package, {})
        settings = Settings(data_dir=packages.code_dir, runtimes_dir=packages.code_dir)
        again = Functions(database, packages, layers, settings, schedule=lambda seconds, work: None)
        again.settle_all()
        found = again.get(scope, "f", None)
        assert (found.state, found.last_update_status, found.state_reason) == ("Active", "Successful", None)


class TestSizes:
    def test_code_and_layers_count_together(self, functions, layers, packages, scope, package, zipped, monkeypatch):
        """Unzipped; the limit is lower here, so that no 250 MB are written."""
        monkeypatch.setattr("firefork.catalog.functions.UNZIPPED_LIMIT", 1000)
        layer = layers.publish(scope, "l", packages.accept(zipped({"big": "x" * 600})))
        wanted = {**WANTED, "layers": functions.layer_references(scope, [layer.arn])}
        functions.create(scope, "fits", wanted, packages.accept(zipped({"a.py": "y" * 400})), {})
        with pytest.raises(InvalidParameterValue) as refusal:
            functions.create(scope, "f", wanted, packages.accept(zipped({"a.py": "x" * 401})), {})
        assert refusal.value.message == "Unzipped size must be smaller than 1000 bytes"
        with pytest.raises(ResourceNotFound):
            functions.get(scope, "f", None)


class TestUse:
    def test_a_deleted_layer_is_in_use_while_a_function_has_it(
        self, functions, layers, packages, scope, package, zipped
    ):
        content = packages.accept(zipped({"python/x.py": "x"}))
        layer = layers.publish(scope, "l", content)
        assert layers.uses(content.digest)
        assert not functions.uses(content.digest)
        functions.create(scope, "f", {**WANTED, "layers": functions.layer_references(scope, [layer.arn])}, package, {})
        layers.delete(scope, "l", 1)
        assert not layers.uses(content.digest)
        assert functions.uses(content.digest)
        assert functions.uses(package.digest)
        assert functions.digests() == {content.digest, package.digest}
