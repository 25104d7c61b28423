"""The repository of data versions, and of the labelled images that the next one is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from core.domain.records import LABELS
from core.store.learning_tables import DataVersionRow, QueueItemRow
from core.store.record_tables import AnnotationRow, InspectionRow

_OPEN = "open"


@dataclass(frozen=True, slots=True, eq=False)
class DataVersion:
    """A data version as stored; the manifest lies in a file.

    Attributes:
        manifest_sha256: its id.
        number: what people call it, counting from 1 over all models.
        counts: see `DataManifest.counts`.
        parent_sha256: the version that came before, None for the first.
        created_by: id of the account, None for a command.
        created_at: UTC.
    """

    manifest_sha256: str
    model_name: str
    number: int
    note: str
    licence: str
    parent_sha256: str | None
    counts: Mapping[str, Any]
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRow:
    """The newest labels of an image.

    Attributes:
        setup: of the newest inspection of the image, empty when there is none.
        is_waiting: the queue still has an open item of it.
    """

    image_sha256: str
    version: int
    boxes: tuple[Mapping[str, Any], ...]
    setup: Mapping[str, Any]
    is_waiting: bool


@dataclass(frozen=True, slots=True, eq=False)
class SignedRow:
    """The newest record of an image that a person signed, with the newest version of its reading.

    Attributes:
        inspection_id: of the record.
        state: of the inspection: signed, concurred or returned.
        model_version: that read the image.
        boxes: of the reading; None where nobody saved one.
        detections, operating_probability: what the version reported.
        setup: what was inspected.
    """

    inspection_id: str
    image_sha256: str
    state: str
    model_version: int
    boxes: tuple[Mapping[str, Any], ...] | None
    detections: tuple[Mapping[str, Any], ...]
    operating_probability: float
    setup: Mapping[str, Any]


class DataVersionRepository:
    """Rows of `data_versions` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, version: DataVersion) -> None:
        """Store a new one; its number must be free."""
        self._session.add(
            DataVersionRow(
                manifest_sha256=version.manifest_sha256,
                model_name=version.model_name,
                number=version.number,
                note=version.note,
                licence=version.licence,
                parent_sha256=version.parent_sha256,
                counts=dict(version.counts),
                created_by=version.created_by,
                created_at=version.created_at,
            )
        )
        self._session.flush()

    def all(self, model_name: str | None = None) -> list[DataVersion]:
        """Every version, the newest first; None takes those of every model."""
        query = select(DataVersionRow).order_by(DataVersionRow.number.desc())
        if model_name is not None:
            query = query.where(DataVersionRow.model_name == model_name)
        return [_version(row) for row in self._session.scalars(query)]

    def find(self, manifest_sha256: str) -> DataVersion | None:
        """The version with this id, None when there is none."""
        row = self._session.get(DataVersionRow, manifest_sha256)
        return None if row is None else _version(row)

    def numbered(self, number: int) -> DataVersion | None:
        """The version with this number, None when there is none."""
        row = self._session.scalar(select(DataVersionRow).where(DataVersionRow.number == number))
        return None if row is None else _version(row)

    def next_number(self) -> int:
        """The number of the next version."""
        return (self._session.scalar(select(func.max(DataVersionRow.number))) or 0) + 1

    def labelled(self, model_name: str) -> list[LabelledRow]:
        """The newest labels of every image that the model inspected, or that no model did; by sha256."""
        newest = (
            select(AnnotationRow.image_sha256, func.max(AnnotationRow.version).label("version"))
            .where(AnnotationRow.track == LABELS)
            .group_by(AnnotationRow.image_sha256)
            .subquery()
        )
        of_image = InspectionRow.image_sha256 == AnnotationRow.image_sha256
        is_waiting = exists().where(
            QueueItemRow.image_sha256 == AnnotationRow.image_sha256,
            QueueItemRow.model_name == model_name,
            QueueItemRow.state == _OPEN,
        )
        query = (
            select(AnnotationRow, is_waiting)
            .join(
                newest,
                (newest.c.image_sha256 == AnnotationRow.image_sha256)
                & (newest.c.version == AnnotationRow.version),
            )
            .where(AnnotationRow.track == LABELS)
            .where(
                exists().where(of_image, InspectionRow.model_name == model_name) | ~exists().where(of_image)
            )
            .order_by(AnnotationRow.image_sha256)
        )
        rows = self._session.execute(query).all()
        setups = self._setups([row.image_sha256 for row, _ in rows])
        return [
            LabelledRow(
                row.image_sha256,
                row.version,
                tuple(row.boxes),
                setups.get(row.image_sha256, {}),
                bool(waits),
            )
            for row, waits in rows
        ]

    def signed(
        self,
        model_name: str,
        *,
        model_version: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[SignedRow]:
        """The newest signed record of each image that the model read, if within the bounds, by sha256.

        An older record within them never stands in for a newer one outside.

        Args:
            model_name: "weld" or "casting".
            model_version: only records of what this one read; None takes all.
            since: only records made from then on, UTC.
            until: only records made before, UTC.
        """
        row = InspectionRow
        newest = (
            select(AnnotationRow.track, func.max(AnnotationRow.version).label("version"))
            .where(AnnotationRow.inspection_id.is_not(None))
            .group_by(AnnotationRow.track)
            .subquery()
        )
        query = (
            select(row, AnnotationRow.boxes)
            .outerjoin(newest, newest.c.track == row.inspection_id)
            .outerjoin(
                AnnotationRow,
                (AnnotationRow.image_sha256 == row.image_sha256)
                & (AnnotationRow.track == newest.c.track)
                & (AnnotationRow.version == newest.c.version),
            )
            .where(row.model_name == model_name, row.state != _OPEN)
            .order_by(row.created_at, row.inspection_id)
        )
        last = {one.image_sha256: (one, boxes) for one, boxes in self._session.execute(query)}
        found = {
            one.image_sha256: SignedRow(
                one.inspection_id,
                one.image_sha256,
                one.state,
                one.model_version,
                None if boxes is None else tuple(boxes),
                tuple(one.detections),
                one.operating_probability,
                one.setup or {},
            )
            for one, boxes in last.values()
            if model_version in (None, one.model_version)
            and (since is None or one.created_at >= since)
            and (until is None or one.created_at < until)
        }
        return [found[sha256] for sha256 in sorted(found)]

    def unsigned(self, model_name: str) -> int:
        """The number of images that the model read and for which nobody signed anything."""
        row = InspectionRow
        is_signed = select(row.image_sha256).where(row.model_name == model_name, row.state != _OPEN)
        query = select(func.count(row.image_sha256.distinct())).where(
            row.model_name == model_name, row.image_sha256.not_in(is_signed)
        )
        return int(self._session.scalar(query) or 0)

    def _setups(self, digests: list[str]) -> dict[str, Mapping[str, Any]]:
        """The setup of the newest inspection of each image."""
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(digests), 500):
            query = (
                select(InspectionRow.image_sha256, InspectionRow.setup)
                .where(InspectionRow.image_sha256.in_(digests[start : start + 500]))
                .order_by(InspectionRow.created_at)
            )
            found.update({sha256: setup or {} for sha256, setup in self._session.execute(query)})
        return found


def _version(row: DataVersionRow) -> DataVersion:
    return DataVersion(
        manifest_sha256=row.manifest_sha256,
        model_name=row.model_name,
        number=row.number,
        note=row.note,
        licence=row.licence,
        parent_sha256=row.parent_sha256,
        counts=row.counts,
        created_by=row.created_by,
        created_at=row.created_at,
    )
