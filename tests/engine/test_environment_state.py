"""The life of an environment as a table: what may follow what, and nothing else."""

import itertools
from types import SimpleNamespace

import pytest

from firefork.engine.environment import Environment
from firefork.engine.environment_state import TRANSITIONS, EnvironmentState, IllegalStateChange, advance
from firefork.engine.sandbox.sandbox import SandboxLost

LEGAL = {
    ("STARTING", "IDLE"),
    ("STARTING", "BROKEN"),
    ("STARTING", "CLOSED"),
    ("IDLE", "BUSY"),
    ("IDLE", "BROKEN"),
    ("IDLE", "CLOSED"),
    ("BUSY", "SETTLING"),
    ("BUSY", "CLOSED"),
    ("SETTLING", "IDLE"),
    ("SETTLING", "ENDING"),
    ("SETTLING", "CLOSED"),
    ("ENDING", "BROKEN"),
    ("ENDING", "CLOSED"),
    ("BROKEN", "BUSY"),
    ("BROKEN", "CLOSED"),
}
"""Written down a second time, so that no change of the table goes unnoticed."""

PAIRS = list(itertools.product(EnvironmentState, EnvironmentState))


class TestTransitions:
    def test_the_table_has_the_pairs_of_the_lifecycle_and_no_others(self):
        assert {(before.name, after.name) for before, following in TRANSITIONS.items() for after in following} == LEGAL
        assert set(TRANSITIONS) == set(EnvironmentState)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_every_pair_is_made_or_refused(self, before, after):
        """A refused change names both states, and nothing has changed."""
        environment = object.__new__(Environment)
        environment._state = before
        if (before.name, after.name) in LEGAL:
            assert advance(before, after) is after
            environment._advance(after)
            assert environment.state is after
        else:
            with pytest.raises(IllegalStateChange) as refused:
                environment._advance(after)
            assert (refused.value.before, refused.value.after, environment.state) == (before, after, before)
            assert str(refused.value) == f"an environment that is {before.value} cannot become {after.value}"

    def test_nobody_else_can_set_it(self):
        environment = object.__new__(Environment)
        with pytest.raises(AttributeError):
            environment.state = EnvironmentState.IDLE

    @pytest.mark.parametrize("state", EnvironmentState)
    def test_every_life_ends(self, state):
        """Whatever an environment does, it can be closed at once; a closed one does nothing any more."""
        if state is EnvironmentState.CLOSED:
            assert not TRANSITIONS[state]
        else:
            assert EnvironmentState.CLOSED in TRANSITIONS[state]


class TestAFailedInvoke:
    class Ending(Environment):
        """One whose invoke is over; ``clear`` ends its processes, or cannot."""

        def __init__(self, clear):
            self._state = EnvironmentState.ENDING
            self._binding = SimpleNamespace(restored=False)
            self._server = None
            self._log = SimpleNamespace(stop_delivery=lambda: None, drain=lambda: None)
            self.sandbox = SimpleNamespace(clear=clear)
            self.offered = []

        async def _end_runtime(self, reason):
            self.sandbox.gone = SimpleNamespace(is_set=lambda: True)
            await super()._end_runtime(reason)

        async def close(self):
            self._advance(EnvironmentState.CLOSED)

        def _become_available(self, *, broken=False):
            self.offered.append(broken)

    async def test_leaves_an_environment_to_start_again(self):
        async def clear():
            pass

        environment = self.Ending(clear)
        await environment._break("TIMEOUT")
        assert environment.offered == [True]

    async def test_closes_one_whose_processes_do_not_end(self):
        """The sandbox is being killed: an invoke that got it would be killed, too."""

        async def clear():
            raise SandboxLost("its processes did not end")

        environment = self.Ending(clear)
        await environment._break("TIMEOUT")
        assert (environment.state, environment.offered) == (EnvironmentState.CLOSED, [])
