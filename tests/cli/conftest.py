"""Running the command line as a user does."""

import sys

import pytest

from firefork.cli import main


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
