"""The console's files: types, compression, caching, and nothing outside of the build."""

import re

import pytest

from firefork.api.web_console.files import ConsoleFiles
from firefork.api.web_console.web_console import ROOT, WebConsole, wants_page
from firefork.aws.protocols.message import HttpRequest


@pytest.fixture
def build(tmp_path):
    """A build of three files beside a secret that is none of its business."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<link nonce="__CSP_NONCE__"><meta nonce="__CSP_NONCE__">')
    script = folder / "assets" / "index-abc.js"
    script.write_text("plain")
    script.with_name("index-abc.js.br").write_text("brotli")
    script.with_name("index-abc.js.gz").write_text("gzip")
    (folder / "assets" / "sans-abc.woff2").write_bytes(b"font")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc.js.map").write_text("not served")
    return folder


@pytest.fixture
def get(build):
    console = WebConsole(ConsoleFiles(build), sign_in=None)

    def ask(name, *, method="GET", **headers):
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return console.answer(HttpRequest(method=method, path=ROOT + name, query="", headers=named, body=b""))

    return ask


def header(answer, name):
    return dict(answer.headers).get(name)


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "content_type"),
        [
            ("assets/index-abc.js", "text/javascript; charset=utf-8"),
            ("assets/sans-abc.woff2", "font/woff2"),
            ("favicon.svg", "image/svg+xml"),
            ("", "text/html; charset=utf-8"),
        ],
    )
    def test_types(self, get, name, content_type):
        answer = get(name)
        assert (answer.status, header(answer, "content-type")) == (200, content_type)
        assert header(answer, "x-content-type-options") == "nosniff"

    @pytest.mark.parametrize(
        ("accepted", "body", "encoding"),
        [
            ("gzip, deflate, br", b"brotli", "br"),
            ("gzip", b"gzip", "gzip"),
            ("br;q=0, gzip;q=0.5", b"gzip", "gzip"),
            ("br;q=0.0, gzip; q=0", b"plain", None),
            ("", b"plain", None),
            ("zstd", b"plain", None),
        ],
    )
    def test_the_best_form_that_the_client_takes(self, get, accepted, body, encoding):
        answer = get("assets/index-abc.js", accept_encoding=accepted)
        assert (answer.body, header(answer, "content-encoding")) == (body, encoding)
        assert header(answer, "vary") == "accept-encoding"

    def test_hashed_names_are_kept_for_ever_and_the_page_is_not(self, get):
        assert header(get("assets/index-abc.js"), "cache-control") == "public, max-age=31536000, immutable"
        assert header(get("favicon.svg"), "cache-control") == "no-cache"
        assert header(get(""), "cache-control") == "no-cache"

    def test_a_known_form_is_not_sent_again(self, get):
        etag = header(get("favicon.svg"), "etag")
        again = get("favicon.svg", if_none_match=etag)
        assert (again.status, again.body) == (304, b"")
        assert get("favicon.svg", if_none_match='"other"').status == 200

    def test_head_sends_headers_only(self, get):
        answer = get("favicon.svg", method="HEAD")
        assert (answer.status, answer.body, header(answer, "content-type")) == (200, b"", "image/svg+xml")

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
    def test_files_are_only_read(self, get, method):
        assert get("favicon.svg", method=method).status == 405

    @pytest.mark.parametrize(
        "name",
        [
            "../secret.txt",
            "assets/../../secret.txt",
            "%2e%2e/secret.txt",
            "..%2fsecret.txt",
            "/etc/passwd",
            "assets//index-abc.js",
            "assets/index-abc.js%00",
        ],
    )
    def test_nothing_outside_of_the_build(self, get, name):
        """Such a name is no file: the page or a refusal answers, never the file beside the build."""
        answer = get(name)
        assert b"secret" not in answer.body
        assert b"root:" not in answer.body
        assert answer.status == (404 if name.startswith("assets/") else 200)

    @pytest.mark.parametrize("name", ["assets/index-abc.js.br", "assets/index-abc.js.map", "assets/old-def.js"])
    def test_what_the_build_does_not_list_is_not_there(self, get, name):
        assert get(name).status == 404

    def test_an_address_inside_the_console_is_the_page(self, get):
        answer = get("functions/hello/code")
        assert answer.status == 200
        assert header(answer, "content-type").startswith("text/html")

    def test_a_console_that_is_not_built_says_how(self, tmp_path):
        answer = ConsoleFiles(tmp_path / "nothing").answer("", {})
        assert answer.status == 503
        assert b"make console" in answer.body


class TestContentPolicy:
    def test_no_inline_script_and_no_other_host(self, get):
        policy = header(get(""), "content-security-policy")
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == "'self'"
        assert directives["connect-src"] == "'self'"
        assert directives["frame-ancestors"] == "'none'"
        assert "unsafe" not in policy
        assert "//" not in policy

    def test_the_nonce_is_the_page_s_own(self, get):
        first, second = get(""), get("")
        nonce = re.search(r"'nonce-([^']+)'", header(first, "content-security-policy"))[1]
        assert first.body == f'<link nonce="{nonce}"><meta nonce="{nonce}">'.encode()
        assert nonce not in header(second, "content-security-policy")


class TestBareAddress:
    def test_a_browser_is_sent_to_the_console_and_a_client_is_not(self):
        assert wants_page("GET", "/", {"accept": "text/html,*/*"})
        assert not wants_page("GET", "/", {"accept": "*/*"})
        assert not wants_page("GET", "/", {"accept": "text/html", "authorization": "AWS4-HMAC-SHA256 …"})
        assert not wants_page("POST", "/", {"accept": "text/html"})
        assert not wants_page("GET", "/2015-03-31/functions", {"accept": "text/html"})
