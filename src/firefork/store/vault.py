"""Secrets at rest: sealed with a key that lies beside the database in a file of its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

KEY_FILE: Final = "secrets.key"
"""The key's name in a data folder."""
_KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
"""Bytes; AES-GCM's own size. NIST SP 800-38D."""


class SecretUnreadable(Exception):
    """A sealed secret that this key does not open: another data folder's, or damaged."""


class Vault:
    """AES-256-GCM under one key file."""

    def __init__(self, path: Path) -> None:
        """Reads the key file, or makes it with mode 0600. Raises OSError, ValueError."""
        if not path.exists():
            write_secret(path, secrets.token_bytes(_KEY_SIZE))
        key = path.read_bytes()
        if len(key) != _KEY_SIZE:
            raise ValueError(f"{path} is not a key of {_KEY_SIZE} bytes")
        self._cipher = AESGCM(key)

    def seal(self, secret: str, owner: str) -> bytes:
        """``owner`` names what the secret belongs to: it opens under that name only."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        """Raises SecretUnreadable."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], owner.encode()).decode()
        except InvalidTag:
            raise SecretUnreadable(f"the secret of {owner} cannot be read with this data folder's key") from None


def vault_of(connection: Connection) -> Vault:
    """The vault of the database that a connection leads to."""
    vault: Vault = connection.get_execution_options()["vault"]
    return vault


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    work = path.with_name(f".{path.name}.new")
    work.unlink(missing_ok=True)
    descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(work, path)
