"""Typed pixel pitches, measurements kept with the inspection, first looks without the model, preferences."""

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "image_scales", sa.Column("is_typed", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_table(
        "measurements",
        sa.Column(
            "inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), primary_key=True
        ),
        sa.Column("measures", sa.JSON, nullable=False),
        sa.Column("set_by", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "first_looks",
        sa.Column(
            "inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), primary_key=True
        ),
        sa.Column("user_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found", sa.JSON),
    )
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.String(40), sa.ForeignKey("users.user_id"), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )


def downgrade() -> None:
    for table in ("preferences", "first_looks", "measurements"):
        op.drop_table(table)
    op.drop_column("image_scales", "is_typed")
