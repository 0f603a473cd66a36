"""Servers killed at random moments under a stream of changes: what was acknowledged is there, and no rest of the dead.

In each round clients create, change, publish and delete functions, aliases, tags, layers and roles, write log events
and invoke; then the server gets SIGKILL. All that it had running must end by itself. A new server of the same folder
has to show every acknowledged change, to have each function ready, and to invoke it. In some rounds the new server is
killed while it starts, too. Exits with 1 when anything is not as it should be.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from firefork_server import FireforkServer
from footprint import Footprint
from kill_subjects import (
    FunctionSubject,
    InvokedSubject,
    LayerSubject,
    LogSubject,
    RoleSubject,
    Subject,
    WrongAnswer,
    refused,
)
from measurement import conclude, end_tidily, load_average

_LONGEST_S: Final = 2.0
"""Of the changes before a kill."""
_START_S: Final = 1.0
"""About as long as a server takes to start."""
_KILLED_TWICE: Final = 0.2
"""Share of the rounds whose new server is killed as well."""
_PATIENCE_S: Final = 15.0
_OF_A_DEAD_SERVER: Final = ("processes", "control groups", "network interfaces", "mounts")
"""What ends without a new server; the rest waits for it."""


class Rounds:
    """One folder, and the servers that are killed on it one after the other."""

    def __init__(self, server: FireforkServer, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._footprint = Footprint(server.pid, server.data_dir)
        logs, invoked = LogSubject("/kill/rounds", seed), InvokedSubject("invoked", seed)
        self.subjects: list[Subject] = [
            *(FunctionSubject(f"function-{number}", seed + number) for number in range(3)),
            LayerSubject("layer", seed),
            RoleSubject("role", seed),
            logs,
            invoked,
        ]
        self._use_server()
        logs.prepare(int(time.time() * 1000) - 3_600_000)
        invoked.prepare()

    def _use_server(self) -> None:
        for subject in self.subjects:
            subject.use(self._server.client)

    def round(self) -> list[str]:
        """Changes, a kill, a new start; what is wrong in words."""
        wrong: list[str] = []
        threads = [threading.Thread(target=self._change, args=(subject, wrong)) for subject in self.subjects]
        for thread in threads:
            thread.start()
        time.sleep(self._chance.uniform(0.05, _LONGEST_S))
        self._footprint.sample()
        self._server.kill()
        for thread in threads:
            thread.join()
        wrong += self._rests_of_the_dead()
        if self._chance.random() < _KILLED_TWICE:
            self._server.start_and_kill(self._chance.uniform(0.1, _START_S))
            wrong += self._rests_of_the_dead()
        self._server.start()
        self._footprint.follow(self._server.pid)
        self._use_server()
        for subject in self.subjects:
            try:
                problem = subject.verify()
            except (ClientError, WrongAnswer) as error:
                problem = f"{subject.name}: {error}"
            wrong += [problem] if problem is not None else []
        return wrong

    @staticmethod
    def _change(subject: Subject, wrong: list[str]) -> None:
        """Change after change until the server is gone."""
        while True:
            try:
                subject.change()
            except (ConnectionError, HTTPClientError):
                return
            except ClientError as error:
                wrong.append(f"{subject.name}: {refused(error)}")
                return
            except WrongAnswer as error:
                wrong.append(str(error))
                return

    def _rests_of_the_dead(self) -> list[str]:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            left = self._footprint.leftovers()
            rests = [f"{left[kind]} {kind} of a killed server" for kind in _OF_A_DEAD_SERVER if left[kind]]
            if not rests or time.monotonic() > deadline:
                return rests
            time.sleep(0.02)

    def end(self) -> list[str]:
        """Stop the last server in order; what is left of all of them."""
        self._footprint.sample()
        status = self._server.stop()
        wrong = [f"left at the end: {count} {name}" for name, count in self._footprint.leftovers().items() if count]
        return wrong if status == 0 else [*wrong, f"the server ended with status {status}"]


def kill_rounds(count: int, seed: int, *, told: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Run ``count`` rounds; acknowledged changes by subject, and what is wrong in words. ``told``: a line a round."""
    wrong: list[str] = []
    with FireforkServer("--idle-timeout", "5") as server:
        rounds = Rounds(server, seed)
        for number in range(1, count + 1):
            found = rounds.round()
            wrong += [f"round {number}: {text}" for text in found]
            if told:
                print(
                    f"round {number}: {sum(subject.changes for subject in rounds.subjects):,} changes so far",
                    flush=True,
                )
        wrong += rounds.end()
    changes: Counter[str] = Counter()
    for subject in rounds.subjects:
        changes[type(subject).__name__.removesuffix("Subject").lower()] += subject.changes
    return {"rounds": count, "seed": seed, "acknowledged": dict(changes)}, wrong


def _show(figures: Mapping[str, Any]) -> None:
    print(", ".join(f"{name} {count:,}" for name, count in figures["acknowledged"].items()))


def run() -> None:
    end_tidily()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="how many kills; 100 without this option")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="repeats the choices of a run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if not arguments.json:
        print(f"seed {arguments.seed}, {load_average()}", flush=True)
    figures, wrong = kill_rounds(arguments.rounds, arguments.seed, told=not arguments.json)
    conclude(figures, wrong, as_json=arguments.json, show=_show)


if __name__ == "__main__":
    run()
