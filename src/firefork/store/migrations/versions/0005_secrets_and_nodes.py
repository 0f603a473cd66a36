"""Secrets are encrypted, and a probe tells with which key file; packages for other nodes; indexes by package."""

import base64
import json
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    Row,
    String,
    column,
    insert,
    select,
    table,
    text,
    update,
)

from firefork.store.vault import vault_of

revision = "0005"
down_revision = "0004"

_VERSIONS = table("function_versions", *(column(name) for name in ("account", "region", "name", "number", "document")))


def _owner(row: Row[Any], fields: dict[str, str]) -> str:
    return f"environment {row.account} {row.region} {fields['name']} {fields['version']}"


def upgrade() -> None:
    connection = op.get_bind()
    vault = vault_of(connection)
    for row in connection.execute(text("SELECT id, sealed_secret FROM iam_access_keys")).all():
        # Before anything is sealed with a key file that is not this database's: raises SecretUnreadable.
        vault.open(row.sealed_secret, row.id)
    keys = op.create_table(
        "secrets_keys",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("probe", LargeBinary, nullable=False),
    )
    connection.execute(insert(keys).values(id=1, probe=vault.seal("", "the database itself")))
    was_plain = False
    for row in connection.execute(select(_VERSIONS)).all():
        fields = json.loads(row.document)
        if fields["environment"] is not None:
            sealed = vault.seal(json.dumps(fields["environment"]), _owner(row, fields))
            _write(row, fields | {"environment": base64.b64encode(sealed).decode()})
            was_plain = True
    op.create_table(
        "packages",
        Column("digest", String(64), primary_key=True),
        Column("touched_ms", BigInteger, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
    for owner in ("function_versions", "layer_versions"):
        op.create_index(f"{owner}_by_code", owner, ["code_sha256"])
    if was_plain:
        op.create_table("unscrubbed", Column("id", Integer, primary_key=True))  # for Database.migrate


def downgrade() -> None:
    connection = op.get_bind()
    vault = vault_of(connection)
    for row in connection.execute(select(_VERSIONS)).all():
        fields = json.loads(row.document)
        if fields["environment"] is not None:
            plain = vault.open(base64.b64decode(fields["environment"]), _owner(row, fields))
            _write(row, fields | {"environment": json.loads(plain)})
    for owner in ("function_versions", "layer_versions"):
        op.drop_index(f"{owner}_by_code", owner)
    op.drop_table("secrets_keys")
    op.drop_table("packages")


def _write(row: Row[Any], fields: dict[str, object]) -> None:
    key = (_VERSIONS.c[name] == getattr(row, name) for name in ("account", "region", "name", "number"))
    op.get_bind().execute(update(_VERSIONS).where(*key).values(document=json.dumps(fields)))
