"""The table of what is kept of each image to recognise copies of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base, UtcDateTime


class ImageFingerprintRow(Base):
    """A coarse view of an image and patches of its grain, as `core.imaging.fingerprint` makes them.

    The view comes before the patches, so that reading all views does not read the patches.
    """

    __tablename__ = "image_fingerprints"
    __table_args__ = (
        CheckConstraint("length(view) = 1024", "view_is_32_by_32"),
        CheckConstraint("length(patches) = 2304 * n_patches", "patches_are_48_by_48"),
        CheckConstraint("length(corners) = 8 * n_patches", "each_patch_has_a_corner"),
    )

    image_sha256: Mapped[str] = mapped_column(ForeignKey("images.sha256"), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    n_patches: Mapped[int] = mapped_column(Integer)
    view: Mapped[bytes] = mapped_column(LargeBinary)
    corners: Mapped[bytes] = mapped_column(LargeBinary)
    patches: Mapped[bytes] = mapped_column(LargeBinary)
