"""The front door without a socket: requests in, answers out."""

import json
import threading
import time

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from firefork.api.front_door import BODY_LIMITS, FrontDoor
from firefork.api.http_wire import RequestHead, RequestParser
from firefork.api.request import ClientGone, Request, RequestBody
from firefork.aws.errors import LogsResourceNotFound, ResourceNotFound
from firefork.aws.principal import Principal, SigningKey

HOST = "127.0.0.1:4566"
KEY = SigningKey(
    access_key_id="AKIAEXAMPLE",
    secret="secret",
    session_token=None,
    expires_at_s=None,
    principal=Principal(account="111122223333", arn="arn:aws:iam::111122223333:root", user_id="111122223333"),
)


class Lambda:
    """Answers what it was asked."""

    def __init__(self):
        self.calls = []

    def list_functions(self, call, request):
        self.calls.append(call)
        return {"Functions": [], "NextMarker": f"{call.scope.account}/{call.scope.region}"}

    def get_function(self, call, request):
        raise ResourceNotFound("no such function")

    def create_function(self, call, request):
        return {"FunctionName": request["FunctionName"]}

    def delete_function(self, call, request):
        raise RuntimeError("a defect")

    async def invoke(self, call, request):
        return {"StatusCode": 200, "Payload": threading.current_thread().name.encode()}

    def get_account_settings(self, call, request):
        return {"AccountUsage": {"FunctionCount": threading.current_thread() is not threading.main_thread()}}


class Logs:
    def describe_log_groups(self, call, request):
        raise LogsResourceNotFound("no such group")


class Sts:
    def get_caller_identity(self, call, request):
        return {"Account": call.principal.account}


class CloudWatch:
    def list_metrics(self, call, request):
        return {"Metrics": [{"Namespace": request["Namespace"]}]}


@pytest.fixture
def provider():
    return Lambda()


class Permissive:
    """Lets every call through: what callers may do is tested with the authorizer."""

    def may_block(self, call, request):
        return False

    def check(self, call, request):
        pass


@pytest.fixture
def door(provider, tmp_path):
    package = tmp_path / "x.zip"
    package.write_bytes(b"z" * 600_000)
    made = FrontDoor(
        {"lambda": [provider], "logs": [Logs()], "sts": [Sts()], "cloudwatch": [CloudWatch()]},
        authenticate=lambda key, token: KEY if key == KEY.access_key_id else None,
        authorizer=Permissive(),
        health=lambda: {"status": "ready"},
        download=lambda path, query: package if query == "good" else None,
        body_patience_s=0.2,
    )
    yield made
    made.close()


class Answer:
    def __init__(self, answer, body):
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.headers}
        self.length = answer.length
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


def signed(
    method, path, *, query="", body=b"", headers=None, service="lambda", region="us-east-1", key=KEY, presign=False
):
    """Head and body of a signed request."""
    request = AWSRequest(
        method=method, url=f"http://{HOST}{path}{'?' if query else ''}{query}", data=body, headers=headers or {}
    )
    signer = SigV4QueryAuth if presign else SigV4Auth
    signer(Credentials(key.access_key_id, key.secret), service, region).add_auth(request)
    prepared = request.prepare()
    found = {
        name.lower(): value if isinstance(value, str) else value.decode()
        for name, value in prepared.headers.items()
        if name.lower() != "content-length"
    }
    return head_of(method, prepared.url.removeprefix(f"http://{HOST}"), {"host": HOST, **found}), body


def head_of(method, target, headers=None):
    path, _, query = target.partition("?")
    return RequestHead(method, path, query, dict(headers or {}))


async def send_to(door, head, body=b"", parts=None, *, gone=False, secure=False):
    """The answer to a request whose body comes in ``parts``; a part that is ``None`` never comes."""
    waiting = list(parts if parts is not None else [body])
    received = RequestBody(lambda: None)
    for part in waiting:
        if part is None:
            break
        received.feed(part)
    else:
        if gone:
            received.lose()
        else:
            received.end()
    answer = await door(Request(head, received, "127.0.0.1", secure))
    if answer.stream is not None:
        return Answer(answer, b"".join([part async for part in answer.stream]))
    return Answer(answer, answer.body)


class TestDispatch:
    async def test_scope_of_the_signature_chooses_service_account_and_region(self, door, provider):
        answer = await send_to(door, *signed("GET", "/2015-03-31/functions/", region="ap-southeast-7"))
        assert answer.status == 200
        assert answer.json == {"Functions": [], "NextMarker": "111122223333/ap-southeast-7"}
        assert answer.headers["x-amzn-requestid"] == provider.calls[0].request_id
        assert provider.calls[0].endpoint == f"http://{HOST}"
        assert provider.calls[0].source_ip == "127.0.0.1"
        await send_to(door, *signed("GET", "/2015-03-31/functions/"), secure=True)
        assert provider.calls[1].endpoint == f"https://{HOST}"

    async def test_coroutines_run_on_the_loop_and_functions_in_a_thread(self, door):
        """What may block must not stop the others."""
        invoked = await send_to(door, *signed("POST", "/2015-03-31/functions/f/invocations"))
        assert invoked.body == threading.current_thread().name.encode()
        threaded = await send_to(door, *signed("GET", "/2016-08-19/account-settings"))
        assert threaded.json["AccountUsage"]["FunctionCount"] == 1

    async def test_a_presigned_query_request(self, door):
        query = "Action=GetCallerIdentity&Version=2011-06-15"
        answer = await send_to(door, *signed("GET", "/", query=query, service="sts", presign=True))
        assert answer.status == 200
        assert b"<Account>111122223333</Account>" in answer.body

    async def test_the_protocol_is_the_requests(self, door):
        """CloudWatch has three; which one a client speaks is seen in its headers."""
        target = {"X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics"}
        as_json = signed("POST", "/", body=b'{"Namespace": "a"}', service="monitoring", headers=target)
        assert (await send_to(door, *as_json)).json == {"Metrics": [{"Namespace": "a"}]}
        path, smithy = (
            "/service/GraniteServiceVersion20100801/operation/ListMetrics",
            {"smithy-protocol": "rpc-v2-cbor"},
        )
        as_cbor = signed("POST", path, body=b"\xa1\x69Namespace\x61a", service="monitoring", headers=smithy)
        answer = await send_to(door, *as_cbor)
        assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
        assert answer.body == b"\xa1\x67Metrics\x81\xa1\x69Namespace\x61a"
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        as_form = signed("POST", "/", body=b"Action=ListMetrics&Namespace=a", service="monitoring", headers=form)
        assert b"<Namespace>a</Namespace>" in (await send_to(door, *as_form)).body

    async def test_a_repeated_header_is_signed_as_one(self, door):
        head, body = signed("GET", "/2015-03-31/functions/", headers={"X-Custom": "a,b"})
        lines = [f"{name}: {value}" for name, value in head.headers.items() if name != "x-custom"]
        sent = "\r\n".join([f"GET {head.path} HTTP/1.1", *lines, "x-custom: a", "X-Custom: b", "", ""])
        received = RequestParser().feed(sent.encode())[0]
        assert (await send_to(door, received, body)).status == 200


class TestRefusals:
    async def test_an_operation_that_is_not_served_names_itself(self, door):
        answer = await send_to(door, *signed("GET", "/2015-03-31/event-source-mappings"))
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (501, "NotImplementedException")
        assert "ListEventSourceMappings" in answer.json["message"]
        assert answer.headers["x-amzn-requestid"]

    async def test_a_service_that_is_not_served_names_itself(self, door):
        answer = await send_to(door, *signed("GET", "/", service="kinesis"))
        assert answer.status == 501
        assert "'kinesis'" in answer.json["message"]

    @pytest.mark.parametrize(
        ("request_", "status", "text"),
        [
            (("GET", "/no/such/path", {}), 404, "UnknownOperationException"),
            (("POST", "/", {"service": "logs"}), 400, "UnknownOperationException"),
            (
                ("POST", "/", {"service": "logs", "headers": {"X-Amz-Target": "Logs_20140328.Bogus"}}),
                400,
                "Logs_20140328.Bogus",
            ),
            (("POST", "/", {"service": "sts", "body": b"Action=Bogus"}), 400, "<Code>InvalidAction</Code>"),
            (("POST", "/", {"service": "sts", "body": b"\xff\xfe=%zz"}), 400, "<Code>MissingAction</Code>"),
        ],
    )
    async def test_an_operation_that_does_not_exist(self, door, request_, status, text):
        method, path, options = request_
        answer = await send_to(door, *signed(method, path, **options))
        assert answer.status == status
        assert text in answer.body.decode() + str(answer.headers)

    async def test_errors_have_the_form_of_the_services_protocol(self, door):
        rest = await send_to(door, *signed("GET", "/2015-03-31/functions/f"))
        assert (rest.status, rest.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
        assert rest.json == {"Type": "User", "Message": "no such function"}
        target = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}
        rpc = await send_to(door, *signed("POST", "/", body=b"{}", headers=target, service="logs"))
        assert rpc.status == 400
        assert rpc.json == {"__type": "ResourceNotFoundException", "message": "no such group"}

    async def test_a_request_that_breaks_the_model(self, door):
        rest = await send_to(door, *signed("GET", "/2015-03-31/functions/", query="MaxItems=0"))
        assert (rest.status, rest.headers["x-amzn-errortype"]) == (400, "ValidationException")
        assert rest.json["message"].startswith("1 validation error detected: Value '0' at 'maxItems'")
        target = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}
        rpc = await send_to(door, *signed("POST", "/", body=b'{"limit": 0}', headers=target, service="logs"))
        assert rpc.json["__type"] == "InvalidParameterException"
        query = await send_to(door, *signed("POST", "/", body=b"Action=AssumeRole", service="sts"))
        assert b"<Code>ValidationError</Code>" in query.body
        assert b"2 validation errors detected" in query.body

    async def test_a_defect_is_awss_500_and_the_cause_is_in_the_log(self, door, caplog):
        answer = await send_to(door, *signed("DELETE", "/2015-03-31/functions/f"))
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (500, "ServiceException")
        assert answer.json["Type"] == "Server"
        assert "a defect" not in answer.json["Message"]
        assert answer.headers["x-amzn-requestid"] in caplog.text
        assert "a defect" in caplog.text

    async def test_unsigned_requests_are_refused_in_the_form_they_seem_to_be_of(self, door):
        rest = await send_to(door, head_of("GET", "/2015-03-31/functions/"))
        assert (rest.status, rest.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
        rpc = await send_to(door, head_of("POST", "/", {"x-amz-target": "Logs_20140328.DescribeLogGroups"}))
        assert (rpc.status, rpc.json["__type"]) == (400, "MissingAuthenticationTokenException")
        query = await send_to(door, head_of("GET", "/?Action=GetCallerIdentity"))
        assert query.status == 403
        assert b"<Code>MissingAuthenticationToken</Code>" in query.body

    @pytest.mark.parametrize(
        ("spoil", "rest", "form"),
        [
            ({"key": "stranger"}, "UnrecognizedClientException", "InvalidClientTokenId"),
            ({"secret": "wrong"}, "InvalidSignatureException", "SignatureDoesNotMatch"),
        ],
    )
    async def test_bad_signatures_have_the_services_own_codes(self, door, spoil, rest, form):
        key = SigningKey(
            access_key_id="AKIASTRANGER" if "key" in spoil else KEY.access_key_id,
            secret=spoil.get("secret", "secret"),
            session_token=None,
            expires_at_s=None,
            principal=KEY.principal,
        )
        answer = await send_to(door, *signed("GET", "/2015-03-31/functions/", key=key))
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, rest)
        answer = await send_to(door, *signed("POST", "/", body=b"Action=GetCallerIdentity", service="sts", key=key))
        assert answer.status == 403
        assert f"<Code>{form}</Code>".encode() in answer.body
        target = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}
        answer = await send_to(door, *signed("POST", "/", body=b"{}", headers=target, service="logs", key=key))
        assert (answer.status, answer.json["__type"]) == (400, rest)

    async def test_a_region_is_a_regions_name(self, door):
        answer = await send_to(door, *signed("GET", "/2015-03-31/functions/", region="nowhere"))
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")
        assert answer.json["message"] == "Credential should be scoped to a valid region."


class TestBodies:
    @pytest.mark.parametrize(
        ("method", "path", "limit", "name"),
        [
            ("POST", "/2015-03-31/functions", 70_167_211, "CreateFunction"),
            ("PUT", "/2015-03-31/functions/f/code", 70_167_211, "UpdateFunctionCode"),
            ("POST", "/2018-10-31/layers/l/versions", 70_167_211, "PublishLayerVersion"),
            ("POST", "/2015-03-31/functions/f/invocations", 6_291_456, "InvokeFunction"),
        ],
    )
    async def test_a_length_beyond_the_limit_is_refused_before_anything_is_read(self, door, method, path, limit, name):
        """Only the headers were sent; the answer comes all the same."""
        request, _ = signed(method, path)
        request.headers["content-length"] = str(limit + 1)
        answer = await send_to(door, request, parts=[None])
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
        assert answer.json["message"] == f"Request must be smaller than {limit} bytes for the {name} operation"

    async def test_a_body_without_a_length_is_refused_when_it_passes_the_limit(self, door):
        """Whatever the client may still send."""
        limit, _ = BODY_LIMITS["lambda", "Invoke"]
        request, _ = signed("POST", "/2015-03-31/functions/f/invocations")
        parts = [b"x" * (1 << 20)] * (limit // (1 << 20) + 1) + [None]
        answer = await send_to(door, request, parts=parts)
        assert answer.status == 413

    async def test_a_body_in_parts_is_put_together(self, door):
        body = b'{"FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r", "Code": {}}'
        request, _ = signed("POST", "/2015-03-31/functions", body=body)
        answer = await send_to(door, request, parts=[body[:10], b"", body[10:]])
        assert (answer.status, answer.json["FunctionName"]) == (201, "f")

    async def test_a_body_that_does_not_come_is_not_waited_for_for_ever(self, door):
        request, _ = signed("POST", "/2015-03-31/functions", body=b"{}")
        started = time.monotonic()
        answer = await send_to(door, request, parts=[b"{", None])
        assert (answer.status, answer.headers["x-amzn-errortype"]) == (408, "RequestTimeoutException")
        assert time.monotonic() - started >= 0.2

    async def test_a_client_that_went_away_gets_nothing_and_leaves_no_trace(self, door, caplog):
        request, _ = signed("POST", "/2015-03-31/functions", body=b"{}")
        with pytest.raises(ClientGone):
            await send_to(door, request, parts=[b"{"], gone=True)
        assert caplog.text == ""


class TestInternal:
    async def test_health(self, door):
        answer = await send_to(door, head_of("GET", "/_firefork/health"))
        assert (answer.status, answer.json) == (200, {"status": "ready"})

    async def test_anything_else_is_forbidden(self, door):
        assert (await send_to(door, head_of("GET", "/_firefork/code/x.zip"))).status == 403

    async def test_what_is_no_request_is_refused_in_awss_shape(self, door):
        refusal = door.refuse(431, "too long")
        assert refusal.status == 431
        assert dict(refusal.headers)["x-amzn-ErrorType"] == "BadRequestException"
        assert json.loads(refusal.body) == {"message": "too long"}


class TestDownloads:
    """Stored packages, behind links that need no signature."""

    async def test_the_file_comes_in_parts_and_its_length_is_told(self, door):
        answer = await send_to(door, head_of("GET", "/_firefork/code/x.zip?good"))
        assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
        assert answer.body == b"z" * 600_000
        assert answer.length == 600_000

    async def test_head_tells_the_length_only(self, door):
        answer = await send_to(door, head_of("HEAD", "/_firefork/code/x.zip?good"))
        assert (answer.status, answer.length, answer.body) == (200, 600_000, b"")

    @pytest.mark.parametrize(("method", "query"), [("POST", "good"), ("GET", "bad")])
    async def test_nothing_else_is_given(self, door, method, query):
        answer = await send_to(door, head_of(method, f"/_firefork/code/x.zip?{query}"))
        assert answer.status == 403
