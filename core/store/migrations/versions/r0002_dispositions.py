"""Dispositions refer, repair and re-shoot with its reason; what was signed against an objection.

Open inspections with the disposition review, the earlier name of refer, become refer; signed ones keep the
word that was signed. Going back, refer and re-shoot become review, and repair becomes reject.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

_BEFORE = "disposition IN ('accept', 'reject', 'review')"
_AFTER = "disposition IN ('accept', 'reject', 'refer', 'repair', 're-shoot', 'review')"
_KNOWN = "ck_inspections_disposition_is_known"


def upgrade() -> None:
    _change_dispositions(_AFTER)
    op.add_column("inspections", sa.Column("reshoot_reason", sa.String(32)))
    op.add_column("inspections", sa.Column("override", sa.JSON))
    op.execute("UPDATE inspections SET disposition = 'refer' WHERE disposition = 'review' AND state = 'open'")


def downgrade() -> None:
    op.execute("UPDATE inspections SET disposition = 'review' WHERE disposition IN ('refer', 're-shoot')")
    op.execute("UPDATE inspections SET disposition = 'reject' WHERE disposition = 'repair'")
    op.drop_column("inspections", "override")
    op.drop_column("inspections", "reshoot_reason")
    _change_dispositions(_BEFORE)


def _change_dispositions(condition: str) -> None:
    """Let the table hold dispositions of this condition."""
    with op.batch_alter_table("inspections") as inspections:
        inspections.drop_constraint(op.f(_KNOWN), type_="check")
        inspections.create_check_constraint(op.f(_KNOWN), condition)
