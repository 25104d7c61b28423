"""The repository of annotations: append-only, each save is the next version."""

from collections.abc import Iterator

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.domain.errors import StaleVersionError
from core.domain.records import Annotation, AnnotationSource
from core.store.record_tables import AnnotationRow
from core.store.tables import ImageRow

#: Names in PostgreSQL and SQLite of the constraint that keeps two writers from the same version.
_UNIQUE = ("uq_annotations_image_track_version", "annotations.track, annotations.version")


class AnnotationRepository:
    """Rows of `annotations` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def append(self, annotation: Annotation) -> None:
        """Store the next version; it must follow the newest one without a gap.

        Raises:
            StaleVersionError: another version was saved since; nothing was stored.
        """
        based_on = annotation.version - 1
        newest = self.latest(annotation.image_sha256, annotation.track)
        stored = newest.version if newest else 0
        if stored != based_on:
            raise StaleVersionError("the annotation", yours=based_on, stored=stored)
        try:
            self._session.add(_row(annotation))
            self._session.flush()
        except IntegrityError as error:
            if not any(name in str(error) for name in _UNIQUE):
                raise
            # another writer was faster between looking and writing; PostgreSQL lets both look
            raise StaleVersionError("the annotation", yours=based_on, stored=annotation.version) from error

    def latest(self, image_sha256: str, track: str) -> Annotation | None:
        """The newest version, None when nobody annotated."""
        query = _of(image_sha256, track).order_by(AnnotationRow.version.desc()).limit(1)
        row = self._session.scalar(query)
        return None if row is None else _annotation(row)

    def latest_by(self, author_id: str, track: str, *, but_not: str) -> Annotation | None:
        """The last annotation of this person on a track, of any image but one; None when there is none."""
        query = (
            select(AnnotationRow)
            .where(
                AnnotationRow.author_id == author_id,
                AnnotationRow.track == track,
                AnnotationRow.image_sha256 != but_not,
            )
            .order_by(AnnotationRow.created_at.desc(), AnnotationRow.version.desc())
            .limit(1)
        )
        row = self._session.scalar(query)
        return None if row is None else _annotation(row)

    def at(self, image_sha256: str, track: str, version: int) -> Annotation | None:
        """This version, None when there is none."""
        row = self._session.scalar(_of(image_sha256, track).where(AnnotationRow.version == version))
        return None if row is None else _annotation(row)

    def images_of(self, track: str) -> Iterator[tuple[str, str, int, int]]:
        """Digest, name, width and height, px, of every image with an annotation on this track, by digest."""
        has_one = exists().where(AnnotationRow.image_sha256 == ImageRow.sha256, AnnotationRow.track == track)
        query = select(ImageRow.sha256, ImageRow.name, ImageRow.width, ImageRow.height).where(has_one)
        for row in self._session.execute(query.order_by(ImageRow.sha256)):
            yield tuple(row)  # type: ignore[misc]  # as many columns as were selected

    def newest_of(self, track: str, limit: int, *, after: str = "") -> list[Annotation]:
        """The newest version of each image on this track: at most `limit`, by digest, behind `after`."""
        newest = (
            select(AnnotationRow.image_sha256, func.max(AnnotationRow.version).label("version"))
            .where(AnnotationRow.track == track, AnnotationRow.image_sha256 > after)
            .group_by(AnnotationRow.image_sha256)
            .order_by(AnnotationRow.image_sha256)
            .limit(limit)
            .subquery()
        )
        query = select(AnnotationRow).join(
            newest,
            and_(
                AnnotationRow.image_sha256 == newest.c.image_sha256,
                AnnotationRow.version == newest.c.version,
                AnnotationRow.track == track,
            ),
        )
        return [_annotation(row) for row in self._session.scalars(query.order_by(AnnotationRow.image_sha256))]

    def history(self, image_sha256: str, track: str) -> list[Annotation]:
        """Every version, oldest first."""
        query = _of(image_sha256, track).order_by(AnnotationRow.version)
        return [_annotation(row) for row in self._session.scalars(query)]


def _of(image_sha256: str, track: str) -> Select[AnnotationRow]:
    return select(AnnotationRow).where(
        AnnotationRow.image_sha256 == image_sha256, AnnotationRow.track == track
    )


def _row(annotation: Annotation) -> AnnotationRow:
    return AnnotationRow(
        annotation_id=annotation.annotation_id,
        image_sha256=annotation.image_sha256,
        track=annotation.track,
        inspection_id=annotation.inspection_id,
        version=annotation.version,
        source=annotation.source.value,
        author_id=annotation.author_id,
        model_name=annotation.model_name,
        model_version=annotation.model_version,
        boxes=[dict(box) for box in annotation.boxes],
        note=annotation.note,
        created_at=annotation.created_at,
    )


def _annotation(row: AnnotationRow) -> Annotation:
    return Annotation(
        annotation_id=row.annotation_id,
        image_sha256=row.image_sha256,
        track=row.track,
        inspection_id=row.inspection_id,
        version=row.version,
        source=AnnotationSource(row.source),
        author_id=row.author_id,
        boxes=tuple(row.boxes),
        note=row.note,
        created_at=row.created_at,
        model_name=row.model_name,
        model_version=row.model_version,
    )
