"""Answers in parts: InvokeWithResponseStream, custom runtimes in streaming mode, Python generators."""

import json
import threading

import pytest

GENERATOR = """
import os, time

def handler(event, context):
    yield "first "
    while event.get("wait") and not os.path.exists(event["wait"]):
        time.sleep(0.01)
    yield b"second "
    if event.get("fail"):
        raise ValueError("in the middle")
    yield {"third": "\\u00fc"}
"""


def events(client, name, payload=None, **options):
    answer = client.invoke_with_response_stream(
        FunctionName=name, Payload=json.dumps({} if payload is None else payload), **options
    )
    return answer, list(answer["EventStream"])


def text_of(found):
    return b"".join(event["PayloadChunk"]["Payload"] for event in found if "PayloadChunk" in event).decode()


class TestGenerators:
    @pytest.mark.parametrize("version", ["python3.9", "python3.12", "python3.13"])
    def test_parts_arrive_and_the_end_is_told(self, make_function, lambda_, version):
        function = make_function(GENERATOR, runtime=version)
        answer, found = events(lambda_, function.name, LogType="Tail")
        assert answer["ExecutedVersion"] == "$LATEST"
        third = '{"third": "ü"}' if version != "python3.9" else '{"third": "\\u00fc"}'
        assert text_of(found) == f"first second {third}"
        assert set(found[-1]) == {"InvokeComplete"}
        assert "LogResult" in found[-1]["InvokeComplete"]
        assert "ErrorCode" not in found[-1]["InvokeComplete"]

    def test_a_part_is_there_before_the_function_goes_on(self, make_function, lambda_, server):
        """The function waits for a second invoke's file, which is made only when the first part was seen."""
        function = make_function(
            """
import json, threading, urllib.request
gate = threading.Event()
def handler(event, context):
    yield "before"
    yield "x" * event["size"]
    yield "after"
"""
        )
        answer = lambda_.invoke_with_response_stream(FunctionName=function.name, Payload=b'{"size": 3000000}')
        stream = iter(answer["EventStream"])
        assert next(stream) == {"PayloadChunk": {"Payload": b"before"}}
        rest = list(stream)
        assert text_of(rest) == "x" * 3_000_000 + "after"

    def test_an_error_in_the_middle_is_told_at_the_end(self, make_function, lambda_):
        function = make_function(GENERATOR)
        _, found = events(lambda_, function.name, {"fail": True})
        assert text_of(found) == "first second "
        complete = found[-1]["InvokeComplete"]
        assert complete["ErrorCode"] == "ValueError"
        details = json.loads(complete["ErrorDetails"])
        assert details["errorMessage"] == "in the middle"
        assert [line.partition(" in ")[2].partition("\n")[0] for line in details["stackTrace"]] == ["handler"]
        assert any("[ERROR] ValueError: in the middle" in message for message in function.messages())
        assert text_of(events(lambda_, function.name)[1]).startswith("first second")

    def test_a_plain_invoke_gets_the_parts_joined(self, make_function):
        function = make_function(GENERATOR)
        result = function.invoke()
        assert result.error is None
        assert result.body == 'first second {"third": "ü"}'.encode()
        failed = function.invoke({"fail": True})
        assert failed.error == "Unhandled"
        assert json.loads(failed.body)["errorType"] == "ValueError"

    def test_async_generators_and_returned_ones(self, make_function, lambda_):
        function = make_function(
            """
import asyncio
async def numbers():
    for number in range(3):
        await asyncio.sleep(0)
        yield str(number)
def handler(event, context):
    return numbers()
"""
        )
        assert text_of(events(lambda_, function.name)[1]) == "012"
        assert function.invoke().body == b"012"

    def test_a_generator_without_parts(self, make_function, lambda_):
        function = make_function("def handler(event, context):\n    return\n    yield\n")
        _, found = events(lambda_, function.name)
        assert text_of(found) == ""
        assert function.invoke().body == b""


class TestBuffered:
    def test_an_ordinary_answer_comes_as_one_part(self, make_function, lambda_):
        function = make_function("def handler(event, context):\n    return event\n")
        _, found = events(lambda_, function.name, {"a": 1})
        assert found == [{"PayloadChunk": {"Payload": b'{"a": 1}'}}, {"InvokeComplete": {}}]

    def test_an_error_is_told_at_the_end(self, make_function, lambda_):
        function = make_function("def handler(event, context):\n    raise KeyError('x')\n")
        _, found = events(lambda_, function.name)
        assert [list(event) for event in found] == [["InvokeComplete"]]
        assert found[0]["InvokeComplete"]["ErrorCode"] == "KeyError"

    def test_an_unknown_function_is_an_error_of_the_call(self, lambda_):
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.invoke_with_response_stream(FunctionName="nobody")

    def test_dry_run(self, make_function, lambda_):
        function = make_function("def handler(event, context):\n    return 1\n")
        answer = lambda_.invoke_with_response_stream(FunctionName=function.name, InvocationType="DryRun")
        assert answer["StatusCode"] == 204


class TestSlowReader:
    def test_a_reader_that_waits_stops_the_writer_and_gets_all(self, make_function, lambda_):
        """More than any buffer on the way holds, read only after the writer had its chance to flood."""
        function = make_function(
            "def handler(event, context):\n    for _ in range(60):\n        yield b'y' * 100_000\n"
        )
        answer = lambda_.invoke_with_response_stream(FunctionName=function.name)
        other = make_function("def handler(event, context):\n    return 'quick'\n")
        done = threading.Event()
        threading.Thread(target=lambda: (other(), done.set())).start()
        assert done.wait(20)  # the flood holds up nobody else
        assert len(text_of(list(answer["EventStream"]))) == 6_000_000


class TestCustomRuntime:
    BOOTSTRAP = """#!/usr/bin/perl
use strict; use IO::Socket::INET; use MIME::Base64;
my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
sub call { my ($request) = @_;
  my $s = IO::Socket::INET->new(PeerHost => $host, PeerPort => $port) or die $!;
  print $s $request; my $all = join '', <$s>; return $all; }
while (1) {
  my $next = call("GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n");
  my ($id) = $next =~ /Lambda-Runtime-Aws-Request-Id: (\\S+)/i;
  my $head = "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n" .
    "Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n";
  if ($next =~ /"fail"/) {
    call($head . "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n\\r\\n" .
      "4\\r\\npart\\r\\n0\\r\\nLambda-Runtime-Function-Error-Type: Function.Custom\\r\\n" .
      "Lambda-Runtime-Function-Error-Body: " . encode_base64('{"errorMessage":"no"}', '') . "\\r\\n\\r\\n");
  } elsif ($next =~ /"cut"/) {
    my $s = IO::Socket::INET->new(PeerHost => $host, PeerPort => $port) or die $!;
    print $s $head . "\\r\\n4\\r\\npart\\r\\n"; close $s;
  } else { call($head . "\\r\\n5\\r\\nhello\\r\\n6\\r\\n world\\r\\n0\\r\\n\\r\\n"); }
}
"""

    @pytest.fixture
    def function(self, make_function, zipped):
        return make_function(
            zipped({"bootstrap": self.BOOTSTRAP}, executables=["bootstrap"]), runtime="provided.al2023", handler="x"
        )

    def test_streams_and_is_joined_for_a_plain_invoke(self, function, lambda_):
        assert text_of(events(lambda_, function.name)[1]) == "hello world"
        assert function.invoke().body == b"hello world"

    def test_its_trailer_carries_the_error(self, function, lambda_):
        _, found = events(lambda_, function.name, {"fail": 1})
        assert text_of(found) == "part"
        assert found[-1]["InvokeComplete"] == {"ErrorCode": "Unhandled", "ErrorDetails": '{"errorMessage":"no"}'}

    def test_one_that_hangs_up_is_truncated(self, function, lambda_):
        _, found = events(lambda_, function.name, {"cut": 1})
        assert text_of(found) == "part"
        assert found[-1]["InvokeComplete"]["ErrorCode"] == "Runtime.TruncatedResponse"
        assert text_of(events(lambda_, function.name)[1]) == "hello world"
