"""A catalog on a real database, whose states change when a test says so."""

import pytest

from firefork.aws.scope import Scope
from firefork.catalog.functions import Functions
from firefork.catalog.layers import Layers
from firefork.catalog.packages import Packages
from firefork.settings import Settings
from firefork.store.blobs import Blobs


@pytest.fixture
def packages(tmp_path):
    return Packages(Blobs(tmp_path / "blobs"), tmp_path / "code", tmp_path / "opt")


@pytest.fixture
def scope():
    return Scope("123456789012", "eu-west-1")


@pytest.fixture
def layers(database):
    return Layers(database)


@pytest.fixture
def functions(database, packages, layers, tmp_path):
    """Nothing settles by itself: call ``settle``."""
    settings = Settings(data_dir=tmp_path, runtimes_dir=tmp_path)
    return Functions(database, packages, layers, settings, schedule=lambda seconds, work: None)
