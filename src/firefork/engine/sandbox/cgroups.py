"""Control groups of environments: memory, CPU, processes, freezing, and what was used; versions 1 and 2.

Sources: the kernel's documentation ``admin-guide/cgroup-v1`` and ``admin-guide/cgroup-v2``.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CPU_PERIOD_US: Final = 20_000
MB_PER_CPU: Final = 1769
"""AWS: a function with 1,769 MB has the equivalent of one vCPU (Lambda developer guide, "Configure memory")."""

_V1_CONTROLLERS: Final = ("memory", "cpu", "pids", "freezer")
_V2_CONTROLLERS: Final = ("memory", "cpu", "pids")
_SERVER_GROUP: Final = "firefork-server"
"""Version 2: where the server lives, beside the environments' groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchies:
    """Where this process may make groups: version 1 has a folder a controller, version 2 one for all."""

    version: int
    parents: Mapping[str, Path]
    """Controller name to existing parent folder."""

    def make(self, name: str) -> Cgroup:
        return Cgroup(self, name)


def find_hierarchies() -> Hierarchies | None:
    """The groups below this process's own that it may write, or ``None``. Reads proc(5) ``/proc/self/cgroup``."""
    try:
        memberships = Path("/proc/self/cgroup").read_text().splitlines()
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return None
    own: dict[str, str] = {}
    for line in memberships:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(",") if controllers else [""]:
            own[controller] = path
    found: dict[str, Path] = {}
    for _, target, kind, options, *_ in mounts:
        if kind == "cgroup":
            for controller in set(options.split(",")) & set(_V1_CONTROLLERS):
                folder = _existing(Path(target), own.get(controller, "/"))
                if os.access(folder, os.W_OK):
                    found.setdefault(controller, folder)
    if found:
        return Hierarchies(version=1, parents=found)
    for _, target, kind, *_ in mounts:
        if kind == "cgroup2":
            folder = _existing(Path(target), own.get("", "/"))
            if folder.name == _SERVER_GROUP:  # what an earlier server of this terminal or service made
                folder = folder.parent
            usable = _delegate(folder)
            if usable:
                return Hierarchies(version=2, parents=dict.fromkeys(usable, folder))
    return None


def _existing(mount: Path, path: str) -> Path:
    # Inside a container the path may be the host's: then the mount itself is this process's group.
    folder = mount / path.lstrip("/")
    return folder if folder.is_dir() else mount


def _delegate(folder: Path) -> list[str]:
    """Let version 2 groups below ``folder`` have controllers; which ones they have now.

    A group that passes controllers down may hold no process itself, the root group excepted: this process, and
    whoever is in its group as well, moves into a leaf first. Source: ``admin-guide/cgroup-v2``, "No Internal Process
    Constraint" and "Delegation".
    """
    try:
        offered = set((folder / "cgroup.controllers").read_text().split()) & set(_V2_CONTROLLERS)
        if not offered or not all(os.access(path, os.W_OK) for path in (folder, folder / "cgroup.procs")):
            return []
        control = folder / "cgroup.subtree_control"
        missing = offered - set(control.read_text().split())
        if missing and (folder / "cgroup.type").exists():  # every group but the root one has this file
            _move_processes(folder, folder / _SERVER_GROUP)
        for name in missing:
            with contextlib.suppress(OSError):  # one that is refused, as cpu with realtime processes, costs no other
                control.write_text(f"+{name}")
        return sorted(offered & set(control.read_text().split()))
    except OSError:
        return []


def _move_processes(source: Path, target: Path) -> None:
    """Empty a group into another, made if need be; in rounds, since what is listed may fork meanwhile."""
    target.mkdir(exist_ok=True)
    for _ in range(10):
        processes = (source / "cgroup.procs").read_text().split()
        if not processes:
            return
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                (target / "cgroup.procs").write_text(pid)


class Cgroup:
    """One environment's group. Absent controllers are skipped: what cannot be limited is not limited."""

    def __init__(self, hierarchies: Hierarchies, name: str) -> None:
        """Make the group; raises OSError."""
        self._version = hierarchies.version
        self._folders = {controller: parent / name for controller, parent in hierarchies.parents.items()}
        self._any = next(iter(self._folders))
        """A controller that there is: version 2 has the files of the group itself in one folder for all."""
        self._peak: int | None = None
        for folder in self._distinct():
            folder.mkdir()
        if self._version == 1:
            self._write("cpu", "cpu.cfs_period_us", CPU_PERIOD_US)

    def _distinct(self) -> Iterator[Path]:
        return iter(dict.fromkeys(self._folders.values()))

    def join_descriptors(self) -> list[int]:
        """Open ``cgroup.procs`` files: who writes "0" to each joins the group."""
        return [os.open(folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for folder in self._distinct()]

    def limit_memory(self, limit: int) -> None:
        """Bytes, swap included."""
        if self._version == 1:
            self._write("memory", "memory.limit_in_bytes", limit)
        else:
            self._write("memory", "memory.max", limit)
            with contextlib.suppress(FileNotFoundError):  # a kernel that does not account for swap
                self._write("memory", "memory.swap.max", 0)

    def limit_processes(self, limit: int) -> None:
        self._write("pids", "pids.max", limit)

    def limit_cpu(self, cpus: float) -> None:
        """Share of CPU time, 1.0 = one CPU."""
        quota = max(1000, int(cpus * CPU_PERIOD_US))
        if self._version == 1:
            self._write("cpu", "cpu.cfs_quota_us", quota)
        else:
            self._write("cpu", "cpu.max", f"{quota} {CPU_PERIOD_US}")

    def weigh_cpu(self, weight: float) -> None:
        """How much CPU it gets against other groups when all want it: 1.0 is what groups have by default."""
        if self._version == 1:
            self._write("cpu", "cpu.shares", max(2, int(weight * 1024)))
        else:
            self._write("cpu", "cpu.weight", max(1, int(weight * 100)))

    def unlimit_cpu(self) -> None:
        if self._version == 1:
            self._write("cpu", "cpu.cfs_quota_us", -1)
        else:
            self._write("cpu", "cpu.max", f"max {CPU_PERIOD_US}")

    def freeze(self) -> bool:
        """Whether there is a freezer at all."""
        if self._version == 1:
            return self._write("freezer", "freezer.state", "FROZEN")
        return self._write(self._any, "cgroup.freeze", 1)

    def thaw(self) -> None:
        if self._version == 1:
            self._write("freezer", "freezer.state", "THAWED")
        else:
            self._write(self._any, "cgroup.freeze", 0)

    @property
    def peak_bytes(self) -> int | None:
        """Most memory used so far, or what is used now where the kernel keeps no peak (version 2 before Linux 5.19).

        ``None`` where not even that is known.
        """
        folder = self._folders.get("memory")
        if folder is None:
            return None
        if self._peak is None:
            try:
                self._peak = self._open_peak(folder)
            except OSError:
                return None
        return int(os.pread(self._peak, 32, 0))

    def _open_peak(self, folder: Path) -> int:
        if self._version == 1:
            return os.open(folder / "memory.max_usage_in_bytes", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.open(folder / "memory.peak", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return os.open(folder / "memory.current", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def used_bytes(self) -> int | None:
        """The working set: memory used now without file pages that the kernel can drop; ``None`` if not known.

        Source: the kernel's cgroup documentation, ``memory.stat``: inactive_file.
        """
        folder = self._folders.get("memory")
        if folder is None:
            return None
        usage, droppable = (
            ("memory.usage_in_bytes", "total_inactive_file ")
            if self._version == 1
            else ("memory.current", "inactive_file ")
        )
        try:
            used = int((folder / usage).read_text())
            lines = (folder / "memory.stat").read_text().splitlines()
        except OSError:  # removed meanwhile
            return None
        return max(0, used - sum(int(line.split()[1]) for line in lines if line.startswith(droppable)))

    @property
    def oom_kills(self) -> int:
        """How many processes the kernel ended because the group was out of memory."""
        folder = self._folders.get("memory")
        if folder is None:
            return 0
        try:
            lines = (folder / ("memory.oom_control" if self._version == 1 else "memory.events")).read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in lines.splitlines() if line.startswith("oom_kill ")), 0)

    def remove(self, *, patience_s: float = 2.0) -> bool:
        """Remove the group once its processes are gone; whether it is removed. Blocks: not for the event loop."""
        if self._peak is not None:
            os.close(self._peak)
            self._peak = None
        deadline = time.monotonic() + patience_s
        removed = [remove_folder(folder, deadline) for folder in self._distinct()]
        return all(removed)

    def _write(self, controller: str, name: str, value: object) -> bool:
        folder = self._folders.get(controller)
        if folder is None:
            return False
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, str(value).encode())
        finally:
            os.close(descriptor)
        return True


def own_memory_limit(hierarchies: Hierarchies) -> int | None:
    """The least memory limit of the group that the server itself is in and of those above; ``None`` without one."""
    folder = hierarchies.parents.get("memory")
    if folder is None:
        return None
    name = "memory.limit_in_bytes" if hierarchies.version == 1 else "memory.max"
    limits = []
    for group in (folder, *folder.parents):
        try:
            text = (group / name).read_text().strip()
        except OSError:  # past the mount; the root group of version 2 has no such file
            break
        if text.isdecimal():  # or "max"
            limits.append(int(text))
    return min(limits, default=None)


def remove_folder(folder: Path, deadline: float) -> bool:
    """Remove one group's folder; the kernel refuses while a dying process is still counted in it."""
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        else:
            return True


def remove_leftovers(hierarchies: Hierarchies, prefix: str) -> int:
    """Remove groups of a server that was killed; how many.

    Their processes die with their zygote, in version 1 once thawed; version 2 can end them itself (Linux 5.14).
    """
    parents = dict.fromkeys(hierarchies.parents.values())
    folders = [folder for parent in parents for folder in parent.glob(f"{prefix}*")]
    for folder in folders:
        for name, value in (("freezer.state", "THAWED"), ("cgroup.kill", "1")):
            with contextlib.suppress(OSError):  # it has one of them or none, or is gone already
                descriptor = os.open(folder / name, os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.write(descriptor, value.encode())
                finally:
                    os.close(descriptor)
    return sum(remove_folder(folder, time.monotonic() + 2) for folder in folders)
