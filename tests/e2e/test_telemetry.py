"""Telemetry as real extensions take it: over HTTP and TCP, in every schema, by listeners good and bad."""

import base64
import json
import re

import pytest

SUBSCRIBE = """
import threading

identifier, facts = register()


def subscribe(destination, path="/2022-07-01/telemetry", **request):
    answer, body = call("PUT", path, {"Lambda-Extension-Identifier": identifier},
                        json.dumps({"destination": destination, **request}))
    return answer.status, json.loads(body)


def keep(**batch):
    with open("/tmp/batches", "a") as file:
        file.write(json.dumps(batch) + "\\n")


def kept():
    if not os.path.exists("/tmp/batches"):
        return []
    with open("/tmp/batches") as file:
        return file.read().split("\\n")[:-1]  # one reading: the listener goes on writing


"""

HTTP = (
    SUBSCRIBE
    + """
import http.server


class Listener(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        keep(how=self.command + " " + self.path, size=len(body), events=json.loads(body))
        self.send_response(200)
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("sandbox.localdomain", 8080), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
DESTINATION = {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/telemetry"}
"""
)

TCP = (
    SUBSCRIBE
    + """
import socket

server = socket.create_server(("sandbox.localdomain", 8080))


def read():
    connection, _ = server.accept()
    with connection.makefile() as lines:
        for line in lines:
            keep(how="TCP", size=len(line), events=[json.loads(line)])


threading.Thread(target=read, daemon=True).start()
DESTINATION = {"protocol": "TCP", "port": 8080}
"""
)

LOOP = """
while next_event(identifier)["eventType"] != "SHUTDOWN":
    pass
"""

SOURCE = """
import json, logging, os, time

def batches():
    if not os.path.exists("/tmp/batches"):
        return []
    with open("/tmp/batches") as file:
        *whole, _unfinished = file.read().split("\\n")  # one reading: the listener goes on writing
    return [json.loads(line) for line in whole]

def handler(event, context):
    for number in range(event.get("lines", 0)):
        print(number, "x" * event["width"])
    if "say" in event:
        logging.getLogger().warning(event["say"])
    while "until" in event and event["until"] not in json.dumps(batches()):
        time.sleep(0.005)
    return batches() if event.get("tell", True) else None
"""


@pytest.fixture(scope="session")
def with_listener(isolated, with_extension):
    """A function that answers with what its extension was sent, once it was sent ``until``."""

    def make(code, **options):
        return with_extension(code + LOOP, SOURCE, name="listener", **options)

    return make


def events(batches, kind=""):
    return [event for batch in batches for event in batch["events"] if event["type"].startswith(kind)]


def of_request(found, request_id):
    return {event["type"]: event["record"] for event in found if event["record"].get("requestId") == request_id}


class TestTelemetryApi:
    @pytest.mark.parametrize("transport", [HTTP, TCP], ids=["http", "tcp"])
    @pytest.mark.parametrize("schema", ["2022-07-01", "2022-12-13"])
    def test_tells_of_init_and_invoke(self, with_listener, transport, schema):
        """Every event once, in order, with the members of its schema; lines as text or as objects."""
        function = with_listener(
            transport
            + f"""
assert subscribe(DESTINATION, schemaVersion="{schema}", types=["platform", "function"],
                 buffering={{"timeoutMs": 25, "maxItems": 1000, "maxBytes": 262144}}) == (200, "OK")
""",
            LoggingConfig={"LogFormat": "JSON"},
        )
        first = function.invoke({"say": "hello", "until": "hello"})
        batches = function({"until": "platform.report"})
        assert {batch["how"] for batch in batches} == {"POST /telemetry" if transport == HTTP else "TCP"}
        found = events(batches, "platform.")
        (subscribed,) = (event for event in found if event["type"] == "platform.telemetrySubscription")
        found.remove(subscribed)  # it may come before or after what the runtime does
        assert [event["type"].partition(".")[2] for event in found[:7]] == [
            "initStart",
            "initRuntimeDone",
            "extension",
            "initReport",
            "start",
            "runtimeDone",
            "report",
        ]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"]) for event in found)
        records = {event["type"].partition(".")[2]: event["record"] for event in found[:4]}
        assert (
            records["initStart"].items()
            >= {
                "initializationType": "on-demand",
                "phase": "init",
                "functionName": function.name,
                "functionVersion": "$LATEST",
            }.items()
        )
        assert subscribed["record"] == {
            "name": "listener",
            "state": "Subscribed",
            "types": ["platform", "function"],
        }
        assert records["initRuntimeDone"] == {
            "initializationType": "on-demand",
            "phase": "init",
            "status": "success",
        }
        assert records["extension"] == {"name": "listener", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
        assert (records["initReport"]["status"], list(records["initReport"]["metrics"])) == ("success", ["durationMs"])
        invoke = of_request(found, first.request_id)
        assert invoke["platform.start"]["version"] == "$LATEST"
        done, report = invoke["platform.runtimeDone"], invoke["platform.report"]
        assert (done["status"], done["metrics"]["producedBytes"]) == ("success", len(first.body))
        assert [span["name"] for span in done["spans"]] == ["responseLatency", "responseDuration", "runtimeOverhead"]
        assert report["status"] == "success"
        assert set(report["metrics"]) == {
            "durationMs",
            "billedDurationMs",
            "memorySizeMB",
            "maxMemoryUsedMB",
            "initDurationMs",
        }
        assert [span["name"] for span in report["spans"]] == ["extensionOverhead"]
        (line,) = (event["record"] for event in events(batches, "function"))
        assert isinstance(line, str) == (schema == "2022-07-01")
        assert (json.loads(line) if isinstance(line, str) else line)["message"] == "hello"

    @pytest.mark.parametrize("schema", ["2022-07-01", "2025-01-29"])
    def test_tells_of_a_restoration(self, with_listener, published, schema):
        """SnapStart: after the init, and before the event, three more events in AWS's order."""
        function = with_listener(
            HTTP
            + f"""
assert subscribe(DESTINATION, schemaVersion="{schema}", types=["platform"], buffering={{"timeoutMs": 25}})[0] == 200
""",
            SnapStart={"ApplyOn": "PublishedVersions"},
        )
        published(function)
        first = function.invoke({"tell": False}, Qualifier="1")
        found = events(function({"until": "platform.report"}, Qualifier="1"), "platform.")
        by_type = {event["type"].partition(".")[2]: event["record"] for event in found}
        order = [event["type"].partition(".")[2] for event in found]
        order.remove("telemetrySubscription")  # it may come before or after what the runtime does
        assert order[:9] == [
            "initStart",
            "initRuntimeDone",
            "extension",
            "initReport",
            "restoreStart",
            "restoreRuntimeDone",
            "restoreReport",
            "start",
            "runtimeDone",
        ]
        start = by_type["restoreStart"]
        assert list(start) == [
            "runtimeVersion",
            "runtimeVersionArn",
            "functionName",
            "functionVersion",
            "instanceId",
            "instanceMaxMemory",
        ]
        assert (start["functionName"], start["functionVersion"]) == (function.name, "1")
        assert start["instanceMaxMemory"] == 512
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[1\][0-9a-f]{32}", start["instanceId"])
        assert by_type["restoreRuntimeDone"] == {"status": "success"}
        assert set(by_type["restoreReport"]) == {"status", "metrics"}
        assert (by_type["initStart"]["initializationType"], by_type["initStart"]["phase"]) == ("snap-start", "init")
        metrics = of_request(found, first.request_id)["platform.report"]["metrics"]
        assert metrics["restoreDurationMs"] == by_type["restoreReport"]["metrics"]["durationMs"]

    def test_lines_of_extensions_are_a_stream_of_their_own(self, with_listener):
        function = with_listener(
            HTTP
            + """
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["extension"], buffering={"timeoutMs": 25})
tell("WAS HERE")
"""
        )
        assert {event["record"] for event in events(function({"until": "WAS HERE"}))} == {"listener WAS HERE"}

    def test_the_end_of_the_runtime_is_told_while_the_extension_is_still_at_work(self, with_listener):
        """Extensions that forward telemetry wait for runtimeDone before they ask for the next event."""
        function = with_listener(
            HTTP
            + """
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["platform"], buffering={"timeoutMs": 25})
while (event := next_event(identifier))["eventType"] != "SHUTDOWN":
    while not any("runtimeDone" in line and event["requestId"] in line for line in kept()):
        time.sleep(0.005)
    tell("HEARD OF THE END")
"""
        )
        for _ in range(2):
            tail = function.invoke({"tell": False}).tail
            assert "listener HEARD OF THE END\n" in tail
            assert "Status: timeout" not in tail

    @pytest.mark.parametrize(
        ("code", "done"),
        [
            ("raise ValueError('no')", {"status": "error", "errorType": "Runtime.Unknown"}),
            ("os._exit(3)", {"status": "error", "errorType": "Runtime.ExitError"}),
            ("time.sleep(60)", {"status": "timeout", "errorType": None}),
        ],
    )
    def test_failures_have_their_status(self, with_extension, isolated, code, done):
        source = SOURCE.replace("    for number", f"    if event.get('fail'):\n        {code}\n    for number")
        code = (
            HTTP
            + """
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["platform"], buffering={"timeoutMs": 25})
"""
            + LOOP
        )
        function = with_extension(code, source, name="listener", Timeout=2)
        failed = function.invoke({"fail": True})
        told = of_request(events(function({"until": "platform.report"}), "platform."), failed.request_id)
        for kind in ("platform.runtimeDone", "platform.report"):
            assert {name: told[kind].get(name) for name in done} == done

    def test_subscribing_is_over_with_the_init(self, with_listener):
        """403 Telemetry.SubscriptionClosed, and the extension goes on."""
        function = with_listener(
            HTTP
            + """
event = next_event(identifier)
keep(how=subscribe(DESTINATION, schemaVersion="2022-12-13", types=["platform"]), events=[])
"""
        )
        (batch,) = function({"until": "Closed"})
        status, told = batch["how"]
        assert (status, told["errorType"]) == (403, "Telemetry.SubscriptionClosed")

    def test_a_refusal_says_what_is_wrong(self, with_listener):
        function = with_listener(
            HTTP
            + """
keep(how=subscribe({"protocol": "HTTP", "URI": "http://sandbox.localdomain"}, schemaVersion="2022-07-01", types=[]),
     events=[])
"""
        )
        assert function()[0]["how"] == [
            400,
            {
                "errorMessage": "URI port is not provided; types should not be empty",
                "errorType": "ValidationError",
            },
        ]


class TestLogsApi:
    @pytest.mark.parametrize(
        ("schema", "kinds"),
        [
            ("2020-08-15", ["extension", "start", "end", "report"]),
            (
                "2021-03-18",
                ["initRuntimeDone", "extension", "initReport", "start", "runtimeDone", "end", "report"],
            ),
        ],
    )
    def test_has_events_of_its_own_and_puts_them(self, with_listener, schema, kinds):
        function = with_listener(
            HTTP
            + f"""
assert subscribe({{**DESTINATION, "method": "PUT"}}, "/2020-08-15/logs", schemaVersion="{schema}",
                 types=["platform", "function"], buffering={{"timeoutMs": 25}}) == (200, "OK")
"""
        )
        function({"lines": 1, "width": 3, "until": "0 xxx"})
        batches = function({"until": "platform.report"})
        assert {batch["how"] for batch in batches} == {"PUT /telemetry"}
        found = [event["type"].partition(".")[2] for event in events(batches, "platform.")]
        found.remove("logsSubscription")  # it may come before or after what the runtime does
        assert found[: len(kinds)] == kinds
        assert [event["record"] for event in events(batches, "function")] == ["0 xxx"]

    def test_tells_of_a_fault(self, with_extension, isolated):
        code = (
            HTTP
            + """
subscribe(DESTINATION, "/2020-08-15/logs", types=["platform"], buffering={"timeoutMs": 25})
"""
            + LOOP
        )
        source = SOURCE.replace("    for number", "    if event.get('fail'):\n        os._exit(1)\n    for number")
        function = with_extension(code, source, name="listener")
        failed = function.invoke({"fail": True})
        (fault,) = events(function({"until": "platform.fault"}), "platform.fault")
        assert fault["record"] == f"RequestId: {failed.request_id} Status: error\tErrorType: Runtime.ExitError"


class TestBuffering:
    def make(self, with_listener, **buffering):
        return with_listener(
            HTTP
            + f"""
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["function"], buffering={json.dumps(buffering)})
"""
        )

    def test_a_batch_has_no_more_than_max_items(self, with_listener):
        function = self.make(with_listener, maxItems=1000, timeoutMs=30_000)
        batches = function({"lines": 2500, "width": 1, "until": '"1999 x"'})
        assert [len(batch["events"]) for batch in batches] == [1000, 1000]

    def test_a_batch_has_no_more_than_max_bytes(self, with_listener):
        function = self.make(with_listener, maxBytes=262_144, timeoutMs=30_000)
        batches = function({"lines": 60, "width": 10_000, "until": '"51 x'})
        assert [len(batch["events"]) for batch in batches] == [26, 26]
        assert all(240_000 < batch["size"] <= 262_144 for batch in batches)

    def test_a_batch_goes_when_its_time_is_over(self, with_listener):
        function = self.make(with_listener, timeoutMs=25)
        (event,) = events(function({"lines": 1, "width": 5, "until": "0 xxxxx"}))
        assert event["record"] == "0 xxxxx"

    def test_the_end_of_the_environment_sends_the_rest(self, with_extension, isolated, lambda_, ended):
        """Whatever timeoutMs says, the extension has it before its SHUTDOWN."""
        function = with_extension(
            HTTP
            + """
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["function"], buffering={"timeoutMs": 30000})
while (event := next_event(identifier))["eventType"] != "SHUTDOWN":
    pass
tell("AT THE END", open("/tmp/batches").read().count("xxxxx"))
""",
            SOURCE,
            name="listener",
        )
        assert function({"lines": 1, "width": 5}) == []
        lambda_.delete_function(FunctionName=function.name)
        assert "listener AT THE END 1\n" in ended(function, "AT THE END")


class TestBadListeners:
    @pytest.mark.parametrize(
        "listener",
        [
            "DESTINATION = {'protocol': 'HTTP', 'URI': 'http://sandbox.localdomain:8080'}",
            "import socket\nserver = socket.create_server(('sandbox.localdomain', 8080))\n"
            "DESTINATION = {'protocol': 'HTTP', 'URI': 'http://sandbox.localdomain:8080'}",
            "import socket\nserver = socket.create_server(('sandbox.localdomain', 8080))\n"
            "DESTINATION = {'protocol': 'TCP', 'port': 8080}",
        ],
        ids=["nobody", "deaf-http", "deaf-tcp"],
    )
    def test_do_not_harm_the_function(self, with_listener, listener):
        """Nobody listens, or nobody takes: invokes are answered as ever, and the environment stays."""
        function = with_listener(
            SUBSCRIBE
            + listener
            + """
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["platform", "function"], buffering={"timeoutMs": 25})
"""
        )
        for _ in range(3):
            result = function.invoke({"lines": 2000, "width": 500})
            assert result.error is None
        starts = [message for message in function.messages() if message.startswith("INIT_START")]
        assert len(starts) == 1

    def test_one_that_fails_is_told_what_it_lost(self, with_listener):
        """platform.logsDropped with what was given up after the retries."""
        function = with_listener(
            HTTP
            + """
take = Listener.do_POST
def refuse(self):
    self.rfile.read(int(self.headers["Content-Length"]))
    self.send_response(500)
    self.end_headers()
    refused.append(1)
    if len(refused) == 5:
        Listener.do_POST = take
        keep(how="healed", events=[])
refused = []
Listener.do_POST = refuse
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["platform", "function"], buffering={"timeoutMs": 25})
"""
        )
        function({"until": "healed"})
        (lost,) = events(function({"lines": 1, "width": 5, "until": "logsDropped"}), "platform.logsDropped")
        assert lost["record"]["droppedRecords"] >= 1
        assert lost["record"]["droppedBytes"] > 100
        assert lost["record"]["reason"].startswith("Some logs were dropped")


class TestTracing:
    """X-Ray's identifiers in the function, in REPORT and in telemetry."""

    GIVEN = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"

    @pytest.fixture
    def invoke(self, server):
        """Invoke with a trace header; the answer, and the log's tail."""

        def call(function, header, event):
            client = server.client("lambda")
            client.meta.events.register(
                "before-call.lambda.Invoke", lambda params, **_: params["headers"].update({"X-Amzn-Trace-Id": header})
            )
            answer = client.invoke(FunctionName=function.name, Payload=json.dumps(event), LogType="Tail")
            return json.loads(answer["Payload"].read()), base64.b64decode(answer["LogResult"]).decode()

        return call

    def test_an_active_function_has_a_segment_of_its_own(self, with_listener, invoke):
        function = with_listener(
            HTTP
            + """
subscribe(DESTINATION, schemaVersion="2022-12-13", types=["platform"], buffering={"timeoutMs": 25})
""",
            TracingConfig={"Mode": "Active"},
        )
        _, tail = invoke(function, self.GIVEN + ";Sampled=1", {"tell": False})
        root = "1-5759e988-bd862e3fe1be46a994272793"
        segment = re.search(rf"\t\nXRAY TraceId: {root}\tSegmentId: ([0-9a-f]{{16}})\tSampled: true\t\n$", tail)[1]
        found = events(function({"until": "platform.report"}), "platform.")
        told = [event["record"] for event in found if event["record"].get("tracing", {}).get("spanId") == segment]
        assert [record["tracing"] for record in told] == [
            {"spanId": segment, "type": "X-Amzn-Trace-Id", "value": self.GIVEN + ";Sampled=1"}
        ] * 3, "platform.start, runtimeDone and report"

    @pytest.mark.parametrize(
        ("mode", "sampled", "traced"), [("Active", 1, True), ("Active", 0, False), ("PassThrough", 1, False)]
    )
    def test_the_function_and_what_it_calls_see_the_trace(self, make_function, invoke, mode, sampled, traced):
        """``_X_AMZN_TRACE_ID`` and the header that boto3 sends on are the same."""
        source = """
import os, boto3
client = boto3.client("lambda")
def remember(request, **_):
    client.sent = request.headers["X-Amzn-Trace-Id"]
client.meta.events.register("before-send.lambda.*", remember)
def handler(event, context):
    client.list_functions(MaxItems=1)
    sent = client.sent
    return [os.environ["_X_AMZN_TRACE_ID"], sent if isinstance(sent, str) else sent.decode()]
"""
        function = make_function(source, TracingConfig={"Mode": mode})
        (seen, sent), tail = invoke(function, f"{self.GIVEN};Sampled={sampled}", None)
        assert seen == sent
        assert seen.startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=")
        assert f";Sampled={sampled}" in seen
        assert ("53995c3f42cd8ad8" in seen) is (mode == "PassThrough")
        assert ("XRAY TraceId" in tail) is traced

    def test_the_first_invoke_of_an_active_function_is_sampled(self, make_function):
        function = make_function("def handler(event, context):\n    pass\n", TracingConfig={"Mode": "Active"})
        assert re.search(r"XRAY TraceId: 1-[0-9a-f]{8}-[0-9a-f]{24}\tSegmentId: ", function.invoke().tail)
