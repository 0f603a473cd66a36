"""The AWS SAM CLI and Chalice against a server: as they come from the package index, told only the endpoint.

Each tool lives in a virtual environment of its own, made at the first run and kept beside the runtimes, since both pin
versions of what Firefork uses too.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from firefork.engine.installations import uv_binary

SAM = "aws-sam-cli==1.170.0"
CHALICE = "chalice==1.34.0"
SOURCE = "def handler(event, context):\n    print('seen', event)\n    return {'got': event}\n"


def installed(package, runtimes_dir):
    """The folder with a package's programs."""
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
    """Runs a program of a package in an empty home; its result."""

    def run(package, program, *arguments, code=0, **options):
        key, secret = server.keys()
        programs = installed(package, runtimes_dir)
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


class TestSam:
    """The forms that need no stack: CloudFormation, which knows stacks, is another service."""

    def test_remote_invoke_and_logs(self, tool, make_function, arn_of):
        function = make_function(SOURCE)
        result = tool(SAM, "sam", "remote", "invoke", arn_of(function.name), "--event", '{"a": 1}')
        assert json.loads(result.stdout) == {"got": {"a": 1}}
        assert re.search(r"^START RequestId: \S+ Version: \$LATEST\nseen \{'a': 1\}\nEND", result.stderr, re.MULTILINE)
        told = tool(SAM, "sam", "logs", "--cw-log-group", f"/aws/lambda/{function.name}", "--filter", "seen")
        (line,) = told.stdout.splitlines()
        assert line.endswith("seen {'a': 1}")

    def test_a_name_alone_is_a_resource_of_a_stack(self, tool, make_function):
        """What Firefork does not serve is refused in words that the tool can pass on."""
        refused = tool(SAM, "sam", "logs", "--stack-name", "some", code=1)
        assert "Firefork does not serve the service 'cloudformation'." in refused.stderr


class TestChalice:
    APPLICATION = """
import os
from chalice import Chalice

app = Chalice(app_name="pure")

@app.lambda_function(name="times")
def times(event, context):
    print("multiplying")
    return event["n"] * int(os.environ["FACTOR"])
"""

    def test_deploys_updates_invokes_and_deletes(self, tool, lambda_, server, tmp_path):
        """A role with its policy, a function with options, its second deployment, and the end of both."""
        project = tmp_path / "pure"
        (project / ".chalice").mkdir(parents=True)
        (project / "app.py").write_text(self.APPLICATION)
        (project / "requirements.txt").write_text("")

        def chalice(*arguments, **options):
            return tool(CHALICE, "chalice", *arguments, cwd=project, **options).stdout

        def configure(factor, memory):
            options = {"environment_variables": {"FACTOR": factor}, "lambda_memory_size": memory, "tags": {"team": "a"}}
            stages = {"dev": {**options, "reserved_concurrency": 2}}
            config = {"version": "2.0", "app_name": "pure", "stages": stages}
            (project / ".chalice" / "config.json").write_text(json.dumps(config))

        configure("2", 128)
        assert "Creating lambda function: pure-dev-times" in chalice("deploy")
        assert chalice("invoke", "--name", "times", input='{"n": 21}') == "42\n"
        configure("3", 256)
        assert "Updating lambda function: pure-dev-times" in chalice("deploy")
        assert chalice("invoke", "--name", "times", input='{"n": 21}') == "63\n"
        assert "multiplying" in chalice("logs", "--name", "times")

        shown = lambda_.get_function(FunctionName="pure-dev-times")
        assert shown["Configuration"]["MemorySize"] == 256
        assert shown["Concurrency"] == {"ReservedConcurrentExecutions": 2}
        assert shown["Tags"]["team"] == "a"
        iam = server.client("iam")
        assert iam.list_role_policies(RoleName="pure-dev")["PolicyNames"] == ["pure-dev"]

        assert "Deleting IAM role: pure-dev" in chalice("delete")
        assert "pure-dev" not in [role["RoleName"] for role in iam.list_roles()["Roles"]]
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.get_function(FunctionName="pure-dev-times")
