"""Deployment packages and layers: checked before they are accepted, unpacked once, shared read-only.

AWS: Lambda developer guide, "Working with .zip file archives for Python Lambda functions" and "Lambda quotas".
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import stat
import tempfile
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firefork.aws.errors import InvalidParameterValue, RequestEntityTooLarge
from firefork.store.blobs import Blobs

ZIPPED_LIMIT: Final = 52_428_800
UNZIPPED_LIMIT: Final = 262_144_000
_TOO_LARGE: Final = f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes"
_LINK_LIMIT: Final = 4096
_ENCRYPTED: Final = 0x1
_ENTRY_LIMIT: Final = 200_000
_CHUNK: Final = 1 << 20
_BAD_ZIP: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
_CLASHES: Final = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.ENAMETOOLONG, errno.EINVAL)
"""What the file system says of a zip whose entries contradict each other."""
_SDK_NAMES: Final = (b"boto3", b"botocore", b"aws_lambda_powertools", b"aioboto")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is known of an accepted zip."""

    digest: str
    """Hex SHA-256 of the zip."""
    size: int
    """Bytes of the zip."""
    unzipped_size: int
    mentions_sdk: bool
    """Whether its code is likely to import the SDK."""
    top_level: frozenset[str]
    """Importable names at its root and at a layer's two import roots."""


class Packages:
    """Zips in ``blobs``, their trees in ``code_dir``, merged layers in ``opt_dir``."""

    def __init__(self, blobs: Blobs, code_dir: Path, opt_dir: Path) -> None:
        self._blobs = blobs
        self.code_dir = code_dir
        self.opt_dir = opt_dir
        self._manifests: dict[str, Package] = {}
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._unowned: set[str] = set()
        for folder in (code_dir, opt_dir):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(".new-*"):  # of a server that was killed while it unpacked
                _remove(leftover)

    def accept(self, data: bytes, *, direct: bool = True) -> Package:
        """Check, unpack and store a zip. ``direct``: it came in the request and not by way of S3.

        Raises InvalidParameterValue or RequestEntityTooLarge in AWS's words; nothing is left on disk then.
        """
        if direct and len(data) > ZIPPED_LIMIT:
            raise RequestEntityTooLarge(f"Zipped size must be smaller than {ZIPPED_LIMIT} bytes")
        digest = hashlib.sha256(data).hexdigest()
        if self._blobs.exists(digest) and (self.code_dir / digest).is_dir() and self._manifest_path(digest).exists():
            self._blobs.put(data)  # other nodes are told that it is wanted again
            return self.manifest(digest)
        package = self._unpack(data, digest)
        self._blobs.put(data)
        self._write_manifest(package)
        return package

    @contextlib.contextmanager
    def accepted(self, data: bytes, in_use: Callable[[str], bool], *, direct: bool = True) -> Iterator[Package]:
        """An accepted package for the length of a block; after it, what is not ``in_use`` is deleted again.

        So a function that is refused for another reason than its package leaves nothing on disk either. Raises what
        ``accept`` raises.
        """
        digest = hashlib.sha256(data).hexdigest()
        with self._lock:
            self._held[digest] += 1
        try:
            yield self.accept(data, direct=direct)
        finally:
            with self._lock:
                self._held[digest] -= 1
                if not self._held[digest]:
                    del self._held[digest]
                    if not in_use(digest):
                        self._delete(digest)

    def _delete(self, digest: str) -> None:
        self._manifests.pop(digest, None)
        self._blobs.delete(digest)
        self._manifest_path(digest).unlink(missing_ok=True)
        shutil.rmtree(self.code_dir / digest, ignore_errors=True)

    def manifest(self, digest: str) -> Package:
        """What was found out when the zip was accepted."""
        package = self._manifests.get(digest)
        if package is None:
            path = self._manifest_path(digest)
            if not path.exists():
                package = self._unpack(self._blobs.read(digest), digest)
                self._write_manifest(package)
            else:
                stored = json.loads(path.read_text())
                package = Package(**(stored | {"top_level": frozenset(stored["top_level"])}))
                self._manifests[digest] = package
        return package

    def zip_file(self, digest: str) -> Path:
        """The zip as it was uploaded. Raises FileNotFoundError."""
        return self._blobs.path(digest)

    def code_folder(self, digest: str) -> Path:
        """The unpacked tree; unpacked again from the stored zip if it is missing."""
        folder = self.code_dir / digest
        if not folder.is_dir():
            self._unpack(self._blobs.read(digest), digest)
        return folder

    def opt_folder(self, digests: list[str]) -> Path:
        """The layers' trees merged in order, later ones on top. Files are hard links to the layers' own."""
        name = hashlib.sha256("\n".join(digests).encode()).hexdigest()
        target = self.opt_dir / name
        if target.is_dir():
            return target
        work = Path(tempfile.mkdtemp(dir=self.opt_dir, prefix=".new-"))
        try:
            for digest in digests:
                _merge(self.code_folder(digest), work)
            work.chmod(0o755)
            _publish(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return target

    def wants_sdk(self, code: str, layers: list[str]) -> bool:
        """Whether to run on an interpreter with the SDK loaded: it is used, and nobody brings a copy of it."""
        packages = [self.manifest(digest) for digest in (code, *layers)]
        preloaded = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"}
        return any(package.mentions_sdk for package in packages) and not any(
            package.top_level & preloaded for package in packages
        )

    def collect_garbage(self, in_use: set[str]) -> int:
        """Delete zips and trees that nothing refers to; how many. Only while no environment runs: at start."""
        count = 0
        for digest in list(self._blobs.digests()):
            if digest not in in_use:
                self._blobs.delete(digest)
                self._manifest_path(digest).unlink(missing_ok=True)
                count += 1
        for folder in self.code_dir.iterdir():
            if folder.is_dir() and folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in self.opt_dir.iterdir():
            shutil.rmtree(folder, ignore_errors=True)  # merged again when needed
        return count

    def collect(self, in_use: Callable[[str], bool]) -> int:
        """Delete packages that nothing refers to, if nothing did when this was called last; how many. At any time.

        So an environment of a deleted function keeps its code as long as its last invoke may take, if the calls are
        that far apart. ``in_use`` reads the database.
        """
        unowned = {digest for digest in list(self._blobs.digests()) if not in_use(digest)}
        count = 0
        for digest in unowned & self._unowned:
            with self._lock:
                # Asked again: a request that holds the package, or has held it since, may have given it an owner.
                if digest not in self._held and not in_use(digest):
                    self._delete(digest)
                    count += 1
        self._unowned = unowned
        return count

    def _manifest_path(self, digest: str) -> Path:
        return self.code_dir / f"{digest}.json"

    def _write_manifest(self, package: Package) -> None:
        fields = {name: getattr(package, name) for name in ("digest", "size", "unzipped_size", "mentions_sdk")}
        text = json.dumps(fields | {"top_level": sorted(package.top_level)})
        # A name of its own: other threads may be accepting the same package.
        descriptor, work = tempfile.mkstemp(dir=self.code_dir, prefix=".new-")
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(work, self._manifest_path(package.digest))
        self._manifests[package.digest] = package

    def _unpack(self, data: bytes, digest: str) -> Package:
        work = Path(tempfile.mkdtemp(dir=self.code_dir, prefix=".new-"))
        try:
            try:
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    unzipped, mentions_sdk = _extract(archive, work)
            except OSError as error:
                if error.errno not in _CLASHES:
                    raise  # a full disk is not the caller's mistake
                raise InvalidParameterValue(_BAD_ZIP) from None
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
                raise InvalidParameterValue(_BAD_ZIP) from None
            top_level = _top_level(work)
            _publish(work, self.code_dir / digest)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return Package(
            digest=digest,
            size=len(data),
            unzipped_size=unzipped,
            mentions_sdk=mentions_sdk,
            top_level=top_level,
        )


def _publish(work: Path, target: Path) -> None:
    """Rename into place; when another one was faster, its tree is as good."""
    try:
        os.rename(work, target)
    except OSError:
        if not target.is_dir():
            raise


def _extract(archive: zipfile.ZipFile, work: Path) -> tuple[int, bool]:
    """Write every entry below ``work``; bytes written, and whether code mentions the SDK."""
    if len(archive.infolist()) > _ENTRY_LIMIT:
        raise InvalidParameterValue(_BAD_ZIP)
    # Of two entries with one name the later one counts, as for unzip.
    entries = {"/".join(parts): entry for entry in archive.infolist() if (parts := _checked_parts(entry))}
    if not entries:
        raise InvalidParameterValue("Uploaded file must be a non-empty zip")
    if sum(entry.file_size for entry in entries.values()) > UNZIPPED_LIMIT:
        raise InvalidParameterValue(_TOO_LARGE)
    total = 0
    mentions = False
    links: dict[Path, str] = {}
    for name, entry in entries.items():
        target = work / name
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = entry.external_attr >> 16
        if stat.S_ISLNK(mode):
            if entry.file_size > _LINK_LIMIT:
                raise InvalidParameterValue(_BAD_ZIP)
            links[target] = archive.read(entry).decode()
            continue
        written, found = _write_entry(archive, entry, target, UNZIPPED_LIMIT - total, name.endswith(".py"))
        total += written
        mentions = mentions or found
        # Everyone may read, nobody may write; what the package marked as executable stays so.
        target.chmod(0o755 if mode & 0o111 else 0o644)
    for path, destination in links.items():
        _link(work, path, destination)
    for path in links:
        _check_link(work, path)
    for folder in [work, *(path for path in work.rglob("*") if path.is_dir() and not path.is_symlink())]:
        folder.chmod(0o755)
    return total, mentions


def _checked_parts(entry: zipfile.ZipInfo) -> list[str]:
    """The parts of an entry's name; none for the root itself. Raises InvalidParameterValue for what no package has."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if (
        entry.flag_bits & _ENCRYPTED
        or kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK)
        or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    ):
        raise InvalidParameterValue(_BAD_ZIP)
    return _safe_parts(entry.filename)


def _safe_parts(name: str) -> list[str]:
    if name.startswith("/") or "\\" in name or "\0" in name or name[1:3] == ":/":
        raise InvalidParameterValue(_BAD_ZIP)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or any(len(part.encode("utf-8", "surrogatepass")) > 255 for part in parts):
        raise InvalidParameterValue(_BAD_ZIP)
    return parts


def _write_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, room: int, is_code: bool
) -> tuple[int, bool]:
    """Unpack one file, counting what really comes out: a header may say anything."""
    written = 0
    mentions = False
    with archive.open(entry) as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > room:
                raise InvalidParameterValue(_TOO_LARGE)
            if is_code and not mentions:
                mentions = any(word in chunk for word in _SDK_NAMES)
            file.write(chunk)
    return written, mentions


def _link(work: Path, path: Path, destination: str) -> None:
    """Make a symbolic link, if it stays inside the package wherever that is mounted."""
    if not destination or destination.startswith("/") or "\0" in destination:
        raise InvalidParameterValue(_BAD_ZIP)
    resolved = Path(os.path.normpath(path.parent / destination))
    if not resolved.is_relative_to(work):
        raise InvalidParameterValue(_BAD_ZIP)
    path.symlink_to(destination)


def _check_link(work: Path, path: Path) -> None:
    """With all links in place: one that goes by way of another could still lead out, or in a circle."""
    with contextlib.suppress(FileNotFoundError):
        try:
            outside = not path.resolve(strict=True).is_relative_to(work.resolve())
        except FileNotFoundError:
            raise
        except (RuntimeError, OSError):
            outside = True
        if outside:
            raise InvalidParameterValue(_BAD_ZIP)


def _merge(source: Path, target: Path) -> None:
    for folder, folders, files in os.walk(source):
        inside = target / Path(folder).relative_to(source)
        for name in folders:
            path = Path(folder, name)
            goal = inside / name
            if path.is_symlink():
                _remove(goal)
                os.symlink(os.readlink(path), goal)
                continue
            if goal.is_symlink() or (goal.exists() and not goal.is_dir()):
                _remove(goal)
            goal.mkdir(exist_ok=True)
        for name in files:
            path, goal = Path(folder, name), inside / name
            _remove(goal)
            if path.is_symlink():
                os.symlink(os.readlink(path), goal)
                continue
            try:
                os.link(path, goal)
            except OSError:
                shutil.copy2(path, goal)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _top_level(work: Path) -> frozenset[str]:
    names: set[str] = set()
    roots = [work, work / "python", *work.glob("python/lib/python3.*/site-packages")]
    for root in roots:
        if root.is_dir():
            names.update(path.name.partition(".")[0] for path in root.iterdir())
    return frozenset(names)
