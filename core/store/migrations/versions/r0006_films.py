"""What of a radiograph was seen at 1:1 or more, and the zone that a person drew."""

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seen_areas",
        sa.Column(
            "inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), primary_key=True
        ),
        sa.Column("user_id", sa.String(40), sa.ForeignKey("users.user_id"), primary_key=True),
        sa.Column("cells", sa.Text, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "zones",
        sa.Column(
            "inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), primary_key=True
        ),
        sa.Column("zone", sa.JSON, nullable=False),
        sa.Column("set_by", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("zones")
    op.drop_table("seen_areas")
