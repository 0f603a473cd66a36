"""Live tails: what they take, and how much of it."""

import pytest

from firefork.aws.errors import LogsLimitExceeded
from firefork.aws.scope import Scope
from firefork.telemetry.live_tail import EVENTS_LIMIT, TAILS_LIMIT, LiveTails, Selection
from firefork.telemetry.log_event import LogEvent


@pytest.fixture
def tails():
    return LiveTails()


def everything(*groups, **members):
    return Selection(groups=groups, **{"matches": lambda message: True, **members})


def messages(tail):
    events, _ = tail.take()
    return [event.message for event in events]


class TestLiveTails:
    def test_takes_what_was_selected_and_comes_later(self, tails, scope):
        tails.offer(scope, "g", "s", [LogEvent(1, "before")])
        tail = tails.open(scope, everything("g", "h", matches=lambda message: "no" not in message))
        tails.offer(scope, "g", "s", [LogEvent(2, "yes"), LogEvent(3, "no")])
        tails.offer(scope, "h", "s", [LogEvent(4, "here")])
        tails.offer(scope, "i", "s", [LogEvent(5, "elsewhere")])
        tails.offer(Scope(scope.account, "us-east-2"), "g", "s", [LogEvent(6, "another region")])
        assert messages(tail) == ["yes", "here"]
        assert messages(tail) == []

    @pytest.mark.parametrize(
        "selected", [{"streams": {"app-1"}}, {"prefixes": ("app-", "x")}], ids=["names", "prefixes"]
    )
    def test_takes_chosen_streams_only(self, tails, scope, selected):
        tail = tails.open(scope, everything("g", **selected))
        tails.offer(scope, "g", "app-1", [LogEvent(1, "a")])
        tails.offer(scope, "g", "other", [LogEvent(2, "b")])
        assert messages(tail) == ["a"]

    def test_of_too_many_it_has_the_first_ones_and_says_so(self, tails, scope):
        tail = tails.open(scope, everything("g"))
        for start in range(0, 2 * EVENTS_LIMIT, 400):
            tails.offer(scope, "g", "s", [LogEvent(number, str(number)) for number in range(start, start + 400)])
        events, sampled = tail.take()
        assert [event.timestamp_ms for event in events] == list(range(EVENTS_LIMIT))
        assert sampled
        assert tail.take() == ([], False)

    def test_an_account_has_a_limit(self, tails, scope):
        opened = [tails.open(scope, everything("g")) for _ in range(TAILS_LIMIT)]
        with pytest.raises(LogsLimitExceeded):
            tails.open(scope, everything("g"))
        tails.open(Scope("000000000001", scope.region), everything("g"))
        tails.close(opened[0])
        tails.open(scope, everything("g"))
        tails.offer(scope, "g", "s", [LogEvent(1, "a")])
        assert messages(opened[0]) == []
