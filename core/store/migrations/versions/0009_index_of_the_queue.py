"""Answer the filters, counts and order of the queue from one narrow index, without reading whole rows."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_COLUMNS = ["state", "priority", "item_id", "reason", "model_name", "assigned_to", "image_sha256"]


def upgrade() -> None:
    op.drop_index("ix_queue_items_state_priority", "queue_items")
    op.create_index("ix_queue_items_worklist", "queue_items", _COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_queue_items_worklist", "queue_items")
    op.create_index("ix_queue_items_state_priority", "queue_items", ["state", "priority"])
