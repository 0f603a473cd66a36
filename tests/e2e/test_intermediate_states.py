"""Every change that AWS makes in the background shows that it is under way, and is over soon after.

The first state is the one in the answer to the change itself: how long it can be read afterwards is a matter of speed.
"""

import pytest

SOURCE = "def handler(event, context): pass"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:states"


@pytest.fixture
def becomes(eventually):
    """Asks until a state is the last one; fails for one that is neither that nor the first."""

    def wait(ask, member, before, after):
        def over():
            state = ask()[member]
            assert state in (before, after)
            return state == after

        eventually(over)

    return wait


class TestFunctions:
    def test_create_update_and_dry_run(self, lambda_, zipped, becomes):
        """Pending, then Active; InProgress, then Successful, for code and for configuration."""
        name, code = {"FunctionName": "states"}, zipped({"app.py": SOURCE})
        created = lambda_.create_function(
            **name,
            Runtime="python3.12",
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/r",
            Code={"ZipFile": code},
        )
        assert created["State"] == "Pending"

        def shown():
            return lambda_.get_function_configuration(**name)

        becomes(shown, "State", "Pending", "Active")
        for change in (
            lambda: lambda_.update_function_configuration(**name, Timeout=9),
            lambda: lambda_.update_function_code(**name, ZipFile=code),
        ):
            assert change()["LastUpdateStatus"] == "InProgress"
            becomes(shown, "LastUpdateStatus", "InProgress", "Successful")
        dry = lambda_.update_function_code(**name, ZipFile=zipped({"app.py": "other"}), DryRun=True)
        assert dry["LastUpdateStatus"] == "Successful", "nothing begins"
        assert lambda_.invoke(**name, InvocationType="DryRun")["StatusCode"] == 204

    def test_a_version_with_a_snapshot(self, make_function, lambda_, becomes):
        """It is Pending until it has been initialised; its optimisation is on from the first."""
        name = {"FunctionName": make_function(SOURCE, SnapStart={"ApplyOn": "PublishedVersions"}).name}
        published = lambda_.publish_version(**name)
        assert (published["State"], published["SnapStart"]["OptimizationStatus"]) == ("Pending", "On")
        becomes(lambda: lambda_.get_function_configuration(**name, Qualifier="1"), "State", "Pending", "Active")


class TestOtherResources:
    def test_provisioned_concurrency(self, make_function, lambda_, becomes):
        where = {"FunctionName": make_function(SOURCE, Publish=True).name, "Qualifier": "1"}
        put = lambda_.put_provisioned_concurrency_config(**where, ProvisionedConcurrentExecutions=1)
        assert (put["Status"], put["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
        becomes(
            lambda: lambda_.get_provisioned_concurrency_config(**where),
            "Status",
            "IN_PROGRESS",
            "READY",
        )
        lambda_.delete_provisioned_concurrency_config(**where)

    def test_event_source_mappings(self, make_function, lambda_, becomes, eventually):
        """Creating, Updating, Disabling, Enabling and Deleting, each on its way to what was asked for."""
        name = make_function(SOURCE).name
        made = lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=QUEUE)
        mapping = {"UUID": made["UUID"]}

        def shown():
            return lambda_.get_event_source_mapping(**mapping)

        assert made["State"] == "Creating"
        becomes(shown, "State", "Creating", "Enabled")
        for change, before, after in (
            ({"BatchSize": 5}, "Updating", "Enabled"),
            ({"Enabled": False}, "Disabling", "Disabled"),
            ({"Enabled": True}, "Enabling", "Enabled"),
        ):
            assert lambda_.update_event_source_mapping(**mapping, **change)["State"] == before
            becomes(shown, "State", before, after)
        assert lambda_.delete_event_source_mapping(**mapping)["State"] == "Deleting"
        eventually(lambda: lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == [])
