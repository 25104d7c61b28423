"""Add requests to promote a version against the gate."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "promotion_requests",
        sa.Column("request_id", sa.String(40), nullable=False),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("alias", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("current_version", sa.Integer),
        sa.Column("gate", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(40), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(40)),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_promotion_requests")),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.user_id"], name=op.f("fk_promotion_requests_requested_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["users.user_id"], name=op.f("fk_promotion_requests_closed_by_users")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'granted', 'declined', 'withdrawn')",
            name=op.f("ck_promotion_requests_state_is_known"),
        ),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)", name=op.f("ck_promotion_requests_closed_has_end")
        ),
        sa.CheckConstraint(
            "state <> 'granted' OR closed_by <> requested_by",
            name=op.f("ck_promotion_requests_two_people_grant"),
        ),
    )
    op.create_index("ix_promotion_requests_model_name_state", "promotion_requests", ["model_name", "state"])


def downgrade() -> None:
    op.drop_table("promotion_requests")
