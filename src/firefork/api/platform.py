"""A whole server: its parts put together, started, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import ipaddress
import json
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy.exc import SQLAlchemyError

import firefork
from firefork.api.authorization import Authorizer
from firefork.api.cloudwatch.data import MetricData
from firefork.api.cloudwatch.listing import MetricList
from firefork.api.cloudwatch.queries import MetricQueries
from firefork.api.cloudwatch.statistics import MetricStatistics
from firefork.api.front_door import FrontDoor
from firefork.api.http_server import HttpServer
from firefork.api.iam.account import Account as IamAccount
from firefork.api.iam.attachments import EntityPolicies
from firefork.api.iam.details import AuthorizationDetails
from firefork.api.iam.groups import Groups as IamGroups
from firefork.api.iam.instance_profiles import InstanceProfiles
from firefork.api.iam.policies import Policies as ManagedPolicies
from firefork.api.iam.roles import Roles
from firefork.api.iam.simulation import Simulation
from firefork.api.iam.users import Users
from firefork.api.lambda_.account import Account
from firefork.api.lambda_.aliases import Aliases
from firefork.api.lambda_.code_signing_configs import CodeSigningConfigs
from firefork.api.lambda_.code_sources import CodeSources
from firefork.api.lambda_.concurrency import FunctionConcurrency, ProvisionedConcurrency
from firefork.api.lambda_.downloads import Downloads
from firefork.api.lambda_.event_invoke_configs import EventInvokeConfigs
from firefork.api.lambda_.event_source_mappings import EventSourceMappings
from firefork.api.lambda_.function_urls import FunctionUrls
from firefork.api.lambda_.functions import Functions
from firefork.api.lambda_.invocations import Invocations
from firefork.api.lambda_.layer_permissions import LayerPermissions
from firefork.api.lambda_.layers import Layers
from firefork.api.lambda_.permissions import Permissions
from firefork.api.lambda_.recursion_configs import RecursionConfigs
from firefork.api.lambda_.runtime_management_configs import RuntimeManagementConfigs
from firefork.api.lambda_.scaling_configs import ScalingConfigs
from firefork.api.lambda_.tags import Tags
from firefork.api.lambda_.versions import Versions
from firefork.api.logs.events import Events
from firefork.api.logs.groups import Groups
from firefork.api.logs.live_tail import LiveTailSessions
from firefork.api.logs.queries import Queries as LogQueries
from firefork.api.logs.streams import Streams
from firefork.api.prometheus import PrometheusPage
from firefork.api.schemas.registries import Registries
from firefork.api.schemas.schemas import Schemas
from firefork.api.schemas.tags import Tags as SchemaTags
from firefork.api.sts.identity import Identity
from firefork.api.upstream import Upstream
from firefork.api.web_console.files import ConsoleFiles
from firefork.api.web_console.sign_in import SignIn
from firefork.api.web_console.web_console import WebConsole
from firefork.aws.errors import ServiceError
from firefork.aws.scope import Scope
from firefork.catalog.aliases import Aliases as AliasCatalog
from firefork.catalog.code_signing_configs import CodeSigningConfigs as CodeSigningCatalog
from firefork.catalog.concurrency import Concurrency
from firefork.catalog.event_invoke_configs import EventInvokeConfigs as EventInvokeCatalog
from firefork.catalog.event_source_mappings import EventSourceMappings as MappingCatalog
from firefork.catalog.function import LATEST, FunctionVersion
from firefork.catalog.function_urls import FunctionUrls as UrlCatalog
from firefork.catalog.functions import Functions as FunctionCatalog
from firefork.catalog.functions import StateFailure
from firefork.catalog.iam.access_keys import AccessKeys
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.identities import Identities, RoleMode
from firefork.catalog.keys import Keys
from firefork.catalog.layers import Layers as LayerCatalog
from firefork.catalog.packages import Packages
from firefork.catalog.policies import Policies
from firefork.catalog.recursion_configs import RecursionConfigs as RecursionCatalog
from firefork.catalog.resource_policies import ResourcePolicies
from firefork.catalog.runtime_management_configs import RuntimeManagementConfigs as RuntimeManagementCatalog
from firefork.catalog.scaling_configs import ScalingConfigs as ScalingCatalog
from firefork.catalog.schemas.registries import Registries as RegistryCatalog
from firefork.catalog.sign_in_links import SignInLinks, sign_in_link
from firefork.catalog.tags import TaggedResource
from firefork.catalog.tags import Tags as TagCatalog
from firefork.engine.engine import Engine, EngineOptions
from firefork.engine.failures import Failure
from firefork.engine.installations import Installations, RuntimeNotInstalled
from firefork.engine.response_stream import StreamLimits
from firefork.engine.sandbox.capabilities import Capabilities, detect
from firefork.engine.sandbox.network import Network, NetworkFailed
from firefork.engine.sandbox.sandbox import SandboxLost
from firefork.engine.sandbox.zygote import ZygoteFailed
from firefork.engine.spec import ExecutionSpec
from firefork.invoke.invoker import Invoker
from firefork.invoke.metering import Metering
from firefork.invoke.provisioner import Provisioner
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.changes import CONCURRENCY, FUNCTION, IAM, LAYER_POLICY, Change, Listener
from firefork.store.clock import new_id
from firefork.store.database import Database
from firefork.store.shared_packages import SharedPackages
from firefork.store.vault import KEY_FILE, SecretUnreadable, Vault
from firefork.telemetry.insights.queries import Queries
from firefork.telemetry.live_tail import LiveTails
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import LogStore
from firefork.telemetry.metrics.embedded import MARK, embedded_metrics
from firefork.telemetry.metrics.metric_store import MetricStore

logger = logging.getLogger(__name__)

ROLE_SESSION_S: Final = 12 * 3600
"""Life of the credentials in an environment; environments are replaced well before that."""

COLLECT_EVERY_S: Final = 1200
"""How often packages without owner are looked for: longer than any invoke may take (900 s)."""

_MIB: Final = 1024 * 1024
CONSOLE_DIR: Final = Path(firefork.__file__).parent / "console"
"""Where the build puts the console's files."""

Announce = Callable[[str], None]


class StartFailed(Exception):
    """Why the server cannot start, in one line."""


class Platform:
    """The parts of one server. ``start`` before use, ``stop`` at the end; both on the event loop."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder. Raises StartFailed."""
        self.settings = settings
        self._check_options()
        self._ssl_context = _tls(settings.tls_cert, settings.tls_key)
        self._lock_file = self._own_data_dir()
        self._listener = self._listen()
        self.capabilities = self._detect()
        self.database = self._open_database()
        data_dir = settings.data_dir
        try:
            self.shared_packages = None if self.database.is_sqlite else SharedPackages(self.database)
            self.blobs = Blobs(data_dir / "blobs", self.shared_packages)
            self.packages = Packages(self.blobs, data_dir / "code", data_dir / "opt")
        except OSError as error:
            raise StartFailed(
                f"the data folder {data_dir} cannot be used: {error.filename}: {error.strerror}"
            ) from None
        self.iam_mode = _iam_mode(settings)
        self.directory = Directory(self.database)
        self.identities = Identities(self.directory, self.iam_mode)
        try:
            self.access_keys = AccessKeys(self.database, self.directory)
            self.keys = Keys(data_dir, settings, users=self.access_keys.lookup)
        except (OSError, ValueError, SecretUnreadable) as error:
            raise StartFailed(f"the keys cannot be read: {error}") from None
        self.installations = Installations(settings.runtimes_dir, settings.interpreter_paths)
        self.logs = LogStore(self.database)
        self.metrics = MetricStore(self.database, retention_days=settings.metrics_retention_days)
        self.queries = Queries(self.logs)
        self.layers = LayerCatalog(self.database)
        self.functions = FunctionCatalog(
            self.database,
            self.packages,
            self.layers,
            settings,
            missing_runtime=self.installations.missing,
            assumable=self.identities.assumable_by_lambda,
        )
        self.policies = Policies(self.database, self.functions)
        self.resource_policies = ResourcePolicies(self.policies.policy_of)
        self.policies.layer_policy_changed = self.resource_policies.forget
        self.registries = RegistryCatalog(self.database)
        self.tags = TagCatalog(self.database, self.functions)
        self.mappings = MappingCatalog(self.database, self.functions)
        self.aliases = AliasCatalog(self.database, self.functions)
        self.concurrency = Concurrency(
            self.database,
            self.functions,
            account_concurrency=settings.account_concurrency,
            alias_targets=self.aliases.targets,
            shares_invokes=self.aliases.shares_invokes,
        )
        self.metering = Metering(self.metrics, shares_invokes=self.aliases.shares_invokes)
        self.metrics.sources.append(self.metering.collect)
        self.ready = False
        self._run_id = new_id()
        self.sign_in_links = SignInLinks(self.keys.seal_link, self._run_id)
        self.console_files = ConsoleFiles(CONSOLE_DIR)
        self._started_s = time.time()
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_snapshot = asyncio.Lock()

    def _check_options(self) -> None:
        if self.settings.test_credentials and not _is_loopback(self.settings.host):
            raise StartFailed(
                f"--test-credentials opens the server to everybody who can reach {self.settings.host}: it is only "
                "allowed on a loopback address."
            )

    def _own_data_dir(self) -> int:
        data_dir = self.settings.data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(data_dir / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StartFailed(f"the data folder {data_dir} cannot be used: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise StartFailed(
                f"another server (process {owner or 'unknown'}) uses the data folder {data_dir}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    def _listen(self) -> socket.socket:
        host, port = self.settings.host, self.settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            os.close(self._lock_file)
            reason = "is taken" if error.errno == 98 or "in use" in str(error) else f"cannot be used: {error.strerror}"
            raise StartFailed(
                f"the address {host}:{port} {reason}; choose another one with --host and --port"
            ) from None
        return listener

    def _detect(self) -> Capabilities:
        try:
            return detect(self.settings.sandbox)
        except RuntimeError as error:
            raise StartFailed(str(error)) from None

    def _open_database(self) -> Database:
        settings = self.settings
        try:
            database = (
                Database(settings.database, Vault(settings.data_dir / KEY_FILE))
                if settings.database
                else Database.in_folder(settings.data_dir)
            )
            database.migrate()
        except (OSError, ValueError) as error:
            raise StartFailed(f"the keys cannot be read: {error}") from None
        except SecretUnreadable as error:
            raise StartFailed(f"the database cannot be opened: {error}") from None
        except (SQLAlchemyError, ImportError) as error:  # ImportError: a URL that names a driver which is not there
            raise StartFailed(
                f"the database cannot be opened: {str(error.__cause__ or error).splitlines()[0]}"
            ) from None
        return database

    @property
    def endpoint(self) -> str:
        host, port = self._listener.getsockname()[:2]
        scheme = "http" if self._ssl_context is None else "https"
        return f"{scheme}://{'[' + host + ']' if ':' in host else host}:{port}"

    async def start(self) -> None:
        """Begin to serve."""
        settings = self.settings
        await asyncio.to_thread(self._tidy)
        try:
            self.network = await Network.open(
                settings.network,
                sandbox_mode=self.capabilities.mode,
                data_dir=settings.data_dir,
                address_range=settings.network_range,
                allowed=settings.allowed_networks,
            )
        except NetworkFailed as error:
            raise StartFailed(str(error)) from None
        self.engine = Engine(
            EngineOptions(
                data_dir=settings.data_dir,
                mode=self.capabilities.mode,
                hierarchies=self.capabilities.hierarchies,
                network=self.network,
                idle_timeout_s=settings.idle_timeout_s,
                init_limit_s=settings.init_limit_s,
                spares=settings.spares,
                memory_budget_mb=settings.memory_budget_mb,
                concurrent_starts=settings.concurrent_starts,
                snapstart_latest=settings.snapstart_latest,
            ),
            code=self.packages,
            runtimes=self.installations,
            log=self.logs.append,
            credentials=self._role_credentials,
            serve_endpoint=lambda sandbox: self.http.attach(sandbox),
        )
        self._loop = asyncio.get_running_loop()
        self.provisioner = Provisioner(self.engine, self.functions, self.concurrency, self._loop)
        self.invoker = Invoker(self.engine, self.concurrency, self.provisioner, _stream_limits(settings))
        if settings.metrics:
            self.invoker.observers.append(self.metering.observe)
            self.logs.listeners.append(self._read_metrics)
        tails = LiveTails()
        self.logs.listeners.append(tails.offer)
        self.live_tails = LiveTailSessions(self.logs, tails)
        downloads = Downloads(self.blobs, self.keys)
        self.upstream = Upstream(settings.upstream, self._run_id) if settings.upstream else None
        self.door = FrontDoor(
            {
                "lambda": self._lambda_providers(downloads),
                "logs": [
                    Groups(self.logs),
                    Streams(self.logs),
                    Events(self.logs),
                    LogQueries(self.queries),
                    self.live_tails,
                ],
                "iam": [
                    Roles(self.directory, self.identities),
                    EntityPolicies(self.directory),
                    ManagedPolicies(self.directory),
                    Users(self.directory, self.access_keys),
                    IamGroups(self.directory),
                    InstanceProfiles(self.directory),
                    Simulation(self.directory),
                    IamAccount(self.directory),
                    AuthorizationDetails(self.directory),
                ],
                "sts": [Identity(self.keys, self.directory, self.identities)],
                "cloudwatch": [
                    MetricData(self.metrics),
                    MetricQueries(self.metrics),
                    MetricStatistics(self.metrics),
                    MetricList(self.metrics),
                ],
                "schemas": [
                    Registries(self.registries),
                    Schemas(self.registries),
                    SchemaTags(self.registries),
                ],
            },
            authenticate=self.keys.lookup,
            authorizer=Authorizer(
                self.directory,
                self.identities,
                self.access_keys,
                resource_policies=self.resource_policies,
                resource_tags=self._resource_tags,
            ),
            health=self.health,
            download=downloads.find,
            console=WebConsole(
                self.console_files,
                SignIn(
                    self.sign_in_links,
                    lambda duration_s: self.keys.issue_session(self.keys.root, duration_s),
                    settings.region,
                ),
            ),
            upstream=self.upstream,
            metrics_page=PrometheusPage(self.metering, self.engine, settings.data_dir / "metrics.token").answer,
            verbose=settings.verbose,
        )
        self.http = HttpServer(self.door, self.door.refuse, ssl_context=self._ssl_context)
        self.functions.changed.append(self._function_changed)
        self.functions.published.append(self._version_published)
        for version in await asyncio.to_thread(self.functions.optimised_versions):
            # Processes do not outlive a server, so they are made again.
            if version.version != LATEST:
                self._make_snapshot(version)
            elif settings.snapstart_latest:
                self._warm_up(version.scope, version.name)
        await self.engine.start()
        await asyncio.to_thread(self.provisioner.refresh_all)
        self._begin(self._collect_packages())
        if not self.database.is_sqlite:
            listener = Listener(self.database.address, self.database.node, hear=self._heard, missed=self._recall)
            self._begin(listener.run())
            await listener.listening.wait()
        await self.http.start(self._listener)
        self._write_server_file()
        self.ready = True

    def _lambda_providers(self, downloads: Downloads) -> list[object]:
        database, functions = self.database, self.functions
        sources = CodeSources(self.packages, self.settings, in_use=self._package_in_use)
        tags, signing = self.tags, CodeSigningCatalog(database, functions)
        return [
            Functions(functions, tags, signing, self.concurrency, sources, downloads),
            Versions(functions),
            Aliases(self.aliases),
            Layers(self.layers, sources, downloads),
            Permissions(self.policies),
            LayerPermissions(self.policies),
            EventInvokeConfigs(EventInvokeCatalog(database, functions)),
            FunctionUrls(UrlCatalog(database, functions)),
            EventSourceMappings(self.mappings),
            CodeSigningConfigs(signing),
            RuntimeManagementConfigs(RuntimeManagementCatalog(database, functions)),
            RecursionConfigs(RecursionCatalog(database, functions)),
            ScalingConfigs(ScalingCatalog(database, functions)),
            Tags(tags),
            Account(functions, self.concurrency),
            FunctionConcurrency(self.concurrency, functions),
            ProvisionedConcurrency(self.concurrency, functions, self.provisioner),
            Invocations(functions, self.invoker),
        ]

    def _tidy(self) -> None:
        """What a killed server may have left: unfinished states, code that nothing refers to."""
        self.functions.settle_all()
        self.mappings.settle_all()
        self.packages.collect_garbage(self.functions.digests() | self.layers.digests())
        self.blobs.share()

    def _package_in_use(self, digest: str) -> bool:
        # A layer is found by an index, a function that uses one by reading them all.
        return self.layers.uses(digest) or self.functions.uses(digest)

    async def _collect_packages(self) -> None:
        """Delete packages without owner, for as long as the server runs."""
        while True:
            await asyncio.sleep(COLLECT_EVERY_S)
            try:
                await asyncio.to_thread(self.packages.collect, self._package_in_use)
                if self.shared_packages is not None:
                    await asyncio.to_thread(self.shared_packages.collect, self._package_in_use)
            except (SQLAlchemyError, OSError) as error:
                logger.warning("packages without owner could not be deleted; tried again later: %s", error)

    def _heard(self, change: Change) -> None:
        """Another node changed something: read anew what is remembered of it here. Raises SQLAlchemyError."""
        if change.noun == FUNCTION:
            self.functions.heard(change.scope, change.name)
            self._catch_up(self.functions.optimised_versions(change.scope, change.name))
        elif change.noun == CONCURRENCY:
            self.concurrency.heard(change.scope, change.name)
            self.provisioner.refresh(change.scope, change.name)
        elif change == IAM:
            self.directory.heard()
        elif change == LAYER_POLICY:
            self.resource_policies.forget()

    def _recall(self) -> None:
        """Changes of other nodes may have been missed: read all that is remembered anew. Raises SQLAlchemyError."""
        self.functions.recall()
        self._catch_up(self.functions.optimised_versions())
        self.concurrency.recall()
        self.provisioner.refresh_all()
        self.directory.heard()
        self.resource_policies.forget()

    def _function_changed(self, scope: Scope, name: str, deleted: bool) -> None:
        self.resource_policies.forget(scope.arn("lambda", f"function:{name}"))
        alive = self.functions.version_names(scope, name) if deleted else set()
        if deleted and not alive:
            self.metering.forget(scope, name)

        def apply() -> None:
            self.invoker.forget(scope, name, deleted=deleted and not alive)
            if deleted:
                self.engine.forget_deleted(scope, name, alive)
            else:
                self._warm_up(scope, name)

        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is ending
            self._loop.call_soon_threadsafe(apply)

    def _read_metrics(self, scope: Scope, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        for event in events:
            if MARK in event.message:
                for metric_set, samples in embedded_metrics(scope, event.message):
                    self.metrics.put(metric_set, samples)

    def _version_published(self, version: FunctionVersion) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is ending
            self._loop.call_soon_threadsafe(self._make_snapshot, version)

    def _catch_up(self, versions: Sequence[FunctionVersion]) -> None:
        """Other nodes published these: make snapshots of those that are active. Whoever published settles states."""
        for version in versions:
            if version.version != LATEST and version.state == "Active":
                self._version_published(version)

    def _make_snapshot(self, version: FunctionVersion) -> None:
        """Initialise a version that uses SnapStart, one after the other, and settle its state if it waits for that."""

        async def work() -> None:
            async with self._one_snapshot:
                spec = ExecutionSpec.of(version)
                if version.state != "Pending" and self.engine.has_snapshot(spec):
                    return  # heard of again: every change of a function is told
                try:
                    failure = await self.engine.snapshot(spec)
                except (SandboxLost, ZygoteFailed, RuntimeNotInstalled) as error:
                    settled: StateFailure | None = StateFailure(reason=str(error), code="InternalError")
                else:
                    settled = None if failure is None else state_failure(failure)
            if version.state == "Pending":
                await asyncio.to_thread(self.functions.settle_version, version, settled)

        self._begin(work())

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run in the background, until the server stops at the latest."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _warm_up(self, scope: Scope, name: str) -> None:
        """Have the interpreter of a new or changed function ready, and end the environments of its old form."""

        async def work() -> None:
            with contextlib.suppress(Exception):  # a failure shows at the first invoke, where it can be told
                function = await asyncio.to_thread(self.functions.resolve, scope, name, None)
                await asyncio.to_thread(self.resource_policies.get, function.function_arn)  # every call asks for it
                spec = ExecutionSpec.of(function)
                self.engine.replace(spec)
                # An alias may point elsewhere now.
                await asyncio.to_thread(self.provisioner.refresh, scope, name)
                if self.engine.is_optimised(spec):
                    await self._take_snapshot_of_latest(spec)
                else:
                    await self.engine.warm_up(spec)

        self._begin(work())

    async def _take_snapshot_of_latest(self, spec: ExecutionSpec) -> None:
        """An init that fails is told by the next invoke, which runs it again."""
        async with self._one_snapshot:
            current = ExecutionSpec.of(await asyncio.to_thread(self.functions.resolve, spec.scope, spec.name, None))
            if current != spec or self.engine.has_snapshot(spec):
                return  # the change after this one makes its own, and many a change leaves the spec as it was
            await self.engine.snapshot(spec)
        if not await asyncio.to_thread(self.functions.version_names, spec.scope, spec.name):
            self.engine.forget_deleted(spec.scope, spec.name, set())  # deleted meanwhile

    def _role_credentials(self, spec: ExecutionSpec) -> dict[str, str]:
        principal = self.identities.function_session(spec.role, spec.scope, spec.name)
        return self.keys.issue_session(principal, ROLE_SESSION_S).as_environment()

    def _resource_tags(self, arn: str) -> dict[str, str]:
        """The tags of a function, for policies that ask for them."""
        parts = arn.split(":")
        if parts[2:3] != ["lambda"] or parts[5:6] != ["function"]:
            return {}
        with contextlib.suppress(ServiceError):  # what does not exist has no tags; the handler will say so
            return self.tags.of(TaggedResource.parse(":".join(parts[:7])))
        return {}

    def health(self) -> dict[str, object]:
        used, budget = self.engine.memory
        return {
            "status": "ready" if self.ready else "starting",
            "version": firefork.__version__,
            "services": list(self.door.services),
            "sandbox": self.capabilities.mode,
            "network": self.network.mode,
            "environments": self.engine.environments,
            "busy": self.engine.busy,
            "memory_used_mb": used // _MIB,
            "memory_budget_mb": budget // _MIB,
            "uptime_s": round(time.time() - self._started_s, 1),
        }

    def _write_server_file(self) -> None:
        told = {
            "endpoint": self.endpoint,
            "region": self.settings.region,
            "pid": os.getpid(),
            "run": self._run_id,
        }
        (self.settings.data_dir / "server.json").write_text(json.dumps(told) + "\n")

    async def stop(self) -> None:
        """Refuse new work, let running invokes end within the limit, end all else, close everything."""
        self.ready = False
        self.http.stop_accepting()
        self.live_tails.end_all()
        await self.engine.stop(limit_s=self.settings.shutdown_limit_s)
        await self.http.stop()
        await self._end_tasks()
        if self.upstream is not None:
            await self.upstream.close()
        try:
            await self.network.close()
        except NetworkFailed as error:
            logger.warning("%s", error)
        await asyncio.to_thread(self._close)

    async def _end_tasks(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _close(self) -> None:
        self.door.close()
        self.queries.close()
        self.logs.close()
        self.metrics.close()
        self.database.close()
        (self.settings.data_dir / "server.json").unlink(missing_ok=True)
        self._listener.close()
        os.close(self._lock_file)


async def serve(settings: Settings, announce: Announce) -> None:
    """Run a server until SIGTERM or SIGINT. Raises StartFailed."""
    platform = await asyncio.to_thread(Platform, settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await platform.start()
    # What is there now stays. A full collection that looked through all of it would hold up invokes for 100 ms.
    gc.freeze()
    for line in _greeting(platform):
        announce(line)
    try:
        await stop.wait()
        announce("stopping …")
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        await platform.stop()
    announce("stopped")


def _greeting(platform: Platform) -> list[str]:
    settings = platform.settings
    link = sign_in_link(platform.endpoint, platform.sign_in_links.issue())
    runtimes = [found.identifier for found in platform.installations.all()]
    is_exposed = settings.tls_cert is None and not _is_loopback(settings.host)
    return [
        f"Firefork {firefork.__version__}",
        f"endpoint   {platform.endpoint}   (region {settings.region}, account {settings.account})",
        *([_EXPOSED] if is_exposed else []),
        f"data       {settings.data_dir}",
        f"keys       {settings.data_dir / 'credentials'}" + ("   and test/test" if settings.test_credentials else ""),
        f"iam        {platform.iam_mode.value}: a role that does not exist {_ROLE_MODES[platform.iam_mode]}",
        f"console    {link if platform.console_files.built else 'not built: run `make console`'}",
        f"sandbox    {platform.capabilities.describe()}",
        f"network    {platform.network.describe()}",
        f"runtimes   {', '.join(runtimes) if runtimes else 'none: run `firefork runtimes install --all`'}",
    ]


_EXPOSED: Final = (
    "warning    without --tls-cert everything passes the network in the clear: code, events, secrets in configurations"
)
_ROLE_MODES: Final[Mapping[RoleMode, str]] = {
    RoleMode.RELAXED: "may do everything in its account",
    RoleMode.ENFORCE: "may do nothing",
}


def _iam_mode(settings: Settings) -> RoleMode:
    """Beyond loopback nothing is relaxed unless it is asked for."""
    if settings.iam is not None:
        return RoleMode(settings.iam)
    return RoleMode.RELAXED if _is_loopback(settings.host) else RoleMode.ENFORCE


def _stream_limits(settings: Settings) -> StreamLimits:
    rate = settings.stream_rate_mb_s
    return StreamLimits(total_bytes=settings.stream_limit_mb * _MIB, bytes_per_s=None if rate is None else rate * _MIB)


def state_failure(failure: Failure) -> StateFailure:
    """A failed init in the words of a version's state. AWS: Lambda API reference, StateReasonCode."""
    told = orjson.loads(failure.payload) if failure.payload.startswith(b"{") else {}
    code = "FunctionError.InitTimeout" if failure.status == "timeout" else "FunctionError.RuntimeInitError"
    reason = f"{told.get('errorType', 'Unknown')}: {told.get('errorMessage', '')}".strip(": ")
    return StateFailure(reason=reason, code=code)


def _tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What the public address speaks TLS with. Raises StartFailed."""
    if certificate is None:
        if key is not None:
            raise StartFailed("--tls-key needs --tls-cert: the certificate that the key belongs to")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise StartFailed(f"the certificate {certificate} cannot be used with its key: {reason}") from None
    return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
