"""``firefork runtimes``: what there is, and installing."""

import json

import pytest


@pytest.fixture
def offline(tmp_path):
    """A machine that reaches no index and has nothing cached."""
    return {
        "UV_OFFLINE": "1",
        "UV_NO_CONFIG": "1",
        "UV_NO_INDEX": "1",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "pythons"),
    }


class TestList:
    def test_tells_what_belongs_to_an_identifier(self, firefork, runtimes_dir):
        """Interpreter, client, SDK, operating system, dates, state."""
        found = json.loads(firefork("runtimes", "--runtimes-dir", runtimes_dir, "--json").stdout)
        rows = {row["identifier"]: row for row in found}
        assert {f"python3.{minor}" for minor in range(8, 16)} | {"provided", "provided.al2023"} <= rows.keys()
        newest = rows["python3.12"]
        assert newest["python"].startswith("3.12.")
        assert newest["awslambdaric"]
        assert newest["sdk"]
        assert newest["operating_system"] == "Amazon Linux 2023"
        assert newest["state"] in ("ready", "ready, deprecated")
        assert (newest["deprecated_on"], newest["block_create_on"], newest["block_update_on"]) == (
            "2028-10-31",
            "2028-11-30",
            "2029-01-10",
        )

    def test_prints_whole_rows_for_people(self, firefork, runtimes_dir):
        found = json.loads(firefork("runtimes", "list", "--json", environment=self._at(runtimes_dir)).stdout)
        lines = firefork("runtimes", environment=self._at(runtimes_dir)).stdout.splitlines()
        assert lines[0].split()[0] == "identifier"
        assert [line.split()[0] for line in lines[1:]] == [row["identifier"] for row in found]

    @staticmethod
    def _at(runtimes_dir):
        return {"FIREFORK_RUNTIMES_DIR": str(runtimes_dir)}


class TestInstall:
    def test_says_that_a_runtime_is_there(self, firefork, runtimes_dir):
        result = firefork("runtimes", "--runtimes-dir", runtimes_dir, "install", "python3.12")
        assert (result.returncode, result.stdout) == (0, "python3.12 is installed.\n")

    def test_says_plainly_that_the_network_does_not_allow_it(self, firefork, refused, offline, tmp_path):
        """A client that cannot be fetched; nothing half-installed stays."""
        folder = tmp_path / "runtimes"
        result = firefork("runtimes", "--runtimes-dir", folder, "install", "python3.12", environment=offline)
        assert refused(result, 1).startswith("python3.12: python3.12.client.txt: ")
        assert not (folder / "python3.12").exists()
        assert list(folder.glob(".python3.12-*")) == []

    def test_says_plainly_that_an_interpreter_cannot_be_fetched(
        self, firefork, refused, offline, runtimes_dir, tmp_path
    ):
        rows = json.loads(firefork("runtimes", "--runtimes-dir", runtimes_dir, "--json").stdout)
        absent = [row["identifier"] for row in rows if row["state"] == "no interpreter"]
        if not absent:
            pytest.skip("every interpreter is on this machine")
        result = firefork("runtimes", "--runtimes-dir", tmp_path, "install", absent[0], environment=offline)
        said = refused(result, 1)
        assert said.startswith(f"{absent[0]}: the interpreter is not on this machine and could not be fetched (")
        assert said.endswith("name it with --interpreter.")

    @pytest.mark.parametrize("identifier", ["python2.7", "python3.7", "ruby3.4"])
    def test_an_identifier_that_nobody_can_install(self, identifier, usage_error):
        assert (
            usage_error("runtimes", "install", identifier)
            == f"'{identifier}' is no runtime that can be installed; see `firefork runtimes`."
        )

    def test_without_saying_what(self, usage_error):
        assert usage_error("runtimes", "install") == "Name the runtimes to install, or use --all."
