"""Saved views of the comparison, and notes on a place of an image."""

import sqlalchemy as sa
from alembic import op

revision = "r0019"
down_revision = "r0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparison_views",
        sa.Column("view_id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("query", sa.JSON, nullable=False),
        sa.Column("is_shared", sa.Boolean, nullable=False),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("owner_id", "name", name="uq_comparison_views_owner_id_name"),
    )
    op.create_table(
        "place_notes",
        sa.Column("note_id", sa.String(40), primary_key=True),
        sa.Column("image_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("box", sa.JSON, nullable=True),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("versions", sa.JSON, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("answers", sa.String(40), sa.ForeignKey("place_notes.note_id"), nullable=True),
        sa.Column("withdraws", sa.String(40), sa.ForeignKey("place_notes.note_id"), nullable=True),
        sa.Column("author_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(answers IS NULL) OR (withdraws IS NULL)", "is_one_kind"),
    )
    _refuse_changes("place_notes")


def downgrade() -> None:
    for table in ("place_notes", "comparison_views"):
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
