"""Add evaluation sets and results, the queue of corrections, data versions, what served; follow jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("evaluation_sets", "evaluations", "data_versions", "serving_changes")
_CREATED = ("serving_changes", "data_versions", "queue_items", "evaluations", "evaluation_sets")
_STATES = "state IN ('queued', 'running', 'done', 'failed', 'cancelled'{more})"


def upgrade() -> None:
    op.create_table(
        "evaluation_sets",
        sa.Column("set_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source", sa.JSON, nullable=False),
        sa.Column("n_images", sa.Integer, nullable=False),
        sa.Column("n_boxes", sa.Integer, nullable=False),
        sa.Column("created_by", sa.String(40)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("digest", name=op.f("uq_evaluation_sets_digest")),
        sa.PrimaryKeyConstraint("set_id", name=op.f("pk_evaluation_sets")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.user_id"], name=op.f("fk_evaluation_sets_created_by_users")
        ),
        sa.UniqueConstraint("name", name=op.f("uq_evaluation_sets_name")),
    )
    op.create_index("ix_evaluation_sets_model_name", "evaluation_sets", ["model_name"])
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.String(40), nullable=False),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("calibration_id", sa.String(16), nullable=False),
        sa.Column("set_digest", sa.String(64), nullable=False),
        sa.Column("code_version", sa.String(64), nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.Column("outcomes_sha256", sa.String(64), nullable=False),
        sa.Column("device", sa.String(16), nullable=False),
        sa.Column("elapsed_ms", sa.Float, nullable=False),
        sa.Column("created_by", sa.String(40)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_digest"], ["evaluation_sets.digest"], name=op.f("fk_evaluations_set_digest_evaluation_sets")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.user_id"], name=op.f("fk_evaluations_created_by_users")
        ),
        sa.PrimaryKeyConstraint("evaluation_id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint(
            "model_sha256", "calibration_id", "set_digest", "code_version", name=op.f("uq_evaluations_what")
        ),
    )
    op.create_index("ix_evaluations_model_name", "evaluations", ["model_name"])
    op.create_index("ix_evaluations_set_digest", "evaluations", ["set_digest"])
    op.create_table(
        "queue_items",
        sa.Column("item_id", sa.String(40), nullable=False),
        sa.Column("finding_key", sa.String(160), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("inspection_id", sa.String(40)),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("priority", sa.Float, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("assigned_to", sa.String(40)),
        sa.Column("leased_by", sa.String(40)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(40)),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_queue_items")),
        sa.UniqueConstraint("finding_key", name=op.f("uq_queue_items_finding_key")),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_queue_items_image_sha256_images")
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.inspection_id"],
            name=op.f("fk_queue_items_inspection_id_inspections"),
        ),
        sa.ForeignKeyConstraint(
            ["leased_by"], ["users.user_id"], name=op.f("fk_queue_items_leased_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["users.user_id"], name=op.f("fk_queue_items_assigned_to_users")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'done', 'skipped')", name=op.f("ck_queue_items_state_is_known")
        ),
        sa.CheckConstraint(
            "(leased_by IS NULL) = (leased_until IS NULL)", name=op.f("ck_queue_items_lease_has_end")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["users.user_id"], name=op.f("fk_queue_items_closed_by_users")
        ),
    )
    op.create_index("ix_queue_items_created_at", "queue_items", ["created_at"])
    op.create_index("ix_queue_items_image_sha256", "queue_items", ["image_sha256"])
    op.create_index("ix_queue_items_inspection_id", "queue_items", ["inspection_id"])
    op.create_index("ix_queue_items_reason", "queue_items", ["reason"])
    op.create_index("ix_queue_items_state_priority", "queue_items", ["state", "priority"])
    op.create_table(
        "data_versions",
        sa.Column("manifest_sha256", sa.String(64), nullable=False),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("licence", sa.String(255), nullable=False),
        sa.Column("parent_sha256", sa.String(64)),
        sa.Column("counts", sa.JSON, nullable=False),
        sa.Column("created_by", sa.String(40)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("number", name=op.f("uq_data_versions_number")),
        sa.PrimaryKeyConstraint("manifest_sha256", name=op.f("pk_data_versions")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.user_id"], name=op.f("fk_data_versions_created_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["parent_sha256"],
            ["data_versions.manifest_sha256"],
            name=op.f("fk_data_versions_parent_sha256_data_versions"),
        ),
    )
    op.create_index("ix_data_versions_model_name", "data_versions", ["model_name"])
    op.create_table(
        "serving_changes",
        sa.Column("change_id", sa.String(40), nullable=False),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("alias", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("previous_version", sa.Integer),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("gate", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("changed_by", sa.String(40)),
        sa.Column("consent_by", sa.String(40)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_serving_changes")),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["users.user_id"], name=op.f("fk_serving_changes_changed_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["consent_by"], ["users.user_id"], name=op.f("fk_serving_changes_consent_by_users")
        ),
    )
    op.create_index(
        "ix_serving_changes_model_name_changed_at", "serving_changes", ["model_name", "changed_at"]
    )
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_constraint(op.f("ck_jobs_state_is_known"), type_="check")
        jobs.create_check_constraint(op.f("ck_jobs_state_is_known"), _STATES.format(more=", 'interrupted'"))
        jobs.add_column(sa.Column("device", sa.String(16), nullable=False, server_default="cpu"))
        jobs.add_column(sa.Column("started_by", sa.String(40)))
        jobs.add_column(sa.Column("started_at", sa.DateTime(timezone=True)))
        jobs.add_column(sa.Column("heartbeat_at", sa.DateTime(timezone=True)))
        jobs.add_column(sa.Column("is_cancel_wanted", sa.Boolean, nullable=False, server_default=sa.false()))
        jobs.add_column(sa.Column("result", sa.JSON, nullable=False, server_default="{}"))
        jobs.create_foreign_key(op.f("fk_jobs_started_by_users"), "users", ["started_by"], ["user_id"])
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
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_constraint(op.f("fk_jobs_started_by_users"), type_="foreignkey")
        for column in ("result", "is_cancel_wanted", "heartbeat_at", "started_at", "started_by", "device"):
            jobs.drop_column(column)
        jobs.drop_constraint(op.f("ck_jobs_state_is_known"), type_="check")
        jobs.create_check_constraint(op.f("ck_jobs_state_is_known"), _STATES.format(more=""))
    for table in _CREATED:
        op.drop_table(table)
