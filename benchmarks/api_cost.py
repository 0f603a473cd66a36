"""GetFunction, ListFunctions and CreateFunction with 10,000 functions in the catalog, beside a server that has 10.

Two servers run side by side and take turns, so that a busy moment meets both. The client's own part (boto3) is in both
figures.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable

from catalog_size import FEW
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_SAMPLES = 40

_CALLS: dict[str, Callable[[FireforkServer, str], object]] = {
    "GetFunction": lambda server, name: server.lambda_.get_function(FunctionName=name),
    "ListFunctions": lambda server, name: server.lambda_.list_functions(MaxItems=FEW),
    "CreateFunction": lambda server, name: server.create(HELLO, wait=False),
}


def measure(rounds: int) -> list[Figure]:
    times: dict[tuple[str, int], list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        servers = {count: stack.enter_context(FireforkServer()) for count in (FEW, rounds)}
        names = {}
        for count, server in servers.items():
            server.fill(count - 1)
            names[count] = server.create(HELLO)
        for number in range(_SAMPLES + 1):
            for operation, call in _CALLS.items():
                for count, server in servers.items():
                    started = time.perf_counter()
                    call(server, names[count])
                    if number:
                        times[operation, count].append((time.perf_counter() - started) * 1000)
    return [
        Figure(
            claim=f"{operation} with {rounds:,} functions",
            ours=median(times[operation, rounds]),
            peer=median(times[operation, FEW]),
            unit="ms",
            peer_name=f"with {FEW} functions",
            reach="the same",
        )
        for operation in _CALLS
    ]


if __name__ == "__main__":
    main(measure, rounds=10_000, what="functions")
