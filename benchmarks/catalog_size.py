"""First invokes and ListFunctions pages with 10,000 functions in the catalog, beside a server that has 10.

Two servers run side by side and take turns, so that a busy moment meets both.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict

from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

FEW = 10
_SAMPLES = 15


def measure(rounds: int) -> list[Figure]:
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        servers = {count: stack.enter_context(FireforkServer()) for count in (FEW, rounds)}
        for count, server in servers.items():
            server.fill(count)
        connections = {count: server.connect() for count, server in servers.items()}
        for number in range(_SAMPLES + 1):
            for count, server in servers.items():
                name = server.create(HELLO)
                time.sleep(0.05)
                first = connections[count].time_ms(server.request(name))
                started = time.perf_counter()
                server.lambda_.list_functions(MaxItems=10)
                page = (time.perf_counter() - started) * 1000
                if number:
                    times["first invoke", count].append(first)
                    times["a page of ListFunctions", count].append(page)
        for connection in connections.values():
            connection.close()
    return [
        Figure(
            claim=f"{what} with {rounds:,} functions",
            ours=median(times[what, rounds]),
            peer=median(times[what, FEW]),
            unit="ms",
            peer_name=f"with {FEW} functions",
            reach="the same",
        )
        for what in ("first invoke", "a page of ListFunctions")
    ]


if __name__ == "__main__":
    main(measure, rounds=10_000, what="functions")
