"""The repository of radiographs that were handed in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.store.tables import ImageRow

_MAX_NAME_LENGTH = 255


def now_utc() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """What the database knows about an image; the bytes lie in the blob store under `sha256`.

    Attributes:
        name: the name it was first handed in under.
        pitch: millimetres per pixel with their source, None when unknown.
        n_bytes: size of the original file.
        created_at: when it was first handed in, UTC.
    """

    sha256: str
    name: str
    file_format: str
    width: int
    height: int
    bit_depth: int
    polarity: Polarity
    pitch: PixelPitch | None
    n_bytes: int
    created_at: datetime


class ImageRepository:
    """Rows of `images`, by sha256. Every method is one transaction."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = now_utc) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, radiograph: Radiograph, name: str, n_bytes: int) -> StoredImage:
        """The image as stored. Adding the same bytes again changes nothing and returns the first row.

        Args:
            radiograph: the image as read.
            name: file name as the user knows it; longer than 255 characters is cut at the front.
            n_bytes: size of the original file.
        """
        row = ImageRow(
            sha256=radiograph.sha256,
            name=name[-_MAX_NAME_LENGTH:],
            file_format=radiograph.file_format,
            width=radiograph.width,
            height=radiograph.height,
            bit_depth=radiograph.bit_depth,
            polarity=radiograph.polarity.value,
            mm_per_px=radiograph.pitch.mm_per_px if radiograph.pitch else None,
            pitch_source=radiograph.pitch.source.name if radiograph.pitch else None,
            n_bytes=n_bytes,
            created_at=self._clock(),
        )
        if (known := self.find(radiograph.sha256)) is not None:
            return known
        try:
            with Session(self._engine) as session, session.begin():
                session.add(row)
                session.flush()
                return _stored(row)
        except IntegrityError:
            if (known := self.find(radiograph.sha256)) is not None:
                return known  # somebody else added the same bytes in between
            raise

    def find(self, sha256: str) -> StoredImage | None:
        """The image with this digest, None when there is none."""
        with Session(self._engine) as session:
            row = session.get(ImageRow, sha256)
            return None if row is None else _stored(row)

    def latest(self, limit: int) -> list[StoredImage]:
        """At most `limit` images, newest first."""
        query = select(ImageRow).order_by(ImageRow.created_at.desc(), ImageRow.sha256).limit(limit)
        with Session(self._engine) as session:
            return [_stored(row) for row in session.scalars(query)]


def _stored(row: ImageRow) -> StoredImage:
    pitch = None
    if row.mm_per_px is not None and row.pitch_source is not None:
        pitch = PixelPitch(row.mm_per_px, PitchSource[row.pitch_source])
    return StoredImage(
        sha256=row.sha256,
        name=row.name,
        file_format=row.file_format,
        width=row.width,
        height=row.height,
        bit_depth=row.bit_depth,
        polarity=Polarity(row.polarity),
        pitch=pitch,
        n_bytes=row.n_bytes,
        created_at=row.created_at,
    )
