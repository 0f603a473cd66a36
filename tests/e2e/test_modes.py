"""The kinds of sandbox: plain processes, namespaces of an ordinary user; and what is left after a server's end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from firefork.engine.installations import Installations

USER = 12345
"""An unprivileged user id that needs no name."""

COVERED = Path("/usr/lib/apt")
"""A folder of the host's that functions see and do not need: ordinary users get a mount on it, as WSL has some."""

SHOW = """
import os, sys, logging
count = 0
def handler(event, context):
    global count
    count += 1
    print("printed")
    logging.warning("two\\nlines")
    exec(event.get("do", ""))
    return {
        "python": "%d.%d" % sys.version_info[:2], "cwd": os.getcwd(), "file": __file__, "count": count,
        "pid": os.getpid(), "uid": os.getuid(), "runtime": sys.modules["awslambdaric"].__file__,
    }
"""

PASS_THE_GATE = """
root = os.environ["LAMBDA_TASK_ROOT"]
with open(root + "/arrived", "wb", buffering=0) as arrived, open(root + "/gate", "rb", buffering=0) as gate:
    arrived.write(b".")
    gate.read(1)
"""


def clients(server):
    return {"client": server.client("lambda"), "logs_client": server.client("logs")}


def check_common_behaviour(make_function, make_gate, server, runtime):
    """What holds however functions are isolated."""
    function = make_function(SHOW, runtime=runtime, Timeout=2, **clients(server))
    result = function.invoke()
    answer = json.loads(result.body)
    assert answer["python"] == runtime.removeprefix("python")
    assert answer["count"] == 1
    assert "printed\n" in result.tail
    assert "\ttwo\nlines\n" in result.tail
    assert function()["count"] == 2
    ended = function.invoke({"do": "os._exit(4)"})
    assert b"Runtime exited with error: exit status 4" in ended.body
    assert function()["count"] == 1
    late = function.invoke({"do": "import time; time.sleep(60)"})
    assert b"Task timed out after 2.00 seconds" in late.body
    patient = make_function(f"{SHOW}# on {runtime}\n", runtime=runtime, Timeout=140, **clients(server))
    gate = make_gate(server, server.client("lambda"), patient)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(patient, {"do": PASS_THE_GATE}) for _ in range(4)]
        try:
            gate.wait_for(4, limit_s=100)  # all four run before the first one goes on
        finally:
            gate.let_go(4)
        return [one.result() for one in running]


class TestProcessMode:
    @pytest.fixture(scope="class")
    @classmethod
    def plain(cls, start_server, tmp_path_factory):
        return start_server(tmp_path_factory.mktemp("plain"), "--sandbox", "process", "--allow-blocked-runtimes")

    def test_every_start_says_so_in_one_line(self, plain):
        (line,) = [line for line in plain.lines if line.startswith("sandbox ")]
        assert line.rstrip() == (
            "sandbox    plain processes without isolation or limits (asked for by --sandbox process)"
        )

    def test_functions_run_all_the_same(self, plain, make_function, make_gate, runtime):
        answers = check_common_behaviour(make_function, make_gate, plain, runtime)
        assert len({answer["pid"] for answer in answers}) == 4

    def test_children_end_with_a_timeout(self, plain, make_function, eventually):
        """Without a pid namespace, too: a child in a session of its own does not outlive the invoke's failure."""
        function = make_function(SHOW, Timeout=1, **clients(plain))
        child = (
            "import subprocess, time; print('child', subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)"
        )
        result = function.invoke({"do": f"{child}; time.sleep(60)"})
        pid = int(re.search(r"child (\d+)", result.tail)[1])
        eventually(lambda: not Path(f"/proc/{pid}").exists())

    def test_strange_names_of_other_processes_do_no_harm(self, plain, make_function):
        """A function's processes are looked for among all, and any process may call itself what it likes."""
        name_itself = (
            "import ctypes, sys; ctypes.CDLL(None).prctl(15, b') \\xff\\n(', 0, 0, 0); "
            "print(flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", name_itself], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            other.stdout.readline()
            function = make_function(SHOW, **clients(plain))
            assert b"exit status 4" in function.invoke({"do": "os._exit(4)"}).body
            assert function()["count"] == 1
            other.stdin.close()


def private_folders(paths):
    """For each folder on the way that others may not enter: which of ``paths`` lie in it."""
    found = {}
    for path in paths:
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & 0o001:
                found.setdefault(parent, []).append(path)
                break
    return found


def as_ordinary_user(work, runtimes_dir):
    """A command prefix: another user, in a mount namespace where that user can enter what the server needs."""
    needed = {Path(sys.prefix), Path(sys.base_prefix), Path(runtimes_dir), Path(__file__).parents[2]}
    needed |= {found.interpreter.prefix for found in Installations(runtimes_dir).all()}
    script = ["set -e", "mount --make-rprivate /"]
    for folder, paths in private_folders(sorted(needed)).items():
        for number, path in enumerate(paths):
            script += [f"mkdir -p {work}/{number}", f"mount --bind {path} {work}/{number}"]
        script.append(f"mount -t tmpfs -o mode=755 tmpfs {folder}")
        for number, path in enumerate(paths):
            script += [f"mkdir -p {path}", f"mount --bind {work}/{number} {path}"]
    if COVERED.is_dir():
        script.append(f"mount -t tmpfs -o mode=777 tmpfs {COVERED}")
    script.append(f'exec setpriv --reuid={USER} --regid={USER} --clear-groups env HOME={work} "$@"')
    return ["unshare", "--mount", "sh", "-c", "\n".join(script), "sh"]


class TestUserMode:
    @pytest.fixture(scope="class")
    @classmethod
    def ordinary(cls, start_server, runtimes_dir):
        """A server without any privilege."""
        work = Path(tempfile.mkdtemp(prefix="firefork-user-"))
        work.chmod(0o755)
        prefix = []
        if os.geteuid() == 0:
            if (
                shutil.which("setpriv") is None
                or subprocess.run(["unshare", "--mount", "true"], check=False).returncode
            ):
                pytest.skip("setpriv, or the right to make a mount namespace, is missing here")
            os.chown(work, USER, USER)
            prefix = as_ordinary_user(work, runtimes_dir)
        server = start_server(work / "data", "--allow-blocked-runtimes", prefix=prefix)
        if not any("namespaces of an ordinary user" in line for line in server.lines):
            pytest.skip(f"user namespaces cannot be made here: {''.join(server.lines)}")
        yield server
        server.stop()
        shutil.rmtree(work)

    @pytest.fixture
    @classmethod
    def without_groups(cls, ordinary):
        (line,) = [line for line in ordinary.lines if line.startswith("sandbox ")]
        if "no cgroup limits" not in line:
            pytest.skip(f"control groups were delegated to this user: {line}")

    def test_the_start_says_what_is_lacking(self, ordinary, without_groups):
        (line,) = [line for line in ordinary.lines if line.startswith("sandbox ")]
        assert "namespaces of an ordinary user, no cgroup limits" in line

    def test_functions_run_isolated(self, ordinary, make_function, make_gate, runtime):
        """Own process ids, AWS's paths and user; only limits of control groups are absent."""
        answers = check_common_behaviour(make_function, make_gate, ordinary, runtime)
        assert {answer["pid"] for answer in answers} == {2} or max(answer["pid"] for answer in answers) < 10
        assert {answer["uid"] for answer in answers} == {993}
        assert {answer["cwd"] for answer in answers} == {"/var/task"}
        assert {answer["runtime"] for answer in answers} == {"/var/runtime/awslambdaric/__init__.py"}

    def test_the_sandbox_holds(self, ordinary, make_function):
        """Read-only root, no host files, no capabilities, no way to pid 1, no host network."""
        source = """
import os, socket
def attempt(call):
    try:
        return str(call())
    except OSError as error:
        return error.strerror
def handler(event, context):
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return {
        "write": attempt(lambda: open("/var/task/x", "w")),
        "tmp": attempt(lambda: open("/tmp/x", "w").write("x")),
        "mount": attempt(lambda: open("/usr/lib/apt/x", "w")),
        "shadow": attempt(lambda: open("/etc/shadow").read()),
        "data": attempt(lambda: os.listdir(event)),
        "capabilities": {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16},
        "environment": attempt(lambda: open("/proc/1/environ").read()),
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
    }
"""
        function = make_function(source, **clients(ordinary))
        assert function(str(ordinary.data_dir)) == {
            "write": "Read-only file system",
            "tmp": "1",
            "mount": "Read-only file system" if COVERED.is_dir() else "No such file or directory",
            "shadow": "No such file or directory",
            "data": "No such file or directory",
            "capabilities": True,
            "environment": "Permission denied",
            "interfaces": ["lo"],
            "processes": 2,
        }

    def test_snapshots_are_forked_without_privileges(self, ordinary, make_function):
        """SnapStart: init and handler hold no capability, and the environment has processes of its own."""
        source = """
import os, uuid
def held():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    return {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
loaded, in_init = uuid.uuid4().hex, held()
open("/tmp/kept", "w").write("of init")
def handler(event, context):
    if event == "exit":
        os._exit(3)
    processes = len([name for name in os.listdir("/proc") if name.isdigit()])
    return [loaded, in_init, held(), os.getuid(), processes, open("/tmp/kept").read()]
"""
        function = make_function(source, SnapStart={"ApplyOn": "PublishedVersions"}, **clients(ordinary))
        function.client.publish_version(FunctionName=function.name)
        waiter = function.client.get_waiter("published_version_active")
        waiter.wait(FunctionName=function.name, Qualifier="1", WaiterConfig={"Delay": 0.1})
        first = function.invoke(Qualifier="1")
        assert "Restore Duration" in first.tail
        ended = json.loads(function.invoke("exit", Qualifier="1").body)
        assert ended["errorMessage"].endswith("exit status 3")
        answers = [json.loads(first.body), function(Qualifier="1")]
        assert answers[0] == answers[1]
        assert answers[0][1:] == [True, True, 993, 2, "of init"]

    def test_processes_limits_stand_in_for_the_groups(self, ordinary, make_function, without_groups):
        """Memory ends somewhat above the function's with a MemoryError, processes at 1,024; the next invoke is fine."""
        source = """
import os, signal, threading
def handler(event, context):
    if event == "memory":
        return len(bytearray(1 << 30))
    if event == "threads":
        gate = threading.Event()
        threads = [threading.Thread(target=gate.wait) for _ in range(30)]
        [thread.start() for thread in threads]
        gate.set()
        return [thread.join() for thread in threads].count(None)
    made = []
    try:
        while event == "processes":
            pid = os.fork()
            if pid == 0:
                signal.pause()
            made.append(pid)
    except BlockingIOError:
        for pid in made:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return len(made)
"""
        function = make_function(source, MemorySize=128, Timeout=280, **clients(ordinary))
        assert json.loads(function.invoke("memory").body)["errorType"] == "MemoryError"
        assert function("threads") == 30
        assert 900 < function("processes") < 1024
        assert function("nothing") == 0

    def test_pid_1_cannot_be_ended(self, ordinary, make_function):
        """The host sees one user for both, yet the kernel keeps a namespace's signals from its first process."""
        function = make_function(SHOW, **clients(ordinary))
        function()
        function({"do": "import signal; [os.kill(1, number) for number in range(1, 32) if number not in (17, 19)]"})
        assert function()["count"] == 3


@pytest.fixture
def footprint(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import footprint

    return footprint


class TestEndOfAServer:
    @pytest.mark.parametrize(
        ("mode", "number"),
        [
            ("auto", signal.SIGTERM),
            ("auto", signal.SIGINT),
            ("auto", signal.SIGKILL),
            ("process", signal.SIGTERM),
            ("process", signal.SIGKILL),
        ],
    )
    def test_leaves_nothing_behind(self, start_server, make_function, tmp_path, eventually, footprint, mode, number):
        """With an idle (frozen) environment that has a child process, and a busy one: no process, no mount, no group.

        The invoke that runs is answered or cut off within the bound, and the next start on the folder is clean.
        """
        server = start_server(tmp_path, "--sandbox", mode, "--shutdown-limit", "0.2", "--spares", "1")
        idle = make_function(SHOW, FunctionName="idle", **clients(server))
        idle({"do": "import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True)"})
        busy = make_function(SHOW, FunctionName="busy", Timeout=60, **clients(server))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(busy.invoke, {"do": "import time; print('running'); time.sleep(50)"})
            eventually(lambda: "running\n" in busy.messages())
            watched = footprint.Footprint(server.pid, tmp_path)
            watched.sample()
            processes = footprint.processes_below(server.pid)
            assert b"sleep\x001000\x00" in footprint.still_running(processes).values()
            assert server.stop(number) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
            assert running.exception() is not None or running.result().error == "Unhandled"
        eventually(lambda: not any(watched.leftovers().values()))
        again = start_server(tmp_path, "--sandbox", mode, "--spares", "1")
        answer = again.client("lambda").invoke(FunctionName="idle", Payload=b"{}")
        assert json.loads(answer["Payload"].read())["count"] == 1
        watched.follow(again.pid)
        watched.sample()
        assert again.stop() == 0
        assert not any(watched.leftovers().values())
