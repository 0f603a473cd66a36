"""Tools of other makers, each in an environment of its own; functions with extensions, functions that block."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from firefork.engine.installations import uv_binary

EXTENSION = """#!/usr/bin/env python3
import http.client, json, os, signal, sys, time

NAME = os.path.basename(__file__)
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, headers=(), body=None):
    connection.request(method, path, body=body, headers=dict(headers))
    answer = connection.getresponse()
    return answer, answer.read()


def tell(*words):
    print(NAME, *words, flush=True)


def register(events=("INVOKE", "SHUTDOWN"), **headers):
    answer, body = call("POST", "/2020-01-01/extension/register",
                        {"Lambda-Extension-Name": NAME, **headers}, json.dumps({"events": list(events)}))
    assert answer.status == 200, body
    return answer.headers["Lambda-Extension-Identifier"], json.loads(body)


def next_event(identifier):
    answer, body = call("GET", "/2020-01-01/extension/event/next", {"Lambda-Extension-Identifier": identifier})
    assert answer.status == 200, body
    return json.loads(body)

"""


GATED = """
# function {name}
import os, uuid
ROOT = os.environ["LAMBDA_TASK_ROOT"]
IDENTITY = uuid.uuid4().hex
BALLAST = b"x" * ({ballast_mb} * 1024 * 1024)

def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    if not event.get("pass"):
        with open(ROOT + "/arrived", "wb", buffering=0) as arrived, open(ROOT + "/gate", "rb", buffering=0) as gate:
            arrived.write(b".")
            gate.read(1)
    return {{"who": IDENTITY, "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]}}
"""


PACKAGES = {"sam": "aws-sam-cli==1.170.0", "chalice": "chalice==1.34.0"}
"""What programs come from."""


def installed(package, runtimes_dir):
    """The folder with a package's programs, made at the first run and kept beside the runtimes.

    In a virtual environment of its own: these packages pin versions of what Firefork uses too.
    """
    home = Path(runtimes_dir) / ".test-packages" / package.replace("==", "-")
    if not (home / "bin").exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        made = home.with_name(f"{home.name}.{os.getpid()}")
        # Relocatable: it moves to its place when it is whole, for other test processes may be at the same.
        command = [uv_binary(), "venv", "--quiet", "--relocatable", "--python", sys.executable, made]
        subprocess.run(command, check=True)
        install = [uv_binary(), "pip", "install", "--quiet", "--python", made / "bin" / "python", package]
        subprocess.run(install, check=True)
        try:
            made.rename(home)
        except OSError:  # another process was first
            shutil.rmtree(made)
    return home / "bin"


@pytest.fixture
def tool(server, runtimes_dir, tmp_path):
    """Runs a program of PACKAGES in an empty home, told only the endpoint; its result."""

    def run(program, *arguments, code=0, **options):
        key, secret = server.keys()
        programs = installed(PACKAGES[program], runtimes_dir)
        variables = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "SAM_CLI_TELEMETRY": "0",
        }
        result = subprocess.run(
            [programs / program, *arguments],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **options,
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result

    return run


@pytest.fixture(scope="session")
def with_extension(make_function, lambda_, zipped):
    """A function with an extension of the given code in a layer; code with a first line of its own stands alone."""

    def make(
        code,
        source="def handler(event, context):\n    return 'answer'\n",
        *,
        name="helper",
        executable=True,
        programs=(),
        **options,
    ):
        """``programs``: further executables of the layer, path and text."""
        path = f"extensions/{name}"
        script = code if code.startswith("#!") else EXTENSION + code
        files = {path: script, **dict(programs)}
        content = zipped(files, executables=files if executable else [])
        client = options.get("client", lambda_)
        layer = client.publish_layer_version(LayerName="with-extension", Content={"ZipFile": content})
        return make_function(source, Layers=[layer["LayerVersionArn"]], **options)

    return make


@pytest.fixture(scope="session")
def ended(eventually):
    """All messages of a function, once ``text`` is among them."""

    def wait(function, text):
        eventually(lambda: any(text in message for message in function.messages()))
        return function.messages()

    return wait


@pytest.fixture(scope="session")
def published(lambda_):
    """Publishes a function's first version unless that was done, and waits until it is active; its configuration."""

    def wait(function):
        if not any(
            version["Version"] == "1"
            for version in lambda_.list_versions_by_function(FunctionName=function.name)["Versions"]
        ):
            lambda_.publish_version(FunctionName=function.name)
        waiter = lambda_.get_waiter("published_version_active")
        waiter.wait(FunctionName=function.name, Qualifier="1", WaiterConfig={"Delay": 0.1})
        return lambda_.get_function_configuration(FunctionName=function.name, Qualifier="1")

    return wait


@pytest.fixture(scope="session")
def environments(server):
    """How many environments the server has now."""

    def count():
        with urllib.request.urlopen(f"{server.endpoint}/_firefork/health") as answer:
            return json.loads(answer.read())["environments"]

    return count


@pytest.fixture(scope="session")
def code_folder():
    """Where the server keeps the unpacked package: what is put there, a function sees in its task root."""

    def find(server, client, function):
        digest = client.get_function(FunctionName=function.name)["Configuration"]["CodeSha256"]
        return server.data_dir / "code" / base64.b64decode(digest).hex()

    return find


class Gate:
    """Two pipes in the function's code folder: it says that it arrived, and waits until it is let go."""

    def __init__(self, folder):
        self._ends = []
        for name in ("arrived", "gate"):
            os.mkfifo(folder / name)
            (folder / name).chmod(0o666)
            # Open for both, so that neither side's open has to wait for the other.
            self._ends.append(os.open(folder / name, os.O_RDWR | os.O_NONBLOCK))

    def wait_for(self, count, limit_s=60):
        """Until so many invokes are running."""
        deadline = time.monotonic() + limit_s
        while count:
            ready, _, _ = select.select([self._ends[0]], [], [], deadline - time.monotonic())
            assert ready, f"{count} invokes did not arrive"
            count -= len(os.read(self._ends[0], count))

    def let_go(self, count):
        os.write(self._ends[1], b"." * count)

    def close(self):
        for end in self._ends:
            os.close(end)


@pytest.fixture
def make_gate(code_folder):
    """Makes the gate of a function; no other function may have the same code."""
    with contextlib.ExitStack() as stack:

        def make(server, client, function):
            gate = Gate(code_folder(server, client, function))
            stack.callback(gate.close)
            stack.callback(gate.let_go, 32)  # a test that fails leaves nobody waiting
            return gate

        yield make


@pytest.fixture
def gated(make_function, make_gate, request):
    """Makes functions that block, with the gate of each; invokes them from other threads."""
    with contextlib.ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(32))

        def make(server, client, *, ballast_mb=0, **options):
            source = GATED.format(name=f"{request.node.name} {len(made)}", ballast_mb=ballast_mb)
            options = {"Timeout": 30, "client": client, "logs_client": server.client("logs"), **options}
            function = make_function(source, **options)
            gate = make_gate(server, client, function)
            stack.callback(gate.let_go, 32)  # before the threads are waited for
            made.append(function)
            function.gate = gate
            function.begin = lambda **more: threads.submit(function, **more)
            return function

        made = []
        yield make
