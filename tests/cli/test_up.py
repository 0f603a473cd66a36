"""``firefork up``: how it starts, what it says, what it refuses, how it ends."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

import firefork as package
from firefork.cli import main, options, runtimes
from firefork.cli import up as up_module
from firefork.engine.sandbox.cgroups import find_hierarchies
from firefork.engine.sandbox.zygote import cgroup_prefix

ROLE = "arn:aws:iam::000000000000:role/tester"
OPTIONS = [parameter for parameter in up_module.up.params if isinstance(parameter, click.Option)]


def sample(option, folder):
    """A valid value that is no option's default."""
    kind = option.type
    if option.is_flag:
        return "1"
    if isinstance(kind, click.Choice):
        return next(str(choice) for choice in kind.choices if choice != option.default)
    if isinstance(kind, options.Amount):
        return "7.5"
    if isinstance(kind, click.IntRange):
        return str((kind.min or 0) + 1)
    known = {
        options.REGION: "eu-west-3",
        options.ACCOUNT: "123456789012",
        options.URL: "http://127.0.0.1:9",
        options.NETWORK: "10.77.0.0/16",
        options.PATH: str(folder),
        options.EXISTING_PATH: str(folder),
        click.STRING: "text",
    }
    assert kind in known, f"say here what is a valid value of {option.opts[0]}"
    return known[kind]


class TestOptions:
    @pytest.fixture
    def settings_of(self, monkeypatch):
        """The settings that a command line and variables come to; no server is started."""

        def parse(arguments=(), **variables):
            seen = []
            monkeypatch.setattr(up_module, "run", seen.append)
            with monkeypatch.context() as patch:
                for name in [name for name in os.environ if name.startswith("FIREFORK_")]:
                    patch.delenv(name)
                for name, value in variables.items():
                    patch.setenv(name, value)
                up_module.up.main(args=list(arguments), standalone_mode=False)
            return seen[0]

        return parse

    @pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.opts[0])
    def test_every_option_has_a_variable_that_does_the_same(self, option, settings_of, tmp_path):
        """FIREFORK_PORT is --port, and so on for all."""
        name = max(option.opts, key=len)
        variable = "FIREFORK_" + name.removeprefix("--").replace("-", "_").upper()
        value = sample(option, tmp_path)
        by_option = settings_of([name] if option.is_flag else [name, value])
        assert settings_of(**{variable: value}) == by_option
        assert by_option != settings_of()

    def test_the_other_commands_have_them_too(self):
        """All but the flag that says what one call installs."""
        commands = [*main.app.commands.values(), *runtimes.runtimes.commands.values()]
        for option in [option for command in commands for option in command.params if isinstance(option, click.Option)]:
            name = max(option.opts, key=len).removeprefix("--").replace("-", "_").upper()
            assert option.envvar == f"FIREFORK_{name}" or name == "ALL"

    def test_the_command_line_counts_more_than_a_variable(self, settings_of):
        assert settings_of(["--port", "1"], FIREFORK_PORT="2").port == 1

    def test_several_interpreters_in_a_variable_are_separated_like_path(self, settings_of, tmp_path):
        folders = [tmp_path / "with a space", tmp_path / "b"]
        for folder in folders:
            folder.mkdir()
        found = settings_of(FIREFORK_INTERPRETER=os.pathsep.join(map(str, folders)))
        assert found.interpreter_paths == tuple(folders)


class TestStart:
    def test_says_where_it_is_and_what_it_can(self, server):
        """Nine tidy lines; with --port 0 the endpoint names the port that was found."""
        words = [line.split(maxsplit=1) for line in server.lines]
        assert server.lines[0] == f"Firefork {package.__version__}\n"
        assert [line[0] for line in words[1:]] == [
            "endpoint",
            "data",
            "keys",
            "iam",
            "console",
            "sandbox",
            "network",
            "runtimes",
        ]
        said = {line[0]: line[1].strip() for line in words[1:]}
        assert said["endpoint"] == f"{server.endpoint}   (region us-east-1, account 000000000000)"
        assert int(server.endpoint.rpartition(":")[2]) > 0
        assert said["data"] == str(server.data_dir)
        assert said["keys"] == str(server.data_dir / "credentials")
        assert "python3.12" in said["runtimes"].split(", ")

    def test_says_in_one_line_that_functions_are_not_isolated(self, start_server, tmp_path):
        server = start_server(tmp_path / "data", "--sandbox", "process")
        assert sum("plain processes without isolation or limits" in line for line in server.lines) == 1
        assert server.stop() == 0

    def test_is_healthy_once_it_has_said_so(self, server):
        """GET /_firefork/health needs no credentials."""
        with urllib.request.urlopen(f"{server.endpoint}/_firefork/health") as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            health = json.load(answer)
        assert health["status"] == "ready"
        assert health["version"] == package.__version__
        assert {"lambda", "logs", "sts"} <= set(health["services"])

    def test_region_and_account_are_told_to_clients(self, start_server, tmp_path):
        data = tmp_path / "data"
        server = start_server(data, "--region", "eu-west-3", "--account", "123456789012")
        assert json.loads((data / "server.json").read_text())["region"] == "eu-west-3"
        assert server.client("sts").get_caller_identity()["Account"] == "123456789012"
        assert (data / "credentials").stat().st_mode & 0o777 == 0o600
        server.stop()


class TestVerbose:
    LINE = re.compile(r"\d\d:\d\d:\d\d (\S+ \S+ \d{3}) \d+\.\d ms\n")

    def test_says_one_line_for_each_request(self, start_server, tmp_path):
        server = start_server(tmp_path / "data", "--verbose")
        lambda_ = server.client("lambda")
        lambda_.list_functions()
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.get_function(FunctionName="absent")
        server.client("sts").get_caller_identity()
        server.stop()
        requests = [found[1] for line in server.rest() if (found := self.LINE.fullmatch(line))]
        assert requests == [
            "GET lambda.ListFunctions 200",
            "GET lambda.GetFunction 404",
            "POST sts.GetCallerIdentity 200",
        ]

    def test_says_nothing_without(self, start_server, tmp_path):
        server = start_server(tmp_path / "data")
        server.client("lambda").list_functions()
        server.stop()
        assert server.rest() == ["stopping …\n", "stopped\n"]


SLEEPER = """
import time
def handler(event, context):
    print("sleeping", flush=True)
    time.sleep(event["s"])
    return "slept"
"""


def descendants(pid):
    """A process's children and theirs, by id. proc(5): /proc/PID/stat."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry)] = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
    def test_leaves_nothing_behind(self, number, start_server, make_function, tmp_path):
        """No process, control group, mount or server file, with an idle environment and a running invoke."""
        data = tmp_path / "data"
        server = start_server(data, "--shutdown-limit", "0.2")
        function = make_function(SLEEPER, client=server.client("lambda"), logs_client=server.client("logs"))
        assert function({"s": 0}) == "slept"
        with ThreadPoolExecutor() as pool:
            flying = pool.submit(function.client.invoke, FunctionName=function.name, Payload=b'{"s": 60}')
            while function.messages().count("sleeping\n") < 2:
                assert not flying.done()
            processes = descendants(server.pid)
            assert processes
            started = time.monotonic()
            assert server.stop(number) == 0
            assert time.monotonic() - started < 20, "the running invoke was waited for"
            flying.exception(timeout=10)  # an error or an answer that says so: it ended
        assert server.rest() == ["stopping …\n", "stopped\n"]
        assert [pid for pid in processes if Path("/proc", str(pid)).exists()] == []
        hierarchies = find_hierarchies()
        parents = set(hierarchies.parents.values()) if hierarchies else set()
        assert [group for parent in parents for group in parent.glob(f"{cgroup_prefix(data)}*")] == []
        assert str(data) not in Path("/proc/self/mounts").read_text()
        assert not (data / "server.json").exists()

    def test_lets_a_running_invoke_finish_within_the_limit(self, start_server, make_function, tmp_path):
        server = start_server(tmp_path / "data", "--shutdown-limit", "20")
        function = make_function(SLEEPER, client=server.client("lambda"), logs_client=server.client("logs"))
        with ThreadPoolExecutor() as pool:
            flying = pool.submit(function, {"s": 1})
            while "sleeping\n" not in function.messages():
                assert not flying.done()
            assert server.stop() == 0
            assert flying.result(timeout=10) == "slept"


class TestRefusals:
    """Each is one clear line and a non-zero exit, never a traceback."""

    def test_a_second_server_on_the_same_folder(self, server, firefork, refused):
        said = refused(firefork("up", "--port", "0", "--data-dir", server.data_dir), 1)
        assert said == f"another server (process {server.pid}) uses the data folder {server.data_dir}"
        assert server.client("sts").get_caller_identity()["Account"] == "000000000000"

    def test_a_taken_port(self, firefork, refused, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = refused(firefork("up", "--port", port, "--data-dir", tmp_path / "data"), 1)
        assert said == f"the address 127.0.0.1:{port} is taken; choose another one with --host and --port"

    def test_an_address_of_another_machine(self, firefork, refused, tmp_path):
        said = refused(firefork("up", "--host", "192.0.2.1", "--port", "0", "--data-dir", tmp_path / "data"), 1)
        assert said.startswith("the address 192.0.2.1:0 cannot be used: ")

    def test_a_folder_that_this_user_may_not_write(self, refused, tmp_path):
        """As nobody where the tests run as root, who may write everywhere."""
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o555)
        # All is imported first: nobody may not be able to read the interpreter's own folder.
        script = (
            "import os, sys, uvloop, firefork.api.platform, firefork.cli.main as main\n"
            "if os.geteuid() == 0:\n"
            "    os.setgroups([]), os.setresgid(65534, 65534, 65534), os.setresuid(65534, 65534, 65534)\n"
            "sys.argv[1:] = ['up', '--port', '0', '--data-dir', sys.argv[1]]\n"
            "main.main()\n"
        )
        command = [sys.executable, "-c", script, str(folder / "data")]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        said = refused(result, 1)
        assert said == f"the data folder {folder / 'data'} cannot be used: Permission denied"

    @pytest.mark.parametrize("name", ["data", "data/blobs", "data/code"])
    def test_a_file_where_a_folder_belongs(self, name, firefork, refused, tmp_path):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        said = refused(firefork("up", "--port", "0", "--data-dir", tmp_path / "data"), 1)
        assert said.startswith(f"the data folder {tmp_path / 'data'} cannot be used: ")
        assert said.endswith("File exists")

    def test_a_broken_credentials_file(self, firefork, refused, tmp_path):
        (tmp_path / "credentials").write_text("no section")
        said = refused(firefork("up", "--port", "0", "--data-dir", tmp_path), 1)
        assert said == f"the keys cannot be read: {tmp_path / 'credentials'} has no profile [default] with a key pair"

    def test_a_database_that_is_none(self, firefork, refused, tmp_path):
        (tmp_path / "firefork.db").write_text("no database" * 1000)
        said = refused(firefork("up", "--port", "0", "--data-dir", tmp_path), 1)
        assert said == "the database cannot be opened: file is not a database"

    @pytest.mark.parametrize("url", ["nonsense", "mysql://127.0.0.1/x", "postgresql+psycopg://127.0.0.1:1/x"])
    def test_a_database_url_that_leads_nowhere(self, url, firefork, refused, tmp_path):
        said = refused(firefork("up", "--port", "0", "--data-dir", tmp_path, "--database", url), 1)
        assert said.startswith("the database cannot be opened: ")

    def test_test_credentials_beyond_loopback(self, firefork, refused, tmp_path):
        said = refused(
            firefork("up", "--host", "0.0.0.0", "--port", "0", "--data-dir", tmp_path, "--test-credentials"), 1
        )
        assert said.startswith("--test-credentials opens the server to everybody")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--nope"], "No such option '--nope'."),
            (["extra"], "Got unexpected extra argument (extra)"),
            (["--port"], "Option '--port' requires an argument."),
            (["--port", "high"], "Invalid value for '--port': 'high' is not a valid integer range."),
            (["--port", "65536"], "Invalid value for '--port': 65536 is not in the range 0<=x<=65535."),
            (
                ["--region", "moon"],
                "Invalid value for '--region': 'moon' is not the name of a region, such as us-east-1.",
            ),
            (["--account", "7"], "Invalid value for '--account': '7' is not an account number, which has 12 digits."),
            (["--upstream", "ftp://x"], "Invalid value for '--upstream': 'ftp://x' is not an http or https address."),
            (["--idle-timeout", "nan"], "Invalid value for '--idle-timeout': 'nan' is not a number of seconds."),
            (["--shutdown-limit", "-1"], "Invalid value for '--shutdown-limit': -1.0 is not in the range x>=0.0."),
            (["--interpreter", "/nowhere"], "Invalid value for '--interpreter': '/nowhere' does not exist."),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_a_wrong_command_line(self, arguments, said, usage_error):
        assert usage_error("up", *arguments) == said

    def test_a_wrong_value_in_a_variable(self, firefork, refused):
        said = refused(firefork("up", environment={"FIREFORK_PORT": "high"}), 2)
        assert said == "Invalid value for '--port': 'high' is not a valid integer range."

    def test_an_unknown_command(self, usage_error):
        assert usage_error("bogus") == "No such command 'bogus'."
