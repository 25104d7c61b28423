"""Create the whole schema. Constraints and indexes take their names from `core.store.tables.Base`."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_APPEND_ONLY = (
    "annotations",
    "data_versions",
    "disagreements",
    "evaluation_sets",
    "evaluations",
    "image_scales",
    "reviews",
    "rule_sets",
    "serving_changes",
    "signatures",
    "signed_judgements",
)


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        _required("event_id", sa.String(32), unique=True),
        _required("at", _MOMENT, index=True),
        _required("actor_id", sa.String(40), index=True),
        _required("action", sa.String(64), index=True),
        _required("object_type", sa.String(32)),
        _required("object_id", sa.String(128)),
        sa.Column("before_hash", sa.String(64)),
        sa.Column("after_hash", sa.String(64)),
        sa.Column("request_id", sa.String(64)),
        _required("details", sa.JSON),
        _required("previous_hash", sa.String(64)),
        _required("hash", sa.String(64)),
        _required("key_id", sa.String(8)),
        _required("seal", sa.String(64)),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _required("seq", sa.Integer),
        _required("hash", sa.String(64)),
        _required("key_id", sa.String(8)),
        _required("seal", sa.String(64)),
        sa.CheckConstraint("id = 1", "is_the_only_row"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        _required("account_key", sa.String(64), index=True),
        _required("address_key", sa.String(64), index=True),
        _required("at", _MOMENT, index=True),
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.String(40), primary_key=True),
        _required("role", sa.String(16)),
        _required("is_active", sa.Boolean),
        sa.Column("password_hash", sa.String(128)),
        _required("must_change_password", sa.Boolean),
        _required("credentials_version", sa.Integer),
        _required("created_at", _MOMENT),
        sa.Column("signed_in_at", _MOMENT),
        sa.CheckConstraint(
            "role IN ('inspector', 'reviewer', 'annotator', 'ml_engineer', 'admin', 'guest')", "role_is_known"
        ),
    )
    op.create_table(
        "data_versions",
        sa.Column("manifest_sha256", sa.String(64), primary_key=True),
        _required("model_name", sa.String(64), index=True),
        _required("number", sa.Integer, unique=True),
        _required("note", sa.Text),
        _required("licence", sa.String(255)),
        sa.Column("parent_sha256", sa.String(64), sa.ForeignKey("data_versions.manifest_sha256")),
        _required("counts", sa.JSON),
        sa.Column("created_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("created_at", _MOMENT),
    )
    op.create_table(
        "evaluation_sets",
        sa.Column("set_id", sa.String(40), primary_key=True),
        _required("name", sa.String(128), unique=True),
        _required("model_name", sa.String(64), index=True),
        _required("digest", sa.String(64), unique=True),
        _required("source", sa.JSON),
        _required("n_images", sa.Integer),
        _required("n_boxes", sa.Integer),
        sa.Column("created_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("created_at", _MOMENT),
    )
    op.create_table(
        "images",
        sa.Column("sha256", sa.String(64), primary_key=True),
        _required("file_sha256", sa.String(64), index=True),
        sa.Column("frame", sa.Integer),
        _required("name", sa.String(255)),
        _required("file_format", sa.String(16)),
        _required("width", sa.Integer),
        _required("height", sa.Integer),
        _required("bit_depth", sa.Integer),
        _required("polarity", sa.String(16)),
        sa.Column("mm_per_px", sa.Float),
        sa.Column("pitch_source", sa.String(64)),
        _required("n_bytes", sa.Integer),
        _required("fields", sa.JSON),
        sa.Column("uploaded_by", sa.String(40), sa.ForeignKey("users.user_id"), index=True),
        _required("created_at", _MOMENT, index=True),
        sa.CheckConstraint("frame IS NOT NULL OR file_sha256 = sha256", "picture_is_file_or_frame"),
        sa.CheckConstraint("width > 0 AND height > 0", "has_pixels"),
        sa.CheckConstraint("(mm_per_px IS NULL) = (pitch_source IS NULL)", "pitch_has_source"),
        sa.CheckConstraint("length(sha256) = 64", "sha256_is_hex_digest"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        _required("kind", sa.String(32)),
        _required("state", sa.String(16), index=True),
        _required("progress", sa.Float),
        _required("message", sa.String(1000)),
        _required("created_at", _MOMENT),
        _required("updated_at", _MOMENT),
        _required("payload", sa.JSON),
        _required("device", sa.String(16), server_default="cpu"),
        sa.Column("started_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("started_at", _MOMENT),
        sa.Column("heartbeat_at", _MOMENT),
        _required("is_cancel_wanted", sa.Boolean, server_default=sa.false()),
        _required("result", sa.JSON, server_default="{}"),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", "progress_is_a_fraction"),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')", "state_is_known"
        ),
    )
    op.create_table(
        "people",
        sa.Column("user_id", sa.String(40), sa.ForeignKey("users.user_id"), primary_key=True),
        _required("name", sa.String(64), unique=True),
        _required("full_name", sa.String(128)),
        sa.Column("oidc_subject", sa.String(255), unique=True),
    )
    op.create_table(
        "promotion_requests",
        sa.Column("request_id", sa.String(40), primary_key=True),
        _required("model_name", sa.String(64)),
        _required("alias", sa.String(32)),
        _required("version", sa.Integer),
        _required("model_sha256", sa.String(64)),
        sa.Column("current_version", sa.Integer),
        _required("gate", sa.JSON),
        _required("note", sa.Text),
        _required("state", sa.String(16)),
        _required("requested_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("requested_at", _MOMENT),
        sa.Column("closed_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("closed_at", _MOMENT),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", "closed_has_end"),
        sa.CheckConstraint("state IN ('open', 'granted', 'declined', 'withdrawn')", "state_is_known"),
        sa.CheckConstraint("state <> 'granted' OR closed_by <> requested_by", "two_people_grant"),
        sa.Index("ix_promotion_requests_model_name_state", "model_name", "state"),
    )
    op.create_table(
        "rule_sets",
        sa.Column("rule_set_id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        _required("sha256", sa.String(64)),
        _required("text", sa.Text),
        sa.Column("saved_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("saved_at", _MOMENT),
    )
    op.create_table(
        "serving_changes",
        sa.Column("change_id", sa.String(40), primary_key=True),
        _required("model_name", sa.String(64)),
        _required("alias", sa.String(32)),
        _required("version", sa.Integer),
        _required("model_sha256", sa.String(64)),
        sa.Column("previous_version", sa.Integer),
        _required("kind", sa.String(16)),
        _required("gate", sa.JSON),
        _required("note", sa.Text),
        sa.Column("changed_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("consent_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("changed_at", _MOMENT),
        sa.Index("ix_serving_changes_model_name_changed_at", "model_name", "changed_at"),
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(40), primary_key=True),
        _required("token_hash", sa.String(64), unique=True),
        _required("user_id", sa.String(40), sa.ForeignKey("users.user_id"), index=True),
        _required("credentials_version", sa.Integer),
        _required("agent", sa.String(120)),
        _required("created_at", _MOMENT),
        _required("seen_at", _MOMENT),
        sa.Column("ended_at", _MOMENT),
        sa.Column("end_reason", sa.String(32)),
    )
    op.create_table(
        "setup_templates",
        sa.Column("name", sa.String(64), primary_key=True),
        _required("setup", sa.JSON),
        sa.Column("saved_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("saved_at", _MOMENT),
    )
    op.create_table(
        "sign_in_tickets",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        _required("user_id", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("credentials_version", sa.Integer),
        _required("expires_at", _MOMENT, index=True),
        sa.Column("used_at", _MOMENT),
        sa.Column("oidc_token_hash", sa.String(64), unique=True),
    )
    op.create_table(
        "evaluations",
        sa.Column("evaluation_id", sa.String(40), primary_key=True),
        _required("model_name", sa.String(64), index=True),
        _required("model_version", sa.Integer),
        _required("model_sha256", sa.String(64)),
        _required("calibration_id", sa.String(16)),
        _required("set_digest", sa.String(64), sa.ForeignKey("evaluation_sets.digest"), index=True),
        _required("figures_version", sa.Integer),
        _required("summary", sa.JSON),
        _required("outcomes_sha256", sa.String(64)),
        _required("device", sa.String(16)),
        _required("elapsed_ms", sa.Float),
        sa.Column("created_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("created_at", _MOMENT),
        sa.UniqueConstraint(
            "model_sha256", "calibration_id", "set_digest", "figures_version", name="uq_evaluations_what"
        ),
    )
    op.create_table(
        "image_fingerprints",
        sa.Column("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), primary_key=True),
        _required("made_at", _MOMENT, index=True),
        _required("n_patches", sa.Integer),
        _required("view", sa.LargeBinary),
        _required("corners", sa.LargeBinary),
        _required("patches", sa.LargeBinary),
        sa.CheckConstraint("length(corners) = 8 * n_patches", "each_patch_has_a_corner"),
        sa.CheckConstraint("length(patches) = 2304 * n_patches", "patches_are_48_by_48"),
        sa.CheckConstraint("length(view) = 1024", "view_is_32_by_32"),
    )
    op.create_table(
        "image_scales",
        sa.Column("scale_id", sa.String(40), primary_key=True),
        _required("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), index=True),
        _required("mm_per_px", sa.Float),
        _required("known_mm", sa.Float),
        _required("measured_px", sa.Float),
        sa.Column("set_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("set_at", _MOMENT),
        sa.CheckConstraint("mm_per_px > 0", "scale_is_positive"),
    )
    op.create_table(
        "inspections",
        sa.Column("inspection_id", sa.String(40), primary_key=True),
        _required("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), index=True),
        _required("image_name", sa.String(255)),
        _required("polarity", sa.String(16)),
        sa.Column("inspector_id", sa.String(40), sa.ForeignKey("users.user_id"), index=True),
        _required("model_name", sa.String(64)),
        _required("model_version", sa.Integer),
        _required("model_sha256", sa.String(64)),
        _required("calibration_id", sa.String(64)),
        _required("score_cut", sa.Float),
        _required("operating_probability", sa.Float),
        _required("detections", sa.JSON),
        _required("created_at", _MOMENT),
        sa.Column("disposition", sa.String(16)),
        sa.Column("standard", sa.String(64)),
        sa.Column("quality_level", sa.String(32)),
        _required("note", sa.Text),
        _required("version", sa.Integer),
        _required("updated_at", _MOMENT),
        sa.Column("updated_by", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("part", sa.String(128), index=True),
        _required("setup", sa.JSON),
        sa.Column("image_quality", sa.JSON),
        _required("state", sa.String(16), index=True),
        sa.Column("revision_of", sa.String(40), sa.ForeignKey("inspections.inspection_id")),
        _required("search_text", sa.String(520), server_default=""),
        _required("found", sa.String(255), server_default=""),
        sa.CheckConstraint("disposition IN ('accept', 'reject', 'review')", "disposition_is_known"),
        sa.CheckConstraint("state IN ('open', 'signed', 'concurred', 'returned')", "state_is_known"),
        sa.CheckConstraint("version >= 1", "version_counts_from_one"),
        sa.Index(
            "ix_inspections_history",
            "created_at",
            "inspection_id",
            "search_text",
            "found",
            "disposition",
            "state",
            "model_name",
            "model_version",
            "inspector_id",
        ),
    )
    op.create_table(
        "worklist",
        sa.Column("entry_id", sa.String(40), primary_key=True),
        _required("user_id", sa.String(40), sa.ForeignKey("users.user_id")),
        _required("image_sha256", sa.String(64), sa.ForeignKey("images.sha256")),
        _required("name", sa.String(255)),
        _required("polarity", sa.String(16)),
        _required("setup", sa.JSON),
        _required("added_at", _MOMENT),
        sa.Index("ix_worklist_user_id_added_at", "user_id", "added_at"),
    )
    op.create_table(
        "annotations",
        sa.Column("annotation_id", sa.String(40), primary_key=True),
        _required("image_sha256", sa.String(64), sa.ForeignKey("images.sha256")),
        _required("track", sa.String(40)),
        sa.Column("inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), index=True),
        _required("version", sa.Integer),
        _required("source", sa.String(8)),
        sa.Column("author_id", sa.String(40), sa.ForeignKey("users.user_id"), index=True),
        sa.Column("model_name", sa.String(64)),
        sa.Column("model_version", sa.Integer),
        _required("boxes", sa.JSON),
        _required("note", sa.Text),
        _required("created_at", _MOMENT),
        sa.CheckConstraint("(source = 'human') = (author_id IS NOT NULL)", "human_has_author"),
        sa.CheckConstraint("source IN ('model', 'human')", "source_is_known"),
        sa.CheckConstraint("version >= 1", "version_counts_from_one"),
        sa.UniqueConstraint("image_sha256", "track", "version", name="uq_annotations_image_track_version"),
    )
    op.create_table(
        "disagreements",
        sa.Column("disagreement_id", sa.String(40), primary_key=True),
        _required("inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), index=True),
        _required("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), index=True),
        _required("kind", sa.String(32)),
        _required("indication", sa.JSON),
        _required("created_at", _MOMENT, index=True),
    )
    op.create_table(
        "queue_items",
        sa.Column("item_id", sa.String(40), primary_key=True),
        _required("finding_key", sa.String(160), unique=True),
        _required("image_sha256", sa.String(64), sa.ForeignKey("images.sha256"), index=True),
        sa.Column("inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), index=True),
        _required("model_name", sa.String(64)),
        _required("reason", sa.String(32), index=True),
        _required("detail", sa.JSON),
        _required("priority", sa.Float),
        _required("state", sa.String(16)),
        sa.Column("assigned_to", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("leased_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("leased_until", _MOMENT),
        _required("note", sa.String(1000)),
        _required("version", sa.Integer),
        _required("created_at", _MOMENT, index=True),
        _required("updated_at", _MOMENT),
        sa.Column("closed_by", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.CheckConstraint("(leased_by IS NULL) = (leased_until IS NULL)", "lease_has_end"),
        sa.CheckConstraint("state IN ('open', 'done', 'skipped')", "state_is_known"),
        sa.Index(
            "ix_queue_items_worklist",
            "state",
            "priority",
            "item_id",
            "reason",
            "model_name",
            "assigned_to",
            "image_sha256",
        ),
    )
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.String(40), primary_key=True),
        _required("inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), index=True),
        _required("inspection_version", sa.Integer),
        _required("reviewer_id", sa.String(40), sa.ForeignKey("users.user_id"), index=True),
        _required("outcome", sa.String(16)),
        sa.Column("own_disposition", sa.String(16)),
        sa.Column("own_version", sa.Integer),
        _required("note", sa.Text),
        _required("created_at", _MOMENT),
        sa.CheckConstraint("outcome IN ('concurs', 'returns')", "outcome_is_known"),
    )
    op.create_table(
        "signatures",
        sa.Column("signature_id", sa.String(40), primary_key=True),
        _required("inspection_id", sa.String(40), sa.ForeignKey("inspections.inspection_id"), index=True),
        _required("inspection_version", sa.Integer),
        _required("signer_id", sa.String(40), sa.ForeignKey("users.user_id"), index=True),
        _required("meaning", sa.String(32)),
        _required("content_sha256", sa.String(64)),
        _required("signed_at", _MOMENT),
        _required("seal", sa.String(64)),
    )
    op.create_table(
        "signed_judgements",
        sa.Column("signature_id", sa.String(40), sa.ForeignKey("signatures.signature_id"), primary_key=True),
        _required("judgement", sa.JSON),
    )
    op.execute(
        "INSERT INTO audit_head (id, seq, hash, key_id, seal) "
        f"VALUES (1, 0, '{'0' * 64}', '', '')"  # the place before the first event; seals begin with it
    )
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def _required(name: str, kind: Any, *constraints: sa.ForeignKey, **options: Any) -> "sa.Column[Any]":
    return sa.Column(name, kind, *constraints, nullable=False, **options)


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
