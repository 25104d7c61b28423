"""How familiar the image looked to the model, and whether a person chose the model that reads it."""

import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inspections", sa.Column("familiarity", sa.JSON))
    op.add_column(
        "worklist", sa.Column("is_model_chosen", sa.Boolean, nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("worklist", "is_model_chosen")
    op.drop_column("inspections", "familiarity")
