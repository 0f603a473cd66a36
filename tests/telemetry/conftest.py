"""Log stores on a clock that tests set."""

import pytest

from firefork.aws.scope import Scope
from firefork.store.database import Database
from firefork.telemetry.log_store import LogStore


class Clock:
    """Epoch milliseconds that stand still."""

    def __init__(self, moment_ms=1_790_000_000_000):
        self.ms = moment_ms

    def __call__(self):
        return self.ms


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scope():
    return Scope("123456789012", "eu-west-1")


@pytest.fixture
def database(tmp_path):
    made = Database.in_folder(tmp_path)
    made.migrate()
    yield made
    made.close()


@pytest.fixture
def store(database, clock):
    made = LogStore(database, clock=clock)
    yield made
    made.close()
