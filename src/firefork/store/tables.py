"""Every table. Documents that are only ever read whole are JSON text; what is searched by is a column."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

_BigId = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts by itself in SQLite
# AUTOINCREMENT besides, so that an id is never given out again: page tokens and event ids hold them.

functions = Table(
    "functions",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("last_version", Integer, nullable=False),
    Column("tags", Text, nullable=False),
)

function_versions = Table(
    "function_versions",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("last_update_status", String(16)),
    Column("code_sha256", String(64), nullable=False),
    Column("document", Text, nullable=False),
)
"""``number`` 0 is ``$LATEST``."""

layers = Table(
    "layers",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(140), primary_key=True),
    Column("last_version", Integer, nullable=False),
)

layer_versions = Table(
    "layer_versions",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(140), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("code_sha256", String(64), nullable=False),
    Column("document", Text, nullable=False),
)

log_groups = Table(
    "log_groups",
    metadata,
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

log_streams = Table(
    "log_streams",
    metadata,
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

log_chunks = Table(
    "log_chunks",
    metadata,
    Column("id", _BigId, primary_key=True, autoincrement=True),
    Column("group_id", BigInteger, nullable=False),
    Column("stream_id", BigInteger, ForeignKey("log_streams.id", ondelete="CASCADE"), nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("ingested_ms", BigInteger, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("events", LargeBinary, nullable=False),
    Index("log_chunks_of_group", "group_id", "last_ms"),
    Index("log_chunks_of_stream", "stream_id", "last_ms"),
    sqlite_autoincrement=True,
)
"""Many events a row, compressed: a function that writes 100,000 lines makes some twenty rows."""
