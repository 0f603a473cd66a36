"""First invokes of 24 functions at the same moment, beside 24 emulators that are asked at the same moment."""

from __future__ import annotations

import contextlib
import time

import peer_rie
import raw_client
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_FUNCTIONS = 24


def measure(rounds: int) -> list[Figure]:
    ours: list[float] = []
    rie: list[float] = []
    peer_rie.binary()
    with FireforkServer() as server:
        connections = [server.connect() for _ in range(_FUNCTIONS)]
        for number in range(rounds + 1):
            names = [server.create(HELLO) for _ in range(_FUNCTIONS)]
            time.sleep(0.2)
            work = [(connection, server.request(name)) for connection, name in zip(connections, names, strict=True)]
            found = _FUNCTIONS / raw_client.all_at_once(work)
            with contextlib.ExitStack() as stack:
                peers = [stack.enter_context(peer_rie.Rie(HELLO)) for _ in range(_FUNCTIONS)]
                theirs = _FUNCTIONS / raw_client.all_at_once([(peer.connection, peer.request) for peer in peers])
            if number:
                ours.append(found)
                rie.append(theirs)
        for connection in connections:
            connection.close()
    return [
        Figure(
            claim=f"burst of {_FUNCTIONS} first invokes",
            ours=median(ours),
            peer=median(rie),
            unit="/s",
            peer_name=f"{_FUNCTIONS} RIE",
            higher_is_better=True,
            reach="150 /s on 2 processors",
        )
    ]


if __name__ == "__main__":
    main(measure, rounds=3, what=f"bursts of {_FUNCTIONS}")
