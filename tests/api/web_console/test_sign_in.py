"""The one-time sign-in: as a unit, and against a real server."""

import json
import re
import subprocess
import sys

import boto3
import httpx
import pytest

from firefork.api.web_console.sign_in import SESSION_S, SignIn
from firefork.catalog.keys import SessionCredentials
from firefork.catalog.sign_in_links import SignInLinks

JSON = {"content-type": "application/json", "host": "here:4566"}


@pytest.fixture
def links():
    return SignInLinks(lambda text: text.encode().hex(), "run")


@pytest.fixture
def sign_in(links):
    def issue(duration_s):
        assert duration_s == SESSION_S
        return SessionCredentials(
            access_key_id="ASIA", secret_access_key="secret", session_token="token", expires_at_s=1_800_000_000
        )

    return SignIn(links, issue, "eu-west-1")


def body(token):
    return json.dumps({"token": token}).encode()


class TestSignIn:
    def test_a_token_buys_credentials_once(self, sign_in, links):
        token = links.issue()
        answer = sign_in.answer(JSON, body(token))
        assert answer.status == 200
        assert json.loads(answer.body) == {
            "accessKeyId": "ASIA",
            "secretAccessKey": "secret",
            "sessionToken": "token",
            "expiration": "2027-01-15T08:00:00+00:00",
            "region": "eu-west-1",
        }
        assert ("cache-control", "no-store") in answer.headers
        assert sign_in.answer(JSON, body(token)).status == 403

    @pytest.mark.parametrize(
        "headers",
        [
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "http://elsewhere:4566"},
            {"origin": "null"},
        ],
    )
    def test_another_site_s_page_is_refused_and_the_token_stays_good(self, sign_in, links, headers):
        token = links.issue()
        assert sign_in.answer(JSON | headers, body(token)).status == 403
        assert sign_in.answer(JSON | {"origin": "http://here:4566"}, body(token)).status == 200

    @pytest.mark.parametrize("sent", [b"", b"[]", b"{}", b"not json", b'{"token": ', b"\xff"])
    def test_another_body_is_refused(self, sign_in, sent):
        assert sign_in.answer(JSON, sent).status == 400

    def test_a_form_is_refused(self, sign_in, links):
        """A form needs no preflight: another site could send one."""
        headers = JSON | {"content-type": "text/plain"}
        assert sign_in.answer(headers, body(links.issue())).status == 400

    @pytest.mark.parametrize("token", [None, 7, ["x"], "x"])
    def test_what_is_no_token_is_refused(self, sign_in, token):
        assert sign_in.answer(JSON, body(token)).status == 403


class TestAgainstAServer:
    def test_the_printed_command_s_link_signs_a_client_in(self, server):
        """`firefork console` prints a link; its token gives credentials of the root principal, once."""
        command = [sys.executable, "-m", "firefork.cli.main", "console", "--data-dir", str(server.data_dir)]
        link = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        token = re.fullmatch(re.escape(server.endpoint) + r"/_firefork/console/sign-in#token=(\S+)", link)[1]
        address = f"{server.endpoint}/_firefork/console/session"
        given = httpx.post(address, json={"token": token}).raise_for_status().json()
        sts = boto3.client(
            "sts",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=given["accessKeyId"],
            aws_secret_access_key=given["secretAccessKey"],
            aws_session_token=given["sessionToken"],
        )
        assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:root"
        assert given["secretAccessKey"] != server.keys()[1]
        assert httpx.post(address, json={"token": token}).status_code == 403

    def test_a_browser_at_the_bare_address_comes_to_the_console(self, server):
        answer = httpx.get(server.endpoint, headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (302, "/_firefork/console/")
        assert httpx.get(f"{server.endpoint}/_firefork/console").headers["location"] == "/_firefork/console/"
