"""Filter patterns as the CloudWatch Logs user guide describes them."""

import json

import pytest

from firefork.aws.errors import InvalidParameter
from firefork.telemetry.filter_pattern import compile_pattern

EVENT = (
    '{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"], '
    '"objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c", '
    '"latency": 12.5, "negative": -3, "ok": true, "bad": false, "user": {"id": 1, "name": "ana"}}'
)


class TestTerms:
    @pytest.mark.parametrize(
        ("pattern", "message", "matches"),
        [
            ("", "anything", True),
            ("   ", "anything", True),
            ("ERROR", "[ERROR 400] BAD REQUEST", True),
            ("ERROR", "error", False),
            ("ERROR ARGUMENTS", "ERROR: missing ARGUMENTS", True),
            ("ERROR ARGUMENTS", "ERROR", False),
            ('"INTERNAL SERVER ERROR"', "500 INTERNAL SERVER ERROR", True),
            ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR SERVER", False),
            (r'"say \"hi\""', 'they say "hi" there', True),
            ("?ERROR ?WARN", "WARN", True),
            ("?ERROR ?WARN", "INFO", False),
            ("?ERROR ?WARN fatal", "fatal", True),
            ("ERROR -EXITING", "ERROR", True),
            ("ERROR -EXITING", "ERROR EXITING", False),
            ('-"not this"', "not this one", False),
            ("-DEBUG", "INFO", True),
            ("%AUTHORIZED%", "UNAUTHORIZED", True),
            (r"%\d{3} OK|\d{3} Created%", "200 OK", True),
            (r"%\d{3} OK|\d{3} Created%", "20 OK", False),
            ("ORDER-ITEM-1", "ORDER-ITEM-1", True),
            (r"%^START%", "START x", True),
            (r"?%4\d\d% ?%5\d\d%", "status 503", True),
            ("ключ", "это ключ", True),
        ],
    )
    def test_matches(self, pattern, message, matches):
        assert compile_pattern(pattern)(message) is matches


class TestJson:
    @pytest.mark.parametrize(
        ("pattern", "matches"),
        [
            ('{ $.eventType = "UpdateTrail" }', True),
            ("{ $.eventType = UpdateTrail }", True),
            ('{ $.eventType != "NoTrail" }', True),
            ('{ $.eventType = "Update*" }', True),
            ('{ $.eventType = "*Trail" }', True),
            ('{ $.sourceIPAddress != "123.123.*" }', True),
            ('{ $.sourceIPAddress = "111.111.111.111" }', True),
            ('{ $.arrayKey[0] = "value" }', True),
            ('{ $.arrayKey[1] = "value" }', False),
            ('{ $.arrayKey[9] = "value" }', False),
            ('{ $.arrayKey[*] = "another value" }', True),
            ("{ $.objectList[1].id = 2 }", True),
            ('{ $.objectList[*].name = "b" }', True),
            ('{ $.["cluster.name"] = "c" }', True),
            ('{ $.user.id = 1 && $.user.name = "ana" }', True),
            ("{ $.user.id = 2 || $.latency > 12 }", True),
            ("{ ($.user.id = 2 || $.user.id = 1) && $.ok IS TRUE }", True),
            ("{ $.user.id = 2 || $.user.id = 1 && $.ok IS FALSE }", False),
            ("{ $.latency > 12.4 }", True),
            ("{ $.latency >= 12.5 }", True),
            ("{ $.latency < 1.25e1 }", False),
            ("{ $.latency <= 1.25e1 }", True),
            ("{ $.negative = -3 }", True),
            ("{ $.negative < -2.5 }", True),
            ("{ $.eventType > 1 }", False),
            ("{ $.ok > 0 }", False),
            ("{ $.SomeObject IS NULL }", True),
            ("{ $.latency IS NULL }", False),
            ("{ $.SomeOtherObject NOT EXISTS }", True),
            ("{ $.eventType NOT EXISTS }", False),
            ("{ $.ok IS TRUE }", True),
            ("{ $.bad IS FALSE }", True),
            ("{ $.latency IS TRUE }", False),
            ("{ $.eventType = %Update.+% }", True),
            ("{ $.sourceIPAddress = %^111\\.\\d+% }", True),
            ("{ $.eventType = %^Trail% }", False),
        ],
    )
    def test_matches(self, pattern, matches):
        assert compile_pattern(pattern)(EVENT) is matches

    @pytest.mark.parametrize(
        ("pattern", "matches"),
        [
            ("{ $.text = 111* }", True),
            ('{ $.text = "*.111.111.111" }', True),
            ('{ $.text = "*111.111.111" }', False),
            ("{ $.text != 111*111 }", True),
            ('{ $.text != "*222" }', True),
            ('{ $.text = "123" }', False),
            ('{ $.empty = "*" }', True),
            ('{ $.whole = "123" }', True),
            ("{ $.whole = 123.0 }", True),
            ('{ $.whole != "123.0" }', True),
            ('{ $.whole != "1*3" }', False),
            ("{ $.whole = *23 }", True),
            ("{ $.half = 12 }", True),
            ('{ $.half != "12" }', True),
            ("{ $.object != 123 }", False),
            ('{ $.list != "text" }', False),
            ('{ $.missing != "text" }', False),
        ],
    )
    def test_as_aws_matched_them(self, pattern, matches):
        """Results of AWS's TestMetricFilter, which a public test suite of another matcher expects (json_filter)."""
        event = {"text": "111.111.111.111", "empty": "", "whole": 123, "half": 12.0, "object": {}, "list": []}
        assert compile_pattern(pattern)(json.dumps(event)) is matches

    def test_messages_that_are_not_json_do_not_match(self):
        check = compile_pattern("{ $.missing NOT EXISTS }")
        assert not check("plain text")
        assert not check("{ broken")
        assert check("{}")


class TestSpaceDelimited:
    LINE = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'

    @pytest.mark.parametrize(
        ("pattern", "matches"),
        [
            ("[ip, server, username, timestamp, request, status_code, bytes]", True),
            ("[ip, server, username, timestamp, request, status_code]", False),
            ("[ip, ..., status_code = 404, bytes]", True),
            ("[ip, ..., status_code = 4*, bytes]", True),
            ("[..., status_code = 5*, bytes]", False),
            ("[..., bytes > 1000]", True),
            ("[..., bytes <= 1000]", False),
            ('[..., request = "*html*", status_code = 404 || status_code = 410, bytes]', True),
            ("[..., status_code >= 400 && status_code < 500, bytes]", True),
            ("[ip != 127.0.0.1, ...]", False),
            (r"[ip = %127\.0\.0\.[1-9]%, ...]", True),
            ("[w1 = ERROR, ...]", False),
        ],
    )
    def test_matches(self, pattern, matches):
        assert compile_pattern(pattern)(self.LINE) is matches


class TestRefusals:
    @pytest.mark.parametrize(
        "pattern",
        [
            "{ }",
            "{ a = 1 }",
            "{ $.a }",
            "{ $.a = }",
            "{ $.a IS MAYBE }",
            "{ ($.a = 1 }",
            "{ $.a = 1 && }",
            "[a,,b]",
            "[..., a, ...]",
            '"open',
            "%open",
            "%[%",
            "{ $.a = %[% }",
            "{" + "(" * 5000 + "}",
        ],
    )
    def test_what_breaks_the_grammar(self, pattern):
        with pytest.raises(InvalidParameter, match="Invalid filter pattern"):
            compile_pattern(pattern)

    @pytest.mark.parametrize(
        ("pattern", "term"),
        [
            ("?Status: timeout", ":"),
            ("PlayerSpawnedInWorld (reason", "("),
            ("@message like", "@"),
            ('level\\":\\"error', "\\"),
            ("`ERROR`", "`"),
            ("a[0]", "["),
            ("ERROR*", "*"),
            ('""', '""'),
            ('{ $.a = "b", $.c = "d" }', ","),
            ('{ $."sc-status" = 5* }', '$."'),
            ('{ $.a > "text" }', '"text"'),
            ("[time, ...message]", "...message"),
            ("%(OK|Created)%", "("),
            ("%ключ%", "к"),
        ],
    )
    def test_characters_that_need_quotes(self, pattern, term):
        """Texts of refusals that users have published: defang#1008, notes and runbooks in public repositories; of
        expressions as AWS's documentation has it, and modernisation-platform-environments#5137."""
        with pytest.raises(InvalidParameter) as refusal:
            compile_pattern(pattern)
        assert refusal.value.message == f"Invalid character(s) in term '{term}'"

    @pytest.mark.parametrize(("pattern", "first", "last"), [("{ $.a = 1", "{", "}"), ("[a, b", "[", "]")])
    def test_brackets_that_do_not_close(self, pattern, first, last):
        """Published in jorgebastida/awslogs#210."""
        with pytest.raises(InvalidParameter) as refusal:
            compile_pattern(pattern)
        assert refusal.value.message == f"If a filter pattern starts with '{first}' it must end with '{last}'"

    def test_what_stands_in_quotes_is_free(self):
        assert compile_pattern('"a (b): [c], *"')("a (b): [c], *")
        assert compile_pattern('{ $.price = "$5." }')('{"price": "$5."}')

    def test_an_expression_that_would_run_for_ever_is_stopped(self):
        check = compile_pattern("%a*[ab]*a*[ab]*a*[ab]*a*[cd]$%")
        with pytest.raises(InvalidParameter, match="takes too long"):
            check("a" * 1000 + "e")
