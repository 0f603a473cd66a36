"""Decisions: which policy allows, which one wins. AWS: IAM User Guide, "Policy evaluation logic"."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firefork.identity import refusal
from firefork.identity.callers import Caller
from firefork.identity.document import Kind, compiled
from firefork.identity.evaluation import AccessRequest, Effect, Identity, Source, evaluate

ACCOUNT = "111111111111"
USER = Caller(arn=f"arn:aws:iam::{ACCOUNT}:user/ann", account=ACCOUNT)
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = Caller(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/s", account=ACCOUNT, role_arn=ROLE_ARN)
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"


def policy(*statements, kind=Kind.IDENTITY):
    return compiled(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), kind)


def allow(action="lambda:InvokeFunction", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="lambda:InvokeFunction", resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def of_resource(principal, effect="Allow"):
    return policy(
        {"Effect": effect, "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": FUNCTION},
        kind=Kind.RESOURCE,
    )


def decide(identity=None, *, caller=USER, resource_policy=None, same_account=True, context=None, **asked):
    request = AccessRequest(
        caller=caller, **{"action": "lambda:InvokeFunction", "resource": FUNCTION, "context": context or {}, **asked}
    )
    return evaluate(request, identity or Identity(), resource_policy=resource_policy, same_account=same_account)


def identity(*statements, boundary=None, session=None):
    return Identity(
        policies=(policy(*statements),) if statements else (),
        boundary=policy(*boundary) if boundary else None,
        session=tuple(policy(one) for one in session) if session is not None else None,
    )


class TestOneAccount:
    def test_nothing_attached_denies(self):
        assert decide().effect is Effect.IMPLICIT_DENY

    def test_an_allow_allows(self):
        assert decide(identity(allow())).allowed

    def test_actions_are_case_insensitive_and_have_wildcards(self):
        assert decide(identity(allow("LAMBDA:invoke*"))).allowed
        assert not decide(identity(allow("lambda:Get*"))).allowed
        assert decide(identity(allow("*"))).allowed

    def test_an_explicit_deny_wins(self):
        decision = decide(identity(allow("*"), deny()))
        assert (decision.effect, decision.source) == (Effect.EXPLICIT_DENY, Source.IDENTITY)

    def test_not_action_and_not_resource(self):
        everything_else = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
        assert decide(identity(everything_else)).allowed
        assert not decide(identity(everything_else), action="iam:CreateUser").allowed
        others = {"Effect": "Allow", "Action": "lambda:*", "NotResource": FUNCTION}
        assert not decide(identity(others)).allowed
        assert decide(identity(others), resource=f"{FUNCTION}2").allowed

    def test_conditions_all_hold(self):
        conditions = {"StringEquals": {"aws:username": "ann"}, "Bool": {"aws:SecureTransport": "true"}}
        attached = identity(allow(Condition=conditions))
        assert decide(attached, context={"aws:username": "ann", "aws:securetransport": "true"}).allowed
        assert not decide(attached, context={"aws:username": "ann", "aws:securetransport": "false"}).allowed

    def test_the_boundary_limits(self):
        decision = decide(identity(allow(), boundary=[allow("logs:*")]))
        assert (decision.effect, decision.source) == (Effect.IMPLICIT_DENY, Source.BOUNDARY)
        assert decide(identity(allow(), boundary=[allow("lambda:*")])).allowed

    def test_the_boundary_gives_nothing(self):
        assert not decide(identity(boundary=[allow()])).allowed

    def test_a_boundary_can_deny(self):
        decision = decide(identity(allow(), boundary=[allow("*"), deny()]))
        assert (decision.effect, decision.source) == (Effect.EXPLICIT_DENY, Source.BOUNDARY)

    def test_the_session_policy_limits(self):
        decision = decide(identity(allow(), session=[allow("logs:*")]), caller=SESSION)
        assert (decision.effect, decision.source) == (Effect.IMPLICIT_DENY, Source.SESSION)
        assert decide(identity(allow(), session=[allow("logs:*"), allow()]), caller=SESSION).allowed
        assert not decide(identity(allow(), session=[]), caller=SESSION).allowed


class TestResourcePolicies:
    def test_naming_the_user_is_enough_in_the_own_account(self):
        """And neither boundary nor session policy limit it."""
        assert decide(resource_policy=of_resource({"AWS": USER.arn})).source is Source.RESOURCE
        limited = identity(boundary=[allow("logs:*")])
        assert decide(limited, resource_policy=of_resource({"AWS": USER.arn})).allowed

    def test_naming_the_account_only_delegates(self):
        shared = of_resource({"AWS": ACCOUNT})
        assert not decide(resource_policy=shared).allowed
        assert decide(identity(allow()), resource_policy=shared).allowed

    def test_naming_the_role_is_limited_by_boundary_and_session(self):
        shared = of_resource({"AWS": ROLE_ARN})
        assert decide(caller=SESSION, resource_policy=shared).allowed
        assert not decide(identity(boundary=[allow("logs:*")]), caller=SESSION, resource_policy=shared).allowed
        assert not decide(identity(session=[allow("logs:*")]), caller=SESSION, resource_policy=shared).allowed

    def test_naming_the_session_is_not(self):
        shared = of_resource({"AWS": SESSION.arn})
        assert decide(identity(session=[allow("logs:*")]), caller=SESSION, resource_policy=shared).allowed

    def test_its_deny_wins_even_over_root(self):
        denied = of_resource("*", "Deny")
        decision = decide(Identity(unrestricted=True), resource_policy=denied)
        assert (decision.effect, decision.source) == (Effect.EXPLICIT_DENY, Source.RESOURCE)

    def test_services_need_it(self):
        caller = Caller.of_service("s3.amazonaws.com")
        assert decide(caller=caller, resource_policy=of_resource({"Service": "s3.amazonaws.com"})).allowed
        assert not decide(caller=caller).allowed


class TestConsent:
    """A role's trust policy has to allow, whatever its account's policies allow."""

    def test_is_asked_of_the_resource(self):
        request = AccessRequest(caller=USER, action="sts:AssumeRole", resource=ROLE_ARN, context={})
        trust = policy(
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
            kind=Kind.TRUST,
        )
        able = identity(allow("sts:AssumeRole"))
        decision = evaluate(request, able, resource_policy=trust, same_account=True, consent_needed=True)
        assert (decision.effect, decision.source) == (Effect.IMPLICIT_DENY, Source.RESOURCE)
        assert refusal.message(USER, "sts:AssumeRole", ROLE_ARN, decision).endswith(
            f"sts:AssumeRole on resource: {ROLE_ARN}"
        )


class TestTwoAccounts:
    def test_both_sides_have_to_allow(self):
        shared = of_resource({"AWS": ACCOUNT})
        assert decide(identity(allow()), resource_policy=shared, same_account=False).allowed
        without_identity = decide(resource_policy=shared, same_account=False)
        assert without_identity.source is Source.IDENTITY
        without_resource = decide(identity(allow()), same_account=False)
        assert without_resource.source is Source.RESOURCE
        assert not without_identity.allowed
        assert not without_resource.allowed

    def test_naming_the_user_is_not_enough(self):
        assert not decide(resource_policy=of_resource({"AWS": USER.arn}), same_account=False).allowed

    def test_root_needs_the_other_accounts_consent(self):
        root = Identity(unrestricted=True)
        assert not decide(root, same_account=False).allowed
        assert decide(root, resource_policy=of_resource({"AWS": ACCOUNT}), same_account=False).allowed


class TestRoot:
    def test_may_do_everything_in_its_account(self):
        assert decide(Identity(unrestricted=True), action="anything:AtAll").allowed

    def test_a_session_policy_limits_a_role_that_may_do_everything(self):
        limited = Identity(unrestricted=True, session=(policy(allow("logs:*")),))
        assert not decide(limited, caller=SESSION).allowed


_STATEMENTS = st.lists(
    st.builds(
        lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
        st.sampled_from(["Allow", "Deny"]),
        st.sampled_from(["*", "lambda:*", "lambda:InvokeFunction", "logs:*"]),
        st.sampled_from(["*", FUNCTION, f"{FUNCTION}:*", "arn:aws:s3:::b"]),
    ),
    min_size=1,
    max_size=4,
)


class TestLaws:
    @given(_STATEMENTS)
    def test_adding_a_deny_never_allows(self, statements):
        before = decide(identity(*statements))
        after = decide(identity(*statements, deny("*")))
        assert after.effect is Effect.EXPLICIT_DENY
        assert not (after.allowed and not before.allowed)

    @given(_STATEMENTS, _STATEMENTS)
    def test_a_boundary_never_widens(self, statements, boundary):
        if decide(identity(*statements, boundary=boundary)).allowed:
            assert decide(identity(*statements)).allowed
            assert decide(identity(*boundary)).allowed

    @given(_STATEMENTS)
    def test_order_does_not_matter(self, statements):
        assert decide(identity(*statements)).effect is decide(identity(*reversed(statements))).effect


class TestRefusals:
    @pytest.mark.parametrize(
        ("attached", "tail"),
        [
            (identity(), "because no identity-based policy allows the lambda:InvokeFunction action"),
            (identity(deny()), "with an explicit deny in an identity-based policy"),
            (
                identity(allow(), boundary=[allow("logs:*")]),
                "because no permissions boundary allows the lambda:InvokeFunction action",
            ),
            (identity(allow(), boundary=[deny()]), "with an explicit deny in a permissions boundary"),
            (
                identity(allow(), session=[allow("logs:*")]),
                "because no session policy allows the lambda:InvokeFunction action",
            ),
        ],
    )
    def test_words(self, attached, tail):
        text = refusal.message(USER, "lambda:InvokeFunction", FUNCTION, decide(attached))
        start = f"User: {USER.arn} is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION}"
        assert text == f"{start} {tail}"

    @pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
    def test_sts_gives_no_reason(self, action):
        """noqdev/iambic#357, OvertureMaps/stac#113."""
        text = refusal.message(USER, action, ROLE_ARN, decide(identity(deny(action)), action=action))
        assert text == f"User: {USER.arn} is not authorized to perform: {action} on resource: {ROLE_ARN}"

    def test_across_accounts(self):
        text = refusal.message(USER, "lambda:InvokeFunction", FUNCTION, decide(identity(allow()), same_account=False))
        assert text.endswith("because no resource-based policy allows the lambda:InvokeFunction action")


class TestCost:
    def test_a_decision_compiles_nothing(self, monkeypatch):
        """Everything is compiled with the policy: a decision only asks."""
        attached = identity(allow("logs:*"), allow(Condition={"StringLike": {"aws:username": "a*"}}))
        monkeypatch.setattr(re, "compile", None)
        assert decide(attached, context={"aws:username": "ann"}).allowed
