"""A function's whole life through boto3, on every runtime of this machine."""

import json
import urllib.request

import pytest

HELLO = """
import logging, sys, os
logging.getLogger().setLevel("INFO")

def handler(event, context):
    logging.info("got %s", event)
    print("plain line")
    return {"event": event, "python": "%d.%d" % sys.version_info[:2], "name": context.function_name,
            "request": context.aws_request_id, "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn, "left": context.get_remaining_time_in_millis()}
"""


def live(function, client, runtime, zipped):
    """What every user does, in order; from the first invoke to the deletion."""
    result = function.invoke({"a": [1, "é"]})
    answer = json.loads(result.body)
    assert result.error is None
    assert answer["python"] == runtime.removeprefix("python")
    assert answer["event"] == {"a": [1, "é"]}
    assert answer["request"] == result.request_id
    assert answer["memory"] == "512"
    assert answer["arn"].endswith(f":function:{function.name}")
    assert 0 < answer["left"] <= 10_000
    assert result.tail.startswith(f"START RequestId: {result.request_id} Version: $LATEST\n")
    assert "\tgot {'a': [1, 'é']}\n" in result.tail
    assert "plain line\n" in result.tail
    assert f"END RequestId: {result.request_id}\nREPORT RequestId: {result.request_id}\t" in result.tail
    messages = function.messages()
    assert messages[0].startswith(f"INIT_START Runtime Version: {runtime.replace('python', 'python:')}.v")
    assert "".join(messages[1:]) == result.tail

    code = zipped({"app.py": "def handler(event, context):\n    return 'second'\n"})
    client.update_function_code(FunctionName=function.name, ZipFile=code)
    waiter = client.get_waiter("function_updated_v2")
    waiter.wait(FunctionName=function.name, WaiterConfig={"Delay": 0.05})
    assert function() == "second"
    version = client.publish_version(FunctionName=function.name)["Version"]
    assert version == "1"
    assert function(Qualifier="1") == "second"
    client.delete_function(FunctionName=function.name)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName=function.name)


class TestLife:
    def test_create_invoke_log_update_publish_delete(self, make_function, lambda_, runtime, zipped):
        live(make_function(HELLO, runtime=runtime), lambda_, runtime, zipped)

    def test_the_same_on_postgresql(self, start_server, make_postgresql, make_function, tmp_path, zipped):
        server = start_server(tmp_path, "--database", make_postgresql())
        client, logs = server.client("lambda"), server.client("logs")
        function = make_function(HELLO, runtime="python3.12", client=client, logs_client=logs)
        live(function, client, "python3.12", zipped)
        assert not (tmp_path / "firefork.db").exists()
        assert server.stop() == 0

    def test_unicode_answers_are_raw_from_312_on(self, make_function, runtime):
        """The response format changes at python3.12, byte for byte."""
        function = make_function("def handler(event, context):\n    return event\n", runtime=runtime)
        body = function.invoke({"k": "ü€"}).body
        newer = tuple(map(int, runtime.removeprefix("python").split("."))) >= (3, 12)
        assert body == ('{"k": "ü€"}'.encode() if newer else b'{"k": "\\u00fc\\u20ac"}')

    def test_the_sdk_is_there_and_reaches_the_server_as_the_role(self, make_function, runtime):
        """boto3 needs no configuration inside a function."""
        source = """
import boto3
sts = boto3.client("sts")

def handler(event, context):
    logs = boto3.client("logs").describe_log_groups(logGroupNamePrefix=context.log_group_name)
    pages = boto3.client("lambda").get_paginator("list_functions").paginate()
    names = [f["FunctionName"] for page in pages for f in page["Functions"]]
    return [sts.get_caller_identity()["Arn"], context.function_name in names, boto3.__file__, len(logs["logGroups"])]
"""
        function = make_function(source, runtime=runtime)
        arn, found, where, groups = function()
        assert arn == f"arn:aws:sts::000000000000:assumed-role/tester/{function.name}"
        assert found
        assert groups == 1
        version = runtime.removeprefix("python")
        old = tuple(map(int, version.split("."))) < (3, 11)
        assert where.startswith("/var/runtime/" if old else f"/var/lang/lib/python{version}/site-packages/")


class TestStates:
    def test_a_new_function_is_pending_first(self, lambda_, zipped):
        code = zipped({"app.py": HELLO})
        created = lambda_.create_function(
            FunctionName="pending-first",
            Runtime="python3.12",
            Handler="app.handler",
            Role="arn:aws:iam::000000000000:role/x",
            Code={"ZipFile": code},
        )
        assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
        assert created["StateReason"] == "The function is being created."
        assert "LastUpdateStatus" not in created
        lambda_.get_waiter("function_active_v2").wait(FunctionName="pending-first", WaiterConfig={"Delay": 0.05})
        active = lambda_.get_function_configuration(FunctionName="pending-first")
        assert (active["State"], active["LastUpdateStatus"]) == ("Active", "Successful")
        assert active["RevisionId"] != created["RevisionId"]

    def test_an_update_replaces_environments_and_drops_no_invoke(
        self, make_function, lambda_, wait_updated, eventually
    ):
        """An invoke in flight ends on the old code, the next one has the new configuration."""
        from concurrent.futures import ThreadPoolExecutor

        source = (
            "import os, time\ndef handler(event, context):\n"
            "    time.sleep(event.get('s', 0))\n    return os.environ['WHICH']\n"
        )
        function = make_function(source, Environment={"Variables": {"WHICH": "old"}})
        assert function() == "old"
        with ThreadPoolExecutor() as pool:
            flying = pool.submit(function, {"s": 1.5})
            eventually(lambda: any("START" in message for message in function.messages()[4:]))
            lambda_.update_function_configuration(
                FunctionName=function.name, Environment={"Variables": {"WHICH": "new"}}
            )
            wait_updated(function.name)
            assert function() == "new"
            assert flying.result() == "old"


class TestCodeLocation:
    def test_downloads_the_package_without_credentials(self, make_function, lambda_, zipped):
        code = zipped({"app.py": HELLO})
        function = make_function(code)
        shown = lambda_.get_function(FunctionName=function.name)
        assert shown["Code"]["RepositoryType"] == "S3"
        with urllib.request.urlopen(shown["Code"]["Location"]) as answer:
            assert answer.read() == code

    def test_a_changed_link_is_refused(self, make_function, lambda_):
        function = make_function(HELLO)
        link = lambda_.get_function(FunctionName=function.name)["Code"]["Location"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(link[:-1] + ("0" if link[-1] != "0" else "1"))


class TestLayers:
    def test_layers_merge_in_order_and_function_code_wins(self, make_function, lambda_, zipped):
        """Later layers lie over earlier ones; sys.path has them behind the function's own code."""
        first = zipped({"python/mine.py": "VALUE = 'first'", "python/other.py": "VALUE = 'first'", "data/a": "1"})
        second = zipped({"python/mine.py": "VALUE = 'second'", "data/b": "2"})
        arns = [
            lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": code})["LayerVersionArn"]
            for name, code in (("layer-one", first), ("layer-two", second))
        ]
        source = """
import os, mine, other, shared
def handler(event, context):
    return [mine.VALUE, other.VALUE, shared.VALUE, sorted(os.listdir("/opt/data")), mine.__file__]
"""
        files = {"app.py": source, "shared.py": "VALUE = 'function'"}
        function = make_function(files, Layers=arns)
        assert function() == ["second", "first", "function", ["a", "b"], "/opt/python/mine.py"]
        shown = lambda_.get_function_configuration(FunctionName=function.name)
        assert [layer["Arn"] for layer in shown["Layers"]] == arns

    def test_a_package_that_brings_its_own_sdk_gets_it(self, make_function):
        """A bundled copy goes before the preloaded one."""
        source = "import boto3\ndef handler(event, context):\n    return boto3.__version__\n"
        function = make_function({"app.py": source, "boto3/__init__.py": "__version__ = 'mine'"})
        assert function() == "mine"


class TestEvents:
    def test_an_event_is_accepted_and_runs(self, make_function, lambda_, eventually):
        function = make_function("def handler(event, context):\n    print('ran', event['n'])\n")
        answer = lambda_.invoke(FunctionName=function.name, InvocationType="Event", Payload=b'{"n": 7}')
        assert answer["StatusCode"] == 202
        assert answer["Payload"].read() == b""
        eventually(lambda: any("ran 7" in message for message in function.messages()))

    def test_dry_run_only_checks(self, make_function, lambda_):
        function = make_function("raise RuntimeError('must not be loaded')\n")
        assert lambda_.invoke(FunctionName=function.name, InvocationType="DryRun")["StatusCode"] == 204


class TestCustomRuntime:
    def test_a_bootstrap_of_ones_own_runs_on_provided(self, make_function, zipped):
        """``provided.al2023`` runs any executable that speaks the Runtime API."""
        bootstrap = """#!/usr/bin/perl
use strict; use IO::Socket::INET;
my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
sub call { my ($request) = @_;
  my $s = IO::Socket::INET->new(PeerHost => $host, PeerPort => $port) or die $!;
  print $s $request; my $all = join '', <$s>; return $all; }
while (1) {
  my $next = call("GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n");
  my ($id) = $next =~ /Lambda-Runtime-Aws-Request-Id: (\\S+)/i;
  my ($event) = $next =~ /\\r\\n\\r\\n(.*)/s;
  print STDERR "custom log\\n";
  my $body = "{\\"custom\\":$event,\\"python\\":" . (-s "/var/lang/bin/python3.13" ? "true" : "false") . "}";
  call("POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n" .
       "Content-Length: " . length($body) . "\\r\\n\\r\\n$body");
}
"""
        code = zipped({"bootstrap": bootstrap}, executables=["bootstrap"])
        function = make_function(code, runtime="provided.al2023", handler="anything")
        result = function.invoke({"n": 1})
        assert json.loads(result.body) == {"custom": {"n": 1}, "python": False}
        assert "custom log\n" in result.tail

    def test_without_a_bootstrap_the_error_names_what_was_looked_for(self, make_function):
        result = make_function({"other": "x"}, runtime="provided.al2023", handler="x").invoke()
        assert result.error == "Unhandled"
        assert json.loads(result.body)["errorType"] == "Runtime.InvalidEntrypoint"
        assert "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" in result.body.decode()
