"""A Firefork server of its own for one benchmark: defaults, all isolation on, signatures verified."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials

import raw_client
from firefork.engine.installations import Installation, Installations

RUNTIME = "python3.12"
RUNTIMES_DIR = Path(os.environ.get("FIREFORK_RUNTIMES_DIR", Path(__file__).resolve().parent.parent / ".runtimes"))
HELLO = "def handler(event, context):\n    return {'hello': 'world'}\n"
WITH_SDK = "import boto3\nclient = boto3.client('sts')\n" + HELLO
"""The SDK imported and a client made at module level, as most functions do."""


def installation() -> Installation:
    """The interpreter and runtime client that everybody in these benchmarks runs."""
    return Installations(RUNTIMES_DIR).find(RUNTIME)


class FireforkServer:
    """Start with ``with``; stopped and its data removed at the end."""

    def __init__(self, *options: str) -> None:
        """``options`` are further ones of ``firefork up``."""
        self._options = options
        self._numbers = itertools.count(1)

    def __enter__(self) -> FireforkServer:
        self._folder = tempfile.TemporaryDirectory(prefix="firefork-bench-")
        self.data_dir = Path(self._folder.name)
        self.start()
        return self

    def _begin(self) -> None:
        command = [sys.executable, "-m", "firefork.cli.main", "up", "--port", "0", "--data-dir", self._folder.name]
        self._process = subprocess.Popen(
            [*command, "--runtimes-dir", str(RUNTIMES_DIR), *self._options], stdout=subprocess.PIPE, text=True
        )

    def start_and_kill(self, after_s: float) -> None:
        """A start on the data folder that is cut off, most likely before the server is ready."""
        self._begin()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(after_s)
        self.kill()

    def start(self) -> None:
        """Start on the data folder: also again, once the server was killed."""
        self._begin()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("sandbox") and "namespaces" not in line:
                print(f"not comparable: {line.strip()}", file=sys.stderr)
            if line.startswith("runtimes"):
                break
        told = json.loads(Path(self._folder.name, "server.json").read_text())
        self.endpoint: str = told["endpoint"]
        self.pid: int = told["pid"]
        words = Path(self._folder.name, "credentials").read_text().split()
        self.credentials = Credentials(words[3], words[6])
        self.lambda_ = self.client("lambda")

    def client(self, service: str) -> Any:
        """A boto3 client of the server that tries everything once."""
        make: Any = boto3.client  # of any service, where its stubs know each by name
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.credentials.access_key,
            aws_secret_access_key=self.credentials.secret_key,
            config=Config(retries={"max_attempts": 0}, max_pool_connections=32),
        )

    def stop(self) -> int:
        """Stop in order; the exit status."""
        self._process.terminate()
        return self._process.wait(timeout=60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=60)

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self.stop()
        self._folder.cleanup()

    def create(self, source: str, *, wait: bool = True, **members: Any) -> str:
        """Create a function (1,769 MB: one whole processor) and wait until it is active; its name.

        ``members`` are further ones of CreateFunction.
        """
        name = f"bench-{next(self._numbers)}"
        self.lambda_.create_function(
            FunctionName=name,
            Runtime=RUNTIME,
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/bench",
            Code={"ZipFile": zip_of(source)},
            MemorySize=1769,
            Timeout=30,
            **members,
        )
        if wait:
            self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return name

    def fill(self, count: int) -> None:
        """Have ``count`` further functions, all of them active."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: self.create(HELLO, wait=False), range(count - 1)))
        self.create(HELLO)  # what had to be done for the others is done when it is active

    def publish(self, name: str) -> str:
        """Publish a version and wait until it is active; its number. Raises WaiterError when its init fails."""
        version: str = self.lambda_.publish_version(FunctionName=name)["Version"]
        waiter = self.lambda_.get_waiter("published_version_active")
        waiter.wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 0.1})
        return version

    def request(self, name: str) -> bytes:
        """A signed Invoke request; ``name`` may end with a qualifier."""
        url = f"{self.endpoint}/2015-03-31/functions/{name}/invocations"
        return raw_client.prepare(url, credentials=self.credentials)

    def cpu_s(self) -> float:
        """Seconds of processor time that the server itself has used, without its environments."""
        # clock_getcpuclockid(3): to the nanosecond, where /proc/PID/stat counts hundredths of a second.
        return time.clock_gettime((~self.pid << 3) | 2)

    def connect(self) -> raw_client.Connection:
        return raw_client.Connection(self.endpoint)

    def invoke_with_boto3(self, name: str) -> Any:
        answer = self.lambda_.invoke(FunctionName=name, Payload=b"{}")
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise RuntimeError(f"the invoke failed: {payload!r}")
        return payload


def zip_of(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()
