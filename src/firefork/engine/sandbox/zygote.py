"""The server's side of a zygote: starting it, ordering spares, keeping a few ready, ending it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ctypes
import ctypes.util
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import firefork
from firefork.engine.guest import kernel
from firefork.engine.sandbox import seccomp
from firefork.engine.sandbox.cgroups import Hierarchies
from firefork.engine.sandbox.channel import Channel, Message
from firefork.engine.sandbox.demand import Demand
from firefork.engine.sandbox.network import Network
from firefork.engine.sandbox.ownership import folder_mark
from firefork.engine.sandbox.sandbox import Sandbox, SandboxLost

_START_LIMIT_S: Final = 60.0
_CALM_S: Final = 0.03
"""So long after a sandbox was taken no spare is made: cold starts at that moment have the processors to themselves."""
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZygotePlan:
    """What a zygote is: an interpreter with a client (and the SDK), and how its children are isolated."""

    identifier: str
    interpreter: Path
    runtime_dir: Path
    site_packages_dir: Path
    sdk: bool
    mode: str
    """``root`` (namespaces, as root), ``user`` (namespaces of an ordinary user), ``process`` (no isolation)."""
    code_dir: Path
    opt_dir: Path
    root_dir: Path
    """An empty folder to mount the root on; nothing of it is visible outside of the zygote."""
    hierarchies: Hierarchies | None
    cgroup_prefix: str
    network: Network
    processes: int = 1024
    spares: int = 2
    """The least number to keep; see ``demand.py``."""


class ZygoteFailed(Exception):
    """A zygote did not start; the message is its last words."""


class Zygote:
    """A running zygote and its spares."""

    def __init__(self, plan: ZygotePlan) -> None:
        self.plan = plan
        self.channel = Channel()
        self.baseline_bytes = 0
        self.ended = asyncio.Event()
        self.on_end: Callable[[Zygote], None] = lambda zygote: None
        self.on_change: Callable[[], None] = lambda: None
        """Called when it said whether it is ready."""
        self._pid: int | None = None
        self._launcher: subprocess.Popen[bytes] | None = None
        self._ready: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._spares: deque[Sandbox] = deque()
        self._demand = Demand(plan.spares)
        self._taken_s = 0.0
        self._refilling: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()
        self.channel.on_message = self._on_message
        self.channel.on_end = self._on_end

    @classmethod
    async def start(cls, plan: ZygotePlan) -> Zygote:
        """Start the zygote and its first spares. Raises ZygoteFailed."""
        zygote = cls(plan)
        await zygote._launch()
        zygote._refill_if_short()
        return zygote

    async def _launch(self) -> None:
        plan = self.plan
        plan.root_dir.mkdir(parents=True, exist_ok=True)
        guest = self.channel.guest_end()
        source = Path(firefork.__file__).resolve().parent.parent
        command = (
            f"import sys; sys.dont_write_bytecode = True; sys.path.insert(0, {str(source)!r}); "
            f"from firefork.engine.guest import launch; launch.main({guest.fileno()})"
        )
        with tempfile.TemporaryFile() as last_words:
            # In a thread: starting a process blocks. Not the event loop's own way to start one, which makes passed
            # descriptors inheritable for a moment, so that another zygote started meanwhile would get them too.
            launcher = await asyncio.to_thread(self._start_launcher, command, guest.fileno(), last_words)
            self._launcher = launcher
            guest.close()
            try:
                self.channel.send(self._options(source))
                self.channel.send(self._guest_options())
                message = await asyncio.wait_for(asyncio.shield(self._ready), _START_LIMIT_S)
            except (OSError, TimeoutError, SandboxLost) as error:
                self.channel.close()
                self._on_end()
                launcher.kill()
                await asyncio.to_thread(launcher.wait)
                last_words.seek(0)
                words = last_words.read().decode(errors="replace").strip().splitlines()
                raise ZygoteFailed(words[-1] if words else f"no answer ({error})") from None
        if plan.mode != "process":
            await asyncio.to_thread(launcher.wait)  # its child is the zygote; it has nothing left to do
        self._pid = message["host_pid"] or message["pid"]
        self.baseline_bytes = message["baseline_kb"] * 1024

    def _start_launcher(self, command: str, control: int, last_words: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.plan.interpreter, "-I", "-S", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=last_words,
            pass_fds=[control],
            env={},
            start_new_session=True,  # Ctrl-C at the terminal is the server's to handle
        )

    def _options(self, source: Path) -> dict[str, object]:
        plan = self.plan
        environment = {
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{plan.identifier}",
            "LANG": "en_US.UTF-8",
            "LC_CTYPE": "C.UTF-8",
            "TZ": ":UTC",
            "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LD_LIBRARY_PATH": (
                "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
            ),
        }
        if plan.mode == "process":
            environment["PATH"] = f"{plan.interpreter.parent}:/usr/local/bin:/usr/bin:/bin"
            del environment["LD_LIBRARY_PATH"]
        return {
            "mode": plan.mode,
            "root": str(plan.root_dir),
            "runtime_dir": str(plan.runtime_dir),
            "site_packages_dir": str(plan.site_packages_dir),
            "code_dir": str(plan.code_dir),
            "opt_dir": str(plan.opt_dir),
            "network": plan.network.mode,
            "api_address": plan.network.api_address,
            "name_settings": plan.network.name_settings(),
            "guest_path": str(source),
            "environment": environment,
        }

    def _guest_options(self) -> dict[str, object]:
        plan = self.plan
        isolated = plan.mode != "process"
        limited = set(plan.hierarchies.parents) if plan.hierarchies is not None else set()
        version = plan.identifier
        bootstrap = "/var/runtime/bootstrap.py" if isolated else str(guest_file("bootstrap.py"))
        filter_program = seccomp.program() if isolated else None
        template_program = seccomp.program(template=True) if isolated else None
        return {
            "mode": plan.mode,
            "network": plan.network.mode,
            "sdk": plan.sdk,
            "runtime_dir": "/var/runtime" if isolated else str(plan.runtime_dir),
            "site_packages_dir": (
                f"/var/lang/lib/{version}/site-packages" if isolated else str(plan.site_packages_dir)
            ),
            "cgroup_namespace": plan.hierarchies is not None,
            # What a process's own limits have to stand in for; plain processes have none.
            "unlimited": sorted({"memory", "pids"} - limited) if isolated else [],
            "interpreter": f"/var/lang/bin/{version}" if isolated else str(plan.interpreter),
            "bootstrap": bootstrap,
            "filter": base64.b64encode(filter_program).decode() if filter_program else None,
            "template_filter": base64.b64encode(template_program).decode() if template_program else None,
        }

    async def take(self) -> Sandbox:
        """A ready sandbox; another is made in its place later. Raises SandboxLost."""
        self._taken_s = time.monotonic()
        self._demand.took(self._taken_s)
        self._refill_if_short()
        while self._spares:
            sandbox = self._spares.popleft()
            if not sandbox.gone.is_set():
                return sandbox
        return await self._make()

    def expect(self) -> None:
        """A function was made or changed that this zygote will be asked for."""
        self._demand.expect(time.monotonic())
        self._refill_if_short()

    def tend(self, now_s: float) -> None:
        """End spares that are not worth keeping any more; ``now_s`` as time.monotonic(). Called every second or so."""
        while len(self._spares) > self._demand.spares(now_s):
            ending = asyncio.ensure_future(self._spares.popleft().close())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        self._refill_if_short()

    @property
    def spare_count(self) -> int:
        return len(self._spares)

    def _refill_if_short(self) -> None:
        if self._refilling is None or self._refilling.done():
            self._refilling = asyncio.ensure_future(self._refill())

    async def _refill(self) -> None:
        """One at a time, in calm moments; given up when one is lost, until somebody takes one again."""
        while not self.ended.is_set() and len(self._spares) < self._demand.spares(time.monotonic()):
            wait_s = self._taken_s + _CALM_S - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                continue
            try:
                self._spares.append(await self._make())
            except SandboxLost:
                return

    async def _make(self) -> Sandbox:
        """Order a sandbox and wait until it is ready. Raises SandboxLost."""
        sandbox = self._order()
        try:
            await asyncio.wait_for(asyncio.shield(sandbox.ready), _START_LIMIT_S)
        except TimeoutError:
            await sandbox.close()
            raise SandboxLost("the zygote did not answer") from None
        except BaseException:  # cancelled, too: nobody else would release it
            await sandbox.close()
            raise
        return sandbox

    def _order(self) -> Sandbox:
        cgroup = None
        plan = self.plan
        if plan.hierarchies is not None:
            cgroup = plan.hierarchies.make(f"{plan.cgroup_prefix}{next(_numbers)}")
            cgroup.limit_processes(plan.processes + 1)  # init is one of them
        sandbox = Sandbox(
            cgroup=cgroup,
            isolated=plan.mode != "process",
            baseline_bytes=self.baseline_bytes,
            nat=plan.network.nat,
        )
        descriptors = sandbox.guest_descriptors()
        try:
            self.channel.send({"order": "spare"}, descriptors)
        except OSError as error:
            raise SandboxLost("the zygote is gone") from error
        finally:
            sandbox.handed_over(descriptors)
        return sandbox

    async def stop(self) -> None:
        """End the zygote, its spares and whatever else is left below it."""
        self.ended.set()
        if self._refilling is not None:
            await asyncio.wait([self._refilling], timeout=2)  # a spare on its way is ready in milliseconds
            self._refilling.cancel()
            await asyncio.gather(self._refilling, return_exceptions=True)
        await asyncio.gather(*self._endings)
        await asyncio.gather(*(sandbox.close() for sandbox in self._spares))
        self._spares.clear()
        self.channel.close()
        if self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            await asyncio.to_thread(_reap, self._pid)
        if self._launcher is not None:
            await asyncio.to_thread(self._launcher.wait)

    def _on_message(self, message: Message, descriptors: list[int]) -> None:
        if message["event"] == "ready" and not self._ready.done():
            self._ready.set_result(message)
        self.on_change()

    def _on_end(self) -> None:
        if not self._ready.done():
            self._ready.set_exception(SandboxLost("it ended while it started"))
            self._ready.exception()
        if not self.ended.is_set():
            self.ended.set()
            self.on_end(self)


def guest_file(name: str) -> Path:
    """A file of the guest's code as the server's file system has it."""
    return Path(kernel.__file__).with_name(name)


def adopt_orphans() -> None:
    """Make this process the parent of zygotes whose launcher is done, so that their end is seen (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(kernel.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def cgroup_prefix(data_dir: Path) -> str:
    """What all groups of one data folder begin with, so that the next server finds those of a killed one."""
    return f"firefork-{folder_mark(data_dir)}-"
