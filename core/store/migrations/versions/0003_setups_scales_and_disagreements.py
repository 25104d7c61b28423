"""Add setups, states and revisions to inspections; worklists, templates, rule sets, scales, disagreements."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("rule_sets", "image_scales", "disagreements")
_CREATED = ("disagreements", "worklist", "image_scales", "setup_templates", "rule_sets")


def upgrade() -> None:
    op.create_table(
        "rule_sets",
        sa.Column("rule_set_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("saved_by", sa.String(40)),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["saved_by"], ["users.user_id"], name=op.f("fk_rule_sets_saved_by_users")),
        sa.PrimaryKeyConstraint("rule_set_id", "version", name=op.f("pk_rule_sets")),
    )
    op.create_table(
        "setup_templates",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("setup", sa.JSON, nullable=False),
        sa.Column("saved_by", sa.String(40)),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["saved_by"], ["users.user_id"], name=op.f("fk_setup_templates_saved_by_users")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setup_templates")),
    )
    op.create_table(
        "image_scales",
        sa.Column("scale_id", sa.String(40), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("mm_per_px", sa.Float, nullable=False),
        sa.Column("known_mm", sa.Float, nullable=False),
        sa.Column("measured_px", sa.Float, nullable=False),
        sa.Column("set_by", sa.String(40)),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mm_per_px > 0", name=op.f("ck_image_scales_scale_is_positive")),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_image_scales_image_sha256_images")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["users.user_id"], name=op.f("fk_image_scales_set_by_users")),
        sa.PrimaryKeyConstraint("scale_id", name=op.f("pk_image_scales")),
    )
    op.create_index("ix_image_scales_image_sha256", "image_scales", ["image_sha256"])
    op.create_table(
        "worklist",
        sa.Column("entry_id", sa.String(40), nullable=False),
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("polarity", sa.String(16), nullable=False),
        sa.Column("setup", sa.JSON, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_worklist_image_sha256_images")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_worklist_user_id_users")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_worklist")),
    )
    op.create_index("ix_worklist_user_id_added_at", "worklist", ["user_id", "added_at"])
    op.create_table(
        "disagreements",
        sa.Column("disagreement_id", sa.String(40), nullable=False),
        sa.Column("inspection_id", sa.String(40), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("indication", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_disagreements_image_sha256_images")
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.inspection_id"],
            name=op.f("fk_disagreements_inspection_id_inspections"),
        ),
        sa.PrimaryKeyConstraint("disagreement_id", name=op.f("pk_disagreements")),
    )
    op.create_index("ix_disagreements_created_at", "disagreements", ["created_at"])
    op.create_index("ix_disagreements_image_sha256", "disagreements", ["image_sha256"])
    op.create_index("ix_disagreements_inspection_id", "disagreements", ["inspection_id"])
    with op.batch_alter_table("inspections") as batch_op:
        batch_op.add_column(sa.Column("part", sa.String(128), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("setup", sa.JSON, nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("image_quality", sa.JSON))
        batch_op.add_column(sa.Column("state", sa.String(16), nullable=False, server_default="open"))
        batch_op.add_column(sa.Column("revision_of", sa.String(40)))
        batch_op.create_index(batch_op.f("ix_inspections_part"), ["part"])
        batch_op.create_index(batch_op.f("ix_inspections_state"), ["state"])
        batch_op.create_foreign_key(
            batch_op.f("fk_inspections_revision_of_inspections"),
            "inspections",
            ["revision_of"],
            ["inspection_id"],
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_inspections_state_is_known"),
            "state IN ('open', 'signed', 'concurred', 'returned')",
        )
    with op.batch_alter_table("reviews") as batch_op:
        batch_op.add_column(sa.Column("own_disposition", sa.String(16)))
        batch_op.add_column(sa.Column("own_version", sa.Integer))
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    """Let the database itself refuse to change or delete rows of `table`, as 0002 does."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for table in _CREATED:
        op.drop_table(table)
    with op.batch_alter_table("reviews") as reviews:
        reviews.drop_column("own_version")
        reviews.drop_column("own_disposition")
    with op.batch_alter_table("inspections") as inspections:
        inspections.drop_constraint(op.f("ck_inspections_state_is_known"), type_="check")
        inspections.drop_constraint(op.f("fk_inspections_revision_of_inspections"), type_="foreignkey")
        inspections.drop_index("ix_inspections_state")
        inspections.drop_index("ix_inspections_part")
        for column in ("revision_of", "state", "image_quality", "setup", "part"):
            inspections.drop_column(column)
