"""What a policy document may look like; the messages are AWS's."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.aws.errors import MalformedPolicyDocument
from firefork.identity.validity import Kind, checked

ALLOW = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def document(*statements, version="2012-10-17", **more):
    return json.dumps({"Version": version, "Statement": list(statements), **more})


def refusal(text, kind=Kind.IDENTITY):
    with pytest.raises(MalformedPolicyDocument) as caught:
        checked(text, kind)
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
            document(statement(Effect="permit")),
            document(ALLOW, version="2013-01-01"),
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
            ({"Resource": "x:error:s3:::b"}, 'Partition "error" is not valid for resource "arn:error:s3:::b".'),
            ({"Resource": "x:other"}, 'Partition "other" is not valid for resource "arn:other:*:*:*:*".'),
            ({"Resource": "arn:aws"}, "Resource vendor must be fully qualified and cannot contain regexes."),
            ({"Resource": "arn:aws:s*:::b"}, "Resource vendor must be fully qualified and cannot contain regexes."),
            (
                {"Resource": "arn:aws:s3:eu-west-1::b"},
                "Resource arn:aws:s3:eu-west-1::b can not contain region information.",
            ),
            (
                {"Resource": "arn:aws:iam:eu-west-1::user/x"},
                "IAM resource arn:aws:iam:eu-west-1::user/x cannot contain region information.",
            ),
            (
                {"Resource": "arn:aws:iam:::x"},
                'IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, '
                "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, "
                "report/, access-report/.",
            ),
            ({"Effect": "allow"}, "The policy failed legacy parsing"),
            ({"Resource": "arn:aws:s3::b"}, "The policy failed legacy parsing"),
            ({"Resource": "arn:aws::::b"}, "The policy failed legacy parsing"),
            ({"NotResource": "arn:aws:s3::b", "Resource": None}, "The policy failed legacy parsing"),
            ({"Condition": {"DateLessThan": {"a": "yesterday"}}}, "The policy failed legacy parsing"),
            ({"Condition": {"DateLessThan": {"a": "2026-13"}}}, "The policy failed legacy parsing"),
            ({"Condition": {"DateLessThan": {"a": "2026-12-13t2:00:00.5+1"}}}, "The policy failed legacy parsing"),
            ({"Condition": {"DateLessThan": {"a": "9223372036854775808"}}}, "The policy failed legacy parsing"),
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

    def test_version(self):
        expected = "Policy document must be version 2012-10-17 or greater."
        assert refusal(document(ALLOW, version="2008-10-17")) == expected
        assert refusal(json.dumps({"Statement": ALLOW})) == expected

    @pytest.mark.parametrize(
        "changes",
        [
            {"Action": "iam: any name "},
            {"Action": "s3.s:ListBucket"},
            {"Resource": "arn:aws:invalid"},
            {"Resource": ["arn:aws:s3:::b", "*"]},
            {"Resource": "arn:aws:iam::*:user/${aws:username}"},
            {"Resource": "arn:aws:iam::111111111111:root"},
            {"Condition": {}},
            {"Condition": {"StringEquals": {}}},
            {"Condition": {"Anything": {}}},
            {"Condition": {"DateGreaterThan": {"a": []}}},
            {"Condition": {"DateGreaterThan": {"a": "01T"}}},
            {"Condition": {"DateLessThan": {"a": "-292275054"}}},
            {"Condition": {"DateLessThan": {"a": "2026-12-13t2:00:00.593194+23"}}},
            {"Condition": {"ForAnyValue:StringEqualsIfExists": {"a": "b"}}},
            {"Condition": {"NumericEquals": {"a": 7}, "Bool": {"b": True}}},
        ],
    )
    def test_odd_but_valid(self, changes):
        """The service accepts these."""
        _, statements = checked(document(statement(**changes)), Kind.IDENTITY)
        assert len(statements) == 1

    @pytest.mark.parametrize(
        ("statements", "start"),
        [
            ([{"Effect": "denY", "Action": "bad", "Resource": "bad"}], "The policy failed legacy parsing"),
            ([{"Effect": "Allow", "Resource": "arn:aws:s3::b"}], "The policy failed legacy parsing"),
            ([statement(Sid="a"), {"Sid": "a", "Effect": "Allow"}], "Statement IDs"),
            ([{"Effect": "Allow"}], "Policy statement must contain actions."),
            ([{"Effect": "Allow", "Action": "bad"}], "Policy statement must contain resources."),
            ([statement(Action="bad", Resource="bad")], "Resource bad must be"),
        ],
    )
    def test_order_of_the_checks(self, statements, start):
        """When several things are wrong, the one is told that the service tells."""
        assert refusal(document(*statements)).startswith(start)

    def test_the_version_is_looked_at_before_the_statements(self):
        text = json.dumps({"Statement": {"Effect": "denY", "Action": "bad", "Resource": "bad"}})
        assert refusal(text) == "Policy document must be version 2012-10-17 or greater."

    def test_sids_are_unique(self):
        text = document(statement(Sid="a"), statement(Sid="a"))
        assert refusal(text) == "Statement IDs (SID) in a single policy must be unique."

    def test_a_single_statement_needs_no_list(self):
        _, statements = checked(json.dumps({"Version": "2012-10-17", "Statement": ALLOW}), Kind.IDENTITY)
        assert len(statements) == 1

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
                assert checked(json.dumps(value), kind)


class TestTrustPolicies:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"Action": "s3:GetObject"}, "AssumeRole policy may only specify STS AssumeRole actions."),
            ({"Resource": "*"}, "Has prohibited field Resource"),
            ({"Principal": None}, "Missing required field Principal"),
            ({"Principal": {"AWS": "nobody"}}, 'Invalid principal in policy: "AWS":"nobody"'),
            *(
                ({"Principal": {"AWS": f"arn:aws:{end}"}}, f'Invalid principal in policy: "AWS":"arn:aws:{end}"')
                for end in ("iam::1:user/u", f"iam::{'1' * 12}:group/g", f"sts::{'1' * 12}:assumed-role/r/*")
            ),
            ({"Principal": {"Service": "lambda"}}, 'Invalid principal in policy: "SERVICE":"lambda"'),
        ],
    )
    def test_meaning(self, changes, message):
        changed = {name: value for name, value in {**ASSUME, **changes}.items() if value is not None}
        assert refusal(document(changed), Kind.TRUST) == message

    def test_invalid_json_has_words_of_its_own(self):
        assert refusal("{", Kind.TRUST) == "This policy contains invalid Json"

    def test_the_older_version_is_accepted(self):
        version, _ = checked(document(ASSUME, version="2008-10-17"), Kind.TRUST)
        assert version == "2008-10-17"
