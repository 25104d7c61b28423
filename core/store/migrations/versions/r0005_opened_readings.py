"""Which inspections a person opened, and which model reads an image on a worklist.

Every inspection of before counts as opened. An image on a worklist keeps the model that read it last.

Revision ID: r0005
Revises: r0003
"""

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0003"
branch_labels = None
depends_on = None

_HISTORY = "ix_inspections_history"
_COLUMNS = [
    "created_at",
    "inspection_id",
    "search_text",
    "found",
    "disposition",
    "state",
    "model_name",
    "model_version",
    "inspector_id",
]


def upgrade() -> None:
    op.add_column("inspections", sa.Column("opened_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE inspections SET opened_at = created_at")
    op.drop_index(_HISTORY, "inspections")
    op.create_index(_HISTORY, "inspections", [*_COLUMNS, "opened_at"])
    op.add_column("worklist", sa.Column("model", sa.String(64), nullable=False, server_default="weld"))
    op.execute(
        "UPDATE worklist SET model = COALESCE((SELECT i.model_name FROM inspections AS i "
        "WHERE i.image_sha256 = worklist.image_sha256 AND i.inspector_id = worklist.user_id "
        "ORDER BY i.created_at DESC, i.inspection_id LIMIT 1), 'weld')"
    )


def downgrade() -> None:
    op.drop_column("worklist", "model")
    op.drop_index(_HISTORY, "inspections")
    op.create_index(_HISTORY, "inspections", _COLUMNS)
    op.drop_column("inspections", "opened_at")
