"""Packages that several requests bring at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from firefork.catalog.packages import Packages
from firefork.store.blobs import Blobs


class TestAtOnce:
    def test_the_same_package_from_many_requests_is_accepted_each_time(self, tmp_path, zipped):
        """A deployment creates many functions of one package; none of them fails, and no working file stays."""
        code = tmp_path / "code"
        packages = Packages(Blobs(tmp_path / "blobs"), code, tmp_path / "opt")
        with ThreadPoolExecutor(8) as pool:
            for number in range(20):
                package = zipped({"app.py": f"NUMBER = {number}"})
                digests = {one.digest for one in pool.map(packages.accept, [package] * 8)}
                assert len(digests) == 1
        assert sorted(path.suffix for path in code.iterdir()) == [""] * 20 + [".json"] * 20
