"""Reading a radiograph: what a person says about each indication, saved with every change."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError, UnknownRecordError
from core.domain.grouping import require_groups
from core.domain.permissions import Action, require
from core.domain.reading import ReadIndication, first_reading, indication_from
from core.domain.records import Annotation, AnnotationSource, Inspection, new_id
from core.services.inspections.annotations import annotation_content, require_boxes
from core.services.inspections.inspecting import Touch, touch
from core.store.unit_of_work import Store, Work


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """The indications of an inspection as somebody reads them.

    Attributes:
        version: of the last save, 0 when nobody saved: then it is what the model reported.
        saved_at, author_id: of the last save, None when nobody saved.
    """

    inspection: Inspection
    indications: tuple[ReadIndication, ...]
    version: int
    saved_at: datetime | None = None
    author_id: str | None = None


class ReadingService:
    """Readings in one workspace."""

    def __init__(self, store: Store, *, make_id: Callable[[], str] = new_id) -> None:
        self._store = store
        self._make_id = make_id

    def save(
        self,
        identity: Identity,
        inspection_id: str,
        indications: Sequence[ReadIndication],
        *,
        expected_version: int,
    ) -> Reading:
        """The reading as saved, one version above `expected_version`.

        Raises:
            NotAllowedError: the role may not decide.
            UnknownRecordError: there is no such inspection.
            ImmutableRecordError: it is signed.
            BadInputError: two indications share an id, a box lies outside of the image, or a group is none.
            StaleVersionError: somebody saved since; nothing was stored.
        """
        require(identity, Action.INSPECTIONS_DECIDE)
        with self._store.write() as work:
            inspection = existing(work, inspection_id)
            if not inspection.is_open:
                raise ImmutableRecordError("the inspection is signed: a correction is a new revision of it")
            touch(work, identity, inspection, Touch.ASSESSED)
            annotation = append_reading(
                work,
                identity,
                inspection,
                indications,
                track=inspection_id,
                expected_version=expected_version,
                annotation_id=self._make_id(),
            )
        return Reading(
            inspection, tuple(indications), annotation.version, annotation.created_at, identity.user_id
        )

    def is_begun(self, inspection: Inspection) -> bool:
        """True once somebody has saved a reading of the inspection, decided about it or signed it."""
        if inspection.version > 1 or not inspection.is_open:
            return True
        with self._store.read() as work:
            return work.annotations.latest(inspection.image_sha256, inspection.inspection_id) is not None


def reading_of(
    work: Work, inspection_id: str, *, track: str | None = None, version: int | None = None
) -> Reading:
    """The reading on this track of the inspection: the inspector's own and its newest version by default.

    Raises:
        UnknownRecordError: there is no such inspection.
    """
    inspection = existing(work, inspection_id)
    place = inspection.image_sha256, track or inspection_id
    kept = work.annotations.latest(*place) if version is None else work.annotations.at(*place, version)
    if kept is not None:
        indications = tuple(indication_from(box) for box in kept.boxes)
        return Reading(inspection, indications, kept.version, kept.created_at, kept.author_id)
    start: list[ReadIndication] = []
    if track is None:
        start = first_reading(inspection.detections, inspection.model.operating_probability)
    return Reading(inspection, tuple(start), 0)


def append_reading(
    work: Work,
    identity: Identity,
    inspection: Inspection,
    indications: Sequence[ReadIndication],
    *,
    track: str,
    expected_version: int,
    annotation_id: str,
) -> Annotation:
    """The next version on this track, stored within `work` with its line in the audit log.

    Raises:
        BadInputError, StaleVersionError: as `ReadingService.save`.
    """
    if len({one.indication_id for one in indications}) < len(indications):
        raise BadInputError("expected a different id for each indication")
    require_groups(indications)
    boxes = [one.to_box() for one in indications]
    image = work.images.find(inspection.image_sha256)
    assert image is not None  # a foreign key holds it
    require_boxes(boxes, image.width, image.height)
    annotation = Annotation(
        annotation_id=annotation_id,
        image_sha256=inspection.image_sha256,
        track=track,
        inspection_id=inspection.inspection_id,
        version=expected_version + 1,
        source=AnnotationSource.HUMAN,
        author_id=identity.user_id,
        boxes=tuple(boxes),
        note="",
        created_at=work.now,
    )
    before = work.annotations.latest(inspection.image_sha256, track)
    work.annotations.append(annotation)
    if track == inspection.inspection_id:
        work.inspections.set_found(inspection.inspection_id, boxes)
    work.audit.record(
        identity,
        action="reading.saved",
        object_type="inspection",
        object_id=inspection.inspection_id,
        before=annotation_content(before) if before else None,
        after=annotation_content(annotation),
        details={"version": annotation.version, "n_indications": len(boxes)},
    )
    return annotation


def review_track(inspection_id: str, reviewer_id: str) -> str:
    """Name of the annotation track for a reviewer's own reading."""
    return "r-" + hashlib.sha256(f"{inspection_id}:{reviewer_id}".encode()).hexdigest()[:32]


def existing(work: Work, inspection_id: str) -> Inspection:
    """The inspection.

    Raises:
        UnknownRecordError: there is none of this id.
    """
    found = work.inspections.find(inspection_id)
    if found is None:
        raise UnknownRecordError(f"there is no inspection {inspection_id}")
    return found
