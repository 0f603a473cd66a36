"""Environments between invokes: reused, frozen, ended, replaced, one for each invoke at a time."""

import json
import time
import urllib.request

COUNTING = """
import os, time, uuid
identity = str(uuid.uuid4())
calls = 0
def handler(event, context):
    global calls
    calls += 1
    time.sleep(event.get("s", 0))
    return [identity, calls]
"""


def environments(server):
    """How many environments a server has now, as its health page tells."""
    with urllib.request.urlopen(f"{server.endpoint}/_firefork/health") as answer:
        return json.load(answer)["environments"]


class TestReuse:
    def test_one_after_another_share_an_environment(self, make_function):
        function = make_function(COUNTING)
        answers = [function() for _ in range(5)]
        assert [calls for _, calls in answers] == [1, 2, 3, 4, 5]
        assert len({identity for identity, _ in answers}) == 1

    def test_tmp_lasts_with_the_environment(self, make_function):
        source = """
def handler(event, context):
    with open("/tmp/x", "a+") as file:
        file.write("x")
        return file.tell()
"""
        function = make_function(source)
        assert [function() for _ in range(3)] == [1, 2, 3]

    def test_concurrent_invokes_have_environments_of_their_own(self, gated, server, lambda_):
        """Ten at a time: ten processes, which are then reused."""
        function = gated(server, lambda_, MemorySize=256, Timeout=140)

        def ten_at_a_time():
            """Who answered ten invokes, all of which were running before the first one went on."""
            running = [function.begin() for _ in range(10)]
            function.gate.wait_for(10, limit_s=100)
            function.gate.let_go(10)
            return {one.result()["who"] for one in running}

        first = ten_at_a_time()
        assert len(first) == 10
        assert ten_at_a_time() == first

    def test_versions_and_functions_share_nothing(self, make_function, lambda_):
        function, other = make_function(COUNTING), make_function(COUNTING)
        version = lambda_.publish_version(FunctionName=function.name)["Version"]
        assert len({function()[0], other()[0], function(Qualifier=version)[0]}) == 3


class TestFreezing:
    def test_a_background_thread_stands_still_between_invokes(self, make_function, limited):
        """AWS freezes the environment after the answer: a ticking thread does not tick until the next invoke."""
        source = """
import threading, time
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(.005)
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    enough = ticks + event
    while ticks < enough:
        time.sleep(.005)
    return ticks
"""
        function = make_function(source, Timeout=60)
        first = function(20)
        time.sleep(1.5)  # the time in which nothing may happen
        between = function(0) - first
        function(20)  # ticks again, or never ends
        # Some ticks before the freeze sets in; 1.5 s would have been 300.
        assert between < 100

    def test_connections_survive_it_and_the_clock_goes_on(self, make_function, limited):
        """What was connected is connected still, and the function sees the time that went by."""
        source = """
import http.client, os, time, urllib.parse
endpoint = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
connection = http.client.HTTPConnection(endpoint.hostname, endpoint.port)
last = time.time()
def handler(event, context):
    global last
    connection.request("GET", "/_firefork/health")
    status = connection.getresponse()
    status.read()
    passed, last = time.time() - last, time.time()
    return [status.status, connection.sock.getsockname()[1], passed]
"""
        function = make_function(source)
        status, port, _ = function()
        time.sleep(0.3)  # it is frozen in this time
        again, same_port, passed = function()
        assert (status, again, same_port) == (200, 200, port)
        assert passed > 0.3


class TestEnd:
    def test_an_idle_environment_ends(self, make_function, brisk, eventually):
        """On a server that keeps them for a second: the next invoke has a new one, and nothing is left of the old."""
        clients = {"client": brisk.client("lambda"), "logs_client": brisk.client("logs")}
        function = make_function(COUNTING, **clients)
        identity, _ = function()
        eventually(lambda: environments(brisk) == 0)
        again, calls = function()
        assert calls == 1
        assert again != identity

    def test_a_busy_environment_does_not(self, make_function, brisk, eventually):
        """An invoke that lasts longer than the idle time ends in peace, and its environment has the next one.

        Unless that comes a second later, as it may on a busy machine: then there is another try.
        """
        clients = {"client": brisk.client("lambda"), "logs_client": brisk.client("logs")}
        function = make_function(COUNTING, **clients)
        eventually(lambda: function({"s": 2.5})[0] == function()[0])

    def test_a_deleted_functions_environments_end(self, make_function, server, lambda_, eventually):
        function = make_function(COUNTING)
        before = environments(server)
        function()
        assert environments(server) == before + 1
        lambda_.delete_function(FunctionName=function.name)
        eventually(lambda: environments(server) <= before)

    def test_new_code_has_new_environments(self, make_function, lambda_, wait_updated, zipped):
        function = make_function(COUNTING)
        identity, _ = function()
        lambda_.update_function_code(FunctionName=function.name, ZipFile=zipped({"app.py": COUNTING + "\n# new"}))
        wait_updated(function.name)
        again, calls = function()
        assert (again != identity, calls) == (True, 1)

    def test_a_new_timeout_counts_from_the_next_invoke_on(self, make_function, lambda_, wait_updated):
        function = make_function(COUNTING)
        function()
        lambda_.update_function_configuration(FunctionName=function.name, Timeout=1)
        wait_updated(function.name)
        assert b"Task timed out after 1.00 seconds" in function.invoke({"s": 5}).body


class TestLimits:
    def test_max_memory_used_is_measured(self, make_function, limited):
        """A function that takes 150 MB more reports about 150 MB more."""
        source = "def handler(event, context):\n    return len(bytearray(event << 20))\n"

        def used(megabytes):
            function = make_function(source, Timeout=140)  # for where touching memory is slow: scripts/vm-tests
            tail = function.invoke(megabytes).tail
            return int(tail.rpartition("Max Memory Used: ")[2].partition(" MB")[0])

        small, large = used(1), used(151)
        assert 10 <= small <= 60
        assert 140 <= large - small <= 165

    def test_cpu_share_follows_memory(self, make_function, limited, eventually):
        """One vCPU for 1,769 MB: neither size ever has much more, and the larger one has more than the smaller may.

        That only as soon as the machine has it to give: a busy one may give less than either's share.
        """
        source = """
import time
def handler(event, context):
    wall, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - wall < 1.2:
        pass
    return (time.process_time() - cpu) / (time.monotonic() - wall)
"""
        small, large = make_function(source, MemorySize=128), make_function(source, MemorySize=512)
        most_of_small, most_of_large = 2 * 128 / 1769, 2 * 512 / 1769
        assert small() < most_of_small
        shares = []
        eventually(lambda: shares.append(large()) or shares[-1] > most_of_small)
        assert max(shares) < most_of_large

    def test_processes(self, make_function, limited):
        """1,024 processes and threads at most; then the function sees EAGAIN, and works on."""
        source = """
import os, threading, time
def handler(event, context):
    stop, threads = threading.Event(), []
    error = None
    try:
        for _ in range(2000):
            thread = threading.Thread(target=stop.wait)
            thread.start()
            threads.append(thread)
    except RuntimeError as refused:
        error = str(refused)
    count = len(threads)
    stop.set()
    for thread in threads:
        thread.join()
    return [count, error]
"""
        function = make_function(source, MemorySize=1769, Timeout=140)
        count, error = function()
        assert 900 < count < 1024
        assert error == "can't start new thread"
        assert function()[0] == count

    def test_descriptors(self, make_function):
        """1,024 open files at most."""
        source = """
import os
def handler(event, context):
    opened = []
    try:
        while True:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return [max(opened), error.strerror]
    finally:
        for number in opened:
            os.close(number)
"""
        assert make_function(source)() == [1023, "Too many open files"]
