"""How init and invoke can fail: payload, header, log and REPORT of each, as AWS gives them.

Fact sheet, sections 3.3, 5.2 and 5.3.
"""

import json
import re

import pytest

WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior."
)


def report_tail(result):
    """What stands behind the figures of the REPORT line: the Status part, or nothing."""
    line = result.tail.splitlines()[-1]
    assert line.startswith(f"REPORT RequestId: {result.request_id}\tDuration: ")
    return re.sub(r"^REPORT .*?Max Memory Used: \d+ MB\t(Init Duration: \d+\.\d\d ms\t)?", "", line)


def platform_body(result, error_type, message):
    """The bytes of a body that the platform makes: key order and separators are AWS's."""
    body = {"errorType": error_type, "errorMessage": f"RequestId: {result.request_id} Error: {message}"}
    return json.dumps(body, separators=(",", ":")).encode()


def failed(function, event=None):
    result = function.invoke(event)
    assert result.answer["StatusCode"] == 200
    assert result.error == "Unhandled"
    assert result.answer["ExecutedVersion"] == "$LATEST"
    return result


class TestHandlerRaises:
    def test_answers_message_type_request_and_stack(self, make_function, runtime):
        """The body is the runtime client's own, byte for byte; the log has the traceback as one event."""
        source = "def inner(n):\n    raise ValueError('bad ü %d' % n)\n\ndef handler(event, context):\n    inner(7)\n"
        function = make_function(source, runtime=runtime)
        result = failed(function)
        newer = tuple(map(int, runtime.removeprefix("python").split("."))) >= (3, 12)
        body = {
            "errorMessage": "bad ü 7",
            "errorType": "ValueError",
            "requestId": result.request_id,
            "stackTrace": [
                '  File "/var/task/app.py", line 5, in handler\n    inner(7)\n',
                "  File \"/var/task/app.py\", line 2, in inner\n    raise ValueError('bad ü %d' % n)\n",
            ],
        }
        assert result.body == json.dumps(body, ensure_ascii=not newer).encode()
        assert report_tail(result) == ""
        (event,) = [message for message in function.messages() if message.startswith("[ERROR]")]
        assert event.splitlines()[:2] == ["[ERROR] ValueError: bad ü 7", "Traceback (most recent call last):"]
        assert '\u00a0\u00a0File "/var/task/app.py", line 5, in handler' in event

    def test_the_environment_lives_on(self, make_function):
        """An exception is an answer like any other: globals are kept."""
        source = """
calls = []
def handler(event, context):
    calls.append(1)
    if event.get("fail"):
        raise KeyError("x")
    return len(calls)
"""
        function = make_function(source)
        assert failed(function, {"fail": True}).body.startswith(b'{"errorMessage": "\'x\'", "errorType": "KeyError", ')
        assert function() == 2


class TestUnserializableAnswer:
    def test_is_a_marshal_error(self, make_function, runtime):
        function = make_function("def handler(event, context):\n    return {1, 2}\n", runtime=runtime)
        result = failed(function)
        body = {
            "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
            "errorType": "Runtime.MarshalError",
            "requestId": result.request_id,
            "stackTrace": [],
        }
        assert result.body == json.dumps(body).encode()
        assert report_tail(result) == ""
        assert "[ERROR] Runtime.MarshalError: Unable to marshal response: Object of type set" in result.tail


INIT_FAILURES = {
    "import error": (
        {"app.py": "import nothing_of_that_name\n"},
        "app.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'nothing_of_that_name'",
    ),
    "missing module": (
        {"other.py": ""},
        "app.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'app'",
    ),
    "missing handler": (
        {"app.py": "x = 1\n"},
        "app.handler",
        "Runtime.HandlerNotFound",
        "Handler 'handler' missing on module 'app'",
    ),
    "bad handler name": (
        {"app.py": ""},
        "nodot",
        "Runtime.MalformedHandlerName",
        "Bad handler 'nodot': not enough values to unpack (expected 2, got 1)",
    ),
    "builtin module": (
        {"sys.py": ""},
        "sys.handler",
        "Runtime.BuiltInModuleConflict",
        "Cannot use built-in module sys as a handler module",
    ),
}


class TestInitFails:
    @pytest.mark.parametrize("case", INIT_FAILURES)
    def test_answers_the_runtimes_own_error(self, make_function, case):
        """Body without a request id; the init ran twice: in the init phase and again within the invoke."""
        files, handler, error_type, message = INIT_FAILURES[case]
        function = make_function(files, handler=handler)
        result = failed(function)
        body = {"errorMessage": message, "errorType": error_type, "requestId": "", "stackTrace": []}
        assert result.body == json.dumps(body).encode()
        assert report_tail(result) == f"Status: error\tError Type: {error_type}"
        assert "Init Duration" not in result.tail
        messages = function.messages()
        assert messages[0].startswith("INIT_START ")
        reports = [message for message in messages if message.startswith("INIT_REPORT ")]
        assert [re.sub(r"\d+\.\d\d", "N", report) for report in reports] == [
            f"INIT_REPORT Init Duration: N ms\tPhase: {phase}\tStatus: error\tError Type: {error_type}\n"
            for phase in ("init", "invoke")
        ]
        lines = [line for line in messages if line.startswith("[ERROR] ")]
        assert lines == [f"[ERROR] {error_type}: {message}\nTraceback (most recent call last):"] * 2
        assert sum(WARNING in message for message in messages) == 2
        starts = [index for index, message in enumerate(messages) if message.startswith("START ")]
        assert starts[0] > messages.index(reports[1])

    def test_syntax_error(self, make_function, runtime):
        """Names file and line, and shows the line."""
        function = make_function({"app.py": "def handler(event, context):\n    return 1 +\n"}, runtime=runtime)
        result = failed(function)
        body = json.loads(result.body)
        assert list(body) == ["errorMessage", "errorType", "requestId", "stackTrace"]
        assert body["errorMessage"] == "Syntax error in module 'app': invalid syntax (app.py, line 2)"
        assert body["errorType"] == "Runtime.UserCodeSyntaxError"
        (frame,) = body["stackTrace"]
        assert frame.startswith('  File "/var/task/app.py" Line 2\n    ')
        assert "return 1 +" in frame

    def test_exception_at_import(self, make_function):
        """Any other exception keeps its class; logs and reports do not show it (only AWS's own names do)."""
        function = make_function("print('importing')\nraise RuntimeError('at import')\n")
        result = failed(function)
        body = json.loads(result.body)
        assert (body["errorMessage"], body["errorType"], body["requestId"]) == ("at import", "RuntimeError", "")
        assert body["stackTrace"][-1] == (
            "  File \"/var/task/app.py\", line 2, in <module>\n    raise RuntimeError('at import')\n"
        )
        assert report_tail(result) == "Status: error\tError Type: Runtime.Unknown"
        messages = function.messages()
        assert messages.count("importing\n") == 2
        # The next invoke inits again, once.
        failed(function)
        assert function.messages().count("importing\n") == 3

    def test_repairs_itself_when_the_cause_is_gone(self, make_function):
        """A suppressed init that succeeds serves the invoke: no Init Duration, ``/tmp`` kept."""
        source = """
import os
if not os.path.exists("/tmp/seen"):
    open("/tmp/seen", "w").close()
    raise RuntimeError("first time")
def handler(event, context):
    return "well"
"""
        function = make_function(source)
        result = function.invoke()
        assert result.body == b'"well"'
        assert result.error is None
        assert "Init Duration" not in result.tail
        reports = [message for message in function.messages() if message.startswith("INIT_REPORT ")]
        assert len(reports) == 1
        assert reports[0].endswith("\tPhase: init\tStatus: error\tError Type: Runtime.Unknown\n")


ENDS = {
    "sys.exit()": ("import sys; sys.exit()", "Runtime exited without providing a reason"),
    "sys.exit(0)": ("import sys; sys.exit(0)", "Runtime exited without providing a reason"),
    "sys.exit(3)": ("import sys; sys.exit(3)", "Runtime exited with error: exit status 3"),
    "os._exit(255)": ("import os; os._exit(255)", "Runtime exited with error: exit status 255"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", "Runtime exited with error: signal: interrupt"),
    "SIGKILL": ("import os; os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    "SIGTERM": ("import os; os.kill(os.getpid(), 15)", "Runtime exited with error: signal: terminated"),
    "SIGABRT": ("import os; os.abort()", "Runtime exited with error: signal: aborted"),
    "SIGUSR1": ("import os; os.kill(os.getpid(), 10)", "Runtime exited with error: signal: user defined signal 1"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "Runtime exited with error: signal: segmentation fault"),
}


@pytest.fixture(scope="module")
def ending(make_function):
    """Runs the statement that the event brings; tells how young its globals and how old its /tmp are."""
    source = """
import os
calls = []
def handler(event, context):
    calls.append(1)
    with open("/tmp/count", "a") as file:
        file.write("x")
    exec(event.get("do", ""))
    return [len(calls), os.path.getsize("/tmp/count")]
"""
    return make_function(source)


class TestRuntimeEnds:
    @pytest.mark.parametrize("end", ENDS)
    def test_in_the_handler(self, ending, end):
        """The caller learns how; the next invoke works, with fresh globals and the same /tmp."""
        statement, message = ENDS[end]
        before = ending()[1]
        result = failed(ending, {"do": statement})
        assert result.body == platform_body(result, "Runtime.ExitError", message)
        assert report_tail(result) == "Status: error\tError Type: Runtime.ExitError"
        after = ending.invoke()
        assert json.loads(after.body) == [1, before + 2]
        assert "Init Duration" not in after.tail

    @pytest.mark.parametrize("end", ["sys.exit(0)", "sys.exit(3)", "SIGKILL"])
    def test_at_import(self, make_function, end):
        """As in the handler, with the invoke's own request id."""
        statement, message = ENDS[end]
        function = make_function(f"{statement}\ndef handler(event, context):\n    pass\n")
        result = failed(function)
        assert result.body == platform_body(result, "Runtime.ExitError", message)
        assert report_tail(result) == "Status: error\tError Type: Runtime.ExitError"
        reports = [message for message in function.messages() if message.startswith("INIT_REPORT ")]
        assert [report.split("\t", 1)[1] for report in reports] == [
            f"Phase: {phase}\tStatus: error\tError Type: Runtime.ExitError\n" for phase in ("init", "invoke")
        ]

    def test_what_it_wrote_last_is_in_the_log(self, make_function):
        """A line without a newline, written just before the end, is not lost."""
        function = make_function("import os\ndef handler(event, context):\n    os.write(1, b'last')\n    os._exit(1)\n")
        result = failed(function)
        assert f" Version: $LATEST\nlastEND RequestId: {result.request_id}\n" in result.tail


class TestTimeout:
    def test_in_the_handler(self, make_function):
        """Answered at the limit; the process is ended, /tmp kept, and the next invoke is served."""
        source = """
import os, time
fresh = True
def handler(event, context):
    global fresh
    was, fresh = fresh, False
    if event.get("sleep"):
        print("sleeping")
        open("/tmp/slept", "w").close()
        time.sleep(60)
    return [was, os.path.exists("/tmp/slept")]
"""
        function = make_function(source, Timeout=1)
        assert function() == [True, False]
        result = failed(function, {"sleep": True})
        assert result.body == platform_body(result, "Sandbox.Timedout", "Task timed out after 1.00 seconds")
        assert report_tail(result) == "Status: timeout"
        assert "\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\t" in result.tail
        assert "sleeping\n" in result.tail
        assert function() == [True, True]

    def test_a_stubborn_function_ends_too(self, make_function):
        """Ignored signals and children of its own do not help it."""
        source = """
import os, signal, time
def handler(event, context):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if not os.path.exists("/tmp/child"):
        if os.fork() == 0:
            os.setsid()
            open("/tmp/child", "w").close()
        while True:
            time.sleep(1)
    return [entry for entry in os.listdir("/proc") if entry.isdigit() and entry not in ("1", str(os.getpid()))]
"""
        function = make_function(source, Timeout=1)
        assert b"Sandbox.Timedout" in failed(function).body
        assert function() == []


class TestInitTimeout:
    """On a server whose init limit is a second instead of ten."""

    def test_the_init_is_repeated_within_the_invoke(self, make_function, brisk):
        """The second init has the function's timeout; its time counts as the invoke's."""
        source = "import time\ntime.sleep(1.5)\ndef handler(event, context):\n    return 'at last'\n"
        function = make_function(source, client=brisk.client("lambda"), logs_client=brisk.client("logs"))
        result = function.invoke()
        assert (result.error, result.body) == (None, b'"at last"')
        assert "Init Duration" not in result.tail
        assert float(re.search(r"\tDuration: (\S+) ms", result.tail)[1]) >= 1500
        (report,) = [message for message in function.messages() if message.startswith("INIT_REPORT ")]
        assert re.fullmatch(r"INIT_REPORT Init Duration: \d{4}\.\d\d ms\tPhase: init\tStatus: timeout\n", report)

    def test_both_time_out(self, make_function, brisk):
        source = "import time\ntime.sleep(60)\ndef handler(event, context):\n    pass\n"
        clients = {"client": brisk.client("lambda"), "logs_client": brisk.client("logs")}
        function = make_function(source, Timeout=2, **clients)
        result = failed(function)
        assert result.body == platform_body(result, "Sandbox.Timedout", "Task timed out after 2.00 seconds")
        assert report_tail(result) == "Status: timeout"
        messages = function.messages()
        reports = [message for message in messages if message.startswith("INIT_REPORT ")]
        assert [report.split("\t", 1)[1] for report in reports] == [
            "Phase: init\tStatus: timeout\n",
            "Phase: invoke\tStatus: timeout\n",
        ]
        assert messages.index(reports[1]) < messages.index(f"START RequestId: {result.request_id} Version: $LATEST\n")


class TestOutOfMemory:
    def test_is_killed_and_reported(self, make_function, limited):
        """The payload speaks of a killed runtime, the REPORT of the reason; all of the memory was used."""
        source = "def handler(event, context):\n    return len(bytearray(event['mb'] << 20))\n"
        function = make_function(source, MemorySize=128, Timeout=280)
        result = failed(function, {"mb": 300})
        assert result.body == platform_body(result, "Runtime.ExitError", "Runtime exited with error: signal: killed")
        assert report_tail(result) == "Status: error\tError Type: Runtime.OutOfMemory"
        assert "\tMemory Size: 128 MB\tMax Memory Used: 128 MB\t" in result.tail
        assert function({"mb": 20}) == 20 << 20

    def test_the_kernel_may_end_whatever_belongs_to_the_function(self, with_extension, isolated):
        """Runtime, extension, a child: in a group in which nobody may be ended they stand still until the timeout.

        Where the machine's own memory ends they go before the server.
        """
        source = """
import os, subprocess
def weight(pid):
    with open(f"/proc/{pid}/oom_score_adj") as file:
        return int(file.read())
def handler(event, context):
    child = subprocess.Popen(["sleep", "60"])
    weights = {pid: weight(pid) for pid in os.listdir("/proc") if pid.isdigit() and pid != "1"}
    child.kill()
    return list(weights.values())
"""
        function = with_extension("identifier, _ = register()\nwhile True:\n    next_event(identifier)\n", source)
        assert function() == [500] * 3


class TestSizes:
    RESPONSE_LIMIT = 6 * 1024 * 1024 + 100

    def test_a_response_may_have_just_the_limit(self, make_function):
        function = make_function("def handler(event, context):\n    return 'x' * event\n")
        result = function.invoke(self.RESPONSE_LIMIT - 2)
        assert (result.error, len(result.body)) == (None, self.RESPONSE_LIMIT)
        result = failed(function, self.RESPONSE_LIMIT - 1)
        assert result.body == (
            b'{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).",'
            b'"errorType":"Function.ResponseSizeTooLarge"}'
        )
        assert function(1) == "x"

    def test_a_request_beyond_6_mb_is_refused(self, make_function, lambda_):
        function = make_function("def handler(event, context):\n    return len(event)\n")
        limit = 6 * 1024 * 1024
        assert function("x" * (limit - 2)) == limit - 2
        with pytest.raises(lambda_.exceptions.ClientError) as refusal:
            function("x" * (limit - 1))
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
        assert refusal.value.response["Error"] == {
            "Code": "RequestEntityTooLargeException",
            "Message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
        }
