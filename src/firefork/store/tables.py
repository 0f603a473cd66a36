"""Every table. Documents that are only ever read whole are JSON text; what is searched by is a column."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
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
    Column("recursive_loop", String(16)),
    Column("code_signing_config", String(32)),
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
    Index("function_versions_by_code", "code_sha256"),
)
"""``number`` 0 is ``$LATEST``; ``environment`` in a document is encrypted with the data folder's key file."""

function_concurrency = Table(
    "function_concurrency",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("reserved", Integer, nullable=False),
)

provisioned_concurrency = Table(
    "provisioned_concurrency",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("qualifier", String(128), primary_key=True),
    Column("requested", Integer, nullable=False),
    Column("last_modified_ms", BigInteger, nullable=False),
)
"""``qualifier`` is a version's number or an alias's name."""

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
    Index("layer_versions_by_code", "code_sha256"),
)


def _of_function(name: str, *columns: Column[Any], qualified: bool = True) -> Table:
    """A table of what belongs to a function, to one of its qualifiers if ``qualified``, and goes with it.

    A qualifier is ``$LATEST``, a version's number as text, or an alias.
    """
    return Table(
        name,
        metadata,
        Column("account", String(12), primary_key=True),
        Column("region", String(32), primary_key=True),
        Column("name", String(64), primary_key=True),
        *([Column("qualifier", String(128), primary_key=True)] if qualified else []),
        *columns,
        ForeignKeyConstraint(
            ["account", "region", "name"],
            ["functions.account", "functions.region", "functions.name"],
            ondelete="CASCADE",
        ),
    )


aliases = _of_function(
    "aliases",
    Column("alias", String(128), primary_key=True),
    Column("version", String(16), nullable=False),
    Column("other_version", String(16)),
    Column("other_weight", Double),
    Column("description", Text, nullable=False),
    Column("revision_id", String(36), nullable=False),
    qualified=False,
)
"""``other_version`` takes the share ``other_weight`` of the invokes."""

function_policies = _of_function("function_policies", Column("document", Text, nullable=False))
event_invoke_configs = _of_function("event_invoke_configs", Column("document", Text, nullable=False))
function_urls = _of_function(
    "function_urls",
    Column("url_id", String(64), nullable=False, unique=True),
    Column("document", Text, nullable=False),
)
runtime_management_configs = _of_function("runtime_management_configs", Column("document", Text, nullable=False))
scaling_configs = _of_function("scaling_configs", Column("document", Text, nullable=False))

OF_QUALIFIER: Final = (
    function_policies,
    event_invoke_configs,
    function_urls,
    runtime_management_configs,
    scaling_configs,
)
"""Tables whose rows go when their version or alias goes; with the function they go by their foreign key."""

layer_policies = Table(
    "layer_policies",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
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

event_source_mappings = Table(
    "event_source_mappings",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("uuid", String(36), primary_key=True),
    Column("function_name", String(64), nullable=False),
    Column("qualifier", String(128)),
    Column("source", Text),
    Column("state", String(16), nullable=False),
    Column("tags", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("event_source_mappings_of_function", "account", "region", "function_name"),
)
"""No foreign key: a mapping outlives its function, as on AWS."""

code_signing_configs = Table(
    "code_signing_configs",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("tags", Text, nullable=False),
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

iam_entities = Table(
    "iam_entities",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("folded", String(128), nullable=False),
    Column("path", String(512), nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("account", "kind", "folded", name="iam_entities_by_folded_name"),
)
"""Roles, users, groups, managed policies, instance profiles; the account's alias and its password policy. ``folded``:
names differ by more than case."""

iam_inline_policies = Table(
    "iam_inline_policies",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("owner", String(128), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("document", Text, nullable=False),
)

iam_attachments = Table(
    "iam_attachments",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("owner", String(128), primary_key=True),
    Column("policy_arn", String(768), primary_key=True),
    Index("iam_attachments_of_policy", "account", "policy_arn"),
)

iam_policy_versions = Table(
    "iam_policy_versions",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)

iam_members = Table(
    "iam_members",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("container", String(128), primary_key=True),
    Column("member", String(128), primary_key=True),
    Index("iam_members_by_member", "account", "kind", "member"),
)
"""Users of groups, roles of instance profiles; ``kind`` is the container's."""

iam_access_keys = Table(
    "iam_access_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("user", String(128), nullable=False),
    Column("active", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Index("iam_access_keys_of_user", "account", "user"),
)
"""The secret is encrypted with the data folder's key file."""

metric_sets = Table(
    "metric_sets",
    metadata,
    Column("id", _BigId, primary_key=True, autoincrement=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("dimensions", Text, nullable=False),
    UniqueConstraint("account", "region", "namespace", "digest", name="metric_sets_by_dimensions"),
    sqlite_autoincrement=True,
)
"""The metrics of a namespace with the same dimensions. ``digest`` is that of the dimensions, which may be long."""

metric_names = Table(
    "metric_names",
    metadata,
    Column("set_id", BigInteger, ForeignKey("metric_sets.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("last_s", BigInteger, nullable=False),
)

metric_points = Table(
    "metric_points",
    metadata,
    Column("id", _BigId, primary_key=True, autoincrement=True),
    Column("set_id", BigInteger, ForeignKey("metric_sets.id", ondelete="CASCADE"), nullable=False),
    Column("period_s", Integer, nullable=False),
    Column("start_s", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("metric_points_of_set", "set_id", "start_s"),
    Index("metric_points_by_period", "period_s", "start_s"),
)
"""All metrics of a set in one period; there may be several rows for it, which are added up."""

schema_registries = Table(
    "schema_registries",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("description", Text),
    Column("tags", Text, nullable=False),
)

schemas = Table(
    "schemas",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
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

schema_versions = Table(
    "schema_versions",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
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

secrets_keys = Table(
    "secrets_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("probe", LargeBinary, nullable=False),
)
"""One row, sealed: only the key file that everything here was sealed with opens it."""

packages = Table(
    "packages",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("touched_ms", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""Zips by their SHA-256, where several nodes share a database; ``touched_ms`` is when one was accepted last."""
