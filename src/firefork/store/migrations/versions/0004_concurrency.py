"""Reserved and provisioned concurrency."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String

revision = "0004"
down_revision = "0003"


def _function() -> list[Column[str]]:
    return [
        Column("account", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
        Column("name", String(64), primary_key=True),
    ]


def upgrade() -> None:
    op.create_table("function_concurrency", *_function(), Column("reserved", Integer, nullable=False))
    op.create_table(
        "provisioned_concurrency",
        *_function(),
        Column("qualifier", String(128), primary_key=True),
        Column("requested", Integer, nullable=False),
        Column("last_modified_ms", BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("provisioned_concurrency", "function_concurrency"):
        op.drop_table(table)
