"""A function's metrics, from its invokes to whoever asks for them."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

AWS = Path(sys.executable).with_name("aws")
SOURCE = """
import json, time

def handler(event, context):
    if event.get("fail"):
        raise ValueError("asked to")
    if event.get("embedded"):
        metric = {"Namespace": "Shop", "Dimensions": [["service"]], "Metrics": [{"Name": "orders", "Unit": "Count"}]}
        root = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}}
        print(json.dumps({**root, "service": context.function_name, "orders": event["embedded"]}))
    return "done"
"""
WITH_SDK = """
import boto3, datetime

def handler(event, context):
    client = boto3.client("cloudwatch")
    client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": context.function_name, "Value": 3.5}])
    now = datetime.datetime.now(datetime.timezone.utc)
    span = {"StartTime": now - datetime.timedelta(minutes=10), "EndTime": now + datetime.timedelta(minutes=1)}
    metric = {"Namespace": "Own", "MetricName": context.function_name}
    query = {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    found = client.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"][0]["Values"]
    points = client.get_metric_statistics(**metric, Period=60, Statistics=["Maximum"], **span)["Datapoints"]
    listed = [each["MetricName"] for each in client.list_metrics(Namespace="Own")["Metrics"]]
    try:
        client.put_metric_data(Namespace="Own", MetricData=[{"MetricName": "m"}])
    except client.exceptions.MissingRequiredParameterException as error:
        code = error.response["Error"]["Code"]
    return [found, [point["Maximum"] for point in points], context.function_name in listed, code]
"""


def summed(server, name, *, namespace="AWS/Lambda", stat="Sum", **dimensions):
    """The sum, or another statistic, of a metric over the last hours; ``None`` without any value."""
    now = datetime.now(UTC)
    metric = {
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 6 * 3600, "Stat": stat}}
    answer = server.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=now - timedelta(hours=5), EndTime=now + timedelta(minutes=5)
    )
    values = answer["MetricDataResults"][0]["Values"]
    return values[0] if values else None


@pytest.fixture(scope="module")
def own(start_server, tmp_path_factory):
    """A server that can be stopped and started again, and a client for its functions."""
    folder = tmp_path_factory.mktemp("metrics")
    return lambda *options: start_server(folder, *options)


class TestFunctionMetrics:
    def test_invokes_errors_durations(self, server, make_function):
        function = make_function(SOURCE)
        for _ in range(3):
            function()
        assert function.invoke({"fail": True}).error
        name = function.name
        assert summed(server, "Invocations", FunctionName=name) == 4
        assert summed(server, "Errors", FunctionName=name) == 1
        assert summed(server, "Errors", FunctionName=name, stat="Average") == 0.25
        assert summed(server, "Throttles", FunctionName=name) == 0
        assert summed(server, "ConcurrentExecutions", FunctionName=name, stat="Maximum") == 1
        assert summed(server, "Invocations", FunctionName=name, Resource=name) == 4
        longest = summed(server, "Duration", FunctionName=name, stat="Maximum")
        assert 0 < summed(server, "Duration", FunctionName=name, stat="p50") <= longest
        assert summed(server, "init_duration", namespace="LambdaInsights", function_name=name, stat="SampleCount") == 1
        used = summed(server, "used_memory_max", namespace="LambdaInsights", function_name=name, stat="Maximum")
        assert 0 < used <= 512

    def test_an_alias_with_two_versions_tells_them_apart(self, server, make_function, lambda_):
        function = make_function(SOURCE)
        first = lambda_.publish_version(FunctionName=function.name)["Version"]
        lambda_.update_function_configuration(FunctionName=function.name, Description="second")
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=function.name, WaiterConfig={"Delay": 0.05})
        second = lambda_.publish_version(FunctionName=function.name)["Version"]
        routing = {"AdditionalVersionWeights": {second: 0.5}}
        lambda_.create_alias(FunctionName=function.name, Name="live", FunctionVersion=first, RoutingConfig=routing)
        for _ in range(8):
            function(Qualifier="live")
        resource = {"FunctionName": function.name, "Resource": f"{function.name}:live"}
        assert summed(server, "Invocations", **resource) == 8
        versions = [summed(server, "Invocations", **resource, ExecutedVersion=each) or 0 for each in (first, second)]
        assert sum(versions) == 8

    def test_throttles(self, server, make_function, lambda_):
        function = make_function(SOURCE)
        lambda_.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
        with pytest.raises(lambda_.exceptions.TooManyRequestsException):
            function()
        assert summed(server, "Throttles", FunctionName=function.name) == 1
        assert summed(server, "Invocations", FunctionName=function.name) is None

    def test_events(self, server, make_function, eventually):
        function = make_function(SOURCE)
        function.client.invoke(FunctionName=function.name, InvocationType="Event", Payload=b"{}")
        assert summed(server, "AsyncEventsReceived", FunctionName=function.name) == 1
        eventually(lambda: summed(server, "Invocations", FunctionName=function.name) == 1)

    def test_log_lines_may_hold_metrics(self, server, make_function):
        function = make_function(SOURCE)
        function({"embedded": 2})
        function({"embedded": 5})
        function.messages()  # the log is written then
        assert summed(server, "orders", namespace="Shop", service=function.name) == 7

    def test_they_outlive_the_server(self, own, make_function):
        first = own()
        function = make_function(SOURCE, client=first.client("lambda"))
        function()
        first.stop()
        second = own()
        assert summed(second, "Invocations", FunctionName=function.name) == 1
        second.stop()

    def test_they_can_be_turned_off(self, own, make_function):
        server = own("--metrics", "off")
        client = server.client("lambda")
        function = make_function(SOURCE, client=client, logs_client=server.client("logs"))
        function({"embedded": 2})
        function.messages()
        assert summed(server, "Invocations", FunctionName=function.name) is None
        assert summed(server, "orders", namespace="Shop", service=function.name) is None
        server.stop()


class TestClients:
    @pytest.mark.parametrize("which", [0, -1], ids=["oldest", "newest"])
    def test_a_function_uses_its_runtimes_sdk(self, make_function, runtimes_dir, which):
        """Old versions speak the query protocol, new ones JSON or CBOR."""
        installed = sorted(runtimes_dir.glob("python3.*"), key=lambda folder: int(folder.name.partition(".")[2]))
        function = make_function(WITH_SDK, runtime=installed[which].name, Timeout=30)
        assert function() == [[3.5], [3.5], True, "MissingParameter"]

    def test_the_aws_cli(self, server, make_function):
        function = make_function(SOURCE)
        function()
        key, secret = server.keys()
        now = datetime.now(UTC)
        variables = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": server.endpoint,
        }
        answer = subprocess.run(
            [
                *(AWS, "cloudwatch", "get-metric-statistics", "--namespace", "AWS/Lambda"),
                *("--metric-name", "Invocations", "--dimensions", f"Name=FunctionName,Value={function.name}"),
                *("--start-time", (now - timedelta(hours=1)).isoformat(), "--end-time"),
                *((now + timedelta(minutes=1)).isoformat(), "--period", "7200", "--statistics", "Sum"),
            ],
            capture_output=True,
            text=True,
            env=variables,
            timeout=60,
            check=False,
        )
        assert answer.returncode == 0, answer.stderr
        assert [point["Sum"] for point in json.loads(answer.stdout)["Datapoints"]] == [1]


class TestPrometheus:
    def get(self, server, token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(f"{server.endpoint}/_firefork/metrics", headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}

    def test_counts_and_state(self, server, make_function):
        function = make_function(SOURCE)
        function()
        function.invoke({"fail": True})
        families = self.get(server, (server.data_dir / "metrics.token").read_text())

        def value(family, sample, **labels):
            labels = {"function": function.name, "version": "$LATEST", **labels}
            (found,) = (
                each.value
                for each in families[family].samples
                if each.name == sample and labels.items() <= each.labels.items()
            )
            return found

        assert value("firefork_invocations", "firefork_invocations_total") == 2
        assert value("firefork_errors", "firefork_errors_total") == 1
        assert value("firefork_cold_starts", "firefork_cold_starts_total") == 1
        assert value("firefork_duration_seconds", "firefork_duration_seconds_count") == 2
        assert value("firefork_duration_seconds", "firefork_duration_seconds_bucket", le="900.0") == 2
        assert families["firefork_environments"].samples[0].value >= 1
        assert families["firefork_memory_budget_bytes"].samples[0].value > 0
        assert families["process_resident_memory_bytes"].samples[0].value > 0

    @pytest.mark.parametrize("token", ["", "wrong"])
    def test_nothing_without_the_token(self, server, token):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            self.get(server, token)
        assert refusal.value.code == 401
        assert "metrics.token" in refusal.value.read().decode()

    def test_only_the_owner_reads_the_token(self, server):
        assert (server.data_dir / "metrics.token").stat().st_mode & 0o777 == 0o600
