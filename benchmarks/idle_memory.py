"""Memory of one more idle environment (proportional set size of its processes), beside one more emulator.

Measured as a slope: all processes below the server with some environments and with more, so that the server's own
share of an environment counts and what all share does not. No spares are kept, which would be made while environments
are added and are none. Source: proc(5), ``smaps_rollup``.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import peer_rie
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main

_FIRST = 4


def measure(rounds: int) -> list[Figure]:
    with FireforkServer("--spares", "0") as server:
        connection = server.connect()

        def add(count: int) -> float:
            for _ in range(count):
                connection.time_ms(server.request(server.create(HELLO)))
            return _settled_mib([server.pid])

        before = add(_FIRST)
        ours = (add(rounds) - before) / rounds
        connection.close()
    with contextlib.ExitStack() as stack:
        pids: list[int] = []

        def add_peers(count: int) -> float:
            for _ in range(count):
                peer = stack.enter_context(peer_rie.Rie(HELLO))
                peer.connection.time_ms(peer.request)
                pids.append(peer.pid)
            return _settled_mib(pids)

        before = add_peers(_FIRST)
        rie = (add_peers(rounds) - before) / rounds
    return [
        Figure(
            claim="memory of one more idle environment",
            ours=ours,
            peer=rie,
            unit="MiB",
            peer_name="one more RIE",
            reach="6 MiB",
        )
    ]


def _settled_mib(roots: list[int]) -> float:
    """The set size of processes and everything below them, once their number stands still."""
    known, since = -1, time.monotonic()
    while True:
        pids = _with_descendants(roots)
        if len(pids) != known:
            known, since = len(pids), time.monotonic()
        elif time.monotonic() - since > 0.5:
            return sum(_pss_kib(pid) for pid in pids) / 1024
        time.sleep(0.05)


def _with_descendants(roots: list[int]) -> set[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                parent = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children.get(pid, [])
    return found


def _pss_kib(pid: int) -> int:
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main(measure, rounds=16, what="environments added")
