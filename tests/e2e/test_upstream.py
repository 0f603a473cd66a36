"""One AWS_ENDPOINT_URL for everything: what Firefork does not serve is served by moto behind it."""

import hashlib
import json
import os
import socket
import threading
import urllib.request

import botocore.exceptions
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

SIZE = 20_000_000
INSIDE = """
import boto3, hashlib

def handler(event, context):
    s3, sqs, dynamodb = (boto3.client(name) for name in ("s3", "sqs", "dynamodb"))
    s3.put_object(Bucket=event["bucket"], Key="inside", Body=b"x" * event["size"])
    read = s3.get_object(Bucket=event["bucket"], Key="inside")["Body"].read()
    sqs.send_message(QueueUrl=event["queue"], MessageBody="from inside")
    dynamodb.put_item(TableName=event["table"], Item={"id": {"S": "inside"}})
    who = boto3.client("sts").get_caller_identity()["Arn"]
    return {"read": len(read), "sha256": hashlib.sha256(read).hexdigest(), "who": who}
"""


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="module")
def linked(start_server, moto, tmp_path_factory):
    return start_server(tmp_path_factory.mktemp("linked"), "--upstream", moto)


@pytest.fixture(scope="module")
def s3(linked):
    client = linked.client("s3")
    client.create_bucket(Bucket="things")
    return client


@pytest.fixture(scope="module")
def queue(linked):
    return linked.client("sqs").create_queue(QueueName="work")["QueueUrl"]


@pytest.fixture(scope="module")
def table(linked):
    linked.client("dynamodb").create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "items"


class TestFromOutside:
    def test_large_objects_go_there_and_back(self, s3):
        body = os.urandom(SIZE)
        s3.put_object(Bucket="things", Key="a/b c+d", Body=body, Metadata={"k": "v"})
        found = s3.get_object(Bucket="things", Key="a/b c+d")
        assert hashlib.sha256(found["Body"].read()).digest() == hashlib.sha256(body).digest()
        assert found["Metadata"] == {"k": "v"}
        assert s3.head_object(Bucket="things", Key="a/b c+d")["ContentLength"] == SIZE
        part = s3.get_object(Bucket="things", Key="a/b c+d", Range="bytes=5-9")
        assert part["Body"].read() == body[5:10]

    def test_its_errors_are_the_services_own(self, s3):
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="things", Key="nothing")

    @pytest.mark.parametrize("signature", ["s3", "s3v4"])
    def test_presigned_links(self, linked, s3, signature):
        """Of the older kind, too, which has no SigV4 in it: it is no request of a served service."""
        s3.put_object(Bucket="things", Key="linked", Body=b"content")
        signer = linked.client("s3", config=Config(signature_version=signature))
        link = signer.generate_presigned_url("get_object", Params={"Bucket": "things", "Key": "linked"})
        with urllib.request.urlopen(link) as answer:
            assert answer.read() == b"content"

    def test_queues_and_tables(self, linked, queue, table):
        sqs, dynamodb = linked.client("sqs"), linked.client("dynamodb")
        sqs.send_message(QueueUrl=queue, MessageBody="hello")
        (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
        assert message["Body"] == "hello"
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        dynamodb.put_item(TableName=table, Item={"id": {"S": "outside"}})
        assert dynamodb.get_item(TableName=table, Key={"id": {"S": "outside"}})["Item"] == {"id": {"S": "outside"}}

    def test_code_comes_from_it(self, linked, s3, make_function, zipped):
        s3.put_object(Bucket="things", Key="code.zip", Body=zipped({"app.py": "def handler(e, c): return 'code'"}))
        client = linked.client("lambda")
        function = make_function(
            "", client=client, logs_client=linked.client("logs"), Code={"S3Bucket": "things", "S3Key": "code.zip"}
        )
        assert function() == "code"

    def test_the_served_services_are_not_passed_on(self, linked, moto):
        """moto has a Lambda of its own, and hears nothing of ours."""
        assert linked.client("sts").get_caller_identity()["Account"] == "000000000000"
        there = linked.client("lambda", endpoint_url=moto)
        assert there.list_functions()["Functions"] == []


class TestFromInside:
    def test_a_function_needs_no_other_endpoint(self, linked, s3, queue, table, make_function):
        """S3, SQS and DynamoDB from within an environment that reaches nothing but its endpoint."""
        function = make_function(
            INSIDE, client=linked.client("lambda"), logs_client=linked.client("logs"), Timeout=60, MemorySize=1024
        )
        told = function({"bucket": "things", "queue": queue, "table": table, "size": 8_000_000})
        assert (told["read"], told["sha256"]) == (8_000_000, hashlib.sha256(b"x" * 8_000_000).hexdigest())
        assert told["who"].endswith(f":assumed-role/tester/{function.name}"), "STS is this server's"
        assert s3.head_object(Bucket="things", Key="inside")["ContentLength"] == 8_000_000
        (message,) = linked.client("sqs").receive_message(QueueUrl=queue)["Messages"]
        assert message["Body"] == "from inside"
        assert "Item" in linked.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "inside"}})


CALLS = {
    "s3": ("list_buckets", {}),
    "sqs": ("list_queues", {}),
    "dynamodb": ("list_tables", {}),
    "sns": ("list_topics", {}),
    "apigatewayv2": ("get_apis", {}),
}
"""A service of each protocol: rest-xml, json, query, rest-json."""


def refusal(server, service):
    operation, parameters = CALLS[service]
    client = server.client(service)
    with pytest.raises(client.exceptions.ClientError) as refused:
        getattr(client, operation)(**parameters)
    return refused.value.response


class TestRefusals:
    @pytest.mark.parametrize("service", CALLS)
    def test_without_upstream_the_caller_is_told_of_the_option(self, server, service):
        answer = refusal(server, service)
        assert answer["Error"]["Code"] == "NotImplementedException"
        assert "--upstream URL" in answer["Error"]["Message"]
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501

    def test_an_upstream_that_is_not_there(self, start_server, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        broken = start_server(tmp_path, "--upstream", f"http://127.0.0.1:{port}")
        for service in CALLS:
            answer = refusal(broken, service)
            assert answer["Error"]["Code"] == "BadGatewayException"
            assert f"http://127.0.0.1:{port} cannot be reached" in answer["Error"]["Message"]
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 502
        assert broken.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert broken.stop() == 0

    def test_one_that_dies_within_an_answer(self, start_server, tmp_path):
        """The client notices that the object is not whole; the server goes on."""
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")

        thread = threading.Thread(target=serve)
        thread.start()
        linked = start_server(tmp_path, "--upstream", f"http://127.0.0.1:{listener.getsockname()[1]}")
        body = linked.client("s3").get_object(Bucket="b", Key="k")["Body"]
        with pytest.raises(botocore.exceptions.BotoCoreError):
            body.read()
        thread.join()
        listener.close()
        with urllib.request.urlopen(f"{linked.endpoint}/_firefork/health") as health:
            assert json.load(health)["status"] == "ready"
        assert linked.stop() == 0
        assert any("broke off within an answer" in line for line in linked.rest())
