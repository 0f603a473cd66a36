"""The network of environments, on machines of the test's own: network namespaces with hosts in them.

The server under test runs inside one of them, so this machine's own network stays as it is.
"""

import contextlib
import ctypes
import itertools
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from firefork.engine.sandbox.firewall import nft_binary

PUBLIC, PRIVATE = "203.0.113.2", "10.77.0.2"
OWN_PUBLIC, OWN_PRIVATE = "203.0.113.1", "10.77.0.1"
PORT = 8000
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_names = itertools.count(1)

PROBE = """
import errno, os, socket

listening = []

def connect(address, port):
    with socket.create_connection((address, port), timeout=8) as connection:
        return {"own": connection.getsockname()[0], "seen": connection.recv(100).decode()}

def send(address, port):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((address, port))
        return {"own": sender.getsockname()[0]}

def resolve(name):
    return sorted({found[4][0] for found in socket.getaddrinfo(name, 80, socket.AF_INET)})

def listen(port):
    listening.append(socket.create_server(("0.0.0.0", port)))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("203.0.113.2", 9))
        own = sender.getsockname()[0]
    socket.create_connection((own, port), timeout=8).close()
    return own

def look():
    with open("/proc/net/route") as routes, open("/proc/net/if_inet6") as addresses:
        return {
            "interfaces": [name for _, name in socket.if_nameindex()],
            "routes": len(routes.readlines()) - 1,
            "ipv6": [line.split()[0] for line in addresses],
            "runtime_api": os.environ["AWS_LAMBDA_RUNTIME_API"],
            "path": os.environ["PATH"],
            "initialization_type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
            "credentials": os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        }

def handler(event, context):
    name, *arguments = event
    try:
        return globals()[name](*arguments)
    except socket.gaierror as error:
        return {"error": str(error)}
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno, str(error))}
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


class Machine:
    """A network namespace."""

    def __init__(self):
        self.name = f"fft{os.getpid()}-{next(_names)}"
        run("ip", "netns", "add", self.name)
        self.path = f"/run/netns/{self.name}"
        self.ip("link", "set", "lo", "up")
        with self.inside():  # a new namespace has what the machine has, where a server may be at work
            Path("/proc/sys/net/ipv4/ip_forward").write_text("0\n")

    def ip(self, *arguments):
        return run("ip", "-n", self.name, *arguments)

    def remove(self):
        run("ip", "netns", "del", self.name)

    def link(self, other, interface, own, address):
        """A wire to another machine, whose end is its eth0."""
        self.ip("link", "add", interface, "type", "veth", "peer", "name", "eth0", "netns", other.name)
        for machine, name, text in ((self, interface, own), (other, "eth0", address)):
            machine.ip("addr", "add", f"{text}/24", "dev", name)
            machine.ip("link", "set", name, "up")

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes, and processes that it starts, are the machine's."""
        with open("/proc/thread-self/ns/net") as home, open(self.path) as there:
            assert _libc.setns(there.fileno(), CLONE_NEWNET) == 0
            try:
                yield self
            finally:
                assert _libc.setns(home.fileno(), CLONE_NEWNET) == 0

    def read(self, path):
        with self.inside():
            return Path(path).read_text().strip()

    def interfaces(self, prefix="ffk"):
        with self.inside():
            return {name for _, name in socket.if_nameindex() if name.startswith(prefix)}

    def traces(self):
        """All that servers have made of it."""
        return {
            "interfaces": self.interfaces(),
            "routes": [line for line in self.ip("route", "show", "table", "all").splitlines() if "ffk" in line],
            "tables": run("nsenter", f"--net={self.path}", nft_binary(), "list", "tables"),
            "forwarding": self.read("/proc/sys/net/ipv4/ip_forward"),
        }

    NO_TRACES = {"interfaces": set(), "routes": [], "tables": "", "forwarding": "0"}  # noqa: RUF012


class Services:
    """Servers in namespaces, on threads of this process."""

    def __init__(self):
        self._open = []

    def greet(self, machine, address="0.0.0.0", port=PORT):
        """Tells every caller the address that it is seen with."""
        self._listen(machine, address, port, lambda stream, caller: stream.sendall(caller[0].encode()))

    def resolve(self, machine, address, answers):
        """A name server. Names that begin with ``big.`` are only answered on a stream (RFC 1035, TC bit)."""
        with machine.inside():
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((address, 53))
        self._open.append(datagrams)

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    query, sender = datagrams.recvfrom(4096)
                    if not query:  # shut down
                        return
                    datagrams.sendto(answer(query, answers, truncate=query[12:].startswith(b"\x03big")), sender)

        threading.Thread(target=serve, daemon=True).start()

        def serve_stream(stream, _):
            (size,) = struct.unpack("!H", stream.recv(2))
            data = answer(stream.recv(size), answers)
            stream.sendall(struct.pack("!H", len(data)) + data)

        self._listen(machine, address, 53, serve_stream)

    def _listen(self, machine, address, port, serve):
        with machine.inside():
            listener = socket.create_server((address, port))
        self._open.append(listener)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    stream, caller = listener.accept()
                    with stream:
                        serve(stream, caller)

        threading.Thread(target=accept, daemon=True).start()

    def close(self):
        for listener in self._open:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts on it
            listener.close()


def answer(query, addresses, truncate=False):
    """RFC 1035: the A records of a name, or NXDOMAIN."""
    labels, position = [], 12
    while size := query[position]:
        labels.append(query[position + 1 : position + 1 + size].decode())
        position += size + 1
    question = query[12 : position + 5]
    (kind,) = struct.unpack_from("!H", query, position + 1)
    known = addresses.get(".".join(labels))
    code = 0x8180 | (0x0200 if truncate else 0) | (0 if known else 3)
    records = b""
    if known and kind == 1 and not truncate:
        records = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(known)
    return query[:2] + struct.pack("!HHHHH", code, 1, 1 if records else 0, 0, 0) + question + records


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """``world.host``, where servers run, wired to a public machine and to one in a private network."""
    if os.geteuid() != 0:
        pytest.skip("only root can make network namespaces")
    for command in ("ip", "nsenter", "unshare"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed: run scripts/system-packages")
    if nft_binary() is None:
        pytest.skip("nft is not installed: run scripts/system-packages")
    machines = []

    class World:
        services = Services()
        name_settings = tmp_path_factory.mktemp("names") / "resolv.conf"

        def machine(self):
            machines.append(Machine())
            return machines[-1]

        def within(self, machine=None):
            """The command that runs a server on a machine, with name settings of its own."""
            script = 'mount --bind "$1" /etc/resolv.conf && shift && exec nsenter "$@"'
            place = f"--net={(machine or self.host).path}"
            return ["unshare", "--mount", "sh", "-c", script, "sh", str(self.name_settings), place]

    world = World()
    world.name_settings.write_text(f"nameserver {PUBLIC}\n")
    try:
        world.host, world.public, world.private = (world.machine() for _ in range(3))
        world.host.link(world.public, "outside", OWN_PUBLIC, PUBLIC)
        world.host.link(world.private, "inside", OWN_PRIVATE, PRIVATE)
        world.host.ip("-6", "addr", "add", "2001:db8::1/64", "dev", "outside", "nodad")
        world.public.ip("-6", "addr", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
        world.services.greet(world.public)
        world.services.greet(world.private)
        world.services.greet(world.host)
        world.services.resolve(world.public, PUBLIC, {"site.example": PUBLIC, "big.example": PUBLIC})
        yield world
    finally:
        world.services.close()
        for machine in machines:
            machine.remove()


@pytest.fixture(scope="module")
def start(world, start_server, tmp_path_factory):
    """Starts a server on a machine; those still running end with the module."""
    servers = []

    def start(*options, machine=None, data_dir=None, prefix=(), **named):
        folder = data_dir or tmp_path_factory.mktemp("server")
        # Not on loopback, roles that do not exist would be refused; these tests are not about roles.
        within = prefix or world.within(machine)
        servers.append(start_server(folder, "--iam", "relaxed", *options, prefix=within, **named))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def probe(world, make_function):
    """Makes a function on a server that does as its event says; with ``snap_start`` a published version of it."""

    def make(server, machine=None, snap_start=False):
        machine = machine or world.host
        options, qualifier = {}, {}
        if snap_start:
            options["SnapStart"] = {"ApplyOn": "PublishedVersions"}
        with machine.inside():
            client, logs = server.client("lambda"), server.client("logs")
            function = make_function(PROBE, client=client, logs_client=logs, **options)
            if snap_start:
                qualifier["Qualifier"] = client.publish_version(FunctionName=function.name)["Version"]
                waiter = client.get_waiter("published_version_active")
                waiter.wait(FunctionName=function.name, **qualifier, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600})

        def call(*event):
            with machine.inside():
                return function(list(event), **qualifier)

        def log():
            with machine.inside():
                return "".join(function.messages())

        call.log = log
        call.delete = lambda: client.delete_function(FunctionName=function.name)
        return call

    return make


@pytest.fixture(scope="module")
def nat(start):
    return start("--network", "nat", "--host", OWN_PUBLIC)


@pytest.fixture(scope="module")
def function(nat, probe):
    return probe(nat)


class TestNat:
    def test_reaches_public_hosts_with_the_machines_address(self, function):
        """A function has an address of its own; the other host sees the machine's."""
        answer = function("connect", PUBLIC, PORT)
        assert answer["seen"] == OWN_PUBLIC
        assert answer["own"].startswith(("198.18.", "198.19."))

    def test_refuses_private_networks_at_once(self, function):
        assert function("connect", PRIVATE, PORT) == {"error": "EHOSTUNREACH"}

    @pytest.mark.parametrize("address", [OWN_PUBLIC, OWN_PRIVATE])
    def test_refuses_the_machines_own_addresses(self, function, address):
        assert function("connect", address, PORT) == {"error": "EHOSTUNREACH"}

    def test_refuses_the_servers_port(self, function, nat):
        """The way to the API is AWS_ENDPOINT_URL."""
        port = int(nat.endpoint.rpartition(":")[2])
        assert function("connect", OWN_PUBLIC, port) == {"error": "EHOSTUNREACH"}

    def test_has_a_loopback_of_its_own(self, function):
        """The machine listens on this port of all its addresses, loopback included."""
        assert function("connect", "127.0.0.1", PORT) == {"error": "ECONNREFUSED"}

    def test_cannot_leave_the_refused_range_by_another_spelling(self, function):
        """Addresses that some systems take for their own: this network, instance metadata."""
        assert function("connect", "0.0.0.0", PORT) == {"error": "ECONNREFUSED"}
        assert function("connect", "169.254.169.254", 80) == {"error": "ECONNREFUSED"}

    def test_has_no_ipv6_outside_of_its_loopback(self, function):
        """Neither an address nor a route: what is refused by IPv4 address cannot be had by an IPv6 one."""
        assert function("look")["ipv6"] == ["00000000000000000000000000000001"]
        assert function("send", "2001:db8::2", PORT) == {"error": "ENETUNREACH"}

    def test_refuses_another_environment(self, function, nat, probe):
        """Neither what it listens on nor its Runtime API or endpoint."""
        address = probe(nat)("listen", 9999)
        for port in (9999, 9001, 4566, 53):
            assert function("connect", address, port) == {"error": "EHOSTUNREACH"}

    def test_refuses_callers_from_outside(self, world, nat, probe):
        """Environments are not reachable, neither from the machine nor through it."""
        address = probe(nat)("listen", 9998)
        world.public.ip("route", "add", "198.18.0.0/15", "via", OWN_PUBLIC)
        for machine in (world.host, world.public):
            with machine.inside(), pytest.raises(OSError, match="timed out"):
                socket.create_connection((address, 9998), timeout=0.5)

    def test_machines_beside_it_do_not_get_a_router(self, world, nat):
        """Forwarding had been off: what the neighbours send through this machine is dropped, as it was before."""
        assert world.host.read("/proc/sys/net/ipv4/ip_forward") == "1"
        world.private.ip("route", "add", "203.0.113.0/24", "via", OWN_PRIVATE)
        world.public.ip("route", "add", "10.77.0.0/24", "via", OWN_PUBLIC)
        with world.private.inside(), pytest.raises(OSError, match="timed out"):
            socket.create_connection((PUBLIC, PORT), timeout=0.5)

    def test_an_ended_environments_link_is_gone(self, world, nat, probe, eventually):
        ended = probe(nat)
        address = ended("connect", PUBLIC, PORT)["own"]
        words = world.host.ip("route", "show", address).split()
        link = words[words.index("dev") + 1]
        assert link in world.host.interfaces()
        with world.host.inside():
            ended.delete()
        eventually(lambda: link not in world.host.interfaces())


class TestAddresses:
    def test_are_given_back_by_environments_that_ended(self, world, start, probe, eventually):
        """A range of one address holds one environment at a time; whoever comes second is told why."""
        server = start("--network", "nat", "--network-range", "10.66.0.1/32", "--spares", "0")
        first, second = probe(server), probe(server)
        assert first("connect", PUBLIC, PORT)["own"] == "10.66.0.1"
        with pytest.raises(ClientError, match=r"all addresses of 10\.66\.0\.1/32 are in use"):
            second("look")
        with world.host.inside():
            first.delete()

        def served():
            with contextlib.suppress(ClientError):
                return second("connect", PUBLIC, PORT)
            return None

        assert eventually(served)["own"] == "10.66.0.1"


class TestSnapStart:
    def test_a_restored_environment_has_a_link_of_its_own(self, nat, probe):
        """Its namespace is made by a process without privileges of the machine; the rules are the same."""
        function = probe(nat, snap_start=True)
        assert function("look")["initialization_type"] == "snap-start"
        assert function("connect", PUBLIC, PORT)["seen"] == OWN_PUBLIC
        assert function("connect", PRIVATE, PORT) == {"error": "EHOSTUNREACH"}
        assert function("look")["ipv6"] == ["00000000000000000000000000000001"]
        assert function("resolve", "site.example") == [PUBLIC]
        assert "initialises the function anew" not in function.log()


class TestNames:
    def test_are_resolved_by_the_machines_name_server(self, function):
        assert function("resolve", "site.example") == [PUBLIC]

    def test_that_do_not_exist_are_not_found(self, function):
        assert "not known" in function("resolve", "nothing.example")["error"]

    def test_with_long_answers_are_asked_for_on_a_stream(self, function):
        """The answer to the datagram says that it is cut short; the resolver asks again over TCP."""
        assert function("resolve", "big.example") == [PUBLIC]

    def test_are_resolved_by_a_server_on_the_machines_loopback(self, world, function):
        """systemd-resolved and other local resolvers listen where functions reach nothing."""
        world.services.resolve(world.host, "127.0.0.53", {"local.example": PUBLIC})
        settings = world.name_settings.read_text()
        try:
            world.name_settings.write_text("nameserver 127.0.0.53\n")
            assert function("resolve", "local.example") == [PUBLIC]
            # The first does not answer: the next one is asked.
            world.name_settings.write_text("nameserver 127.0.0.54\nnameserver 127.0.0.53\n")
            assert function("resolve", "local.example") == [PUBLIC]
            world.name_settings.write_text("nameserver 127.0.0.54\n")
            assert "Temporary failure" in function("resolve", "local.example")["error"]
        finally:
            world.name_settings.write_text(settings)


class TestAllowedNetworks:
    def test_are_reached(self, start, probe):
        """--allow-network opens what it names, private hosts and the machine's own address in it, and no more."""
        allowed = {"FIREFORK_ALLOW_NETWORK": "192.168.7.1:10.77.0.0/24"}
        function = probe(start("--network", "nat", "--network-range", "10.99.0.0/16", environment=allowed))
        private = function("connect", PRIVATE, PORT)
        assert private["own"].startswith("10.99.")
        assert private["seen"] == OWN_PRIVATE
        assert function("connect", OWN_PRIVATE, PORT)["seen"] == private["own"]
        assert function("connect", OWN_PUBLIC, PORT) == {"error": "EHOSTUNREACH"}


class TestNone:
    def test_has_no_way_out(self, start, probe):
        function = probe(start("--network", "none"))
        look = function("look")
        assert (look["interfaces"], look["routes"]) == (["lo"], 0)
        assert function("connect", PUBLIC, PORT) == {"error": "ENETUNREACH"}
        assert "error" in function("resolve", "site.example")


class TestHost:
    def test_shares_the_machines_network(self, world, start, probe):
        """Everything that the machine reaches, its loopback included; the rest of the sandbox is as ever."""
        server = start("--network", "host")
        function = probe(server)
        assert function("connect", "127.0.0.1", PORT)["seen"] == "127.0.0.1"
        assert function("connect", PRIVATE, PORT)["seen"] == OWN_PRIVATE
        assert function("resolve", "site.example") == [PUBLIC]
        look = function("look")
        assert {"outside", "inside"} <= set(look["interfaces"])
        assert look["runtime_api"].startswith("127.0.0.1:")
        assert look["path"].startswith("/var/lang/bin:")
        assert function("resolve", "sandbox.localdomain") == ["127.0.0.1"]

        restored = probe(server, snap_start=True)
        look = restored("look")
        assert look["credentials"].startswith(f"http://{look['runtime_api']}/")
        assert "initialises the function anew: functions share this machine's network" in restored.log()


OPEN_FOLDER = """
set -e
if [ -n "$1" ]; then
    mkdir "$2/closed"
    mount --bind "$1" "$2/closed"
    mount -t tmpfs -o mode=755 tmpfs "$1"
    for entry in "$2"/closed/* "$2"/closed/.[!.]*; do
        [ -d "$entry" ] || continue
        mkdir "$1/$(basename "$entry")"
        mount --bind "$entry" "$1/$(basename "$entry")"
    done
fi
shift 2
exec "$@"
"""
"""In a mount namespace of its own: let everybody pass through the folder $1, with the help of the empty one $2."""


@pytest.fixture
def start_as_user(world, start):
    """Starts a server of somebody who is not root; it ends with the test."""
    nobody = 65534
    folders = Path(sys.base_prefix).resolve().parents
    closed = next((folder for folder in folders if not folder.stat().st_mode & 0o001), None)
    base = Path(tempfile.mkdtemp(prefix="firefork-test-"))
    base.chmod(0o755)
    data = base / "data"
    data.mkdir()
    os.chown(data, nobody, nobody)
    within = ["unshare", "--mount", "sh", "-c", OPEN_FOLDER, "sh", str(closed or ""), str(base)]
    within += ["nsenter", f"--net={world.host.path}"]
    within += ["setpriv", f"--reuid={nobody}", f"--regid={nobody}", "--clear-groups"]
    servers = []

    def start_as_user(*options, **named):
        servers.append(start(*options, data_dir=data, prefix=within, **named))
        return servers[-1]

    yield start_as_user
    for server in servers:
        server.stop()
    shutil.rmtree(base)


class TestOrdinaryUser:
    """Without root there is no nat: only root may set up a network."""

    def test_gets_host_and_is_told_so(self, start_as_user, probe):
        server = start_as_user(environment={"FIREFORK_NETWORK": ""})
        told = next(line for line in server.lines if line.startswith("network "))
        assert told.startswith("network    host: ")
        assert "only root may set up a network" in told
        assert probe(server)("connect", PRIVATE, PORT)["seen"] == OWN_PRIVATE

    def test_can_have_none(self, start_as_user, probe):
        function = probe(start_as_user("--network", "none"))
        assert function("look")["interfaces"] == ["lo"]
        assert function("connect", PUBLIC, PORT) == {"error": "ENETUNREACH"}

    def test_is_refused_nat(self, start_as_user):
        with pytest.raises(AssertionError, match="--network nat cannot be had here: only root"):
            start_as_user("--network", "nat")


class TestChoice:
    def test_is_nat_for_root(self, world, start):
        """Without --network."""
        machine = world.machine()
        server = start(machine=machine, environment={"FIREFORK_NETWORK": ""})
        assert any(line.startswith("network    nat: ") for line in server.lines)

    def test_is_host_where_nat_cannot_be_had_and_the_reason_is_told(self, world, start):
        machine = world.machine()
        options = ["--network-range", "10.88.0.0/24"]
        machine.ip("addr", "add", "10.88.0.1/16", "dev", "lo")
        machine.ip("route", "add", "10.88.0.0/16", "dev", "lo")
        server = start(*options, machine=machine, environment={"FIREFORK_NETWORK": ""})
        told = next(line for line in server.lines if line.startswith("network "))
        assert told.startswith("network    host: ")
        assert "no block of 10.88.0.0/24 is free" in told
        assert machine.traces() == Machine.NO_TRACES
        with pytest.raises(AssertionError, match="--network nat cannot be had here: no block"):
            start(*options, "--network", "nat", machine=machine)

    def test_tells_of_another_firewall_in_the_way_and_how_to_pass_it(self, world, start, probe):
        """Docker, for one, sets the policy of forwarding to drop."""
        machine, outside = world.machine(), world.machine()
        machine.link(outside, "outside", OWN_PUBLIC, PUBLIC)
        world.services.greet(outside)
        enter = ["nsenter", f"--net={machine.path}"]
        rules = "table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }"
        run(*enter, nft_binary(), rules)
        server = start("--network", "nat", machine=machine)
        told = next(line for line in server.lines if line.startswith("network "))
        assert "chain ip filter FORWARD is in the way" in told
        run(*enter, "sh", "-c", told.partition("let them pass with: ")[2])
        assert probe(server, machine)("connect", PUBLIC, PORT)["seen"] == OWN_PUBLIC


class TestDoctor:
    def ask(self, world, machine, runtimes_dir):
        command = [sys.executable, "-m", "firefork.cli.main", "doctor", "--json", "--runtimes-dir", str(runtimes_dir)]
        findings = json.loads(run(*world.within(machine), *command))
        return next(finding for finding in findings if finding["subject"] == "network")

    def test_tries_nat_and_leaves_nothing(self, world, runtimes_dir):
        machine = world.machine()
        finding = self.ask(world, machine, runtimes_dir)
        assert (finding["state"], finding["detail"]) == ("ok", "nat, none or host")
        assert machine.traces() == Machine.NO_TRACES

    def test_names_another_firewall_in_the_way_and_how_to_pass_it(self, world, runtimes_dir):
        machine = world.machine()
        rules = "table inet guard { chain between { type filter hook forward priority 0; policy drop; }; }"
        enter = ["nsenter", f"--net={machine.path}"]
        run(*enter, nft_binary(), rules)
        finding = self.ask(world, machine, runtimes_dir)
        assert finding["state"] == "limited"
        assert "inet guard between" in finding["detail"]
        run(*enter, "sh", "-c", finding["remedy"])
        assert 'iifname "ffk*" accept' in run(*enter, nft_binary(), "list", "ruleset")


class TestLeftovers:
    def test_none_after_a_stop(self, world, start, probe):
        """Links, routes, rules are gone, and forwarding is off as it was."""
        machine = world.machine()
        server = start("--network", "nat", machine=machine)
        probe(server, machine)("look")
        assert machine.interfaces()
        assert server.stop() == 0
        assert machine.traces() == Machine.NO_TRACES

    def test_of_a_killed_server_are_removed_by_the_next(self, world, start, probe, tmp_path):
        machine = world.machine()
        killed = start("--network", "nat", machine=machine, data_dir=tmp_path)
        probe(killed, machine)("look")
        (table,) = machine.traces()["tables"].splitlines()
        # A link whose namespace something else keeps alive, as a process that the kernel is slow to end would.
        stuck = f"ffk{table.partition('firefork_')[2][:6]}zz"
        machine.ip("link", "add", stuck, "type", "veth", "peer", "name", "stuck")
        killed.stop(signal.SIGKILL)
        assert stuck in machine.interfaces()
        assert machine.traces()["tables"].splitlines() == [table]
        successor = start("--network", "nat", machine=machine, data_dir=tmp_path)
        assert stuck not in machine.interfaces()
        assert machine.traces()["tables"].splitlines() == [table]
        assert successor.stop() == 0
        assert machine.traces() == Machine.NO_TRACES

    def test_of_a_killed_server_are_removed_by_one_of_another_folder(self, world, start):
        """Who lives on keeps its own; the last one turns forwarding off, which the dead one had turned on."""
        machine = world.machine()
        killed = start("--network", "nat", machine=machine)
        (of_killed,) = machine.traces()["tables"].splitlines()
        alive = start("--network", "nat", machine=machine)
        (of_alive,) = set(machine.traces()["tables"].splitlines()) - {of_killed}
        killed.stop(signal.SIGKILL)
        assert of_killed in machine.traces()["tables"]
        successor = start("--network", "nat", machine=machine)
        tables = machine.traces()["tables"].splitlines()
        assert len(tables) == 2
        assert of_alive in tables
        assert of_killed not in tables
        alive.stop()
        assert machine.read("/proc/sys/net/ipv4/ip_forward") == "1"
        assert successor.stop() == 0
        assert machine.traces() == Machine.NO_TRACES

    def test_the_last_of_two_servers_turns_forwarding_off(self, world, start):
        """They share the machine, each with addresses and rules of its own."""
        machine = world.machine()
        first = start("--network", "nat", machine=machine)
        second = start("--network", "nat", machine=machine)
        blocks = {line for server in (first, second) for line in server.lines if line.startswith("network ")}
        assert len(blocks) == 2
        assert len(machine.traces()["tables"].splitlines()) == 2
        first.stop()
        assert machine.read("/proc/sys/net/ipv4/ip_forward") == "1"
        second.stop()
        assert machine.traces() == Machine.NO_TRACES

    def test_forwarding_that_was_on_stays_on(self, world, start):
        machine = world.machine()
        with machine.inside():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
        start("--network", "nat", machine=machine).stop()
        assert machine.traces() == {**Machine.NO_TRACES, "forwarding": "1"}
