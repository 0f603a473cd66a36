"""Aliases, policies, URLs, mappings, signing and the other configurations of functions and layers."""

from typing import Any

from alembic import op
from sqlalchemy import Column, Double, ForeignKeyConstraint, Integer, String, Text

revision = "0003"
down_revision = "0002"


def _place() -> list[Column[Any]]:
    return [
        Column("account", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
    ]


def _of_function(table: str, *columns: Column[Any]) -> None:
    op.create_table(
        table,
        *_place(),
        Column("name", String(64), primary_key=True),
        *columns,
        ForeignKeyConstraint(
            ["account", "region", "name"],
            ["functions.account", "functions.region", "functions.name"],
            ondelete="CASCADE",
        ),
    )


def _qualifier() -> Column[Any]:
    return Column("qualifier", String(128), primary_key=True)


def upgrade() -> None:
    op.add_column("functions", Column("recursive_loop", String(16)))
    op.add_column("functions", Column("code_signing_config", String(32)))
    _of_function(
        "aliases",
        Column("alias", String(128), primary_key=True),
        Column("version", String(16), nullable=False),
        Column("other_version", String(16)),
        Column("other_weight", Double),
        Column("description", Text, nullable=False),
        Column("revision_id", String(36), nullable=False),
    )
    for table in ("function_policies", "event_invoke_configs", "runtime_management_configs", "scaling_configs"):
        _of_function(table, _qualifier(), Column("document", Text, nullable=False))
    _of_function(
        "function_urls",
        _qualifier(),
        Column("url_id", String(64), nullable=False, unique=True),
        Column("document", Text, nullable=False),
    )
    op.create_table(
        "layer_policies",
        *_place(),
        Column("name", String(140), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("revision_id", String(36), nullable=False),
        Column("document", Text, nullable=False),
        ForeignKeyConstraint(
            ["account", "region", "name", "version"],
            ["layer_versions.account", "layer_versions.region", "layer_versions.name", "layer_versions.version"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "event_source_mappings",
        *_place(),
        Column("uuid", String(36), primary_key=True),
        Column("function_name", String(64), nullable=False),
        Column("qualifier", String(128)),
        Column("source", Text),
        Column("state", String(16), nullable=False),
        Column("tags", Text, nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_index(
        "event_source_mappings_of_function", "event_source_mappings", ["account", "region", "function_name"]
    )
    op.create_table(
        "code_signing_configs",
        *_place(),
        Column("id", String(32), primary_key=True),
        Column("tags", Text, nullable=False),
        Column("document", Text, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "code_signing_configs",
        "event_source_mappings",
        "layer_policies",
        "function_urls",
        "scaling_configs",
        "runtime_management_configs",
        "event_invoke_configs",
        "function_policies",
        "aliases",
    ):
        op.drop_table(table)
    with op.batch_alter_table("functions") as functions:
        functions.drop_column("code_signing_config")
        functions.drop_column("recursive_loop")
