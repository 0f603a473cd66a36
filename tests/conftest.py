"""Real parts for tests: a started server with its clients, zips, functions."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import os
import pwd
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import boto3
import hypothesis
import psycopg
import pytest
from asn1crypto import cms, core, pem
from asn1crypto import x509 as asn1_x509
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from firefork.engine.installations import Installations
from firefork.engine.sandbox.capabilities import detect
from firefork.store.database import Database
from firefork.store.tables import metadata, secrets_keys
from firefork.store.vault import KEY_FILE, Vault

REPOSITORY = Path(__file__).resolve().parent.parent
RUNTIMES_DIR = Path(os.environ.get("FIREFORK_RUNTIMES_DIR", REPOSITORY / ".runtimes"))
ROLE = "arn:aws:iam::000000000000:role/tester"
NEWEST = "python3.12"
# Servers of tests set nothing up in this machine's network; tests/engine/sandbox/test_network.py brings machines along.
os.environ.setdefault("FIREFORK_NETWORK", "host" if detect().mode == "process" else "none")
_names = itertools.count(1)
_POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)

# The same examples in every run: a failure is never news of luck.
hypothesis.settings.register_profile("suite", derandomize=True, deadline=None, max_examples=80)
hypothesis.settings.load_profile("suite")


def _installed():
    return [found.identifier for found in Installations(RUNTIMES_DIR).all()]


def pytest_generate_tests(metafunc):
    """A test that takes ``runtime`` runs on every runtime of this machine."""
    if "runtime" in metafunc.fixturenames:
        metafunc.parametrize("runtime", _installed(), scope="session")


PACE = float(os.environ.get("FIREFORK_TEST_PACE", "1"))
"""How many times longer than elsewhere programs take to start: under a kernel of scripts/vm-tests."""


def make_zip(files, *, executables=()):
    """A zip of ``{name: text or bytes}``; the names in ``executables`` may be run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name in executables else 0o100644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


class Signer:
    """Signs packages in AWS Signer's form, under a root of its own."""

    PROFILE = "arn:aws:signer:us-east-1:111122223333:/signing-profiles/tests/AbCdEfGhIj"
    JOB = "arn:aws:signer:us-east-1:111122223333:/signing-jobs/0e1f2a3b-4c5d-6e7f-8091-a2b3c4d5e6f7"
    FILE = "META_INF/aws_signer_signature_v1.0.SF"

    def __init__(self, signed=None, *, issuers_are_cas=True):
        """``signed`` is when it signs; its own certificate lives from a day before until a day after."""
        self.signed = signed or datetime.now(UTC) - timedelta(days=400)
        self._keys = {}
        self.root = self.certify("root", None, ca=True)
        middle = self.certify("middle", self.root, ca=issuers_are_cas)
        self.regional = self.certify("regional", middle, ca=issuers_are_cas)
        self.issuers = [self.regional, middle, self.root]

    def roots(self):
        """A file for --signing-roots."""
        return self.root.public_bytes(serialization.Encoding.PEM)

    def certify(
        self,
        name,
        issuer,
        *,
        ca=False,
        signs=True,
        purpose=ExtendedKeyUsageOID.CODE_SIGNING,
        curve=ec.SECP384R1,
        ended=False,
    ):
        key = self._keys[name] = ec.generate_private_key(curve())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issued_by = subject if issuer is None else issuer.subject
        issuer_key = key if issuer is None else self._keys[issuer.subject.rfc4514_string().removeprefix("CN=")]
        names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        usages = dict.fromkeys((*names, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
        usages |= {"digital_signature": signs, "key_cert_sign": ca}
        life = timedelta(days=3650 if ca else 1)
        middle = self.signed - 2 * life if ended else self.signed
        builder = (
            x509.CertificateBuilder(issued_by, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(middle - life)
            .not_valid_after(middle + life)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usages), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if issuer is not None:
            authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
            builder = builder.add_extension(authority, critical=False)
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        return builder.sign(issuer_key, hashes.SHA384())

    def sign(self, package, **options):
        """The signed zip of an unsigned one. Options: those of ``envelope``."""
        content = _entries(package)
        if "META_INF/" not in dict(content):
            content.append(("META_INF/", b""))
        inner = hashlib.sha384(b"".join(name.encode() + body for name, body in content)).digest()
        return _zip_of([*content, (self.FILE, self.envelope(inner, **options))])

    def envelope(
        self,
        content,
        *,
        profile=PROFILE,
        expires_in=timedelta(days=400),
        leaf=None,
        others=None,
        form=bytes,
        attributes=None,
        signer=None,
        **signed,
    ):
        """The signature file of what is signed. ``form`` makes another encoding of the DER.

        ``attributes``, ``signer`` and ``signed`` replace signed attributes (``None``: none), fields of the SignerInfo
        and of the SignedData.
        """
        leaf = leaf or self.certify("leaf", self.regional)
        encoded = [each.public_bytes(serialization.Encoding.DER) for each in (leaf, *(others or self.issuers))]
        certificates = [asn1_x509.Certificate.load(each) for each in encoded]
        sid = {"issuer": certificates[0].issuer, "serial_number": certificates[0].serial_number}
        digest, algorithm = {"algorithm": "sha384"}, {"algorithm": "sha384_ecdsa"}
        expiry = (datetime.now(UTC) + expires_in).replace(microsecond=806000)
        values = {
            "content_type": "data",
            "message_digest": hashlib.sha384(content).digest(),
            "signing_time": cms.Time(name="generalized_time", value=self.signed),
            "cms_algorithm_protection": {"digest_algorithm": digest, "signature_algorithm": algorithm},
            "1.3.187.137.1.2": core.UTF8String(self.JOB),
            "1.3.187.137.1.3": core.GeneralizedTime(expiry),
            "1.3.187.137.1.4": core.UTF8String(profile),
        } | (attributes or {})
        signed_attrs = cms.CMSAttributes(
            [{"type": kind, "values": [value]} for kind, value in values.items() if value is not None]
        )
        signer_info = {
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", sid),
            "digest_algorithm": digest,
            "signed_attrs": signed_attrs,
            "signature_algorithm": algorithm,
            "signature": self._keys["leaf"].sign(signed_attrs.dump(), ec.ECDSA(hashes.SHA384())),
        } | (signer or {})
        signed_data = {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": certificates,
            "signer_infos": [signer_info],
        } | signed
        message = cms.ContentInfo({"content_type": "signed_data", "content": signed_data})
        return pem.armor("PKCS7", form(message.dump()))


def _entries(package):
    """Names and contents of a zip, in its order."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]


def _zip_of(entries, compression=zipfile.ZIP_DEFLATED):
    """A zip of ``(name, content)`` in that order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of two entries with one name
        for name, body in entries:
            archive.writestr(name, body)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def make_signer():
    return Signer


@pytest.fixture(scope="session")
def repacked():
    """A zip with what ``change`` makes of its entries, names and contents, or packed in another way."""

    def make(package, change=list, **options):
        return _zip_of(change(_entries(package)), **options)

    return make


class Server:
    """A ``firefork up`` of its own. ``prefix`` is a command that runs the server's."""

    def __init__(self, data_dir, *options, environment=None, prefix=()):
        self.data_dir = Path(data_dir)
        command = [*prefix, sys.executable, "-m", "firefork.cli.main", "up", "--port", "0", "--data-dir", str(data_dir)]
        plain = {"FIREFORK_NETWORK": "host"} if "process" in options else {}
        self.process = subprocess.Popen(
            [*command, "--runtimes-dir", str(RUNTIMES_DIR), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "FIREFORK_PORT": "0", **plain, **(environment or {})},
        )
        self.lines = []
        self._queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("runtimes ")
        told = json.loads((self.data_dir / "server.json").read_text())
        self.endpoint, self.pid = told["endpoint"], told["pid"]

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(line)
        self._queue.put(None)

    def wait_for(self, start, timeout_s=180):
        deadline = time.monotonic() + timeout_s
        while True:
            line = self._queue.get(timeout=deadline - time.monotonic())
            if line is None:
                raise AssertionError(f"the server ended: {''.join(self.lines)}")
            self.lines.append(line)
            if line.startswith(start):
                return

    def rest(self):
        """What it printed after the lines that were waited for, up to its end."""
        return list(iter(lambda: self._queue.get(timeout=30), None))

    def keys(self):
        text = (self.data_dir / "credentials").read_text().split()
        return text[3], text[6]

    def client(self, service, region="us-east-1", **options):
        key, secret = self.keys()
        config = Config(retries={"max_attempts": 0}, read_timeout=300, max_pool_connections=50)
        settings = {
            "endpoint_url": self.endpoint,
            "region_name": region,
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            "config": config,
        }
        return boto3.client(service, **{**settings, **options})

    def unchecked(self, service):
        """A client that sends whatever it is given, and a call of an operation: its answer, or the refusal's."""
        client = self.client(service, config=Config(parameter_validation=False, retries={"max_attempts": 0}))

        def send(operation, parameters):
            try:
                return client._make_api_call(operation, parameters)
            except ClientError as refusal:
                return refusal.response

        return client, send

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=30)
        return self.process.returncode


@pytest.fixture(scope="session")
def start_server():
    """Starts servers with options of their own; all are ended."""
    servers = []

    def start(data_dir, *options, **named):
        servers.append(Server(data_dir, *options, **named))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def firefork():
    """Runs a command to its end; ``environment`` adds variables, those of the test's own FIREFORK_* are not seen."""

    def run(*arguments, environment=None, timeout_s=60):
        variables = {name: value for name, value in os.environ.items() if not name.startswith("FIREFORK_")}
        return subprocess.run(
            [sys.executable, "-m", "firefork.cli.main", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env={**variables, "PYTHONPATH": str(REPOSITORY / "src"), **(environment or {})},
        )

    return run


@pytest.fixture(scope="session")
def refused():
    """Checks that a command said why it failed in one line, and nothing else; the line."""

    def check(result, code):
        assert result.returncode == code, result.stderr
        assert result.stdout == ""
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("firefork: ")
        return lines[0].removeprefix("firefork: ")

    return check


@pytest.fixture(scope="session")
def server(start_server, tmp_path_factory):
    # AWS's block dates pass one after another; the tests of what runs on a runtime stay.
    return start_server(tmp_path_factory.mktemp("server"), "--allow-blocked-runtimes")


@pytest.fixture(scope="session")
def brisk(start_server, tmp_path_factory):
    """A server with short limits: a second for an init, and as long for an idle environment."""
    return start_server(tmp_path_factory.mktemp("brisk"), "--init-limit", "1", "--idle-timeout", "1")


@pytest.fixture(scope="session")
def lambda_(server):
    return server.client("lambda")


@pytest.fixture(scope="session")
def logs(server):
    return server.client("logs")


class Function:
    """A created function and the usual things to do with it."""

    def __init__(self, client, logs, name):
        self.client, self.logs, self.name = client, logs, name

    def invoke(self, event=None, **options):
        payload = options.pop("Payload", json.dumps({} if event is None else event).encode())
        answer = self.client.invoke(FunctionName=self.name, Payload=payload, LogType="Tail", **options)
        body = answer["Payload"].read()
        return SimpleNamespace(
            answer=answer,
            body=body,
            error=answer.get("FunctionError"),
            tail=base64.b64decode(answer.get("LogResult", "")).decode(),
            request_id=answer["ResponseMetadata"]["RequestId"],
        )

    def __call__(self, event=None, **options):
        """The answer of an invoke that has to succeed."""
        result = self.invoke(event, **options)
        assert result.error is None, result.body
        return json.loads(result.body)

    def messages(self, **options):
        """All log messages so far, in order; none before the first invoke."""
        if not self.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{self.name}")["logGroups"]:
            return []
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{self.name}", **options
        )
        return [event["message"] for page in pages for event in page["events"]]


@pytest.fixture(scope="session")
def make_function(server, lambda_, logs):
    """Creates a function from source text, files or a zip, and waits until it is active."""

    def make(source, *, runtime=NEWEST, handler="app.handler", client=lambda_, logs_client=logs, **options):
        if isinstance(source, str):
            source = {"app.py": source}
        code = source if isinstance(source, bytes) else make_zip(source)
        name = options.pop("FunctionName", f"f{os.getpid()}-{next(_names)}")
        client.create_function(
            FunctionName=name,
            **{
                "Runtime": runtime,
                "Handler": handler,
                "Role": ROLE,
                "Code": {"ZipFile": code},
                "MemorySize": 512,
                "Timeout": round(10 * PACE),
                **options,
            },
        )
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return Function(client, logs_client, name)

    return make


@pytest.fixture(scope="session")
def arn_of():
    """The ARN of a function by its name."""
    return lambda name: f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


@pytest.fixture(scope="session")
def wait_updated(lambda_):
    def wait(name):
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})

    return wait


@pytest.fixture(scope="session")
def eventually():
    """Asks again until the answer is true; fails when it never is."""

    def ask(question, timeout_s=60 * PACE):
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if answer := question():
                return answer
            time.sleep(0.005)  # whoever is asked needs the processor, too
        raise AssertionError(f"still not so after {timeout_s} s")

    return ask


@pytest.fixture(scope="session")
def zipped():
    return make_zip


@pytest.fixture(scope="session")
def capabilities():
    return detect()


@pytest.fixture(scope="session")
def isolated(capabilities):
    """For tests of isolation: they say what this machine lacked."""
    if capabilities.mode == "process":
        pytest.skip(f"no namespaces here: {capabilities.why_not}")
    return capabilities


@pytest.fixture(scope="session")
def limited(isolated):
    """For tests of limits."""
    if isolated.hierarchies is None:
        pytest.skip("no control groups can be made here")
    return isolated


@pytest.fixture(scope="session")
def runtimes_dir():
    return RUNTIMES_DIR


def _program(name):
    """A program of PostgreSQL: Debian keeps the server's out of PATH."""
    return next((str(folder / name) for folder in _POSTGRESQL if (folder / name).exists()), shutil.which(name))


def _as_nobody():
    """Options that run a program as nobody: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgresql_server():
    """A PostgreSQL server on loopback, and its folder, which goes with it. ``url`` lacks a database's name."""
    if _program("initdb") is None:
        pytest.skip("no PostgreSQL here: scripts/system-packages test installs it")
    # Not in pytest's folder: only its owner may enter that, and the server is somebody else.
    folder = Path(tempfile.mkdtemp(prefix="firefork-postgresql-"))
    options = _as_nobody()
    if options:
        os.chown(folder, options["user"], options["group"])
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    data = folder / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder, **options}
    try:
        initdb = [_program("initdb"), "-D", data, "-U", "firefork", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*initdb, "--locale=C.UTF-8"], **run)
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [_program("pg_ctl"), "-D", data, "-w"]
        subprocess.run([*control, "-o", settings, "-l", folder / "log", "start"], **run)
        try:
            yield SimpleNamespace(url=f"postgresql://firefork@127.0.0.1:{port}/", folder=data)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_postgresql(postgresql_server):
    """Makes empty PostgreSQL databases; returns their URLs."""

    def make():
        name = f"d{next(_names)}"
        with psycopg.connect(f"{postgresql_server.url}postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgresql_server.url + name

    return make


@pytest.fixture(scope="session")
def _postgresql_database(make_postgresql, tmp_path_factory):
    made = Database(make_postgresql(), Vault(tmp_path_factory.mktemp("postgresql") / KEY_FILE))
    made.migrate()
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """An empty database of either kind."""
    if request.param == "sqlite":
        made = Database.in_folder(tmp_path)
        made.migrate()
        yield made
        made.close()
        return
    made = request.getfixturevalue("_postgresql_database")
    yield made
    with made.write() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not secrets_keys:
                connection.execute(table.delete())


@pytest.fixture(scope="session")
def files_of(request):
    """Reads all files that a database is made of, logs of changes included, by the database's URL."""

    def read(url):
        if url.startswith("sqlite"):
            path = Path(url.removeprefix("sqlite:///"))
            return b"".join(found.read_bytes() for found in path.parent.glob(f"{path.name}*"))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
            number = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0]
        folder = request.getfixturevalue("postgresql_server").folder / "base" / str(number)
        return b"".join(found.read_bytes() for found in folder.iterdir())

    return read
