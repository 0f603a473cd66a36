"""Random requests to every operation of services, derived from botocore's models.

Whatever is sent, the answer is AWS-shaped and not 500, it comes in time, and a refused request has written nothing.
Some requests are valid, some break a constraint of the model, some are damaged on the wire. ``FIREFORK_FUZZ_EXAMPLES``
sets how many are sent to each operation that is served; from 50 on they differ from run to run.
"""

import json
import os
import re
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from xml.etree import ElementTree

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.credentials import Credentials
from botocore.serialize import create_serializer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from firefork.aws import models

EXAMPLES = int(os.environ.get("FIREFORK_FUZZ_EXAMPLES", "12"))
ANSWER_LIMIT_S = 30
ACCOUNT_ARN = "arn:aws:lambda:us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/fuzz"
UUID = "00000000-0000-4000-8000-000000000000"
CONFIG = f"{ACCOUNT_ARN}:code-signing-config:csc-00000000000000000"

NAMES = ("fuzz-a", "fuzz-b")
FUNCTIONS = st.sampled_from(
    [form for name in NAMES for form in (name, f"{ACCOUNT_ARN}:function:{name}", f"{name}:1", f"{name}:live")]
    + ["fuzz-missing", "fuzz-a:$LATEST", "arn:aws:lambda:eu-west-1:000000000000:function:fuzz-a"]
)
QUALIFIERS = st.sampled_from(["$LATEST", "1", "2", "live", "nothing"])
QUEUES = ("arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:kinesis:us-east-1:000000000000:stream/s", "arn:aws:s3:::b")

ORDER = ("Create", "Publish", "Put", "Add", "Tag", "Update", "Invoke", "")
"""What makes things is sent first, what removes them last."""
LAST = ("Untag", "Remove", "Delete")


def known_values(zipped, *, mapping=UUID, config=CONFIG):
    """Strategies for members whose values must fit together with what is there, by shape or member name.

    ``mapping`` is the UUID of an event source mapping, ``config`` the ARN of a code signing config.
    """
    code = st.sampled_from(
        [zipped({"app.py": f"def handler(event, context): return {number}"}) for number in range(3)] + [b"no zip"]
    )
    return {
        **dict.fromkeys(
            (
                "FunctionName",
                "NamespacedFunctionName",
                "UnqualifiedFunctionName",
                "FunctionUrlFunctionName",
            ),
            FUNCTIONS,
        ),
        **dict.fromkeys(
            (
                "NumericLatestPublishedOrAliasQualifier",
                "Qualifier",
                "FunctionUrlQualifier",
                "PublishedFunctionQualifier",
                "Version",
                "VersionWithLatestPublished",
            ),
            QUALIFIERS,
        ),
        "Alias": st.sampled_from(["live", "other"]),
        "Runtime": st.sampled_from(["python3.12", "python3.12", "python3.7", "cobol"]),
        "Handler": st.just("app.handler"),
        "RoleArn": st.just(ROLE),
        "Timeout": st.integers(1, 3),
        "MemorySize": st.integers(128, 256),
        "FunctionCode": st.fixed_dictionaries({"ZipFile": code}),
        "LayerVersionContentInput": st.fixed_dictionaries({"ZipFile": code}),
        "ZipFile": code,
        "LayerName": st.sampled_from(["fuzz-layer", "fuzz-other"]),
        "LayerNameOrArn": st.sampled_from(["fuzz-layer", f"{ACCOUNT_ARN}:layer:fuzz-layer"]),
        "LayerVersionNumber": st.integers(-1, 3),
        "LayerVersionArn": st.sampled_from([f"{ACCOUNT_ARN}:layer:fuzz-layer:1", f"{ACCOUNT_ARN}:layer:no:1"]),
        "StatementId": st.sampled_from(["s1", "s2", "s3"]),
        "Action": st.sampled_from(["lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "*"]),
        "Principal": st.sampled_from(["*", "s3.amazonaws.com", "000000000000", "nobody"]),
        "TaggableResource": st.sampled_from(
            [f"{ACCOUNT_ARN}:function:fuzz-a", f"{ACCOUNT_ARN}:event-source-mapping:{mapping}", config, CONFIG]
        ),
        "PolicyResourceArn": st.sampled_from([f"{ACCOUNT_ARN}:function:fuzz-a", f"{ACCOUNT_ARN}:function:none"]),
        "ResourcePolicy": st.sampled_from(
            ["{", "{}", '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "lambda:*"}}']
        ),
        "EventSourceArn": st.sampled_from(QUEUES),
        "UUIDString": st.sampled_from([mapping, UUID]),
        "CodeSigningConfigArn": st.sampled_from([config, CONFIG]),
        "Payload": st.sampled_from([b"", b"{}", b"{", b"\xff", b'"text"']),
        "InvokeArgs": st.sampled_from([b"{}", b"{"]),
        # Ordinary functions only: the others are refused, which the tests of the options check.
        **dict.fromkeys(("CapacityProviderConfig", "AcceleratorConfig", "RuntimeConfig", "ImageConfig"), None),
        "LogGroupName": st.sampled_from(["/fuzz/a", "/fuzz/b", "/fuzz/missing"]),
        "LogStreamName": st.sampled_from(["one", "two"]),
        "Timestamp": st.integers(1_700_000_000_000, 1_800_000_000_000),
    }


def metric_values():
    """The same for CloudWatch."""
    now_s = int(time.time())
    numbers = st.sampled_from([0.0, -1.5, 3.0, 1e300])
    datum = st.fixed_dictionaries(
        {"MetricName": st.sampled_from(["a", "b"])},
        optional={
            "Value": numbers,
            "Values": st.lists(numbers, max_size=3),
            "Unit": st.sampled_from(["Count", "None", "Parsec"]),
            "Timestamp": st.sampled_from([now_s - 60, now_s - 10**7]),
            "StorageResolution": st.sampled_from([1, 60, 2]),
        },
    )
    metric = {"Namespace": "Fuzz", "MetricName": "a", "Dimensions": []}
    stat = st.fixed_dictionaries(
        {
            "Metric": st.just(metric),
            "Period": st.sampled_from([10, 60, 7]),
            "Stat": st.sampled_from(["Sum", "p99", "TM(1%:99%)", "Most"]),
        }
    )
    expression = st.sampled_from(["a + b", "SUM(METRICS())", "RATE(a) / b", "c", "1 +", "FILL(b, REPEAT)"])
    query = st.fixed_dictionaries({"MetricStat": stat}) | st.fixed_dictionaries({"Expression": expression})
    queries = st.lists(query, max_size=3).map(
        lambda found: [{"Id": name, **query} for name, query in zip("abc", found, strict=False)]
    )
    return {
        "StartTime": st.sampled_from([now_s - 7200, now_s - 7200, now_s]),
        "EndTime": st.just(now_s),
        "MetricData": st.lists(
            mostly(st.fixed_dictionaries({"MetricName": st.just("a"), "Value": st.just(1.0)}), datum),
            min_size=1,
            max_size=2,
        ),
        "EntityMetricData": None,
        "MetricDataQueries": queries,
        "Namespace": st.sampled_from(["Fuzz", "AWS/Lambda"]),
        "MetricName": st.sampled_from(["a", "b"]),
        "DimensionName": st.sampled_from(["x", "y"]),
        "DimensionValue": st.sampled_from(["1", "2"]),
        "ExtendedStatistic": st.sampled_from(["p50", "IQM", "p"]),
        "Period": st.sampled_from([10, 60, 300, 7]),
        "MaxDatapoints": st.sampled_from([1, 100]),
        "NextToken": st.sampled_from(["", "MQ==", "x"]),
    }


def schema_values():
    """The same for EventBridge Schemas."""
    whole = json.dumps({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {}})
    arn = "arn:aws:schemas:us-east-1:000000000000"
    return {
        "RegistryName": st.sampled_from(["fuzz", "other", "missing"]),
        "SchemaName": st.sampled_from(["s", "t"]),
        "SchemaVersion": st.sampled_from(["1", "2", "x"]),
        "Content": st.sampled_from([whole, whole.replace("t", "u"), "{", "[]"]),
        "Events": st.lists(st.sampled_from(['{"a": 1}', "[1]", "null", "{"]), min_size=1, max_size=3),
        "ResourceArn": st.sampled_from([f"{arn}:registry/fuzz", f"{arn}:schema/fuzz/s", f"{arn}:registry/no", "x"]),
        "Limit": st.sampled_from([0, 1, 100, 101]),
        "NextToken": st.sampled_from(["", "cw==", "x"]),
    }


ALLOWED = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUSTED = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
IDENTITY = {
    **{
        f"{kind}Name": st.sampled_from(["one", "two"])
        for kind in ("User", "Role", "Group", "Policy", "InstanceProfile")
    },
    "PolicyDocument": st.sampled_from([json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]}), "{}", "x"]),
    "AssumeRolePolicyDocument": st.sampled_from([json.dumps({"Version": "2012-10-17", "Statement": [TRUSTED]}), "x"]),
    "PolicyArn": st.sampled_from(["arn:aws:iam::000000000000:policy/one", "arn:aws:iam::aws:policy/ReadOnlyAccess"]),
    "RoleArn": st.just("arn:aws:iam::000000000000:role/one"),
    "Path": st.sampled_from(["/", "/a/"]),
}


class Requests:
    """Strategies for whole requests of a service's operations."""

    def __init__(self, known):
        self._known = known

    def of(self, operation):
        """Parameters: half of them valid, the others with members missing or against the model."""
        shape = operation.input_shape
        if shape is None:
            return st.just({})
        return self._structure(shape, broken=False, depth=0) | self._structure(shape, broken=True, depth=0)

    def _structure(self, shape, *, broken, depth):
        required, optional = {}, {}
        for name, member in shape.members.items():
            if name in self._known and self._known[name] is None:
                continue
            value = self._value(name, member, broken=broken, depth=depth + 1)
            needed = name in shape.required_members or member.serialization.get("location") == "uri"
            (required if needed else optional)[name] = value
        whole = st.fixed_dictionaries(required, optional=optional if depth < 3 else {})
        labels = {name for name in required if shape.members[name].serialization.get("location") == "uri"}
        loose = [name for name in required if name not in labels]
        if not (broken and loose and depth == 0):
            return whole
        lacking = st.tuples(whole, st.sampled_from(loose)).map(
            lambda pair: {name: value for name, value in pair[0].items() if name != pair[1]}
        )
        return mostly(whole, lacking)

    def _value(self, name, shape, *, broken, depth):
        known = self._known.get(name, self._known.get(shape.name))
        valid = known if known is not None else self._valid(shape, broken=broken, depth=depth)
        if not broken or shape.type_name not in ("string", "integer", "long"):
            return valid
        wrong = st.sampled_from(["", " ", "x" * 600, "ü/é?#%"]) if shape.type_name == "string" else st.just(-7)
        return mostly(valid, wrong)

    def _valid(self, shape, *, broken, depth):
        limits = shape.metadata
        match shape.type_name:
            case "structure":
                return self._structure(shape, broken=broken, depth=depth)
            case "list":
                size = {"min_size": limits.get("min", 0), "max_size": max(limits.get("min", 0), 2)}
                return st.lists(self._value("", shape.member, broken=broken, depth=depth + 1), **size)
            case "map":
                keys = self._value("", shape.key, broken=broken, depth=depth + 1)
                return st.dictionaries(keys, self._value("", shape.value, broken=broken, depth=depth + 1), max_size=2)
            case "integer" | "long":
                lowest = limits.get("min", 0)
                return st.integers(lowest, min(limits.get("max", lowest + 100), lowest + 100))
            case "float" | "double":
                return st.floats(limits.get("min", 0.0), limits.get("max", 1.0), allow_nan=False)
            case "boolean":
                return st.booleans()
            case "timestamp":
                return st.integers(0, 2_000_000_000)
            case "blob":
                return st.binary(max_size=64)
        if "enum" in limits:
            return st.sampled_from(limits["enum"])
        return text_of(limits)


def mostly(usual, rare):
    return st.integers(0, 9).flatmap(lambda draw: rare if draw == 0 else usual)


def text_of(limits):
    """Texts for a string shape: of its pattern, if that is one that Python's engine reads."""
    try:
        expression = re.compile(limits["pattern"])
    except (KeyError, re.error):  # none, or one for Java's engine
        lowest = limits.get("min", 0)
        return st.text("abcXYZ019-_", min_size=lowest, max_size=max(lowest, 12))
    return st.from_regex(expression, fullmatch=True).map(lambda text: text[: limits.get("max", 200)])


SETTLING = {
    "function_versions": "SELECT count(*) FROM function_versions",
    "event_source_mappings": "SELECT count(*) FROM event_source_mappings WHERE state <> 'Deleting'",
}
"""What of tables whose states change by themselves stays as it is."""


class Wire:
    """Sends requests as bytes, signed; and knows what they left in the database."""

    def __init__(self, server, service):
        self._server = server
        self._service = models.service_model(service)
        # CloudWatch's answers are looked into as well: of its protocols the one that can be read here.
        protocol = "json" if "json" in models.protocols(service) else self._service.protocol
        self._serializer = create_serializer(protocol, include_validation=False)
        self._signer = SigV4Auth(Credentials(*server.keys()), self._service.signing_name, "us-east-1")
        self._pool = urllib3.PoolManager(timeout=ANSWER_LIMIT_S, retries=False)

    def send(self, operation, parameters, damage):
        """The answer to a request whose body ``damage`` may have changed; ``None`` if it cannot be put on a wire."""
        prepared = self._serializer.serialize_to_request(parameters, operation)
        prepared.pop("host_prefix", None)  # one address serves all
        if prepared["body"] and isinstance(prepared["body"], bytes):  # the query protocol has parameters instead
            prepared["body"] = damage(prepared["body"])
        if not all(str(value).isascii() and str(value).isprintable() for value in prepared["headers"].values()):
            return None
        prepare_request_dict(prepared, self._server.endpoint)
        request = create_request_object(prepared)
        self._signer.add_auth(request)
        sent = request.prepare()
        return self._pool.request(sent.method, sent.url, body=sent.body, headers=dict(sent.headers))

    def stored(self):
        """Every row that a request can write, without what settles by itself."""
        rows = []
        path = self._server.data_dir / "firefork.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for name in sorted(names):
                if name.startswith(("log_", "metric_", "sqlite_")):
                    continue  # functions that still run write there
                query = SETTLING.get(name, f"SELECT * FROM {name}")
                rows.append((name, database.execute(query).fetchall()))
        return rows


DAMAGES = {
    "none": lambda body: body,
    "truncated": lambda body: body[: len(body) // 2],
    "of another type": lambda body: b'["list"]',
    "with nulls": lambda body: body.replace(b'"', b"", 1) if len(body) % 2 else b"null",
    "with other members": lambda body: retyped(body),
}


def retyped(body):
    """The same JSON with the values of its members turned round: texts to numbers, the others to texts."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return body
    if not isinstance(parsed, dict):
        return body
    return json.dumps({name: 7 if isinstance(value, str) else "text" for name, value in parsed.items()}).encode()


def order_of(name):
    if name.startswith(LAST):
        return len(ORDER) + LAST.index(next(start for start in LAST if name.startswith(start)))
    return next(place for place, start in enumerate(ORDER) if name.startswith(start))


def fuzz(server, service, known, *, examples=EXAMPLES):
    """Send to every operation; statuses by operation."""
    wire, requests, outcomes = Wire(server, service), Requests(known), {}
    model = models.service_model(service)
    for name in sorted(model.operation_names, key=lambda name: (order_of(name), name)):
        operation, seen = model.operation_model(name), Counter()
        send_many(wire, operation, requests.of(operation), seen, count=1)
        if 501 not in seen:
            send_many(wire, operation, requests.of(operation), seen, count=examples)
        outcomes[name] = seen
    return outcomes


def send_many(wire, operation, parameters, seen, *, count):
    """Send ``count`` requests to one operation and check each answer; the statuses are counted in ``seen``."""

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 50,
        phases=[Phase.generate],  # a failure hangs on what was sent before: sending less again finds another one
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(parameters, mostly(st.just("none"), st.sampled_from(sorted(DAMAGES))))
    def check(given_parameters, damage):
        before = wire.stored()
        answer = wire.send(operation, given_parameters, DAMAGES[damage])
        if answer is None:
            return
        told = f"{operation.name} {given_parameters!r} ({damage}): {answer.status} {answer.data[:400]!r}"
        seen[answer.status] += 1
        assert answer.status < 500 or answer.status == 501, told
        if answer.status >= 400:
            assert isinstance(message_of(answer), str), told
            assert wire.stored() == before, f"written although refused: {told}"

    check()


def message_of(answer):
    """What a refusal says, in JSON or in the query protocol's XML."""
    if answer.data.startswith(b"<"):
        return ElementTree.fromstring(answer.data).findtext(".//{*}Error/{*}Message")
    assert answer.headers["x-amzn-ErrorType"]
    return {key.lower(): value for key, value in json.loads(answer.data).items()}["message"]


@pytest.fixture(scope="module")
def fuzzed(start_server, tmp_path_factory):
    """A server of its own: its functions come and go at random."""
    return start_server(tmp_path_factory.mktemp("fuzzed"))


def tell(record_property, service, outcomes):
    """Leave the counts in the report; the operations that ever succeeded."""
    total = sum(outcomes.values(), Counter())
    record_property(f"{service} requests", sum(total.values()))
    record_property(f"{service} statuses", dict(sorted(total.items())))
    print(f"\n{service}: {sum(total.values())} requests to {len(outcomes)} operations, {dict(sorted(total.items()))}")
    return {name for name, seen in outcomes.items() if any(status < 300 for status in seen)}


class TestEveryOperation:
    def test_of_lambda(self, fuzzed, zipped, record_property):
        client = fuzzed.client("lambda")
        for name in NAMES:
            code = {"ZipFile": zipped({"app.py": "def handler(event, context): return 1"})}
            client.create_function(
                FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE, Code=code, Publish=True
            )
            client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        mapping = client.create_event_source_mapping(FunctionName="fuzz-a", EventSourceArn=QUEUES[0])["UUID"]
        publishers = {"SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/p"]}
        config = client.create_code_signing_config(AllowedPublishers=publishers)["CodeSigningConfig"]
        known = known_values(zipped, mapping=mapping, config=config["CodeSigningConfigArn"])
        outcomes = fuzz(fuzzed, "lambda", known)
        succeeded = tell(record_property, "lambda", outcomes)
        served = {name for name, seen in outcomes.items() if 501 not in seen}
        assert len(succeeded) > len(served) / 3, sorted(served - succeeded)  # not only refusals were tried
        check_whole(client)

    def test_of_logs(self, fuzzed, zipped, record_property):
        client = fuzzed.client("logs")
        client.create_log_group(logGroupName="/fuzz/a")
        client.create_log_stream(logGroupName="/fuzz/a", logStreamName="one")
        outcomes = fuzz(fuzzed, "logs", known_values(zipped))
        succeeded = tell(record_property, "logs", outcomes)
        served = {name for name, seen in outcomes.items() if 501 not in seen}
        assert len(succeeded) > len(served) / 3, sorted(served - succeeded)
        for group in client.describe_log_groups()["logGroups"]:
            client.describe_log_streams(logGroupName=group["logGroupName"])
            client.filter_log_events(logGroupName=group["logGroupName"])

    @pytest.mark.parametrize("service", ["iam", "sts"])
    def test_of_identity(self, fuzzed, service, record_property):
        outcomes = fuzz(fuzzed, service, IDENTITY)
        succeeded = tell(record_property, service, outcomes)
        served = {name for name, seen in outcomes.items() if 501 not in seen}
        assert len(succeeded) >= len(served) / 3, sorted(served - succeeded)

    def test_of_cloudwatch(self, fuzzed, record_property):
        client = fuzzed.client("cloudwatch")
        client.put_metric_data(Namespace="Fuzz", MetricData=[{"MetricName": "a", "Value": 1.0}])
        outcomes = fuzz(fuzzed, "cloudwatch", metric_values(), examples=max(EXAMPLES, 30))  # they are few
        succeeded = tell(record_property, "cloudwatch", outcomes)
        assert succeeded >= {"PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"}

    def test_of_schemas(self, fuzzed, record_property):
        client = fuzzed.client("schemas")
        client.create_registry(RegistryName="fuzz")
        outcomes = fuzz(fuzzed, "schemas", schema_values())
        succeeded = tell(record_property, "schemas", outcomes)
        served = {name for name, seen in outcomes.items() if 501 not in seen}
        assert len(succeeded) > len(served) / 2, sorted(served - succeeded)


def check_whole(client):
    """Everything that a list shows can be read, alone and with all that belongs to it."""
    for page in client.get_paginator("list_functions").paginate(FunctionVersion="ALL"):
        for function in page["Functions"]:
            shown = client.get_function(FunctionName=function["FunctionArn"])
            assert shown["Configuration"]["RevisionId"]
    for page in client.get_paginator("list_functions").paginate():
        for name in (function["FunctionName"] for function in page["Functions"]):
            versions = {each["Version"] for each in client.list_versions_by_function(FunctionName=name)["Versions"]}
            for alias in client.list_aliases(FunctionName=name)["Aliases"]:
                assert alias["FunctionVersion"] in versions
                assert set((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or ()) <= versions
            client.list_function_event_invoke_configs(FunctionName=name)
            client.list_function_url_configs(FunctionName=name)
    for page in client.get_paginator("list_layers").paginate():
        for layer in page["Layers"]:
            client.get_layer_version_by_arn(Arn=layer["LatestMatchingVersion"]["LayerVersionArn"])
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        client.get_event_source_mapping(UUID=mapping["UUID"])


class TestConcurrentUpdates:
    def test_of_one_revision_only_one_goes_through(self, make_function, lambda_, wait_updated):
        """The promise of RevisionId: who writes on what he has read overwrites nobody."""
        name = make_function("def handler(event, context): pass").name

        def update(timeout, revision):
            try:
                lambda_.update_function_configuration(FunctionName=name, Timeout=timeout, RevisionId=revision)
            except (lambda_.exceptions.PreconditionFailedException, lambda_.exceptions.ResourceConflictException):
                return None
            return timeout

        with ThreadPoolExecutor(8) as pool:
            for start in range(1, 6):
                revision = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
                timeouts = range(start * 100, start * 100 + 8)
                written = [each for each in pool.map(update, timeouts, [revision] * 8) if each is not None]
                wait_updated(name)
                assert [lambda_.get_function_configuration(FunctionName=name)["Timeout"]] == written

    def test_aliases_keep_the_same_promise(self, make_function, lambda_):
        name = make_function("def handler(event, context): pass").name
        revision = lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")["RevisionId"]

        def update(number):
            try:
                lambda_.update_alias(FunctionName=name, Name="live", Description=str(number), RevisionId=revision)
            except lambda_.exceptions.PreconditionFailedException:
                return None
            return str(number)

        with ThreadPoolExecutor(8) as pool:
            written = [each for each in pool.map(update, range(16)) if each is not None]
        assert [lambda_.get_alias(FunctionName=name, Name="live")["Description"]] == written
