"""The Runtime API without I/O: every order of calls that a runtime can produce."""

import itertools
import json

import pytest

from firefork.engine.runtime_api import (
    PAYLOAD_LIMIT,
    TRANSITIONS,
    Delivery,
    IllegalTransition,
    InitFailed,
    Polled,
    Responded,
    RuntimeApi,
    RuntimeCall,
    RuntimeState,
    advance,
)

NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"


def delivery(request_id="one", **changes):
    values = {
        "request_id": request_id,
        "deadline_ms": 1_700_000_000_000,
        "invoked_function_arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "trace_id": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0",
        "payload": b"{}",
    }
    return Delivery(**(values | changes))


def post(api, path, body=b"{}", **headers):
    return api.receive("POST", f"/2018-06-01/runtime/{path}", headers, body)


@pytest.fixture
def api():
    return RuntimeApi()


@pytest.fixture
def running(api):
    api.receive("GET", NEXT, {}, b"")
    api.deliver(delivery())
    return api


class TestStates:
    @pytest.mark.parametrize(("state", "call"), list(itertools.product(RuntimeState, RuntimeCall)))
    def test_every_pair_is_in_the_table_or_refused(self, state, call):
        if (state, call) in TRANSITIONS:
            assert advance(state, call) is TRANSITIONS[state, call]
        else:
            with pytest.raises(IllegalTransition, match=r"State transition from .* failed for runtime"):
                advance(state, call)

    def test_a_whole_invoke_ends_where_it_began(self, api):
        """next, response, next: the runtime is ready again."""
        assert api.receive("GET", NEXT, {}, b"") == (None, Polled())
        api.deliver(delivery())
        reply, event = post(api, "invocation/one/response", b'"answer"')
        assert (reply.status, event) == (202, Responded(body=b'"answer"'))
        assert json.loads(reply.body) == {"status": "OK"}
        assert api.receive("GET", NEXT, {}, b"") == (None, Polled())
        assert api.state is RuntimeState.READY


class TestNext:
    def test_delivers_the_event_with_aws_headers(self, api):
        api.receive("GET", NEXT, {}, b"")
        reply = api.deliver(delivery(payload=b'{"a":1}', client_context='{"custom":{}}'))
        assert (reply.status, reply.body, reply.content_type) == (200, b'{"a":1}', "application/json")
        assert reply.headers["Lambda-Runtime-Aws-Request-Id"] == "one"
        assert reply.headers["Lambda-Runtime-Deadline-Ms"] == "1700000000000"
        assert reply.headers["Lambda-Runtime-Invoked-Function-Arn"].endswith(":function:f")
        assert reply.headers["Lambda-Runtime-Client-Context"] == '{"custom":{}}'
        assert "Lambda-Runtime-Cognito-Identity" not in reply.headers

    def test_nothing_is_delivered_to_a_runtime_that_did_not_ask(self, api):
        with pytest.raises(IllegalTransition):
            api.deliver(delivery())

    def test_asking_while_an_event_is_open_is_refused(self, running):
        reply, event = running.receive("GET", NEXT, {}, b"")
        assert (reply.status, event) == (403, None)
        assert json.loads(reply.body)["errorType"] == "InvalidStateTransition"


class TestResponse:
    def test_for_another_request_is_refused_and_changes_nothing(self, running):
        reply, event = post(running, "invocation/other/response")
        assert (reply.status, event) == (400, None)
        assert json.loads(reply.body) == {
            "errorMessage": "Invalid request ID",
            "errorType": "InvalidRequestID",
        }
        assert post(running, "invocation/one/response")[0].status == 202

    def test_a_second_one_is_refused(self, running):
        post(running, "invocation/one/response")
        assert post(running, "invocation/one/response")[0].status == 400

    def test_too_long_is_413_to_the_runtime_and_a_function_error_to_the_caller(self, running):
        reply, event = post(running, "invocation/one/response", None)
        assert reply.status == 413
        assert json.loads(reply.body)["errorMessage"] == (
            f"Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
        )
        assert event.failed
        assert json.loads(event.body) == {
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }

    def test_an_error_is_passed_on_byte_for_byte(self, running):
        body = b'{"errorMessage": "no", "errorType": "ValueError"}'
        reply, event = post(running, "invocation/one/error", body)
        assert (reply.status, event.body, event.failed) == (202, body, True)

    def test_an_unknown_response_mode_is_refused(self, running):
        headers = {"lambda-runtime-function-response-mode": "carrier-pigeon"}
        reply, event = running.receive("POST", "/2018-06-01/runtime/invocation/one/response", headers, b"")
        assert (reply.status, event) == (400, None)
        assert json.loads(reply.body)["errorType"] == "InvalidFunctionResponseMode"


class TestInitError:
    def test_names_its_type(self, api):
        headers = {"lambda-runtime-function-error-type": "Runtime.ImportModuleError"}
        reply, event = api.receive("POST", INIT_ERROR, headers, b"{}")
        assert reply.status == 202
        assert event == InitFailed(body=b"{}", error_type="Runtime.ImportModuleError")

    def test_is_refused_once_the_runtime_polled(self, api):
        api.receive("GET", NEXT, {}, b"")
        assert api.receive("POST", INIT_ERROR, {}, b"{}")[0].status == 403


class TestOtherPaths:
    def test_ping(self, api):
        assert api.receive("GET", "/ping", {}, b"")[0].body == b"pong"

    @pytest.mark.parametrize("path", ["/", "/2018-06-01/runtime/", "/2018-06-01/runtime/invocation//", "/x" * 1000])
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
    def test_unknown_ones_are_not_found(self, api, method, path):
        reply, event = api.receive(method, path, {}, b"")
        assert (reply.status, event) == (404, None)
