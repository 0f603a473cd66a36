"""Hostile code at the Runtime API: whatever it sends, the next invoke works and the server stays small."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.usefixtures("isolated")

ATTACKS = r"""
import http.client, os, socket, threading, time

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
RUNTIME = "/2018-06-01/runtime"


class Raw:
    '''A connection that sends whatever it likes.'''

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.socket.settimeout(5)

    def send(self, data, times=1):
        try:
            for _ in range(times):
                self.socket.sendall(data)
            return True
        except OSError:
            return False

    def read(self):
        try:
            return self.socket.recv(65536)
        except OSError:
            return b""


def begun(data):
    raw = Raw()
    raw.send(data)
    return raw


def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(HOST, int(PORT))
    connection.request(method, RUNTIME + path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def garbage(context):
    return [Raw().send(b"\x00\xff" * 5000), Raw().send(b"EHLO there\r\n" * 100)]


def endless_head(context):
    return [begun(start).send(b"a" * 1048576, times=64) for start in (
        b"GET /", b"GET / HTTP/1.1\r\nName: ", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nName: ")]


def endless_body(context):
    raw = Raw()
    raw.send(b"POST " + RUNTIME.encode() + b"/invocation/x/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    return raw.send(b"100000\r\n" + b"a" * 1048576 + b"\r\n", times=150)


def bodies_of_crumbs(context):
    held = [Raw() for _ in range(20)]
    for raw in held:
        raw.send(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 50000)
    return len(held)


def endless_stream(context):
    raw = Raw()
    raw.send(b"POST %s/invocation/%s/response HTTP/1.1\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n" % (RUNTIME.encode(), context.aws_request_id.encode()))
    return raw.send(b"100000\r\n" + b"a" * 1048576 + b"\r\n", times=300)


def half_closed(context):
    for _ in range(10):
        raw = Raw()
        raw.send(b"POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")
        raw.socket.shutdown(socket.SHUT_WR)
    return raw.read().decode()


def thousand_connections(context):
    held = []
    for _ in range(1000):
        held.append(Raw())
    return len(held)


def pipelined(context):
    request = ("GET %s/nothing HTTP/1.1\r\nHost: x\r\n\r\n" % RUNTIME).encode()
    return [Raw().send(request * 20000) for _ in range(20)]


def flood(context):
    def ask():
        connection = http.client.HTTPConnection(HOST, int(PORT))
        for _ in range(500):
            connection.request("GET", "/nothing")
            connection.getresponse().read()
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def answers_twice(context):
    path = "/invocation/" + context.aws_request_id
    return [call("POST", path + "/response", '"first"'), call("POST", path + "/response", '"second"')]


def asks_while_running(context):
    return call("GET", "/invocation/next")


def fails_after_answering(context):
    path = "/invocation/" + context.aws_request_id
    return [call("POST", path + "/response", '"first"'), call("POST", path + "/error", "{}"),
            call("POST", "/init/error", "{}"), call("POST", "/restore/error", "{}")]


def handler(event, context):
    attack = event.get("attack")
    return {"told": globals()[attack](context)} if attack else "fine"
"""

GROWTH_KB = 120 * 1024
"""What all attacks together may add to the server's memory: far less than each of them sends."""


@pytest.fixture(scope="module")
def own_server(start_server, tmp_path_factory):
    """A server whose memory nobody else uses."""
    return start_server(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def make(own_server, make_function):
    client, logs = own_server.client("lambda"), own_server.client("logs")

    def function(source, **options):
        options = {"MemorySize": 1769, "Timeout": 30, **options}
        return make_function(source, client=client, logs_client=logs, **options)

    return function


@pytest.fixture(scope="module")
def hostile(make):
    return make(ATTACKS)


@pytest.fixture(scope="module")
def neighbour(make):
    return make("def handler(event, context):\n    return 'fine'\n")


@pytest.fixture(scope="module")
def peak_kb(own_server, hostile, neighbour):
    """The most memory that the server ever had resident, in KB; both functions have run by then."""
    assert hostile() == neighbour() == "fine"

    def read():
        with open(f"/proc/{own_server.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])

    read.before = read()
    return read


class TestAttacks:
    @pytest.mark.parametrize(
        "attack",
        [
            "garbage",
            "endless_head",
            "endless_body",
            "bodies_of_crumbs",
            "endless_stream",
            "half_closed",
            "thousand_connections",
            "pipelined",
            "flood",
            "answers_twice",
            "asks_while_running",
            "fails_after_answering",
        ],
    )
    def test_the_next_invoke_works_and_the_server_stays_small(self, hostile, neighbour, peak_kb, attack):
        """Whatever became of the attacker's own invoke; a neighbour is served all the while."""
        with ThreadPoolExecutor(1) as background:
            attacking = background.submit(hostile.invoke, {"attack": attack})
            while not attacking.done():
                assert neighbour() == "fine"
        assert attacking.result().answer["StatusCode"] == 200
        assert hostile() == "fine"
        assert peak_kb() - peak_kb.before < GROWTH_KB


class TestRefusals:
    def test_the_first_answer_counts(self, hostile):
        """A second one is refused and changes nothing, not even for the next invoke."""
        result = hostile.invoke({"attack": "answers_twice"})
        assert (result.body, result.error) == (b'"first"', None)
        assert hostile() == "fine"

    def test_no_event_comes_before_an_answer(self, hostile):
        status, body = hostile({"attack": "asks_while_running"})["told"]
        assert (status, json.loads(body)["errorType"]) == (403, "InvalidStateTransition")

    def test_an_endless_stream_ends_as_an_answer_that_is_too_large(self, hostile):
        result = hostile.invoke({"attack": "endless_stream"})
        assert json.loads(result.body)["errorType"] == "Function.ResponseSizeTooLarge"

    def test_nobody_answers_for_another_environment(self, make, hostile):
        """With the request id of a neighbour's invoke in progress: refused, and the neighbour's own answer arrives."""
        waiting = make(
            "import os, time\ndef handler(event, context):\n    print('ID', context.aws_request_id, flush=True)\n"
            "    time.sleep(event)\n    return 'mine'\n"
        )
        waiting(0)
        forger = make(
            ATTACKS + "\ndef handler(event, context):\n"
            "    return [call('POST', f'/invocation/{event}/{kind}', '\"forged\"') for kind in ('response', 'error')]\n"
        )
        forger("warm")
        with ThreadPoolExecutor(1) as background:
            answer = background.submit(waiting, 2)
            known = set()
            while len(known) < 2:
                known = {message.split()[1] for message in waiting.messages() if message.startswith("ID ")}
            for request_id in known:
                for status, body in forger(request_id):
                    assert (status, json.loads(body)["errorType"]) == (400, "InvalidRequestID")
            assert answer.result() == "mine"


class TestCustomRuntimes:
    @pytest.mark.parametrize(
        ("deed", "error_type"),
        [
            ('printf "not http at all" >&3; cat <&3 >/dev/null; exit 7', "Runtime.ExitError"),
            ("exec 3>&-; exit 7", "Runtime.ExitError"),
            ("exec 3>&-; sleep 60", "Sandbox.Timedout"),
        ],
        ids=["garbage", "leaves", "sulks"],
    )
    def test_one_that_does_not_answer_fails_its_invoke_and_the_next_one_works(self, make, zipped, deed, error_type):
        """A bootstrap in bash that misbehaves with the first event and serves the second."""
        bootstrap = f"""#!/bin/bash
dial() {{ exec 3<>"/dev/tcp/${{AWS_LAMBDA_RUNTIME_API%:*}}/${{AWS_LAMBDA_RUNTIME_API#*:}}"; }}
ask() {{
    dial
    printf '%s %s%s HTTP/1.1\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n%s' \\
        "$1" /2018-06-01/runtime/invocation/ "$2" "${{#3}}" "$3" >&3
    cat <&3
}}
while event=$(ask GET next ""); do
    id=$(grep -i '^Lambda-Runtime-Aws-Request-Id' <<<"$event" | tr -d '\\r' | cut -d' ' -f2)
    if [[ ! -e /tmp/misbehaved ]]; then
        touch /tmp/misbehaved
        dial
        {deed}
    fi
    ask POST "$id/response" '"served"' >/dev/null
done
"""
        code = zipped({"bootstrap": bootstrap}, executables=["bootstrap"])
        function = make(code, runtime="provided.al2023", handler="x", Timeout=3)
        assert json.loads(function.invoke().body)["errorType"] == error_type
        assert function() == "served"
