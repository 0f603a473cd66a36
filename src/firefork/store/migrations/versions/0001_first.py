"""The first schema: functions, versions, layers, log groups, streams and events."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

_BigId = BigInteger().with_variant(Integer, "sqlite")


def _place() -> list[Column[str]]:
    return [
        Column("account", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
    ]


def upgrade() -> None:
    op.create_table(
        "functions",
        *_place(),
        Column("name", String(64), primary_key=True),
        Column("last_version", Integer, nullable=False),
        Column("tags", Text, nullable=False),
    )
    op.create_table(
        "function_versions",
        *_place(),
        Column("name", String(64), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("state", String(16), nullable=False),
        Column("last_update_status", String(16)),
        Column("code_sha256", String(64), nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_table(
        "layers",
        *_place(),
        Column("name", String(140), primary_key=True),
        Column("last_version", Integer, nullable=False),
    )
    op.create_table(
        "layer_versions",
        *_place(),
        Column("name", String(140), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("code_sha256", String(64), nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_table(
        "log_groups",
        Column("id", _BigId, primary_key=True, autoincrement=True),
        Column("account", String(12), nullable=False),
        Column("region", String(32), nullable=False),
        Column("name", String(512), nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Column("retention_days", Integer),
        Column("tags", Text, nullable=False),
        UniqueConstraint("account", "region", "name", name="log_groups_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_streams",
        Column("id", _BigId, primary_key=True, autoincrement=True),
        Column("group_id", BigInteger, ForeignKey("log_groups.id", ondelete="CASCADE"), nullable=False),
        Column("name", String(512), nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Column("first_event_ms", BigInteger),
        Column("last_event_ms", BigInteger),
        Column("last_ingestion_ms", BigInteger),
        UniqueConstraint("group_id", "name", name="log_streams_by_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_chunks",
        Column("id", _BigId, primary_key=True, autoincrement=True),
        Column("group_id", BigInteger, nullable=False),
        Column("stream_id", BigInteger, ForeignKey("log_streams.id", ondelete="CASCADE"), nullable=False),
        Column("first_ms", BigInteger, nullable=False),
        Column("last_ms", BigInteger, nullable=False),
        Column("ingested_ms", BigInteger, nullable=False),
        Column("bytes", Integer, nullable=False),
        Column("events", LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("log_chunks_of_group", "log_chunks", ["group_id", "last_ms"])
    op.create_index("log_chunks_of_stream", "log_chunks", ["stream_id", "last_ms"])


def downgrade() -> None:
    for table in (
        "log_chunks",
        "log_streams",
        "log_groups",
        "layer_versions",
        "layers",
        "function_versions",
        "functions",
    ):
        op.drop_table(table)
