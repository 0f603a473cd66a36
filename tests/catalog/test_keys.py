"""Signing keys: root, users, sessions."""

import stat

import pytest

from firefork.api.platform import ROLE_SESSION_S
from firefork.aws.principal import Principal, PrincipalType, Session, SigningKey
from firefork.catalog.keys import Keys, role_session
from firefork.engine import pool
from firefork.settings import Settings

ROLE_ARN = "arn:aws:iam::111111111111:role/team/worker"


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, runtimes_dir=tmp_path, account="111111111111")


@pytest.fixture
def keys(tmp_path, settings):
    return Keys(tmp_path, settings)


def opened(keys, credentials):
    return keys.lookup(credentials.access_key_id, credentials.session_token)


class TestSessions:
    def test_carry_everything_about_the_caller(self, keys, tmp_path, settings):
        """Also over a restart."""
        session = Session(
            issued_at_s=1,
            role_arn=ROLE_ARN,
            policies=("{}",),
            tags=(("a", "b"),),
            transitive_tag_keys=("a",),
            source_identity="me",
            function_arn="arn:f",
        )
        principal = role_session(ROLE_ARN, "s", role_id="AROA1", session=session)
        credentials = keys.issue_session(principal, 900)
        again = Keys(tmp_path, settings)
        for one in (keys, again):
            found = opened(one, credentials)
            assert found.principal == principal
            assert found.secret == credentials.secret_access_key
            assert hash(found.principal)

    def test_a_changed_token_opens_nothing(self, keys):
        credentials = keys.issue_session(role_session(ROLE_ARN, "s"), 900)
        token = credentials.session_token
        for position in range(0, len(token) - 4, 7):
            other = "B" if token[position] == "A" else "A"
            assert keys.lookup(credentials.access_key_id, token[:position] + other + token[position + 1 :]) is None

    def test_a_token_fits_its_key_only(self, keys):
        first = keys.issue_session(role_session(ROLE_ARN, "s"), 900)
        second = keys.issue_session(role_session(ROLE_ARN, "s"), 900)
        assert keys.lookup(first.access_key_id, second.session_token) is None

    def test_of_a_function_outlive_its_environments(self):
        """An environment never holds credentials that have expired: it is replaced well before."""
        assert ROLE_SESSION_S >= pool.MAXIMUM_AGE_S + 3600


class TestLongTermKeys:
    def test_the_root_key_is_its_owners_alone(self, keys, tmp_path):
        assert stat.S_IMODE((tmp_path / "credentials").stat().st_mode) == 0o600
        key_id = (tmp_path / "credentials").read_text().split()[3]
        assert keys.lookup(key_id, None).principal.type is PrincipalType.ROOT

    def test_keys_of_users_are_asked_for(self, tmp_path, settings):
        principal = Principal(account="111111111111", arn="arn:aws:iam::111111111111:user/ann", user_id="AIDA1")
        key = SigningKey(access_key_id="AKIA1", secret="s", session_token=None, expires_at_s=None, principal=principal)
        keys = Keys(tmp_path, settings, users={"AKIA1": key}.get)
        assert keys.lookup("AKIA1", None) is key
        assert keys.lookup("AKIA2", None) is None

    def test_tell_their_account(self, keys, tmp_path):
        key_id = (tmp_path / "credentials").read_text().split()[3]
        session = keys.issue_session(role_session("arn:aws:iam::222222222222:role/r", "s"), 900)
        assert keys.account_of(key_id) == "111111111111"
        assert keys.account_of(session.access_key_id) == "222222222222"
        assert keys.account_of("nonsense") is None


class TestPrincipals:
    @pytest.mark.parametrize(
        ("arn", "kind", "name"),
        [
            ("arn:aws:iam::111111111111:root", PrincipalType.ROOT, "root"),
            ("arn:aws:iam::111111111111:user/team/ann", PrincipalType.USER, "ann"),
            ("arn:aws:sts::111111111111:assumed-role/worker/a.session", PrincipalType.ROLE_SESSION, "worker"),
        ],
    )
    def test_type_and_name(self, arn, kind, name):
        principal = Principal(account="111111111111", arn=arn, user_id="x")
        assert (principal.type, principal.name) == (kind, name)
