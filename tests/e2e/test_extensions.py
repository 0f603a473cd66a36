"""Extensions as AWS runs them: started first, told of invokes, heard out at the end."""

import json
import os
import re
import time

import pytest
from tests.conftest import PACE

LOOP = """
identifier, facts = register()
while True:
    event = next_event(identifier)
    tell(event["eventType"], event.get("shutdownReason", ""), event.get("requestId", ""))
    if event["eventType"] == "SHUTDOWN":
        break
"""


class TestLife:
    def test_it_hears_of_each_invoke_and_of_the_end(self, with_extension, lambda_, ended):
        """Registered before the runtime starts, INVOKE for each event, SHUTDOWN at the end, all of it in the log."""
        function = with_extension(LOOP)
        first, second = function.invoke(), function.invoke()
        assert first.body == b'"answer"'
        lambda_.delete_function(FunctionName=function.name)
        messages = ended(function, "helper SHUTDOWN")
        assert f"helper INVOKE  {first.request_id}\n" in messages
        assert f"helper INVOKE  {second.request_id}\n" in messages
        assert messages[-1] == "helper SHUTDOWN SPINDOWN \n"
        assert "EXTENSION\tName: helper\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n" in messages[:3]

    def test_the_runtime_starts_when_it_has_registered(self, with_extension):
        function = with_extension(
            "open('/tmp/about-to-register', 'w').close()\n" + LOOP,
            "import os\nwas_first = os.path.exists('/tmp/about-to-register')\n"
            "def handler(event, context):\n    return was_first\n",
        )
        assert function() is True

    def test_it_knows_the_function_and_not_the_functions_secrets_of_the_platform(self, with_extension):
        """Facts of the registration, and the variables that AWS lets extensions see."""
        function = with_extension(
            """
identifier, facts = register(**{"Lambda-Extension-Accept-Feature": "accountId"})
tell("FACTS", json.dumps(facts))
tell("SEEN", json.dumps({name: os.environ.get(name) for name in (
    "MINE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_SESSION_TOKEN", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_DAEMON_ADDRESS")}))
tell("WHERE", os.getcwd(), os.getuid() != 0)
while next_event(identifier)["eventType"] != "SHUTDOWN":
    pass
""",
            Environment={"Variables": {"MINE": "yes"}},
        )
        function()
        messages = "".join(function.messages())
        facts = json.loads(re.search(r"helper FACTS (.*)", messages)[1])
        assert facts == {
            "functionName": function.name,
            "functionVersion": "$LATEST",
            "handler": "app.handler",
            "accountId": "000000000000",
        }
        seen = json.loads(re.search(r"helper SEEN (.*)", messages)[1])
        assert seen.pop("AWS_SESSION_TOKEN")
        assert seen == {
            "MINE": "yes",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "_HANDLER": None,
            "LAMBDA_TASK_ROOT": None,
            "AWS_EXECUTION_ENV": None,
            "AWS_LAMBDA_LOG_STREAM_NAME": None,
            "AWS_XRAY_DAEMON_ADDRESS": None,
        }
        assert "helper WHERE / True\n" in messages

    def test_the_caller_does_not_wait_for_a_slow_extension(self, with_extension, server, lambda_, ended, code_folder):
        """The answer goes out when the runtime gave it; billing and the next invoke wait for the extension."""
        function = with_extension(
            """
identifier, facts = register()
while next_event(identifier)["eventType"] != "SHUTDOWN":
    while not os.path.exists("/var/task/gate"):
        time.sleep(0.01)
    tell("DONE")
""",
            "def handler(event, context):\n    return 'at once'\n",  # the folder of other code stays as it is
            Timeout=60,
        )
        answer = lambda_.invoke(FunctionName=function.name)
        assert answer["Payload"].read() == b'"at once"'
        answered_s = time.monotonic()
        assert "helper DONE\n" not in function.messages()
        held_ms = (time.monotonic() - answered_s) * 1000
        (code_folder(server, lambda_, function) / "gate").touch()
        messages = ended(function, "REPORT RequestId")
        report = next(message for message in messages if message.startswith("REPORT"))
        assert messages.index("helper DONE\n") < messages.index(report)
        duration_ms = float(re.search(r"\tDuration: ([\d.]+) ms", report)[1])
        assert int(re.search(r"Billed Duration: (\d+) ms", report)[1]) >= duration_ms + held_ms

    def test_the_deadline_is_for_the_extension_too(self, with_extension, lambda_, ended):
        """It does not ask for its next event: the caller has the answer, the environment is reset at the timeout."""
        function = with_extension(
            """
identifier, facts = register()
while (event := next_event(identifier))["eventType"] != "SHUTDOWN":
    if not os.path.exists("/tmp/hung"):
        open("/tmp/hung", "w").close()
        signal.pause()
""",
            Timeout=round(PACE),
        )
        answer = lambda_.invoke(FunctionName=function.name)
        assert (answer["Payload"].read(), answer.get("FunctionError")) == (b'"answer"', None)
        messages = ended(function, "\tStatus: timeout\n")
        assert sum(message.startswith("REPORT") for message in messages) == 1
        assert function() == "answer"

    def test_a_shell_script_can_be_one(self, with_extension, lambda_, ended):
        """Nothing but bash: the protocol over a socket of its own."""
        function = with_extension(
            r"""#!/bin/bash
ask() {  # method, path, header, body: the answer's head and body on standard output
    exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API%:*}/${AWS_LAMBDA_RUNTIME_API#*:}"
    printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "/2020-01-01/extension/$2" "$3" "${#4}" "$4" >&3
    cat <&3
    exec 3>&-
}
answer=$(ask POST register "Lambda-Extension-Name: ${0##*/}" '{"events":["INVOKE","SHUTDOWN"]}')
identifier=$(grep -i '^Lambda-Extension-Identifier' <<<"$answer" | tr -d '\r' | cut -d' ' -f2)
until [[ $answer == *'"SHUTDOWN"'* ]]; do
    answer=$(ask GET event/next "Lambda-Extension-Identifier: $identifier" "")
    echo "script heard ${answer##*$'\n'}"
done
""",
            name="script.sh",
        )
        request_id = function.invoke().request_id
        lambda_.delete_function(FunctionName=function.name)
        heard = [json.loads(m[13:]) for m in ended(function, '"SHUTDOWN"') if m.startswith("script heard ")]
        assert [event["eventType"] for event in heard] == ["INVOKE", "SHUTDOWN"]
        assert heard[0]["requestId"] == request_id

    def test_a_script_can_start_a_program_of_the_layer(self, with_extension, lambda_, ended):
        """As AWS's samples in Python are packed: a launcher in ``extensions/``, the program in a folder of its name.

        The program registers with the launcher's name, answers SIGTERM, and leaves at SHUTDOWN with its own exit.
        """
        launcher = """#!/bin/bash
set -euo pipefail
NAME="$(basename "$0")"
exec "/opt/$NAME/extension.py" "$NAME"
"""
        program = """#!/usr/bin/env python3
import json, os, signal, sys, urllib.request

BASE = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension"
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))


def ask(path, body=None, **headers):
    data = json.dumps(body).encode() if body is not None else None
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Content-Type"] = "application/json"
    with urllib.request.urlopen(urllib.request.Request(BASE + path, data, headers), timeout=None) as answer:
        return answer.headers, json.loads(answer.read())


headers, told = ask("/register", {"events": ["INVOKE", "SHUTDOWN"]}, Lambda_Extension_Name=sys.argv[1])
print("launched", told["functionName"], flush=True)
while True:
    _, event = ask("/event/next", Lambda_Extension_Identifier=headers["Lambda-Extension-Identifier"])
    print("launched", event["eventType"], flush=True)
    if event["eventType"] == "SHUTDOWN":
        sys.exit(0)
"""
        function = with_extension(launcher, name="sample", programs={"sample/extension.py": program})
        assert function() == "answer"
        lambda_.delete_function(FunctionName=function.name)
        messages = ended(function, "launched SHUTDOWN")
        heard = [message for message in messages if message.startswith("launched")]
        assert heard == [f"launched {function.name}\n", "launched INVOKE\n", "launched SHUTDOWN\n"]

    def test_with_a_log_tail_the_caller_gets_what_the_extension_wrote(self, with_extension):
        """LogType=Tail ends with REPORT, so it includes the extension's time."""
        result = with_extension(LOOP).invoke()
        assert "helper INVOKE" in result.tail
        assert result.tail.rstrip("\n").rpartition("\n")[2].startswith("REPORT")

    def test_one_without_next_has_the_init_time_out(self, with_extension):
        """An extension that never asks for its first event holds the init up to its limit, as on AWS."""
        function = with_extension("register()\nsignal.pause()\n", Timeout=2)
        result = function.invoke()
        assert json.loads(result.body)["errorType"] == "Sandbox.Timedout"
        (took_ms,) = [
            float(found[1])
            for message in function.messages()
            if (found := re.match(r"INIT_REPORT Init Duration: ([\d.]+) ms\tPhase: init\tStatus: timeout\n", message))
        ]
        limit_ms = 1000 * float(os.environ.get("FIREFORK_INIT_LIMIT", "10"))
        assert limit_ms - 1 <= took_ms < 1.2 * limit_ms


class TestEnd:
    """SHUTDOWN comes whatever ends the environment, and what the extension says of it is in the log."""

    GOODBYE = "helper SHUTDOWN SPINDOWN"

    def test_an_update(self, with_extension, lambda_, ended):
        function = with_extension(LOOP)
        function()
        lambda_.update_function_configuration(FunctionName=function.name, Timeout=4)
        ended(function, self.GOODBYE)

    def test_idleness(self, with_extension, brisk, ended):
        """On a server that keeps environments for a second."""
        function = with_extension(LOOP, client=brisk.client("lambda"), logs_client=brisk.client("logs"))
        function()
        ended(function, self.GOODBYE)

    def test_fewer_provisioned_ones(self, with_extension, lambda_, eventually, ended):
        function = with_extension(LOOP)
        version = lambda_.publish_version(FunctionName=function.name)["Version"]
        which = {"FunctionName": function.name, "Qualifier": version}
        lambda_.put_provisioned_concurrency_config(**which, ProvisionedConcurrentExecutions=1)
        eventually(lambda: lambda_.get_provisioned_concurrency_config(**which)["Status"] == "READY")
        lambda_.delete_provisioned_concurrency_config(**which)
        ended(function, self.GOODBYE)

    def test_the_end_of_the_server(self, with_extension, start_server, tmp_path, ended):
        server = start_server(tmp_path)
        function = with_extension(LOOP, client=server.client("lambda"), logs_client=server.client("logs"))
        function()
        assert server.stop() == 0
        function.logs = start_server(tmp_path).client("logs")
        ended(function, self.GOODBYE)


class TestFailures:
    def test_a_crash_fails_the_invoke_and_the_next_one_works(self, with_extension):
        """Extension.Crash, then a fresh start of runtime and extension."""
        function = with_extension(
            """
identifier, facts = register()
event = next_event(identifier)
if not os.path.exists("/tmp/crashed"):
    open("/tmp/crashed", "w").close()
    sys.exit(3)
while event["eventType"] != "SHUTDOWN":
    event = next_event(identifier)
""",
            "import os\ndef handler(event, context):\n"
            "    while not os.path.exists('/tmp/crashed'):\n        pass\n"
            "    if event.get('wait'):\n        import signal; signal.pause()\n    return 'answer'\n",
        )
        result = function.invoke({"wait": True})
        assert result.error == "Unhandled"
        assert json.loads(result.body) == {
            "errorType": "Extension.Crash",
            "errorMessage": f"RequestId: {result.request_id} Error: exit status 3",
        }
        assert result.tail.endswith("Status: error\tError Type: Extension.Crash\n")
        assert function() == "answer"

    @pytest.mark.parametrize(
        ("code", "error_type"),
        [
            ("sys.exit(0)", "Extension.Crash"),
            (
                "identifier, _ = register()\n"
                "call('POST', '/2020-01-01/extension/init/error', {'Lambda-Extension-Identifier': identifier, "
                "'Lambda-Extension-Function-Error-Type': 'Extension.NoConfig'})\n"
                "signal.pause()",
                "Extension.InitError",
            ),
        ],
    )
    def test_one_that_fails_its_init_is_reported(self, with_extension, code, error_type):
        function = with_extension(code)
        result = function.invoke()
        assert json.loads(result.body)["errorType"] == error_type
        messages = "".join(function.messages())
        for phase in ("init", "invoke"):
            assert re.search(rf"INIT_REPORT .*\tPhase: {phase}\tStatus: error\tError Type: {error_type}\n", messages)

    def test_one_that_cannot_be_executed_is_named(self, with_extension):
        function = with_extension(LOOP, name="no-exec", executable=False)
        result = function.invoke()
        assert json.loads(result.body) == {
            "errorType": "Extension.LaunchError",
            "errorMessage": f"RequestId: {result.request_id} Error: "
            "fork/exec /opt/extensions/no-exec: permission denied",
        }
        line = "EXTENSION\tName: no-exec\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n"
        assert line in function.messages()

    def test_one_that_gives_up_fails_the_invoke_and_the_next_one_works(self, with_extension):
        """exit/error: Extension.ExitError with the type that it reported, then a fresh start."""
        function = with_extension(
            """
identifier, facts = register()
event = next_event(identifier)
if event["eventType"] == "INVOKE" and not os.path.exists("/tmp/gave-up"):
    open("/tmp/gave-up", "w").close()
    call("POST", "/2020-01-01/extension/exit/error", {
        "Lambda-Extension-Identifier": identifier, "Lambda-Extension-Function-Error-Type": "Extension.NoBackend"})
    signal.pause()
while event["eventType"] != "SHUTDOWN":
    event = next_event(identifier)
""",
            "import signal\ndef handler(event, context):\n"
            "    if event.get('wait'):\n        signal.pause()\n    return 'answer'\n",
        )
        result = function.invoke({"wait": True})
        assert json.loads(result.body) == {
            "errorType": "Extension.ExitError",
            "errorMessage": f"RequestId: {result.request_id} Error: Extension.NoBackend",
        }
        assert result.tail.endswith("Status: error\tError Type: Extension.ExitError\n")
        assert function() == "answer"

    def test_one_that_does_not_die_is_killed_after_two_seconds(self, with_extension, lambda_, environments, eventually):
        """It ignores SIGTERM and its SHUTDOWN, which it is told once, and asks for more: 2 s in all, then SIGKILL."""
        function = with_extension(
            """
import threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
identifier, facts = register()
while (event := next_event(identifier))["eventType"] != "SHUTDOWN":
    pass
def ask():
    tell("SHUTDOWN AGAIN", next_event(identifier))
threading.Thread(target=ask).start()
while True:
    tell("ALIVE", event["deadlineMs"] - int(time.time() * 1000))
    time.sleep(0.1)
"""
        )
        function()
        before = environments()
        lambda_.delete_function(FunctionName=function.name)
        eventually(lambda: environments() < before)
        left = [int(message.split()[2]) for message in function.messages() if message.startswith("helper ALIVE")]
        # On a busy machine it hears of its end late, and speaks last some time before it.
        assert 500 < left[0] <= 2000
        assert left[-1] < min(left[0], 1000)
        assert not any(message.startswith("helper SHUTDOWN AGAIN") for message in function.messages())

    def test_a_timeout_is_told_to_it(self, with_extension, ended):
        """SHUTDOWN with TIMEOUT, then the next invoke starts everything anew."""
        function = with_extension(
            LOOP,
            "import time\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n    return 'ok'\n",
            Timeout=round(3 * PACE),  # for starting everything anew, too
        )
        assert json.loads(function.invoke({"s": 60}).body)["errorType"] == "Sandbox.Timedout"
        ended(function, "helper SHUTDOWN TIMEOUT")
        assert function() == "ok"

    def test_a_crash_of_the_runtime_is_told_to_it(self, with_extension, ended):
        function = with_extension(LOOP, "import os\ndef handler(event, context):\n    os._exit(1)\n")
        assert json.loads(function.invoke().body)["errorType"] == "Runtime.ExitError"
        ended(function, "helper SHUTDOWN FAILURE")


class TestLimit:
    """AWS allows ten extensions, external and internal ones together."""

    def test_an_eleventh_file_fails_the_init(self, with_extension):
        """None of them starts; the first that is too many, by name, is told in the log, and the others are not."""
        more = {f"extensions/more-{number:02}": "#!/bin/sh\n" for number in range(11)}
        function = with_extension(LOOP, programs=more)
        result = function.invoke()
        assert result.error == "Unhandled"
        assert json.loads(result.body) == {
            "errorType": "Extension.LaunchError",
            "errorMessage": f"RequestId: {result.request_id} Error: ErrTooManyExtensions",
        }
        assert result.tail.endswith("Status: error\tError Type: Extension.LaunchError\n")
        messages = function.messages()
        told = [message for message in messages if message.startswith("EXTENSION\t")]
        assert len(told) == 22, "eleven, in the init and in its repetition"
        assert told[0] == "EXTENSION\tName: helper\tState: Started\tEvents: []\n"
        late = "EXTENSION\tName: more-09\tState: LaunchError\tEvents: []\tError Type: TooManyExtensions\n"
        assert told[10] == told[21] == late
        for phase in ("init", "invoke"):
            line = rf"INIT_REPORT .*\tPhase: {phase}\tStatus: error\tError Type: Extension.LaunchError\n"
            assert re.search(line, "".join(messages))

    def test_ten_are_none_too_many_and_an_eleventh_that_registers_is_refused(self, with_extension):
        """One file and nine of the function's own code; the next one is answered 403, and the function works."""
        function = with_extension(
            LOOP,
            """
import http.client, json, os, threading
def ask(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.request(method, "/2020-01-01/extension/" + path, body, headers)
    answer = connection.getresponse()
    return answer, json.loads(answer.read() or b"null")
def register(number):
    return ask("POST", "register", '{"events": []}', **{"Lambda-Extension-Name": f"inside-{number}"})
for number in range(9):
    identifier = register(number)[0].headers["Lambda-Extension-Identifier"]
    headers = {"Lambda-Extension-Identifier": identifier}
    threading.Thread(target=ask, args=("GET", "event/next"), kwargs=headers, daemon=True).start()
answer, refusal = register("late")
def handler(event, context):
    return [answer.status, refusal]
""",
        )
        refusal = {"errorMessage": "Extension limit (10) reached", "errorType": "Extension.TooManyExtensions"}
        assert function() == [403, refusal]
        told = [message for message in function.messages() if message.startswith("EXTENSION\t")]
        assert len(told) == 10
        assert all("\tState: Ready\t" in message for message in told)


class TestSignals:
    SOURCE = """
import signal, sys
def bye(number, frame):
    print("runtime got", number)
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
def handler(event, context):
    return "ok"
"""

    INTERNAL = """
import http.client, json, os, threading
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def register(events):
    connection.request("POST", "/2020-01-01/extension/register", json.dumps({"events": events}),
                       {"Lambda-Extension-Name": "inside"})
    answer = connection.getresponse()
    return answer, answer.read()
refused, body = register(["SHUTDOWN"])
print("refused", refused.status, json.loads(body)["errorType"])
registered, _ = register(["INVOKE"])
def serve():
    while True:
        connection.request("GET", "/2020-01-01/extension/event/next",
                           headers={"Lambda-Extension-Identifier": registered.headers["Lambda-Extension-Identifier"]})
        print("inside", json.loads(connection.getresponse().read())["eventType"])
threading.Thread(target=serve, daemon=True).start()
"""
    """An internal extension in a thread of the function's."""

    def test_the_runtime_gets_sigterm_before_the_extension_its_shutdown(self, with_extension, lambda_, ended):
        """From python3.12 on."""
        function = with_extension(LOOP, self.SOURCE)
        function()
        lambda_.delete_function(FunctionName=function.name)
        messages = ended(function, "helper SHUTDOWN SPINDOWN")
        assert messages.index("runtime got 15\n") < messages.index("helper SHUTDOWN SPINDOWN \n")

    def test_an_older_runtime_does_not(self, with_extension, lambda_, ended):
        function = with_extension(LOOP, self.SOURCE, runtime="python3.11")
        function()
        lambda_.delete_function(FunctionName=function.name)
        assert "runtime got 15\n" not in ended(function, "helper SHUTDOWN SPINDOWN")

    def test_an_internal_extension_is_enough(self, make_function, lambda_, environments, eventually):
        """Registered by the function's own code: INVOKE only, and the runtime gets SIGTERM at the end.

        It has half a second to say so, which on a busy machine may be too little: then another one has its try.
        """
        source = self.SOURCE + self.INTERNAL

        def is_told():
            function = make_function(source, MemorySize=1769)
            result = function.invoke()
            assert result.body == b'"ok"'
            assert "inside INVOKE\n" in result.tail
            assert "refused 403 Extension.InvalidEventType\n" in function.messages()
            before = environments()
            lambda_.delete_function(FunctionName=function.name)
            eventually(lambda: environments() < before)
            return "runtime got 15\n" in function.messages()

        eventually(is_told)

    def test_with_only_an_internal_one_the_runtime_has_half_a_second(
        self, make_function, lambda_, environments, eventually
    ):
        """AWS: 500 ms with internal extensions only, 2 s with external ones. It lives, and is killed in between."""
        source = """
import signal, sys, time
def stay(number, frame):
    start = time.monotonic()
    while time.monotonic() < start + 10:
        print("stayed", time.monotonic() - start, flush=True)
        time.sleep(0.05)
signal.signal(signal.SIGTERM, stay)
def handler(event, context):
    return "ok"
"""
        function = make_function(source + self.INTERNAL, MemorySize=1769)
        function()
        before = environments()
        lambda_.delete_function(FunctionName=function.name)
        eventually(lambda: environments() < before)
        stayed_s = [float(message.split()[1]) for message in function.messages() if message.startswith("stayed")]
        assert 0.3 < stayed_s[-1] < 1.5

    def test_without_extensions_nothing_is_signalled(self, make_function, lambda_, environments, eventually):
        """AWS's shutdown phase lasts 0 ms then."""
        function = make_function(self.SOURCE)
        function()
        before = environments()
        lambda_.delete_function(FunctionName=function.name)
        eventually(lambda: environments() < before)
        assert "runtime got 15\n" not in function.messages()


class TestServerStop:
    def test_does_not_wait_for_an_init_that_hangs(self, start_server, make_function, tmp_path, ended):
        """An extension registered and never asks for an event: its environment is shut down all the same."""
        server = start_server(tmp_path)
        function = make_function(
            """
import http.client, json, os
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.request("POST", "/2020-01-01/extension/register", json.dumps({"events": []}),
                   {"Lambda-Extension-Name": "inside"})
print("registered", connection.getresponse().status)
def handler(event, context):
    return "never"
""",
            client=server.client("lambda"),
            logs_client=server.client("logs"),
        )
        function.client.invoke(FunctionName=function.name, InvocationType="Event")
        ended(function, "registered 200")
        assert server.stop() == 0
