"""Packages of one node and of several."""

import pytest

from firefork.store import shared_packages
from firefork.store.blobs import Blobs
from firefork.store.shared_packages import UPLOAD_MS, SharedPackages


@pytest.fixture
def shared(database):
    return SharedPackages(database)


@pytest.fixture
def later(monkeypatch):
    """Has the clock of the shared packages go on by some milliseconds."""

    def go(milliseconds):
        moment = shared_packages.now_ms() + milliseconds
        monkeypatch.setattr(shared_packages, "now_ms", lambda: moment)

    return go


class TestSharing:
    def test_one_node_reads_what_another_one_put(self, shared, tmp_path):
        here, there = Blobs(tmp_path / "here", shared), Blobs(tmp_path / "there", shared)
        digest = here.put(b"content")
        assert not there.exists(digest)
        assert there.read(digest) == b"content"
        assert there.exists(digest)

    def test_what_was_put_before_is_shared_at_a_start(self, shared, tmp_path):
        """A server that gets a second node has had its packages to itself."""
        digest = Blobs(tmp_path / "here").put(b"content")
        Blobs(tmp_path / "here", shared).share()
        assert Blobs(tmp_path / "there", shared).read(digest) == b"content"

    def test_what_nobody_has_is_not_there(self, shared, tmp_path):
        with pytest.raises(FileNotFoundError):
            Blobs(tmp_path, shared).read("0" * 64)


class TestCollection:
    def test_only_what_is_old_and_unused_goes(self, shared, later):
        for digest in "abc":
            shared.put(digest * 64, b"x")
        assert shared.collect(lambda digest: False) == 0, "their functions may still be on their way"
        later(UPLOAD_MS + 1)
        shared.put("a" * 64, b"x")
        assert shared.collect(lambda digest: digest == "b" * 64) == 1
        assert shared.digests() == {"a" * 64, "b" * 64}

    def test_one_that_another_node_takes_up_meanwhile_stays(self, shared, later):
        """Between the question and the deletion it is accepted again."""
        shared.put("a" * 64, b"x")
        later(UPLOAD_MS + 1)

        def in_use(digest):
            shared.put(digest, b"x")
            return False

        assert shared.collect(in_use) == 0
        assert shared.read("a" * 64) == b"x"
