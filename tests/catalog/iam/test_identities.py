"""What callers may do, and that changes take effect at once."""

import dataclasses
import json

import pytest
from sqlalchemy import select

from firefork.aws.principal import Principal, Session
from firefork.aws.scope import Scope
from firefork.catalog.iam.access_keys import AccessKeys
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import Group, ManagedPolicy, Role, User
from firefork.catalog.iam.identities import Identities, RoleMode
from firefork.catalog.keys import role_session
from firefork.identity.evaluation import AccessRequest, Identity, evaluate
from firefork.store.tables import iam_access_keys

ACCOUNT = "111111111111"
SCOPE = Scope(ACCOUNT, "us-east-1")
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/worker"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
USER = Principal(account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/ann", user_id="AIDA1")


def allow(action):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})


@pytest.fixture
def identities(directory):
    return Identities(directory, RoleMode.RELAXED)


def may(identities, principal, action):
    known = identities.load(principal)
    request = AccessRequest(caller=known.caller, action=action, resource="*", context={})
    return evaluate(request, known.identity, resource_policy=None, same_account=True).allowed


class TestUsers:
    def test_inline_attached_and_group_policies_add_up(self, directory, identities):
        directory.user("ann")
        directory.group("team")
        assert not may(identities, USER, "a:A")
        directory.put_inline(User, ACCOUNT, "ann", "p", allow("a:*"))
        assert may(identities, USER, "a:A")
        directory.attach(User, ACCOUNT, "ann", directory.managed("m", allow("b:*")).arn)
        assert may(identities, USER, "b:B")
        directory.put_inline(Group, ACCOUNT, "team", "p", allow("c:*"))
        assert not may(identities, USER, "c:C")
        directory.add_member(Group, ACCOUNT, "team", "ann")
        assert may(identities, USER, "c:C")

    def test_a_new_default_version_counts_at_once(self, directory, identities):
        directory.user("ann")
        arn = directory.managed("m", allow("a:*")).arn
        directory.attach(User, ACCOUNT, "ann", arn)
        assert may(identities, USER, "a:A")
        directory.create_version(ACCOUNT, arn, allow("b:*"), as_default=True)
        assert not may(identities, USER, "a:A")

    def test_the_boundary_limits_and_a_deleted_one_allows_nothing(self, directory, identities):
        arn = directory.managed("limit", allow("a:*")).arn
        directory.user("ann", boundary_arn=arn)
        directory.attach(User, ACCOUNT, "ann", ADMIN)
        assert may(identities, USER, "a:A")
        assert not may(identities, USER, "b:B")
        directory.delete(ManagedPolicy, ACCOUNT, "limit")
        assert not may(identities, USER, "a:A")

    def test_a_deleted_user_may_nothing(self, identities):
        assert identities.load(USER).identity == Identity()


class TestRoles:
    def test_one_that_exists_is_enforced(self, directory, identities):
        """Also for sessions from before it existed."""
        principal = role_session(ROLE_ARN, "s")
        assert may(identities, principal, "a:A")
        directory.role("worker")
        assert not may(identities, principal, "a:A")
        directory.attach(Role, ACCOUNT, "worker", ADMIN)
        assert may(identities, principal, "a:A")

    def test_sessions_of_a_deleted_one_may_nothing(self, directory, identities):
        """Otherwise deleting a role would give its sessions everything."""
        role = directory.role("worker")
        before = role_session(ROLE_ARN, "s", role_id=role.id)
        directory.delete(Role, ACCOUNT, "worker")
        assert not may(identities, before, "a:A")
        assert may(identities, role_session(ROLE_ARN, "s"), "a:A")

    def test_one_that_does_not_exist_may_nothing_when_enforced(self, directory):
        assert not may(Identities(directory, RoleMode.ENFORCE), role_session(ROLE_ARN, "s"), "a:A")

    @pytest.mark.parametrize("exists", [True, False])
    def test_session_policies_limit(self, directory, identities, exists):
        if exists:
            directory.role("worker")
            directory.attach(Role, ACCOUNT, "worker", ADMIN)
        session = Session(issued_at_s=0, role_arn=ROLE_ARN, policies=(allow("a:*"),))
        principal = role_session(ROLE_ARN, "s", session=session)
        assert may(identities, principal, "a:A")
        assert not may(identities, principal, "b:B")

    def test_the_callers_role_arn_has_its_path(self, directory, identities):
        directory.role("worker", path="/team/")
        assert identities.load(role_session(ROLE_ARN, "s")).caller.role_arn == (
            f"arn:aws:iam::{ACCOUNT}:role/team/worker"
        )

    def test_session_tags_win_over_the_roles(self, directory, identities):
        directory.role("worker", tags={"team": "a", "cost": "1"})
        session = Session(issued_at_s=0, role_arn=ROLE_ARN, tags=(("team", "b"),))
        known = identities.load(role_session(ROLE_ARN, "s", session=session))
        assert dict(known.tags) == {"team": "b", "cost": "1"}


class TestCache:
    def test_is_empty_after_a_change_and_full_after_a_load(self, directory, identities):
        directory.user("ann")
        assert identities.cached(USER) is None
        known = identities.load(USER)
        assert identities.cached(USER) is known
        directory.put_inline(User, ACCOUNT, "ann", "p", allow("a:*"))
        assert identities.cached(USER) is None

    def test_a_change_during_a_load_is_not_covered_up(self, directory, monkeypatch):
        """What was read before the change is not kept."""
        identities = Identities(directory, RoleMode.RELAXED)
        directory.user("ann")
        read = Directory.inline

        def changed_meanwhile(self, *arguments):
            found = read(self, *arguments)
            monkeypatch.undo()
            directory.put_inline(User, ACCOUNT, "ann", "p", allow("a:*"))
            return found

        monkeypatch.setattr(Directory, "inline", changed_meanwhile)
        identities.load(USER)
        assert identities.cached(USER) is None
        assert may(identities, USER, "a:A")


class TestFunctions:
    def test_roles_that_lambda_may_assume(self, directory, identities):
        directory.role("worker")
        directory.role(
            "other",
            trust_policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "ec2.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    },
                }
            ),
        )
        enforcing = Identities(directory, RoleMode.ENFORCE)
        for one in (identities, enforcing):
            assert one.assumable_by_lambda(ROLE_ARN)
            assert not one.assumable_by_lambda(f"arn:aws:iam::{ACCOUNT}:role/other")
        assert identities.assumable_by_lambda(f"arn:aws:iam::{ACCOUNT}:role/none")
        assert not enforcing.assumable_by_lambda(f"arn:aws:iam::{ACCOUNT}:role/none")

    def test_the_session_is_the_roles(self, directory, identities):
        role = directory.role("worker")
        principal = identities.function_session(ROLE_ARN, SCOPE, "resize")
        assert principal.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/resize"
        assert principal.user_id == f"{role.id}:resize"
        assert principal.session.function_arn == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:resize"

    def test_a_new_role_of_the_same_name_has_its_own_id(self, directory, identities):
        directory.role("worker")
        before = identities.function_session(ROLE_ARN, SCOPE, "f").user_id
        directory.delete(Role, ACCOUNT, "worker")
        directory.role("worker")
        assert identities.function_session(ROLE_ARN, SCOPE, "f").user_id != before

    def test_a_copied_arn_stays_in_the_functions_account(self, identities):
        principal = identities.function_session("arn:aws:iam::999999999999:role/team/copied", SCOPE, "f")
        assert (principal.account, principal.arn) == (
            ACCOUNT,
            f"arn:aws:sts::{ACCOUNT}:assumed-role/copied/f",
        )


class TestAccessKeys:
    @pytest.fixture
    def keys(self, database, directory, tmp_path):
        directory.user("ann")
        return AccessKeys(database, directory)

    def test_sign_for_their_user(self, keys):
        key, secret = keys.create(ACCOUNT, "ann")
        found = keys.lookup(key.id)
        assert (found.secret, found.principal.arn) == (secret, USER.arn)

    def test_secrets_are_sealed_in_the_database(self, keys, database):
        _, secret = keys.create(ACCOUNT, "ann")
        with database.read() as connection:
            (row,) = connection.execute(select(iam_access_keys)).all()
        assert secret.encode() not in row.sealed_secret
        assert secret not in repr(row)

    def test_survive_a_restart(self, keys, database, directory, tmp_path):
        key, secret = keys.create(ACCOUNT, "ann")
        again = AccessKeys(database, directory)
        assert again.lookup(key.id).secret == secret

    def test_inactive_and_deleted_ones_sign_nothing(self, keys):
        key, _ = keys.create(ACCOUNT, "ann")
        keys.set_active(ACCOUNT, "ann", key.id, active=False)
        assert keys.lookup(key.id) is None
        keys.set_active(ACCOUNT, "ann", key.id, active=True)
        assert keys.lookup(key.id) is not None
        keys.delete(ACCOUNT, "ann", key.id)
        assert keys.lookup(key.id) is None

    def test_follow_their_user_to_a_new_name(self, keys, directory):
        key, _ = keys.create(ACCOUNT, "ann")
        directory.change(User, ACCOUNT, "ann", lambda user: dataclasses.replace(user, name="eve"))
        assert keys.lookup(key.id).principal.name == "eve"
