"""One-time sign-in links."""

import pytest

from firefork.catalog.sign_in_links import LIFE_S, SignInLinks


class Clock:
    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def make(clock, run_id="run", key="key"):
    return SignInLinks(lambda text: f"{key}:{text}".encode().hex(), run_id, now=clock)


class TestSignInLinks:
    def test_a_token_is_good_once(self, clock):
        links = make(clock)
        token = links.issue()
        assert links.redeem(token)
        assert not links.redeem(token)

    def test_tokens_do_not_use_up_each_other(self, clock):
        links = make(clock)
        first, second = links.issue(), links.issue()
        assert links.redeem(second)
        assert links.redeem(first)

    def test_a_token_expires(self, clock):
        links = make(clock)
        token = links.issue()
        clock.now += LIFE_S + 1
        assert not links.redeem(token)

    def test_another_maker_with_the_same_key_and_run_counts(self, clock):
        """So `firefork console` makes links for the server that runs."""
        assert make(clock).redeem(make(clock).issue())

    @pytest.mark.parametrize("other", [{"run_id": "next"}, {"key": "other"}])
    def test_a_token_of_another_run_or_key_is_refused(self, clock, other):
        assert not make(clock).redeem(make(clock, **other).issue())

    @pytest.mark.parametrize("token", ["", ".", "..", "9999999999.abc.", "x.y.z", "é.ü.ö"])
    def test_what_is_no_token_is_refused(self, clock, token):
        assert not make(clock).redeem(token)

    def test_a_changed_expiry_breaks_the_seal(self, clock):
        links = make(clock)
        expires, rest = links.issue().split(".", 1)
        assert not links.redeem(f"{int(expires) + 1}.{rest}")
