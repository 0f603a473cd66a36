"""Keeps the engine's provisioned environments at what is configured, and says how far it is.

AWS: Lambda developer guide, "Configuring provisioned concurrency for a function".
"""

from __future__ import annotations

import asyncio
import enum
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from firefork.aws.errors import ResourceNotFound
from firefork.aws.scope import Scope
from firefork.catalog.concurrency import Concurrency, ProvisionedConfig
from firefork.catalog.functions import Functions
from firefork.engine.engine import Engine
from firefork.engine.spec import ExecutionSpec


class Status(enum.Enum):
    """ProvisionedConcurrencyStatusEnum."""

    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How far a configuration is carried out."""

    allocated: int
    status: Status
    reason: str | None = None


class Provisioner:
    """``refresh`` after any change to a function, its aliases or its provisioned concurrency; also after a start."""

    def __init__(
        self, engine: Engine, functions: Functions, concurrency: Concurrency, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._engine = engine
        self._functions = functions
        self._concurrency = concurrency
        self._loop = loop
        self._lock = threading.Lock()
        self._applied: dict[tuple[Scope, str], frozenset[str]] = {}

    def refresh_all(self) -> None:
        """After a start, or when changes may have been missed: have what is configured now, and nothing else.

        Blocks, but not until environments are initialised.
        """
        for scope, name in {*self._concurrency.provisioned_functions(), *list(self._applied)}:
            self.refresh(scope, name)

    def refresh(self, scope: Scope, name: str) -> Future[None]:
        """Tell the engine what a function's versions are to have; done when it knows. Blocks: not for the loop."""
        # Reading and handing over under one lock: of two changes, the engine hears the later one last.
        with self._lock:
            targets = self._targets(scope, name)
            done: Future[None] = Future()
            self._loop.call_soon_threadsafe(self._apply, scope, name, targets, done)
        return done

    def _targets(self, scope: Scope, name: str) -> dict[ExecutionSpec, int]:
        targets = self._concurrency.targets(scope, name)
        former = self._applied.get((scope, name), frozenset())
        specs = {}
        for version in former | targets.keys():
            try:
                function = self._functions.resolve(scope, name, version)
            except ResourceNotFound:
                continue  # it was deleted, and its environments with it
            specs[ExecutionSpec.of(function)] = targets.get(version, 0)
        if targets:
            self._applied[scope, name] = frozenset(targets)
        else:
            self._applied.pop((scope, name), None)
        return specs

    def _apply(self, scope: Scope, name: str, targets: Mapping[ExecutionSpec, int], done: Future[None]) -> None:
        for spec, count in targets.items():
            self._engine.provision(spec, count)
        done.set_result(None)

    def ready(self, scope: Scope, name: str) -> dict[str, int]:
        """The provisioned environments that each version of a function has now. From memory, for whoever invokes."""
        versions = self._applied.get((scope, name), frozenset())
        return {version: self._engine.provisioned(scope, name, version).allocated for version in versions}

    def allocation(self, scope: Scope, name: str, config: ProvisionedConfig) -> Allocation:
        """What there is of one configuration now. May be called from any thread. Raises ResourceNotFound."""
        version = self._concurrency.version_of(scope, name, config.qualifier)
        present = self._engine.provisioned(scope, name, version)
        allocated = min(present.allocated, config.requested)
        if present.failure is not None:
            return Allocation(allocated=allocated, status=Status.FAILED, reason=present.failure)
        status = Status.READY if allocated == config.requested else Status.IN_PROGRESS
        return Allocation(allocated=allocated, status=status)
