"""The words of violations."""

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
