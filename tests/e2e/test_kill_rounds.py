"""A server killed at random moments (benchmarks/kill_rounds.py): nothing it acknowledged is lost, nothing is left."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SEED = 20
"""Any will do; one that is fixed makes a failure one that can be looked at."""


@pytest.fixture
def kill_rounds(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import kill_rounds

    return kill_rounds


class Forgetful:
    """A server that acknowledges all and keeps nothing."""

    def __getattr__(self, name):
        return lambda **members: {"PolicyNames": []}


class TestKillRounds:
    def test_nothing_acknowledged_is_lost_and_nothing_of_the_dead_remains(self, kill_rounds):
        """Three kills under changes of functions, layers, roles and logs, and under invokes; the script has more."""
        figures, wrong = kill_rounds.kill_rounds(3, SEED)
        assert wrong == []
        assert figures["rounds"] == 3
        assert all(figures["acknowledged"][kind] > 0 for kind in ("function", "layer", "role", "log", "invoked"))

    def test_a_loss_would_be_found(self, kill_rounds):
        """The rounds can fail: what is acknowledged and then not there is named."""
        role = kill_rounds.RoleSubject("role", SEED)
        role.use(lambda service: Forgetful())
        role.change()
        assert role.verify() is None
        role.change()
        assert role.verify() == "role: [] instead of ['policy-2']"

    def test_a_change_under_way_may_be_there_or_not_but_whole(self, kill_rounds):
        role = kill_rounds.RoleSubject("role", SEED)
        role.use(lambda service: Forgetful())
        role.change()

        def cut_off():
            raise ConnectionResetError

        for after, problem in ((["policy-2"], None), ([], None)):
            with pytest.raises(ConnectionResetError):
                role.make(after, cut_off)
            assert role.verify() == problem
        with pytest.raises(ConnectionResetError):
            role.make(None, cut_off)
        role.read = lambda: ["another"]
        assert role.verify() == "role: ['another'] instead of [] or None"
