"""The environments of one function version: who serves the next invoke, when another one is started, when one ends."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from firefork.engine.environment import Environment
from firefork.engine.environment_state import EnvironmentState
from firefork.engine.invocation import Invocation, Outcome
from firefork.engine.memory import FIRST_ESTIMATE
from firefork.engine.spec import ExecutionSpec, Initialization
from firefork.engine.start_queue import StartQueue

MAXIMUM_AGE_S: Final = 6 * 3600.0
"""Environments are replaced after some hours even when they are busy, as on AWS; role credentials outlive them."""


_SETTLING_PATIENCE_S: Final = 0.02
"""How long an invoke waits for an environment that has just answered before another one is started."""

_ENDING_PATIENCE_S: Final = 0.5
"""The same after a failure, when processes have to be killed first: on AWS, too, a caller that tries again gets the
environment that failed, with its ``/tmp``."""

_USABLE: Final = (EnvironmentState.IDLE, EnvironmentState.BROKEN)

INIT_FAILURE: Final = "FUNCTION_ERROR_INIT_FAILURE"
"""What AWS gives as the reason when a function's own init failed (fact sheet section 3.1)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``assign`` decided: how many environments to start and to end."""

    starts: int
    """On demand, for invokes that wait."""
    provisioned_starts: int
    provisioned_ends: int


def assign(
    *, waiting: int, starting: int, settling: int, target: int = 0, provisioned: int = 0, provisioning: int = 0
) -> Plan:
    """Every waiting invoke gets an environment of its own; those that start or are about to be free count.

    Beside them ``target`` provisioned environments are kept: ``provisioned`` are there, busy ones included, and
    ``provisioning`` are being initialised. Those do not count for the waiting: their init may take minutes.
    """
    return Plan(
        starts=max(0, waiting - starting - settling),
        provisioned_starts=max(0, target - provisioned - provisioning),
        provisioned_ends=max(0, provisioned - target),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """How far a pool is with its provisioned environments."""

    allocated: int
    """Initialised ones, busy or not."""
    failure: str | None
    """Why no more are started; ``None`` while all is well."""


class Pool:
    """Environments of one spec. An invoke takes the one that was idle last, so that the others can expire."""

    def __init__(
        self,
        spec: ExecutionSpec,
        *,
        start: Callable[[Pool, Initialization], Awaitable[Environment]],
        starts: StartQueue,
        idle_timeout_s: float,
    ) -> None:
        self.spec = spec
        self.owner = (spec.scope, spec.name)
        self.environments: set[Environment] = set()
        self.expected_bytes = min(FIRST_ESTIMATE, spec.memory_mb * 1024 * 1024)
        """What one more environment is charged until it is measured: see ``memory.py``."""
        self._measured = False
        self._weighed_for = 1
        self._start = start
        self._starts = starts
        self._idle_timeout_s = idle_timeout_s
        self._idle: list[Environment] = []
        self._provisioned_idle: list[Environment] = []
        self._provisioned: set[Environment] = set()
        self._target = 0
        self._failure: str | None = None
        self._waiting: deque[asyncio.Future[Environment]] = deque()
        self._starting = {Initialization.ON_DEMAND: 0, Initialization.PROVISIONED: 0}
        self._retired = False
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run one event. Raises what starting an environment raised."""
        environment = self._take_idle()
        if environment is None:
            environment = await self._wait()
        return await environment.invoke(invocation)

    @property
    def busy(self) -> int:
        return sum(environment.state is EnvironmentState.BUSY for environment in self.environments)

    @property
    def must_start(self) -> bool:
        """Whether one more invoke would have an environment started now."""
        if self._idle or self._provisioned_idle:
            return False
        return self._plan(EnvironmentState.SETTLING, EnvironmentState.ENDING, extra=1).starts > 0

    def _take_idle(self) -> Environment | None:
        for idle in (self._provisioned_idle, self._idle):
            while idle:
                environment = idle.pop()
                if environment.state in _USABLE:
                    return environment
        return None

    async def _wait(self) -> Environment:
        future: asyncio.Future[Environment] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        states = {environment.state for environment in self.environments}
        self._start_missing(EnvironmentState.SETTLING, EnvironmentState.ENDING)
        loop = asyncio.get_running_loop()
        if EnvironmentState.SETTLING in states:
            # A runtime asks for its next event within a millisecond of its answer; if not, others are needed.
            loop.call_later(_SETTLING_PATIENCE_S, self._start_missing, EnvironmentState.ENDING)
        if EnvironmentState.ENDING in states:
            loop.call_later(_ENDING_PATIENCE_S, self._start_missing)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.available(future.result())
            raise

    def _plan(self, *free_soon: EnvironmentState, extra: int = 0) -> Plan:
        """What to start for the invokes that wait and ``extra`` ones, less the environments that are ``free_soon``."""
        return assign(
            waiting=extra + sum(not future.done() for future in self._waiting),
            starting=self._starting[Initialization.ON_DEMAND],
            settling=sum(environment.state in free_soon for environment in self.environments),
            target=self._target,
            provisioned=len(self._provisioned),
            provisioning=self._starting[Initialization.PROVISIONED],
        )

    def _start_missing(self, *free_soon: EnvironmentState) -> None:
        for _ in range(self._plan(*free_soon).starts):
            self._begin(Initialization.ON_DEMAND)

    def _begin(self, initialization: Initialization) -> None:
        self._starting[initialization] += 1
        self._spawn(self._add(initialization))

    async def _add(self, initialization: Initialization) -> None:
        turn = await self._starts.turn(self.owner)
        if self._closing:
            turn.end()
            return
        try:
            environment = await self._start(self, initialization)
        except Exception as error:
            turn.end()
            self._starting[initialization] -= 1
            self._start_failed(initialization, error)
            return

        decided = False

        def started() -> None:
            nonlocal decided
            if not decided:
                decided = True
                turn.end()
                self._starting[initialization] -= 1

        self.environments.add(environment)
        try:
            environment.sandbox.weigh_cpu(1 / (self.busy + sum(self._starting.values())))
            await environment.initialise(started)
        except Exception as error:
            started()
            await environment.close()
            self._start_failed(initialization, error)
        if self._closing:
            await environment.close()

    def _start_failed(self, initialization: Initialization, error: Exception) -> None:
        if initialization is Initialization.PROVISIONED:
            self._failure = str(error)
            return
        # The invoke that it was started for learns of it; the others have starts of their own.
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
                break

    def available(self, environment: Environment) -> None:
        """An environment finished its init or its invoke."""
        provisioned = environment.initialization is Initialization.PROVISIONED
        if provisioned and environment not in self._provisioned and not self._adopt(environment):
            return
        if self._is_old(environment):
            # Also if somebody waits for it: where somebody always does, it would outlive its credentials.
            self._end(environment)
            self._start_missing()
            return
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(environment)
                return
        if self._retired:
            self._end(environment)
        elif not provisioned:
            self._idle.append(environment)
        elif len(self._provisioned) > self._target:
            self._end(environment)
        else:
            self._provisioned_idle.append(environment)

    def _adopt(self, environment: Environment) -> bool:
        """Count a newly initialised provisioned environment; whether its init was a success."""
        if environment.state is EnvironmentState.BROKEN:
            self._failure = INIT_FAILURE
            self._end(environment)
            return False
        if self._failure != INIT_FAILURE:
            self._failure = None
        self._provisioned.add(environment)
        return True

    @staticmethod
    def _is_old(environment: Environment) -> bool:
        return time.monotonic() - environment.created_s > MAXIMUM_AGE_S

    def closed(self, environment: Environment) -> None:
        self.environments.discard(environment)
        self._provisioned.discard(environment)

    def _end(self, environment: Environment) -> None:
        # Not counted from now on: what replaces it need not wait until its processes are gone.
        self._provisioned.discard(environment)
        self._spawn(environment.close())

    # ---- provisioned concurrency

    def provision(self, target: int) -> None:
        """Keep this many initialised environments from now on; what failed before is tried again."""
        self._target = target
        self._failure = None
        self._replan()

    @property
    def provisioned(self) -> Provisioned:
        return Provisioned(allocated=len(self._provisioned), failure=self._failure)

    def _replan(self, *, again: bool = False) -> None:
        """Start or end provisioned environments; ``again``: also after a failure that may not have been the function's.

        A machine that had no memory left may have some now, but an init that failed would only fail again.
        """
        if self._retired:
            return
        plan = self._plan()
        if self._failure is None or (again and self._failure != INIT_FAILURE):
            for _ in range(plan.provisioned_starts):
                self._begin(Initialization.PROVISIONED)
        # Busy ones that are too many end when they become available.
        for environment in self._provisioned_idle[: plan.provisioned_ends]:
            self._provisioned_idle.remove(environment)
            self._end(environment)

    # ---- time and memory

    def tend(self, now_s: float) -> None:
        """End environments that were idle too long, replace provisioned ones. ``now_s`` as time.monotonic().

        Called every second or so; that is also how fast an environment that dies again and again is replaced.
        """
        while self._idle and now_s - self._idle[0].idle_since_s > self._idle_timeout_s:
            self._end(self._idle.pop(0))
        for environment in list(self._provisioned_idle):
            if environment.state is not EnvironmentState.IDLE or self._is_old(environment):
                self._provisioned_idle.remove(environment)
                self._end(environment)
        if self._target or self._provisioned:
            self._replan(again=True)
        self._weigh()

    def _weigh(self) -> None:
        """Let all busy environments together weigh as much on the processor as a single one of another function.

        New ones begin with their share; this corrects the others when there are twice or half as many.
        """
        busy = max(1, self.busy)
        if not self._weighed_for / 2 < busy < self._weighed_for * 2:
            self._weighed_for = busy
            for environment in self.environments:
                environment.sandbox.weigh_cpu(1 / busy)

    def idle(self) -> Iterator[Environment]:
        """Environments that may be ended when memory is needed: never provisioned ones."""
        return (environment for environment in self._idle if environment.state in _USABLE)

    def learn_size(self, size: int) -> None:
        """An environment was measured to use ``size`` bytes: the next one is expected to need the largest of these."""
        if not self._measured or size > self.expected_bytes:
            self._measured = True
            self.expected_bytes = size

    def evict(self, environment: Environment) -> None:
        """End one of ``idle``."""
        self._idle.remove(environment)
        self._end(environment)

    def retire(self) -> None:
        """No new environments will be asked for: idle ones end now, busy ones after their invoke."""
        self._retired = True
        idle, self._idle, self._provisioned_idle = [*self._idle, *self._provisioned_idle], [], []
        for environment in idle:
            self._end(environment)

    async def close(self) -> None:
        """End all environments now."""
        self._closing = True
        self.retire()
        while self._waiting:
            self._waiting.popleft().cancel()
        await asyncio.gather(*(environment.close() for environment in list(self.environments)))
        while self._tasks:
            await asyncio.gather(*list(self._tasks), return_exceptions=True)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
