"""Warm invokes one after the other on one connection, beside AWS's emulator with the same function.

Firefork and the emulator take turns in blocks. The raw client's signature is computed before the timed part; Firefork
verifies it in each request, the emulator has none.
"""

from __future__ import annotations

import time

import peer_rie
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_BLOCK = 100


def measure(rounds: int) -> list[Figure]:
    raw: list[float] = []
    boto3: list[float] = []
    rie: list[float] = []
    with FireforkServer() as server, peer_rie.Rie(HELLO) as peer:
        name = server.create(HELLO)
        connection, request = server.connect(), server.request(name)
        for number in range(rounds + 1):
            ours = [connection.time_ms(request) for _ in range(_BLOCK)]
            theirs = [peer.connection.time_ms(peer.request) for _ in range(_BLOCK)]
            through_boto3 = []
            for _ in range(_BLOCK // 5):
                started = time.perf_counter()
                server.invoke_with_boto3(name)
                through_boto3.append((time.perf_counter() - started) * 1000)
            if number:
                raw += ours
                rie += theirs
                boto3 += through_boto3
        connection.close()
    return [
        Figure(
            claim=f"warm invoke, one connection, {client}",
            ours=median(ours),
            peer=median(rie),
            unit="ms",
            peer_name="RIE, raw client",
            reach=reach,
        )
        for client, ours, reach in (("raw client", raw, "1 x RIE"), ("through boto3", boto3, ""))
    ]


if __name__ == "__main__":
    main(measure, rounds=10, what=f"blocks of {_BLOCK} invokes")
