"""A server under everything at once for a long time: right answers throughout, flat memory, nothing left at the end.

Several clients invoke functions that answer, fail, crash, hang, eat memory, stream, leave processes behind and flood
their logs, while others change, publish, create and delete functions. Every answer is compared with the one right
answer. Before and after that, with all functions deleted, the server's memory, descriptors and processes are compared;
while it runs, control groups without processes and unburied processes are looked for; and when it has stopped,
nothing of it may be left on the machine. Exits with 1 when anything is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from firefork_server import RUNTIME, FireforkServer
from footprint import Footprint, Sample
from measurement import conclude, end_tidily, load_average
from soak_functions import KINDS, Answer, Kind, answer_of, extension_layer, package

_ROLE: Final = "arn:aws:iam::000000000000:role/soak"
_CLIENTS: Final = 6
_OPTIONS: Final = ("--idle-timeout", "8", "--init-limit", "10")
"""Environments come and go within seconds, so that there are many ends."""
_SAMPLE_EVERY_S: Final = 2.0
_WARM_UP_S: Final = 20.0
_SETTLE_S: Final = 60.0
_ALLOWED_GROWTH_MB: Final = 12.0
_ALLOWED_GROWTH: Final = 0.10
_SPARE_DESCRIPTORS: Final = 12
"""Connections that a client pool or the database keeps, more or fewer."""


class Tally:
    """What was asked, and what went wrong; for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.right: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []

    def count(self, name: str, problem: str | None) -> None:
        """``problem`` is ``None`` for what went as it should."""
        with self._lock:
            if problem is None:
                self.right[name] += 1
                return
            self.wrong[name] += 1
            if self.wrong[name] <= 3:
                self.examples.append(f"{name}: {problem}")

    def perform(self, name: str, step: Callable[[], str | None]) -> None:
        """Count one step, whose answer is what went wrong; an exception did, too."""
        try:
            self.count(name, step())
        except Exception:  # whatever it is, it is the finding
            self.count(name, traceback.format_exc(limit=-3))


class Soak:
    """The functions of one server, and what is done to them."""

    def __init__(self, server: FireforkServer, tally: Tally) -> None:
        self._lambda = server.lambda_
        self._logs = server.client("logs")
        self._tally = tally
        self._targets: dict[str, dict[str, str]] = {}

    # ---- functions

    def create_all(self) -> None:
        layer = self._lambda.publish_layer_version(LayerName="watcher", Content={"ZipFile": extension_layer()})
        for kind in KINDS:
            name = "soak-" + kind.name.replace(" ", "-")
            options = dict(kind.options)
            if kind.extension:
                options["Layers"] = [layer["LayerVersionArn"]]
            if kind.snap_start:
                options["SnapStart"] = {"ApplyOn": "PublishedVersions"}
            self.create(name, kind.source, **options)
            self._targets[kind.name] = {"FunctionName": name}
            if kind.snap_start:
                self._targets[kind.name]["Qualifier"] = self.publish(name)
            if kind.throttled:
                self._lambda.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)

    def delete_all(self) -> None:
        """Every function, layer and log group of the server."""
        for page in self._lambda.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                self._lambda.delete_function(FunctionName=function["FunctionName"])
        for version in self._lambda.list_layer_versions(LayerName="watcher")["LayerVersions"]:
            self._lambda.delete_layer_version(LayerName="watcher", VersionNumber=version["Version"])
        for page in self._logs.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                self._logs.delete_log_group(logGroupName=group["logGroupName"])

    def create(self, name: str, source: str, **options: Any) -> None:
        self._lambda.create_function(
            FunctionName=name,
            Code={"ZipFile": package(source)},
            **{
                "Runtime": RUNTIME,
                "Role": _ROLE,
                "Handler": "app.handler",
                "MemorySize": 256,
                "Timeout": 20,
                **options,
            },
        )
        self._lambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})

    def publish(self, name: str) -> str:
        version: str = self._lambda.publish_version(FunctionName=name)["Version"]
        self._lambda.get_waiter("published_version_active").wait(
            FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.1}
        )
        return version

    # ---- what clients do

    def invoke_any(self, chance: random.Random) -> None:
        (kind,) = chance.choices(KINDS, [kind.weight for kind in KINDS])
        self.invoke(kind)

    def invoke(self, kind: Kind) -> None:
        def step() -> str | None:
            answer = self._answer(self._targets[kind.name], kind)
            return None if kind.right(answer) else f"{str(answer)[:300]}"

        self._tally.perform(kind.name, step)

    def _answer(self, target: dict[str, str], kind: Kind) -> Answer:
        payload = json.dumps(dict(kind.event))
        if kind.streamed:
            stream = self._lambda.invoke_with_response_stream(**target, Payload=payload)["EventStream"]
            parts = [event["PayloadChunk"]["Payload"] for event in stream if "PayloadChunk" in event]
            return Answer(payload=b"".join(parts).decode())
        try:
            answer = self._lambda.invoke(**target, Payload=payload)
        except ClientError as error:
            if not kind.throttled:
                raise
            return Answer(payload=None, error=error.response["Error"]["Code"], message=str(error))
        return answer_of(answer["Payload"].read(), "FunctionError" in answer)

    def change_code(self, number: int) -> None:
        """A function's code says its number, and the next invoke after the update says it, too."""

        def step() -> str | None:
            self._lambda.update_function_code(FunctionName="changing", ZipFile=package(_numbered(number)))
            self._wait_updated("changing")
            said = self._say("changing")
            return None if said == [number, str(number - 1)] else f"{said} after code {number}"

        self._tally.perform("change of code", step)

    def change_configuration(self, number: int) -> None:
        def step() -> str | None:
            self._lambda.update_function_configuration(
                FunctionName="changing",
                Environment={"Variables": {"NUMBER": str(number)}},
                MemorySize=128 + number % 64,
            )
            self._wait_updated("changing")
            said = self._say("changing")
            return None if said == [number, str(number)] else f"{said} after configuration {number}"

        self._tally.perform("change of configuration", step)

    def live_and_die(self, name: str) -> None:
        """A function's whole life: created, invoked, published, invoked by an alias, deleted, and then unknown."""

        def step() -> str | None:
            self.create(name, _numbered(1), Environment={"Variables": {"NUMBER": "1"}})
            said = [self._say(name)]
            version = self.publish(name)
            self._lambda.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
            said.append(self._say(name, Qualifier="live"))
            self._lambda.delete_function(FunctionName=name)
            try:
                said.append(self._say(name))
            except self._lambda.exceptions.ResourceNotFoundException:
                said.append("gone")
            return None if said == [[1, "1"], [1, "1"], "gone"] else str(said)

        self._tally.perform("whole life", step)

    def _say(self, name: str, **target: str) -> Any:
        answer = self._lambda.invoke(FunctionName=name, **target)
        payload = answer["Payload"].read()
        return json.loads(payload) if "FunctionError" not in answer else payload.decode()

    def _wait_updated(self, name: str) -> None:
        self._lambda.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})

    # ---- together

    def run(self, until_s: float) -> None:
        """All clients at once until the moment of the monotonic clock."""

        def client(seed: int) -> None:
            chance = random.Random(seed)
            while time.monotonic() < until_s:
                self.invoke_any(chance)

        def changer() -> None:
            self.create("changing", _numbered(0), Environment={"Variables": {"NUMBER": "0"}})
            number = 0
            while time.monotonic() < until_s:
                number += 1
                self.change_code(number)
                self.change_configuration(number)

        def creator(which: int) -> None:
            number = 0
            while time.monotonic() < until_s:
                number += 1
                self.live_and_die(f"brief-{which}-{number}")

        with ThreadPoolExecutor(_CLIENTS + 3) as pool:
            running = [pool.submit(client, seed) for seed in range(_CLIENTS)]
            running += [pool.submit(changer), pool.submit(creator, 1), pool.submit(creator, 2)]
        for one in running:
            one.result()


def _numbered(number: int) -> str:
    return f"import os\ndef handler(event, context):\n    return [{number}, os.environ['NUMBER']]\n"


class Watch:
    """Samples in a thread from construction to ``stop``; what should never be seen twice in a row is a finding."""

    def __init__(self, footprint: Footprint) -> None:
        self._footprint = footprint
        self._ended = threading.Event()
        self.samples: list[Sample] = []
        self.findings: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        before: list[Sample] = []
        while not self._ended.wait(_SAMPLE_EVERY_S):
            sample = self._footprint.sample()
            self.samples.append(sample)
            before = [*before[-2:], sample]
            if len(before) == 3:
                self.findings |= {
                    f"a control group without processes: {name}" for name in _always("empty_groups", before)
                }
                self.findings |= {f"an unburied process: {pid}" for pid in _always("zombies", before)}

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()


def _always(name: str, samples: Sequence[Sample]) -> frozenset[Any]:
    return frozenset.intersection(*(getattr(sample, name) for sample in samples))


def _at_rest(footprint: Footprint, expected: Sample | None) -> Sample:
    """The server without functions: once two looks agree, and as few as ``expected`` if that comes within the limit."""
    deadline = time.monotonic() + _SETTLE_S
    before = footprint.sample()
    while True:
        time.sleep(_SAMPLE_EVERY_S)
        now = footprint.sample()
        same = (now.processes, now.groups, now.links) == (before.processes, before.groups, before.links)
        if time.monotonic() > deadline or (same and (expected is None or not _more_than(expected, now))):
            return now
        before = now


def _more_than(before: Sample, after: Sample) -> dict[str, str]:
    """What there is more of, though all functions are gone again."""
    found = {}
    for name in ("processes", "groups", "links"):
        if getattr(after, name) > getattr(before, name):
            found[name] = f"{getattr(before, name)} before, {getattr(after, name)} after"
    if after.descriptors > before.descriptors + _SPARE_DESCRIPTORS:
        found["descriptors"] = f"{before.descriptors} before, {after.descriptors} after"
    return found


def _growth(samples: Sequence[Sample]) -> tuple[float, float]:
    """Median of the anonymous memory in the second and in the last quarter of the samples, in MiB."""
    quarter = len(samples) // 4
    second, last = samples[quarter : 2 * quarter], samples[-quarter:]
    return (
        statistics.median(sample.anonymous_mb for sample in second),
        statistics.median(sample.anonymous_mb for sample in last),
    )


def soak(minutes: float) -> tuple[dict[str, Any], list[str]]:
    """Run it; the figures, and what is wrong in words."""
    tally = Tally()
    with FireforkServer(*_OPTIONS) as server:
        footprint = Footprint(server.pid, server.data_dir)
        one = Soak(server, tally)
        # Threads, connections and caches that a busy server has and keeps are there before anything is compared.
        one.create_all()
        for kind in KINDS:
            one.invoke(kind)
        one.run(time.monotonic() + _WARM_UP_S)
        one.delete_all()
        before = _at_rest(footprint, None)
        watch = Watch(footprint)
        one.create_all()
        started = time.monotonic()
        one.run(started + minutes * 60)
        elapsed_s = time.monotonic() - started
        watch.stop()
        one.delete_all()
        after = _at_rest(footprint, before)
        status = server.stop()
        left = footprint.leftovers()
    wrong = list(tally.examples)
    wrong += [f"{name} after all functions were deleted: {text}" for name, text in _more_than(before, after).items()]
    wrong += sorted(watch.findings)
    wrong += [f"left at the end: {count} {name}" for name, count in left.items() if count]
    if status != 0:
        wrong.append(f"the server ended with status {status}")
    second, last = _growth(watch.samples)
    if last > second * (1 + _ALLOWED_GROWTH) + _ALLOWED_GROWTH_MB:
        wrong.append(
            f"the server's memory grew from {second:.1f} to {last:.1f} MiB between the second and last quarter"
        )
    figures = {
        "minutes": round(elapsed_s / 60, 2),
        "steps": {name: [tally.right[name], tally.wrong[name]] for name in sorted(tally.right | tally.wrong)},
        "steps_a_second": round((tally.right.total() + tally.wrong.total()) / elapsed_s, 1),
        "memory_mb": {
            "before": round(before.anonymous_mb, 1),
            "second_quarter": round(second, 1),
            "last_quarter": round(last, 1),
            "after": round(after.anonymous_mb, 1),
        },
        "descriptors": {
            "before": before.descriptors,
            "most": max(sample.descriptors for sample in watch.samples),
            "after": after.descriptors,
        },
        "threads": {"before": before.threads, "after": after.threads},
        "most_environments": max(sample.groups for sample in watch.samples),
        "left": left,
    }
    return figures, wrong


def _show(figures: Mapping[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading, justify in (("steps", "left"), ("as they should be", "right"), ("not", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for name, (right, wrong) in figures["steps"].items():
        table.add_row(name, f"{right:,}", f"{wrong:,}")
    console = Console(width=120)
    console.print(table)
    for name in ("minutes", "steps_a_second", "memory_mb", "descriptors", "threads", "most_environments", "left"):
        value = figures[name]
        text = ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, dict) else str(value)
        console.print(f"{name.replace('_', ' ')}: {text}", highlight=False)


def run() -> None:
    end_tidily()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="how long; 30 without this option")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if not arguments.json:
        print(load_average(), flush=True)
    figures, wrong = soak(arguments.minutes)
    conclude(figures, wrong, as_json=arguments.json, show=_show)


if __name__ == "__main__":
    run()
