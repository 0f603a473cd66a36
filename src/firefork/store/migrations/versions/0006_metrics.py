"""Metrics."""

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

revision = "0006"
down_revision = "0005"

_BigId = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "metric_sets",
        Column("id", _BigId, primary_key=True, autoincrement=True),
        Column("account", String(12), nullable=False),
        Column("region", String(32), nullable=False),
        Column("namespace", String(255), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("dimensions", Text, nullable=False),
        UniqueConstraint("account", "region", "namespace", "digest", name="metric_sets_by_dimensions"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "metric_names",
        Column("set_id", BigInteger, ForeignKey("metric_sets.id", ondelete="CASCADE"), primary_key=True),
        Column("name", String(255), primary_key=True),
        Column("last_s", BigInteger, nullable=False),
    )
    op.create_table(
        "metric_points",
        Column("id", _BigId, primary_key=True, autoincrement=True),
        Column("set_id", BigInteger, ForeignKey("metric_sets.id", ondelete="CASCADE"), nullable=False),
        Column("period_s", Integer, nullable=False),
        Column("start_s", BigInteger, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
    op.create_index("metric_points_of_set", "metric_points", ["set_id", "start_s"])
    op.create_index("metric_points_by_period", "metric_points", ["period_s", "start_s"])


def downgrade() -> None:
    for table in ("metric_points", "metric_names", "metric_sets"):
        op.drop_table(table)
