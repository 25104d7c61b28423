"""Keep a fingerprint of each image, so that a copy of an earlier one is recognised."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "image_fingerprints",
        sa.Column("image_sha256", sa.String(64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n_patches", sa.Integer, nullable=False),
        sa.Column("view", sa.LargeBinary, nullable=False),
        sa.Column("corners", sa.LargeBinary, nullable=False),
        sa.Column("patches", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("length(view) = 1024", name=op.f("ck_image_fingerprints_view_is_32_by_32")),
        sa.CheckConstraint(
            "length(patches) = 2304 * n_patches", name=op.f("ck_image_fingerprints_patches_are_48_by_48")
        ),
        sa.CheckConstraint(
            "length(corners) = 8 * n_patches", name=op.f("ck_image_fingerprints_each_patch_has_a_corner")
        ),
        sa.ForeignKeyConstraint(
            ["image_sha256"], ["images.sha256"], name=op.f("fk_image_fingerprints_image_sha256_images")
        ),
        sa.PrimaryKeyConstraint("image_sha256", name=op.f("pk_image_fingerprints")),
    )
    op.create_index("ix_image_fingerprints_made_at", "image_fingerprints", ["made_at"])


def downgrade() -> None:
    op.drop_table("image_fingerprints")
