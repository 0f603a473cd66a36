"""Backups of either database, restored into either."""

import json
import stat
import tarfile

import pytest
from sqlalchemy.exc import SQLAlchemyError

from firefork.aws.scope import Scope
from firefork.catalog import backup
from firefork.catalog.backup import KEY_FILES, BackupFailed, restore_backup, write_backup
from firefork.catalog.functions import Functions
from firefork.catalog.iam.access_keys import AccessKeys
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import User, new_unique_id
from firefork.catalog.keys import Keys
from firefork.catalog.layers import Layers
from firefork.catalog.packages import Packages
from firefork.settings import Settings
from firefork.store.blobs import Blobs
from firefork.store.clock import now
from firefork.store.database import Database
from firefork.store.shared_packages import SharedPackages
from firefork.store.vault import KEY_FILE, Vault
from firefork.telemetry.log_event import LogEvent
from firefork.telemetry.log_store import LogStore

HERE = Scope("123456789012", "eu-west-1")
WANTED = {"runtime": "python3.12", "handler": "a.b", "role": "arn:aws:iam::123456789012:role/r"}


class Installation:
    """What a server has in a data folder and a database."""

    def __init__(self, folder, url=None):
        self.folder = folder
        vault = Vault(folder / KEY_FILE)
        self.database = Database(url, vault) if url else Database.in_folder(folder)
        self.database.migrate()
        shared = None if self.database.is_sqlite else SharedPackages(self.database)
        self.blobs = Blobs(folder / "blobs", shared)
        self.packages = Packages(self.blobs, folder / "code", folder / "opt")
        self.layers = Layers(self.database)
        settings = Settings(data_dir=folder, runtimes_dir=folder)
        self.functions = Functions(
            self.database, self.packages, self.layers, settings, schedule=lambda seconds, work: work()
        )
        self.directory = Directory(self.database)
        self.access_keys = AccessKeys(self.database, self.directory)
        self.keys = Keys(folder, settings)

    def fill(self, zipped):
        package = self.packages.accept(zipped({"a.py": "1"}))
        layer = self.layers.publish(HERE, "l", self.packages.accept(zipped({"python/b.py": "2"})))
        self.functions.create(
            HERE,
            "f",
            {**WANTED, "environment": {"PASSWORD": "x"}, "layers": self.functions.layer_references(HERE, [layer.arn])},
            package,
            {"k": "v"},
        )
        self.functions.publish_version(HERE, "f")
        self.layers.delete(HERE, "l", 1)
        self.directory.create(
            User(
                account=HERE.account,
                partition="aws",
                path="/",
                name="ann",
                id=new_unique_id("AIDA"),
                created=now(),
                tags={},
            )
        )
        self.key, self.secret = self.access_keys.create(HERE.account, "ann")
        self.write_log("before \x00 \N{SNOWMAN}")

    def write_log(self, text):
        logs = LogStore(self.database)
        logs.append(HERE, "/g", "s", [LogEvent(1000, text)])
        logs.close()

    def read_log(self):
        logs = LogStore(self.database)
        messages = [event.message for event in logs.events(HERE, "/g")]
        logs.close()
        return messages


@pytest.fixture
def install(tmp_path, request, zipped):
    """Makes installations on ``sqlite`` or ``postgresql`` in folders of their own."""
    made = []

    def make(kind, name="here"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        made.append(Installation(folder, None if kind == "sqlite" else request.getfixturevalue("make_postgresql")()))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


@pytest.fixture
def here(install, zipped):
    made = install("sqlite")
    made.fill(zipped)
    return made


def taken(installation, folder, *, with_keys=True):
    file = folder / "backup.tar"
    write_backup(file, installation.database, installation.folder, with_keys=with_keys)
    return file


class TestRestored:
    @pytest.mark.parametrize("target", ["sqlite", "postgresql"])
    @pytest.mark.parametrize("source", ["sqlite", "postgresql"])
    def test_everything_is_there_again(self, source, target, install, zipped, tmp_path, request):
        """Versions, tags, sealed environments, layers of deleted versions, users' keys, log events, the root key."""
        here = install(source)
        here.fill(zipped)
        file = taken(here, tmp_path)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        url = None if target == "sqlite" else request.getfixturevalue("make_postgresql")()
        folder = tmp_path / "there"
        manifest = restore_backup(file, url, folder)
        assert (manifest.functions, manifest.packages) == (1, 2)
        there = Installation(folder, url)
        for version in ("$LATEST", "1"):
            found = there.functions.get(HERE, "f", version)
            assert found == here.functions.get(HERE, "f", version)
            assert found.environment == {"PASSWORD": "x"}
            for digest in (found.code_sha256, found.layers[0].code_sha256):
                assert there.blobs.read(digest) == here.blobs.read(digest)
        assert there.access_keys.lookup(here.key.id).secret == here.secret
        assert there.read_log() == ["before \x00 \N{SNOWMAN}"]
        assert (folder / "credentials").read_text() == (here.folder / "credentials").read_text()
        there.write_log("after")
        assert len(there.read_log()) == 2, "ids go on where they were"
        there.database.close()

    def test_its_keys_may_come_from_elsewhere(self, here, tmp_path):
        """Without --with-keys a backup has no secret in it that it could open."""
        file = taken(here, tmp_path, with_keys=False)
        key = (here.folder / KEY_FILE).read_bytes()
        assert key not in file.read_bytes()
        folder = tmp_path / "there"
        with pytest.raises(BackupFailed, match=f"the backup has no keys: put {KEY_FILE}"):
            restore_backup(file, None, folder)
        assert list(folder.iterdir()) == []
        (folder / KEY_FILE).write_bytes(b"x" * 32)
        with pytest.raises(BackupFailed, match="is not the key"):
            restore_backup(file, None, folder)
        assert [path.name for path in folder.iterdir()] == [KEY_FILE]
        (folder / KEY_FILE).write_bytes(key)
        restore_backup(file, None, folder)
        there = Installation(folder)
        assert there.functions.get(HERE, "f", None).environment == {"PASSWORD": "x"}
        there.database.close()


class TestRefused:
    def test_a_file_that_is_there(self, here, tmp_path):
        (tmp_path / "backup.tar").write_text("mine")
        with pytest.raises(BackupFailed, match="is there already"):
            taken(here, tmp_path)
        assert (tmp_path / "backup.tar").read_text() == "mine"

    def test_a_missing_package_leaves_no_file(self, here, tmp_path):
        here.blobs.delete(here.functions.get(HERE, "f", None).code_sha256)
        with pytest.raises(BackupFailed, match="is missing"):
            taken(here, tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["here"]

    def test_a_folder_or_a_database_with_something_in_it(self, here, install, tmp_path):
        file = taken(here, tmp_path)
        with pytest.raises(BackupFailed, match="is not empty"):
            restore_backup(file, None, here.folder)
        used = install("postgresql", "used")
        with pytest.raises(BackupFailed, match="PostgreSQL database is not empty"):
            restore_backup(file, used.database.address, tmp_path / "there")
        assert list((tmp_path / "there").iterdir()) == []

    def test_a_database_that_cannot_take_it_stays_empty(self, here, make_postgresql, tmp_path, monkeypatch):
        """Half of the rows are worse than none."""
        file, url = taken(here, tmp_path), make_postgresql()

        def fail(source, target):
            raise SQLAlchemyError("full")

        with monkeypatch.context() as patch:
            patch.setattr(backup, "_copy_rows", fail)
            with pytest.raises(SQLAlchemyError):
                restore_backup(file, url, tmp_path / "there")
        restore_backup(file, url, tmp_path / "there")

    @pytest.mark.parametrize("damage", ["cut", "changed", "nonsense", "newer"])
    def test_a_damaged_one(self, damage, here, tmp_path):
        file = taken(here, tmp_path)
        content = file.read_bytes()
        if damage == "cut":
            file.write_bytes(content[: len(content) * 2 // 3])
        elif damage == "changed":
            digest = here.functions.get(HERE, "f", None).code_sha256
            place = content.index(here.blobs.read(digest)) + 20
            file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        elif damage == "nonsense":
            file.write_text("no archive")
        else:
            with tarfile.open(file) as archive:
                manifest = archive.extractfile("manifest.json").read()
            newer = manifest.replace(json.loads(manifest)["schema"].encode(), b"9999")
            file.write_bytes(content.replace(manifest, newer))
        with pytest.raises(BackupFailed):
            restore_backup(file, None, tmp_path / "there")
        assert list((tmp_path / "there").iterdir()) == []

    def test_files_of_others_are_not_written(self, here, tmp_path):
        """An archive that somebody made to write outside of the data folder writes nothing there."""
        file = taken(here, tmp_path)
        (tmp_path / "bad").write_text("bad")
        with tarfile.open(file, "a") as archive:
            for name in ("../escaped", "server.lock"):
                archive.add(tmp_path / "bad", name)
        folder = tmp_path / "deep" / "there"
        restore_backup(file, None, folder)
        assert {path.name for path in folder.iterdir()} == {"blobs", "firefork.db", *KEY_FILES}
        assert not (tmp_path / "deep" / "escaped").exists()
