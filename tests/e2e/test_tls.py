"""HTTPS on the public address."""

import datetime
import ipaddress

import botocore.exceptions
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HANDLER = """
import boto3, os

def handler(event, context):
    return [os.environ["AWS_ENDPOINT_URL"].partition(":")[0], boto3.client("sts").get_caller_identity()["Arn"]]
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with a certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "firefork")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@pytest.fixture(scope="module")
def secure(start_server, certificate, tmp_path_factory):
    pair = ("--tls-cert", str(certificate / "cert.pem"), "--tls-key", str(certificate / "key.pem"))
    return start_server(tmp_path_factory.mktemp("secure"), *pair)


@pytest.fixture(scope="module")
def clients(secure, certificate):
    """Where ``make_function`` makes functions on the server with TLS."""
    verify = str(certificate / "cert.pem")
    return {"client": secure.client("lambda", verify=verify), "logs_client": secure.client("logs", verify=verify)}


class TestTls:
    def test_clients_check_the_certificate(self, secure, certificate):
        assert secure.endpoint.startswith("https://127.0.0.1:")
        trusting = secure.client("sts", verify=str(certificate / "cert.pem"))
        assert trusting.get_caller_identity()["Account"] == "000000000000"
        with pytest.raises(botocore.exceptions.SSLError):
            secure.client("sts").get_caller_identity()

    def test_plain_http_gets_no_answer(self, secure):
        plain = secure.client("sts", endpoint_url=secure.endpoint.replace("https", "http"))
        with pytest.raises(botocore.exceptions.BotoCoreError):
            plain.get_caller_identity()

    def test_large_bodies_both_ways(self, clients, make_function):
        function = make_function("def handler(event, context):\n    return event", **clients)
        assert function("x" * 5_000_000) == "x" * 5_000_000

    def test_functions_reach_the_api_as_ever(self, clients, make_function):
        """Their endpoint is inside their environment: nothing to encrypt on the way, and no certificate to trust."""
        scheme, arn = make_function(HANDLER, **clients, Timeout=30)()
        assert scheme == "http"
        assert ":assumed-role/tester/" in arn

    def test_links_to_code_are_https(self, clients, make_function):
        function = make_function(HANDLER, **clients)
        found = clients["client"].get_function(FunctionName=function.name)
        assert found["Code"]["Location"].startswith("https://127.0.0.1:")


class TestStart:
    def test_beyond_loopback_it_warns_without_a_certificate(self, start_server, tmp_path, server, secure):
        exposed = start_server(tmp_path, "--host", "0.0.0.0")
        assert sum(line.startswith("warning    without --tls-cert") for line in exposed.lines) == 1
        assert exposed.stop() == 0
        assert not any(line.startswith("warning") for line in (*server.lines, *secure.lines))

    def test_a_certificate_and_a_key_that_are_none(self, firefork, refused, certificate, tmp_path):
        start = ("up", "--port", "0", "--data-dir", tmp_path)
        cert, key = certificate / "cert.pem", certificate / "key.pem"
        said = refused(firefork(*start, "--tls-cert", cert), 1)
        assert said.startswith(f"the certificate {cert} cannot be used with its key: ")
        said = refused(firefork(*start, "--tls-key", key), 1)
        assert said == "--tls-key needs --tls-cert: the certificate that the key belongs to"
