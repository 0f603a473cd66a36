"""``firefork env``: exports for a shell's ``eval``."""

import os
import subprocess
import sys

ASK = "import boto3; c = boto3.client('sts'); print(c.get_caller_identity()['Arn'], c.meta.region_name)"


class TestEnv:
    def test_points_every_aws_tool_at_the_server(self, server):
        """After eval, boto3 needs nothing else, and a session or profile that was set before does not disturb."""
        python = sys.executable
        script = f'eval "$({python} -m firefork.cli.main env --data-dir "$DATA")" && exec {python} -c "{ASK}"'
        variables = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        disturbing = {"AWS_SESSION_TOKEN": "old", "AWS_PROFILE": "work", "DATA": str(server.data_dir)}
        answer = subprocess.run(
            ["sh", "-c", script], capture_output=True, text=True, check=False, env={**variables, **disturbing}
        )
        assert answer.stdout == "arn:aws:iam::000000000000:root us-east-1\n", answer.stderr

    def test_takes_the_folder_from_its_variable(self, server, firefork):
        result = firefork("env", environment={"FIREFORK_DATA_DIR": str(server.data_dir)})
        assert f"export AWS_ENDPOINT_URL={server.endpoint}\n" in result.stdout

    def test_a_folder_without_a_server(self, firefork, refused, tmp_path):
        said = refused(firefork("env", "--data-dir", tmp_path), 1)
        assert said == (
            f"{tmp_path} has no credentials: start the server once with `firefork up --data-dir {tmp_path}`."
        )

    def test_a_stopped_and_a_killed_server(self, start_server, firefork, refused, tmp_path):
        """A killed server cannot remove the file that says where it is; nobody is pointed at it all the same."""
        said = f"no server runs on {tmp_path}: start it with `firefork up --data-dir {tmp_path}`."
        start_server(tmp_path).stop()
        assert refused(firefork("env", "--data-dir", tmp_path), 1) == said
        killed = start_server(tmp_path)
        killed.process.kill()
        killed.process.wait()
        assert (tmp_path / "server.json").exists()
        assert refused(firefork("env", "--data-dir", tmp_path), 1) == said
