"""Databases of both kinds, before any migration."""

import pytest

from firefork.store.vault import KEY_FILE, Vault


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'firefork.db'}"
    return request.getfixturevalue("make_postgresql")()


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / KEY_FILE)
