"""The data plane of one node: zygotes per runtime, pools per function version, and their beginning and end."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from firefork.aws.scope import Scope
from firefork.engine.environment import Binding, Environment, Invocation, Outcome, extension_names
from firefork.engine.installations import Installation
from firefork.engine.pool import Pool
from firefork.engine.sandbox.cgroups import Hierarchies, remove_leftovers
from firefork.engine.sandbox.sandbox import Sandbox
from firefork.engine.sandbox.zygote import Zygote, ZygotePlan, adopt_orphans, cgroup_prefix
from firefork.engine.spec import ExecutionSpec, function_environment
from firefork.telemetry.log_event import LogEvent

logger = logging.getLogger(__name__)

_SWEEP_INTERVAL_S: Final = 1.0


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
    idle_timeout_s: float = 600.0
    spares: int = 2


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
        self._sweeper: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Clear what a killed server left behind, and begin."""
        adopt_orphans()
        if self.options.hierarchies is not None:
            prefix = cgroup_prefix(self.options.data_dir)
            count = await asyncio.to_thread(remove_leftovers, self.options.hierarchies, prefix)
            if count:
                logger.info("removed %d control groups of an earlier server", count)
        self._sweeper = asyncio.create_task(self._sweep())

    async def invoke(self, spec: ExecutionSpec, invocation: Invocation) -> Outcome:
        """Run one event on an environment of ``spec``. Raises ZygoteFailed, SandboxLost, RuntimeNotInstalled."""
        return await self._pool(spec).invoke(invocation)

    async def warm_up(self, spec: ExecutionSpec) -> None:
        """Start the zygote that ``spec`` will need, so that its first invoke finds spares."""
        if not self._closing:
            await self._zygote(spec)

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

    def _pool(self, spec: ExecutionSpec) -> Pool:
        key = (spec.scope, spec.name, spec.version)
        pool = self._pools.get(key)
        if pool is not None and pool.spec is not spec and pool.spec != spec:
            self._retire(key, pool)
            pool = None
        if pool is None:
            pool = Pool(spec, start=self._start_environment, idle_timeout_s=self.options.idle_timeout_s)
            self._pools[key] = pool
        return pool

    def _retire(self, key: tuple[Scope, str, str], pool: Pool) -> None:
        del self._pools[key]
        pool.retire()
        self._retired.add(pool)

    async def _start_environment(self, pool: Pool) -> Environment:
        spec = pool.spec
        zygote = await self._zygote(spec)
        mounts, roots, folders = await self._place_code(spec)
        sandbox = await zygote.take()
        end_endpoint = self._serve_endpoint(sandbox)
        assert sandbox.runtime_listener is not None
        assert sandbox.endpoint_listener is not None
        runtime_api = "{}:{}".format(*sandbox.runtime_listener.getsockname())
        endpoint = "http://{}:{}".format(*sandbox.endpoint_listener.getsockname())

        def variables(log_stream: str) -> dict[str, str]:
            values = function_environment(
                spec,
                runtime_api=runtime_api,
                endpoint=endpoint,
                credentials=self._credentials(spec),
                log_stream=log_stream,
            )
            return values | roots

        binding = Binding(mounts=mounts, extensions=extension_names(folders.get("/opt")))
        if not spec.runtime.startswith("python"):
            task_root = roots.get("LAMBDA_TASK_ROOT", "/var/task")
            binding = dataclasses.replace(
                binding,
                entry=[f"{task_root}/bootstrap", f"{roots.get('_FIREFORK_OPT', '/opt')}/bootstrap"],
                has_entry=any((folder / "bootstrap").is_file() for folder in folders.values()),
                hide=["/var/lang", "/var/runtime"],  # the interpreter that forked it is not its business
            )
        installation = self._installation(spec)
        return Environment(
            spec,
            sandbox,
            log=lambda stream, events: self._log(spec.scope, spec.logging.log_group, stream, events),
            variables=variables,
            binding=binding,
            runtime_label=runtime_label(spec.runtime, installation),
            end_endpoint=end_endpoint,
            on_available=pool.available,
            on_closed=pool.closed,
        )

    async def _place_code(self, spec: ExecutionSpec) -> tuple[list[tuple[str, str]], dict[str, str], dict[str, Path]]:
        """Make sure that code and layers are unpacked; what to mount where, or the folders as variables.

        Third, the folders on this machine by the paths under which functions know them.
        """
        layers = list(spec.layers)
        code, opt = self._code.code_dir / spec.code, None
        if not code.is_dir():
            code = await asyncio.to_thread(self._code.code_folder, spec.code)
        if layers:
            opt = await asyncio.to_thread(self._code.opt_folder, layers)
        folders = {"/var/task": code} | ({"/opt": opt} if opt is not None else {})
        if self.options.mode == "process":
            roots = {"LAMBDA_TASK_ROOT": str(code), "PWD": str(code)}
            if opt is not None:
                roots["_FIREFORK_OPT"] = str(opt)
            if spec.runtime.startswith("python"):
                installation = self._installation(spec)
                roots["LAMBDA_RUNTIME_DIR"] = str(installation.runtime_dir)
                roots["_FIREFORK_SITE_PACKAGES"] = str(installation.site_packages_dir)
            return [], roots, folders
        mounts = [(f"code/{code.name}", "/var/task")]
        if opt is not None:
            mounts.append((f"opt/{opt.name}", "/opt"))
        return mounts, {}, folders

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
            cgroup_prefix=cgroup_prefix(self.options.data_dir),
            spares=self.options.spares,
        )

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL_S)
            now_s = time.monotonic()
            for pool in self._pools.values():
                pool.expire(now_s)
            for pool in list(self._retired):
                if not pool.environments:
                    self._retired.discard(pool)

    @property
    def environments(self) -> int:
        return sum(len(pool.environments) for pool in (*self._pools.values(), *self._retired))

    @property
    def busy(self) -> int:
        return sum(pool.busy for pool in (*self._pools.values(), *self._retired))

    async def stop(self, *, limit_s: float = 5.0) -> None:
        """Let running invokes finish within ``limit_s``, then end every environment and zygote."""
        deadline = time.monotonic() + limit_s
        while self.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self._closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        await asyncio.gather(*(pool.close() for pool in (*self._pools.values(), *self._retired)))
        for task in self._zygotes.values():
            if not task.done():
                task.cancel()
            with contextlib.suppress(BaseException):
                await (await task).stop()
        self._pools.clear()
        self._retired.clear()
        self._zygotes.clear()


def runtime_label(runtime: str, installation: Installation) -> str:
    """What INIT_START names: ``python:3.12.v1`` on AWS; here the exact interpreter version stands behind the v."""
    if runtime.startswith("python"):
        return f"python:{runtime.removeprefix('python')}.v{installation.interpreter.version}"
    return f"{runtime}.v1"
