"""The process that clears up behind a killed server. Groups are plain folders here: what it does is make and remove."""

import json
import os
import subprocess
import sys

import pytest

from firefork.engine.sandbox.caretaker import Caretaker
from firefork.engine.sandbox.cgroups import Hierarchies


@pytest.fixture(params=[1, 2])
def hierarchies(request, tmp_path):
    """Two hierarchies with groups of two servers, as each version has them."""
    names = ["memory", "freezer"] if request.param == 1 else ["unified"]
    for name in names:
        for group in ("ff-1-a", "ff-1-b", "ff-2-a"):
            (tmp_path / name / group).mkdir(parents=True)
    controllers = ("memory", "freezer")
    parents = {controller: tmp_path / (controller if request.param == 1 else "unified") for controller in controllers}
    return Hierarchies(version=request.param, parents=parents)


def groups(hierarchies):
    return {path.name for parent in hierarchies.parents.values() for path in parent.iterdir()}


class TestCaretaker:
    def test_removes_its_servers_groups_when_the_server_is_gone(self, hierarchies, eventually):
        """A server that is killed has no time for anything: its end of the pipe closes, and that is all it takes."""
        program = (
            "import sys, json, pathlib, time\n"
            "from firefork.engine.sandbox.caretaker import Caretaker\n"
            "from firefork.engine.sandbox.cgroups import Hierarchies\n"
            "version, parents = json.loads(sys.argv[1])\n"
            "made = {name: pathlib.Path(path) for name, path in parents.items()}\n"
            "Caretaker(Hierarchies(version=version, parents=made), 'ff-1-')\n"
            "print('ready', flush=True)\n"
            "time.sleep(60)\n"
        )
        told = [hierarchies.version, {name: str(path) for name, path in hierarchies.parents.items()}]
        with subprocess.Popen([sys.executable, "-c", program, json.dumps(told)], stdout=subprocess.PIPE) as server:
            assert server.stdout.readline() == b"ready\n"
            assert groups(hierarchies) == {"ff-1-a", "ff-1-b", "ff-2-a"}, "nothing while the server lives"
            server.kill()
        assert eventually(lambda: groups(hierarchies) == {"ff-2-a"}), "and another server's groups stay"

    def test_ends_with_a_server_that_ends_in_order(self, hierarchies):
        caretaker = Caretaker(hierarchies, "ff-1-")
        caretaker.stop()
        assert caretaker._process.returncode == 0

    def test_does_not_hear_what_a_terminal_sends_its_server(self, hierarchies):
        """It has a session of its own: Ctrl-C goes to the server's process group."""
        caretaker = Caretaker(hierarchies, "ff-1-")
        try:
            assert os.getsid(caretaker._process.pid) == caretaker._process.pid != os.getsid(0)
        finally:
            caretaker.stop()

    def test_thaws_what_stands_still_before_it_is_removed(self, tmp_path):
        """SIGKILL waits for that in version 1. The file keeps its folder here, and says what was written."""
        group = tmp_path / "ff-1-frozen"
        group.mkdir()
        (group / "freezer.state").write_text("FROZEN")
        caretaker = Caretaker(Hierarchies(version=1, parents={"freezer": tmp_path}), "ff-1-")
        caretaker.stop()
        assert (group / "freezer.state").read_text() == "THAWED"
