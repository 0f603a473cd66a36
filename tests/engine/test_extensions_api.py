"""The Extensions API without I/O: every order of calls, and every refusal."""

import itertools
import json
import uuid

import pytest

from firefork.engine.extensions_api import (
    EXTENSION_LIMIT,
    TRANSITIONS,
    ExtensionCall,
    ExtensionFailed,
    ExtensionPolled,
    ExtensionRegistered,
    ExtensionsApi,
    ExtensionState,
    FunctionFacts,
    advance,
    deliver,
    invoke_event,
    shutdown_event,
)
from firefork.engine.guest_reply import IllegalTransition

FACTS = FunctionFacts(name="f", version="$LATEST", handler="app.handler", account_id="000000000000")
REGISTER, NEXT = "/2020-01-01/extension/register", "/2020-01-01/extension/event/next"
INIT_ERROR, EXIT_ERROR = "/2020-01-01/extension/init/error", "/2020-01-01/extension/exit/error"


def register(api, name="outside", events=("INVOKE", "SHUTDOWN"), **headers):
    body = json.dumps({"events": list(events)}).encode()
    return api.receive("POST", REGISTER, {"lambda-extension-name": name, **headers}, body)


def call(api, identifier, path=NEXT, error_type="Extension.Broken"):
    headers = {"lambda-extension-identifier": identifier, "lambda-extension-function-error-type": error_type}
    return api.receive("GET" if path == NEXT else "POST", path, headers, b"")


def refusal(reply):
    """``(status, type, message)``, and that the shape is AWS's."""
    told = json.loads(reply.body)
    assert list(told) == ["errorMessage", "errorType"]
    return reply.status, told["errorType"], told["errorMessage"]


@pytest.fixture
def api():
    return ExtensionsApi(FACTS, ["outside"])


@pytest.fixture
def identifier(api):
    return register(api)[0].headers["Lambda-Extension-Identifier"]


class TestStates:
    @pytest.mark.parametrize(("state", "move"), list(itertools.product(ExtensionState, ExtensionCall)))
    def test_every_pair_is_in_the_table_or_refused(self, state, move):
        if (state, move) in TRANSITIONS:
            assert advance(state, move, "x") is TRANSITIONS[state, move]
        else:
            with pytest.raises(IllegalTransition, match=r"State transition from .* failed for extension x\. "):
                advance(state, move, "x")

    @pytest.mark.parametrize("order", list(itertools.product((NEXT, INIT_ERROR, EXIT_ERROR), repeat=3)))
    def test_every_order_of_calls_has_one_defined_answer(self, api, identifier, order):
        """Each call is answered as the table says, and a refused one changes nothing."""
        moves = {NEXT: ExtensionCall.NEXT, INIT_ERROR: ExtensionCall.INIT_ERROR, EXIT_ERROR: ExtensionCall.EXIT_ERROR}
        extension = api.named("outside")
        for path in order:
            before = extension.state
            reply, event = call(api, identifier, path)
            after = TRANSITIONS.get((before, moves[path]))
            if after is None:
                assert refusal(reply)[:2] == (403, "Extension.InvalidExtensionState")
                assert (event, extension.state) == (None, before)
            else:
                assert extension.state is after
                assert reply is None if path == NEXT else reply.status == 202


class TestRegister:
    def test_tells_the_extension_its_function(self, api):
        reply, event = register(api)
        assert (reply.status, reply.content_type) == (200, "application/json")
        uuid.UUID(reply.headers["Lambda-Extension-Identifier"])
        assert json.loads(reply.body) == {
            "functionName": "f",
            "functionVersion": "$LATEST",
            "handler": "app.handler",
        }
        assert event == ExtensionRegistered(extension=api.named("outside"))
        assert api.registered

    def test_the_account_is_told_to_those_who_ask(self, api):
        reply, _ = register(api, **{"lambda-extension-accept-feature": "other, accountId"})
        assert json.loads(reply.body)["accountId"] == "000000000000"

    def test_the_runtime_waits_for_every_external_one(self):
        api = ExtensionsApi(FACTS, ["a", "b"])
        register(api, "a")
        assert not api.registered
        register(api, "b")
        assert api.registered

    @pytest.mark.parametrize(
        ("body", "error_type", "message"),
        [
            (b'{"events":["SHUTDOWN","LUNCH"]}', "Extension.InvalidEventType", "LUNCH: extension.InvalidEventType"),
            (b"{", "InvalidRequestFormat", None),
            (b'["INVOKE"]', "InvalidRequestFormat", None),
            (b'{"events":"INVOKE"}', "InvalidRequestFormat", None),
            (b'{"events":[1]}', "InvalidRequestFormat", None),
        ],
    )
    def test_a_body_that_is_none_is_refused(self, api, body, error_type, message):
        reply, event = api.receive("POST", REGISTER, {"lambda-extension-name": "outside"}, body)
        status, told_type, told = refusal(reply)
        assert (status, told_type, event) == (403, error_type, None)
        assert message in (None, told)
        assert not api.registered

    def test_without_a_name(self, api):
        reply, _ = api.receive("POST", REGISTER, {}, b"{}")
        assert refusal(reply) == (403, "Extension.InvalidExtensionName", "Empty extension name")

    def test_a_body_beyond_the_limit_counts_as_empty(self, api):
        """The server keeps none that long; no event is subscribed then."""
        reply, _ = api.receive("POST", REGISTER, {"lambda-extension-name": "outside"}, None)
        assert reply.status == 200
        assert api.named("outside").events == frozenset()

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "outside",
                "State transition from Registered to Registered failed for extension outside. "
                "Error: State transition is not allowed",
            ),
            ("inside", "Extension with this name already registered"),
        ],
    )
    def test_twice_is_refused(self, api, name, message):
        register(api, name, ["INVOKE"])
        reply, event = register(api, name, ["INVOKE"])
        assert refusal(reply) == (403, "Extension.InvalidExtensionState", message)
        assert event is None


class TestInternal:
    def test_registers_while_the_runtime_initialises(self, api):
        reply, event = register(api, "inside", ["INVOKE"])
        assert reply.status == 200
        assert not event.extension.external

    def test_cannot_hear_of_the_shutdown(self, api):
        reply, _ = register(api, "inside", ["INVOKE", "SHUTDOWN"])
        assert refusal(reply) == (
            403,
            "Extension.InvalidEventType",
            "ShutdownEventNotSupportedForInternalExtension: extension.InvalidEventType",
        )
        assert api.named("inside") is None

    def test_not_after_the_runtime_asked_for_an_event(self, api):
        api.registration_open = False
        assert refusal(register(api, "inside", ["INVOKE"])[0]) == (
            403,
            "Extension.RegistrationClosed",
            "Extension registration closed already",
        )

    def test_no_more_than_ten_with_the_external_ones(self, api):
        for number in range(EXTENSION_LIMIT - 1):
            assert register(api, f"inside-{number}", ["INVOKE"])[0].status == 200
        assert refusal(register(api, "one-more", ["INVOKE"])[0]) == (
            403,
            "Extension.TooManyExtensions",
            "Extension limit (10) reached",
        )
        assert register(api)[0].status == 200, "an external one has its place"


class TestIdentifier:
    @pytest.mark.parametrize("path", [NEXT, INIT_ERROR, EXIT_ERROR])
    @pytest.mark.parametrize(
        ("given", "error_type", "message"),
        [
            ("", "MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"),
            ("me", "InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"),
            (str(uuid.UUID(int=1)), "UnknownExtensionIdentifier", f"Unknown extension {uuid.UUID(int=1)}"),
        ],
    )
    def test_is_checked_on_every_call(self, api, identifier, path, given, error_type, message):
        assert refusal(call(api, given, path)[0]) == (403, f"Extension.{error_type}", message)

    def test_is_another_one_in_every_generation(self, identifier):
        """What an extension had before its environment started anew is worth nothing after."""
        assert refusal(call(ExtensionsApi(FACTS, ["outside"]), identifier)[0])[1] == (
            "Extension.UnknownExtensionIdentifier"
        )


class TestNext:
    def test_the_first_ends_the_init_of_the_extension(self, api, identifier):
        extension = api.named("outside")
        assert call(api, identifier) == (None, ExtensionPolled(extension=extension, first=True))
        assert api.settled
        assert api.subscribers("INVOKE") == [extension]

    def test_an_event_is_delivered_and_the_next_one_asked_for(self, api, identifier):
        extension = api.named("outside")
        call(api, identifier)
        reply = deliver(extension, b'{"eventType":"INVOKE"}')
        uuid.UUID(reply.headers["Lambda-Extension-Event-Identifier"])
        assert (reply.status, reply.body, api.settled) == (200, b'{"eventType":"INVOKE"}', False)
        assert call(api, identifier) == (None, ExtensionPolled(extension=extension, first=False))
        assert api.settled

    def test_nothing_is_delivered_to_one_that_did_not_ask(self, api, identifier):
        with pytest.raises(IllegalTransition):
            deliver(api.named("outside"), b"{}")
        assert api.subscribers("INVOKE") == []

    def test_only_subscribers_hear(self, api):
        quiet = register(api, events=[])[0].headers["Lambda-Extension-Identifier"]
        call(api, quiet)
        assert api.subscribers("INVOKE") == api.subscribers("SHUTDOWN") == []


class TestErrors:
    @pytest.mark.parametrize(("path", "phase"), [(INIT_ERROR, "init"), (EXIT_ERROR, "exit")])
    def test_are_told_once(self, api, identifier, path, phase):
        extension = api.named("outside")
        reply, event = call(api, identifier, path)
        assert (reply.status, json.loads(reply.body)) == (202, {"status": "OK"})
        assert event == ExtensionFailed(extension=extension, phase=phase)
        assert extension.error_type == "Extension.Broken"
        reply, event = call(api, identifier, path, "Extension.Again")
        assert (reply.status, event, extension.error_type) == (202, None, "Extension.Broken")

    @pytest.mark.parametrize("path", [INIT_ERROR, EXIT_ERROR])
    def test_need_a_type(self, api, identifier, path):
        assert refusal(call(api, identifier, path, error_type="")[0]) == (
            403,
            "Extension.MissingHeader",
            "Lambda-Extension-Function-Error-Type not found",
        )
        assert api.named("outside").state is ExtensionState.REGISTERED

    def test_an_init_error_comes_before_the_first_next(self, api, identifier):
        call(api, identifier)
        assert refusal(call(api, identifier, INIT_ERROR)[0]) == (
            403,
            "Extension.InvalidExtensionState",
            "State transition from Ready to InitError failed for extension outside. "
            "Error: State transition is not allowed",
        )


class TestPaths:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", REGISTER),
            ("PUT", REGISTER),
            ("POST", NEXT),
            ("GET", INIT_ERROR),
            ("GET", EXIT_ERROR),
            ("GET", "/2020-01-01/extension/"),
            ("GET", "/2020-01-01/extension/event/next/"),
            ("POST", "/2020-01-01/extension/register/outside"),
        ],
    )
    def test_others_are_not_found(self, api, identifier, method, path):
        reply, event = api.receive(method, path, {"lambda-extension-identifier": identifier}, b"")
        assert (reply.status, event) == (404, None)
        assert api.named("outside").state is ExtensionState.REGISTERED


class TestEvents:
    def test_an_invoke_has_the_members_of_aws(self):
        event = invoke_event(deadline_ms=1, request_id="id", function_arn="arn", trace_id="Root=1-2-3")
        assert json.loads(event) == {
            "eventType": "INVOKE",
            "deadlineMs": 1,
            "requestId": "id",
            "invokedFunctionArn": "arn",
            "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1-2-3"},
        }

    def test_a_shutdown_has_its_reason(self):
        assert json.loads(shutdown_event(reason="TIMEOUT", deadline_ms=2)) == {
            "eventType": "SHUTDOWN",
            "shutdownReason": "TIMEOUT",
            "deadlineMs": 2,
        }
