"""Packages: what is accepted, what is refused, and what is on disk afterwards."""

import base64
import hashlib
import io
import os
import stat
import struct
import threading
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from firefork.aws.errors import InvalidParameterValue, RequestEntityTooLarge
from firefork.catalog.functions import show_sha256
from firefork.catalog.packages import UNZIPPED_LIMIT, ZIPPED_LIMIT, Packages
from firefork.store.blobs import Blobs

BAD = "Could not unzip uploaded file. Please check your file, then try to upload again."


@pytest.fixture
def on_disk(tmp_path):
    """Every file and folder below the data folder but the three roots themselves."""

    def find():
        roots = {tmp_path / "blobs", tmp_path / "code", tmp_path / "opt"}
        return {path for path in tmp_path.rglob("*") if path not in roots and path.parent != tmp_path / "blobs"}

    return find


def entry(name, mode=0o644, kind=stat.S_IFREG):
    found = zipfile.ZipInfo(name)
    found.create_system = 3
    found.external_attr = (kind | mode) << 16
    return found


def archive(*entries, compression=zipfile.ZIP_DEFLATED):
    """A zip of ``(ZipInfo or name, content)`` in that order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for what, content in entries:
            made.writestr(what, content, compress_type=compression)
    return buffer.getvalue()


def link(name, destination):
    return entry(name, 0o777, stat.S_IFLNK), destination


class TestAccepted:
    def test_size_and_hash_are_those_of_the_zip(self, packages):
        data = archive(("app.py", "import boto3"), ("lib/x.py", "1"))
        package = packages.accept(data)
        assert package.size == len(data)
        assert package.unzipped_size == len("import boto3") + 1
        assert show_sha256(package.digest) == base64.b64encode(hashlib.sha256(data).digest()).decode()
        assert package.mentions_sdk
        assert package.top_level == {"app", "lib"}
        folder = packages.code_folder(package.digest)
        assert (folder / "app.py").read_text() == "import boto3"
        assert (folder / "lib/x.py").read_text() == "1"

    def test_modes_are_kept_as_far_as_they_matter_read_only_for_everybody(self, packages):
        """What was executable is, what was not is not; everyone may read, nobody else may write, no set-uid."""
        data = archive(
            (entry("bootstrap", 0o755), ""),
            (entry("only-owner", 0o700), ""),
            (entry("private", 0o600), ""),
            (entry("open", 0o666), ""),
            (entry("setuid", 0o4755), ""),
            ("no-mode", ""),
        )
        folder = packages.code_folder(packages.accept(data).digest)
        assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.iterdir()} == {
            "bootstrap": "0o755",
            "only-owner": "0o755",
            "private": "0o644",
            "open": "0o644",
            "setuid": "0o755",
            "no-mode": "0o644",
        }
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755

    def test_names_that_differ_by_case_are_different_files(self, packages):
        folder = packages.code_folder(packages.accept(archive(("A.py", "1"), ("a.py", "2"))).digest)
        assert {path.name: path.read_text() for path in folder.iterdir()} == {"A.py": "1", "a.py": "2"}

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_of_two_entries_with_one_name_the_later_counts(self, packages):
        data = archive(("a", "1"), ("a", "2"), link("b", "a"), ("b", "file"), ("c", "file"), link("c", "a"))
        folder = packages.code_folder(packages.accept(data).digest)
        assert (folder / "a").read_text() == "2"
        assert not (folder / "b").is_symlink()
        assert os.readlink(folder / "c") == "a"

    def test_links_inside_the_package(self, packages):
        data = archive(
            link("lib/libx.so", "libx.so.1"), ("lib/libx.so.1", "x"), link("up", "lib/../lib"), link("gone", "no")
        )
        folder = packages.code_folder(packages.accept(data).digest)
        assert (folder / "lib/libx.so").read_text() == "x"
        assert (folder / "up/libx.so.1").read_text() == "x"
        assert os.readlink(folder / "gone") == "no"

    def test_unicode_names_and_dots(self, packages):
        folder = packages.code_folder(packages.accept(archive(("./dir//ключ.txt", "x"), ("empty/", ""))).digest)
        assert (folder / "dir/ключ.txt").read_text() == "x"
        assert (folder / "empty").is_dir()

    def test_it_is_unpacked_once_and_shared(self, packages):
        data = archive(("app.py", "x"))
        first = packages.code_folder(packages.accept(data).digest)
        inode = (first / "app.py").stat().st_ino
        assert packages.code_folder(packages.accept(data).digest) == first
        assert (first / "app.py").stat().st_ino == inode

    def test_a_lost_tree_comes_back_from_the_stored_zip(self, packages):
        package = packages.accept(archive(("app.py", "x")))
        for path in sorted(packages.code_folder(package.digest).rglob("*"), reverse=True):
            path.unlink()
        packages.code_folder(package.digest).rmdir()
        assert (packages.code_folder(package.digest) / "app.py").read_text() == "x"

    def test_many_threads_with_the_same_zip(self, packages, on_disk):
        data = archive(*((f"f{number}", "x") for number in range(50)))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(packages.accept, [data] * 16))
        digest = hashlib.sha256(data).hexdigest()
        assert len(list(packages.code_folder(digest).iterdir())) == 50
        assert not [path for path in on_disk() if path.name.startswith(".")]


def encrypted():
    """A zip whose only entry says that it is encrypted."""
    data = bytearray(archive(("a", "x")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + offset
        data[place : place + 2] = struct.pack("<H", 1)
    return bytes(data)


def lying(real, told):
    """A zip whose entry unpacks to ``real`` bytes and says ``told``."""
    data = bytearray(archive(("big", b"\0" * real)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(signature) + offset
        data[place : place + 4] = struct.pack("<I", told)
    return bytes(data)


REFUSED = {
    "empty": b"",
    "no zip": b"this is no zip",
    "cut": archive(("app.py", "x" * 1000))[:-30],
    "broken inside": archive(("app.py", os.urandom(1000)), compression=zipfile.ZIP_STORED).replace(
        b"app.py", b"app.py", 1
    )[:40]
    + b"\0" * 200
    + archive(("app.py", os.urandom(1000)), compression=zipfile.ZIP_STORED)[240:],
    "absolute path": archive(("/etc/passwd", "x")),
    "drive letter": archive(("C:/x", "x")),
    "backslashes": archive((entry("a\\..\\b"), "x")),
    "parent": archive(("../x", "x")),
    "parent inside": archive(("a/../../x", "x")),
    "good then bad": archive(("good.py", "x"), ("../x", "x")),
    "device": archive((entry("tty", 0o666, stat.S_IFCHR), "")),
    "block device": archive((entry("sda", 0o666, stat.S_IFBLK), "")),
    "pipe": archive((entry("pipe", 0o666, stat.S_IFIFO), "")),
    "socket": archive((entry("sock", 0o666, stat.S_IFSOCK), "")),
    "absolute link": archive(link("a", "/etc/passwd")),
    "link up": archive(link("a", "../x")),
    "link up from below": archive(link("a/b", "../../x")),
    "link by way of a link": archive(link("a", "b/.."), link("b", "c/.."), link("c", "../x"), ("d/e", "")),
    "link through a folder link": archive(("d/e/f", ""), link("l", "d/e"), link("out", "l/../../..")),
    "link in a circle": archive(link("a", "b"), link("b", "a")),
    "link as long as a book": archive(link("a", "x" * 5000)),
    "link that is no text": archive(link("a", b"\xff\xfe")),
    "file below a file": archive(("a", "x"), ("a/b", "x")),
    "file below a link": archive(link("a", "b"), ("a/x", "x"), ("b/y", "")),
    "name too long": archive(("n" * 300, "x")),
    "encrypted": encrypted(),
    "another compression": archive(("a", "x"), compression=zipfile.ZIP_LZMA),
}


class TestRefused:
    @pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
    def test_it_is_awss_error_and_nothing_stays_on_disk(self, packages, on_disk, tmp_path, data):
        with pytest.raises(InvalidParameterValue) as refusal:
            packages.accept(data)
        assert refusal.value.message == BAD
        assert on_disk() == set()
        assert not (tmp_path.parent / "x").exists()

    def test_a_zip_without_files(self, packages, on_disk):
        with pytest.raises(InvalidParameterValue, match="Uploaded file must be a non-empty zip"):
            packages.accept(archive())
        assert on_disk() == set()

    def test_a_zip_that_unpacks_to_more_than_250_mb(self, packages, on_disk):
        """Refused by what its directory says, before a byte is written."""
        data = archive(*((f"f{number}", b"\0" * (UNZIPPED_LIMIT // 4)) for number in range(5)))
        assert len(data) < 2 << 20
        with pytest.raises(InvalidParameterValue) as refusal:
            packages.accept(data)
        assert refusal.value.message == "Unzipped size must be smaller than 262144000 bytes"
        assert on_disk() == set()

    def test_a_bomb_that_lies_about_its_size(self, packages, on_disk):
        """Never more is written than the entry said."""
        with pytest.raises(InvalidParameterValue):
            packages.accept(lying(10_000_000, 10))
        assert on_disk() == set()

    def test_more_than_50_mb_in_the_request(self, packages, on_disk):
        data = b"\0" * (ZIPPED_LIMIT + 1)
        with pytest.raises(RequestEntityTooLarge) as refusal:
            packages.accept(data)
        assert refusal.value.message == "Zipped size must be smaller than 52428800 bytes"
        assert on_disk() == set()

    def test_a_full_disk_is_not_the_callers_mistake(self, packages, on_disk, monkeypatch):
        def full(*arguments, **named):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("firefork.catalog.packages._write_entry", full)
        with pytest.raises(OSError, match="No space left"):
            packages.accept(archive(("a", "x")))
        assert on_disk() == set()


class TestAcceptedForABlock:
    def test_what_the_block_did_not_put_to_use_is_deleted(self, packages, on_disk):
        with packages.accepted(archive(("a", "x")), lambda digest: False):
            assert on_disk()
        assert on_disk() == set()

    def test_what_is_in_use_stays(self, packages, on_disk):
        with packages.accepted(archive(("a", "x")), lambda digest: True):
            pass
        assert on_disk()

    def test_another_block_with_the_same_zip_keeps_it(self, packages, on_disk):
        data = archive(("a", "x"))
        with packages.accepted(data, lambda digest: False) as outer:
            with packages.accepted(data, lambda digest: False):
                pass
            assert (packages.code_folder(outer.digest) / "a").exists()
        assert on_disk() == set()


class TestLayers:
    def test_later_layers_lie_over_earlier_ones(self, packages):
        first = packages.accept(
            archive(
                ("python/a.py", "1"),
                ("python/b.py", "1"),
                ("dir/x", "1"),
                ("file", "1"),
                link("was-link", "dir"),
                ("was-folder/x", "1"),
            )
        )
        second = packages.accept(
            archive(
                ("python/b.py", "2"),
                ("dir/y", "2"),
                ("file/now-a-folder", "2"),
                ("was-link/x", "2"),
                ("was-folder", "2"),
                link("link", "python/a.py"),
            )
        )
        merged = packages.opt_folder([first.digest, second.digest])
        assert (merged / "python/a.py").read_text() == "1"
        assert (merged / "python/b.py").read_text() == "2"
        assert {path.name for path in (merged / "dir").iterdir()} == {"x", "y"}
        assert (merged / "dir/x").read_text() == "1", "the link of the first layer is not written through"
        assert (merged / "file/now-a-folder").read_text() == "2"
        assert (merged / "was-link/x").read_text() == "2"
        assert (merged / "was-folder").read_text() == "2"
        assert (merged / "link").read_text() == "1"
        other = packages.opt_folder([second.digest, first.digest])
        assert (other / "python/b.py").read_text() == "1"
        assert (packages.code_folder(first.digest) / "python/b.py").read_text() == "1", "layers themselves stay"

    def test_files_are_not_copied(self, packages):
        layer = packages.accept(archive(("a", "x")))
        merged = packages.opt_folder([layer.digest])
        assert (merged / "a").stat().st_ino == (packages.code_folder(layer.digest) / "a").stat().st_ino


class TestGarbage:
    def test_only_what_is_used_survives_a_start(self, packages, on_disk):
        kept, lost = (packages.accept(archive((name, "x"))) for name in ("kept", "lost"))
        assert packages.collect_garbage({kept.digest}) == 1
        assert {kept.digest, f"{kept.digest}.json"} == {path.name for path in packages.code_dir.iterdir()}
        assert (packages.code_folder(kept.digest) / "kept").exists()
        with pytest.raises(FileNotFoundError):
            packages.code_folder(lost.digest)

    def test_what_a_killed_server_left_half_done_goes(self, tmp_path):
        for path in ("blobs/ab/.new-x", "code/.new-y/file", "opt/.new-z/file"):
            (tmp_path / path).parent.mkdir(parents=True)
            (tmp_path / path).touch()
        Packages(Blobs(tmp_path / "blobs"), tmp_path / "code", tmp_path / "opt")
        assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


class TestCollection:
    """While the server runs: what nothing refers to goes, and what is just being uploaded stays."""

    def test_goes_at_the_second_look(self, packages, on_disk):
        """Not at the first: environments of a function that was deleted a moment ago still run its code."""
        kept, lost = (packages.accept(archive((name, "x"))).digest for name in ("kept", "lost"))
        before = on_disk()
        assert packages.collect(kept.__eq__) == 0
        assert on_disk() == before
        assert packages.collect(kept.__eq__) == 1
        assert {kept, f"{kept}.json"} == {path.name for path in packages.code_dir.iterdir()}
        assert packages.code_folder(kept).is_dir()
        with pytest.raises(FileNotFoundError):
            packages.code_folder(lost)

    def test_what_got_an_owner_in_between_stays(self, packages):
        digest = packages.accept(archive(("a", "x"))).digest
        owned = set()
        assert packages.collect(owned.__contains__) == 0
        owned.add(digest)
        assert packages.collect(owned.__contains__) == 0
        owned.clear()
        assert packages.collect(owned.__contains__) == 0, "it is without owner for the first time again"
        assert packages.collect(owned.__contains__) == 1

    def test_a_package_that_a_request_holds_stays(self, packages):
        """It was accepted, its function is not written yet: two looks in that moment change nothing."""
        data = archive(("a", "x"))
        owned = set()
        packages.accept(data)
        packages.collect(owned.__contains__)
        with packages.accepted(data, owned.__contains__) as package:
            assert packages.collect(owned.__contains__) == 0
            assert packages.code_folder(package.digest).is_dir()
            owned.add(package.digest)
        assert packages.collect(owned.__contains__) == 0

    def test_uploads_and_looks_at_once(self, packages):
        """Many threads upload the same few packages, one looks all the time: no function ends without its code."""
        archives = [archive((f"f{number}", "x")) for number in range(3)]
        owners, lock = Counter(), threading.Lock()
        done = threading.Event()

        def own(digest, count):
            with lock:
                owners[digest] += count

        def create(number):
            with packages.accepted(archives[number % 3], lambda digest: bool(owners[digest])) as package:
                own(package.digest, 1)
            found = (packages.code_dir / package.digest).is_dir()
            own(package.digest, -1)
            return found

        def look():
            while not done.is_set():
                packages.collect(lambda digest: bool(owners[digest]))

        with ThreadPoolExecutor(5) as pool:
            looking = pool.submit(look)
            try:
                assert all(pool.map(create, range(60)))
            finally:
                done.set()
            looking.result()
