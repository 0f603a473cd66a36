"""Warm invokes a second on 8 connections, beside the best that AWS's emulator does (it serves one at a time)."""

from __future__ import annotations

import peer_rie
import raw_client
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_CONNECTIONS = 8
_REQUESTS = 2000


def measure(rounds: int) -> list[Figure]:
    ours: list[float] = []
    rie: list[float] = []
    with FireforkServer() as server, peer_rie.Rie(HELLO) as peer:
        request = server.request(server.create(HELLO))
        connections = [server.connect() for _ in range(_CONNECTIONS)]
        for number in range(rounds + 1):
            found = raw_client.saturate(connections, request, _REQUESTS)
            # More than one connection makes the emulator refuse or serialise: one is its best.
            theirs = raw_client.saturate([peer.connection], peer.request, _REQUESTS)
            if number:
                ours.append(found)
                rie.append(theirs)
        for connection in connections:
            connection.close()
    return [
        Figure(
            claim=f"warm throughput, {_CONNECTIONS} connections",
            ours=median(ours),
            peer=median(rie),
            unit="/s",
            peer_name="RIE, one connection",
            higher_is_better=True,
            reach="1.5 x RIE",
        )
    ]


if __name__ == "__main__":
    main(measure, rounds=3, what=f"times {_REQUESTS} invokes")
