"""EventBridge schema registries."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, String, Text

revision = "0007"
down_revision = "0006"


def _place() -> list[Column[str]]:
    return [
        Column("account", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
    ]


def upgrade() -> None:
    op.create_table(
        "schema_registries",
        *_place(),
        Column("name", String(64), primary_key=True),
        Column("description", Text),
        Column("tags", Text, nullable=False),
    )
    op.create_table(
        "schemas",
        *_place(),
        Column("registry", String(64), primary_key=True),
        Column("name", String(385), primary_key=True),
        Column("description", Text),
        Column("tags", Text, nullable=False),
        Column("last_version", Integer, nullable=False),
        Column("last_modified_ms", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["account", "region", "registry"],
            ["schema_registries.account", "schema_registries.region", "schema_registries.name"],
        ),
    )
    op.create_table(
        "schema_versions",
        *_place(),
        Column("registry", String(64), primary_key=True),
        Column("name", String(385), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("type", String(32), nullable=False),
        Column("content", Text, nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        ForeignKeyConstraint(
            ["account", "region", "registry", "name"],
            ["schemas.account", "schemas.region", "schemas.registry", "schemas.name"],
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    for table in ("schema_versions", "schemas", "schema_registries"):
        op.drop_table(table)
