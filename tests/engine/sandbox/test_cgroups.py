"""Control groups as the kernel has them: what a limit does to a process, what version 2 asks of who makes groups."""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firefork.engine.sandbox.cgroups import Hierarchies, own_memory_limit, remove_folder, remove_leftovers

MIB = 1 << 20
PREFIX = f"firefork-test-{os.getpid()}-"

JOIN = "import os, sys, time\nfor number in sys.argv[1:]:\n    os.write(int(number), b'0')\n"
READY = "print('ready', flush=True)\n"


@contextlib.contextmanager
def running(group, code):
    """A process inside the group that has joined it and runs ``code``; it is ended afterwards."""
    descriptors = group.join_descriptors()
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", JOIN + code, *map(str, descriptors)],
        pass_fds=descriptors,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for number in descriptors:
            os.close(number)
        try:
            yield process
        finally:
            with contextlib.suppress(FileNotFoundError):  # a test may have removed it
                group.thaw()
            process.kill()


@pytest.fixture
def group(limited):
    made = limited.hierarchies.make(f"{PREFIX}one")
    yield made
    assert made.remove()


def statistics(hierarchies, controller, name):
    """A group's file of lines with a name and a number."""
    text = (hierarchies.parents[controller] / f"{PREFIX}one" / name).read_text()
    return {key: int(value) for key, value in (line.split() for line in text.splitlines())}


class TestLimits:
    def test_memory(self, group):
        """Who takes more is killed, which is counted; what was used is known, and is no more than the limit."""
        group.limit_memory(32 * MIB)
        assert group.oom_kills == 0
        with running(group, "b'x' * (64 << 20)") as process:
            assert process.wait() == -9
        assert group.oom_kills == 1
        assert 24 * MIB < group.peak_bytes <= 32 * MIB

    def test_memory_in_use(self, group):
        """What a process holds, and less once it gives it back."""
        code = f"held = b'x' * (24 << 20)\n{READY}sys.stdin.readline()\ndel held\n{READY}sys.stdin.readline()\n"
        with running(group, code) as process:
            process.stdout.readline()
            held = group.used_bytes
            assert held > 24 * MIB
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
            assert group.used_bytes < held - 16 * MIB
            assert group.peak_bytes > 24 * MIB

    def test_processes(self, group):
        group.limit_processes(3)
        code = """
made = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except BlockingIOError:
    os.write(1, b"%d" % made)
os.killpg(0, 9)
"""
        with running(group, "os.setsid()\n" + code) as process:
            assert process.stdout.read() == "2"

    def test_processor(self, group, limited, eventually):
        """A busy process is held back, and no more once the limit is lifted."""
        group.limit_cpu(0.1)
        with running(group, "while True: pass"):
            eventually(lambda: statistics(limited.hierarchies, "cpu", "cpu.stat")["nr_throttled"] > 2)
            group.unlimit_cpu()
            quota = "cpu.cfs_quota_us" if limited.hierarchies.version == 1 else "cpu.max"
            text = (limited.hierarchies.parents["cpu"] / f"{PREFIX}one" / quota).read_text().split()[0]
            assert text == ("-1" if limited.hierarchies.version == 1 else "max")

    def test_weight(self, group, limited):
        name, usual = ("cpu.shares", 1024) if limited.hierarchies.version == 1 else ("cpu.weight", 100)
        group.weigh_cpu(0.25)
        assert int((limited.hierarchies.parents["cpu"] / f"{PREFIX}one" / name).read_text()) == usual // 4


class TestFreezing:
    def test_a_frozen_process_stands_still_until_it_is_thawed(self, group, limited, eventually):
        with running(group, f"{READY}\nfor line in sys.stdin: print(line, end='', flush=True)") as process:
            process.stdout.readline()
            assert group.freeze()
            eventually(lambda: frozen(limited.hierarchies))
            process.stdin.write("written meanwhile\n")
            process.stdin.flush()
            ticks = processor_ticks(process.pid)
            time.sleep(0.1)  # time is the subject: that nothing happens cannot be awaited
            assert processor_ticks(process.pid) == ticks
            group.thaw()
            assert process.stdout.readline() == "written meanwhile\n"

    def test_what_a_killed_server_left_is_ended_though_frozen(self, limited, eventually):
        """Version 1 holds a kill back until the thaw; version 2 is told to kill."""
        group = limited.hierarchies.make(f"{PREFIX}left")
        with running(group, f"{READY}time.sleep(100)") as process:
            process.stdout.readline()
            group.freeze()
            process.kill()
            assert remove_leftovers(limited.hierarchies, f"{PREFIX}left") > 0
            assert process.wait() == -9
            assert group.remove()


def processor_ticks(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]


def frozen(hierarchies):
    """Whether all of the group stands still by now."""
    if hierarchies.version == 2:
        return statistics(hierarchies, "memory", "cgroup.events")["frozen"] == 1
    return (hierarchies.parents["freezer"] / f"{PREFIX}one" / "freezer.state").read_text() == "FROZEN\n"


LOOK = """
import json, os, pathlib, subprocess, sys
for path in sys.argv[2:]:
    pathlib.Path(path, "cgroup.procs").write_text("0")
companion = subprocess.Popen(["sleep", "60"])
sys.path.insert(0, sys.argv[1])
from firefork.engine.sandbox.cgroups import find_hierarchies
found = [find_hierarchies(), find_hierarchies()]
own = lambda pid: pathlib.Path(f"/proc/{pid}/cgroup").read_text().strip().rpartition("/")[2]
print(json.dumps({
    "same": found[0] == found[1], "controllers": sorted(found[0].parents), "version": found[0].version,
    "parents": sorted({str(path) for path in found[0].parents.values()}),
    "groups": [own(os.getpid()), own(companion.pid)],
}))
companion.kill()
"""


class TestVersion2:
    @pytest.fixture
    @classmethod
    def version_2(cls, limited):
        if limited.hierarchies.version != 2:
            pytest.skip("control groups are version 1 here; scripts/vm-tests brings version 2")
        return limited.hierarchies

    def test_a_group_with_processes_is_emptied_before_it_passes_controllers_on(self, version_2):
        """The server and who shares its group move to a leaf, and looking again from there finds the same place."""
        (parent,) = set(version_2.parents.values())
        place = parent / f"{PREFIX}service"
        place.mkdir()
        source = Path(sys.modules[Hierarchies.__module__].__file__).parents[3]
        try:
            answer = subprocess.run(
                [sys.executable, "-c", LOOK, source, place], stdout=subprocess.PIPE, text=True, check=True
            )
            assert json.loads(answer.stdout) == {
                "same": True,
                "controllers": sorted(version_2.parents),
                "version": 2,
                "parents": [str(place)],
                "groups": ["firefork-server", "firefork-server"],
            }
        finally:
            for folder in (place / "firefork-server", place):
                assert remove_folder(folder, time.monotonic() + 10)

    def test_the_root_group_keeps_its_processes(self, version_2):
        """It may have both: processes, some of which no one can move, and groups with controllers."""
        (parent,) = set(version_2.parents.values())
        if (parent / "cgroup.type").exists():
            pytest.skip("this is not the root group; scripts/vm-tests --as root brings it")
        assert str(os.getpid()) in (parent / "cgroup.procs").read_text().split()
        assert sorted(version_2.parents) == ["cpu", "memory", "pids"]


class TestOwnMemoryLimit:
    @pytest.mark.parametrize(("version", "name", "none"), [(1, "memory.limit_in_bytes", ""), (2, "memory.max", "max")])
    def test_is_the_least_on_the_way_up(self, tmp_path, version, name, none):
        folder = tmp_path / "slice" / "service"
        folder.mkdir(parents=True)
        hierarchies = Hierarchies(version=version, parents={"memory": folder})
        assert own_memory_limit(hierarchies) is None
        (folder / name).write_text(f"{none}\n" if none else "9223372036854771712\n")
        (folder.parent / name).write_text("1048576\n")
        assert own_memory_limit(hierarchies) == MIB
