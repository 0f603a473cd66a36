"""Identity: roles, users, groups, policies, instance profiles, access keys."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text, UniqueConstraint

revision = "0002"
down_revision = "0001"


def _owned(*names: str) -> list[Column[str]]:
    return [
        Column("account", String(12), primary_key=True),
        Column("kind", String(16), primary_key=True),
        *(Column(name, String(128), primary_key=True) for name in names),
    ]


def upgrade() -> None:
    op.create_table(
        "iam_entities",
        *_owned("name"),
        Column("folded", String(128), nullable=False),
        Column("path", String(512), nullable=False),
        Column("document", Text, nullable=False),
        UniqueConstraint("account", "kind", "folded", name="iam_entities_by_folded_name"),
    )
    op.create_table("iam_inline_policies", *_owned("owner", "name"), Column("document", Text, nullable=False))
    op.create_table("iam_attachments", *_owned("owner"), Column("policy_arn", String(768), primary_key=True))
    op.create_index("iam_attachments_of_policy", "iam_attachments", ["account", "policy_arn"])
    op.create_table(
        "iam_policy_versions",
        Column("account", String(12), primary_key=True),
        Column("name", String(128), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("created_ms", BigInteger, nullable=False),
        Column("document", Text, nullable=False),
    )
    op.create_table("iam_members", *_owned("container", "member"))
    op.create_index("iam_members_by_member", "iam_members", ["account", "kind", "member"])
    op.create_table(
        "iam_access_keys",
        Column("id", String(32), primary_key=True),
        Column("account", String(12), nullable=False),
        Column("user", String(128), nullable=False),
        Column("active", Integer, nullable=False),
        Column("created_ms", BigInteger, nullable=False),
        Column("sealed_secret", LargeBinary, nullable=False),
    )
    op.create_index("iam_access_keys_of_user", "iam_access_keys", ["account", "user"])


def downgrade() -> None:
    for name in (
        "iam_access_keys",
        "iam_members",
        "iam_policy_versions",
        "iam_attachments",
        "iam_inline_policies",
        "iam_entities",
    ):
        op.drop_table(name)
