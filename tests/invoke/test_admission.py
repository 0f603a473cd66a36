"""Every rule of admission, without a server."""

import dataclasses

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firefork.aws.scope import Scope
from firefork.invoke.admission import Admission, Admitted, Demand, Reason, Refusal, Slot

HERE = Scope("000000000000", "us-east-1")
ELSEWHERE = Scope("000000000000", "eu-west-1")


def demand(name="f", version="$LATEST", **options):
    return Demand(**{"scope": HERE, "name": name, "version": version, **options})


def fill(admission, what, count):
    """Admit ``count`` invokes at a rate that no rate limit minds."""
    return [admission.admit(what, now_s=1000.0 * number) for number in range(count)]


class TestAccountLimit:
    def test_refuses_the_invoke_beyond_it(self):
        admission = Admission(2)
        assert all(isinstance(one, Admitted) for one in fill(admission, demand(), 2))
        refusal = admission.admit(demand("other"), 0.0)
        assert refusal == Refusal(reason=Reason.CONCURRENCY, retry_after_s=1.0)

    def test_each_region_has_its_own(self):
        admission = Admission(1)
        fill(admission, demand(), 1)
        assert isinstance(admission.admit(demand(scope=ELSEWHERE), 0.0), Admitted)

    def test_a_slot_that_was_given_back_is_given_again(self):
        admission = Admission(1)
        (first,) = fill(admission, demand(), 1)
        admission.release(first)
        assert isinstance(admission.admit(demand(), 0.0), Admitted)
        assert admission.running(HERE) == admission.running(HERE, "f") == 1

    def test_with_a_limit_of_zero_waiting_does_not_help(self):
        refusal = Admission(0).admit(demand(), 0.0)
        assert refusal == Refusal(reason=Reason.CONCURRENCY, retry_after_s=None)


class TestReservedConcurrency:
    def test_is_a_ceiling_of_the_function(self):
        admission = Admission(1000)
        first, second = fill(admission, demand(reserved=1, set_aside=1), 2)
        assert first.slot is Slot.RESERVED
        assert second == Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=1.0)

    def test_zero_throttles_all(self):
        refusal = Admission(1000).admit(demand(reserved=0), 0.0)
        assert refusal == Refusal(reason=Reason.RESERVED_CONCURRENCY, retry_after_s=None)

    def test_is_a_floor_that_others_cannot_take(self):
        """The account has room for five, one function keeps two of them: the others share three."""
        admission = Admission(5)
        others = fill(admission, demand("other", set_aside=2), 4)
        assert [isinstance(one, Admitted) for one in others] == [True, True, True, False]
        kept = fill(admission, demand("kept", reserved=2, set_aside=2), 3)
        assert [isinstance(one, Admitted) for one in kept] == [True, True, False]

    def test_versions_of_a_function_share_it(self):
        admission = Admission(1000)
        fill(admission, demand(version="1", reserved=1, set_aside=1), 1)
        assert isinstance(admission.admit(demand(version="2", reserved=1, set_aside=1), 1000.0), Refusal)


class TestProvisionedConcurrency:
    def test_goes_first_and_the_rest_spills_over(self):
        admission = Admission(1000)
        what = demand(version="1", provisioned=1, provisioned_of_function=1, set_aside=1)
        first, second = fill(admission, what, 2)
        assert (first.slot, first.spilled_over) == (Slot.PROVISIONED, False)
        assert (second.slot, second.spilled_over) == (Slot.UNRESERVED, True)

    def test_does_not_count_for_other_versions(self):
        admission = Admission(1000)
        other = demand(version="2", provisioned=0, provisioned_of_function=1, set_aside=1)
        (first,) = fill(admission, other, 1)
        assert (first.slot, first.spilled_over) == (Slot.UNRESERVED, False)

    def test_a_reservation_that_is_all_provisioned_leaves_nothing_to_latest(self):
        """AWS: "all invocations run on provisioned concurrency", which throttles the unpublished version."""
        admission = Admission(1000)
        latest = demand(reserved=2, provisioned=0, provisioned_of_function=2, set_aside=2)
        assert admission.admit(latest, 0.0).reason is Reason.RESERVED_CONCURRENCY

    def test_is_kept_from_the_unreserved_pool(self):
        admission = Admission(3)
        others = fill(admission, demand("other", set_aside=2), 2)
        assert [isinstance(one, Admitted) for one in others] == [True, False]
        provisioned = demand(version="1", provisioned=2, provisioned_of_function=2, set_aside=2)
        assert [one.slot for one in fill(admission, provisioned, 2)] == [Slot.PROVISIONED] * 2


class TestRates:
    @pytest.mark.parametrize(
        ("options", "reason"),
        [({}, Reason.RATE), ({"reserved": 2, "set_aside": 2}, Reason.RESERVED_RATE)],
        ids=["unreserved", "reserved"],
    )
    def test_ten_requests_a_second_for_each_unit_of_concurrency(self, options, reason):
        admission = Admission(2)
        what = demand(**options)
        for _ in range(20):
            admission.release(admission.admit(what, 5.0))
        refusal = admission.admit(what, 5.0)
        assert refusal == Refusal(reason=reason, retry_after_s=pytest.approx(1 / 20))
        assert isinstance(admission.admit(what, 5.0 + 1 / 16), Admitted)

    def test_asynchronous_invokes_have_no_rate(self):
        """AWS: Lambda quotas: their number "is based only on concurrency". They take nothing from the others' rate."""
        admission = Admission(1)
        for _ in range(50):
            admission.release(admission.admit(demand(has_rate=False), 0.0))
        for _ in range(10):
            admission.release(admission.admit(demand(), 0.0))
        assert admission.admit(demand(), 0.0).reason is Reason.RATE
        assert isinstance(admission.admit(demand(has_rate=False), 0.0), Admitted)

    def test_functions_without_a_reservation_share_the_rate(self):
        admission = Admission(1)
        for _ in range(10):
            admission.release(admission.admit(demand("one"), 0.0))
        assert admission.admit(demand("two"), 0.0).reason is Reason.RATE
        assert isinstance(admission.admit(demand("three", reserved=1), 0.0), Admitted)

    def test_a_function_grows_by_a_thousand_environments_in_ten_seconds(self):
        admission = Admission(5000)
        growing = demand(starts=True)
        assert all(isinstance(admission.admit(growing, 0.0), Admitted) for _ in range(1000))
        assert admission.admit(growing, 0.0) == Refusal(reason=Reason.CONCURRENCY, retry_after_s=0.01)
        assert isinstance(admission.admit(dataclasses.replace(growing, starts=False), 0.0), Admitted)
        assert isinstance(admission.admit(demand("other", starts=True), 0.0), Admitted)
        grown = sum(isinstance(admission.admit(growing, 5.0), Admitted) for _ in range(600))
        assert grown == 500

    def test_a_refused_invoke_costs_nothing(self):
        """A caller that is refused for concurrency has its whole rate when a slot is free."""
        admission = Admission(1)
        (running,) = fill(admission, demand(), 1)
        for _ in range(50):
            assert admission.admit(demand(), 0.0).reason is Reason.CONCURRENCY
        admission.release(running)
        assert isinstance(admission.admit(demand(), 0.0), Admitted)

    def test_a_deleted_function_begins_anew(self):
        admission = Admission(1)
        for _ in range(10):
            admission.release(admission.admit(demand(reserved=1), 0.0))
        admission.forget(HERE, "f")
        assert isinstance(admission.admit(demand(reserved=1), 0.0), Admitted)


class AnyOrderOfInvokes(RuleBasedStateMachine):
    """Invokes of functions with every kind of configuration begin and end in any order."""

    @initialize(
        account=st.integers(1, 12),
        wishes=st.lists(st.tuples(st.none() | st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=4),
    )
    def configure(self, account, wishes):
        self.account = account
        self.admission = Admission(account)
        self.configured = {}
        self.set_aside = 0
        for number, (reserved, provisioned) in enumerate(wishes):
            provisioned = min(provisioned, provisioned if reserved is None else reserved)
            needs = provisioned if reserved is None else reserved
            if self.set_aside + needs > account:
                reserved, provisioned, needs = None, 0, 0
            self.set_aside += needs
            self.configured[f"f{number}"] = (reserved, provisioned)
        self.running = []
        self.now_s = 0.0

    def demand(self, name):
        reserved, provisioned = self.configured[name]
        return demand(
            name,
            "1",
            reserved=reserved,
            provisioned=provisioned,
            provisioned_of_function=provisioned,
            set_aside=self.set_aside,
        )

    def count(self, name):
        return sum(one.name == name for one in self.running)

    @rule(number=st.integers(0, 3))
    def invoke(self, number):
        """A function gets what is set aside for it, whatever the others do; others get what is left."""
        name = f"f{number % len(self.configured)}"
        reserved, provisioned = self.configured[name]
        before = self.count(name)
        own_free = provisioned - sum(one.name == name and one.slot is Slot.PROVISIONED for one in self.running)
        shared_free = self.account - self.set_aside - sum(one.slot is Slot.UNRESERVED for one in self.running)
        self.now_s += 10.0  # no rate limit in the way
        decision = self.admission.admit(self.demand(name), self.now_s)
        if reserved is not None:
            assert isinstance(decision, Admitted) == (before < reserved), "a reservation is floor and ceiling"
        else:
            assert isinstance(decision, Admitted) == (own_free > 0 or shared_free > 0)
        if isinstance(decision, Admitted):
            self.running.append(decision)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def end(self, data):
        index = data.draw(st.integers(0, len(self.running) - 1))
        self.admission.release(self.running.pop(index))

    @precondition(lambda self: self.running)
    @rule()
    def end_all(self):
        """Nothing is left counted."""
        while self.running:
            self.admission.release(self.running.pop())
        assert self.admission.running(HERE) == 0

    @invariant()
    def never_above_a_limit(self):
        assert len(self.running) <= self.account
        assert self.admission.running(HERE) == len(self.running)
        for name, (reserved, _) in self.configured.items():
            assert reserved is None or self.count(name) <= reserved
            assert self.admission.running(HERE, name) == self.count(name)


TestAnyOrderOfInvokes = AnyOrderOfInvokes.TestCase
TestAnyOrderOfInvokes.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class TestChangedLimits:
    def test_the_account_is_never_exceeded_when_a_reservation_comes_late(self):
        """All is in use when two are reserved: they are there as soon as others end, not on top."""
        admission = Admission(3)
        running = fill(admission, demand("other"), 3)
        late = demand("late", reserved=2, set_aside=2)
        assert admission.admit(late, 0.0).reason is Reason.CONCURRENCY
        admission.release(running.pop())
        assert isinstance(admission.admit(demand("other", set_aside=2), 5000.0), Refusal)
        assert isinstance(admission.admit(late, 0.0), Admitted)
