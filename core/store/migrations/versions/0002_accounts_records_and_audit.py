"""Create accounts, sessions, inspections, annotations, reviews, signatures and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("annotations", "reviews", "signatures")
_CREATED = (
    "signatures",
    "reviews",
    "annotations",
    "inspections",
    "sign_in_tickets",
    "sessions",
    "sign_in_failures",
    "audit_head",
    "audit_events",
)


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(40), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("object_type", sa.String(32), nullable=False),
        sa.Column("object_id", sa.String(128), nullable=False),
        sa.Column("before_hash", sa.String(64)),
        sa.Column("after_hash", sa.String(64)),
        sa.Column("request_id", sa.String(64)),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_audit_events_event_id")),
    )
    op.create_index("ix_audit_events_action", "audit_events", ["action"])
    op.create_index("ix_audit_events_actor_id", "audit_events", ["actor_id"])
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(8), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_is_the_only_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.Integer, autoincrement=True, nullable=False),
        sa.Column("account_key", sa.String(64), nullable=False),
        sa.Column("address_key", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failures")),
    )
    op.create_index("ix_sign_in_failures_account_key", "sign_in_failures", ["account_key"])
    op.create_index("ix_sign_in_failures_address_key", "sign_in_failures", ["address_key"])
    op.create_index("ix_sign_in_failures_at", "sign_in_failures", ["at"])
    op.create_table(
        "users",
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("password_hash", sa.String(128)),
        sa.Column("must_change_password", sa.Boolean, nullable=False),
        sa.Column("credentials_version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "role IN ('inspector', 'reviewer', 'annotator', 'ml_engineer', 'admin', 'guest')",
            name=op.f("ck_users_role_is_known"),
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
    )
    with op.batch_alter_table("images") as batch_op:
        batch_op.add_column(sa.Column("fields", sa.JSON, nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("uploaded_by", sa.String(40)))
        batch_op.create_index(batch_op.f("ix_images_uploaded_by"), ["uploaded_by"])
        batch_op.create_foreign_key(
            batch_op.f("fk_images_uploaded_by_users"), "users", ["uploaded_by"], ["user_id"]
        )
    op.create_table(
        "people",
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("full_name", sa.String(128), nullable=False),
        sa.Column("oidc_subject", sa.String(255)),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_people_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_people_oidc_subject")),
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(40), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("credentials_version", sa.Integer, nullable=False),
        sa.Column("agent", sa.String(120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("end_reason", sa.String(32)),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "sign_in_tickets",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(40), nullable=False),
        sa.Column("credentials_version", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.Column("oidc_token_hash", sa.String(64)),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_sign_in_tickets_user_id_users")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_tickets")),
        sa.UniqueConstraint("oidc_token_hash", name=op.f("uq_sign_in_tickets_oidc_token_hash")),
    )
    op.create_index("ix_sign_in_tickets_expires_at", "sign_in_tickets", ["expires_at"])
    op.create_table(
        "inspections",
        sa.Column("inspection_id", sa.String(40), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("image_name", sa.String(255), nullable=False),
        sa.Column("polarity", sa.String(16), nullable=False),
        sa.Column("inspector_id", sa.String(40)),
        sa.Column("model_name", sa.String(64), nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("calibration_id", sa.String(64), nullable=False),
        sa.Column("score_cut", sa.Float, nullable=False),
        sa.Column("operating_probability", sa.Float, nullable=False),
        sa.Column("detections", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disposition", sa.String(16)),
        sa.Column("standard", sa.String(64)),
        sa.Column("quality_level", sa.String(32)),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(40)),
        sa.CheckConstraint(
            "disposition IN ('accept', 'reject', 'review')", name=op.f("ck_inspections_disposition_is_known")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_inspections_version_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_inspections_image_sha256_images")
        ),
        sa.ForeignKeyConstraint(
            ["inspector_id"], ["users.user_id"], name=op.f("fk_inspections_inspector_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["users.user_id"], name=op.f("fk_inspections_updated_by_users")
        ),
        sa.PrimaryKeyConstraint("inspection_id", name=op.f("pk_inspections")),
    )
    op.create_index("ix_inspections_created_at_inspection_id", "inspections", ["created_at", "inspection_id"])
    op.create_index("ix_inspections_image_sha256", "inspections", ["image_sha256"])
    op.create_index("ix_inspections_inspector_id", "inspections", ["inspector_id"])
    op.create_table(
        "annotations",
        sa.Column("annotation_id", sa.String(40), nullable=False),
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("track", sa.String(40), nullable=False),
        sa.Column("inspection_id", sa.String(40)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("author_id", sa.String(40)),
        sa.Column("model_name", sa.String(64)),
        sa.Column("model_version", sa.Integer),
        sa.Column("boxes", sa.JSON, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(source = 'human') = (author_id IS NOT NULL)", name=op.f("ck_annotations_human_has_author")
        ),
        sa.CheckConstraint("source IN ('model', 'human')", name=op.f("ck_annotations_source_is_known")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_annotations_version_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.user_id"], name=op.f("fk_annotations_author_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_annotations_image_sha256_images")
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.inspection_id"],
            name=op.f("fk_annotations_inspection_id_inspections"),
        ),
        sa.PrimaryKeyConstraint("annotation_id", name=op.f("pk_annotations")),
        sa.UniqueConstraint("image_sha256", "track", "version", name="uq_annotations_image_track_version"),
    )
    op.create_index("ix_annotations_author_id", "annotations", ["author_id"])
    op.create_index("ix_annotations_inspection_id", "annotations", ["inspection_id"])
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.String(40), nullable=False),
        sa.Column("inspection_id", sa.String(40), nullable=False),
        sa.Column("inspection_version", sa.Integer, nullable=False),
        sa.Column("reviewer_id", sa.String(40), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('concurs', 'returns')", name=op.f("ck_reviews_outcome_is_known")),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.inspection_id"],
            name=op.f("fk_reviews_inspection_id_inspections"),
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["users.user_id"], name=op.f("fk_reviews_reviewer_id_users")
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_inspection_id", "reviews", ["inspection_id"])
    op.create_index("ix_reviews_reviewer_id", "reviews", ["reviewer_id"])
    op.create_table(
        "signatures",
        sa.Column("signature_id", sa.String(40), nullable=False),
        sa.Column("inspection_id", sa.String(40), nullable=False),
        sa.Column("inspection_version", sa.Integer, nullable=False),
        sa.Column("signer_id", sa.String(40), nullable=False),
        sa.Column("meaning", sa.String(32), nullable=False),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.inspection_id"],
            name=op.f("fk_signatures_inspection_id_inspections"),
        ),
        sa.ForeignKeyConstraint(["signer_id"], ["users.user_id"], name=op.f("fk_signatures_signer_id_users")),
        sa.PrimaryKeyConstraint("signature_id", name=op.f("pk_signatures")),
    )
    op.create_index("ix_signatures_inspection_id", "signatures", ["inspection_id"])
    op.create_index("ix_signatures_signer_id", "signatures", ["signer_id"])
    op.execute(
        "INSERT INTO audit_head (id, seq, hash, key_id, seal) "
        f"VALUES (1, 0, '{'0' * 64}', '', '')"  # the place before the first event; seals begin with it
    )
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def _refuse_changes(table: str) -> None:
    """Let the database itself refuse to change or delete rows of `table`."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    for table in _CREATED:
        op.drop_table(table)
    with op.batch_alter_table("images") as images:
        images.drop_constraint("fk_images_uploaded_by_users", type_="foreignkey")
        images.drop_index("ix_images_uploaded_by")
        images.drop_column("uploaded_by")
        images.drop_column("fields")
    for table in ("people", "users"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
