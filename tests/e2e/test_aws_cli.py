"""A session of the AWS CLI, as a user types it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

AWS = Path(sys.executable).with_name("aws")
README = Path(__file__).resolve().parents[2] / "README.md"
FIRST = """
def handler(event, context):
    print("greeting", event["name"])
    return {"greeting": "Hello, " + event["name"] + "!"}
"""
SECOND = "def handler(event, context):\n    return 'second'\n"


@pytest.fixture
def variables(firefork_exports, tmp_path):
    """A user's environment with nothing of AWS in it but what ``firefork env`` prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept["PATH"] = f"{AWS.parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "HOME": str(tmp_path), "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true", **firefork_exports}


@pytest.fixture
def aws(variables, tmp_path):
    """Runs an AWS CLI command; its output, or what it says when it ends with ``code``."""

    def run(*arguments, code=0):
        result = subprocess.run(
            [AWS, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env=variables,
        )
        assert result.returncode == code, result.stderr
        return result.stdout if code == 0 else result.stderr

    return run


@pytest.fixture(scope="module")
def firefork_exports(server):
    """What ``eval "$(firefork env)"`` sets."""
    command = [sys.executable, "-m", "firefork.cli.main", "env", "--data-dir", server.data_dir]
    script = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in script.splitlines():
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            found[name] = value.strip("'")
    return found


class TestSession:
    def test_a_function_from_its_creation_to_its_end(self, aws, zipped, tmp_path):
        """create, wait, invoke with a log tail, filter logs, update, publish, delete."""
        (tmp_path / "first.zip").write_bytes(zipped({"app.py": FIRST}))
        (tmp_path / "second.zip").write_bytes(zipped({"app.py": SECOND}))
        created = json.loads(
            aws(
                *("lambda", "create-function", "--function-name", "hello", "--runtime", "python3.12"),
                *("--handler", "app.handler", "--role", "arn:aws:iam::000000000000:role/hello"),
                *("--zip-file", "fileb://first.zip"),
            )
        )
        assert created["State"] == "Pending"
        assert created["FunctionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:hello"

        assert aws("lambda", "wait", "function-active-v2", "--function-name", "hello") == ""
        tail = aws(
            *("lambda", "invoke", "--function-name", "hello", "--payload", '{"name": "you"}', "--log-type", "Tail"),
            *("--query", "LogResult", "--output", "text", "answer.json"),
        )
        assert json.loads((tmp_path / "answer.json").read_text()) == {"greeting": "Hello, you!"}
        decoded = subprocess.run(["base64", "--decode"], input=tail, capture_output=True, text=True, check=True).stdout
        lines = decoded.splitlines()
        assert lines[0].startswith("START RequestId: ")
        assert "greeting you" in lines
        assert lines[-1].startswith("REPORT RequestId: ")

        found = aws(
            *("logs", "filter-log-events", "--log-group-name", "/aws/lambda/hello"),
            *("--filter-pattern", "greeting", "--query", "events[].message", "--output", "text"),
        )
        assert found.strip() == "greeting you"

        updated = json.loads(
            aws("lambda", "update-function-code", "--function-name", "hello", "--zip-file", "fileb://second.zip")
        )
        assert updated["LastUpdateStatus"] == "InProgress"
        assert updated["CodeSha256"] != created["CodeSha256"]
        aws("lambda", "wait", "function-updated-v2", "--function-name", "hello")
        published = json.loads(aws("lambda", "publish-version", "--function-name", "hello"))
        assert published["Version"] == "1"
        assert published["CodeSha256"] == updated["CodeSha256"]
        said = json.loads(aws("lambda", "invoke", "--function-name", "hello", "--qualifier", "1", "answer.json"))
        assert said == {"StatusCode": 200, "ExecutedVersion": "1"}
        assert (tmp_path / "answer.json").read_text() == '"second"'

        aws("lambda", "delete-function", "--function-name", "hello")
        # Version 1 of the AWS CLI ends with 255 when a service refuses; version 2 would with 254.
        gone = aws("lambda", "get-function", "--function-name", "hello", code=255)
        assert "(ResourceNotFoundException)" in gone
        assert "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello" in gone


class TestReadme:
    def test_the_first_function_works_as_it_is_printed(self, variables, tmp_path):
        """The block of the README, typed into a shell."""
        script = re.search(r"```sh\n(.*?)```", README.read_text(), re.DOTALL)[1]
        session = subprocess.run(
            ["sh", "-e", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env=variables,
        )
        assert session.returncode == 0, session.stderr
        assert '{"greeting": "Hello, you!"}' in session.stdout
        assert "greeting you\n" in session.stdout
