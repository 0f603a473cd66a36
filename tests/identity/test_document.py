"""Compiled documents: principals, keys, positions."""

import json

import pytest

from firefork.identity.callers import Caller, Naming
from firefork.identity.document import Kind, compiled, context_keys
from firefork.identity.positions import Position, statement_positions

ALLOW = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class TestCompiling:
    def test_the_same_text_is_compiled_once(self):
        assert compiled(document(ALLOW), Kind.IDENTITY) is compiled(document(ALLOW), Kind.IDENTITY)

    def test_keys_of_conditions_and_variables(self):
        condition = {"Bool": {"aws:SecureTransport": True}}
        text = document({**ALLOW, "Condition": condition, "Resource": "arn:aws:s3:::${aws:username}"})
        assert context_keys(text) == {"aws:SecureTransport", "aws:username"}
        assert compiled(text, Kind.IDENTITY).keys == {"aws:securetransport", "aws:username"}


class TestPrincipals:
    USER = Caller(arn="arn:aws:iam::111111111111:user/ann", account="111111111111")
    ROOT = Caller(arn="arn:aws:iam::111111111111:root", account="111111111111")
    SESSION = Caller(
        arn="arn:aws:sts::111111111111:assumed-role/r/s",
        account="111111111111",
        role_arn="arn:aws:iam::111111111111:role/path/r",
    )
    SERVICE = Caller.of_service("s3.amazonaws.com")

    def naming(self, principal, caller, element="Principal"):
        text = document({"Effect": "Deny", "Action": "lambda:*", "Resource": "*", element: principal})
        return compiled(text, Kind.RESOURCE).statements[0].naming(caller)

    @pytest.mark.parametrize(
        ("principal", "caller", "expected"),
        [
            ("*", USER, Naming.ITSELF),
            ("*", SESSION, Naming.ROLE),
            ("*", SERVICE, Naming.ITSELF),
            ({"AWS": "*"}, USER, Naming.ITSELF),
            ({"AWS": "111111111111"}, USER, Naming.ACCOUNT),
            ({"AWS": "arn:aws:iam::111111111111:root"}, SESSION, Naming.ACCOUNT),
            ({"AWS": "222222222222"}, USER, Naming.NOT),
            ({"AWS": ["222222222222", USER.arn]}, USER, Naming.ITSELF),
            ({"AWS": SESSION.role_arn}, SESSION, Naming.ROLE),
            ({"AWS": SESSION.arn}, SESSION, Naming.ITSELF),
            ({"AWS": USER.arn}, SESSION, Naming.NOT),
            ({"Service": "s3.amazonaws.com"}, SERVICE, Naming.ITSELF),
            ({"Service": "sns.amazonaws.com"}, SERVICE, Naming.NOT),
            ({"Service": "s3.amazonaws.com"}, USER, Naming.NOT),
        ],
    )
    def test_naming(self, principal, caller, expected):
        assert self.naming(principal, caller) is expected

    @pytest.mark.parametrize(
        ("principal", "caller", "expected"),
        [
            ({"AWS": [USER.arn, "111111111111"]}, USER, Naming.NOT),
            ({"AWS": [USER.arn, "111111111111"]}, ROOT, Naming.NOT),
            ({"AWS": [USER.arn, "111111111111"]}, SESSION, Naming.ITSELF),
            ({"AWS": SESSION.role_arn}, SESSION, Naming.NOT),
            ({"Service": "s3.amazonaws.com"}, SERVICE, Naming.NOT),
        ],
    )
    def test_all_but(self, principal, caller, expected):
        """NotPrincipal: an account in the list stands for its root user only."""
        assert self.naming(principal, caller, "NotPrincipal") is expected


class TestPositions:
    def test_of_a_list(self):
        text = '{\n  "Version": "2012-10-17",\n  "Statement": [\n    {"a": [1]},\n    {"b": 2}\n  ]\n}'
        first, second = statement_positions(text)
        assert first == (Position(3, 17), Position(4, 15))
        assert second == (Position(4, 15), Position(5, 13))

    def test_of_published_answers(self):
        one = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":'
        one += '{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
        assert statement_positions(one) == [(Position(1, 38), Position(1, 167))]
        administrator = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [administrator]}, indent=2)
        assert statement_positions(text) == [(Position(3, 17), Position(8, 6))]

    def test_of_a_single_statement(self):
        assert statement_positions('{"Statement":{"a":1},"Id":"x"}') == [(Position(1, 15), Position(1, 21))]
