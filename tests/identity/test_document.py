"""What a policy document may look like; the messages are AWS's."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws.errors import MalformedPolicyDocument
from firefork.identity.callers import Caller, Naming
from firefork.identity.document import Kind, compiled
from firefork.identity.positions import Position, statement_positions

ALLOW = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def document(*statements, version="2012-10-17", **more):
    return json.dumps({"Version": version, "Statement": list(statements), **more})


def refusal(text, kind=Kind.IDENTITY):
    with pytest.raises(MalformedPolicyDocument) as caught:
        compiled(text, kind)
    return caught.value.message


def statement(**changes):
    return {name: value for name, value in {**ALLOW, **changes}.items() if value is not None}


class TestIdentityPolicies:
    @pytest.mark.parametrize(
        "text",
        [
            "not json",
            "[]",
            "{}",
            '{"Version": "2012-10-17"}',
            document(),
            document("text"),
            document(ALLOW, Extra=1),
            document(statement(Effect="allow")),
            document(statement(Effect=None)),
            document(statement(Unknown="x")),
            document(statement(Action=7)),
            document(statement(Action=["lambda:*", 7])),
            document(statement(NotAction="lambda:*")),
            document(statement(NotResource="*")),
            document(statement(Sid=7)),
            document(statement(Condition=[])),
            document(statement(Condition={"StringEquals": "x"})),
            document(statement(Condition={"StringEquals": {"aws:username": {}}})),
            document(statement(Condition={"StringIs": {"aws:username": "x"}})),
            document(ALLOW, Id=7),
        ],
    )
    def test_syntax_errors(self, text):
        assert refusal(text) == "Syntax errors in policy."

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"Action": None}, "Policy statement must contain actions."),
            ({"Action": []}, "Policy statement must contain actions."),
            ({"Resource": None}, "Policy statement must contain resources."),
            ({"Resource": []}, "Policy statement must contain resources."),
            ({"Action": "invoke"}, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
            ({"Action": ":x"}, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
            ({"Action": "a a:b"}, "Vendor a a is not valid"),
            ({"Action": "a:b:c"}, "Actions/Condition can contain only one colon."),
            ({"Resource": "adf"}, 'Resource adf must be in ARN format or "*".'),
            ({"Resource": ""}, 'Resource  must be in ARN format or "*".'),
            ({"Resource": "arn:b:c:d:e:f:g:h"}, 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'),
            (
                {"Resource": "arn:error:s3:::example_bucket"},
                'Partition "error" is not valid for resource "arn:error:s3:::example_bucket".',
            ),
            ({"Principal": "*"}, "Policy document should not specify a principal."),
            (
                {"Sid": "a b"},
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
                "[0-9A-Za-z]*",
            ),
        ],
    )
    def test_meaning(self, changes, message):
        assert refusal(document(statement(**changes))) == message

    @pytest.mark.parametrize("version", ["2008-10-17", "2013-01-01"])
    def test_version(self, version):
        expected = "Policy document must be version 2012-10-17 or greater."
        assert refusal(document(ALLOW, version=version)) == expected
        assert refusal(json.dumps({"Statement": ALLOW})) == expected

    def test_sids_are_unique(self):
        text = document(statement(Sid="a"), statement(Sid="a"))
        assert refusal(text) == "Statement IDs (SID) in a single policy must be unique."

    def test_a_single_statement_needs_no_list(self):
        policy = compiled(json.dumps({"Version": "2012-10-17", "Statement": ALLOW}), Kind.IDENTITY)
        assert len(policy.statements) == 1

    def test_the_same_text_is_compiled_once(self):
        assert compiled(document(ALLOW), Kind.IDENTITY) is compiled(document(ALLOW), Kind.IDENTITY)

    def test_keys_of_conditions_and_variables(self):
        text = document(
            statement(Condition={"Bool": {"aws:SecureTransport": True}}, Resource="arn:aws:s3:::${aws:username}")
        )
        assert compiled(text, Kind.IDENTITY).keys == {"aws:securetransport", "aws:username"}

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["Version", "Statement", "Effect", "Action", "Resource", "Principal", "Condition"]),
                    inner,
                    max_size=5,
                )
            ),
            max_leaves=12,
        )
    )
    def test_any_json_is_accepted_or_refused(self, value):
        """No document, however odd, makes anything but MalformedPolicyDocument."""
        for kind in Kind:
            with contextlib.suppress(MalformedPolicyDocument):
                assert compiled(json.dumps(value), kind).statements


class TestTrustPolicies:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"Action": "s3:GetObject"}, "AssumeRole policy may only specify STS AssumeRole actions."),
            ({"Resource": "*"}, "Has prohibited field Resource"),
            ({"Principal": None}, "Missing required field Principal"),
            ({"Principal": {"AWS": "nobody"}}, 'Invalid principal in policy: "AWS":"nobody"'),
            ({"Principal": {"Service": "lambda"}}, 'Invalid principal in policy: "SERVICE":"lambda"'),
        ],
    )
    def test_meaning(self, changes, message):
        changed = {name: value for name, value in {**ASSUME, **changes}.items() if value is not None}
        assert refusal(document(changed), Kind.TRUST) == message

    def test_invalid_json_has_words_of_its_own(self):
        assert refusal("{", Kind.TRUST) == "This policy contains invalid Json"

    def test_the_older_version_is_accepted(self):
        assert compiled(document(ASSUME, version="2008-10-17"), Kind.TRUST).statements[0].allows


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
        assert first == (Position(4, 5), Position(4, 15))
        assert second == (Position(5, 5), Position(5, 13))

    def test_of_a_single_statement(self):
        assert statement_positions('{"Statement":{"a":1},"Id":"x"}') == [(Position(1, 14), Position(1, 21))]
