"""What a pool plans, and what it does with environments that come and go."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws.scope import Scope
from firefork.catalog.function import LoggingConfig
from firefork.engine.environment_state import EnvironmentState
from firefork.engine.memory import MemoryExhausted
from firefork.engine.pool import INIT_FAILURE, MAXIMUM_AGE_S, Plan, Pool, Provisioned, assign
from firefork.engine.spec import ExecutionSpec, Initialization
from firefork.engine.start_queue import StartQueue

SPEC = ExecutionSpec(
    scope=Scope("000000000000", "us-east-1"),
    name="f",
    version="1",
    runtime="python3.12",
    handler="app.handler",
    role="arn:aws:iam::000000000000:role/r",
    memory_mb=128,
    timeout_s=3,
    tmp_mb=512,
    environment=(),
    architecture="x86_64",
    layers=(),
    code="0" * 64,
    logging=LoggingConfig(log_group="/aws/lambda/f"),
    tracing_mode="PassThrough",
    runtime_version_arn="",
)


class TestAssign:
    @pytest.mark.parametrize(
        ("state", "plan"),
        [
            ({"waiting": 0}, Plan(0, 0, 0)),
            ({"waiting": 3}, Plan(3, 0, 0)),
            ({"waiting": 3, "starting": 2}, Plan(1, 0, 0)),
            ({"waiting": 3, "starting": 1, "settling": 2}, Plan(0, 0, 0)),
            ({"target": 2}, Plan(0, 2, 0)),
            ({"target": 2, "provisioned": 1}, Plan(0, 1, 0)),
            ({"target": 3, "provisioned": 1, "provisioning": 2}, Plan(0, 0, 0)),
            ({"target": 1, "provisioned": 3}, Plan(0, 0, 2)),
            ({"waiting": 2, "target": 1, "provisioning": 1}, Plan(2, 0, 0)),
        ],
    )
    def test_plans(self, state, plan):
        assert assign(**{"waiting": 0, "starting": 0, "settling": 0, **state}) == plan

    @given(numbers=st.lists(st.integers(0, 50), min_size=6, max_size=6))
    def test_reaches_what_it_aims_at_and_no_more(self, numbers):
        waiting, starting, settling, target, provisioned, provisioning = numbers
        plan = assign(
            waiting=waiting,
            starting=starting,
            settling=settling,
            target=target,
            provisioned=provisioned,
            provisioning=provisioning,
        )
        assert plan.starts + starting + settling >= waiting
        assert plan.starts <= waiting
        assert provisioned + provisioning + plan.provisioned_starts >= target
        assert provisioned - plan.provisioned_ends <= max(target, 0)
        assert not (plan.provisioned_starts and plan.provisioned_ends)


class FakeSandbox:
    """Remembers what its environment weighs on the processor."""

    weight = 1.0

    def weigh_cpu(self, weight):
        self.weight = weight


class FakeEnvironment:
    """An environment whose init succeeds or fails as it is told, and that ends at once."""

    def __init__(self, pool, initialization, *, broken, error):
        self.pool, self.initialization = pool, initialization
        self.sandbox = FakeSandbox()
        self.state = EnvironmentState.STARTING
        self.created_s = self.idle_since_s = asyncio.get_running_loop().time()
        self._broken, self._error = broken, error

    async def initialise(self, started_up):
        if self._error is not None:
            raise self._error
        started_up()
        self.state = EnvironmentState.BROKEN if self._broken else EnvironmentState.IDLE
        self.pool.available(self)

    async def invoke(self, invocation):
        self.state = EnvironmentState.BUSY
        return self

    def finish(self, *, broken=False):
        self.state = EnvironmentState.BROKEN if broken else EnvironmentState.IDLE
        self.pool.available(self)

    async def close(self):
        self.state = EnvironmentState.CLOSED
        self.pool.closed(self)


class Bench:
    """A pool whose environments are fakes."""

    def __init__(self):
        self.broken = False
        self.error = self.init_error = None
        self.started = []
        self.gate = asyncio.Event()
        """Starts wait while it is clear."""
        self.gate.set()
        self.pool = Pool(SPEC, start=self._start, starts=StartQueue(4), idle_timeout_s=60.0)

    async def _start(self, pool, initialization):
        self.started.append(initialization)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return FakeEnvironment(pool, initialization, broken=self.broken, error=self.init_error)

    async def settle(self):
        """Let everything that was begun come to its end."""
        while self.pool._tasks:
            await asyncio.gather(*self.pool._tasks)

    async def provision(self, count):
        self.pool.provision(count)
        await self.settle()
        return self.pool.provisioned


@pytest.fixture
async def bench():
    return Bench()


class TestProvisioned:
    async def test_are_initialised_before_anyone_asks(self, bench):
        assert await bench.provision(3) == Provisioned(allocated=3, failure=None)
        assert bench.started == [Initialization.PROVISIONED] * 3
        environment = await bench.pool.invoke(None)
        assert environment.initialization is Initialization.PROVISIONED
        assert bench.pool.provisioned.allocated == 3, "a busy one is still there"

    async def test_what_they_cannot_serve_starts_on_demand(self, bench):
        await bench.provision(1)
        first, second = await bench.pool.invoke(None), await bench.pool.invoke(None)
        assert (first.initialization, second.initialization) == (Initialization.PROVISIONED, Initialization.ON_DEMAND)
        assert bench.pool.must_start
        first.finish()
        assert not bench.pool.must_start

    async def test_a_failed_init_is_told_and_not_repeated(self, bench):
        bench.broken = True
        assert await bench.provision(1) == Provisioned(allocated=0, failure=INIT_FAILURE)
        bench.pool.tend(0.0)
        await bench.settle()
        assert len(bench.started) == 1
        bench.broken = False
        assert await bench.provision(1) == Provisioned(allocated=1, failure=None)

    async def test_a_start_that_the_machine_failed_is_tried_again(self, bench):
        bench.error = MemoryExhausted("full")
        assert await bench.provision(1) == Provisioned(allocated=0, failure="full")
        bench.error = None
        bench.pool.tend(0.0)
        await bench.settle()
        assert bench.pool.provisioned == Provisioned(allocated=1, failure=None)

    @pytest.mark.parametrize("how", ["died idle", "broke in an invoke", "sandbox gone"])
    async def test_one_that_dies_is_replaced(self, bench, how):
        await bench.provision(1)
        (environment,) = bench.pool.environments
        if how == "died idle":
            environment.state = EnvironmentState.BROKEN
        elif how == "broke in an invoke":
            (await bench.pool.invoke(None)).finish(broken=True)
        else:
            await environment.close()
        bench.pool.tend(0.0)
        await bench.settle()
        assert bench.pool.provisioned == Provisioned(allocated=1, failure=None)
        assert environment not in bench.pool.environments
        assert len(bench.started) == 2

    async def test_fewer_are_ended_busy_ones_after_their_invoke(self, bench):
        await bench.provision(3)
        busy = await bench.pool.invoke(None)
        assert (await bench.provision(0)).allocated == 1
        busy.finish()
        await bench.settle()
        assert bench.pool.provisioned.allocated == 0
        assert not bench.pool.environments

    async def test_never_give_way_and_never_expire(self, bench):
        await bench.provision(1)
        assert list(bench.pool.idle()) == []
        bench.pool.tend(asyncio.get_running_loop().time() + 3600.0)
        await bench.settle()
        assert (bench.pool.provisioned.allocated, len(bench.started)) == (1, 1)

    async def test_end_with_their_pool(self, bench):
        await bench.provision(2)
        await bench.pool.close()
        bench.pool.tend(0.0)
        assert not bench.pool.environments
        assert len(bench.started) == 2


class TestOnDemand:
    @pytest.mark.parametrize("where", ["start", "init"])
    async def test_a_failed_start_is_told_to_the_invoke_that_waits_for_it(self, bench, where):
        """And to no other; nothing is left counted, so the next invoke is started for."""
        if where == "start":
            bench.error = MemoryExhausted("full")
        else:
            bench.init_error = MemoryExhausted("full")
        with pytest.raises(MemoryExhausted):
            await bench.pool.invoke(None)
        bench.error = bench.init_error = None
        await bench.settle()
        assert not bench.pool.environments
        assert (await bench.pool.invoke(None)).initialization is Initialization.ON_DEMAND

    async def test_an_idle_one_can_be_evicted(self, bench):
        (await bench.pool.invoke(None)).finish()
        (idle,) = bench.pool.idle()
        bench.pool.evict(idle)
        await bench.settle()
        assert not bench.pool.environments
        assert bench.pool.must_start

    async def test_the_next_is_expected_to_need_what_the_largest_used(self, bench):
        mib = 1024 * 1024
        assert bench.pool.expected_bytes == 32 * mib
        for size in (5 * mib, 9 * mib, 7 * mib):
            bench.pool.learn_size(size)
        assert bench.pool.expected_bytes == 9 * mib

    async def test_busy_ones_weigh_as_much_as_one_together(self, bench):
        """However many there are, and again when most of them are done."""
        running = [await bench.pool.invoke(None) for _ in range(8)]
        assert running[7].sandbox.weight == 1 / 8
        bench.pool.tend(0.0)
        assert sum(environment.sandbox.weight for environment in running) == 1.0
        for environment in running[1:]:
            environment.finish()
        bench.pool.tend(0.0)
        assert running[0].sandbox.weight == 1.0


class TestAge:
    """Environments are replaced before the credentials that they were started with expire."""

    @pytest.fixture
    async def old(self, bench):
        """A busy environment that is older than any may become."""
        environment = await bench.pool.invoke(None)
        environment.created_s -= MAXIMUM_AGE_S + 1
        return environment

    async def test_one_that_is_old_ends_after_its_invoke(self, bench, old):
        old.finish()
        await bench.settle()
        assert not bench.pool.environments

    async def test_it_serves_nobody_who_waits_for_it(self, bench, old):
        """A function that is never idle gets new credentials, too: who waits is served by another environment."""
        bench.gate.clear()
        waiting = asyncio.ensure_future(bench.pool.invoke(None))
        while len(bench.started) < 2:
            await asyncio.sleep(0)
        old.finish()
        bench.gate.set()
        served = await waiting
        assert served is not old
        await bench.settle()
        assert old not in bench.pool.environments

    async def test_a_provisioned_one_is_replaced(self, bench):
        await bench.provision(1)
        old = await bench.pool.invoke(None)
        old.created_s -= MAXIMUM_AGE_S + 1
        old.finish()
        bench.pool.tend(0.0)
        await bench.settle()
        assert bench.pool.provisioned == Provisioned(allocated=1, failure=None)
        assert old not in bench.pool.environments
