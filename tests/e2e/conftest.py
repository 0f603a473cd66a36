"""Functions with extensions, and what they leave in the log."""

import json
import urllib.request

import pytest

EXTENSION = """#!/usr/bin/env python3
import http.client, json, os, signal, sys, time

NAME = os.path.basename(__file__)
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, headers=(), body=None):
    connection.request(method, path, body=body, headers=dict(headers))
    answer = connection.getresponse()
    return answer, answer.read()


def tell(*words):
    print(NAME, *words, flush=True)


def register(events=("INVOKE", "SHUTDOWN"), **headers):
    answer, body = call("POST", "/2020-01-01/extension/register",
                        {"Lambda-Extension-Name": NAME, **headers}, json.dumps({"events": list(events)}))
    assert answer.status == 200, body
    return answer.headers["Lambda-Extension-Identifier"], json.loads(body)


def next_event(identifier):
    answer, body = call("GET", "/2020-01-01/extension/event/next", {"Lambda-Extension-Identifier": identifier})
    assert answer.status == 200, body
    return json.loads(body)

"""


@pytest.fixture(scope="session")
def with_extension(make_function, lambda_, zipped):
    """A function with an extension of the given code in a layer; code with a first line of its own stands alone."""

    def make(
        code, source="def handler(event, context):\n    return 'answer'\n", *, name="helper", executable=True, **options
    ):
        path = f"extensions/{name}"
        script = code if code.startswith("#!") else EXTENSION + code
        content = zipped({path: script}, executables=[path] if executable else [])
        layer = lambda_.publish_layer_version(LayerName="with-extension", Content={"ZipFile": content})
        return make_function(source, Layers=[layer["LayerVersionArn"]], **options)

    return make


@pytest.fixture(scope="session")
def ended(eventually):
    """All messages of a function, once ``text`` is among them."""

    def wait(function, text):
        eventually(lambda: any(text in message for message in function.messages()))
        return function.messages()

    return wait


@pytest.fixture(scope="session")
def environments(server):
    """How many environments the server has now."""

    def count():
        with urllib.request.urlopen(f"{server.endpoint}/_firefork/health") as answer:
            return json.loads(answer.read())["environments"]

    return count
