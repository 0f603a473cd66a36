"""What a server and all that it started hold on this machine, and what of it is left once the server is gone."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from firefork.engine.sandbox.cgroups import find_hierarchies
from firefork.engine.sandbox.firewall import INTERFACE_PREFIX, TABLE_PREFIX, nft_binary, tables
from firefork.engine.sandbox.ownership import folder_mark
from firefork.engine.sandbox.zygote import cgroup_prefix

_KB_IN_A_MIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One moment of a running server. Source: proc(5)."""

    resident_mb: float
    anonymous_mb: float
    """Of the resident memory what is not a file's: what a leak would make grow."""
    descriptors: int
    threads: int
    processes: int
    """Below the server: zygotes, environments, the caretaker."""
    zombies: frozenset[int]
    groups: int
    """Control groups of environments; in version 1 those of one controller."""
    empty_groups: frozenset[str]
    links: int
    """Network interfaces of environments on the server's side."""


@dataclass
class Footprint:
    """Watches one server from ``sample`` to ``sample``; ``leftovers`` judges when it is gone."""

    pid: int
    data_dir: Path
    _processes: dict[int, str] = field(default_factory=dict)
    """Every process that was seen below the server, with its start, which together name one for good."""

    def __post_init__(self) -> None:
        hierarchies = find_hierarchies()
        self._parents = sorted(set(hierarchies.parents.values())) if hierarchies is not None else []
        self._prefix = cgroup_prefix(self.data_dir)
        self._links = INTERFACE_PREFIX + folder_mark(self.data_dir)[:6]

    def follow(self, pid: int) -> None:
        """The folder has a new server; what the dead one had is remembered."""
        self.pid = pid

    def sample(self) -> Sample:
        """Look now. Raises FileNotFoundError when the server is gone."""
        status = _fields(Path(f"/proc/{self.pid}/status").read_text())
        below = processes_below(self.pid)
        self._processes |= below
        groups = self._groups()
        return Sample(
            resident_mb=int(status["VmRSS"].split()[0]) / _KB_IN_A_MIB,
            anonymous_mb=int(status["RssAnon"].split()[0]) / _KB_IN_A_MIB,
            descriptors=len(os.listdir(f"/proc/{self.pid}/fd")),
            threads=int(status["Threads"]),
            processes=len(below),
            zombies=frozenset(pid for pid in below if _state(pid) == "Z"),
            groups=len(groups) // max(1, len(self._parents)),
            empty_groups=frozenset(str(group) for group in groups if _is_empty(group)),
            links=len(self._own_links()),
        )

    def leftovers(self) -> dict[str, int]:
        """How much of each kind is there although the server is not; every count should be 0.

        Namespaces are not counted: the kernel ends them with the last process in them, and gives their numbers anew.
        """
        left = still_running(self._processes)
        # Only root sets up packet rules, and only root may list them.
        found = tables().servers if nft_binary() and os.geteuid() == 0 else ()
        table = TABLE_PREFIX + folder_mark(self.data_dir)
        run = self.data_dir / "run"
        unfinished = list(self.data_dir.rglob(".new-*"))
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        return {
            "processes": len(left),
            "mounts": sum(str(self.data_dir) in line for line in mounts),
            "control groups": len(self._groups()),
            "network interfaces": len(self._own_links()),
            "tables of packet rules": sum(name == table for name in found),
            "unfinished files": len(unfinished) + sum(1 for path in run.rglob("*") if not path.is_dir()),
        }

    def _groups(self) -> list[Path]:
        return [group for parent in self._parents for group in parent.glob(f"{self._prefix}*")]

    def _own_links(self) -> list[str]:
        return [name for _, name in socket.if_nameindex() if name.startswith(self._links)]


def processes_below(pid: int) -> dict[int, str]:
    """Every process below one: its number and when it started, in clock ticks since boot."""
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(int(stat[1]), []).append((int(entry.name), stat[19]))
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child, started in children.get(waiting.pop(), ()):
            found[child] = started
            waiting.append(child)
    return found


def still_running(processes: Mapping[int, str]) -> dict[int, bytes]:
    """Which of what ``processes_below`` found still run, with their command lines. The dead but unburied do not."""
    left = {}
    for pid, started in processes.items():
        stat = _stat(pid)
        if stat and stat[19] == started and stat[0] != "Z":
            try:
                left[pid] = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue  # it ended while it was looked at
    return left


def _stat(pid: int) -> list[str]:
    """The fields of /proc/pid/stat from the state on; a name may hold anything, also brackets and other bytes."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].decode().split()
    except OSError:
        return []


def _state(pid: int) -> str:
    stat = _stat(pid)
    return stat[0] if stat else ""


def _fields(status: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in status.splitlines())}


def _is_empty(group: Path) -> bool:
    try:
        return not (group / "cgroup.procs").read_text()
    except OSError:
        return False  # removed meanwhile
