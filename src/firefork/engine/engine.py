"""The data plane of one node: zygotes per runtime, pools per function version, and their beginning and end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from firefork.aws.scope import Scope
from firefork.catalog.function import LATEST
from firefork.engine.binding import Binding, extension_names
from firefork.engine.container_credentials import ContainerCredentials
from firefork.engine.environment import PREPARED_INIT_LIMIT_S, Environment
from firefork.engine.environment_state import EnvironmentState
from firefork.engine.failures import Failure
from firefork.engine.guest import kernel
from firefork.engine.installations import Installation
from firefork.engine.invocation import Invocation, Outcome
from firefork.engine.memory import FUNCTION_SHARE, Idle, MemoryExhausted, MemoryLedger, default_budget, make_room
from firefork.engine.pool import Pool, Provisioned
from firefork.engine.sandbox import seccomp
from firefork.engine.sandbox.caretaker import Caretaker
from firefork.engine.sandbox.cgroups import Hierarchies, own_memory_limit, remove_leftovers
from firefork.engine.sandbox.network import Network
from firefork.engine.sandbox.sandbox import Sandbox
from firefork.engine.sandbox.snapshot import SPARES, Snapshot
from firefork.engine.sandbox.zygote import Zygote, ZygotePlan, adopt_orphans, cgroup_prefix
from firefork.engine.spec import ExecutionSpec, Initialization, function_environment
from firefork.engine.start_queue import StartQueue
from firefork.telemetry.log_event import LogEvent

logger = logging.getLogger(__name__)

_SWEEP_INTERVAL_S: Final = 1.0
_MIB: Final = 1024 * 1024
ROLE_CREDENTIALS_S: Final = 3600
"""How long keys from the container credentials' path are good: whoever uses them asks again."""


class CodeStore(Protocol):
    """Where unpacked packages and merged layers are; both calls may block."""

    code_dir: Path
    opt_dir: Path

    def code_folder(self, digest: str) -> Path: ...
    def opt_folder(self, digests: list[str]) -> Path: ...
    def wants_sdk(self, code: str, layers: list[str]) -> bool: ...


class Runtimes(Protocol):
    def find(self, identifier: str) -> Installation: ...
    def host_of_custom(self) -> Installation: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How this node isolates and how long it keeps things."""

    data_dir: Path
    mode: str
    """``root``, ``user`` or ``process``: see ``sandbox/capabilities.py``."""
    hierarchies: Hierarchies | None
    network: Network
    """Opened by whoever starts the engine, and closed after its end."""
    idle_timeout_s: float = 600.0
    init_limit_s: float = 10.0
    """AWS: Lambda developer guide, "Init phase"."""
    spares: int = 2
    memory_budget_mb: int | None = None
    """What all environments may use together; ``None``: a share of what is available, see ``memory.py``."""
    concurrent_starts: int = 8
    snapstart_latest: bool = False
    """Whether SnapStart is for ``$LATEST``, too: an option beyond AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PlacedCode:
    binding: Binding
    roots: Mapping[str, str]
    """Variables that name folders, where nothing is mounted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HeldSnapshot:
    """A version's snapshot, or why there is none."""

    spec: ExecutionSpec
    """What it was made of; ``$LATEST`` may be something else by now."""
    snapshot: Snapshot | None = None
    template: Environment | None = None
    credentials: ContainerCredentials | None = None
    unusable: str = ""

    async def close(self) -> None:
        if self.snapshot is not None:
            await self.snapshot.stop()
        if self.template is not None:
            await self.template.close()


class Engine:
    """Runs invocations of execution specs. All methods belong to the event loop."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        code: CodeStore,
        runtimes: Runtimes,
        log: Callable[[Scope, str, str, list[LogEvent]], None],
        credentials: Callable[[ExecutionSpec], dict[str, str]],
        serve_endpoint: Callable[[Sandbox], Callable[[], None]],
    ) -> None:
        """``serve_endpoint`` starts serving the API on a sandbox's endpoint listener; what it returns ends that."""
        self.options = options
        self._code = code
        self._runtimes = runtimes
        self._log = log
        self._credentials = credentials
        self._serve_endpoint = serve_endpoint
        self._zygotes: dict[tuple[str, bool], asyncio.Task[Zygote]] = {}
        self._pools: dict[tuple[Scope, str, str], Pool] = {}
        self._retired: set[Pool] = set()
        self._starts = StartQueue(options.concurrent_starts)
        self._memory = MemoryLedger(_budget(options))
        self._measured_s: dict[Environment, float] = {}
        self._snapshots: dict[tuple[Scope, str, str], _HeldSnapshot] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None
        self._closing = False
        # The process id keeps an earlier server's caretaker, should it still be at work, from this one's groups.
        self._cgroup_prefix = f"{cgroup_prefix(options.data_dir)}{os.getpid()}-"
        self._caretaker: Caretaker | None = None

    async def start(self) -> None:
        """Clear what a killed server left behind, and begin."""
        adopt_orphans()
        hierarchies = self.options.hierarchies
        if hierarchies is not None:
            count = await asyncio.to_thread(remove_leftovers, hierarchies, cgroup_prefix(self.options.data_dir))
            if count:
                logger.info("removed %d control groups of an earlier server", count)
            self._caretaker = await asyncio.to_thread(Caretaker, hierarchies, self._cgroup_prefix)
        self._sweeper = asyncio.create_task(self._sweep())

    async def invoke(self, spec: ExecutionSpec, invocation: Invocation) -> Outcome:
        """Run one event on an environment of ``spec``. Raises ZygoteFailed, SandboxLost, RuntimeNotInstalled,
        MemoryExhausted.
        """
        return await self._pool(spec).invoke(invocation)

    def must_start(self, spec: ExecutionSpec) -> bool:
        """Whether an invoke of ``spec`` would have an environment started now."""
        pool = self._pools.get((spec.scope, spec.name, spec.version))
        if pool is None or (pool.spec is not spec and pool.spec != spec):
            return True
        return pool.must_start

    def provision(self, spec: ExecutionSpec, count: int) -> None:
        """Keep ``count`` environments of ``spec`` initialised, before anyone asks for them."""
        if count or (spec.scope, spec.name, spec.version) in self._pools:
            self._pool(spec).provision(count)

    def provisioned(self, scope: Scope, name: str, version: str) -> Provisioned:
        """How far ``provision`` is. May be called from any thread."""
        pool = self._pools.get((scope, name, version))
        return pool.provisioned if pool is not None else Provisioned(allocated=0, failure=None)

    async def warm_up(self, spec: ExecutionSpec) -> None:
        """Start the zygote that ``spec`` will need, so that its first invoke finds spares."""
        if not self._closing:
            (await self._zygote(spec)).expect()

    def replace(self, spec: ExecutionSpec) -> None:
        """The version is ``spec`` now: environments of an older form end as soon as they are idle."""
        key = (spec.scope, spec.name, spec.version)
        pool = self._pools.get(key)
        if pool is not None and pool.spec != spec:
            self._retire(key, pool)

    def forget_deleted(self, scope: Scope, name: str, alive: Set[str]) -> None:
        """Versions of the function were deleted: end the environments of all but the ones that are ``alive``."""
        for key, pool in list(self._pools.items()):
            if key[:2] == (scope, name) and key[2] not in alive:
                self._retire(key, pool)
        for key in list(self._snapshots):
            if key[:2] == (scope, name) and key[2] not in alive:
                task = asyncio.ensure_future(self._drop_snapshot(key))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _pool(self, spec: ExecutionSpec) -> Pool:
        key = (spec.scope, spec.name, spec.version)
        pool = self._pools.get(key)
        if pool is not None and pool.spec is not spec and pool.spec != spec:
            self._retire(key, pool)
            pool = None
        if pool is None:
            pool = Pool(
                spec,
                start=self._start_in_room,
                starts=self._starts,
                idle_timeout_s=self.options.idle_timeout_s,
            )
            self._pools[key] = pool
        return pool

    def _retire(self, key: tuple[Scope, str, str], pool: Pool) -> None:
        del self._pools[key]
        pool.retire()
        self._retired.add(pool)

    async def _start_in_room(self, pool: Pool, initialization: Initialization) -> Environment:
        """Start an environment on memory that is set aside for it first."""
        self._make_room(pool)
        place = object()
        self._memory.charge(place, pool.owner, pool.expected_bytes)
        try:
            environment = await self._start_environment(pool, initialization)
            self._memory.charge(environment, pool.owner, pool.expected_bytes)
        finally:
            self._memory.release(place)
        return environment

    def _make_room(self, pool: Pool) -> None:
        """Have idle environments give way until one of ``pool`` fits. Raises MemoryExhausted."""
        memory = self._memory
        room = make_room(
            need=pool.expected_bytes,
            budget=memory.budget,
            used=memory.used,
            used_by_owner=memory.used_by(pool.owner),
            owner=pool.owner,
            idle=self._idle(),
        )
        if not room.fits:
            share = int(memory.budget * FUNCTION_SHARE)
            raise MemoryExhausted(
                f"Environments use {memory.used // _MIB} MB of the {memory.budget // _MIB} MB of memory that they may "
                f"use on this machine (--memory-budget), those of this function {memory.used_by(pool.owner) // _MIB} "
                f"of {share // _MIB} MB, and another one is expected to need {pool.expected_bytes // _MIB} MB."
            )
        for holder, environment in room.evictions:
            self._memory.release(environment)
            holder.evict(environment)

    def _idle(self) -> Iterator[Idle[tuple[Pool, Environment]]]:
        for pool in self._pools.values():
            for environment in pool.idle():
                yield Idle(
                    tenant=(pool, environment),
                    owner=pool.owner,
                    bytes=self._memory.charged(environment),
                    since_s=environment.idle_since_s,
                )

    async def _start_environment(self, pool: Pool, initialization: Initialization) -> Environment:
        spec = pool.spec
        key = (spec.scope, spec.name, spec.version)
        optimised = self.is_optimised(spec)
        held = self._snapshots.get(key) if optimised else None
        if held is not None and held.spec != spec:
            held = None
        if held is not None and held.snapshot is not None and not held.snapshot.ended.is_set():
            sandbox = await held.snapshot.take()
            return self._environment(
                spec,
                sandbox,
                Binding(restored=True),
                {},
                held.credentials,
                initialization=Initialization.SNAP_START,
                on_available=pool.available,
                on_closed=lambda environment: self._closed(pool, environment),
                init_limit_s=self.options.init_limit_s,
            )
        placed = await self._place_code(spec)
        sandbox = await (await self._zygote(spec)).take()
        credentials = None
        init_limit_s = self.options.init_limit_s
        if initialization is Initialization.PROVISIONED:
            init_limit_s = max(PREPARED_INIT_LIMIT_S, spec.timeout_s)
        elif optimised:
            initialization = Initialization.SNAP_START
            reason = held.unusable if held is not None else "there is no snapshot yet"
            text = f"SNAPSTART\tThis environment initialises the function anew: {reason}\n"
            credentials = self._container_credentials(spec)
            notice = LogEvent(time.time_ns() // 1_000_000, text)
        environment = self._environment(
            spec,
            sandbox,
            placed.binding,
            placed.roots,
            credentials,
            initialization=initialization,
            on_available=pool.available,
            on_closed=lambda environment: self._closed(pool, environment),
            init_limit_s=init_limit_s,
        )
        if initialization is Initialization.SNAP_START:
            self._log(spec.scope, spec.logging.log_group, environment.log_stream, [notice])
        return environment

    def _environment(
        self,
        spec: ExecutionSpec,
        sandbox: Sandbox,
        binding: Binding,
        roots: Mapping[str, str],
        credentials: ContainerCredentials | None,
        *,
        initialization: Initialization,
        on_available: Callable[[Environment], None],
        on_closed: Callable[[Environment], None],
        init_limit_s: float,
    ) -> Environment:
        end_endpoint = self._serve_endpoint(sandbox)
        assert sandbox.runtime_listener is not None
        assert sandbox.endpoint_listener is not None
        host, port = sandbox.runtime_listener.getsockname()
        endpoint = "http://{}:{}".format(*sandbox.endpoint_listener.getsockname())

        def variables(log_stream: str) -> dict[str, str]:
            values = function_environment(
                spec,
                runtime_api=f"{host}:{port}",
                endpoint=endpoint,
                credentials=credentials.variables(port) if credentials is not None else self._credentials(spec),
                log_stream=log_stream,
                isolated=self.options.mode != "process",
                initialization=initialization,
            )
            return {**values, **roots}

        return Environment(
            spec,
            sandbox,
            log=lambda stream, events: self._log(spec.scope, spec.logging.log_group, stream, events),
            variables=variables,
            binding=binding,
            runtime_label=runtime_label(spec.runtime, self._installation(spec)),
            end_endpoint=end_endpoint,
            on_available=on_available,
            on_closed=on_closed,
            init_limit_s=init_limit_s,
            initialization=initialization,
            credentials=credentials.answer if credentials is not None else None,
        )

    def _closed(self, pool: Pool, environment: Environment) -> None:
        self._memory.release(environment)
        self._measured_s.pop(environment, None)
        pool.closed(environment)

    def _container_credentials(self, spec: ExecutionSpec) -> ContainerCredentials:
        return ContainerCredentials(lambda: self._credentials(spec), ROLE_CREDENTIALS_S)

    # ---- snapshots

    def is_optimised(self, spec: ExecutionSpec) -> bool:
        """Whether environments of ``spec`` are to be forked from a snapshot."""
        return spec.snap_start and (spec.version != LATEST or self.options.snapstart_latest)

    def has_snapshot(self, spec: ExecutionSpec) -> bool:
        """Whether ``snapshot`` was through with ``spec``, be it that none could be made."""
        held = self._snapshots.get((spec.scope, spec.name, spec.version))
        return held is not None and held.spec == spec

    async def snapshot(self, spec: ExecutionSpec) -> Failure | None:
        """Initialise a version once and keep its runtime to fork environments from. Returns why the init failed.

        What a fork cannot carry (threads, external extensions, no namespaces) is no failure: environments of the
        version are then initialised one by one, and their log says why.
        """
        key = (spec.scope, spec.name, spec.version)
        await self._drop_snapshot(key)
        placed = await self._place_code(spec)
        obstacle = self._obstacle_to_snapshot(placed.binding)
        if obstacle is not None:
            self._snapshots[key] = _HeldSnapshot(spec=spec, unusable=obstacle)
            return None
        zygote = await self._zygote(spec)
        snapshot = Snapshot(dataclasses.replace(zygote.plan, spares=SPARES))
        credentials = self._container_credentials(spec)
        template = self._environment(
            spec,
            await zygote.take(),
            dataclasses.replace(placed.binding, template=snapshot),
            placed.roots,
            credentials,
            initialization=Initialization.SNAP_START,
            on_available=lambda environment: None,
            on_closed=lambda environment: None,
            init_limit_s=max(PREPARED_INIT_LIMIT_S, spec.timeout_s),
        )
        held = _HeldSnapshot(spec=spec, snapshot=snapshot, template=template, credentials=credentials)
        await template.initialise(lambda: None)
        failure = template.init_failure
        unusable = snapshot.unusable
        if unusable is None and template.extensions:
            unusable = f"its extensions ({', '.join(template.extensions)}) are known to one environment only"
        if unusable is None and failure is None and not snapshot.is_ready:
            unusable = "its interpreter had to be started anew, by a variable or by its code"
        if failure is None and unusable is None:
            snapshot.begin()
            self._snapshots[key] = held
            if spec.version == LATEST and key in self._pools:
                self._retire(key, self._pools[key])  # initialised the plain way while the snapshot was made
            size = await asyncio.to_thread(template.sandbox.used_bytes)
            if size is not None and self._snapshots.get(key) is held:
                self._memory.charge(template, (spec.scope, spec.name), size)
            return None
        await held.close()
        if unusable is not None:
            self._snapshots[key] = _HeldSnapshot(spec=spec, unusable=unusable)
            return None
        return failure

    def _obstacle_to_snapshot(self, binding: Binding) -> str | None:
        """Why a function cannot be forked here, if that is known before its init."""
        if self.options.mode == "process":
            return "functions run as plain processes here"
        if kernel.version() < (5, 8) or seccomp.program(template=True) is None:
            return "it takes Linux 5.8 and libseccomp to fork them without privileges"
        if self.options.network.mode == "host":
            # The template knows its Runtime API by a port that its children cannot have.
            return "functions share this machine's network (--network host)"
        if binding.extensions:
            return f"its extensions ({', '.join(binding.extensions)}) are processes of their own"
        return None

    async def _drop_snapshot(self, key: tuple[Scope, str, str]) -> None:
        held = self._snapshots.pop(key, None)
        if held is not None:
            self._memory.release(held.template)
            await held.close()

    async def _place_code(self, spec: ExecutionSpec) -> _PlacedCode:
        """Make sure that code and layers are unpacked; what to mount where, or the folders as variables."""
        layers = list(spec.layers)
        code, opt = self._code.code_dir / spec.code, None
        if not code.is_dir():
            code = await asyncio.to_thread(self._code.code_folder, spec.code)
        if layers:
            opt = await asyncio.to_thread(self._code.opt_folder, layers)
        managed = spec.runtime.startswith("python")
        roots: dict[str, str] = {}
        mounts: list[tuple[str, str]] = []
        if self.options.mode == "process":
            roots = {"LAMBDA_TASK_ROOT": str(code), "PWD": str(code)}
            if opt is not None:
                roots["_FIREFORK_OPT"] = str(opt)
            if managed:
                installation = self._installation(spec)
                roots["LAMBDA_RUNTIME_DIR"] = str(installation.runtime_dir)
                roots["_FIREFORK_SITE_PACKAGES"] = str(installation.site_packages_dir)
        else:
            mounts.append((f"code/{code.name}", "/var/task"))
            if opt is not None:
                mounts.append((f"opt/{opt.name}", "/opt"))
        binding = Binding(mounts=mounts, extensions=extension_names(opt))
        if not managed:
            task_root = roots.get("LAMBDA_TASK_ROOT", "/var/task")
            folders = [code] if opt is None else [code, opt]
            binding = dataclasses.replace(
                binding,
                entry=[f"{task_root}/bootstrap", f"{roots.get('_FIREFORK_OPT', '/opt')}/bootstrap"],
                has_entry=any((folder / "bootstrap").is_file() for folder in folders),
                hide=["/var/lang", "/var/runtime"],  # the interpreter that forked it is not its business
            )
        return _PlacedCode(binding=binding, roots=roots)

    def _installation(self, spec: ExecutionSpec) -> Installation:
        if spec.runtime.startswith("python"):
            return self._runtimes.find(spec.runtime)
        return self._runtimes.host_of_custom()

    async def _zygote(self, spec: ExecutionSpec) -> Zygote:
        sdk = spec.runtime.startswith("python") and self._code.wants_sdk(spec.code, list(spec.layers))
        installation = self._installation(spec)
        key = (installation.identifier, sdk)
        task = self._zygotes.get(key)
        if task is not None and task.done() and (task.cancelled() or task.exception() or task.result().ended.is_set()):
            if not task.cancelled() and not task.exception():
                await task.result().stop()
            task = None
        if task is None:
            task = self._zygotes[key] = asyncio.create_task(Zygote.start(self._plan(installation, sdk)))
        return await asyncio.shield(task)

    def _plan(self, installation: Installation, sdk: bool) -> ZygotePlan:
        return ZygotePlan(
            identifier=installation.identifier,
            interpreter=installation.interpreter.executable,
            runtime_dir=installation.runtime_dir,
            site_packages_dir=installation.site_packages_dir,
            sdk=sdk,
            mode=self.options.mode,
            code_dir=self._code.code_dir,
            opt_dir=self._code.opt_dir,
            root_dir=self.options.data_dir / "run" / "root",
            hierarchies=self.options.hierarchies,
            cgroup_prefix=self._cgroup_prefix,
            network=self.options.network,
            spares=self.options.spares,
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL_S)
            now_s = time.monotonic()
            for pool in self._pools.values():
                pool.tend(now_s)
            for zygote in self._started_zygotes():
                zygote.tend(now_s)
            for held in self._snapshots.values():
                if held.snapshot is not None:
                    held.snapshot.tend(now_s)
            for pool in list(self._retired):
                if not pool.environments:
                    self._retired.discard(pool)
            await self._measure()

    def _started_zygotes(self) -> Iterator[Zygote]:
        """Of the runtimes, not of snapshots. May be called from any thread."""
        for task in list(self._zygotes.values()):
            if task.done() and not task.cancelled() and task.exception() is None:
                yield task.result()

    async def _measure(self) -> None:
        """Charge environments what they use now; one that stood still since it was last looked at still uses that."""
        now_s = time.monotonic()
        moved = [
            (pool, environment)
            for pool in (*self._pools.values(), *self._retired)
            for environment in pool.environments
            if environment.state is EnvironmentState.BUSY
            or (
                environment.state is EnvironmentState.IDLE
                and self._measured_s.get(environment, 0.0) < environment.idle_since_s
            )
        ]
        if not moved:
            return
        sizes = await asyncio.to_thread(lambda: [environment.sandbox.used_bytes() for _, environment in moved])
        for (pool, environment), size in zip(moved, sizes, strict=True):
            # One that was evicted or closed meanwhile is charged no more.
            if size is not None and environment in self._memory:
                self._memory.charge(environment, pool.owner, size)
                self._measured_s[environment] = now_s
                pool.learn_size(size)

    @property
    def environments(self) -> int:
        return sum(len(pool.environments) for pool in (*self._pools.values(), *self._retired))

    @property
    def busy(self) -> int:
        return sum(pool.busy for pool in (*self._pools.values(), *self._retired))

    @property
    def spares(self) -> int:
        """Sandboxes that wait for a function. May be called from any thread."""
        return sum(zygote.spare_count for zygote in self._started_zygotes())

    @property
    def memory(self) -> tuple[int, int]:
        """Bytes that environments are charged, and that they may be charged."""
        return self._memory.used, self._memory.budget

    async def stop(self, *, limit_s: float = 5.0) -> None:
        """Let running invokes finish within ``limit_s``, then end every environment and zygote."""
        deadline = time.monotonic() + limit_s
        while self.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self._closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        await asyncio.gather(*(pool.close() for pool in (*self._pools.values(), *self._retired)))
        for key in list(self._snapshots):
            await self._drop_snapshot(key)
        for task in self._zygotes.values():
            if not task.done():
                task.cancel()
            with contextlib.suppress(BaseException):
                await (await task).stop()
        self._pools.clear()
        self._retired.clear()
        self._zygotes.clear()
        if self._caretaker is not None:
            await asyncio.to_thread(self._caretaker.stop)


def _budget(options: EngineOptions) -> int:
    if options.memory_budget_mb is not None:
        return options.memory_budget_mb * _MIB
    return default_budget(group_limit=own_memory_limit(options.hierarchies) if options.hierarchies else None)


def runtime_label(runtime: str, installation: Installation) -> str:
    """What INIT_START names: ``python:3.12.v1`` on AWS; here the exact interpreter version stands behind the v."""
    if runtime.startswith("python"):
        return f"python:{runtime.removeprefix('python')}.v{installation.interpreter.version}"
    return f"{runtime}.v1"
