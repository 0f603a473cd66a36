"""First invokes: hello, and boto3 with a client at module level, beside a plain process start and AWS's emulator.

Every round creates new functions and takes turns with the peers, so that a busy moment meets everybody. The raw
client's signature is computed before the timed part; boto3 signs inside of it. Firefork: public API, signatures
verified, all isolation on.
"""

from __future__ import annotations

import time
from collections import defaultdict

import firefork_server
import peer_process
import peer_rie
from firefork_server import HELLO, WITH_SDK, FireforkServer
from measurement import Figure, main, median

_SETTLE_S = 0.05
"""Between creating a function and its first invoke: the server makes spares meanwhile, and is then at rest."""


def measure(rounds: int) -> list[Figure]:
    times: dict[str, list[float]] = defaultdict(list)
    peer_rie.binary()
    with FireforkServer() as server:
        connection = server.connect()
        for number in range(rounds + 1):
            found: dict[str, float] = {}
            for kind, source in (("hello", HELLO), ("sdk", WITH_SDK)):
                name = server.create(source)
                time.sleep(_SETTLE_S)
                found[f"{kind} raw"] = connection.time_ms(server.request(name))
                name = server.create(source)
                time.sleep(_SETTLE_S)
                started = time.perf_counter()
                server.invoke_with_boto3(name)
                found[f"{kind} boto3"] = (time.perf_counter() - started) * 1000
                found[f"{kind} process"] = peer_process.first_answer_ms(source)
                found[f"{kind} rie"] = peer_rie.first_invoke_ms(source)
            if number:  # the first round only warms everybody's file cache
                for name, value in found.items():
                    times[name].append(value)
        connection.close()
    figures = []
    for kind, words, reach in (("hello", "hello", "6 x RIE"), ("sdk", "boto3 client at module level", "8 x RIE")):
        for client, their in (("raw", "raw client"), ("boto3", "through boto3")):
            for peer, peer_name in (("rie", "RIE"), ("process", "plain process start")):
                figures.append(
                    Figure(
                        claim=f"first invoke, {words}, {their}",
                        ours=median(times[f"{kind} {client}"]),
                        peer=median(times[f"{kind} {peer}"]),
                        unit="ms",
                        peer_name=peer_name,
                        reach=reach if (client, peer) == ("raw", "rie") else "",
                    )
                )
    return figures


if __name__ == "__main__":
    main(measure, rounds=15, what=f"cold starts of each kind on {firefork_server.RUNTIME}")
