"""HTTP/1.1 without a socket: bytes in, events out; answers in, bytes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.api import http_wire
from firefork.api.http_wire import HEAD_LIMIT, Malformed, RequestEnd, RequestHead, RequestParser
from firefork.aws.protocols.message import HttpAnswer

NOW_S = 1_800_000_000


def read(*parts, parser=None):
    """What a connection that receives ``parts`` tells, the parts of a body put together."""
    parser = parser or RequestParser()
    told = []
    for part in parts:
        for event in parser.feed(part):
            if isinstance(event, RequestEnd):
                told.append("end")
            elif isinstance(event, bytes) and told and isinstance(told[-1], bytes):
                told[-1] += event
            else:
                told.append(event)
    return told


def request(*lines, body=b""):
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


POST = request("POST /a%2Fb?q=%20&r HTTP/1.1", "Host: h", "X-One: 1", "Content-Length: 5", body=b"hello")
CHUNKED = request(
    "PUT / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"
)
GET = request("GET /x HTTP/1.1", "Host: h")


class TestRequests:
    def test_head_and_body(self):
        head, body, end = read(POST)
        assert (head.method, head.path, head.query) == ("POST", "/a%2Fb", "q=%20&r")
        assert head.headers == {"host": "h", "x-one": "1", "content-length": "5"}
        assert (head.keep_alive, head.takes_chunks, head.expects_continue) == (True, True, False)
        assert (body, end) == (b"hello", "end")

    def test_a_body_in_chunks_loses_their_frames_and_the_trailer(self):
        head, body, end = read(CHUNKED)
        assert head.headers == {"transfer-encoding": "chunked"}
        assert (body, end) == (b"abcde", "end")

    @given(st.data())
    def test_it_does_not_matter_how_the_bytes_arrive(self, data):
        stream = POST + CHUNKED + GET + POST
        cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=12)))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert read(*pieces) == read(stream)
        assert read(*(bytes([byte]) for byte in stream)) == read(stream)

    def test_a_repeated_header_is_one_with_its_values_joined(self):
        assert read(request("GET / HTTP/1.1", "A: 1", "B: 2", "a: 3"))[0].headers == {"a": "1,3", "b": "2"}

    @pytest.mark.parametrize(
        ("target", "path", "query"),
        [
            ("/", "/", ""),
            ("//", "//", ""),
            ("//a//b?", "//a//b", ""),
            ("/a?b?c", "/a", "b?c"),
            ("/a?b#c", "/a", "b"),
            ("/a#b?c", "/a", ""),
            ("http://host:1/a/b?c", "/a/b", "c"),
            ("http://host", "/", ""),
            ("http://host?x", "/", "x"),
            ("http://[/", "/", ""),
            ("*", "*", ""),
        ],
    )
    def test_targets(self, target, path, query):
        told = read(request(f"OPTIONS {target} HTTP/1.1"))
        if isinstance(told[0], Malformed):
            assert target == "http://[/", "llhttp itself may refuse this one"
            return
        assert (told[0].path, told[0].query) == (path, query)

    def test_who_may_go_on_and_who_reads_chunks(self):
        assert not read(request("GET / HTTP/1.1", "Connection: close"))[0].keep_alive
        oldest = read(request("GET / HTTP/1.0", "Connection: keep-alive"))[0]
        assert (oldest.keep_alive, oldest.takes_chunks) == (False, False)

    def test_who_waits_to_be_asked(self):
        assert read(request("PUT / HTTP/1.1", "Expect: 100-Continue", "Content-Length: 1"))[0].expects_continue

    @pytest.mark.parametrize(
        ("body_lines", "body"),
        [((), b""), (("Content-Length: 5",), b"hello"), (("Transfer-Encoding: chunked",), b"5\r\nhello\r\n0\r\n\r\n")],
    )
    def test_another_protocol_is_not_taken_up(self, body_lines, body):
        """As with Java's own client, which asks for HTTP/2 in its first request: body and next request are read."""
        asking = request("POST /up HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c", *body_lines, body=body)
        expected = [b"hello"] if body else []
        for parts in ([asking + asking + GET], [bytes([byte]) for byte in asking + asking + GET]):
            told = read(*parts)
            heads = [event for event in told if isinstance(event, RequestHead)]
            assert [head.path for head in heads] == ["/up", "/up", "/x"]
            assert heads[0].headers["upgrade"] == "h2c"
            assert told == [heads[0], *expected, "end", heads[1], *expected, "end", heads[2], "end"]

    def test_whether_one_has_begun(self):
        parser = RequestParser()
        assert parser.between_requests
        read(POST[:3], parser=parser)
        assert not parser.between_requests
        read(POST[3:], parser=parser)
        assert parser.between_requests


class TestRefusals:
    @pytest.mark.parametrize(
        "lines",
        [
            ("GET",),
            ("NONSENSE / HTTP/1.1",),
            ("GET / HTTP/1.1", "no colon"),
            ("GET / HTTP/1.1", "Space : x"),
            ("GET / HTTP/1.1", "A: b", " folded"),
            ("GET / HTTP/1.1", "A: b\0c"),
            ("GET / HTTP/1.1", "A: b\n"),
            ("GET /\xff HTTP/1.1",),
            ("POST / HTTP/1.1", "Content-Length: -1"),
            ("POST / HTTP/1.1", "Content-Length: +1"),
            ("POST / HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
            ("POST / HTTP/1.1", f"Content-Length: {1 << 70}"),
            ("POST / HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"),
            ("POST / HTTP/1.1", "Transfer-Encoding: gzip"),
            ("PRI * HTTP/2.0",),
            ("\x16\x03\x01\x02\x00\x01",),
        ],
    )
    def test_what_is_no_request_or_could_be_two(self, lines):
        """Smuggling included: two lengths, or a length and chunks."""
        told = read(request(*lines, body=b"x\r\n\r\n"))
        assert isinstance(told[-1], Malformed)
        assert told[-1].status == 400

    def test_what_came_before_counts(self):
        """The first request is answered, then the refusal."""
        first, end, refusal = read(GET + b"rubbish\r\n\r\n")
        assert (first.path, end, refusal.status) == ("/x", "end", 400)

    def test_a_bad_chunk(self):
        told = read(request("PUT / HTTP/1.1", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\nzz\r\n"))
        assert isinstance(told[0], RequestHead)
        assert told[1] == b"abc"
        assert told[-1].status == 400

    def test_another_version(self):
        assert read(request("GET / HTTP/2.0"))[0].status == 505

    @pytest.mark.parametrize("endless", [b"GET /" + b"a" * 9, b"GET / HTTP/1.1\r\nA: " + b"b" * 9, b"\r\n", b"GET / "])
    def test_a_head_without_end_is_given_up(self, endless):
        """However slowly it comes, no more than the limit is taken."""
        parser = RequestParser()
        fed = len(endless)
        told = read(endless, parser=parser)
        more = endless[-1:] * 4096 if endless != b"\r\n" else b"\r\n" * 2048
        while not told:
            told = read(more, parser=parser)
            fed += 4096
            assert fed < HEAD_LIMIT + 2 * 4096
        assert told[-1].status in (400, 431)

    @pytest.mark.parametrize("place", ["query", "value", "name", "many"])
    def test_a_head_that_is_too_long_but_complete(self, place):
        text = "a" * HEAD_LIMIT
        lines = {
            "query": [f"GET /?{text} HTTP/1.1"],
            "value": ["GET / HTTP/1.1", f"A: {text}"],
            "name": ["GET / HTTP/1.1", f"{text}: a"],
            "many": ["GET / HTTP/1.1", *(f"a{number}: b" for number in range(HEAD_LIMIT // 4))],
        }[place]
        first, end, refusal = read(GET + request(*lines))
        assert (first.path, end, refusal.status) == ("/x", "end", 431)

    def test_many_short_requests_at_once_are_no_long_head(self):
        assert read(GET * (2 * HEAD_LIMIT // len(GET))).count("end") == 2 * HEAD_LIMIT // len(GET)

    @pytest.mark.parametrize("what", [b"0\r\nA: " + b"x" * 200_000, b"3;" + b"x" * 200_000])
    def test_what_stands_between_the_parts_of_a_body_is_limited_too(self, what):
        head = request("PUT / HTTP/1.1", "Transfer-Encoding: chunked", body=b"1\r\na\r\n")
        pieces = [what[at : at + 1000] for at in range(0, len(what), 1000)]
        assert read(head, *pieces)[-1].status == 431

    @given(st.binary(max_size=300), st.integers(0, len(POST)))
    def test_any_bytes_are_events_or_a_refusal(self, noise, place):
        for sent in (noise, POST[:place] + noise + POST[place:]):
            told = read(sent)
            assert all(isinstance(event, RequestHead | bytes | Malformed | str) for event in told)
            assert sum(isinstance(event, Malformed) for event in told) <= 1


def answer(**members):
    return HttpAnswer(**{"status": 200, "headers": [("x-amzn-RequestId", "r")], "body": b"{}", **members})


class TestAnswers:
    DATE = b"date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"

    def whole(self, given, method="GET", *, keep_alive=True):
        return http_wire.whole(given, RequestHead(method, "/", ""), keep_alive=keep_alive, now_s=NOW_S)

    def test_a_whole_one(self):
        assert self.whole(answer()) == (
            b"HTTP/1.1 200 OK\r\n" + self.DATE + b"x-amzn-RequestId: r\r\ncontent-length: 2\r\n\r\n{}"
        )

    def test_the_last_one_says_so(self):
        assert b"\r\nconnection: close\r\n" in self.whole(answer(), keep_alive=False)

    def test_head_has_the_length_and_no_body(self):
        assert self.whole(answer(), "HEAD").endswith(b"content-length: 2\r\n\r\n")
        assert self.whole(answer(body=b"", length=7), "HEAD").endswith(b"content-length: 7\r\n\r\n")

    @pytest.mark.parametrize("status", [204, 304])
    def test_no_content_has_no_length(self, status):
        sent = self.whole(answer(status=status, body=b"ignored"))
        assert b"content-length" not in sent
        assert sent.endswith(b"\r\n\r\n")

    def test_a_status_without_a_name(self):
        assert self.whole(answer(status=599)).startswith(b"HTTP/1.1 599 Unknown\r\n")

    def test_text_beyond_latin_1_does_not_break_it(self):
        assert b"\r\na: \xe9?\r\n" in self.whole(answer(headers=[("a", "é€")]))

    @pytest.mark.parametrize("value", ["a\r\nset-cookie: b", "a\n", "\r", "a\r\n\r\n<html>"])
    def test_a_header_cannot_become_two(self, value):
        with pytest.raises(ValueError, match="line break"):
            self.whole(answer(headers=[("a", value)]))

    async def test_streams(self):
        async def parts():
            yield b"x"

        def started(**members):
            given = answer(body=b"", stream=parts(), **members)
            return http_wire.start(given, head, keep_alive=True, now_s=NOW_S)

        head = RequestHead("GET", "/", "")
        assert b"transfer-encoding: chunked\r\n" in started()
        assert b"content-length: 1\r\n" in started(length=1)
        head = RequestHead("GET", "/", "", takes_chunks=False)
        assert b"transfer-encoding" not in started()
        assert http_wire.chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
