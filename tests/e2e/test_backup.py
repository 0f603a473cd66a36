"""``firefork backup`` while a server is at work, and ``firefork restore``."""

import io
import itertools
import threading
import urllib.request
import zipfile

import pytest

ROLE = "arn:aws:iam::000000000000:role/tester"


class Changes:
    """Creates, changes and deletes functions until it is told to stop. Each tells its number in three places."""

    def __init__(self, client, zipped):
        self.client, self.zipped = client, zipped
        self.count = 0
        self.going = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        assert self.going.wait(60)
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()

    def _run(self):
        for number in itertools.count():
            if self._stop.is_set():
                return
            self.client.create_function(
                FunctionName=f"n{number}",
                Runtime="python3.12",
                Handler="app.handler",
                Role=ROLE,
                Code={"ZipFile": self.zipped({"app.py": f"def handler(event, context):\n    return {number}\n"})},
                Environment={"Variables": {"NUMBER": str(number)}},
                Tags={"number": str(number)},
            )
            if number % 3 == 2:
                self.client.delete_function(FunctionName=f"n{number - 1}")
            self.count = number + 1
            if number == 3:
                self.going.set()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
class TestBackup:
    def test_of_a_running_server_is_whole(self, kind, start_server, firefork, zipped, tmp_path, request):
        """Each function that is in it has its code, its tags and its variables; one of them runs."""
        options = () if kind == "sqlite" else ("--database", request.getfixturevalue("make_postgresql")())
        server = start_server(tmp_path / "here", *options)
        file = tmp_path / "backup.tar"
        with Changes(server.client("lambda"), zipped) as changes:
            before = changes.count
            done = firefork("backup", file, "--data-dir", server.data_dir, "--with-keys", *options)
            assert done.returncode == 0, done.stderr
            after = changes.count
        assert server.stop() == 0
        assert f"{file}: " in done.stdout
        done = firefork("restore", file, "--data-dir", tmp_path / "there")
        assert done.returncode == 0, done.stderr
        restored = start_server(tmp_path / "there")
        client = restored.client("lambda")
        pages = client.get_paginator("list_functions").paginate()
        names = {each["FunctionName"] for page in pages for each in page["Functions"]}
        last = max(int(name[1:]) for name in names)
        assert before - 1 <= last <= after
        for name in names:
            found = client.get_function(FunctionName=name)
            assert found["Tags"] == {"number": name[1:]}
            assert found["Configuration"]["Environment"]["Variables"] == {"NUMBER": name[1:]}
            with urllib.request.urlopen(found["Code"]["Location"]) as link:
                code = zipfile.ZipFile(io.BytesIO(link.read())).read("app.py").decode()
            assert code.endswith(f"return {name[1:]}\n")
        assert client.invoke(FunctionName=f"n{last}")["Payload"].read() == str(last).encode()
        assert restored.stop() == 0


class TestRefusals:
    """One line and a non-zero exit."""

    def test_no_server_was_there(self, firefork, refused, tmp_path):
        said = refused(firefork("backup", tmp_path / "file", "--data-dir", tmp_path / "none"), 1)
        assert said == f"no server has kept anything in {tmp_path / 'none'}"
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_in_use(self, firefork, refused, server, tmp_path):
        file = tmp_path / "backup.tar"
        assert firefork("backup", file, "--data-dir", server.data_dir).returncode == 0
        said = refused(firefork("restore", file, "--data-dir", server.data_dir), 1)
        assert said == f"the data folder {server.data_dir} is not empty"
        said = refused(firefork("backup", file, "--data-dir", server.data_dir), 1)
        assert said == f"{file} is there already"
        said = refused(
            firefork(
                "backup", tmp_path / "b", "--data-dir", server.data_dir, "--database", "postgresql://127.0.0.1:1/x"
            ),
            1,
        )
        assert said.startswith("the database cannot be used: ")
