"""StartLiveTail: a function's log while it runs, through boto3 and the AWS CLI."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

AWS = Path(sys.executable).with_name("aws")
SOURCE = "def handler(event, context):\n    print('hello', event['name'])\n    return 1\n"


@pytest.fixture(scope="module")
def direct(server):
    """A client that leaves the host of the endpoint as it is."""
    return server.client("logs", config=Config(inject_host_prefix=False, retries={"max_attempts": 0}))


@pytest.fixture(scope="module")
def tailed(make_function, logs):
    """A function that ran before, so that there is a log group; the group's ARN."""
    function = make_function(SOURCE)
    function({"name": "before"})
    (group,) = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function.name}")["logGroups"]
    return function, group["logGroupArn"]


def results(stream):
    """The events of the updates, as they come."""
    for event in stream:
        yield from event.get("sessionUpdate", {}).get("sessionResults", [])


class TestStartLiveTail:
    def test_shows_what_is_logged_from_now_on(self, direct, tailed):
        function, arn = tailed
        answer = direct.start_live_tail(logGroupIdentifiers=[arn], logEventFilterPattern="hello")
        stream = answer["responseStream"]
        start = next(iter(stream))["sessionStart"]
        assert start["logGroupIdentifiers"] == [arn]
        assert start["logEventFilterPattern"] == "hello"
        function({"name": "you"})
        found = next(results(stream))
        assert found["message"] == "hello you\n"
        assert found["logGroupIdentifier"] == f"000000000000:/aws/lambda/{function.name}"
        assert found["logStreamName"] in {
            each["logStreamName"]
            for each in direct.describe_log_streams(logGroupName=f"/aws/lambda/{function.name}")["logStreams"]
        }
        assert 0 <= found["ingestionTime"] - found["timestamp"] < 60_000
        stream.close()

    def test_an_account_has_fifteen_sessions_and_one_that_is_left_ends(self, direct, tailed, eventually):
        _, arn = tailed
        open_ones = []

        def opened():
            try:
                open_ones.append(direct.start_live_tail(logGroupIdentifiers=[arn])["responseStream"])
            except direct.exceptions.LimitExceededException:
                return False
            return True

        while opened():
            assert len(open_ones) <= 15
        open_ones.pop().close()
        eventually(opened)
        for stream in open_ones:
            stream.close()

    def test_a_pattern_that_needs_quotes(self, direct, tailed):
        """As published in DefangLabs/defang#1008."""
        with pytest.raises(direct.exceptions.InvalidParameterException) as refusal:
            direct.start_live_tail(logGroupIdentifiers=[tailed[1]], logEventFilterPattern='""')
        message = refusal.value.response["Error"]["Message"]
        assert message == "Invalid filter pattern: Invalid character(s) in term '\"\"'"

    @pytest.mark.parametrize(
        ("members", "code"),
        [
            ({"logGroupIdentifiers": ["/aws/lambda/name"]}, "InvalidParameterException"),
            (
                {"logGroupIdentifiers": ["arn:aws:logs:us-east-1:000000000000:log-group:/no"]},
                "ResourceNotFoundException",
            ),
            ({"logStreamNames": ["a"], "logStreamNamePrefixes": ["b"]}, "InvalidParameterException"),
            ({"logEventFilterPattern": "{ $.a = }"}, "InvalidParameterException"),
        ],
    )
    def test_refuses(self, direct, tailed, members, code):
        with pytest.raises(ClientError) as refusal:
            direct.start_live_tail(**{"logGroupIdentifiers": [tailed[1]], **members})
        assert refusal.value.response["Error"]["Code"] == code

    def test_the_aws_cli_shows_it_too(self, server, tailed, eventually):
        """With what ``firefork env`` exports: the CLI would put "stream-" before the host else."""
        function, arn = tailed
        env = subprocess.run(
            [sys.executable, "-m", "firefork.cli.main", "env", "--data-dir", server.data_dir],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        exports = dict(line.removeprefix("export ").split("=", 1) for line in env.splitlines() if "=" in line)
        variables = {**os.environ, **{name: value.strip("'") for name, value in exports.items()}}
        command = [AWS, "logs", "start-live-tail", "--log-group-identifiers", arn]
        said = []
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**variables, "PYTHONUNBUFFERED": "1"},
        ) as tail:
            reader = threading.Thread(target=lambda: said.extend(tail.stdout))
            reader.start()
            try:
                # What is logged before the session has begun is not shown.
                eventually(lambda: function({"name": "CLI"}) and any("hello CLI" in line for line in said))
            finally:
                tail.terminate()
                reader.join()
