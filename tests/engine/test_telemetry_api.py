"""Subscriptions to telemetry without I/O: what is accepted, what is refused, what a subscriber is sent and when."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.engine.extensions_api import ExtensionsApi, FunctionFacts
from firefork.engine.telemetry_api import (
    BACKLOG_LIMIT,
    Batches,
    Buffering,
    Destination,
    Record,
    Subscription,
    TelemetryApi,
    shown,
)

TELEMETRY, LOGS = "/2022-07-01/telemetry", "/2020-08-15/logs"
SCHEMAS = {TELEMETRY: "2022-12-13", LOGS: "2021-03-18"}


@pytest.fixture
def extensions():
    facts = FunctionFacts(name="f", version="1", handler="app.handler", account_id="000000000000")
    return ExtensionsApi(facts, ["listener"])


@pytest.fixture
def identifier(extensions):
    headers = {"lambda-extension-name": "listener"}
    reply, _ = extensions.receive("POST", "/2020-01-01/extension/register", headers, b"{}")
    return reply.headers["Lambda-Extension-Identifier"]


@pytest.fixture
def subscribe(extensions, identifier):
    """Subscribe with a valid request in which members are replaced, or left out when ``None``."""
    api = TelemetryApi(extensions)

    def ask(path=TELEMETRY, *, body=None, method="PUT", as_whom=identifier, **members):
        request = {
            "schemaVersion": SCHEMAS[path],
            "types": ["platform"],
            "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080/here?a=b"},
            **members,
        }
        request = {name: value for name, value in request.items() if value is not None}
        body = json.dumps(request).encode() if body is None else body
        return api.receive(method, path, {"lambda-extension-identifier": as_whom}, body)

    ask.api = api
    return ask


def refusal(answer):
    """``(status, type, message)`` of a refused subscription, and that its shape is AWS's."""
    reply, subscription = answer
    assert subscription is None
    told = json.loads(reply.body)
    assert list(told) == ["errorMessage", "errorType"]
    return reply.status, told["errorType"], told["errorMessage"]


class TestSubscribe:
    @pytest.mark.parametrize(
        ("path", "api", "versions"),
        [
            (TELEMETRY, "Telemetry", ["2022-07-01", "2022-12-13", "2025-01-29"]),
            (LOGS, "Logs", ["2020-08-15", "2021-03-18"]),
        ],
    )
    def test_is_answered_ok_in_every_schema(self, subscribe, path, api, versions):
        for version in versions:
            reply, subscription = subscribe(path, schemaVersion=version, types=["extension", "function"])
            assert (reply.status, reply.body) == (200, b'"OK"')
            assert (subscription.api, subscription.schema_version) == (api, version)
            assert subscription.shown_types() == ["Function", "Extension"]
            assert subscription.destination == Destination(protocol="HTTP", port=8080, path="/here?a=b")
            assert subscription.buffering == Buffering(max_items=10_000, max_bytes=262_144, timeout_ms=1_000)

    def test_takes_tcp_and_the_buffering_asked_for(self, subscribe):
        _, subscription = subscribe(
            destination={"protocol": "TCP", "port": 4000},
            buffering={"maxItems": 1000, "maxBytes": 1_048_576, "timeoutMs": 25},
        )
        assert subscription.destination == Destination(protocol="TCP", port=4000)
        assert subscription.buffering == Buffering(max_items=1000, max_bytes=1_048_576, timeout_ms=25)

    def test_the_logs_api_has_a_schema_of_its_own_and_put(self, subscribe):
        destination = {"protocol": "HTTP", "URI": "http://sandbox:1234", "method": "PUT"}
        _, subscription = subscribe(LOGS, schemaVersion=None, destination=destination)
        assert subscription.schema_version == "2020-08-15"
        assert subscription.destination == Destination(protocol="HTTP", port=1234, path="/", method="PUT")

    def test_both_apis_at_once_are_refused(self, subscribe):
        subscribe(TELEMETRY)
        status, error_type, message = refusal(subscribe(LOGS))
        assert (status, error_type) == (400, "Logs.ValidationError")
        assert "subscribed to the Telemetry API already" in message
        assert subscribe(TELEMETRY)[0].status == 200

    @pytest.mark.parametrize(("path", "name"), [(TELEMETRY, "Telemetry"), (LOGS, "Logs")])
    def test_is_closed_after_init(self, subscribe, path, name):
        subscribe.api.open = False
        assert refusal(subscribe(path)) == (
            403,
            f"{name}.SubscriptionClosed",
            f"{name} API subscription is closed",
        )

    @pytest.mark.parametrize("as_whom", ["", "me", "00000000-0000-0000-0000-000000000001"])
    def test_needs_a_registered_extension(self, subscribe, as_whom):
        status, error_type, _ = refusal(subscribe(as_whom=as_whom))
        assert status == 403
        assert error_type.endswith("ExtensionIdentifier")

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_is_a_put(self, subscribe, method):
        assert subscribe(method=method)[0].status == 404

    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ({"types": None}, "types should not be empty"),
            ({"types": []}, "types should not be empty"),
            ({"types": "platform"}, "types should not be empty"),
            ({"types": ["platform", "weather"]}, "type weather is not supported"),
            ({"types": [{}]}, "type {} is not supported"),
            ({"schemaVersion": None}, "schemaVersion is not provided"),
            ({"schemaVersion": "2020-08-15"}, "schemaVersion 2020-08-15 is not supported"),
            ({"destination": None}, "destination should not be empty"),
            ({"destination": {}}, "protocol None is not supported"),
            ({"destination": {"protocol": "UDP"}}, "protocol UDP is not supported"),
            ({"destination": {"protocol": "TCP"}}, "port None is not allowed"),
            ({"destination": {"protocol": "TCP", "port": "4000"}}, "port 4000 is not allowed"),
            ({"destination": {"protocol": "TCP", "port": True}}, "port True is not allowed"),
            ({"destination": {"protocol": "TCP", "port": 9001}}, "port 9001 is not allowed"),
            ({"destination": {"protocol": "TCP", "port": 65536}}, "port 65536 is not allowed"),
            ({"destination": {"protocol": "HTTP"}}, "URI host should be sandbox.localdomain; URI port is not provided"),
            ({"buffering": []}, "buffering should be an object"),
            ({"buffering": {"maxItems": 999}}, "maxItems should be between 1000 and 10000"),
            ({"buffering": {"maxItems": 10_001}}, "maxItems should be between 1000 and 10000"),
            ({"buffering": {"maxBytes": 262_143}}, "maxBytes should be between 262144 and 1048576"),
            ({"buffering": {"maxBytes": 1_048_577}}, "maxBytes should be between 262144 and 1048576"),
            ({"buffering": {"timeoutMs": 24}}, "timeoutMs should be between 25 and 30000"),
            ({"buffering": {"timeoutMs": 30_001}}, "timeoutMs should be between 25 and 30000"),
            ({"buffering": {"timeoutMs": "100"}}, "timeoutMs should be between 25 and 30000"),
        ],
    )
    def test_what_is_not_valid_is_named(self, subscribe, members, message):
        assert refusal(subscribe(**members)) == (400, "ValidationError", message)

    @pytest.mark.parametrize(
        ("uri", "message"),
        [
            ("http://sandbox.localdomain", "URI port is not provided"),
            ("http://sandbox.localdomain:9001", "URI port 9001 is not allowed"),
            ("http://sandbox.localdomain:0", "URI port 0 is not allowed"),
            ("http://sandbox.localdomain:99999", "URI is not valid"),
            ("http://sandbox.localdomain:80/a b", "URI is not valid"),
            ("http://sandbox.localdomain:80/ä", "URI is not valid"),
            ("https://sandbox.localdomain:80", "URI host should be sandbox.localdomain"),
            ("http://127.0.0.1:80", "URI host should be sandbox.localdomain"),
            ("http://169.254.169.254:80", "URI host should be sandbox.localdomain"),
            ("http://sandbox.localdomain@example.com:80", "URI host should be sandbox.localdomain"),
        ],
    )
    def test_telemetry_stays_inside_the_environment(self, subscribe, uri, message):
        assert refusal(subscribe(destination={"protocol": "HTTP", "URI": uri})) == (400, "ValidationError", message)

    def test_the_telemetry_api_posts(self, subscribe):
        destination = {"protocol": "HTTP", "URI": "http://sandbox:1234", "method": "PUT"}
        assert refusal(subscribe(destination=destination))[2] == "method PUT is not supported"

    def test_everything_wrong_is_told_at_once(self, subscribe):
        """AWS joins what it finds with semicolons."""
        destination = {"protocol": "HTTP", "URI": "http://sandbox"}
        assert refusal(subscribe(types=[], destination=destination)) == (
            400,
            "ValidationError",
            "URI port is not provided; types should not be empty",
        )

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
    def test_a_body_that_is_no_object(self, subscribe, body):
        status, error_type, message = refusal(subscribe(body=body))
        assert (status, error_type) == (400, "ValidationError")
        assert message.startswith("the body is not valid JSON")

    def test_a_refused_one_changes_nothing(self, subscribe):
        _, first = subscribe()
        subscribe(types=[])
        assert subscribe.api.subscriptions == {"listener": first}


def subscription(schema="2022-12-13", api="Telemetry", types=("platform", "function", "extension"), **buffering):
    return Subscription(
        extension="listener",
        api=api,
        types=frozenset(types),
        buffering=Buffering(**buffering),
        destination=Destination(protocol="HTTP", port=80),
        schema_version=schema,
    )


def content(record, **options):
    event = shown(record, subscription(**options))
    return None if event is None else json.loads(event)


RESTORE = ("restoreStart", "restoreRuntimeDone", "restoreReport")


class TestShown:
    def test_an_event_has_time_type_and_record(self):
        record = Record(time_ms=1_700_000_000_007, kind="function", record="a line")
        assert content(record) == {"time": "2023-11-14T22:13:20.007Z", "type": "function", "record": "a line"}

    @pytest.mark.parametrize("kind", ["platform.start", "function", "extension"])
    def test_only_what_was_asked_for(self, kind):
        record = Record(time_ms=0, kind=kind, record="x")
        group = kind.partition(".")[0]
        assert content(record, types=[group]) is not None
        assert content(record, types={"platform", "function", "extension"} - {group}) is None

    @pytest.mark.parametrize(
        ("api", "schema", "kinds"),
        [
            ("Telemetry", "2022-07-01", {"start", "report", "initStart", "initReport", "runtimeDone", *RESTORE}),
            ("Telemetry", "2025-01-29", {"start", "report", "initStart", "initReport", "runtimeDone", *RESTORE}),
            ("Logs", "2020-08-15", {"start", "end", "report", "fault"}),
            ("Logs", "2021-03-18", {"start", "end", "report", "fault", "runtimeDone", "initReport", *RESTORE}),
        ],
    )
    def test_each_api_has_platform_events_of_its_own(self, api, schema, kinds):
        names = ("start", "end", "report", "fault", "initStart", "initReport", "runtimeDone", *RESTORE)
        records = {name: Record(time_ms=0, kind=f"platform.{name}", record={}) for name in names}
        assert {name for name in names if content(records[name], api=api, schema=schema) is not None} == kinds

    @pytest.mark.parametrize("kind", ["function", "extension"])
    @pytest.mark.parametrize(
        ("api", "schema", "as_object"),
        [
            ("Telemetry", "2022-07-01", False),
            ("Telemetry", "2022-12-13", True),
            ("Telemetry", "2025-01-29", True),
            ("Logs", "2021-03-18", False),
        ],
    )
    def test_json_lines_are_objects_from_the_second_schema_on(self, kind, api, schema, as_object):
        line = {"level": "INFO", "message": "ä"}
        told = content(Record(time_ms=0, kind=kind, record=line), api=api, schema=schema)["record"]
        assert told == (line if as_object else '{"level":"INFO","message":"ä"}')


class TestBatches:
    def test_a_batch_goes_when_its_oldest_event_is_due(self):
        batches = Batches(subscription(timeout_ms=100))
        assert batches.due_in(0.0) is None
        batches.add(b"1", 10.0)
        batches.add(b"2", 10.09)
        assert batches.due_in(10.09) == pytest.approx(0.01)
        assert batches.due_in(10.2) == 0.0
        assert batches.take() == [b"1", b"2"]
        assert batches.due_in(10.2) is None

    def test_or_when_it_has_its_items(self):
        batches = Batches(subscription(max_items=1000, timeout_ms=30_000))
        for number in range(1001):
            assert (batches.due_in(0.0) == 0.0) is (number >= 1000)
            batches.add(b"x", 0.0)
        assert len(batches.take()) == 1000
        assert batches.due_in(1.0) == 29.0, "the rest waits for its own time"

    def test_or_when_it_has_its_bytes(self):
        batches = Batches(subscription(max_bytes=262_144, timeout_ms=30_000))
        batches.add(b"x" * 262_000, 0.0)
        assert batches.due_in(0.0) == 30.0
        batches.add(b"y" * 262_000, 0.0)
        assert batches.due_in(0.0) == 0.0
        assert [len(event) for event in batches.take()] == [262_000]

    def test_one_event_beyond_the_bytes_goes_alone(self):
        batches = Batches(subscription())
        batches.add(b"x" * 300_000, 0.0)
        batches.add(b"y", 0.0)
        assert [len(event) for event in batches.take()] == [300_000]

    def test_a_backlog_drops_what_is_too_much_and_counts_it(self):
        batches = Batches(subscription())
        event = b"x" * 1_000_000
        for _ in range(6):
            batches.add(event, 0.0)
        kept = BACKLOG_LIMIT // len(event)
        lost = batches.dropped()
        assert lost.record(0).record == {
            "droppedBytes": (6 - kept) * len(event),
            "droppedRecords": 6 - kept,
            "reason": "Some logs were dropped because the downstream consumer is slower than the logs production rate",
        }
        batches.drop([event])
        batches.told_of_dropped(lost)
        assert batches.dropped().records == 1, "what was lost meanwhile is still to be told"

    @given(sizes=st.lists(st.integers(1, 400_000), max_size=40))
    def test_every_event_is_sent_in_order_or_counted(self, sizes):
        batches = Batches(subscription(max_items=1000))
        events = [bytes([65 + number % 26]) * size for number, size in enumerate(sizes)]
        for event in events:
            batches.add(event, 0.0)
        sent = []
        while batches.due_in(2.0) is not None:
            batch = batches.take()
            assert len(batch) == 1 or sum(map(len, batch)) <= 262_144
            sent += batch
        lost = batches.dropped()
        assert len(sent) + (lost.records if lost else 0) == len(events)
        assert sum(map(len, sent)) + (lost.bytes if lost else 0) == sum(sizes)
        remaining = iter(events)
        assert all(event in remaining for event in sent), "in their order"
