"""Requests of the API counted, and people seen, by all processes together."""

import sqlalchemy as sa
from alembic import op

revision = "r0018"
down_revision = "r0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "request_counts",
        sa.Column("caller", sa.String(80), primary_key=True),
        sa.Column("minute", sa.BigInteger, primary_key=True),
        sa.Column("n", sa.Integer, nullable=False),
    )
    op.create_index("ix_request_counts_minute", "request_counts", ["minute"])
    op.create_table(
        "sightings",
        sa.Column("user_id", sa.String(40), primary_key=True),
        sa.Column("place", sa.String(160), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_sightings_place", "sightings", ["place"])


def downgrade() -> None:
    for table in ("sightings", "request_counts"):
        op.drop_table(table)
