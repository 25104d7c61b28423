"""Classes of labels that an admin added."""

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_classes",
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("colour", sa.String(7), nullable=False),
        sa.Column("stands_for", sa.String(32), nullable=True),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("saved_by", sa.String(40), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["saved_by"], ["users.user_id"], name="fk_own_classes_saved_by_users"),
        sa.PrimaryKeyConstraint("code", name="pk_own_classes"),
        sa.UniqueConstraint("name", name="uq_own_classes_name"),
    )


def downgrade() -> None:
    op.drop_table("own_classes")
