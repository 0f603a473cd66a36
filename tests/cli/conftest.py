"""Running the command line as a user does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from firefork.cli import main

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(scope="session")
def firefork():
    """Runs a command to its end; ``environment`` adds variables, those of the test's own FIREFORK_* are not seen."""

    def run(*arguments, environment=None, timeout_s=60):
        variables = {name: value for name, value in os.environ.items() if not name.startswith("FIREFORK_")}
        return subprocess.run(
            [sys.executable, "-m", "firefork.cli.main", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**variables, "PYTHONPATH": str(SOURCE), **(environment or {})},
        )

    return run


@pytest.fixture(scope="session")
def refused():
    """Checks that a command said why it failed in one line, and nothing else; the line."""

    def check(result, code):
        assert result.returncode == code, result.stderr
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("firefork: ")
        return lines[0].removeprefix("firefork: ")

    return check


@pytest.fixture
def usage_error(monkeypatch, capsys):
    """What a command line that is wrong is told; asked in this process, since it never gets to do anything."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["firefork", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        told = capsys.readouterr()
        assert ended.value.code == 2
        assert told.out == ""
        assert told.err.startswith("firefork: ")
        assert told.err.count("\n") == 1
        return told.err.removeprefix("firefork: ").rstrip("\n")

    return run
