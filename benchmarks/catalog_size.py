"""First invokes and ListFunctions pages with 10,000 functions in the catalog, beside the same server with 10."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_FEW = 10
_SAMPLES = 15


def measure(rounds: int) -> list[Figure]:
    with FireforkServer() as server:
        for _ in range(_FEW):
            server.create(HELLO)
        few = _sample(server)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: server.create(HELLO, wait=False), range(rounds - _FEW)))
        server.create(HELLO)  # active: the queue of new functions is worked off
        many = _sample(server)
    return [
        Figure(
            claim=f"{what} with {rounds:,} functions",
            ours=ours,
            peer=peer,
            unit="ms",
            peer_name=f"with {_FEW} functions",
            reach="the same",
        )
        for what, ours, peer in zip(("first invoke", "a page of ListFunctions"), many, few, strict=True)
    ]


def _sample(server: FireforkServer) -> tuple[float, float]:
    """Medians in ms: a first invoke, and a page of ten functions."""
    connection = server.connect()
    first: list[float] = []
    pages: list[float] = []
    for number in range(_SAMPLES + 1):
        name = server.create(HELLO)
        time.sleep(0.05)
        invoked = connection.time_ms(server.request(name))
        started = time.perf_counter()
        server.lambda_.list_functions(MaxItems=10)
        listed = (time.perf_counter() - started) * 1000
        if number:
            first.append(invoked)
            pages.append(listed)
    connection.close()
    return median(first), median(pages)


if __name__ == "__main__":
    main(measure, rounds=10_000, what="functions")
