"""Wildcards and policy variables."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.identity.patterns import Style, matcher


def fits(pattern, text, style=Style.RESOURCE, context=None, variables=True, **options):
    return matcher([pattern], style, variables=variables, **options)(text, context or {})


class TestWildcards:
    @pytest.mark.parametrize(
        ("pattern", "text", "expected"),
        [
            ("*", "arn:aws:lambda:us-east-1:1:function:f", True),
            ("arn:aws:lambda:*:*:function:f", "arn:aws:lambda:us-east-1:1:function:f", True),
            ("arn:aws:lambda:*:*:function:f", "arn:aws:lambda:us-east-1:1:function:f:prod", False),
            ("arn:aws:lambda:*:*:function:f*", "arn:aws:lambda:us-east-1:1:function:f:prod", True),
            ("arn:aws:lambda:us-*-1:1:function:f", "arn:aws:lambda:us-east-1:1:function:f", True),
            ("arn:aws:lambda:us-*-1:1:function:f", "arn:aws:lambda:us-east-1:x-1:1:function:f", False),
            ("arn:aws:lambda:*", "arn:aws:lambda:us-east-1:1:function:f", True),
            ("arn:aws:s3:::b?cket/*", "arn:aws:s3:::bucket/a/b:c", True),
            ("arn:aws:s3:::b?cket/*", "arn:aws:s3:::buucket/a", False),
            ("arn:aws:s3:::a.b", "arn:aws:s3:::axb", False),
            ("arn:aws:s3:::A", "arn:aws:s3:::a", False),
        ],
    )
    def test_resources(self, pattern, text, expected):
        """A * that ends a segment goes on over colons, one inside a segment does not."""
        assert fits(pattern, text) is expected

    @pytest.mark.parametrize(
        ("pattern", "text", "expected"),
        [
            ("arn:aws:iam::*:role/x", "arn:aws:iam::1:role/x", True),
            ("arn:aws:iam::*:role/x", "arn:aws:iam::1:2:role/x", False),
            ("arn:aws:iam:*", "arn:aws:iam::1:role/x", False),
            ("arn:aws:sns:?s-east-1:1:*", "arn:aws:sns:us-east-1:1:topic:sub", True),
            ("arn:aws:sns:?:1:t", "arn:aws:sns::1:t", False),
        ],
    )
    def test_arn_conditions(self, pattern, text, expected):
        """ArnLike compares the six segments one by one."""
        assert fits(pattern, text, Style.ARN) is expected

    def test_exact_style_has_no_wildcards(self):
        assert fits("a*", "a*", Style.EXACT)
        assert not fits("a*", "ab", Style.EXACT)

    def test_case_is_ignored_when_asked(self):
        assert fits("LAMBDA:Get*", "lambda:getfunction", Style.TEXT, ignore_case=True)

    def test_no_pattern_fits_nothing(self):
        assert not matcher([], Style.TEXT, variables=True)("", {})

    @given(st.text(alphabet="ab:*?/$", max_size=8), st.text(alphabet="ab:/$", max_size=8))
    def test_text_style_is_the_shell_pattern(self, pattern, text):
        """The same answer as the plainest translation of * and ?."""
        plain = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
        assert fits(pattern, text, Style.TEXT, variables=False) is (re.fullmatch(plain, text, re.DOTALL) is not None)


class TestVariables:
    def test_value_is_put_in(self):
        pattern = "arn:aws:s3:::home/${aws:username}/*"
        assert fits(pattern, "arn:aws:s3:::home/ann/x", context={"aws:username": "ann"})
        assert not fits(pattern, "arn:aws:s3:::home/bob/x", context={"aws:username": "ann"})

    def test_names_are_case_insensitive(self):
        assert fits("${AWS:UserName}", "ann", context={"aws:username": "ann"})

    def test_wildcards_in_a_value_are_plain_text(self):
        """A user named * does not reach everything."""
        assert not fits("arn:aws:s3:::${aws:username}", "arn:aws:s3:::ann", context={"aws:username": "*"})

    def test_without_value_nothing_fits(self):
        assert not fits("arn:aws:s3:::${aws:username}*", "arn:aws:s3:::")

    def test_default_stands_in(self):
        assert fits("${aws:PrincipalTag/team, 'company-wide'}", "company-wide")
        assert fits("${aws:PrincipalTag/team, 'x'}", "red", context={"aws:principaltag/team": "red"})

    def test_multivalued_keys_are_no_variables(self):
        assert not fits("${aws:TagKeys}", "a", context={"aws:tagkeys": ("a",)})

    @pytest.mark.parametrize("character", ["*", "?", "$"])
    def test_escapes(self, character):
        assert fits(f"a${{{character}}}b", f"a{character}b")
        assert not fits(f"a${{{character}}}b", "axb")

    def test_old_versions_have_no_variables(self):
        """Before version 2012-10-17 the text stands for itself."""
        assert fits("${aws:username}", "${aws:username}", variables=False)
