"""Clients of other makers, each in an environment of its own; functions with extensions, and what they log."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements" / "sam.lock"

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


@pytest.fixture(scope="session")
def sam_program(runtimes_dir):
    """The SAM CLI: FIREFORK_SAM, or one that is installed beside the runtimes in the versions of requirements/sam.lock.

    Its dependencies are not ours, so it cannot share our environment.
    """
    if given := os.environ.get("FIREFORK_SAM"):
        return Path(given)
    folder = runtimes_dir.parent / ".sam"
    program, installed = folder / "bin" / "sam", folder / "installed"
    with (runtimes_dir.parent / ".sam.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes of one test run may want it at once
        if not installed.exists() or installed.read_text() != LOCK.read_text():
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=False)
            uv = Path(sys.executable).with_name("uv")
            command = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-r", LOCK]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode != 0:
                pytest.skip(f"the SAM CLI cannot be installed: {result.stderr.strip()[-300:]}")
            installed.write_text(LOCK.read_text())
    return program


@pytest.fixture
def sam(sam_program, server, tmp_path):
    """Runs a command of the SAM CLI against the server; its output."""
    key, secret = server.keys()
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))},
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }

    def run(*arguments, stdin=""):
        result = subprocess.run(
            [sam_program, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env=variables,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.fixture(scope="session")
def with_extension(make_function, lambda_, zipped):
    """A function with an extension of the given code in a layer; code with a first line of its own stands alone."""

    def make(
        code, source="def handler(event, context):\n    return 'answer'\n", *, name="helper", executable=True, **options
    ):
        path = f"extensions/{name}"
        script = code if code.startswith("#!") else EXTENSION + code
        content = zipped({path: script}, executables=[path] if executable else [])
        layer = lambda_.publish_layer_version(LayerName="with-extension", Content={"ZipFile": content})
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
def environments(server):
    """How many environments the server has now."""

    def count():
        with urllib.request.urlopen(f"{server.endpoint}/_firefork/health") as answer:
            return json.loads(answer.read())["environments"]

    return count
