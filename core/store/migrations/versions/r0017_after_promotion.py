"""What follows a promotion: observations, drift alarms, shadow readings, qualifications, frozen versions."""

import sqlalchemy as sa
from alembic import op

revision = "r0017"
down_revision = "r0016"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "observations",
        sa.Column("model_sha256", sa.String(64), primary_key=True),
        sa.Column("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), primary_key=True),
        sa.Column("inspection_id", sa.String(40), nullable=False),
        sa.Column("observed_at", _MOMENT, nullable=False),
        sa.Column("equipment", sa.String(255), nullable=False),
        sa.Column("part", sa.String(128), nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("embedding", sa.LargeBinary),
    )
    op.create_index(
        "ix_observations_model_sha256_observed_at", "observations", ["model_sha256", "observed_at"]
    )
    op.create_table(
        "drift_alarms",
        sa.Column("alarm_id", sa.String(40), primary_key=True),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("scope_kind", sa.String(16), nullable=False),
        sa.Column("scope_value", sa.String(255), nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("raised_at", _MOMENT, nullable=False),
        sa.Column("n_reference", sa.Integer, nullable=False),
        sa.Column("n_recent", sa.Integer, nullable=False),
        sa.Column("result", sa.JSON, nullable=False),
        sa.Column("acknowledged_at", _MOMENT),
        sa.Column("acknowledged_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("is_new_reference", sa.Boolean, nullable=False),
        sa.CheckConstraint("(acknowledged_at IS NULL) OR (note <> '')", "acknowledged_has_note"),
    )
    op.create_index("ix_drift_alarms_model_sha256", "drift_alarms", ["model_sha256"])
    op.create_table(
        "shadow_readings",
        sa.Column("challenger_sha256", sa.String(64), primary_key=True),
        sa.Column("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), primary_key=True),
        sa.Column("inspection_id", sa.String(40), nullable=False),
        sa.Column("champion_sha256", sa.String(64), nullable=False),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("champion", sa.Integer, nullable=False),
        sa.Column("challenger", sa.Integer, nullable=False),
        sa.Column("read_at", _MOMENT, nullable=False),
        sa.Column("n_champion", sa.Integer, nullable=False),
        sa.Column("n_challenger", sa.Integer, nullable=False),
        sa.Column("differences", sa.JSON, nullable=False),
        sa.Column("problem", sa.String(255), nullable=False),
    )
    op.create_index(
        "ix_shadow_readings_challenger_sha256_read_at", "shadow_readings", ["challenger_sha256", "read_at"]
    )
    op.create_table(
        "qualifications",
        sa.Column("qualification_id", sa.String(40), primary_key=True),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("calibration_id", sa.String(64), nullable=False),
        sa.Column("procedure", sa.String(255), nullable=False),
        sa.Column("evaluation_set", sa.String(255), nullable=False),
        sa.Column("detection", sa.String(500), nullable=False),
        sa.Column("equipment", sa.JSON, nullable=False),
        sa.Column("materials", sa.JSON, nullable=False),
        sa.Column("expires_on", sa.Date, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("qualified_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("qualified_at", _MOMENT, nullable=False),
        sa.Column("withdrawn_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("withdrawn_at", _MOMENT),
        sa.Column("withdrawn_note", sa.Text, nullable=False),
    )
    op.create_index("ix_qualifications_model_sha256", "qualifications", ["model_sha256"])
    op.create_table(
        "frozen_versions",
        sa.Column("model_name", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("files", sa.JSON, nullable=False),
        sa.Column("frozen_at", _MOMENT, nullable=False),
    )


def downgrade() -> None:
    for table in ("frozen_versions", "qualifications", "shadow_readings", "drift_alarms", "observations"):
        op.drop_table(table)
