"""Real packages as input: compiled wheels on every runtime, Powertools, web applications behind Mangum.

Packages come from the configured index at the first run, and from a cache beside the runtimes after that.
"""

import hashlib
import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

import pytest

from firefork.engine.installations import Installations, uv_binary


@pytest.fixture(scope="module")
def bundle(runtimes_dir):
    """Makes a zip of packages for a runtime and a handler module, as `pip install --target` and `zip` would."""

    def make(runtime, requirements, source):
        name = hashlib.sha256(" ".join(requirements).encode()).hexdigest()[:16]
        cached = Path(runtimes_dir) / ".test-packages" / f"{runtime}-{name}.zip"
        if not cached.exists():
            fetch(Installations(runtimes_dir).find(runtime).interpreter.executable, requirements, cached)
        buffer = io.BytesIO(cached.read_bytes())
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr("app.py", source)
        return buffer.getvalue()

    return make


def fetch(interpreter, requirements, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        folder = Path(work) / "packages"
        command = [uv_binary(), "pip", "install", "--quiet", "--only-binary", ":all:", "--no-cache"]
        subprocess.run([*command, "--python", interpreter, "--target", folder, *requirements], check=True)
        made = Path(work) / "packages.zip"
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "tests" not in path.parts:
                    archive.write(path, path.relative_to(folder))
        os.replace(made, target)  # other test processes may be at the same


def http_event(path, method="GET", body=None):
    """What an API Gateway HTTP API or a function URL sends (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "q=1",
        "headers": {"host": "x.example", "content-type": "application/json"},
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
            "domainName": "x.example",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }


class TestCompiledWheels:
    def test_pydantic_core(self, make_function, bundle, runtime):
        """A wheel in Rust, of the version and platform that each interpreter asks for."""
        source = """
from pydantic_core import SchemaValidator, core_schema
validator = SchemaValidator(core_schema.list_schema(core_schema.int_schema()))
def handler(event, context):
    return [validator.validate_python(event), __import__("pydantic_core")._pydantic_core.__file__]
"""
        function = make_function(bundle(runtime, ["pydantic-core"], source), runtime=runtime)
        answer, where = function(["1", 2])
        assert answer == [1, 2]
        assert where.startswith("/var/task/pydantic_core/_pydantic_core.cpython-" + runtime[6:].replace(".", ""))

    @pytest.mark.parametrize("identifier", ["python3.9", "python3.12"])
    def test_numpy(self, make_function, bundle, identifier, runtimes_dir):
        """A wheel with shared libraries of its own, of some ten megabytes."""
        if identifier not in [found.identifier for found in Installations(runtimes_dir).all()]:
            pytest.skip(f"{identifier} is not on this machine")
        source = """
import numpy
def handler(event, context):
    matrix = numpy.array(event, dtype=float)
    return (matrix @ numpy.linalg.inv(matrix)).round(6).tolist()
"""
        function = make_function(bundle(identifier, ["numpy"], source), runtime=identifier, Timeout=30)
        assert function([[2, 1], [1, 3]]) == [[1, 0], [0, 1]]


class TestPowertools:
    SOURCE = """
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="orders")
metrics = Metrics(namespace="shop", service="orders")
app = APIGatewayHttpResolver()

@app.get("/orders/<number>")
def order(number):
    logger.info("looking up", order=number)
    metrics.add_metric(name="Lookups", unit=MetricUnit.Count, value=1)
    return {"order": number}

@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    return app.resolve(event, context)
"""

    def test_router_logger_and_metrics(self, make_function, bundle, runtime):
        """The answer of its router; its JSON records and embedded metrics each whole in the log."""
        code = bundle(runtime, ["aws-lambda-powertools"], self.SOURCE)
        function = make_function(code, runtime=runtime)
        result = function.invoke(http_event("/orders/7"))
        answer = json.loads(result.body)
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"order": "7"})
        records = [json.loads(message) for message in function.messages() if message.startswith("{")]
        (line,) = [record for record in records if record.get("message") == "looking up"]
        assert (line["order"], line["service"]) == ("7", "orders")
        assert line["function_request_id"] == result.request_id
        assert line["function_arn"].endswith(f":function:{function.name}")
        assert line["cold_start"] is True
        metrics = {
            name
            for r in records
            for d in r.get("_aws", {}).get("CloudWatchMetrics", ())
            for m in d["Metrics"]
            for name in [m["Name"]]
        }
        assert metrics == {"Lookups", "ColdStart"}


class TestWebApplication:
    SOURCE = """
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

class Item(BaseModel):
    name: str
    price: float

app = FastAPI()

@app.get("/items/{number}")
async def read(number: int, q: int):
    return {"number": number, "q": q}

@app.post("/items", status_code=201)
async def create(item: Item):
    return item

handler = Mangum(app, lifespan="auto")
"""

    def test_fastapi_behind_mangum(self, make_function, bundle):
        """Routes, validation and status codes of an ASGI application, over several invokes of one environment."""
        function = make_function(bundle("python3.12", ["fastapi", "mangum"], self.SOURCE), Timeout=30)
        answer = function(http_event("/items/7"))
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"number": 7, "q": 1})
        assert answer["headers"]["content-type"] == "application/json"
        assert function(http_event("/items/seven"))["statusCode"] == 422
        created = function(http_event("/items", "POST", json.dumps({"name": "pen", "price": "1.5"})))
        assert (created["statusCode"], json.loads(created["body"])) == (201, {"name": "pen", "price": 1.5})
        assert function(http_event("/nothing"))["statusCode"] == 404


class TestOpenTelemetry:
    SOURCE = """
import json
from opentelemetry import trace
from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult


class ToLog(SpanExporter):
    def export(self, spans):
        for span in spans:
            context = span.get_span_context()
            told = {"name": span.name, "trace": format(context.trace_id, "032x"), **dict(span.attributes)}
            print("SPAN", json.dumps(told), flush=True)
        return SpanExportResult.SUCCESS


provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ToLog()))
trace.set_tracer_provider(provider)


def handler(event, context):
    return "traced"


AwsLambdaInstrumentor().instrument()
"""
    WRAPPER = """#!/bin/sh
export ORIG_HANDLER="$_HANDLER" OTEL_PROPAGATORS=xray-lambda OTEL_SERVICE_NAME="$AWS_LAMBDA_FUNCTION_NAME"
exec "$@"
"""

    def test_a_wrapper_script_of_a_layer_and_the_instrumentation(self, make_function, bundle, zipped, lambda_):
        """``AWS_LAMBDA_EXEC_WRAPPER`` as OpenTelemetry's layers use it; the span belongs to the invoke's trace."""
        requirements = [
            "opentelemetry-instrumentation-aws-lambda",
            "opentelemetry-sdk",
            "opentelemetry-propagator-aws-xray",
        ]
        layer = lambda_.publish_layer_version(
            LayerName="otel",
            Content={"ZipFile": zipped({"otel-instrument": self.WRAPPER}, executables=["otel-instrument"])},
        )
        function = make_function(
            bundle("python3.12", requirements, self.SOURCE),
            Layers=[layer["LayerVersionArn"]],
            Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument"}},
            TracingConfig={"Mode": "Active"},
            Timeout=30,
        )
        result = function.invoke()
        assert result.body == b'"traced"', result.body
        (told,) = [json.loads(line[5:]) for line in result.tail.splitlines() if line.startswith("SPAN ")]
        assert told["faas.invocation_id"] == result.request_id
        traced = re.search(r"XRAY TraceId: 1-([0-9a-f]{8})-([0-9a-f]{24})\t", result.tail)
        assert told["trace"] == traced[1] + traced[2]


class TestDatadog:
    def test_its_wrapper_handler_runs_the_functions_own(self, make_function, bundle):
        """The handler that its layer tells users to set, with ``DD_LAMBDA_HANDLER`` for theirs."""
        source = "def handler(event, context):\n    return ['wrapped', event]\n"
        function = make_function(
            bundle("python3.12", ["datadog-lambda"], source),
            handler="datadog_lambda.handler.handler",
            Environment={
                "Variables": {
                    "DD_LAMBDA_HANDLER": "app.handler",
                    "DD_TRACE_ENABLED": "false",
                    "DD_FLUSH_TO_LOG": "true",
                    "DD_LOCAL_TEST": "false",
                }
            },
            MemorySize=1769,
            Timeout=30,
        )
        assert function(7) == ["wrapped", 7]
