"""The environments of one function version: who serves the next invoke, when another one is started, when one ends."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from firefork.engine.environment import Environment, EnvironmentState, Invocation, Outcome, RestorationFailed
from firefork.engine.spec import ExecutionSpec

_MAXIMUM_AGE_S: Final = 6 * 3600.0
"""Environments are replaced after some hours even when they are busy, as on AWS; role credentials outlive them."""


_SETTLING_PATIENCE_S: Final = 0.02
"""How long an invoke waits for an environment that has just answered before another one is started."""

_ENDING_PATIENCE_S: Final = 0.5
"""The same after a failure, when processes have to be killed first: on AWS, too, a caller that tries again gets the
environment that failed, with its ``/tmp``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What ``assign`` decided: how many environments to start."""

    starts: int


def assign(*, waiting: int, starting: int, settling: int) -> Plan:
    """Every waiting invoke gets an environment of its own; those that start or are about to be free count."""
    return Plan(max(0, waiting - starting - settling))


class Pool:
    """Environments of one spec. An invoke takes the one that was idle last, so that the others can expire."""

    def __init__(
        self,
        spec: ExecutionSpec,
        *,
        start: Callable[[Pool], Awaitable[Environment]],
        idle_timeout_s: float,
    ) -> None:
        self.spec = spec
        self.environments: set[Environment] = set()
        self._start = start
        self._idle_timeout_s = idle_timeout_s
        self._idle: list[Environment] = []
        self._waiting: deque[asyncio.Future[Environment]] = deque()
        self._starting = 0
        self._retired = False
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

    def _take_idle(self) -> Environment | None:
        while self._idle:
            environment = self._idle.pop()
            if environment.state in (EnvironmentState.IDLE, EnvironmentState.BROKEN):
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

    def _start_missing(self, *free_soon: EnvironmentState) -> None:
        """Start what waiting invokes need, less the environments in states that are ``free_soon``."""
        waiting = sum(not future.done() for future in self._waiting)
        settling = sum(environment.state in free_soon for environment in self.environments)
        for _ in range(assign(waiting=waiting, starting=self._starting, settling=settling).starts):
            self._starting += 1
            self._spawn(self._add())

    async def _add(self) -> None:
        try:
            environment = await self._start(self)
        except Exception as error:
            # The invoke that it was started for learns of it; the others have starts of their own.
            self._starting -= 1
            self._refuse_one(error)
            return
        self.environments.add(environment)
        try:
            await environment.initialise(self._started)
        except RestorationFailed as error:
            self._refuse_one(error)
        except BaseException:
            await environment.close()
            raise

    def _refuse_one(self, error: Exception) -> None:
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
                return

    def _started(self) -> None:
        self._starting -= 1

    def available(self, environment: Environment) -> None:
        """An environment finished its init or its invoke."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(environment)
                return
        if self._retired or time.monotonic() - environment.created_s > _MAXIMUM_AGE_S:
            self._spawn(environment.close())
            return
        self._idle.append(environment)

    def closed(self, environment: Environment) -> None:
        self.environments.discard(environment)

    def expire(self, now_s: float) -> None:
        """End environments that were idle too long. ``now_s`` as time.monotonic()."""
        while self._idle and now_s - self._idle[0].idle_since_s > self._idle_timeout_s:
            self._spawn(self._idle.pop(0).close())

    def retire(self) -> None:
        """No new environments will be asked for: idle ones end now, busy ones after their invoke."""
        self._retired = True
        idle, self._idle = self._idle, []
        for environment in idle:
            self._spawn(environment.close())

    async def close(self) -> None:
        """End all environments now."""
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
