"""Access keys: the root key of a data folder, and the temporary keys of role sessions.

A session's token carries everything that is needed to check it, sealed with a key of this data folder, and its secret
follows from the token. So issuing one costs no storage, and tokens outlive a restart.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from firefork.aws.principal import Principal, SigningKey
from firefork.settings import Settings

_SEAL_SIZE: Final = 16
TEST_KEY: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCredentials:
    """Temporary credentials. AWS: STS API reference, Credentials."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at_s: int
    """Epoch seconds."""

    def as_environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


class Keys:
    """Looks keys up without the database; made once a server."""

    def __init__(self, data_dir: Path, settings: Settings) -> None:
        """Reads or makes the root key and the sealing key in ``data_dir``. Raises OSError, ValueError."""
        self.root = root = Principal(
            account=settings.account, arn=f"arn:aws:iam::{settings.account}:root", user_id=settings.account
        )
        key_id, secret = _root_key(data_dir / "credentials")
        self._permanent = {key_id: _permanent(key_id, secret, root)}
        if settings.test_credentials:
            self._permanent[TEST_KEY] = _permanent(TEST_KEY, TEST_KEY, root)
        self._seal_key = _sealing_key(data_dir / "session.key")
        self._sessions: dict[str, SigningKey] = {}

    def lookup(self, access_key_id: str, session_token: str | None) -> SigningKey | None:
        """The key of that id, ``None`` if there is none or the token is not ours. Expiry is the caller's to judge."""
        if session_token is None:
            return self._permanent.get(access_key_id)
        known = self._sessions.get(session_token)
        if known is None:
            known = self._open(session_token)
            if known is None:
                return None
            if len(self._sessions) >= 4096:
                self._sessions.clear()
            self._sessions[session_token] = known
        return known if known.access_key_id == access_key_id else None

    def issue_session(self, principal: Principal, duration_s: int) -> SessionCredentials:
        """New temporary credentials for ``principal``."""
        key_id = f"ASIA{base64.b32encode(secrets.token_bytes(10)).decode()}"
        expires = int(time.time()) + duration_s
        claims = [key_id, expires, principal.account, principal.arn, principal.user_id]
        payload = json.dumps(claims, separators=(",", ":")).encode()
        token = base64.b64encode(self._seal(payload) + payload).decode()
        return SessionCredentials(
            access_key_id=key_id,
            secret_access_key=self._secret(token),
            session_token=token,
            expires_at_s=expires,
        )

    def _open(self, token: str) -> SigningKey | None:
        try:
            sealed = base64.b64decode(token, validate=True)
            seal, payload = sealed[:_SEAL_SIZE], sealed[_SEAL_SIZE:]
            if not hmac.compare_digest(seal, self._seal(payload)):
                return None
            key_id, expires, account, arn, user_id = json.loads(payload)
        except ValueError:
            return None
        return SigningKey(
            access_key_id=key_id,
            secret=self._secret(token),
            session_token=token,
            expires_at_s=expires,
            principal=Principal(account=account, arn=arn, user_id=user_id),
        )

    def _seal(self, payload: bytes) -> bytes:
        return hmac.new(self._seal_key, b"seal" + payload, hashlib.sha256).digest()[:_SEAL_SIZE]

    def _secret(self, token: str) -> str:
        digest = hmac.new(self._seal_key, b"secret" + token.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest[:30]).decode()

    def seal_link(self, text: str) -> str:
        """A hex seal for links that this server makes and checks itself."""
        return hmac.new(self._seal_key, b"link" + text.encode(), hashlib.sha256).hexdigest()


def role_session(role_arn: str, session_name: str) -> Principal:
    """Who a role's session is. AWS: IAM User Guide, "Unique identifiers" (AROA… is the role's own)."""
    parts = role_arn.split(":", 5)
    partition, account, name = parts[1], parts[4], parts[5].rpartition("/")[2]
    unique = base64.b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()[:17]
    return Principal(
        account=account,
        arn=f"arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}",
        user_id=f"AROA{unique}:{session_name}",
    )


def _permanent(key_id: str, secret: str, principal: Principal) -> SigningKey:
    return SigningKey(access_key_id=key_id, secret=secret, session_token=None, expires_at_s=None, principal=principal)


def _root_key(path: Path) -> tuple[str, str]:
    """Read the credentials file, or make it: AWS's own format, for nobody but the owner."""
    parser = configparser.ConfigParser(interpolation=None)
    if path.exists():
        parser.read(path)
        try:
            return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]
        except KeyError:
            raise ValueError(f"{path} has no profile [default] with a key pair") from None
    key_id = f"AKIA{base64.b32encode(secrets.token_bytes(10)).decode()}"
    secret = base64.b64encode(secrets.token_bytes(30)).decode()
    text = f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
    _write_secret(path, text.encode())
    return key_id, secret


def _sealing_key(path: Path) -> bytes:
    if not path.exists():
        _write_secret(path, secrets.token_bytes(32))
    return path.read_bytes()


def _write_secret(path: Path, data: bytes) -> None:
    work = path.with_name(f".{path.name}.new")
    work.unlink(missing_ok=True)
    descriptor = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(work, path)
