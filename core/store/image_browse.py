"""Looking through all images of a store: newest labels, part, whether they wait; filtered and in pages."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Exists, Text, and_, cast, exists, func, select, tuple_
from sqlalchemy.orm import Session

from core.domain.records import LABELS
from core.store.learning_tables import QueueItemRow
from core.store.queue import QueueState
from core.store.record_tables import AnnotationRow, InspectionRow
from core.store.tables import ImageRow


class LabelState(StrEnum):
    """How far the labels of an image are."""

    UNLABELLED = "not labelled"
    WAITING = "waits in the queue"
    LABELLED = "labelled"
    CLEAN = "nothing found"


@dataclass(frozen=True, slots=True)
class BrowseFilter:
    """The images that are asked for; None and empty texts ask for nothing.

    Attributes:
        name: part of the image's name.
        part: part of what an inspection's setup names as the part.
        label_class: value of an `IndicationClass`, or code of an own class.
        author_id: who saved the newest labels.
        digests: only these.
    """

    name: str = ""
    part: str = ""
    label_class: str | None = None
    author_id: str | None = None
    state: LabelState | None = None
    digests: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BrowsedImage:
    """One image.

    Attributes:
        part: as its newest inspection says, empty without one.
        boxes: of the newest labels, None where nobody labelled it.
        author_id, saved_at: of these, None where nobody labelled it.
        is_waiting: the queue holds an open item about it.
    """

    sha256: str
    name: str
    width: int
    height: int
    created_at: datetime
    part: str
    boxes: tuple[Mapping[str, Any], ...] | None
    author_id: str | None
    saved_at: datetime | None
    is_waiting: bool

    @property
    def state(self) -> LabelState:
        """How far its labels are; waiting comes first."""
        if self.is_waiting:
            return LabelState.WAITING
        if self.boxes is None:
            return LabelState.UNLABELLED
        return LabelState.LABELLED if self.boxes else LabelState.CLEAN

    @property
    def place(self) -> "Place":
        """Its place in the order, for the beginning of the next page."""
        return self.created_at, self.name, self.sha256


_NEWEST = (
    select(AnnotationRow.image_sha256, func.max(AnnotationRow.version).label("version"))
    .where(AnnotationRow.track == LABELS)
    .group_by(AnnotationRow.image_sha256)
    .subquery()
)
#: Moment, name and digest: what came together stands by its names, as the frames of a series do.
Place = tuple[datetime, str, str]
_ORDER = (ImageRow.created_at.desc(), ImageRow.name, ImageRow.sha256)


class ImageBrowse:
    """Looks through `images` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, wanted: BrowseFilter, limit: int, *, before: Place | None = None) -> list[BrowsedImage]:
        """At most `limit` images, the newest first, those of one moment by name.

        Args:
            wanted: the filter.
            limit: how many.
            before: `place` of the last one of the page before.
        """
        query = _joined(select(ImageRow, AnnotationRow, _is_waiting())).where(*_conditions(wanted))
        if before is not None:
            moment, *named = before
            is_later = and_(
                ImageRow.created_at == moment, tuple_(ImageRow.name, ImageRow.sha256) > tuple(named)
            )
            query = query.where((ImageRow.created_at < moment) | is_later)
        rows = self._session.execute(query.order_by(*_ORDER).limit(limit)).all()
        parts = self._parts([image.sha256 for image, _, _ in rows])
        return [
            BrowsedImage(
                sha256=image.sha256,
                name=image.name,
                width=image.width,
                height=image.height,
                created_at=image.created_at,
                part=parts.get(image.sha256, ""),
                boxes=None if kept is None else tuple(kept.boxes),
                author_id=kept.author_id if kept else None,
                saved_at=kept.created_at if kept else None,
                is_waiting=bool(waits),
            )
            for image, kept, waits in rows
        ]

    def digests(self, wanted: BrowseFilter, limit: int) -> list[str]:
        """Digests of at most `limit` images, in the order of the pages."""
        query = _joined(select(ImageRow.sha256)).where(*_conditions(wanted)).order_by(*_ORDER).limit(limit)
        return list(self._session.scalars(query))

    def count(self, wanted: BrowseFilter) -> int:
        """Number of images."""
        query = _joined(select(func.count(ImageRow.sha256))).where(*_conditions(wanted))
        return int(self._session.scalar(query) or 0)

    def author_ids(self) -> list[str]:
        """Everybody who ever saved labels."""
        query = select(AnnotationRow.author_id).where(AnnotationRow.track == LABELS).distinct()
        return sorted(one for one in self._session.scalars(query) if one is not None)

    def _parts(self, digests: Collection[str]) -> dict[str, str]:
        """The part of the newest inspection of each image."""
        query = (
            select(InspectionRow.image_sha256, InspectionRow.setup)
            .where(InspectionRow.image_sha256.in_(digests))
            .order_by(InspectionRow.created_at)
        )
        return {
            sha256: str((setup or {}).get("part") or "") for sha256, setup in self._session.execute(query)
        }


def _joined(query: Any) -> Any:  # a Select of any columns
    """With the newest labels of each image beside it."""
    return query.outerjoin(_NEWEST, _NEWEST.c.image_sha256 == ImageRow.sha256).outerjoin(
        AnnotationRow,
        and_(
            AnnotationRow.image_sha256 == ImageRow.sha256,
            AnnotationRow.track == LABELS,
            AnnotationRow.version == _NEWEST.c.version,
        ),
    )


def _is_waiting() -> Exists:
    return exists().where(
        QueueItemRow.image_sha256 == ImageRow.sha256, QueueItemRow.state == QueueState.OPEN.value
    )


def _conditions(wanted: BrowseFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.name:
        conditions.append(ImageRow.name.icontains(wanted.name, autoescape=True))
    if wanted.part:
        part = InspectionRow.setup["part"].as_string()
        of_image = InspectionRow.image_sha256 == ImageRow.sha256
        conditions.append(exists().where(of_image, part.icontains(wanted.part, autoescape=True)))
    if wanted.label_class:
        text = cast(AnnotationRow.boxes, Text)
        is_class = text.contains(f'"class": "{wanted.label_class}"', autoescape=True)
        conditions.append(is_class | text.contains(f'"own_class": "{wanted.label_class}"', autoescape=True))
    if wanted.author_id:
        conditions.append(AnnotationRow.author_id == wanted.author_id)
    if wanted.state is not None:
        conditions += _of_state(wanted.state)
    if wanted.digests is not None:
        conditions.append(ImageRow.sha256.in_(wanted.digests))
    return conditions


def _of_state(state: LabelState) -> list[ColumnElement[bool]]:
    waits = _is_waiting()
    if state is LabelState.WAITING:
        return [waits]
    if state is LabelState.UNLABELLED:
        return [~waits, AnnotationRow.annotation_id.is_(None)]
    is_empty = func.json_array_length(AnnotationRow.boxes) == 0
    return [
        ~waits,
        AnnotationRow.annotation_id.is_not(None),
        is_empty if state is LabelState.CLEAN else ~is_empty,
    ]
