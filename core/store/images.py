"""The repository of radiographs that were handed in."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit.records import left_value
from core.domain.radiograph import PitchSource, PixelPitch, Polarity, Radiograph
from core.store.audit_states import StateRepository
from core.store.record_watch import proven_table
from core.store.tables import ImageRow

_MAX_NAME_LENGTH = 255
_BATCH = 500
_FILE = ImageRow.file_sha256.key


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A row of `images`; the bytes lie in the blob store under `file_sha256`.

    Attributes:
        sha256: names the picture, see `Radiograph`.
        file_sha256: of the original file.
        frame: number of the frame in that file, from 1; None where it holds one picture.
        name: the name it was first handed in under.
        pitch: millimetres per pixel with their source, None when unknown.
        n_bytes: size of the original file.
        created_at: when it was first handed in, UTC.
        uploaded_by: who handed it in first, None for a command on the server.
        fields: DICONDE fields, keyword to text.
    """

    sha256: str
    file_sha256: str
    frame: int | None
    name: str
    file_format: str
    width: int
    height: int
    bit_depth: int
    polarity: Polarity
    pitch: PixelPitch | None
    n_bytes: int
    created_at: datetime
    uploaded_by: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a row says of a picture itself; see `Radiograph` for the attributes."""

    sha256: str
    file_sha256: str
    frame: int | None
    file_format: str
    width: int
    height: int
    bit_depth: int
    polarity: Polarity
    pitch: PixelPitch | None
    fields: Mapping[str, str]


def facts_of(radiograph: Radiograph) -> PictureFacts:
    """The facts of a radiograph, without its pixels."""
    return PictureFacts(
        sha256=radiograph.sha256,
        file_sha256=radiograph.file_sha256,
        frame=radiograph.frame,
        file_format=radiograph.file_format,
        width=radiograph.width,
        height=radiograph.height,
        bit_depth=radiograph.bit_depth,
        polarity=radiograph.polarity,
        pitch=radiograph.pitch,
        fields=radiograph.fields,
    )


class ImageRepository:
    """Rows of `images`, by sha256, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        radiograph: Radiograph | PictureFacts,
        name: str,
        n_bytes: int,
        *,
        at: datetime,
        uploaded_by: str | None = None,
    ) -> tuple[StoredImage, bool]:
        """The image as stored, and True when it is new. The same bytes again change nothing.

        Args:
            radiograph: the image as read.
            name: file name as the user knows it; longer than 255 characters is cut at the front.
            n_bytes: size of the original file.
            at: when it was handed in.
            uploaded_by: id of the user, None for a command on the server.
        """
        if (known := self.find(radiograph.sha256)) is not None:
            return known, False
        row = ImageRow(
            sha256=radiograph.sha256,
            file_sha256=radiograph.file_sha256,
            frame=radiograph.frame,
            name=name[-_MAX_NAME_LENGTH:],
            file_format=radiograph.file_format,
            width=radiograph.width,
            height=radiograph.height,
            bit_depth=radiograph.bit_depth,
            polarity=radiograph.polarity.value,
            mm_per_px=radiograph.pitch.mm_per_px if radiograph.pitch else None,
            pitch_source=radiograph.pitch.source.name if radiograph.pitch else None,
            n_bytes=n_bytes,
            fields=dict(radiograph.fields),
            uploaded_by=uploaded_by,
            created_at=at,
        )
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError:
            if (known := self.find(radiograph.sha256)) is not None:
                return known, False  # somebody else added the same bytes in between
            raise
        return _stored(row), True

    def find(self, sha256: str) -> StoredImage | None:
        """The image with this digest, None when there is none."""
        row = self._session.get(ImageRow, sha256)
        return None if row is None else _stored(row)

    def names(self) -> Iterator[tuple[str, str, int, int]]:
        """Digest, name, width and height, px, of every image, by digest."""
        query = select(ImageRow.sha256, ImageRow.name, ImageRow.width, ImageRow.height)
        for row in self._session.execute(query.order_by(ImageRow.sha256)):
            yield tuple(row)  # type: ignore[misc]  # as many columns as were selected

    def names_of(self, digests: Collection[str]) -> dict[str, str]:
        """The names of these images by sha256; those that are not there are missing. For some hundreds."""
        query = select(ImageRow.sha256, ImageRow.name).where(ImageRow.sha256.in_(digests))
        return {row.sha256: row.name for row in self._session.execute(query)}

    def has_file(self, file_sha256: str) -> bool:
        """True when a picture of this file is stored."""
        query = select(ImageRow.sha256).where(ImageRow.file_sha256 == file_sha256).limit(1)
        return self._session.scalar(query) is not None

    def files(self) -> set[str]:
        """The digest of every original file, whatever stands in the column."""
        images = proven_table("images").all(self._session)
        return {str(values["file_sha256"]) for _, values in images}

    def total_bytes(self) -> int:
        """Size of all originals together, each file counted once."""
        files = select(func.max(ImageRow.n_bytes).label("n_bytes")).group_by(ImageRow.file_sha256).subquery()
        return int(self._session.scalar(select(func.coalesce(func.sum(files.c.n_bytes), 0))) or 0)

    def without_row(self, digests: Collection[str]) -> set[str]:
        """Those of `digests` that are no original of an image.

        Until the transaction ends, nobody else can add one. Call it within a transaction that writes: on
        SQLite that keeps others from writing.
        """
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(text("LOCK TABLE images IN SHARE MODE"))
        known = self._session.scalars(select(ImageRow.file_sha256).where(ImageRow.file_sha256.in_(digests)))
        return set(digests) - set(known)

    def named_by_log(self, digests: Collection[str]) -> set[str]:
        """Those of `digests`, originals without a row, that the audit log knows as the original of an image.

        Its row was removed, or made to name another file, outside of the program.
        """
        table, left, found = proven_table("images"), set(digests), set[str]()
        newest = StateRepository(self._session).newest(table.name)
        states = (state for _, state in newest if not state.is_removed)
        while left and (some := list(islice(states, _BATCH))):
            rows = table.read(self._session, [state.key for state in some])
            for state in some:
                row = rows.get(state.key)
                if row is None or not left_value(state, _FILE, row[_FILE]):
                    found |= {one for one in left if one == state.key or left_value(state, _FILE, one)}
            left -= found
        return found

    def latest(self, limit: int) -> list[StoredImage]:
        """At most `limit` images, newest first."""
        query = select(ImageRow).order_by(ImageRow.created_at.desc(), ImageRow.sha256).limit(limit)
        return [_stored(row) for row in self._session.scalars(query)]


def _stored(row: ImageRow) -> StoredImage:
    pitch = None
    if row.mm_per_px is not None and row.pitch_source is not None:
        pitch = PixelPitch(row.mm_per_px, PitchSource[row.pitch_source])
    return StoredImage(
        sha256=row.sha256,
        file_sha256=row.file_sha256,
        frame=row.frame,
        name=row.name,
        file_format=row.file_format,
        width=row.width,
        height=row.height,
        bit_depth=row.bit_depth,
        polarity=Polarity(row.polarity),
        pitch=pitch,
        n_bytes=row.n_bytes,
        created_at=row.created_at,
        uploaded_by=row.uploaded_by,
        fields=row.fields,
    )
