"""Deployment packages and layers: checked before they are accepted, unpacked once, shared read-only.

AWS: Lambda developer guide, "Working with .zip file archives for Python Lambda functions" and "Lambda quotas".
"""

from __future__ import annotations

import contextlib
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
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firefork.aws.errors import InvalidParameterValue, RequestEntityTooLarge
from firefork.store.blobs import Blobs

ZIPPED_LIMIT: Final = 52_428_800
UNZIPPED_LIMIT: Final = 262_144_000
_ENTRY_LIMIT: Final = 200_000
_CHUNK: Final = 1 << 20
_BAD_ZIP: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."
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
        for folder in (code_dir, opt_dir):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(".new-*"):  # of a server that was killed while it unpacked
                shutil.rmtree(leftover, ignore_errors=True)

    def accept(self, data: bytes, *, direct: bool = True) -> Package:
        """Check, unpack and store a zip. ``direct``: it came in the request and not by way of S3.

        Raises InvalidParameterValue or RequestEntityTooLarge in AWS's words; nothing is left on disk then.
        """
        if direct and len(data) > ZIPPED_LIMIT:
            raise RequestEntityTooLarge(f"Zipped size must be smaller than {ZIPPED_LIMIT} bytes")
        digest = hashlib.sha256(data).hexdigest()
        if self._blobs.exists(digest) and (self.code_dir / digest).is_dir() and self._manifest_path(digest).exists():
            return self.manifest(digest)
        package = self._unpack(data, digest)
        self._blobs.put(data)
        self._write_manifest(package)
        return package

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

    def _manifest_path(self, digest: str) -> Path:
        return self.code_dir / f"{digest}.json"

    def _write_manifest(self, package: Package) -> None:
        fields = {name: getattr(package, name) for name in ("digest", "size", "unzipped_size", "mentions_sdk")}
        text = json.dumps(fields | {"top_level": sorted(package.top_level)})
        # Named by the thread: two requests may bring the same package at once.
        work = self._manifest_path(package.digest).with_suffix(f".{threading.get_ident()}.tmp")
        work.write_text(text)
        os.replace(work, self._manifest_path(package.digest))
        self._manifests[package.digest] = package

    def _unpack(self, data: bytes, digest: str) -> Package:
        work = Path(tempfile.mkdtemp(dir=self.code_dir, prefix=".new-"))
        try:
            try:
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    unzipped, mentions_sdk = _extract(archive, work)
            except (
                zipfile.BadZipFile,
                zlib.error,
                EOFError,
                NotImplementedError,
                RuntimeError,
                ValueError,
                OSError,
            ):
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
    entries = archive.infolist()
    if not entries:
        raise InvalidParameterValue("Uploaded file must be a non-empty zip")
    if len(entries) > _ENTRY_LIMIT:
        raise InvalidParameterValue(_BAD_ZIP)
    total = 0
    mentions = False
    links: list[tuple[Path, str]] = []
    seen: set[str] = set()
    for entry in entries:
        parts = _safe_parts(entry.filename)
        mode = entry.external_attr >> 16
        kind = stat.S_IFMT(mode)
        if not parts:
            continue
        name = "/".join(parts)
        if entry.flag_bits & 0x1 or kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            raise InvalidParameterValue(_BAD_ZIP)
        target = work.joinpath(*parts)
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        if name in seen:
            target.unlink()
        seen.add(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == stat.S_IFLNK:
            if entry.file_size > 4096:
                raise InvalidParameterValue(_BAD_ZIP)
            links.append((target, archive.read(entry).decode()))
            continue
        written, found = _write_entry(archive, entry, target, UNZIPPED_LIMIT - total, parts[-1].endswith(".py"))
        total += written
        mentions = mentions or found
        # Everyone may read, nobody may write; what the package marked as executable stays so.
        target.chmod(0o755 if mode & 0o111 else 0o644)
    for path, destination in links:
        _link(work, path, destination)
    for path, _ in links:
        _check_link(work, path)
    for folder in [work, *(path for path in work.rglob("*") if path.is_dir() and not path.is_symlink())]:
        folder.chmod(0o755)
    return total, mentions


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
                raise InvalidParameterValue(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
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
