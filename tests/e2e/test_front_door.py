"""The server's one port as clients of every kind meet it: raw sockets, wrong keys, test/test, restarts, code in S3."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

ROLE = "arn:aws:iam::000000000000:role/tester"


@contextlib.contextmanager
def connected(server):
    address = urlsplit(server.endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        yield connection


def signed_head(server, method, path, **headers):
    """Request line and headers with a valid signature of an empty body."""
    request = AWSRequest(method=method, url=f"{server.endpoint}{path}", data=b"")
    SigV4Auth(Credentials(*server.keys()), "lambda", "us-east-1").add_auth(request)
    found = {"Host": urlsplit(server.endpoint).netloc, **dict(request.headers), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in found.items()), "", ""]
    return "\r\n".join(lines).encode()


def read_answer(connection):
    """Status, headers and body of the next answer."""
    file = connection.makefile("rb")
    status = int(file.readline().split()[1])
    headers = {}
    while (line := file.readline().strip()) != b"":
        name, _, value = line.decode().partition(": ")
        headers[name.lower()] = value
    return status, headers, file.read(int(headers.get("content-length", 0)))


class TestRawSockets:
    def test_a_huge_length_is_refused_when_the_headers_are_there(self, server):
        """Not a byte of the body was sent."""
        with connected(server) as connection:
            connection.sendall(signed_head(server, "POST", "/2015-03-31/functions", **{"Content-Length": 10**12}))
            status, headers, body = read_answer(connection)
        assert (status, headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
        message = json.loads(body)["message"]
        assert message == "Request must be smaller than 70167211 bytes for the CreateFunction operation"
        assert headers["connection"] == "close"

    def test_a_chunked_body_is_refused_when_it_passes_the_limit(self, server):
        """The client never says how much there will be, and goes on sending."""
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        with connected(server) as connection:
            head = signed_head(
                server, "POST", "/2015-03-31/functions/f/invocations", **{"Transfer-Encoding": "chunked"}
            )
            connection.sendall(head)
            for _ in range(7):
                connection.sendall(chunk)
            status, headers, _ = read_answer(connection)
        assert (status, headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")

    def test_a_client_that_asks_first_is_told_before_it_sends(self, server):
        """``Expect: 100-continue``, as the AWS CLI sends it with large bodies."""
        with connected(server) as connection:
            head = {"Content-Length": 10**9, "Expect": "100-continue"}
            connection.sendall(signed_head(server, "POST", "/2015-03-31/functions", **head))
            assert read_answer(connection)[0] == 413

    @pytest.mark.parametrize(
        "garbage",
        [
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50,
            b"GET\r\n\r\n",
            b"NONSENSE / HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: minus\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ],
        ids=["tls", "no path", "no method", "no length", "two lengths"],
    )
    def test_what_is_no_http_is_answered_and_ends_the_connection(self, server, garbage):
        with connected(server) as connection:
            connection.sendall(garbage)
            received = connection.makefile("rb").read()
        assert received.startswith(b"HTTP/1.1 4")
        assert server.process.poll() is None

    def test_odd_paths_have_awss_shape(self, server):
        for path in ("/", "/%00", "/%ff%fe/x", "//", "/../../etc/passwd", "/2015-03-31/functions/%2e%2e/x/y/z"):
            with connected(server) as connection:
                connection.sendall(signed_head(server, "GET", path))
                status, headers, body = read_answer(connection)
            assert status in (403, 404), path
            assert headers["x-amzn-errortype"], path
            assert json.loads(body)["message"], path


class TestKeys:
    def test_the_file_is_awss_format_for_its_owner_only(self, server):
        file = server.data_dir / "credentials"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE((server.data_dir / "session.key").stat().st_mode) == 0o600
        session = boto3.Session()
        session._session.set_config_variable("credentials_file", str(file))
        assert session.get_credentials().access_key == server.keys()[0]

    @pytest.mark.parametrize(
        ("service", "call", "status", "unknown", "mismatch"),
        [
            ("lambda", "list_functions", 403, "UnrecognizedClientException", "InvalidSignatureException"),
            ("logs", "describe_log_groups", 400, "UnrecognizedClientException", "InvalidSignatureException"),
            ("cloudwatch", "list_metrics", 400, "InvalidClientTokenId", "SignatureDoesNotMatch"),
            ("sts", "get_caller_identity", 403, "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ],
    )
    def test_wrong_keys_have_the_services_own_codes(self, server, service, call, status, unknown, mismatch):
        key, _ = server.keys()
        for options, code in (
            ({"aws_access_key_id": "AKIANOBODY"}, unknown),
            ({"aws_access_key_id": "test", "aws_secret_access_key": "test"}, unknown),
            ({"aws_access_key_id": key, "aws_secret_access_key": "wrong"}, mismatch),
        ):
            with pytest.raises(ClientError) as refusal:
                getattr(server.client(service, **options), call)()
            assert refusal.value.response["Error"]["Code"] == code
            assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    def test_a_presigned_identity(self, server):
        """As Kubernetes authenticators use it."""
        url = server.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
        with urllib.request.urlopen(url) as answer:
            assert b"<Arn>arn:aws:iam::000000000000:root</Arn>" in answer.read()
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(url[:-1] + ("0" if url[-1] != "0" else "1"))
        assert refusal.value.code == 403
        assert b"<Code>SignatureDoesNotMatch</Code>" in refusal.value.read()

    def test_operations_and_services_that_are_not_served_name_themselves(self, server):
        with pytest.raises(ClientError, match="ListCapacityProviders") as refusal:
            server.client("lambda").list_capacity_providers()
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        with pytest.raises(ClientError, match="'kinesis'"):
            server.client("kinesis").list_streams()

    def test_test_credentials_only_on_loopback(self, tmp_path):
        command = [sys.executable, "-m", "firefork.cli.main", "up", "--port", "0", "--data-dir", str(tmp_path)]
        ended = subprocess.run(
            [*command, "--host", "0.0.0.0", "--test-credentials"], capture_output=True, text=True, timeout=60
        )
        assert ended.returncode != 0
        assert "--test-credentials" in ended.stderr
        assert "Traceback" not in ended.stderr


class TestSts:
    def test_sessions(self, server):
        sts = server.client("sts")
        assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
        answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="me", DurationSeconds=900, SourceIdentity="somebody")
        assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/tester/me"
        assert answer["SourceIdentity"] == "somebody"
        keys = answer["Credentials"]
        assert 890 < keys["Expiration"].timestamp() - time.time() <= 901
        session = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
        role = server.client("sts", **session, aws_session_token=keys["SessionToken"])
        assert role.get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            server.client("sts", **session, aws_session_token=keys["SessionToken"][:-4] + "AAAA").get_caller_identity()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"RoleSessionName": "no spaces"}, "at 'roleSessionName' failed to satisfy constraint"),
            ({"DurationSeconds": 43_201}, "at 'durationSeconds' failed to satisfy constraint"),
        ],
    )
    def test_refusals(self, server, options, message):
        with pytest.raises(ClientError) as refusal:
            server.client("sts").assume_role(**{"RoleArn": ROLE, "RoleSessionName": "me", **options})
        assert refusal.value.response["Error"]["Code"] == "ValidationError"
        assert message in refusal.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def bucket(zipped):
    """An S3 of moto's with one key in two versions, and its address."""
    upstream = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    upstream.start()
    address = "http://{}:{}".format(*upstream.get_host_and_port())
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
    s3.create_bucket(Bucket="code")
    s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
    versions = [
        s3.put_object(Bucket="code", Key="f.zip", Body=zipped({"app.py": f"# {text}"}))["VersionId"]
        for text in ("first", "second")
    ]
    s3.put_object(Bucket="code", Key="no.zip", Body=b"no zip")
    yield address, versions
    upstream.stop()


class TestCodeInS3:
    """And what a restart keeps: one server of its own serves both."""

    @pytest.fixture
    def options(self, bucket):
        return ("--upstream", bucket[0], "--test-credentials")

    def create(self, client, name, **code):
        return client.create_function(
            FunctionName=name, Runtime="python3.12", Handler="app.handler", Role=ROLE, Code=code, Tags={"kept": "yes"}
        )

    def test_code_comes_from_the_upstream_and_everything_survives(
        self, start_server, tmp_path, options, bucket, zipped
    ):
        """First a clean stop, then SIGKILL: functions, versions, layers, tags, log events, keys, sessions."""
        server = start_server(tmp_path, *options)
        client = server.client("lambda", aws_access_key_id="test", aws_secret_access_key="test")
        created = self.create(client, "latest", S3Bucket="code", S3Key="f.zip")
        older = self.create(client, "older", S3Bucket="code", S3Key="f.zip", S3ObjectVersion=bucket[1][0])
        assert created["CodeSha256"] != older["CodeSha256"]
        for code, message in (
            ({"S3Key": "none.zip"}, "NoSuchKey. S3 Error Message: The specified key does not exist."),
            ({"S3Bucket": "none"}, "NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
            ({"S3ObjectVersion": "nope"}, "S3 Error Message: "),
            ({"S3Key": "no.zip"}, "Could not unzip uploaded file."),
        ):
            with pytest.raises(client.exceptions.InvalidParameterValueException) as refusal:
                self.create(client, "refused", **{"S3Bucket": "code", "S3Key": "f.zip", **code})
            told = refusal.value.response["Error"]["Message"]
            assert message in told
            assert "no.zip" in code.values() or told.startswith("Error occurred while GetObject. S3 Error Code: ")
        client.get_waiter("function_active_v2").wait(FunctionName="older", WaiterConfig={"Delay": 0.05})
        client.update_function_code(FunctionName="older", S3Bucket="code", S3Key="f.zip")
        client.get_waiter("function_updated_v2").wait(FunctionName="older", WaiterConfig={"Delay": 0.05})
        client.get_waiter("function_active_v2").wait(FunctionName="latest", WaiterConfig={"Delay": 0.05})
        client.publish_version(FunctionName="latest")
        client.publish_layer_version(LayerName="l", Content={"S3Bucket": "code", "S3Key": "f.zip"})
        logs = server.client("logs")
        logs.create_log_group(logGroupName="g", tags={"a": "b"})
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        self.put(logs, "clean stop")
        session = server.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
        before = self.state(server, session)
        assert before["functions"]["older"]["CodeSha256"] == created["CodeSha256"]
        keys = server.keys()
        assert server.stop() == 0

        server = start_server(tmp_path, *options)
        assert server.keys() == keys
        assert self.state(server, session) == before
        self.put(server.client("logs"), "killed")
        code = zipped({"app.py": "# killed"})
        self.create(server.client("lambda"), "killed-while-pending", ZipFile=code)
        server.stop(signal.SIGKILL)

        server = start_server(tmp_path, *options)
        after = self.state(server, session)
        assert after["messages"] == ["clean stop", "killed"], "acknowledged events are durable"
        assert {**after["functions"]["killed-while-pending"], "CodeSha256": 0} == {"CodeSha256": 0, "State": "Active"}
        assert after["layers"] == before["layers"]
        link = server.client("lambda").get_function(FunctionName="killed-while-pending")["Code"]["Location"]
        with urllib.request.urlopen(link) as answer:
            assert answer.read() == code
        assert server.stop() == 0

    def put(self, logs, text):
        event = {"timestamp": time.time_ns() // 1_000_000, "message": text}
        logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[event])

    def state(self, server, session):
        """What clients see."""
        client, logs = server.client("lambda"), server.client("logs")
        role = server.client(
            "sts",
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )
        functions = {}
        for item in client.list_functions()["Functions"]:
            shown = client.get_function(FunctionName=item["FunctionName"])
            assert shown["Tags"] == {"kept": "yes"}
            functions[item["FunctionName"]] = {name: shown["Configuration"][name] for name in ("CodeSha256", "State")}
        return {
            "functions": functions,
            "versions": [v["Version"] for v in client.list_versions_by_function(FunctionName="latest")["Versions"]],
            "layers": [item["LatestMatchingVersion"]["LayerVersionArn"] for item in client.list_layers()["Layers"]],
            "messages": [event["message"] for event in logs.filter_log_events(logGroupName="g")["events"]],
            "tags": logs.list_tags_log_group(logGroupName="g")["tags"],
            "identity": role.get_caller_identity()["Arn"],
        }

    def test_without_an_upstream_the_refusal_says_what_to_do(self, server):
        with pytest.raises(ClientError, match="--upstream URL"):
            self.create(server.client("lambda"), "refused", S3Bucket="code", S3Key="f.zip")


class TestLargeCode:
    def test_boto3_reads_the_refusal_of_a_request_that_is_too_large(self, server):
        """It sends everything before it looks; the server reads on and throws away."""
        code = os.urandom(53_000_000)
        with pytest.raises(ClientError) as refusal:
            server.client("lambda").create_function(
                FunctionName="f", Runtime="python3.12", Handler="a.b", Role=ROLE, Code={"ZipFile": code}
            )
        assert refusal.value.response["Error"]["Code"] == "RequestEntityTooLargeException"
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
