"""The repository of fingerprints: what is kept of each image to recognise copies of it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.store.fingerprint_table import ImageFingerprintRow
from core.store.tables import ImageRow

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class KeptFingerprint:
    """A fingerprint as bytes, in C order.

    Attributes:
        view: 32 x 32 int8.
        corners: K x 2 int32, little-endian.
        patches: K x 48 x 48 int8.
        width, height: of the image, px.
    """

    image_sha256: str
    view: bytes
    corners: bytes
    patches: bytes
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class KeptView:
    """The coarse view of one image, and when it was first handed in and fingerprinted."""

    image_sha256: str
    handed_in_at: datetime
    made_at: datetime
    n_patches: int
    view: bytes


class FingerprintRepository:
    """Rows of `image_fingerprints` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, kept: KeptFingerprint, *, at: datetime) -> None:
        """Store it; its image must be stored already. One that is there stays."""
        if self.has(kept.image_sha256):
            return
        row = ImageFingerprintRow(
            image_sha256=kept.image_sha256,
            made_at=at,
            n_patches=len(kept.corners) // 8,
            view=kept.view,
            corners=kept.corners,
            patches=kept.patches,
        )
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError:
            if not self.has(kept.image_sha256):
                raise  # else: somebody made the same one in between

    def has(self, image_sha256: str) -> bool:
        """True when the image has one."""
        column = ImageFingerprintRow.image_sha256
        return self._session.scalar(select(column).where(column == image_sha256)) is not None

    def of(self, digests: Collection[str]) -> dict[str, KeptFingerprint]:
        """The fingerprints of these images that have one, by digest."""
        query = select(ImageFingerprintRow, ImageRow.width, ImageRow.height).join(
            ImageRow, ImageRow.sha256 == ImageFingerprintRow.image_sha256
        )
        rows = self._session.execute(query.where(ImageFingerprintRow.image_sha256.in_(digests)))
        return {
            row.image_sha256: KeptFingerprint(
                row.image_sha256, row.view, row.corners, row.patches, width, height
            )
            for row, width, height in rows
        }

    def views(self, *, since: datetime | None = None) -> Iterator[KeptView]:
        """The view of every image, or of those that were fingerprinted at the moment `since` or later."""
        query = select(
            ImageFingerprintRow.image_sha256,
            ImageRow.created_at,
            ImageFingerprintRow.made_at,
            ImageFingerprintRow.n_patches,
            ImageFingerprintRow.view,
        ).join(ImageRow, ImageRow.sha256 == ImageFingerprintRow.image_sha256)
        if since is not None:
            query = query.where(ImageFingerprintRow.made_at >= since)
        for row in self._session.execute(query.execution_options(yield_per=_AT_ONCE)):
            yield KeptView(*row)

    def counts(self) -> tuple[int, int]:
        """Numbers of images and of fingerprints."""
        images = select(func.count()).select_from(ImageRow)
        prints = select(func.count()).select_from(ImageFingerprintRow)
        return self._session.scalar(images) or 0, self._session.scalar(prints) or 0

    def missing(self, limit: int, *, besides: Collection[str] = ()) -> list[str]:
        """Digests of at most `limit` images without one, oldest first, leaving out those of `besides`."""
        own = select(ImageFingerprintRow.image_sha256).where(
            ImageFingerprintRow.image_sha256 == ImageRow.sha256
        )
        query = select(ImageRow.sha256).where(~own.exists(), ImageRow.sha256.not_in(besides))
        return list(self._session.scalars(query.order_by(ImageRow.created_at, ImageRow.sha256).limit(limit)))
