"""Let the history be searched: its words and classes as columns, one index over all filters."""

from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (
    "created_at",
    "inspection_id",
    "search_text",
    "found",
    "disposition",
    "state",
    "model_name",
    "model_version",
    "inspector_id",
)
_BATCH = 500


def upgrade() -> None:
    with op.batch_alter_table("inspections") as batch_op:
        batch_op.add_column(sa.Column("search_text", sa.String(520), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("found", sa.String(255), nullable=False, server_default=""))
    _fill()
    op.drop_index("ix_inspections_created_at_inspection_id", "inspections")
    op.create_index("ix_inspections_history", "inspections", list(_COLUMNS))


def _fill() -> None:
    """The words and classes of the inspections that are there already, as `core.store.inspection_history`."""
    rows = sa.table(
        "inspections",
        sa.column("inspection_id", sa.String),
        sa.column("image_sha256", sa.String),
        sa.column("image_name", sa.String),
        sa.column("setup", sa.JSON),
        sa.column("detections", sa.JSON),
        sa.column("operating_probability", sa.Float),
        sa.column("search_text", sa.String),
        sa.column("found", sa.String),
    )
    kept = sa.table(
        "annotations",
        sa.column("image_sha256", sa.String),
        sa.column("track", sa.String),
        sa.column("version", sa.Integer),
        sa.column("boxes", sa.JSON),
    )
    connection, key = op.get_bind(), ""
    read = (column for column in rows.c if column.name not in ("search_text", "found"))
    page = sa.select(*read).order_by(rows.c.inspection_id).limit(_BATCH)
    while batch := connection.execute(page.where(rows.c.inspection_id > key)).all():
        for row in batch:
            of_it = (kept.c.image_sha256 == row.image_sha256, kept.c.track == row.inspection_id)
            newest = sa.select(kept.c.boxes).where(*of_it)
            boxes = connection.scalar(newest.order_by(kept.c.version.desc()).limit(1))
            if boxes is None:
                cut = row.operating_probability
                boxes = [found for found in row.detections if found.get("probability", 0) >= cut]
            values = {"search_text": _words(row.setup, row.image_name), "found": _found(boxes)}
            connection.execute(
                sa.update(rows).where(rows.c.inspection_id == row.inspection_id).values(values)
            )
        key = batch[-1].inspection_id


def _words(setup: dict[str, object], image_name: str) -> str:
    texts = (str(setup.get("part") or ""), str(setup.get("weld_number") or ""), image_name)
    return "\n".join(texts).casefold()[:520]


def _found(boxes: list[dict[str, object]]) -> str:
    counts = Counter(str(box["class"]) for box in boxes if box.get("call") != "dismissed")
    return "".join(f"|{name}={counts[name]}" for name in sorted(counts))[:255]


def downgrade() -> None:
    op.drop_index("ix_inspections_history", "inspections")
    op.create_index("ix_inspections_created_at_inspection_id", "inspections", ["created_at", "inspection_id"])
    with op.batch_alter_table("inspections") as inspections:
        inspections.drop_column("found")
        inspections.drop_column("search_text")
