"""Access keys: the root key of a data folder, those of IAM users, and the temporary keys of sessions.

A session's token carries everything that is needed to check it, sealed with a key of this data folder, and its secret
follows from the token. So issuing one costs no storage, and tokens outlive a restart.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from firefork.aws.access_key_id import account_of, new_access_key_id
from firefork.aws.principal import Principal, Session, SigningKey
from firefork.settings import Settings
from firefork.store.vault import write_secret

_SEAL_SIZE: Final = 16
TEST_KEY: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCredentials:
    """Temporary credentials. AWS: STS API reference, Credentials."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
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

    def __init__(
        self,
        data_dir: Path,
        settings: Settings,
        *,
        users: Callable[[str], SigningKey | None] = lambda access_key_id: None,
    ) -> None:
        """Reads or makes the root key and the sealing key in ``data_dir``; ``users`` finds the keys of IAM users.

        Raises OSError, ValueError.
        """
        self._users = users
        self.root = root = Principal(
            account=settings.account, arn=f"arn:aws:iam::{settings.account}:root", user_id=settings.account
        )
        key_id, secret = _root_key(data_dir / "credentials", settings.account)
        self._permanent = {key_id: _permanent(key_id, secret, root)}
        if settings.test_credentials:
            self._permanent[TEST_KEY] = _permanent(TEST_KEY, TEST_KEY, root)
        self._seal_key = _sealing_key(data_dir / "session.key")
        self._sessions: dict[str, SigningKey] = {}

    def lookup(self, access_key_id: str, session_token: str | None) -> SigningKey | None:
        """The key of that id, ``None`` if there is none or the token is not ours. Expiry is the caller's to judge."""
        if session_token is None:
            return self._permanent.get(access_key_id) or self._users(access_key_id)
        known = self._sessions.get(session_token)
        if known is None:
            known = self._open(session_token)
            if known is None:
                return None
            if len(self._sessions) >= 4096:
                self._sessions.clear()
            self._sessions[session_token] = known
        return known if known.access_key_id == access_key_id else None

    def account_of(self, access_key_id: str) -> str | None:
        """The account a key belongs to, also of keys that this server never made. AWS: STS, GetAccessKeyInfo."""
        known = self.lookup(access_key_id, None)
        return known.principal.account if known is not None else account_of(access_key_id)

    def issue_session(self, principal: Principal, duration_s: int) -> SessionCredentials:
        """New temporary credentials for ``principal``."""
        key_id = new_access_key_id("ASIA", principal.account)
        expires = int(time.time()) + duration_s
        claims = {"key": key_id, "expires": expires, "principal": asdict(principal)}
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
            claims = json.loads(payload)
        except ValueError:
            return None
        if not isinstance(claims, dict):
            return None  # sealed by an earlier release, which told less about a session
        return SigningKey(
            access_key_id=claims["key"],
            secret=self._secret(token),
            session_token=token,
            expires_at_s=claims["expires"],
            principal=_principal(claims["principal"]),
        )

    def _seal(self, payload: bytes) -> bytes:
        return hmac.new(self._seal_key, b"seal" + payload, hashlib.sha256).digest()[:_SEAL_SIZE]

    def _secret(self, token: str) -> str:
        digest = hmac.new(self._seal_key, b"secret" + token.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest[:30]).decode()

    def seal_link(self, text: str) -> str:
        """A hex seal for links that this server makes and checks itself."""
        return hmac.new(self._seal_key, b"link" + text.encode(), hashlib.sha256).hexdigest()


def role_session(
    role_arn: str, session_name: str, *, role_id: str | None = None, session: Session | None = None
) -> Principal:
    """Who a role's session is; a role that does not exist gets an id that follows from its ARN.

    AWS: IAM User Guide, "Unique identifiers" (AROA… is the role's own).
    """
    parts = role_arn.split(":", 5)
    partition, account, name = parts[1], parts[4], parts[5].rpartition("/")[2]
    role_id = role_id or id_of_no_role(role_arn)
    return Principal(
        account=account,
        arn=f"arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}",
        user_id=f"{role_id}:{session_name}",
        session=session or Session(issued_at_s=int(time.time()), role_arn=role_arn),
    )


def id_of_no_role(role_arn: str) -> str:
    """The id that sessions of a role have that does not exist; no role that was made ever gets it."""
    return f"AROA{base64.b32encode(hashlib.sha256(role_arn.encode()).digest()).decode()[:17]}"


def _principal(claims: dict[str, Any]) -> Principal:
    """A principal as a token carries it: JSON has lists where it has tuples."""
    session = claims["session"]
    if session is not None:
        policies = session["policies"]
        session = Session(
            **{
                **session,
                "policies": None if policies is None else tuple(policies),
                "tags": tuple((key, value) for key, value in session["tags"]),
                "transitive_tag_keys": tuple(session["transitive_tag_keys"]),
            }
        )
    return Principal(**{**claims, "session": session})


def _permanent(key_id: str, secret: str, principal: Principal) -> SigningKey:
    return SigningKey(access_key_id=key_id, secret=secret, session_token=None, expires_at_s=None, principal=principal)


def _root_key(path: Path, account: str) -> tuple[str, str]:
    """Read the credentials file, or make it: AWS's own format, for nobody but the owner."""
    parser = configparser.ConfigParser(interpolation=None)
    if path.exists():
        try:
            parser.read(path)
            return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]
        except (KeyError, configparser.Error):
            raise ValueError(f"{path} has no profile [default] with a key pair") from None
    key_id = new_access_key_id("AKIA", account)
    secret = base64.b64encode(secrets.token_bytes(30)).decode()
    text = f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
    write_secret(path, text.encode())
    return key_id, secret


def _sealing_key(path: Path) -> bytes:
    if not path.exists():
        write_secret(path, secrets.token_bytes(32))
    return path.read_bytes()
