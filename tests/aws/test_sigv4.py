"""Signatures, checked against what botocore's own signers make."""

import datetime
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws import sigv4
from firefork.aws.errors import (
    ExpiredToken,
    IncompleteSignature,
    InvalidSignature,
    MissingAuthenticationToken,
    UnrecognizedClient,
)
from firefork.aws.principal import Principal, SigningKey
from firefork.aws.protocols.message import HttpRequest

NOW_S = 1_790_000_000.0
ROOT = Principal(account="123456789012", arn="arn:aws:iam::123456789012:root", user_id="123456789012")
LONG_TERM = SigningKey(
    access_key_id="AKIAEXAMPLE", secret="s3cret/+", session_token=None, expires_at_s=None, principal=ROOT
)
SESSION = SigningKey(
    access_key_id="ASIAEXAMPLE", secret="other", session_token="tok=en", expires_at_s=NOW_S + 60, principal=ROOT
)


def lookup(access_key_id, session_token):
    for key in (LONG_TERM, SESSION):
        if (key.access_key_id, key.session_token) == (access_key_id, session_token):
            return key
    return None


@pytest.fixture
def at(monkeypatch):
    """Sets botocore's clock."""

    def set_clock(moment_s):
        moment = datetime.datetime.fromtimestamp(moment_s, datetime.UTC)
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *a, **k: moment.replace(tzinfo=None))

    set_clock(NOW_S)
    return set_clock


def sign(
    url="http://127.0.0.1:4566/2015-03-31/functions/",
    *,
    method="POST",
    body=b'{"a": 1}',
    headers=None,
    key=LONG_TERM,
    secret=None,
    region="eu-west-1",
    service="lambda",
    expires=None,
):
    """A request as botocore signs it, as the server meets it."""
    credentials = Credentials(key.access_key_id, secret or key.secret, key.session_token)
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    if expires is None:
        SigV4Auth(credentials, service, region).add_auth(request)
    else:
        SigV4QueryAuth(credentials, service, region, expires=expires).add_auth(request)
    prepared = request.prepare()
    address = urlsplit(prepared.url)
    found = {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in prepared.headers.items()
    }
    return HttpRequest(
        method=method,
        path=address.path,
        query=address.query,
        headers={"host": address.netloc, **found},
        body=body,
    )


def changed(request, *, body=None, path=None, query=None, method=None, without=(), **headers):
    kept = {name: value for name, value in request.headers.items() if name not in without}
    return HttpRequest(
        method=method or request.method,
        path=path or request.path,
        query=request.query if query is None else query,
        headers={**kept, **{name.replace("_", "-"): value for name, value in headers.items()}},
        body=request.body if body is None else body,
    )


def verify(request, now_s=NOW_S):
    return sigv4.verify(sigv4.read_authorization(request.headers, request.query), request, lookup, now_s)


def refusal(request, now_s=NOW_S):
    with pytest.raises(sigv4.ServiceError) as found:
        verify(request, now_s)
    return found.value


@pytest.mark.usefixtures("at")
class TestGoodSignatures:
    def test_signed_in_the_header(self):
        assert verify(sign()) is LONG_TERM

    def test_with_a_session_token(self):
        assert verify(sign(key=SESSION)) is SESSION

    def test_presigned(self):
        request = sign(method="GET", body=b"", expires=120)
        assert "authorization" not in request.headers
        assert verify(request, NOW_S + 119) is LONG_TERM
        assert verify(sign(method="GET", body=b"", expires=120, key=SESSION)) is SESSION

    def test_the_date_header_in_https_form_stands_in_for_amz_date(self):
        """As for a client that sets ``Date`` itself."""
        request = sign(headers={"Date": "Mon, 01 Jan 2024 00:00:00 GMT"})
        assert "x-amz-date" not in request.headers
        assert verify(request) is LONG_TERM

    def test_unsigned_payload(self):
        request = sign(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
        assert verify(changed(request, body=b"anything")) is LONG_TERM

    @given(
        segments=st.lists(st.text("ab c~.-_%2Fé$:@!", max_size=6), max_size=4),
        pairs=st.lists(st.tuples(st.text("aB9 -~%/é", min_size=1), st.text("aB9 +=&-~%/é")), max_size=4),
        body=st.binary(max_size=40),
    )
    def test_any_path_query_and_body(self, segments, pairs, body):
        """Canonical forms agree with botocore's for whatever a client may send."""
        path = "/".join(quote(segment, safe="-_.~") for segment in segments)
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
        request = sign(f"http://127.0.0.1:4566/{path}{'?' if query else ''}{query}", body=body)
        assert verify(request) is LONG_TERM


@pytest.mark.usefixtures("at")
class TestRefusals:
    def test_no_signature_at_all(self):
        error = refusal(changed(sign(), without=("authorization",)))
        assert isinstance(error, MissingAuthenticationToken)
        assert (error.status, error.message) == (403, "Missing Authentication Token")

    def test_a_key_that_is_not_known(self):
        stranger = SigningKey(
            access_key_id="AKIASTRANGER", secret="x", session_token=None, expires_at_s=None, principal=ROOT
        )
        error = refusal(sign(key=stranger))
        assert isinstance(error, UnrecognizedClient)
        assert (error.status, error.message) == (403, "The security token included in the request is invalid.")

    def test_a_token_that_is_not_the_keys(self):
        assert isinstance(refusal(changed(sign(key=SESSION), x_amz_security_token="forged")), UnrecognizedClient)
        assert isinstance(refusal(changed(sign(), x_amz_security_token="tok=en")), UnrecognizedClient)

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda request: sign(secret="wrong"),
            lambda request: changed(request, body=b'{"a": 2}'),
            lambda request: changed(request, path="/2015-03-31/functions/x"),
            lambda request: changed(request, query="a=b"),
            lambda request: changed(request, method="PUT"),
            lambda request: changed(request, host="127.0.0.1:1"),
            lambda request: changed(request, authorization=request.headers["authorization"][:-1] + "é"),
            lambda request: changed(request, authorization=request.headers["authorization"][:-1]),
            lambda request: changed(request, x_amz_content_sha256="é"),
            lambda request: changed(
                request, authorization=request.headers["authorization"].replace("/eu-west-1/", "/us-east-1/")
            ),
            lambda request: changed(
                request, authorization=request.headers["authorization"].replace("/lambda/", "/logs/")
            ),
            lambda request: changed(
                sign(headers={"X-Amz-Content-SHA256": "0" * 64}), body=b"other than what was hashed"
            ),
        ],
        ids=[
            "secret",
            "body",
            "path",
            "query",
            "method",
            "host",
            "beyond ASCII",
            "short",
            "odd hash",
            "region",
            "service",
            "payload hash",
        ],
    )
    def test_what_was_changed_after_signing(self, spoil):
        error = refusal(spoil(sign()))
        assert isinstance(error, InvalidSignature)
        assert error.status == 403
        assert error.message.startswith(
            "The request signature we calculated does not match the signature you provided."
        )

    def test_too_late(self):
        error = refusal(sign(), NOW_S + 301)
        assert isinstance(error, InvalidSignature)
        assert error.message == (
            "Signature expired: 20260921T141320Z is now earlier than 20260921T141321Z (20260921T141821Z - 5 min.)"
        )
        assert verify(sign(), NOW_S + 299) is LONG_TERM

    def test_too_early(self):
        error = refusal(sign(), NOW_S - 301)
        assert error.message == (
            "Signature not yet current: 20260921T141320Z is still later than 20260921T141319Z "
            "(20260921T140819Z + 5 min.)"
        )
        assert verify(sign(), NOW_S - 299) is LONG_TERM

    def test_a_presigned_link_that_ran_out(self):
        error = refusal(sign(method="GET", body=b"", expires=120), NOW_S + 121)
        assert isinstance(error, InvalidSignature)
        assert error.message == "Signature expired: 20260921T141320Z is now earlier than 20260921T141521Z"

    @pytest.mark.parametrize("expires", [0, 604_801])
    def test_a_presigned_link_of_another_length_than_allowed(self, expires):
        assert isinstance(refusal(sign(method="GET", body=b"", expires=expires)), IncompleteSignature)

    def test_a_session_that_ran_out(self, at):
        at(NOW_S + 61)
        error = refusal(sign(key=SESSION), NOW_S + 61)
        assert isinstance(error, ExpiredToken)
        assert (error.status, error.message) == (403, "The security token included in the request is expired")

    def test_a_scope_of_another_day(self):
        request = sign()
        stamp = f"{int(request.headers['x-amz-date'][:8]) + 1}"
        scoped = request.headers["authorization"].replace("/20260921/", f"/{stamp}/")
        error = refusal(changed(request, authorization=scoped))
        assert isinstance(error, InvalidSignature)
        assert error.message.startswith("Date in Credential scope does not match YYYYMMDD")

    def test_the_host_has_to_be_signed(self):
        request = sign()
        names = request.headers["authorization"].replace("SignedHeaders=host;", "SignedHeaders=")
        assert (
            "'Host' or ':authority' must be a 'SignedHeader'" in refusal(changed(request, authorization=names)).message
        )

    @pytest.mark.parametrize("form", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
    def test_chunked_payload_forms_are_s3s(self, form):
        error = refusal(sign(headers={"X-Amz-Content-SHA256": form}))
        assert isinstance(error, InvalidSignature)
        assert form in error.message


@pytest.mark.usefixtures("at")
class TestMissingParts:
    @pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
    def test_of_the_header(self, part):
        request = sign()
        kept = [
            text
            for text in request.headers["authorization"].split(" ", 1)[1].split(", ")
            if not text.startswith(f"{part}=")
        ]
        error = refusal(changed(request, authorization=f"AWS4-HMAC-SHA256 {', '.join(kept)}"))
        assert isinstance(error, IncompleteSignature)
        assert error.status == 400
        assert error.message.startswith(f"Authorization header requires '{part}' parameter.")

    def test_the_date(self):
        error = refusal(changed(sign(), without=("x-amz-date",)))
        assert isinstance(error, IncompleteSignature)
        assert error.message.startswith(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )

    @pytest.mark.parametrize("part", ["X-Amz-Algorithm", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"])
    def test_of_the_query(self, part):
        request = sign(method="GET", body=b"", expires=120)
        kept = "&".join(pair for pair in request.query.split("&") if not pair.startswith(f"{part}="))
        error = refusal(changed(request, query=kept))
        assert isinstance(error, IncompleteSignature)
        assert error.message == f"AWS query-string parameters must include '{part}'."

    @pytest.mark.parametrize(
        "text",
        [
            "Basic abc",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 nonsense",
            "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=x",
            "AWS4-ECDSA-P256-SHA256 Credential=a/20260921/*/lambda/aws4_request, SignedHeaders=host, Signature=x",
            "",
        ],
    )
    def test_another_form_altogether(self, text):
        error = refusal(changed(sign(), authorization=text))
        assert isinstance(error, IncompleteSignature)
        assert error.status == 400

    @pytest.mark.parametrize("date", ["yesterday", "20260921", "20269921T141320Z"])
    def test_a_date_that_is_none(self, date):
        request = sign()
        assert isinstance(refusal(changed(request, x_amz_date=date)), IncompleteSignature | InvalidSignature)
