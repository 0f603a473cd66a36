"""The words of violations."""

import pytest

from firefork.aws import validation


class TestMessage:
    def test_iam_does_not_repeat_values(self):
        """Recorded: IAM says "Value at", the others show the value."""
        found = [
            "Value 'a' at 'b' failed to satisfy constraint: x",
            "Value null at 'c' failed to satisfy constraint: y",
        ]
        assert validation.message(found, show_values=False) == (
            "2 validation errors detected: Value at 'b' failed to satisfy constraint: x; "
            "Value at 'c' failed to satisfy constraint: y"
        )
        assert "Value 'a' at 'b'" in validation.message(found)

    def test_a_value_that_looks_like_the_text_is_hidden_whole(self):
        found = ["Value 'secret' at 'x' failed to' at 'b' failed to satisfy constraint: z"]
        assert validation.message(found, show_values=False) == (
            "1 validation error detected: Value at 'b' failed to satisfy constraint: z"
        )


class TestPatterns:
    """Patterns of models are Java's."""

    @pytest.mark.parametrize(
        ("expression", "text", "expected"),
        [
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Größe 2_x", True),
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "日本 Ⅷ", True),
            (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "a#b", False),
            (r"\p{L}+", "é1", False),
            (r"\p{L}+", "éa", True),
            (r"\p{Alnum}+", "a1", True),
            (r"[\p{Alnum}-]+", "a-1", True),
            (r"\p{Print}+", "a\tb", False),
            (r"[\w+=,.@-]+", "a.b@c", True),
        ],
    )
    def test_characters(self, expression, text, expected):
        assert (validation.pattern(expression).fullmatch(text) is not None) is expected
