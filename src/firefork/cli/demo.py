"""``firefork demo``: a server of its own, real functions on every runtime, answers, logs, times, and the end."""

from __future__ import annotations

import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import botocore.session
import click
from rich.console import Console
from rich.table import Table

from firefork.cli import options
from firefork.engine.installations import Installations

_ROUNDS = 7


@click.command(hidden=True)
@options.runtimes_dir
@click.option(
    "--examples",
    envvar="FIREFORK_EXAMPLES",
    type=options.EXISTING_PATH,
    default="examples",
    help="Folder of the examples.",
)
def demo(*, runtimes_dir: Path, examples: Path) -> None:
    """Start a server on a free port, run the examples on every runtime, show what happened, and stop."""
    runtimes = [found.identifier for found in Installations(runtimes_dir).all()]
    if not runtimes:
        raise click.ClickException("no runtime is installed: run `firefork runtimes install --all`.")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="firefork-demo-") as folder:
        data_dir = Path(folder)
        command = [sys.executable, "-m", "firefork.cli.main", "up", "--port", "0", "--data-dir", folder]
        # Every runtime that is found is shown, also one that AWS has closed meanwhile.
        command += ["--runtimes-dir", str(runtimes_dir), "--allow-blocked-runtimes"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            _await_start(server, data_dir)
            client = _clients(data_dir)
            table = Table(title="first and later invokes, milliseconds at the client (median)", box=None)
            for heading in ("runtime", "first invoke", "later invokes"):
                table.add_column(heading, justify="left" if heading == "runtime" else "right")
            for runtime in runtimes:
                table.add_row(runtime, *_show_runtime(console, client, runtime, examples))
            console.print()
            console.print(table)
        finally:
            server.terminate()
            server.wait(timeout=30)
    console.print("stopped")


def _await_start(server: subprocess.Popen[str], data_dir: Path) -> None:
    assert server.stdout is not None
    for line in server.stdout:
        print(line.rstrip())
        if line.startswith("runtimes"):
            return
    raise click.ClickException(f"the server did not start on {data_dir}.")


def _clients(data_dir: Path) -> dict[str, Any]:
    session = botocore.session.Session()
    os.environ["AWS_SHARED_CREDENTIALS_FILE"] = str(data_dir / "credentials")
    endpoint = json.loads((data_dir / "server.json").read_text())["endpoint"]
    return {
        name: session.create_client(name, endpoint_url=endpoint, region_name="us-east-1") for name in ("lambda", "logs")
    }


def _zip(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".md":
                archive.write(path, path.relative_to(folder))
    return buffer.getvalue()


def _show_runtime(console: Console, client: dict[str, Any], runtime: str, examples: Path) -> tuple[str, str]:
    console.rule(runtime)
    for example in ("hello", "http_api", "caller"):
        name = f"{example}-{runtime.replace('.', '-')}"
        _create(client["lambda"], name, runtime, _zip(examples / example))
        event = json.loads((examples / example / "event.json").read_text())
        answer = client["lambda"].invoke(FunctionName=name, Payload=json.dumps(event))
        print(f"{example}: {answer['Payload'].read().decode()}")
    name = f"hello-{runtime.replace('.', '-')}"
    for event in client["logs"].filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]:
        print(f"  {event['message'].rstrip()}")
    first: list[float] = []
    later: list[float] = []
    code = _zip(examples / "hello")
    for number in range(_ROUNDS):
        fresh = f"{name}-{number}"
        _create(client["lambda"], fresh, runtime, code)
        first.append(_time_invoke(client["lambda"], fresh))
        later.extend(_time_invoke(client["lambda"], fresh) for _ in range(20))
    return f"{statistics.median(first):.1f}", f"{statistics.median(later):.1f}"


def _create(client: Any, name: str, runtime: str, code: bytes) -> None:
    client.create_function(
        FunctionName=name,
        Runtime=runtime,
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/demo",
        Code={"ZipFile": code},
        MemorySize=1769,
        Timeout=10,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})


def _time_invoke(client: Any, name: str) -> float:
    started = time.perf_counter()
    client.invoke(FunctionName=name, Payload=b"{}")["Payload"].read()
    return (time.perf_counter() - started) * 1000
