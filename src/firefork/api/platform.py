"""A whole server: its parts put together, started, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import ipaddress
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

import firefork
from firefork.api.front_door import FrontDoor
from firefork.api.http_server import HttpServer
from firefork.api.lambda_.account import Account
from firefork.api.lambda_.code_sources import CodeSources
from firefork.api.lambda_.downloads import Downloads
from firefork.api.lambda_.functions import Functions
from firefork.api.lambda_.invocations import Invocations
from firefork.api.lambda_.layers import Layers
from firefork.api.lambda_.tags import Tags
from firefork.api.lambda_.versions import Versions
from firefork.api.logs.events import Events
from firefork.api.logs.groups import Groups
from firefork.api.logs.streams import Streams
from firefork.api.sts.identity import Identity
from firefork.api.web_console.files import ConsoleFiles
from firefork.api.web_console.sign_in import SignIn
from firefork.api.web_console.web_console import WebConsole
from firefork.aws.scope import Scope
from firefork.catalog.functions import Functions as FunctionCatalog
from firefork.catalog.keys import Keys, role_session
from firefork.catalog.layers import Layers as LayerCatalog
from firefork.catalog.packages import Packages
from firefork.catalog.sign_in_links import SignInLinks, sign_in_link
from firefork.engine.engine import Engine, EngineOptions
from firefork.engine.installations import Installations
from firefork.engine.sandbox.capabilities import Capabilities, detect
from firefork.engine.spec import ExecutionSpec
from firefork.invoke.invoker import Invoker
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.clock import new_id
from firefork.store.database import Database
from firefork.telemetry.log_store import LogStore

logger = logging.getLogger(__name__)

ROLE_SESSION_S: Final = 12 * 3600
"""Life of the credentials in an environment; environments are replaced well before that."""

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
        self._lock_file = self._own_data_dir()
        self._listener = self._listen()
        self.capabilities = self._detect()
        self.database = self._open_database()
        data_dir = settings.data_dir
        self.blobs = Blobs(data_dir / "blobs")
        self.packages = Packages(self.blobs, data_dir / "code", data_dir / "opt")
        try:
            self.keys = Keys(data_dir, settings)
        except (OSError, ValueError) as error:
            raise StartFailed(f"the keys cannot be read: {error}") from None
        self.installations = Installations(settings.runtimes_dir, settings.interpreter_paths)
        self.logs = LogStore(self.database)
        self.layers = LayerCatalog(self.database)
        self.functions = FunctionCatalog(
            self.database, self.packages, self.layers, settings, missing_runtime=self.installations.missing
        )
        self.ready = False
        self._run_id = new_id()
        self.sign_in_links = SignInLinks(self.keys.seal_link, self._run_id)
        self.console_files = ConsoleFiles(CONSOLE_DIR)
        self._started_s = time.time()
        self._tasks: set[asyncio.Task[None]] = set()

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
                Database(settings.database_url) if settings.database_url else Database.in_folder(settings.data_dir)
            )
            database.migrate()
        except SQLAlchemyError as error:
            raise StartFailed(
                f"the database cannot be opened: {str(error.__cause__ or error).splitlines()[0]}"
            ) from None
        return database

    @property
    def endpoint(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{'[' + host + ']' if ':' in host else host}:{port}"

    async def start(self) -> None:
        """Begin to serve."""
        settings = self.settings
        await asyncio.to_thread(self._tidy)
        self.engine = Engine(
            EngineOptions(
                data_dir=settings.data_dir,
                mode=self.capabilities.mode,
                hierarchies=self.capabilities.hierarchies,
                idle_timeout_s=settings.idle_timeout_s,
                spares=settings.spares,
            ),
            code=self.packages,
            runtimes=self.installations,
            log=self.logs.append,
            credentials=self._role_credentials,
            serve_endpoint=lambda sandbox: self.http.attach(sandbox),
        )
        self.invoker = Invoker(self.engine)
        sources = CodeSources(self.packages, settings)
        downloads = Downloads(self.blobs, self.keys)
        self.door = FrontDoor(
            {
                "lambda": [
                    Functions(self.functions, sources, downloads),
                    Versions(self.functions),
                    Layers(self.layers, sources, downloads),
                    Tags(self.functions),
                    Account(self.functions),
                    Invocations(self.functions, self.invoker),
                ],
                "logs": [Groups(self.logs), Streams(self.logs), Events(self.logs)],
                "sts": [Identity(self.keys)],
            },
            authenticate=self.keys.lookup,
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
            verbose=settings.verbose,
        )
        self.http = HttpServer(self.door)
        self._loop = asyncio.get_running_loop()
        self.functions.changed.append(self._function_changed)
        await self.engine.start()
        await self.http.start(self._listener)
        self._write_server_file()
        self.ready = True

    def _tidy(self) -> None:
        """What a killed server may have left: unfinished states, code that nothing refers to."""
        self.functions.settle_all()
        self.packages.collect_garbage(self.functions.digests() | self.layers.digests())

    def _function_changed(self, scope: Scope, name: str, deleted: bool) -> None:
        alive = self.functions.version_names(scope, name) if deleted else set()

        def apply() -> None:
            self.invoker.forget(scope, name)
            if deleted:
                self.engine.forget_deleted(scope, name, alive)
            else:
                self._warm_up(scope, name)

        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is ending
            self._loop.call_soon_threadsafe(apply)

    def _warm_up(self, scope: Scope, name: str) -> None:
        """Have the interpreter of a new or changed function ready, and end the environments of its old form."""

        async def work() -> None:
            with contextlib.suppress(Exception):  # a failure shows at the first invoke, where it can be told
                function = await asyncio.to_thread(self.functions.resolve, scope, name, None)
                spec = ExecutionSpec.of(function)
                self.engine.replace(spec)
                await self.engine.warm_up(spec)

        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _role_credentials(self, spec: ExecutionSpec) -> dict[str, str]:
        principal = role_session(spec.role, spec.name)
        return self.keys.issue_session(principal, ROLE_SESSION_S).as_environment()

    def health(self) -> dict[str, object]:
        return {
            "status": "ready" if self.ready else "starting",
            "version": firefork.__version__,
            "services": ["lambda", "logs", "sts"],
            "sandbox": self.capabilities.mode,
            "environments": self.engine.environments,
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
        await self.engine.stop(limit_s=self.settings.shutdown_limit_s)
        await self.http.stop()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.door.close()
        self.logs.close()
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
    return [
        f"Firefork {firefork.__version__}",
        f"endpoint   {platform.endpoint}   (region {settings.region}, account {settings.account})",
        f"data       {settings.data_dir}",
        f"keys       {settings.data_dir / 'credentials'}" + ("   and test/test" if settings.test_credentials else ""),
        f"console    {link if platform.console_files.built else 'not built: run `make console`'}",
        f"sandbox    {platform.capabilities.describe()}",
        f"runtimes   {', '.join(runtimes) if runtimes else 'none: run `firefork runtimes install --all`'}",
    ]


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
