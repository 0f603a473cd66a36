"""The peer to beat: AWS's own runtime interface emulator (RIE), running the same interpreter and runtime client.

Its binary comes in the wheel of aws-sam-cli, which is fetched once into the user's cache folder. RIE starts the
function's process at the first invoke, checks no signature, isolates nothing and serves one event at a time.
Source: the repository aws/aws-lambda-runtime-interface-emulator.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import platformdirs

import peer_process
import raw_client

_PATH = "/2015-03-31/functions/function/invocations"
_MACHINES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def binary() -> Path:
    """The emulator, fetched by pip where it is not there yet. Raises RuntimeError."""
    folder = Path(platformdirs.user_cache_dir("firefork")) / "rie"
    name = f"aws-lambda-rie-{_MACHINES.get(platform.machine(), platform.machine())}"
    target = folder / name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        print("fetching aws-sam-cli for its runtime interface emulator", file=sys.stderr, flush=True)
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        fetched = subprocess.run([*fetch, "--dest", work, "aws-sam-cli"], capture_output=True, text=True, check=False)
        wheels = list(Path(work).glob("*.whl"))
        if not wheels:
            raise RuntimeError(f"aws-sam-cli cannot be fetched: {fetched.stderr.strip().splitlines()[-1:]}")
        with zipfile.ZipFile(wheels[0]) as archive:
            Path(work, name).write_bytes(archive.read(f"samcli/local/rapid/{name}"))
        Path(work, name).chmod(0o755)
        os.replace(Path(work, name), target)
    return target


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Rie:
    """One emulator with one function, started and listening; its function's process starts at the first invoke."""

    def __init__(self, source: str) -> None:
        self._source = source

    def __enter__(self) -> Rie:
        self._folder = tempfile.TemporaryDirectory(prefix="firefork-rie-")
        Path(self._folder.name, "app.py").write_text(self._source)
        port = _free_port()
        self._process = subprocess.Popen(
            [
                binary(),
                "--log-level",
                "error",
                "--runtime-interface-emulator-address",
                f"127.0.0.1:{port}",
                "--runtime-api-address",
                f"127.0.0.1:{_free_port()}",
                *peer_process.command(),
            ],
            cwd=self._folder.name,
            env=peer_process.environment(Path(self._folder.name)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.url = f"http://127.0.0.1:{port}{_PATH}"
        self.request = raw_client.prepare(self.url)
        self.connection = self._connect()
        return self

    def _connect(self) -> raw_client.Connection:
        deadline = time.monotonic() + 20
        while True:
            try:
                return raw_client.Connection(self.url)
            except ConnectionRefusedError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the runtime interface emulator did not start") from None
                time.sleep(0.002)

    def __exit__(self, *error: object) -> None:
        self.connection.close()
        self._process.terminate()  # it ends its function's process itself
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def first_invoke_ms(source: str) -> float:
    """The first invoke at a fresh emulator that is already listening."""
    with Rie(source) as rie:
        return rie.connection.time_ms(rie.request)
