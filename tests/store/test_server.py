"""A whole server on PostgreSQL."""

import subprocess
import sys
import time

import pytest

ROLE = "arn:aws:iam::000000000000:role/tester"


class TestDatabase:
    def test_a_server_keeps_its_records_in_postgresql(self, start_server, make_postgresql, tmp_path, zipped):
        """Functions, tags and log events are there after a restart; no SQLite file is made."""
        postgresql = make_postgresql()
        server = start_server(tmp_path, "--database", postgresql)
        server.client("lambda").create_function(
            FunctionName="f",
            Runtime="python3.12",
            Handler="app.handler",
            Role=ROLE,
            Code={"ZipFile": zipped({"app.py": ""})},
            Tags={"a": "b"},
        )
        logs = server.client("logs")
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        event = {"timestamp": time.time_ns() // 1_000_000, "message": "kept"}
        logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])
        assert server.stop() == 0
        assert not (tmp_path / "firefork.db").exists()
        server = start_server(tmp_path, "--database", postgresql)
        assert server.client("lambda").get_function(FunctionName="f")["Tags"] == {"a": "b"}
        found = server.client("logs").filter_log_events(logGroupName="g")["events"]
        assert [shown["message"] for shown in found] == ["kept"]
        assert server.stop() == 0

    @pytest.mark.parametrize("address", ["mysql://x@127.0.0.1/y", "postgresql://x@127.0.0.1:1/y"])
    def test_one_that_cannot_be_used_is_one_line(self, tmp_path, address):
        command = [sys.executable, "-m", "firefork.cli.main", "up", "--port", "0", "--data-dir", str(tmp_path)]
        ended = subprocess.run([*command, "--database", address], capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0
        assert ended.stderr.startswith("firefork: the database cannot be opened: ")
        assert len(ended.stderr.splitlines()) == 1
