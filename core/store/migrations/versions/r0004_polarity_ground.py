"""The ground of an inspection's polarity, and which images of a worklist were handed in together."""

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inspections", sa.Column("polarity_ground", sa.String(16)))
    op.add_column("worklist", sa.Column("batch", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("worklist", "batch")
    op.drop_column("inspections", "polarity_ground")
