"""Addresses at which somebody signed in to an account, as keyed digests."""

import sqlalchemy as sa
from alembic import op

revision = "r0013"
down_revision = "r0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_addresses",
        sa.Column("account_key", sa.String(64), primary_key=True),
        sa.Column("address_key", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_known_addresses_at", "known_addresses", ["at"])


def downgrade() -> None:
    op.drop_table("known_addresses")
