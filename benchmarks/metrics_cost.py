"""What counting costs a warm invoke: two servers that differ in --metrics only take turns in blocks.

Beside the time of an invoke stands the processor time that the server spends on it, which a busy machine blurs less.
"""

from __future__ import annotations

import raw_client
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_BLOCK = 100
_CONNECTIONS = 8
_REQUESTS = 1000


class _Side:
    """A server with the function, and what was measured on it."""

    def __init__(self, server: FireforkServer) -> None:
        self._server = server
        self.request = server.request(server.create(HELLO))
        self.connections = [server.connect() for _ in range(_CONNECTIONS)]
        self.times_ms: list[float] = []
        self.cpu_ms: list[float] = []
        """Of an invoke, by block."""

    def run(self, *, counts: bool) -> None:
        """One block; the first one warms up and does not count."""
        times = [self.connections[0].time_ms(self.request) for _ in range(_BLOCK)]
        before_s = self._server.cpu_s()
        raw_client.saturate(self.connections, self.request, _REQUESTS)
        if counts:
            self.times_ms += times
            self.cpu_ms.append((self._server.cpu_s() - before_s) * 1000 / _REQUESTS)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def measure(rounds: int) -> list[Figure]:
    with FireforkServer("--metrics", "on") as counting, FireforkServer("--metrics", "off") as plain:
        sides = _Side(counting), _Side(plain)
        for number in range(rounds + 1):
            # Who begins alternates: the machine is not the same at the end of a round as at its start.
            for side in sides if number % 2 else reversed(sides):
                side.run(counts=number > 0)
        for side in sides:
            side.close()
    on, off = sides
    return [
        Figure(
            claim=claim,
            ours=ours,
            peer=theirs,
            unit="ms",
            peer_name="the same, --metrics off",
            reach="within 3 %",
        )
        for claim, ours, theirs in (
            ("warm invoke, metrics counted", median(on.times_ms), median(off.times_ms)),
            ("its processor time in the server", median(on.cpu_ms), median(off.cpu_ms)),
        )
    ]


if __name__ == "__main__":
    main(measure, rounds=10, what=f"blocks of {_BLOCK} invokes one by one and {_REQUESTS} at once")
