"""What the engine is told to keep initialised, and what is told of it."""

import asyncio
from types import SimpleNamespace

import pytest

from firefork.aws.errors import ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.concurrency import ProvisionedConfig
from firefork.catalog.function import FunctionVersion, LoggingConfig
from firefork.engine.pool import INIT_FAILURE, Provisioned
from firefork.invoke.provisioner import Allocation, Provisioner, Status
from firefork.store.clock import now

HERE = Scope("000000000000", "us-east-1")


class Engine:
    """Takes notes, and has as many environments as ``state`` says."""

    def __init__(self):
        self.told = []
        self.state = Provisioned(allocated=0, failure=None)

    def provision(self, spec, count):
        self.told.append((spec.version, count))

    def provisioned(self, scope, name, version):
        return self.state


class Functions:
    versions = ("1", "2")

    def resolve(self, scope, name, version):
        if version not in self.versions:
            raise ResourceNotFound("gone")
        return FunctionVersion(
            scope=scope,
            name=name,
            version=version,
            revision_id="r",
            runtime="python3.12",
            handler="app.handler",
            role="arn:aws:iam::000000000000:role/r",
            last_modified=now(),
            logging=LoggingConfig(log_group=f"/aws/lambda/{name}"),
        )


@pytest.fixture
async def refreshed():
    """A provisioner with its engine and functions, and ``change``: new targets for ``f`` that the engine hears of."""
    made = SimpleNamespace(engine=Engine(), functions=Functions(), targets={})
    concurrency = SimpleNamespace(
        targets=lambda scope, name: dict(made.targets),
        version_of=lambda scope, name, qualifier: "1",
        provisioned_functions=lambda: [(HERE, "f")],
    )
    made.provisioner = Provisioner(made.engine, made.functions, concurrency, asyncio.get_running_loop())

    async def change(**targets):
        made.targets = {version.removeprefix("v"): count for version, count in targets.items()}
        made.engine.told.clear()
        await asyncio.wrap_future(await asyncio.to_thread(made.provisioner.refresh, HERE, "f"))
        return sorted(made.engine.told)

    made.change = change
    return made


class TestRefresh:
    async def test_an_alias_that_moves_takes_its_environments_along(self, refreshed):
        assert await refreshed.change(v1=2) == [("1", 2)]
        assert await refreshed.change(v2=2) == [("1", 0), ("2", 2)]

    async def test_a_deleted_configuration_ends_them_once(self, refreshed):
        await refreshed.change(v1=2)
        assert await refreshed.change() == [("1", 0)]
        assert await refreshed.change() == []

    async def test_a_deleted_version_is_left_alone(self, refreshed):
        await refreshed.change(v1=2, v2=1)
        refreshed.functions.versions = ("2",)
        assert await refreshed.change(v2=1) == [("2", 1)]

    async def test_everything_comes_back_after_a_start(self, refreshed):
        refreshed.targets = {"2": 3}
        await asyncio.to_thread(refreshed.provisioner.refresh_all)
        await asyncio.sleep(0)
        assert refreshed.engine.told == [("2", 3)]

    async def test_who_invokes_learns_what_is_ready(self, refreshed):
        await refreshed.change(v1=2)
        refreshed.engine.state = Provisioned(allocated=1, failure=None)
        assert refreshed.provisioner.ready(HERE, "f") == {"1": 1}
        assert refreshed.provisioner.ready(HERE, "g") == {}


class TestAllocation:
    @pytest.mark.parametrize(
        ("state", "allocation"),
        [
            ((0, None), Allocation(allocated=0, status=Status.IN_PROGRESS)),
            ((1, None), Allocation(allocated=1, status=Status.IN_PROGRESS)),
            ((2, None), Allocation(allocated=2, status=Status.READY)),
            ((3, None), Allocation(allocated=2, status=Status.READY)),
            ((1, INIT_FAILURE), Allocation(allocated=1, status=Status.FAILED, reason=INIT_FAILURE)),
        ],
    )
    async def test_status(self, refreshed, state, allocation):
        refreshed.engine.state = Provisioned(allocated=state[0], failure=state[1])
        config = ProvisionedConfig(qualifier="1", requested=2, last_modified=now())
        assert refreshed.provisioner.allocation(HERE, "f", config) == allocation
