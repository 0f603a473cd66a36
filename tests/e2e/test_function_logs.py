"""What a function writes and what the log says of it (fact sheet section 7)."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median


def numbers_out(text):
    """The text with every figure, time and id replaced, to compare the rest."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)
    return re.sub(r"\d+(\.\d\d)? (ms|MB)", r"N \2", text)


class TestTextFormat:
    SOURCE = """
import logging, sys
print("at init")
logging.warning("init record")

def handler(event, context):
    print("to stdout")
    sys.stderr.write("to stderr\\n")
    logging.info("not shown: the level is WARNING")
    logging.warning("first line\\nsecond line ü")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("caught")
    print("two\\nlines")
    sys.stdout.write("no newline")
"""

    def test_is_as_on_aws(self, make_function, runtime):
        """System lines, prints line by line, each record of logging as one event, in the order of writing."""
        function = make_function(self.SOURCE, runtime=runtime)
        result = function.invoke()
        messages = function.messages()
        assert numbers_out(messages[0]).startswith("INIT_START Runtime Version: python:")
        shown = [numbers_out(message) for message in messages[1:]]
        traceback = next(message for message in shown if "caught" in message)
        assert re.fullmatch(
            r"\[ERROR\]\tTIME\tID\tcaught\nTraceback \(most recent call last\):\n"
            r'  File "/var/task/app.py", line 12, in handler\n    1 / 0\n(    ~~\^~~\n)?'
            r"ZeroDivisionError: division by zero\n?",
            traceback,
        )
        shown.remove(traceback)
        assert sorted(shown) == sorted(
            [
                "at init\n",
                "[WARNING]\tTIME\t\tinit record\n",
                "START RequestId: ID Version: $LATEST\n",
                "to stdout\n",
                "to stderr\n",
                "[WARNING]\tTIME\tID\tfirst line\nsecond line ü\n",
                "two\n",
                "lines\n",
                "no newline",
                "END RequestId: ID\n",
                "REPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\tMemory Size: N MB\t"
                "Max Memory Used: N MB\tInit Duration: N ms\t\n",
            ]
        )
        assert set(shown[:2]) == {"at init\n", "[WARNING]\tTIME\t\tinit record\n"}
        assert shown[2].startswith("START ")
        assert [line.partition(" ")[0] for line in shown[-2:]] == ["END", "REPORT"]
        prints = [line for line in shown if line in ("to stdout\n", "to stderr\n", "two\n", "lines\n", "no newline")]
        assert prints == ["to stdout\n", "to stderr\n", "two\n", "lines\n", "no newline"]
        assert "".join(messages).endswith(result.tail)
        assert result.tail.startswith(f"START RequestId: {result.request_id} Version: $LATEST\n")

    def test_the_second_report_has_no_init_duration(self, make_function):
        function = make_function("def handler(event, context):\n    pass\n")
        assert "\tInit Duration: " in function.invoke().tail
        report = function.invoke().tail.splitlines()[-1]
        assert numbers_out(report) == (
            "REPORT RequestId: ID\tDuration: N ms\tBilled Duration: N ms\tMemory Size: N MB\tMax Memory Used: N MB\t"
        )
        duration, billed = re.search(r"Duration: (\S+) ms\tBilled Duration: (\d+) ms", report).groups()
        assert int(billed) - 1 < float(duration) <= int(billed)

    def test_events_carry_the_time_of_writing(self, make_function, logs):
        """Two lines a while apart are a while apart in the log."""
        source = "import time\ndef handler(event, context):\n    print('a')\n    time.sleep(1.5)\n    print('b')\n"
        function = make_function(source)
        function()
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
        times = {event["message"]: event["timestamp"] for event in events}
        # Not 1.5 s: on a busy machine the first one is read a while after it was written.
        assert times["b\n"] - times["a\n"] >= 500


class TestJsonFormat:
    def test_application_and_system_records(self, make_function, runtime):
        """Fields and order of the runtime client; platform events as in the Telemetry API; levels filter both."""
        source = """
import logging
logger = logging.getLogger("mine")
def handler(event, context):
    logger.debug("hidden")
    logger.info("hello %s", "ü", extra={"order": 7})
    print("plain")
    if event.get("fail"):
        raise ValueError("bad")
"""
        function = make_function(source, runtime=runtime, LoggingConfig={"LogFormat": "JSON"})
        result = function.invoke()
        messages = function.messages()
        assert "plain\n" in messages
        records = [json.loads(message) for message in messages if message != "plain\n"]
        assert [record.get("type") for record in records] == [
            "platform.initStart",
            "platform.start",
            None,
            "platform.report",
        ]
        application = records[2]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", application.pop("timestamp"))
        assert application == {
            "level": "INFO",
            "message": "hello ü",
            "logger": "mine",
            "requestId": result.request_id,
            "order": 7,
        }
        report = records[3]["record"]
        assert (report["requestId"], report["status"]) == (result.request_id, "success")
        assert set(report["metrics"]) == {
            "durationMs",
            "billedDurationMs",
            "memorySizeMB",
            "maxMemoryUsedMB",
            "initDurationMs",
        }
        function.invoke({"fail": True})
        errors = [json.loads(m) for m in function.messages() if '"errorType"' in m and '"stackTrace"' in m]
        assert [(e["errorMessage"], e["errorType"]) for e in errors] == [("bad", "ValueError")]

    def test_levels(self, make_function):
        source = """
import logging
def handler(event, context):
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(), level)(level)
"""
        levels = {"LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"}
        function = make_function(source, LoggingConfig=levels)
        function()
        assert [json.loads(message)["message"] for message in function.messages()] == ["error"]
        levels = {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "SystemLogLevel": "DEBUG"}
        function = make_function(source, LoggingConfig=levels)
        function()
        records = [json.loads(message) for message in function.messages()]
        assert [record["message"] for record in records if "message" in record] == ["debug", "info", "warning", "error"]
        kinds = [record["type"] for record in records if "type" in record]
        for kind in (
            "platform.initStart",
            "platform.initReport",
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
        ):
            assert kind in kinds

    def test_a_group_of_another_name(self, make_function, logs):
        """The stream then names the function."""
        function = make_function(
            "def handler(event, context):\n    print('x')\n", LoggingConfig={"LogGroup": "shared/group"}
        )
        function()
        (stream,) = logs.describe_log_streams(logGroupName="shared/group")["logStreams"]
        assert re.fullmatch(rf"\d{{4}}/\d\d/\d\d/{function.name}\[\$LATEST\][0-9a-f]{{32}}", stream["logStreamName"])


class TestLongRecords:
    def test_a_long_line_and_a_long_record_come_whole(self, make_function):
        """A record of logging of 200 KB is one event, however many reads it took; a print likewise."""
        source = """
import logging
def handler(event, context):
    logging.warning("A" * 200_000 + "\\n" + "B" * 50_000)
    print("C" * 200_000)
"""
        function = make_function(source)
        function()
        messages = function.messages()
        assert [len(m) for m in messages if m.startswith("C")] == [200_001]
        (record,) = [m for m in messages if m.startswith("[WARNING]")]
        assert record.endswith("\t" + "A" * 200_000 + "\n" + "B" * 50_000 + "\n")

    def test_nothing_of_a_line_beyond_an_events_size_is_lost(self, make_function):
        """CloudWatch has a limit for one event; the rest goes on in the next."""
        function = make_function("def handler(event, context):\n    print('€' * 700_000)\n")
        function()
        pieces = [m for m in function.messages() if "€" in m]
        assert "".join(pieces) == "€" * 700_000 + "\n"
        assert all(len(piece.encode()) <= 256 * 1024 for piece in pieces)

    def test_the_tail_is_the_last_4_kb(self, make_function):
        source = "def handler(event, context):\n    for n in range(1000):\n        print('line', n)\n"
        function = make_function(source)
        result = function.invoke()
        whole = "".join(function.messages())
        assert len(result.tail) == 4096
        assert whole.endswith(result.tail)

    def test_bytes_that_are_no_text_do_no_harm(self, make_function):
        function = make_function("import os\ndef handler(event, context):\n    os.write(1, b'a\\xff\\x00b\\n')\n")
        function()
        assert "a\ufffd\x00b\n" in function.messages()

    def test_a_child_that_never_stops_writing_stops_nobody(self, make_function, wait_updated, lambda_):
        """The answer comes while the flood goes on, and the environment can be ended."""
        source = "import subprocess\ndef handler(event, context):\n    subprocess.Popen(['yes'])\n    return 'answer'\n"
        function = make_function(source, MemorySize=1769)
        assert function() == "answer"
        assert function() == "answer"
        lambda_.delete_function(FunctionName=function.name)


class TestChattyFunction:
    LINES = 100_000

    def test_loses_nothing_and_leaves_others_alone(self, make_function, logs):
        """100,000 lines in order; meanwhile another function answers about as fast as without."""
        chatty = make_function(
            f"def handler(event, context):\n    for n in range({self.LINES}):\n        print('line', n)\n",
            Timeout=60,
            MemorySize=1769,
        )
        other = make_function("def handler(event, context):\n    return 'here'\n")

        def latency():
            started = time.perf_counter()
            assert other() == "here"
            return time.perf_counter() - started

        latency()
        quiet = median(latency() for _ in range(20))
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(chatty)
            noisy = []
            while not running.done():
                noisy.append(latency())
            assert running.result() is None
        # Both share two cores with the writer and the log store: what must not be is waiting for the other's end.
        assert len(noisy) >= 5
        assert median(noisy) < 20 * quiet
        (stream,) = logs.describe_log_streams(logGroupName=f"/aws/lambda/{chatty.name}")["logStreams"]
        found, token = [], None
        while True:
            options = {"nextToken": token} if token else {}
            page = logs.get_log_events(
                logGroupName=f"/aws/lambda/{chatty.name}",
                logStreamName=stream["logStreamName"],
                startFromHead=True,
                **options,
            )
            if page["nextForwardToken"] == token:
                break
            token = page["nextForwardToken"]
            found.extend(event["message"] for event in page["events"])
        assert [line for line in found if line.startswith("line ")] == [f"line {n}\n" for n in range(self.LINES)]
        assert found[-1].startswith("REPORT ")
