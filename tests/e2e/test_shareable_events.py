"""Lambda's shareable test events, as the SAM CLI keeps them in EventBridge's schema registry."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from firefork.engine.installations import uv_binary

SAM = "aws-sam-cli==1.170.0"
SOURCE = "def handler(event, context):\n    return {'got': event}\n"


@pytest.fixture(scope="session")
def sam_program(runtimes_dir):
    """The SAM CLI, made at the first run and kept beside the runtimes."""
    home = runtimes_dir / ".test-packages" / SAM.replace("==", "-")
    if not (home / "bin").exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        # Relocatable: it moves to its place when it is whole, for other test processes may be at the same.
        made = home.with_name(f"{home.name}.{os.getpid()}")
        venv = [uv_binary(), "venv", "--quiet", "--relocatable", "--python", sys.executable, made]
        subprocess.run(venv, check=True)
        install = [uv_binary(), "pip", "install", "--quiet", "--python", made / "bin" / "python", SAM]
        subprocess.run(install, check=True)
        try:
            made.rename(home)
        except OSError:  # another process was first
            shutil.rmtree(made)
    return home / "bin" / "sam"


@pytest.fixture
def sam(sam_program, server, tmp_path):
    """Runs a command of the SAM CLI against the server, in an empty home; its output."""
    key, secret = server.keys()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.endpoint,
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


class TestSam:
    def test_puts_lists_gets_invokes_and_deletes_events(self, sam, make_function, server, tmp_path):
        """By the function's ARN; a plain name is looked up in a CloudFormation stack, which there is none of."""
        function = make_function(SOURCE)
        arn = function.client.get_function(FunctionName=function.name)["Configuration"]["FunctionArn"]
        first = {"name": "you", "detail": {"count": 3}}
        assert "completed successfully" in sam(
            *("remote", "test-event", "put", arn, "--name", "first", "--file", "-"), stdin=json.dumps(first)
        )
        sam("remote", "test-event", "put", arn, "--name", "second", "--file", "-", stdin='{"name": "me"}')
        assert sam("remote", "test-event", "list", arn).split() == ["first", "second"]
        assert json.loads(sam("remote", "test-event", "get", arn, "--name", "first")) == first
        answer = sam("remote", "invoke", arn, "--test-event-name", "second")
        assert json.loads(answer) == {"got": {"name": "me"}}
        sam("remote", "test-event", "delete", arn, "--name", "first")

        schemas = server.client("schemas")
        registry, schema = "lambda-testevent-schemas", f"_{function.name}-schema"
        kept = json.loads(schemas.describe_schema(RegistryName=registry, SchemaName=schema)["Content"])
        assert list(kept["components"]["examples"]) == ["second"]
        assert kept["components"]["schemas"]["Event"]["required"] == ["name", "detail"]
