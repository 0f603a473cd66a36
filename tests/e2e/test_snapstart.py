"""SnapStart: init once when a version is published, environments forked from it."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

SOURCE = """
import os, random, time, uuid
import boto3
from snapshot_restore_py import register_after_restore, register_before_snapshot

loaded = uuid.uuid4().hex
hooks = []
open("/tmp/from-init", "w").write("kept")
sts = boto3.client("sts")
local = __import__("threading").local()
local.value = "of the main thread"
print("init runs")

@register_before_snapshot
def before():
    hooks.append("before")

@register_before_snapshot
def before_too():
    hooks.append("before_too")

@register_after_restore
def after():
    hooks.append("after")
    print("after runs")

def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    first = os.path.exists("/tmp/mine")
    open("/tmp/mine", "w").write("x")
    return {"loaded": loaded, "hooks": hooks, "random": random.random(), "pid": os.getpid(), "tmp_was_mine": first,
            "tmp": open("/tmp/from-init").read(), "arn": sts.get_caller_identity()["Arn"],
            "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "key": os.environ.get("AWS_ACCESS_KEY_ID"),
            "version": context.function_version, "local": local.value, "user": os.getuid(),
            "capabilities": [line.split()[1] for line in open("/proc/self/status") if line[:4] in ("CapE", "CapP")],
            "others": sorted(name for name in os.listdir("/proc") if name.isdigit())}
"""


@pytest.fixture(scope="module")
def snap(make_function, lambda_, published):
    """Publishes a function with SnapStart; ``wait`` until the version is settled."""

    def make(source, **options):
        function = make_function(source, SnapStart={"ApplyOn": "PublishedVersions"}, **options)
        version = lambda_.publish_version(FunctionName=function.name)
        assert (version["State"], version["StateReasonCode"]) == ("Pending", "Creating")
        return function

    make.wait = published
    return make


HOOK_THAT_FAILS = """
from snapshot_restore_py import register_after_restore
def bad():
    raise ValueError("cannot wake")
register_after_restore(bad)
def handler(event, context):
    return 1
"""


class TestRestore:
    @pytest.fixture(scope="class")
    @classmethod
    def function(cls, snap):
        function = snap(SOURCE)
        shown = snap.wait(function)
        assert shown["State"] == "Active"
        assert shown["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
        return function

    def test_every_environment_starts_from_the_one_init(self, function):
        """Same module state, hooks run in AWS's order, own randomness, own processes, own ``/tmp``."""
        results = [function.invoke(Qualifier="1")]
        function.invoke({"exit": True}, Qualifier="1")  # ends that environment: the next one is another
        results.append(function.invoke(Qualifier="1"))
        first, second = (json.loads(result.body) for result in results)
        assert first["loaded"] == second["loaded"]
        assert first["hooks"] == second["hooks"] == ["before_too", "before", "after"]
        assert first["random"] != second["random"]
        assert not first["tmp_was_mine"]
        assert not second["tmp_was_mine"]
        for answer in (first, second):
            assert answer["tmp"] == "kept"
            assert answer["type"] == "snap-start"
            assert answer["key"] is None
            assert answer["version"] == "1"
            assert answer["local"] == "of the main thread"
            assert answer["arn"].endswith(f":assumed-role/tester/{function.name}")
            assert answer["user"] == 993
            assert set(answer["capabilities"]) == {"0000000000000000"}
            assert answer["others"][0] == "1"
            assert len(answer["others"]) == 2
        messages = function.messages()
        assert messages.count("init runs\n") == 1
        assert messages.count("after runs\n") == 2
        report = results[0].tail.rstrip("\n").rpartition("\n")[2]
        assert re.search(r"\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t$", report)
        assert "Init Duration" not in report
        assert any(message.startswith("RESTORE_START Runtime Version: python:3.12.") for message in messages)
        assert any(re.match(r"RESTORE_REPORT Restore Duration: [\d.]+ ms\n", message) for message in messages)
        assert any(re.match(r"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\n", message) for message in messages)

    def test_numpy_has_a_randomness_of_its_own_too(self, snap):
        """Whatever module of that name init imported is seeded anew in each environment, and may fail to be."""
        function = snap(
            "import sys, types\nseeded = []\ndef seed():\n    seeded.append(1)\n    raise ValueError\n"
            "sys.modules['numpy.random'] = types.SimpleNamespace(seed=seed)\n"
            "def handler(event, context):\n    return len(seeded)\n"
        )
        snap.wait(function)
        assert function(Qualifier="1") == 1

    def test_it_is_reused_like_any_other(self, function):
        first, second = (function(Qualifier="1") for _ in range(2))
        assert first["pid"] == second["pid"]
        assert second["tmp_was_mine"]

    def test_latest_is_initialised_as_ever(self, function):
        assert function()["type"] == "on-demand"
        assert function()["hooks"] == []


class TestLog:
    """What a restoration leaves in a log of JSON lines."""

    @staticmethod
    def records(function):
        told = [json.loads(message) for message in function.messages() if message.startswith('{"time"')]
        return [(line["type"], line["record"]) for line in told if line["type"].startswith("platform.restore")]

    def test_has_three_records(self, snap):
        function = snap(
            "def handler(event, context):\n    return 1\n",
            LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "DEBUG"},
        )
        snap.wait(function)
        assert function(Qualifier="1") == 1
        (begun, start), (done, told), (reported, report) = self.records(function)
        assert (begun, done, reported) == (
            "platform.restoreStart",
            "platform.restoreRuntimeDone",
            "platform.restoreReport",
        )
        assert (start["functionName"], start["functionVersion"]) == (function.name, "1")
        assert told == {"status": "success"}
        assert (report["status"], list(report["metrics"])) == ("success", ["durationMs"])

    def test_a_hook_that_fails_has_its_status(self, snap, lambda_):
        function = snap(
            "from snapshot_restore_py import register_after_restore\n"
            "def bad():\n    raise ValueError('cannot wake')\nregister_after_restore(bad)\n"
            "def handler(event, context):\n    return 1\n",
            LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "WARN"},
        )
        snap.wait(function)
        with pytest.raises(lambda_.exceptions.SnapStartException):
            function.invoke(Qualifier="1")
        (_, told), (_, report) = self.records(function)
        assert told == {"status": "error", "errorType": "Runtime.AfterRestoreError"}
        assert (report["status"], report["errorType"]) == ("error", "Runtime.AfterRestoreError")


class TestWhatForkCannotCarry:
    def test_threads_mean_plain_init_and_the_log_says_so(self, snap):
        function = snap(
            "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
            "from snapshot_restore_py import register_after_restore\nhooks = []\n"
            "register_after_restore(hooks.append, 'after')\n"
            "def handler(event, context):\n    return hooks\n"
        )
        assert snap.wait(function)["State"] == "Active"
        result = function.invoke(Qualifier="1")
        assert json.loads(result.body) == ["after"]
        messages = function.messages()
        assert any("initialises the function anew: init left 1 threads running" in message for message in messages)
        kinds = [message.split(" ")[0] for message in messages if message.startswith(("INIT_", "RESTORE_", "START "))]
        assert kinds[-5:] == ["INIT_START", "INIT_REPORT", "RESTORE_START", "RESTORE_REPORT", "START"]
        assert re.search(r"\tInit Duration: [\d.]+ ms\tRestore Duration: [\d.]+ ms\t", result.tail)

    def test_nor_can_it_a_registered_extension(self, snap, lambda_, ended):
        """One that the function's own code registers, without a thread: the API knows it in one environment only."""
        function = snap(
            "import http.client, json, os\n"
            "connection = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])\n"
            "connection.request('POST', '/2020-01-01/extension/register', json.dumps({'events': []}),\n"
            "                   {'Lambda-Extension-Name': 'inside'})\n"
            "connection.getresponse().read()\n"
            "def handler(event, context):\n    return 'never, since it does not ask for an event'\n",
            Timeout=1,
        )
        assert snap.wait(function)["State"] == "Active"
        lambda_.invoke(FunctionName=function.name, Qualifier="1", InvocationType="Event")
        ended(function, "initialises the function anew: its extensions (inside)")

    @pytest.mark.parametrize(
        ("code", "options"),
        [
            ("", {"Environment": {"Variables": {"PYTHONHASHSEED": "1"}}}),
            (
                "import os, sys\nif 'AGAIN' not in os.environ:\n    os.environ['AGAIN'] = '1'\n"
                "    os.execv(sys.executable, [sys.executable, '/var/runtime/bootstrap.py'])\n",
                {},
            ),
        ],
        ids=["variable", "code"],
    )
    def test_nor_can_it_an_interpreter_that_was_started_anew(self, snap, code, options):
        """Of a variable that counts only at a process's start, say."""
        function = snap(code + "def handler(event, context):\n    return hash('a')\n", **options)
        assert snap.wait(function)["State"] == "Active"
        assert isinstance(function(Qualifier="1"), int)
        assert any("its interpreter had to be started anew" in message for message in function.messages())

    def test_a_hook_that_fails_is_told_as_after_a_fork(self, snap, lambda_):
        thread = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        function = snap(thread + HOOK_THAT_FAILS)
        snap.wait(function)
        with pytest.raises(lambda_.exceptions.SnapStartException, match="cannot wake"):
            function.invoke(Qualifier="1")


class TestFailures:
    def test_an_init_that_fails_makes_the_version_fail(self, snap, lambda_, eventually):
        function = snap("raise RuntimeError('no')\n")

        def shown():
            return lambda_.get_function_configuration(FunctionName=function.name, Qualifier="1")

        eventually(lambda: shown()["State"] == "Failed")
        assert shown()["StateReasonCode"] == "FunctionError.RuntimeInitError"
        assert "RuntimeError: no" in shown()["StateReason"]
        with pytest.raises(lambda_.exceptions.ResourceConflictException):
            function.invoke(Qualifier="1")

    def test_a_failing_hook_is_told_to_the_caller(self, snap, lambda_):
        function = snap(HOOK_THAT_FAILS)
        snap.wait(function)
        with pytest.raises(lambda_.exceptions.SnapStartException, match="cannot wake"):
            function.invoke(Qualifier="1")


class TestRestart:
    def test_snapshots_are_made_again(self, start_server, tmp_path, zipped, eventually):
        server = start_server(tmp_path)
        client = server.client("lambda")
        client.create_function(
            FunctionName="f",
            Runtime="python3.12",
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/tester",
            Code={"ZipFile": zipped({"app.py": SOURCE})},
            MemorySize=512,
            Timeout=10,
            SnapStart={"ApplyOn": "PublishedVersions"},
            Publish=True,
        )
        client.get_waiter("published_version_active").wait(FunctionName="f", Qualifier="1", WaiterConfig={"Delay": 0.1})
        assert server.stop() == 0
        server = start_server(tmp_path)
        client, logs = server.client("lambda"), server.client("logs")

        def inits():
            events = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='"init runs"')["events"]
            return len(events) >= 2

        eventually(inits)
        answer = json.loads(client.invoke(FunctionName="f", Qualifier="1")["Payload"].read())
        assert answer["hooks"] == ["before_too", "before", "after"]


class TestLatest:
    """``--snapstart-latest``: beyond AWS, ``$LATEST`` has a snapshot, too."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory):
        return tmp_path_factory.mktemp("latest")

    @pytest.fixture(scope="class")
    @classmethod
    def make(cls, start_server, folder, make_function, isolated):
        running = cls.server = start_server(folder, "--snapstart-latest")
        client, logs = running.client("lambda"), running.client("logs")

        def function(source):
            return make_function(source, client=client, logs_client=logs, SnapStart={"ApplyOn": "PublishedVersions"})

        return function

    SOURCE = """
import os, uuid
loaded = uuid.uuid4().hex
def handler(event, context):
    if event == "exit":
        os._exit(1)
    return ["FORM", loaded, os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]]
"""

    @staticmethod
    def restored(function, eventually):
        """The answer of an environment that was forked just now."""

        def ask():
            function.invoke("exit")  # the next one is another, once there is a snapshot
            result = function.invoke()
            return result.body if "Restore Duration" in result.tail else None

        return json.loads(eventually(ask))

    def test_environments_are_forked_and_an_update_makes_a_new_snapshot(self, make, eventually, zipped):
        function = make(self.SOURCE)
        first, second = (self.restored(function, eventually) for _ in range(2))
        assert first == second
        assert first[2] == "snap-start"
        code = zipped({"app.py": self.SOURCE.replace("FORM", "NEW FORM")})
        function.client.update_function_code(FunctionName=function.name, ZipFile=code)
        function.client.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 0.05})
        assert function()[0] == "NEW FORM", "never the old snapshot"
        third = self.restored(function, eventually)
        assert third[0] == "NEW FORM"
        assert third[1] != first[1]

    def test_threads_mean_plain_init_and_the_log_says_so(self, make):
        function = make(
            "import threading, time\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
            "def handler(event, context):\n    time.sleep(0.3)\n    return 'ok'\n"
        )
        for count in range(1, 9):  # each round needs one environment more than the one before
            with ThreadPoolExecutor(count) as callers:
                assert [*callers.map(function, [None] * count)] == ["ok"] * count
            if any(re.match(r"SNAPSTART\t.*thread", message) for message in function.messages()):
                return
        raise AssertionError("no environment's log tells why it was not forked")


TRY = r"""
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)

def attempt(call):
    try:
        answer = call()
    except OSError as error:
        return error.strerror
    return os.strerror(ctypes.get_errno()) if isinstance(answer, int) and answer < 0 else "allowed"

def raw(kind, protocol):
    with socket.socket(kind, socket.SOCK_RAW, protocol):
        return 0

def all_capabilities():
    # capset(2): every capability, permitted, effective and inheritable
    header = ctypes.create_string_buffer((0x20080522).to_bytes(4, "little") + bytes(4), 8)
    return libc.capset(header, ctypes.create_string_buffer(b"\xff" * 24, 24))

own = os.open("/proc/self/ns/mnt", os.O_RDONLY)

def tried():
    of_pid_1 = os.pidfd_open(1)
    every = 0x7E020000
    return {
        "mount": attempt(lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
        "bind": attempt(lambda: libc.mount(b"/tmp", b"/opt", None, 4096, None)),
        "umount": attempt(lambda: libc.umount2(b"/proc", 2)),
        "unshare": attempt(lambda: libc.unshare(0x00020000)),
        "unshare user": attempt(lambda: libc.unshare(0x10000000)),
        "clone user": attempt(lambda: libc.syscall(56, 0x10000011, 0, 0, 0, 0)),
        "setns": attempt(lambda: libc.setns(own, 0)),
        "setns pid 1": attempt(lambda: libc.setns(of_pid_1, every)),
        "pivot_root": attempt(lambda: libc.syscall(155, b"/tmp", b"/tmp")),
        "chroot": attempt(lambda: libc.chroot(b"/tmp")),
        "host name": attempt(lambda: libc.sethostname(b"mine", 4)),
        "raw socket": attempt(lambda: raw(socket.AF_INET, socket.IPPROTO_ICMP)),
        "packet socket": attempt(lambda: raw(socket.AF_PACKET, 0)),
        "device": attempt(lambda: libc.mknod(b"/tmp/kmsg", 0o20600, os.makedev(1, 11))),
        "ptrace": attempt(lambda: libc.ptrace(16, 1, 0, 0)),
        "traced": attempt(lambda: libc.ptrace(0, 0, 0, 0)),
        "bpf": attempt(lambda: libc.syscall(321, 0, 0, 0)),
        "capabilities": attempt(all_capabilities),
        "privileged port": attempt(lambda: socket.socket().bind(("127.0.0.1", 80))),
    }

def held():
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    return {name: status[name] for name in status if name.startswith("Cap") or name in ("NoNewPrivs", "Seccomp")}
"""
NOTHING = dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16) | {
    "NoNewPrivs": "1",
    "Seccomp": "2",
}


class TestIsolation:
    """The code of a version has no privilege: not in its init, not in its hooks, not in its handler."""

    @pytest.fixture(scope="class")
    @classmethod
    def answer(cls, snap):
        function = snap(
            TRY + "from snapshot_restore_py import register_after_restore, register_before_snapshot\n"
            "seen = {'init': [held(), tried()]}\n"
            "register_before_snapshot(lambda: seen.update(before=[held(), tried()]))\n"
            "register_after_restore(lambda: seen.update(after=[held(), tried()]))\n"
            "def handler(event, context):\n    return {**seen, 'handler': [held(), tried()]}\n"
        )
        assert snap.wait(function)["State"] == "Active"
        result = function.invoke(Qualifier="1")
        assert "Restore Duration" in result.tail, "it was forked"
        return json.loads(result.body)

    @pytest.mark.parametrize("where", ["init", "before", "after", "handler"])
    def test_no_capability_and_no_call_that_takes_one(self, answer, where):
        holds, tried = answer[where]
        assert holds == NOTHING
        expected = dict.fromkeys(tried, "Operation not permitted") | {"privileged port": "Permission denied"}
        assert tried == expected

    GRASP = """
import os, signal
from awslambdaric import lambda_runtime_client as client
serve = client.LambdaRuntimeClient.restore_next.__closure__[0].cell_contents
guest = serve.__func__.__globals__  # the code that forks environments is in reach of who looks for it
kernel, clear = guest["kernel"], guest["kernel"].clear_capabilities
def handler(event, context):
    return "ran"
"""

    @pytest.mark.parametrize(
        "code",
        [
            "kernel.clear_capabilities = kernel.drop_capability_bounds = lambda: None\n",
            "def leave_one():\n    if os.fork() == 0:\n        signal.pause()\n    clear()\n"
            "kernel.clear_capabilities = leave_one\n",
            "def swap(descriptor, kinds):\n"
            "    if os.fork() == 0:\n        signal.pause()\n"
            "    enter(descriptor, kinds)\n"
            "enter, kernel.set_namespace = kernel.set_namespace, swap\n",
            "def elsewhere(descriptor, kinds):\n    enter(os.pidfd_open(1), kinds)\n"
            "enter, kernel.set_namespace = kernel.set_namespace, elsewhere\n",
            "def fewer(descriptor, kinds):\n    enter(descriptor, kinds & ~0x40000000)\n"
            "enter, kernel.set_namespace = kernel.set_namespace, fewer\n",
        ],
        ids=["keeps-them", "leaves-one-that-has-them", "not-alone", "another-place", "not-all"],
    )
    def test_a_fork_that_would_keep_some_is_never_asked_anything(self, snap, lambda_, code):
        """Code that changes how environments are forked harms nobody but its own version."""
        function = snap(self.GRASP + code)
        assert snap.wait(function)["State"] == "Active"
        with pytest.raises(lambda_.exceptions.ServiceException):
            function.invoke(Qualifier="1")

    def test_what_the_kernel_gives_for_a_moment_is_of_no_use(self, snap):
        """Code that runs where a fork has just entered its environment holds capabilities, and can do nothing more."""
        function = snap(
            TRY
            + self.GRASP
            + """
import fcntl, struct
seen = {}
def look_into(name):
    with open("/proc/1/" + name, "rb") as file:
        return len(file.read(1))
def address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        name = struct.pack("16sHH4s8x", b"lo", socket.AF_INET, 0, socket.inet_aton("10.9.8.7"))
        return len(fcntl.ioctl(control, 0x8916, name))
def at_the_door():
    data = ctypes.create_string_buffer(24)
    libc.capget(ctypes.create_string_buffer((0x20080522).to_bytes(4, "little") + bytes(4), 8), data)
    seen.update(tried(), held=data.raw[:4].hex(), memory=attempt(lambda: look_into("mem")), address=attempt(address),
                descriptors=attempt(lambda: os.readlink("/proc/1/fd/0")))
    clear()
kernel.drop_capability_bounds = lambda: None
kernel.clear_capabilities = at_the_door
def handler(event, context):
    return seen, held()
"""
        )
        assert snap.wait(function)["State"] == "Active"
        # The window is in the process that forks the runtime, so what it saw is there in the fork.
        seen, afterwards = function(Qualifier="1")
        assert seen.pop("held") == "ffffffff", "else there is nothing to be tested"
        assert seen.pop("capabilities") == "allowed", "it has them all"
        refused = dict.fromkeys(seen, "Operation not permitted") | dict.fromkeys(
            ("memory", "descriptors", "privileged port"), "Permission denied"
        )
        assert seen == refused
        assert afterwards == NOTHING | {"CapBnd": afterwards["CapBnd"]}

    def test_a_template_that_ends_leaves_a_version_that_is_initialised_anew(self, snap, lambda_, eventually):
        function = snap(
            "import os\nos.fork = lambda: -1  # no child to wait for: the template ends with an exception\n"
            "def handler(event, context):\n    return 'ran'\n"
        )
        assert snap.wait(function)["State"] == "Active"

        def answer():
            try:
                return function(Qualifier="1")
            except lambda_.exceptions.ServiceException:
                return None  # it was still being forked

        assert eventually(answer) == "ran"

    def test_processes_that_init_left_cannot_be_forked(self, snap):
        function = snap(
            "import subprocess\nsubprocess.Popen(['sleep', '600'])\ndef handler(event, context):\n    return 'ok'\n"
        )
        assert snap.wait(function)["State"] == "Active"
        assert function(Qualifier="1") == "ok"
        assert any("init left 1 processes running" in message for message in function.messages())

    def test_the_end_of_its_runtime_is_told_as_ever(self, snap):
        """Whose parent is not pid 1: exit status and signal reach the caller all the same."""
        function = snap(
            "import os, signal\ndef handler(event, context):\n"
            "    os._exit(event) if event > 0 else os.kill(os.getpid(), -event)\n"
        )
        snap.wait(function)
        for event, text in ((3, "exit status 3"), (-11, "signal: segmentation fault"), (-9, "signal: killed")):
            told = json.loads(function.invoke(event, Qualifier="1").body)
            assert told["errorType"] == "Runtime.ExitError"
            assert told["errorMessage"].endswith(f"Error: Runtime exited with error: {text}")
