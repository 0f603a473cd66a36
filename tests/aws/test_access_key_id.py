"""Access key ids tell their account."""

from hypothesis import given
from hypothesis import strategies as st

from firefork.aws.access_key_id import account_of, new_access_key_id


class TestAccessKeyIds:
    @given(st.integers(0, 10**12 - 1).map(lambda number: f"{number:012d}"), st.sampled_from(["AKIA", "ASIA"]))
    def test_round_trip(self, account, prefix):
        key_id = new_access_key_id(prefix, account)
        assert account_of(key_id) == account
        assert len(key_id) == 20
        assert key_id.startswith(prefix)

    def test_a_documented_key_of_aws(self):
        """The example of the STS documentation's readers: the account is in the id itself."""
        assert account_of("ASIAQNZGKIQY56JQ7WML") == "029608264753"

    @given(st.text(max_size=24))
    def test_anything_else_is_no_key(self, text):
        found = account_of(text)
        assert found is None or (len(found) == 12 and found.isdigit())
