"""A cold start among hundreds of live environments, beside one on a server that has a single other one.

Two servers run side by side and take turns, so that a busy moment meets both. Every environment is another function's,
idle and frozen, as after an invoke.
"""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections import defaultdict

from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_SAMPLES = 25
_SETTLE_S = 0.2
"""After a function was deleted: its environment ends, the spare is made anew."""


def measure(rounds: int) -> list[Figure]:
    times: dict[int, list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        servers = {count: stack.enter_context(FireforkServer()) for count in (1, rounds)}
        for count, server in servers.items():
            filler = server.connect()
            for _ in range(count):
                filler.time_ms(server.request(server.create(HELLO)))
            filler.close()
            alive = _environments(server)
            if alive != count:
                raise RuntimeError(f"{alive} environments are alive, not {count}: see --memory-budget")
        connections = {count: server.connect() for count, server in servers.items()}
        for number in range(_SAMPLES + 1):
            for count, server in servers.items():
                name = server.create(HELLO)
                time.sleep(0.05)
                elapsed = connections[count].time_ms(server.request(name))
                if number:
                    times[count].append(elapsed)
                server.lambda_.delete_function(FunctionName=name)
                time.sleep(_SETTLE_S)
        for connection in connections.values():
            connection.close()
    return [
        Figure(
            claim=f"first invoke, hello, among {rounds} live environments",
            ours=median(times[rounds]),
            peer=median(times[1]),
            unit="ms",
            peer_name="beside 1 live environment",
            reach="at least 0.77",
        )
    ]


def _environments(server: FireforkServer) -> int:
    with urllib.request.urlopen(f"{server.endpoint}/_firefork/health") as answer:
        return int(json.load(answer)["environments"])


if __name__ == "__main__":
    main(measure, rounds=500, what="live environments")
