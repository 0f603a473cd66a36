"""What counting costs a warm invoke: two servers that differ in --metrics only take turns in short blocks.

Beside the time of an invoke stands the processor time that the server spends on it, which a busy machine blurs less.
Two servers of the same options may differ, too (where their memory lies), so each round has a pair of its own. Within a
round the order is A B B A and B A A B in turn, which takes out what changes slowly; its ratio is the median of theirs,
and the interval of 95 % is that of the mean of all rounds' ratios (Student's t). If it spans 3 %, nothing is decided:
the machine was too busy.
"""

from __future__ import annotations

import math
import statistics

import raw_client
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_BLOCK = 100
_CONNECTIONS = 4
_REQUESTS = 300
_WARM_UP = 4
_QUADS = 12
_T_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14)
"""Of 1, 2, 3 … degrees of freedom, two-sided."""
_T_95_OF_MANY = 2.13


class _Side:
    """A server with the function, and what was measured on it."""

    def __init__(self, server: FireforkServer) -> None:
        self._server = server
        self._request = server.request(server.create(HELLO))
        self._connections = [server.connect() for _ in range(_CONNECTIONS)]
        for _ in range(_WARM_UP):
            self._block()
        self.times_ms: list[float] = []
        """The median of each block."""
        self.cpu_ms: list[float] = []
        """Of an invoke, by block."""

    def _block(self) -> tuple[float, float]:
        time_ms = median(self._connections[0].time_ms(self._request) for _ in range(_BLOCK))
        before_s = self._server.cpu_s()
        raw_client.saturate(self._connections, self._request, _REQUESTS)
        return time_ms, (self._server.cpu_s() - before_s) * 1000 / _REQUESTS

    def run(self) -> None:
        time_ms, cpu_ms = self._block()
        self.times_ms.append(time_ms)
        self.cpu_ms.append(cpu_ms)

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


class _Compared:
    """One figure with metrics counted and without, over all rounds."""

    def __init__(self) -> None:
        self._on: list[float] = []
        self._off: list[float] = []
        self._ratios: list[float] = []

    def add_round(self, on: list[float], off: list[float]) -> None:
        """Of blocks in the order in which they were run: two of each side are neighbours."""
        self._on += on
        self._off += off
        pairs = zip(on[::2], on[1::2], off[::2], off[1::2], strict=True)
        self._ratios.append(median((first + second) / (third + fourth) for first, second, third, fourth in pairs))

    def _interval(self) -> str:
        """How much more it is, in percent, and the interval of 95 %."""
        more = 100 * (statistics.fmean(self._ratios) - 1)
        freedom = len(self._ratios) - 1
        if not freedom:
            return f"{more:+.1f} %"
        t = _T_95[freedom - 1] if freedom <= len(_T_95) else _T_95_OF_MANY
        half = 100 * t * statistics.stdev(self._ratios) / math.sqrt(freedom + 1)
        return f"{more:+.1f} % ({more - half:+.1f} to {more + half:+.1f})"

    def figure(self, claim: str) -> Figure:
        return Figure(
            claim=f"{claim}: {self._interval()}",
            ours=median(self._on),
            peer=median(self._off),
            unit="ms",
            peer_name="the same, --metrics off",
            reach="within 3 %",
        )


def measure(rounds: int) -> list[Figure]:
    times, cpu = _Compared(), _Compared()
    for _ in range(rounds):
        with FireforkServer("--metrics", "on") as counting, FireforkServer("--metrics", "off") as plain:
            on, off = _Side(counting), _Side(plain)
            for number in range(_QUADS):
                for side in (on, off, off, on) if number % 2 else (off, on, on, off):
                    side.run()
            on.close()
            off.close()
        times.add_round(on.times_ms, off.times_ms)
        cpu.add_round(on.cpu_ms, off.cpu_ms)
    return [times.figure("warm invoke, metrics counted"), cpu.figure("its processor time in the server")]


if __name__ == "__main__":
    main(measure, rounds=8, what=f"pairs of servers, of each {2 * _QUADS} blocks of {_BLOCK} + {_REQUESTS} invokes")
