"""Content-addressed files: what is stored under a digest never changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


class Blobs:
    """Files named by the hex SHA-256 of their content, in two levels of folders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob("*/.new-*"):  # of a server that was killed while it wrote
            leftover.unlink(missing_ok=True)

    def put(self, data: bytes) -> str:
        """Store ``data`` durably; its digest. Storing the same twice costs nothing."""
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if path.exists():
            return digest
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
        return digest

    def path(self, digest: str) -> Path:
        return self._root / digest[:2] / digest

    def read(self, digest: str) -> bytes:
        """Raises FileNotFoundError."""
        return self.path(digest).read_bytes()

    def exists(self, digest: str) -> bool:
        return self.path(digest).exists()

    def delete(self, digest: str) -> None:
        self.path(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        for folder in self._root.iterdir():
            for path in folder.iterdir():
                if not path.name.startswith("."):
                    yield path.name
