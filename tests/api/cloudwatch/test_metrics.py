"""CloudWatch's operations on metrics that anybody puts there."""

import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, create_request_object, prepare_request_dict
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from firefork.aws import models

_numbers = itertools.count(1)
NOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
"""A whole hour not long ago."""
HOUR = {"StartTime": NOON, "EndTime": NOON + timedelta(hours=1)}


@pytest.fixture(scope="module")
def cloudwatch(server):
    return server.client("cloudwatch")


@pytest.fixture
def namespace():
    return f"Test{next(_numbers)}"


@pytest.fixture
def put(cloudwatch, namespace):
    """Puts one datum at a minute of the hour."""

    def put(name="m", *, minute=0, client=cloudwatch, **datum):
        datum = datum or {"Value": 1.0}
        client.put_metric_data(
            Namespace=namespace,
            MetricData=[{"MetricName": name, "Timestamp": NOON + timedelta(minutes=minute), **datum}],
        )

    return put


@pytest.fixture
def stat(namespace):
    """A query of one metric."""

    def stat(id_, name="m", *, stat="Sum", period=60, dimensions=(), **members):
        metric = {"Namespace": namespace, "MetricName": name, "Dimensions": list(dimensions)}
        return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}, **members}

    return stat


@pytest.fixture
def get(cloudwatch):
    """``{id: {minute: value}}``."""

    def get(*queries, **members):
        answer = cloudwatch.get_metric_data(MetricDataQueries=list(queries), **{**HOUR, **members})
        return {result["Id"]: minutes(result) for result in answer["MetricDataResults"]}

    return get


def minutes(result):
    times = [(time - NOON).total_seconds() / 60 for time in result["Timestamps"]]
    return dict(zip(times, result["Values"], strict=True))


@pytest.fixture
def refused(cloudwatch):
    """The code and message of a call that must fail."""

    def refused(call, **parameters):
        with pytest.raises(ClientError) as refusal:
            getattr(cloudwatch, call)(**parameters)
        error = refusal.value.response["Error"]
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        return error["Code"], error["Message"]

    return refused


class TestPutMetricData:
    @pytest.mark.parametrize(
        ("datum", "expected"),
        [
            ({"Value": 4.0}, (1, 4, 4, 4)),
            ({"Values": [1.0, 2.0]}, (2, 3, 1, 2)),
            ({"Values": [1.0, 2.0], "Counts": [3.0, 1.0]}, (4, 5, 1, 2)),
            ({"StatisticValues": {"SampleCount": 3, "Sum": 9, "Minimum": 2, "Maximum": 4}}, (3, 9, 2, 4)),
        ],
        ids=["value", "values", "counts", "set"],
    )
    def test_values_come_in_four_forms(self, put, get, stat, datum, expected):
        put(**datum)
        names = ("SampleCount", "Sum", "Minimum", "Maximum")
        found = get(*(stat(f"q{number}", stat=name) for number, name in enumerate(names)))
        assert tuple(values[0] for values in found.values()) == expected

    def test_values_beside_a_set_are_let_pass(self, put, get, stat):
        """As validated in localstack's test_put_metric_data_validation; which of them counts is not known."""
        put(Values=[1.0], StatisticValues={"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1})
        assert get(stat("q")) == {"q": {0: 1}}

    def test_a_large_request_comes_compressed(self, server, cloudwatch, namespace):
        """The SDKs compress from 10 KB on."""
        seen = []
        cloudwatch.meta.events.register_first(
            "before-send.cloudwatch.PutMetricData", lambda request, **_: seen.append(request)
        )
        data = [{"MetricName": f"metric-{number}", "Value": number} for number in range(400)]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        assert seen[-1].headers["Content-Encoding"] == b"gzip"
        pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace)
        assert sum(len(page["Metrics"]) for page in pages) == 400

    def test_entities_carry_metrics_too(self, cloudwatch, namespace, get, stat):
        entity = {"KeyAttributes": {"Type": "Service", "Name": "a", "Environment": "b"}}
        cloudwatch.put_metric_data(
            Namespace=namespace,
            EntityMetricData=[{"Entity": entity, "MetricData": [{"MetricName": "m", "Value": 2, "Timestamp": NOON}]}],
        )
        assert get(stat("q")) == {"q": {0: 2}}

    @pytest.mark.parametrize(
        ("datum", "code", "message"),
        [
            (
                {"Value": 1, "Values": [1]},
                "InvalidParameterCombination",
                "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and "
                "you have specified both.",
            ),
            (
                {"Values": [1], "Counts": [1, 2]},
                "InvalidParameterValue",
                "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
            ),
            (
                {},
                "MissingParameter",
                "At least one of the parameters MetricData.member.1.Value, MetricData.member.1.Values, "
                "MetricData.member.1.StatisticValues must be specified.",
            ),
            (
                {"Value": 2.0**361},
                "InvalidParameterValue",
                f"The value {2.0**361} for parameter MetricData.member.1.Value is invalid.",
            ),
            (
                {"Value": 1, "Timestamp": NOON - timedelta(days=15)},
                "InvalidParameterValue",
                "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks.",
            ),
            (
                {"Value": 1, "Timestamp": NOON + timedelta(hours=5)},
                "InvalidParameterValue",
                "The parameter MetricData.member.1.Timestamp must specify a time no more than two hours in the future.",
            ),
            (
                {"Value": 1, "StorageResolution": 7},
                "InvalidParameterValue",
                "The parameter MetricData.member.1.StorageResolution must be equal to 1 or 60.",
            ),
            (
                {"Value": 1, "Unit": "Parsec"},
                "ValidationError",
                None,
            ),
        ],
    )
    def test_refuses(self, refused, namespace, datum, code, message):
        told = refused("put_metric_data", Namespace=namespace, MetricData=[{"MetricName": "m", **datum}])
        assert told[0] == code
        assert message is None or told[1] == message

    def test_nothing_of_a_refused_request_is_kept(self, cloudwatch, refused, namespace):
        data = [{"MetricName": "good", "Value": 1}, {"MetricName": "bad"}]
        refused("put_metric_data", Namespace=namespace, MetricData=data)
        assert cloudwatch.list_metrics(Namespace=namespace)["Metrics"] == []

    def test_namespaces_of_aws_are_nobodys(self, refused):
        told = refused("put_metric_data", Namespace="AWS/Mine", MetricData=[{"MetricName": "m", "Value": 1}])
        assert told == ("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")


class TestGetMetricData:
    def test_statistics_by_period(self, put, get, stat):
        for minute in range(10):
            put(minute=minute, Value=float(minute))
        found = get(stat("fine"), stat("coarse", period=300), stat("p", stat="p90", period=600))
        assert found["fine"] == {minute: minute for minute in range(10)}
        assert found["coarse"] == {0: 10, 5: 35}
        assert found["p"] == {0: 8}

    def test_periods_shorter_than_a_minute(self, cloudwatch, namespace, get, stat):
        for second in (1, 2, 12):
            cloudwatch.put_metric_data(
                Namespace=namespace,
                MetricData=[
                    {
                        "MetricName": "m",
                        "Value": 1,
                        "Timestamp": NOON + timedelta(seconds=second),
                        "StorageResolution": 1,
                    }
                ],
            )
        found = get(stat("s", period=1), stat("t", period=10))
        assert {round(minute * 60): value for minute, value in found["s"].items()} == {1: 1, 2: 1, 12: 1}
        assert {round(minute * 60): value for minute, value in found["t"].items()} == {0: 2, 10: 1}

    def test_newest_first_unless_asked(self, put, cloudwatch, stat):
        put(minute=1)
        put(minute=2)
        newest = cloudwatch.get_metric_data(MetricDataQueries=[stat("q")], **HOUR)
        oldest = cloudwatch.get_metric_data(MetricDataQueries=[stat("q")], ScanBy="TimestampAscending", **HOUR)
        assert list(minutes(newest["MetricDataResults"][0])) == [2, 1]
        assert list(minutes(oldest["MetricDataResults"][0])) == [1, 2]

    def test_expressions(self, put, get, stat):
        put("errors", minute=1, Value=1.0)
        put("errors", minute=2, Value=0.0)
        put("all", minute=1, Value=4.0)
        put("all", minute=2, Value=2.0)
        found = get(
            stat("e", "errors", ReturnData=False),
            stat("a", "all", ReturnData=False),
            {"Id": "rate", "Expression": "100 * e / a"},
            {"Id": "sum", "Expression": "SUM(METRICS())"},
            {"Id": "again", "Expression": "FILL(rate, 0) + 1"},
        )
        assert found.keys() == {"rate", "sum", "again"}
        assert found["rate"] == {1: 25, 2: 0}
        assert found["sum"] == {1: 5, 2: 2}
        assert found["again"][1] == 26
        assert found["again"][30] == 1

    def test_labels(self, put, cloudwatch, stat):
        put(Value=7.0)
        queries = [
            stat("a"),
            stat("b", Label="mine ${MAX} ${PROP('Stat')} ${LABEL} ${unknown}"),
            {"Id": "c", "Expression": "a + 1"},
            {"Id": "d", "Expression": "[a, b]"},
        ]
        answer = cloudwatch.get_metric_data(MetricDataQueries=queries, **HOUR)
        told = [(result["Id"], result["Label"]) for result in answer["MetricDataResults"]]
        assert told == [("a", "m"), ("b", "mine 7 Sum m ${unknown}"), ("c", "c"), ("d", "d m"), ("d", "d m")]

    @pytest.mark.parametrize(
        ("first", "second", "labels"),
        [
            (("Sum", 60), ("Minimum", 300), ["m Sum 60", "m Minimum 300"]),
            (("Sum", 60), ("Minimum", 60), ["m Sum", "m Minimum"]),
            (("Sum", 60), ("Sum", 300), ["m 60", "m 300"]),
            (("Sum", 60), ("Sum", 60), ["m", "m"]),
        ],
    )
    def test_labels_tell_queries_of_a_metric_apart(self, cloudwatch, stat, first, second, labels):
        """As recorded: localstack's test_cloudwatch.snapshot.json, December 2023."""
        queries = [stat(id_, stat=name, period=period) for id_, (name, period) in (("a", first), ("b", second))]
        answer = cloudwatch.get_metric_data(MetricDataQueries=queries, **HOUR)
        assert [result["Label"] for result in answer["MetricDataResults"]] == labels

    @pytest.mark.parametrize(
        ("more", "units", "total"),
        [([], "Milliseconds, Seconds", 60_000), ([(5, "Count")], "Count, Milliseconds, Seconds", 5)],
    )
    def test_units_are_not_added_up(self, put, cloudwatch, stat, more, units, total):
        """As recorded there as well: one of the units counts, and the answer says so."""
        for value, unit in [(60, "Seconds"), (60_000, "Milliseconds"), *more]:
            put(Value=float(value), Unit=unit)
        (result,) = cloudwatch.get_metric_data(MetricDataQueries=[stat("a")], **HOUR)["MetricDataResults"]
        assert result["Values"] == [total]
        assert result["Messages"] == [{"Code": "MultipleUnits", "Value": f"Multiple units returned: '[{units}]'"}]

    def test_pages_hold_as_many_points_as_asked(self, put, cloudwatch, stat):
        for minute in range(5):
            put("a", minute=minute)
            put("b", minute=minute)
        pages = list(
            cloudwatch.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[stat("a", "a"), stat("b", "b")], MaxDatapoints=3, **HOUR
            )
        )
        sizes = [[(r["Id"], len(r["Values"]), r["StatusCode"]) for r in page["MetricDataResults"]] for page in pages]
        assert sizes == [
            [("a", 3, "PartialData")],
            [("a", 2, "Complete"), ("b", 1, "PartialData")],
            [("b", 3, "PartialData")],
            [("b", 1, "Complete")],
        ]

    def test_a_metric_that_is_not_there_has_no_values(self, get, stat):
        assert get(stat("q", "nothing")) == {"q": {}}

    @pytest.mark.parametrize(
        ("queries", "message"),
        [
            ([], "The parameter MetricDataQueries must contain at least one element."),
            (
                [{"Id": "Big", "Expression": "1"}],
                "The value Big for parameter MetricDataQueries.member.1.Id is not matching the expected pattern "
                "^[a-z][a-zA-Z0-9_]*$.",
            ),
            (
                [{"Id": "a", "Expression": "TIME_SERIES(1)"}, {"Id": "a", "Expression": "TIME_SERIES(1)"}],
                "The values for parameter id in MetricDataQueries are not unique.",
            ),
            ([{"Id": "a", "Expression": "b + 1"}], "Error in expression 'a': Unknown id 'b'"),
            ([{"Id": "a", "Expression": "a + 1"}], "Error in expression 'a': It refers to itself through 'a'"),
            ([{"Id": "a", "Expression": "1 +"}], "Error in expression 'a': Unexpected end of the expression"),
            (
                [{"Id": "a", "Expression": "1 + 1"}],
                "Error in expression 'a': It must give a time series, and gives a number",
            ),
        ],
    )
    def test_refuses(self, refused, queries, message):
        told = refused("get_metric_data", MetricDataQueries=queries, **HOUR)
        assert told == ("ValidationError", message)

    def test_refuses_a_period_that_is_none(self, refused, stat):
        code, message = refused("get_metric_data", MetricDataQueries=[stat("q", period=45)], **HOUR)
        assert (code, "multiple of 60" in message) == ("ValidationError", True)

    def test_refuses_an_unknown_statistic(self, refused, stat):
        told = refused("get_metric_data", MetricDataQueries=[stat("q", stat="Median")], **HOUR)
        assert told == ("ValidationError", "The value Median for parameter Stat is not supported.")

    def test_refuses_a_token_that_it_never_gave(self, refused, stat):
        told = refused("get_metric_data", MetricDataQueries=[stat("q")], NextToken="?", **HOUR)
        assert told[0] == "InvalidNextToken"


class TestGetMetricStatistics:
    def test_all_statistics(self, put, cloudwatch, namespace):
        put(minute=1, Values=[1.0, 3.0], Unit="Bytes")
        answer = cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName="m",
            Period=3600,
            Statistics=["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
            ExtendedStatistics=["p50", "p99.9"],
            **HOUR,
        )
        assert answer["Label"] == "m"
        (point,) = answer["Datapoints"]
        assert point.pop("Timestamp") == NOON
        assert point == {
            "SampleCount": 2,
            "Average": 2,
            "Sum": 4,
            "Minimum": 1,
            "Maximum": 3,
            "Unit": "Bytes",
            "ExtendedStatistics": {"p50": 1, "p99.9": 3},
        }

    def test_units_stay_apart(self, put, cloudwatch, namespace):
        put(Value=1.0, Unit="Bytes")
        put(Value=2.0, Unit="Count")
        asked = {"Namespace": namespace, "MetricName": "m", "Period": 60, "Statistics": ["Sum"], **HOUR}
        points = cloudwatch.get_metric_statistics(**asked)["Datapoints"]
        assert {point["Unit"]: point["Sum"] for point in points} == {"Bytes": 1, "Count": 2}
        (only,) = cloudwatch.get_metric_statistics(**asked, Unit="Count")["Datapoints"]
        assert only["Sum"] == 2

    @pytest.mark.parametrize(
        ("members", "code", "message"),
        [
            (
                {"EndTime": NOON + timedelta(days=2), "Period": 60},
                "InvalidParameterCombination",
                "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440. You may reduce the "
                "datapoints requested by increasing Period, or decreasing the time range.",
            ),
            (
                {"EndTime": NOON},
                "InvalidParameterValue",
                "The parameter StartTime must be less than the parameter EndTime.",
            ),
            (
                {"Statistics": None},
                "MissingParameter",
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
            ),
            (
                {"ExtendedStatistics": ["p200"]},
                "InvalidParameterValue",
                "The value p200 for parameter ExtendedStatistics.member is not supported.",
            ),
        ],
    )
    def test_refuses(self, refused, namespace, members, code, message):
        asked = {"Namespace": namespace, "MetricName": "m", "Period": 300, "Statistics": ["Sum"], **HOUR, **members}
        given = {name: value for name, value in asked.items() if value is not None}
        assert refused("get_metric_statistics", **given) == (code, message)


class TestListMetrics:
    def test_filters(self, put, cloudwatch, namespace):
        put("a", Value=1, Dimensions=[{"Name": "stage", "Value": "dev"}])
        put("b", Value=1, Dimensions=[{"Name": "stage", "Value": "prod"}, {"Name": "zone", "Value": "1"}])
        put("a", Value=1)

        def names(**filters):
            found = cloudwatch.list_metrics(Namespace=namespace, **filters)["Metrics"]
            return [(metric["MetricName"], len(metric["Dimensions"])) for metric in found]

        assert names() == [("a", 0), ("a", 1), ("b", 2)]
        assert names(MetricName="a") == [("a", 0), ("a", 1)]
        assert names(Dimensions=[{"Name": "stage"}]) == [("a", 1), ("b", 2)]
        assert names(Dimensions=[{"Name": "stage", "Value": "prod"}]) == [("b", 2)]
        assert names(RecentlyActive="PT3H") == names()

    def test_pages_of_five_hundred(self, cloudwatch, namespace):
        data = [{"MetricName": f"m{number:04}", "Value": 1} for number in range(501)]
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
        assert [len(page["Metrics"]) for page in pages] == [500, 1]


class TestProtocols:
    """botocore chose another protocol for CloudWatch twice; old and new clients are served."""

    @pytest.fixture
    def send(self, server):
        http = urllib3.PoolManager()
        model = models.service_model("cloudwatch")

        def send(protocol, name, parameters, *, zipped=False):
            operation = model.operation_model(name)
            serializer = create_serializer(protocol, include_validation=False)
            prepared = serializer.serialize_to_request(parameters, operation)
            if zipped:
                body = prepared["body"]  # a form in the query protocol
                prepared["body"] = gzip.compress(body if isinstance(body, bytes) else urlencode(body).encode())
                prepared["headers"]["Content-Encoding"] = "gzip"
            prepare_request_dict(prepared, endpoint_url=server.endpoint)
            request = create_request_object(prepared)
            SigV4Auth(Credentials(*server.keys()), "monitoring", "us-east-1").add_auth(request)
            raw = request.prepare()
            answer = http.request(raw.method, raw.url, body=raw.body, headers=dict(raw.headers))
            told = {"body": answer.data, "headers": dict(answer.headers), "status_code": answer.status}
            return create_parser(protocol).parse(told, operation.output_shape)

        return send

    @pytest.mark.parametrize("zipped", [False, True])
    @pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
    def test_all_three(self, send, namespace, stat, protocol, zipped):
        dimensions = [{"Name": "a", "Value": "b"}]
        datum = {"MetricName": "m", "Value": 2.5, "Timestamp": NOON, "Dimensions": dimensions}
        send(protocol, "PutMetricData", {"Namespace": namespace, "MetricData": [datum]}, zipped=zipped)
        answer = send(protocol, "GetMetricData", {"MetricDataQueries": [stat("q", dimensions=dimensions)], **HOUR})
        assert minutes(answer["MetricDataResults"][0]) == {0: 2.5}

    @pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
    def test_errors_have_the_old_codes(self, send, protocol):
        """Clients compare with what the query protocol said."""
        answer = send(protocol, "PutMetricData", {"Namespace": "x", "MetricData": [{"MetricName": "m"}]})
        assert answer["Error"]["Code"] == "MissingParameter"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400

    @pytest.mark.parametrize(
        "body",
        [b"{}", gzip.compress(b"{}")[:-3], gzip.compress(b" " * 7_000_000)],
        ids=["no gzip", "cut off", "too long"],
    )
    def test_a_body_that_cannot_be_unpacked(self, server, body):
        headers = {
            "Content-Encoding": "gzip",
            "X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData",
            "Content-Type": "application/x-amz-json-1.0",
        }
        request = AWSRequest("POST", server.endpoint, headers, body)
        SigV4Auth(Credentials(*server.keys()), "monitoring", "us-east-1").add_auth(request)
        raw = request.prepare()
        answer = urllib3.request(raw.method, raw.url, body=raw.body, headers=dict(raw.headers))
        told = json.loads(answer.data)["__type"]
        expected = (413, "RequestEntityTooLargeException") if len(body) > 1000 else (400, "SerializationException")
        assert (answer.status, told) == expected
