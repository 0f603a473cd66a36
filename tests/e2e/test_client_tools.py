"""The AWS SAM CLI and Chalice against a server: as they come from the package index, told only the endpoint."""

import json
import re

import pytest

SOURCE = "def handler(event, context):\n    print('seen', event)\n    return {'got': event}\n"


class TestSam:
    """The forms that need no stack: CloudFormation, which knows stacks, is another service."""

    def test_remote_invoke_and_logs(self, tool, make_function, arn_of):
        function = make_function(SOURCE)
        result = tool("sam", "remote", "invoke", arn_of(function.name), "--event", '{"a": 1}')
        assert json.loads(result.stdout) == {"got": {"a": 1}}
        assert re.search(r"^START RequestId: \S+ Version: \$LATEST\nseen \{'a': 1\}\nEND", result.stderr, re.MULTILINE)
        told = tool("sam", "logs", "--cw-log-group", f"/aws/lambda/{function.name}", "--filter", "seen")
        (line,) = told.stdout.splitlines()
        assert line.endswith("seen {'a': 1}")

    def test_a_name_alone_is_a_resource_of_a_stack(self, tool, make_function):
        """What Firefork does not serve is refused in words that the tool can pass on."""
        refused = tool("sam", "logs", "--stack-name", "some", code=1)
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
            return tool("chalice", *arguments, cwd=project, **options).stdout

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
