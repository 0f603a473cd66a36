"""The functions that the soak invokes: each behaves, or misbehaves, in one way, and each has one right answer."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MIB: Final = 1 << 20
BIG_MB: Final = 5
"""Of a payload; AWS's limit is 6."""
FLOOD_LINES: Final = 2_000
PARTS: Final = 40

_EXTENSION: Final = """#!/usr/bin/env python3
import http.client, json, os
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, headers, body=None):
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.headers, json.loads(answer.read())
headers, _ = call("POST", "/2020-01-01/extension/register", {"Lambda-Extension-Name": "watcher"},
                  json.dumps({"events": ["INVOKE", "SHUTDOWN"]}))
identity = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
while call("GET", "/2020-01-01/extension/event/next", identity)[1]["eventType"] != "SHUTDOWN":
    print("an event", flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an invoke came to; ``error`` is the type in the payload of a failed one, ``message`` what it says."""

    payload: Any
    error: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to behave. ``right`` says whether an answer to ``event`` is what it should be."""

    name: str
    source: str
    right: Callable[[Answer], bool]
    event: Mapping[str, Any] = field(default_factory=dict)
    weight: int = 4
    """How often it is chosen, beside the others."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Members of CreateFunction."""
    streamed: bool = False
    extension: bool = False
    snap_start: bool = False
    throttled: bool = False
    """It has a reserved concurrency of 0: every invoke is refused."""


def _says(payload: object) -> Callable[[Answer], bool]:
    return lambda answer: answer.error is None and answer.payload == payload


def _fails(error: str, message: str) -> Callable[[Answer], bool]:
    return lambda answer: answer.error == error and message in answer.message


KINDS: Final = (
    Kind(name="hello", source="def handler(event, context):\n    return 'hello'\n", right=_says("hello"), weight=20),
    Kind(
        name="boto3",
        source=(
            "import boto3\nsts = boto3.client('sts')\n"
            "def handler(event, context):\n    return sts.get_caller_identity()['Arn'].split('/')[1]\n"
        ),
        right=_says("soak"),
        weight=6,
    ),
    Kind(
        name="exception",
        source="def handler(event, context):\n    raise ValueError('as it should')\n",
        right=_fails("ValueError", "as it should"),
    ),
    Kind(
        name="exit",
        source="import os\ndef handler(event, context):\n    os._exit(3)\n",
        right=_fails("Runtime.ExitError", "exit status 3"),
    ),
    Kind(
        name="segmentation fault",
        source="import ctypes\ndef handler(event, context):\n    ctypes.string_at(0)\n",
        right=_fails("Runtime.ExitError", "segmentation fault"),
    ),
    Kind(
        name="timeout",
        source="import time\ndef handler(event, context):\n    time.sleep(60)\n",
        right=_fails("Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        weight=1,
        options={"Timeout": 1},
    ),
    Kind(
        name="out of memory",
        source="def handler(event, context):\n    return len(b'x' * (1 << 30))\n",
        right=_fails("Runtime.ExitError", "signal: killed"),
        weight=2,
        options={"MemorySize": 128},
    ),
    Kind(
        name="init fails",
        source="raise KeyError('no such luck')\n",
        right=_fails("KeyError", "no such luck"),
        weight=2,
    ),
    Kind(
        name="streaming",
        source=f"def handler(event, context):\n    for number in range({PARTS}):\n        yield 'part %d;' % number\n",
        right=_says("".join(f"part {number};" for number in range(PARTS))),
        streamed=True,
    ),
    Kind(
        name="extension",
        source="def handler(event, context):\n    return 'watched'\n",
        right=_says("watched"),
        extension=True,
    ),
    Kind(
        name="SnapStart",
        source=(
            "import os, uuid\nloaded = str(uuid.uuid4())\n"
            "def handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
        ),
        right=_says("snap-start"),
        snap_start=True,
    ),
    Kind(
        name="big payload",
        source="def handler(event, context):\n    return event['big'][::-1]\n",
        right=_says("z" + "a" * (BIG_MB * MIB)),
        event={"big": "a" * (BIG_MB * MIB) + "z"},
        weight=1,
    ),
    Kind(
        name="child processes",
        source=(
            "import subprocess\n"
            "def handler(event, context):\n"
            "    children = [subprocess.Popen(['sleep', '600'], start_new_session=True) for _ in range(3)]\n"
            "    return subprocess.run(['echo', '-n', 'done'], capture_output=True, text=True).stdout\n"
        ),
        right=_says("done"),
        weight=2,
        options={"MemorySize": 512},
    ),
    Kind(
        name="log flood",
        source=(
            f"def handler(event, context):\n    for number in range({FLOOD_LINES}):\n"
            "        print('line %d of a flood' % number)\n"
            "    return 'said'\n"
        ),
        right=_says("said"),
        weight=1,
    ),
    Kind(
        name="throttled",
        source="def handler(event, context):\n    return 'never'\n",
        right=_fails("TooManyRequestsException", "Rate Exceeded"),
        throttled=True,
        weight=2,
    ),
)


def package(source: str) -> bytes:
    """A zip of one module."""
    return _zip("app.py", source, mode=0o644)


def extension_layer() -> bytes:
    """A layer with an external extension that waits for events until the shutdown."""
    return _zip("extensions/watcher", _EXTENSION, mode=0o755)


def _zip(name: str, text: str, *, mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (0o100000 | mode) << 16
        archive.writestr(entry, text)
    return buffer.getvalue()


def answer_of(payload: bytes, failed: bool) -> Answer:
    """What the payload of an invoke says."""
    told = json.loads(payload)
    if failed:
        return Answer(payload=told, error=told.get("errorType"), message=told.get("errorMessage", ""))
    return Answer(payload=told)
