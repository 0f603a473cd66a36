"""A hostile function: what it must not see, reach, change or end."""

import json
import os
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("isolated")

RUN = """
import json, os, subprocess, sys, traceback

def attempt(code):
    scope = {}
    try:
        exec(code, globals(), scope)
        return scope.get("result", "done")
    except BaseException as error:
        return "%s: %s" % (type(error).__name__, error)

def handler(event, context):
    return [attempt(code) for code in event]
"""


@pytest.fixture(scope="module")
def hostile(make_function):
    """Runs statements; answers what each left in ``result``, or the exception it met."""
    return make_function(RUN, MemorySize=1024, Timeout=30)


def syscall(expression):
    """Code that makes a call of libc and tells the error it got."""
    return (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"answer = {expression}\nresult = os.strerror(ctypes.get_errno()) if answer < 0 else 'allowed'\n"
    )


class TestFiles:
    def test_the_hosts_files_are_not_there(self, hostile, server):
        """No shadow file, no home, no data folder, no keys, no other function's code, no other runtime's files."""
        secrets = [
            "/etc/shadow",
            "/root/.ssh",
            str(server.data_dir),
            str(server.data_dir / "credentials"),
            "/var/lib",
            "/sys",
            "/boot",
            "/etc/machine-id",
            str(Path(__file__)),
        ]
        answers = hostile([f"result = os.path.exists({path!r})" for path in secrets])
        assert dict(zip(secrets, answers, strict=True)) == dict.fromkeys(secrets, False)

    def test_nothing_of_the_zygotes_is_left(self, hostile):
        """Where it found all functions' code there are empty folders now."""
        (files,) = hostile(
            ["result = [size for _, _, names in os.walk('/run') for size in names if size != '__init__.py']"]
        )
        assert files == []

    def test_passwd_names_the_sandboxs_own_users(self, hostile):
        (text,) = hostile(["result = open('/etc/passwd').read()"])
        assert [line.split(":")[0] for line in text.splitlines()] == ["root", "sbx_user1051", "nobody"]

    def test_mounts_name_no_folder_of_the_host(self, hostile, server):
        """Not even as a text in /proc."""
        (mounts,) = hostile(["result = open('/proc/self/mountinfo').read()"])
        targets = [line.split()[4] for line in mounts.splitlines()]
        allowed = (
            "/",
            "/proc",
            "/dev/",
            "/usr/",
            "/lib",
            "/bin",
            "/sbin",
            "/etc/",
            "/var/task",
            "/var/lang/",
            "/var/runtime/",
            "/opt",
            "/tmp",
        )
        assert [target for target in targets if not (target == "/" or target.startswith(allowed[1:]))] == []

    def test_another_functions_code_is_not_there(self, hostile, make_function):
        needle = uuid.uuid4().hex
        make_function(f"SECRET = {needle!r}\ndef handler(event, context):\n    return SECRET\n")()
        code = f"""
needle = {needle[:16]!r} + {needle[16:]!r}
found = []
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = [name for name in folders if name not in ("proc", "usr", "lib", "lib64", "dev")]
    if folder == "/var":
        folders.remove("lang")
    for name in files:
        try:
            with open(os.path.join(folder, name), "rb") as file:
                if needle.encode() in file.read():
                    found.append(os.path.join(folder, name))
        except OSError:
            pass
result = found
"""
        assert hostile([code]) == [[]]

    def test_code_and_layers_cannot_be_changed(self, hostile):
        paths = [
            "/var/task/app.py",
            "/opt/x",
            "/var/runtime/bootstrap",
            "/var/lang/bin/python3.12",
            "/etc/passwd",
            "/usr/bin/env",
        ]
        answers = hostile([f"open({path!r}, 'ab')" for path in paths])
        refused = ("Read-only file system", "Permission denied")
        assert [
            path for path, answer in zip(paths, answers, strict=True) if not any(w in answer for w in refused)
        ] == []

    def test_modes_and_owners_cannot_be_changed(self, hostile):
        answers = hostile(
            ["os.chmod('/var/task/app.py', 0o777)", "os.chown('/tmp', 0, 0)", "os.rename('/var/task', '/x')"]
        )
        assert all(answer.startswith(("OSError", "PermissionError")) for answer in answers)

    def test_no_device_can_be_made(self, hostile):
        answers = hostile(
            ["os.mknod('/tmp/disk', 0o60666, os.makedev(8, 0))", "os.mknod('/tmp/null', 0o20666, os.makedev(1, 3))"]
        )
        assert all(answer.startswith("PermissionError") for answer in answers)

    def test_only_harmless_devices_are_there(self, hostile):
        (names,) = hostile(["result = sorted(os.listdir('/dev'))"])
        assert names == ["fd", "full", "null", "random", "stderr", "stdin", "stdout", "urandom", "zero"]


class TestPrivileges:
    def test_no_capability_and_none_to_be_had(self, hostile):
        (status,) = hostile(["result = open('/proc/self/status').read()"])
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[kind], 16) == 0, kind
        assert fields["NoNewPrivs"] == "1"
        assert fields["Seccomp"] == "2"
        assert set(fields["Uid"].split()) == {"993"}
        # An ordinary user may not change groups: nothing is left of the user's but the one that is shown as 990.
        assert fields["Groups"].strip() in ("", "65534", "990")

    def test_setuid_programs_give_nothing(self, hostile):
        """What has the bit on the host does not become root here."""
        answers = hostile(
            [
                "result = subprocess.run(['/usr/bin/su', '-c', 'id -u'], capture_output=True, input=b'').returncode",
                "os.setuid(0)",
                "os.setgroups([0])",
                "result = [line.split()[3].split(',') for line in open('/proc/self/mounts')"
                " if 'nosuid' not in line.split()[3] and line.split()[2] not in ('devtmpfs',)]",
            ]
        )
        assert answers[0] != 0
        # In an ordinary user's namespace there is no user 0 at all, which is an invalid argument.
        assert answers[1].startswith(("PermissionError", "OSError: [Errno 22]"))
        assert answers[2].startswith("PermissionError")
        assert answers[3] == []

    @pytest.mark.parametrize(
        "call",
        [
            "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
            "libc.umount2(b'/proc', 2)",
            "libc.unshare(0x10000000)",
            "libc.unshare(0x00020000)",
            "libc.chroot(b'/tmp')",
            "libc.ptrace(16, 1, 0, 0)",
            "libc.ptrace(0, 0, 0, 0)",
            "libc.setns(0, 0)",
            "libc.syscall(155, b'/', b'/')",
            "libc.syscall(246, 0, 0, 0, 0)",
            "libc.syscall(321, 0, 0, 0)",
            "libc.syscall(250, 0, 0, 0)",
            "libc.syscall(298, 0, 0, -1, -1, 0)",
            "libc.syscall(425, 8, 0)",
            "libc.syscall(323, 0)",
            "libc.syscall(310, 1, 0, 0, 0, 0, 0)",
            "libc.sethostname(b'mine', 4)",
            "libc.reboot(0)",
            "libc.swapon(b'/tmp/x', 0)",
            "libc.syscall(56, 0x10000011, 0, 0, 0, 0)",
            "libc.syscall(175, 0, 0, 0)",
        ],
    )
    def test_the_kernels_interfaces_are_closed(self, hostile, call):
        """mount, namespaces, chroot, tracing, modules, keys, BPF, io_uring and their like."""
        assert hostile([syscall(call)]) == ["Operation not permitted"]


class TestProcesses:
    def test_only_its_own_are_seen(self, hostile):
        (found,) = hostile(["result = sorted(int(name) for name in os.listdir('/proc') if name.isdigit())"])
        assert len(found) == 2
        assert found[0] == 1

    def test_pid_1_is_out_of_reach(self, hostile, isolated):
        """No signal, no environment, no memory, no descriptors.

        An ordinary user's namespaces have that one user, so the kernel takes the signal, and does not deliver it.
        """
        answers = hostile(
            [
                "os.kill(1, 9)",
                "result = open('/proc/1/environ', 'rb').read()",
                "result = open('/proc/1/mem', 'rb').read(1)",
                "result = os.readlink('/proc/1/fd/0')",
                "result = os.readlink('/proc/1/root')",
                "result = open('/proc/1/maps').read(1)",
            ]
        )
        signalled, *looked_into = [answer.partition(":")[0] for answer in answers]
        assert signalled == ("done" if isolated.mode == "user" else "PermissionError")
        assert looked_into == ["PermissionError"] * 5
        assert hostile(["result = 'alive'"]) == ["alive"]

    def test_killing_everybody_ends_only_itself(self, hostile, make_function):
        """A neighbour in the middle of an invoke does not notice."""
        neighbour = make_function(
            "import time\ndef handler(event, context):\n    time.sleep(1)\n    return 'unharmed'\n"
        )
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(neighbour)
            hostile.invoke(["os.kill(-1, 9)"])
            assert running.result() == "unharmed"
        assert hostile(["result = 'again'"]) == ["again"]

    def test_nothing_of_a_server_is_inherited(self, hostile, server):
        """Open descriptors and variables: no control socket, no file, no key of the server."""
        code = """
import socket, struct
result = []
for name in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink("/proc/self/fd/" + name)
        if target.startswith("socket:"):
            opened = socket.socket(fileno=os.dup(int(name)))
            with opened:
                if opened.family == socket.AF_UNIX:
                    maker, _, _ = struct.unpack("3i", opened.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                    target = "its own" if maker == os.getpid() else "of process %d" % maker
                else:
                    target = "%s:%d" % opened.getpeername()
        result.append(target)
    except OSError:
        pass  # the descriptor of the listing itself
"""
        opened, environment = hostile([code, "result = dict(os.environ)"])
        others = [target for target in opened if not target.startswith(("/dev/null", "pipe:", "its own"))]
        assert others in ([], ["169.254.100.1:9001"])
        assert sum(target.startswith("pipe:") for target in opened) <= 3
        assert server.keys()[1] not in json.dumps(environment)

    def test_memory_holds_nothing_of_others(self, make_function, server):
        """A fork sees what its zygote ever held: no key of the server, no code or variable of a function before it.

        What is looked for is passed backwards, so that this function's own memory holds it only if it was inherited.
        """
        source = """
import ctypes, os
def handler(event, context):
    found = set()
    with open("/proc/self/maps") as maps:
        regions = [line.split() for line in maps if " rw" in line]
    for addresses, *_ in regions:
        start, end = (int(part, 16) for part in addresses.split("-"))
        backwards = ctypes.string_at(start, end - start)[::-1]
        found.update(name for name, needle in event.items() if needle.encode() in backwards)
    return sorted(found)
"""
        code, variable, own = (uuid.uuid4().hex for _ in range(3))
        neighbour = make_function(
            f"KEPT = {code!r}\ndef handler(event, context):\n    return KEPT\n",
            Environment={"Variables": {"KEPT": variable}},
        )
        assert neighbour() == code
        curious = make_function(source, MemorySize=1024, Timeout=60, Environment={"Variables": {"OWN": own}})
        needles = {"key": server.keys()[1], "code": code, "variable": variable, "own": own}
        assert curious({name: needle[::-1] for name, needle in needles.items()}) == ["own"]


class TestNetwork:
    def test_the_hosts_loopback_is_not_its_own(self, hostile):
        """A service on the host's 127.0.0.1 is not reached."""
        with socket.create_server(("127.0.0.1", 0)) as service:
            port = service.getsockname()[1]
            reached = threading.Event()

            def accept():
                try:
                    service.accept()[0].close()
                    reached.set()
                except OSError:
                    return

            threading.Thread(target=accept, daemon=True).start()
            (answer,) = hostile([f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=2)"])
            assert answer.startswith("ConnectionRefusedError")
            assert not reached.is_set()
            service.shutdown(socket.SHUT_RDWR)

    def test_abstract_sockets_of_the_host_are_not_there(self, hostile):
        """They have no file: only a network namespace keeps them apart."""
        name = f"firefork-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX) as service:
            service.bind("\0" + name)
            service.listen()
            (answer,) = hostile([f"import socket; s = socket.socket(socket.AF_UNIX); s.connect(chr(0) + {name!r})"])
        assert answer.startswith("ConnectionRefusedError")

    @pytest.mark.parametrize(
        "arguments",
        [
            "socket.AF_INET, socket.SOCK_RAW, 1",
            "socket.AF_PACKET, socket.SOCK_RAW",
            "38, socket.SOCK_SEQPACKET",
            "40, 1",
        ],
    )
    def test_no_raw_packet_crypto_or_host_sockets(self, hostile, arguments):
        (answer,) = hostile([f"import socket; socket.socket({arguments})"])
        assert answer.startswith(("PermissionError", "OSError: [Errno 97]"))

    def test_another_environments_runtime_api_is_not_reached(self, hostile, make_function):
        """The address is the same in each; behind it is each one's own."""
        code = """
import http.client
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=5)
connection.request("POST", "/2018-06-01/runtime/invocation/%s/response", body="stolen")
result = connection.getresponse().status
"""
        neighbour = make_function("import time\ndef handler(event, context):\n    time.sleep(1)\n    return 'mine'\n")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(neighbour.invoke)
            assert hostile([code % "8476a536-e9f4-11e8-9739-2dfe598c3fcd"]) == [400]
            assert running.result().body == b'"mine"'


class TestBombs:
    def test_a_fork_bomb_ends_with_its_function(self, make_function, limited):
        """The process limit holds it, the timeout ends it, nothing of it is left, and others work meanwhile."""
        source = """
import os
def handler(event, context):
    if event.get("bomb"):
        while True:
            try:
                os.fork()
            except OSError:
                pass
    return [name for name in os.listdir("/proc") if name.isdigit() and int(name) > 1 and int(name) != os.getpid()]
"""
        bomb = make_function(source, Timeout=3, MemorySize=1024)
        other = make_function("def handler(event, context):\n    return 'works'\n")
        bomb()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(bomb.invoke, {"bomb": True})
            answers = 0
            while not running.done():
                assert other() == "works"
                answers += 1
            assert running.result().error == "Unhandled"
        assert answers >= 3
        assert bomb() == []

    def test_a_busy_function_leaves_a_quiet_one_its_share(self, make_function, limited):
        """Eight processes of the largest function want every processor; the smallest one is answered all the while."""
        source = """
import os, signal, time
def handler(event, context):
    children = []
    for _ in range(event["processes"]):
        child = os.fork()
        if child == 0:
            while True:
                pass
        children.append(child)
    time.sleep(event["seconds"])
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    used = os.times()
    return used.children_user + used.children_system
"""
        hog = make_function(source, Timeout=60, MemorySize=10_240)
        quiet = make_function("def handler(event, context):\n    return 'works'\n", MemorySize=128)
        assert quiet() == "works"
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(hog, {"processes": 8, "seconds": 3})
            answers = 0
            while not running.done():
                assert quiet() == "works"
                answers += 1
            assert running.result() > 0.5  # seconds of CPU: it was busy indeed
        assert answers >= 10

    def test_memory_of_children_counts(self, make_function, limited):
        """Four children that hold 100 MB each are too many for 256 MB: the kernel ends one of them."""
        source = """
import os, signal
def handler(event, context):
    children = []
    for _ in range(4):
        holds, told = os.pipe()
        child = os.fork()
        if child == 0:
            block = b"x" * (100 << 20)
            os.write(told, b"!")
            signal.pause()
        os.close(told)
        children.append((child, holds))
    answers = [os.read(holds, 1) for _, holds in children]  # nothing from one that was killed
    for child, holds in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(holds)
    return sum(answer == b"!" for answer in answers)
"""
        result = make_function(source, MemorySize=256, Timeout=280).invoke()
        assert result.body in (b"2", b"3") or b"signal: killed" in result.body
        assert make_function(source, MemorySize=1024, Timeout=280)() == 4

    def test_files_in_tmp_end_at_its_size(self, make_function, server):
        """Many files, long names and one big file: ENOSPC, and the server's machine keeps its memory."""
        source = """
import os
def handler(event, context):
    written = 0
    try:
        with open("/tmp/fill", "wb") as file:
            while True:
                written += file.write(b"x" * (1 << 20))
    except OSError as error:
        os.unlink("/tmp/fill")
        return [written >> 20, error.strerror]
"""
        function = make_function(source, MemorySize=3008, Timeout=60)
        written, error = function()
        assert error == "No space left on device"
        assert 500 <= written <= 512
        assert function()[0] == written

    def test_the_number_of_files_in_tmp_is_limited(self, make_function):
        """Empty files take the kernel's memory, too."""
        source = """
import os
def handler(event, context):
    count = 0
    try:
        while True:
            os.close(os.open("/tmp/%d" % count, os.O_CREAT))
            count += 1
    except OSError as error:
        return [count, error.strerror]
"""
        count, error = make_function(source, MemorySize=1769, Timeout=60)()
        assert error == "No space left on device"
        assert 32_768 <= count <= 131_072

    def test_more_connections_than_any_client_needs(self, hostile):
        """A thousand connections to the Runtime API do not keep the function from its answer."""
        code = """
import socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
opened = []
for _ in range(900):
    try:
        opened.append(socket.create_connection((host, int(port)), timeout=.2))
    except OSError:
        break
result = len(opened)
for one in opened:
    one.close()
"""
        assert hostile([code])[0] > 0
        assert hostile(["result = 1"]) == [1]
