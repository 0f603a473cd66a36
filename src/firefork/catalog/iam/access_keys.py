"""Access keys of IAM users. The secrets are encrypted in the database and in memory only while they are used to sign.

AWS: IAM API reference, CreateAccessKey; "Managing access keys for IAM users".
"""

from __future__ import annotations

import base64
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from firefork.aws.access_key_id import new_access_key_id
from firefork.aws.errors import LimitExceeded, NoSuchEntity
from firefork.aws.principal import Principal, SigningKey
from firefork.catalog.iam.directory import Directory
from firefork.catalog.iam.entities import User
from firefork.store.changes import IAM
from firefork.store.clock import now_ms
from firefork.store.database import Database
from firefork.store.tables import iam_access_keys

_KEYS_PER_USER: Final = 2
_SECRET_SIZE: Final = 30
"""Random bytes; 40 characters of base64, as AWS's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key as lists show it: without the secret."""

    id: str
    user: str
    active: bool
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """When and for what a key signed last."""

    moment_s: float
    """Epoch seconds."""
    service: str
    region: str


class AccessKeys:
    """Thread-safe. ``lookup`` never waits for the database: all active keys are in memory."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory
        self._lock = threading.Lock()
        self._active: dict[str, SigningKey] = {}
        self._last_uses: dict[str, LastUse] = {}
        directory.changed.append(self._load)
        self._load()

    def lookup(self, access_key_id: str) -> SigningKey | None:
        """An active key of a user that exists."""
        return self._active.get(access_key_id)

    def create(self, account: str, user: str) -> tuple[AccessKey, str]:
        """A new key and its secret, which is shown this once. Raises NoSuchEntity, LimitExceeded."""
        owner = self._directory.get(User, account, user)
        key_id = new_access_key_id("AKIA", account)
        secret = base64.b64encode(secrets.token_bytes(_SECRET_SIZE)).decode()
        table = iam_access_keys.c
        created_ms = now_ms()
        with self._database.write(IAM) as connection:
            count = connection.execute(
                select(func.count()).where(table.account == account, table.user == user)
            ).scalar_one()
            if count >= _KEYS_PER_USER:
                raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER}")
            connection.execute(
                insert(iam_access_keys).values(
                    id=key_id,
                    account=account,
                    user=owner.name,
                    active=1,
                    created_ms=created_ms,
                    sealed_secret=self._database.vault.seal(secret, key_id),
                )
            )
        self._load()
        return AccessKey(id=key_id, user=user, active=True, created=_moment(created_ms)), secret

    def list(self, account: str, user: str) -> tuple[AccessKey, ...]:
        self._directory.get(User, account, user)
        table = iam_access_keys.c
        query = select(table.id, table.active, table.created_ms).where(table.account == account, table.user == user)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.created_ms, table.id)).all()
        return tuple(
            AccessKey(id=row.id, user=user, active=bool(row.active), created=_moment(row.created_ms)) for row in rows
        )

    def set_active(self, account: str, user: str, key_id: str, *, active: bool) -> None:
        self._directory.get(User, account, user)
        with self._database.write(IAM) as connection:
            done = connection.execute(
                update(iam_access_keys).where(_is(account, user, key_id)).values(active=int(active))
            )
            if not done.rowcount:
                raise _missing(key_id)
        self._load()

    def delete(self, account: str, user: str, key_id: str) -> None:
        self._directory.get(User, account, user)
        with self._database.write(IAM) as connection:
            if not connection.execute(delete(iam_access_keys).where(_is(account, user, key_id))).rowcount:
                raise _missing(key_id)
        self._load()

    def owner(self, key_id: str) -> tuple[str, str] | None:
        """Account and user of a key, active or not."""
        table = iam_access_keys.c
        with self._database.read() as connection:
            row = connection.execute(select(table.account, table.user).where(table.id == key_id)).first()
        return None if row is None else (row.account, row.user)

    def is_active(self, key_id: str) -> bool:
        """Whether it is a user's key that may sign."""
        return key_id in self._active

    def note_use(self, key_id: str, use: LastUse) -> None:
        """Remembered until the server ends: writing each use down would cost every call a write."""
        self._last_uses[key_id] = use

    def last_use(self, key_id: str) -> LastUse | None:
        return self._last_uses.get(key_id)

    def _load(self) -> None:
        table = iam_access_keys.c
        with self._lock:
            with self._database.read() as connection:
                rows = connection.execute(
                    select(table.id, table.account, table.user, table.sealed_secret).where(table.active == 1)
                ).all()
            known = self._active
            fresh: dict[str, SigningKey] = {}
            users: dict[tuple[str, str], Principal | None] = {}
            for row in rows:
                owner = (row.account, row.user)
                if owner not in users:
                    users[owner] = self._principal(*owner)
                principal = users[owner]
                if principal is None:
                    continue
                before = known.get(row.id)
                fresh[row.id] = SigningKey(
                    access_key_id=row.id,
                    secret=before.secret if before else self._database.vault.open(row.sealed_secret, row.id),
                    session_token=None,
                    expires_at_s=None,
                    principal=before.principal if before and before.principal == principal else principal,
                )
            self._active = fresh

    def _principal(self, account: str, name: str) -> Principal | None:
        user = self._directory.find(User, account, name)
        return None if user is None else Principal(account=account, arn=user.arn, user_id=user.id)


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def _is(account: str, user: str, key_id: str) -> ColumnElement[bool]:
    table = iam_access_keys.c
    return and_(table.account == account, table.user == user, table.id == key_id)


def _missing(key_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Access Key with id {key_id} cannot be found.")
