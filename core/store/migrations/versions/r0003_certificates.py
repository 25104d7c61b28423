"""Certificates of people, policies that an admin sets, and a second person's reading that was changed."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

_CHANGED = (
    ("changed_disposition", sa.String(16)),
    ("changed_version", sa.Integer()),
    ("change_reason", sa.Text()),
)


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("certificate_id", sa.String(40), primary_key=True),
        sa.Column("user_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False, index=True),
        sa.Column("scheme", sa.String(16), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("valid_until", sa.Date, nullable=False),
        sa.CheckConstraint("level IN (1, 2, 3)", "level_is_known"),
    )
    op.create_table(
        "policies",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
        sa.Column("set_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "signed_certificates",
        sa.Column("signature_id", sa.String(40), sa.ForeignKey("signatures.signature_id"), primary_key=True),
        sa.Column("certificate", sa.JSON, nullable=False),
    )
    for name, kind in _CHANGED:  # the rows of `reviews` are append-only: columns are added in place
        op.add_column("reviews", sa.Column(name, kind))
    _refuse_changes("signed_certificates")


def downgrade() -> None:
    for name, _ in _CHANGED:
        op.drop_column("reviews", name)
    for table in ("signed_certificates", "policies", "certificates"):
        op.drop_table(table)


def _refuse_changes(table: str) -> None:
    """Let the database itself refuse to change or delete rows of `table`."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
