"""Content-addressed files: what is stored under a digest never changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from firefork.store.shared_packages import SharedPackages


class Blobs:
    """Files named by the hex SHA-256 of their content, in two levels of folders."""

    def __init__(self, root: Path, shared: SharedPackages | None = None, *, is_owner: bool = True) -> None:
        """``shared`` is where other nodes find what is put here, and where theirs is fetched from.

        Whoever is not the folder's owner leaves files alone that its owner may be writing just now.
        """
        self._root = root
        self._shared = shared
        root.mkdir(parents=True, exist_ok=True)
        if is_owner:
            for leftover in root.glob("*/.new-*"):  # of a server that was killed while it wrote
                leftover.unlink(missing_ok=True)

    def put(self, data: bytes) -> str:
        """Store ``data`` durably; its digest. Storing the same twice costs nothing."""
        digest = hashlib.sha256(data).hexdigest()
        if self._shared is not None:
            self._shared.put(digest, data)
        self._keep(digest, data)
        return digest

    def _keep(self, digest: str, data: bytes) -> None:
        path = self._path(digest)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise

    def _path(self, digest: str) -> Path:
        return self._root / digest[:2] / digest

    def path(self, digest: str) -> Path:
        """The file, fetched if only another node has it so far. Raises FileNotFoundError."""
        path = self._path(digest)
        if not path.exists():
            data = None if self._shared is None else self._shared.read(digest)
            if data is None:
                raise FileNotFoundError(f"there is no package {digest}")
            self._keep(digest, data)
        return path

    def read(self, digest: str) -> bytes:
        """Raises FileNotFoundError."""
        return self.path(digest).read_bytes()

    def exists(self, digest: str) -> bool:
        """Whether it is in this folder."""
        return self._path(digest).exists()

    def delete(self, digest: str) -> None:
        """From this folder: what nodes share is left to ``SharedPackages.collect``."""
        self._path(digest).unlink(missing_ok=True)

    def share(self) -> None:
        """Have other nodes find what was put here before anything was shared."""
        if self._shared is not None:
            known = self._shared.digests()
            for digest in self.digests():
                if digest not in known:
                    self._shared.put(digest, self.read(digest))

    def digests(self) -> Iterator[str]:
        for folder in self._root.iterdir():
            for path in folder.iterdir():
                if not path.name.startswith("."):
                    yield path.name
