"""First invokes of published versions with SnapStart, beside a plain process start and the emulator with full inits.

The function imports boto3 and makes five clients at module level. Publishing runs its init once and is not timed, as on
AWS; the peers run it at the first invoke. Everybody takes turns.
"""

from __future__ import annotations

import time

import peer_process
import peer_rie
from firefork_server import HELLO, FireforkServer
from measurement import Figure, main, median

_SLOW = "import boto3\nclients = [boto3.client(name) for name in ('s3', 'dynamodb', 'ec2', 'lambda', 'sts')]\n" + HELLO


def measure(rounds: int) -> list[Figure]:
    ours: list[float] = []
    rie: list[float] = []
    process: list[float] = []
    peer_rie.binary()
    with FireforkServer() as server:
        connection = server.connect()
        for number in range(rounds + 1):
            name = server.create(_SLOW, SnapStart={"ApplyOn": "PublishedVersions"})
            version = server.publish(name)
            time.sleep(0.05)
            found = connection.time_ms(server.request(f"{name}:{version}"))
            by_process = peer_process.first_answer_ms(_SLOW)
            by_rie = peer_rie.first_invoke_ms(_SLOW)
            if number:
                ours.append(found)
                process.append(by_process)
                rie.append(by_rie)
        connection.close()
    return [
        Figure(
            claim="first invoke, five boto3 clients, SnapStart, raw client",
            ours=median(ours),
            peer=peer,
            unit="ms",
            peer_name=peer_name,
            reach="10 ms",
        )
        for peer, peer_name in ((median(rie), "RIE"), (median(process), "plain process start"))
    ]


if __name__ == "__main__":
    main(measure, rounds=7, what="published versions")
