"""A second person's own result, kept apart from everybody else's: a reading, and what to do with the part."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.records import Annotation, AnnotationSource, Disposition, Inspection
from core.services.inspections.readings import Reading, reading_of, review_track
from core.store.unit_of_work import Work

_LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class OwnReview:
    """A reviewer's own reading and disposition so far.

    Attributes:
        reading: the own one, empty at first.
        disposition: what the reviewer would do with the part, None until that was said.
        decision_version: of disposition and note, 0 when neither was saved.
        decided_at: UTC, None when neither was saved.
        is_final: the reviewer has seen the first result; nothing of this changes any more.
    """

    reading: Reading
    disposition: Disposition | None = None
    note: str = ""
    decision_version: int = 0
    decided_at: datetime | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """The first result beside the reviewer's own.

    Attributes:
        first: the signed reading.
        own: the reviewer's, made without having seen the first.
        own_disposition: what the reviewer would do with the part.
    """

    first: Reading
    own: OwnReview
    own_disposition: Disposition


def own_review_of(work: Work, inspection: Inspection, identity: Identity) -> OwnReview:
    """The review of the inspection by this person so far."""
    reading = reading_of(
        work, inspection.inspection_id, track=review_track(inspection.inspection_id, identity.user_id)
    )
    kept = work.annotations.latest(inspection.image_sha256, decision_track(inspection, identity))
    if kept is None:
        return OwnReview(reading)
    said = json.loads(kept.note)
    return OwnReview(
        reading,
        disposition=Disposition(said["disposition"]) if said["disposition"] else None,
        note=said["note"],
        decision_version=kept.version,
        decided_at=kept.created_at,
        is_final=said["is_final"],
    )


def append_decision(
    work: Work,
    identity: Identity,
    inspection: Inspection,
    disposition: Disposition | None,
    note: str,
    *,
    expected_version: int,
    annotation_id: str,
    is_final: bool = False,
) -> None:
    """Keep what a reviewer would do with the part, with its line in the audit log.

    Raises:
        BadInputError: the note is too long.
        StaleVersionError: it was saved elsewhere since.
    """
    if len(note) > _LONGEST_NOTE:
        raise BadInputError(f"note: expected at most {_LONGEST_NOTE} characters")
    said = {"disposition": disposition.value if disposition else None, "note": note, "is_final": is_final}
    work.annotations.append(
        Annotation(
            annotation_id=annotation_id,
            image_sha256=inspection.image_sha256,
            track=decision_track(inspection, identity),
            inspection_id=inspection.inspection_id,
            version=expected_version + 1,
            source=AnnotationSource.HUMAN,
            author_id=identity.user_id,
            boxes=(),
            note=json.dumps(said, sort_keys=True),
            created_at=work.now,
        )
    )
    work.audit.record(
        identity,
        action="review.unveiled" if is_final else "review.decided",
        object_type="inspection",
        object_id=inspection.inspection_id,
        after=said,
        details={"version": expected_version + 1, "disposition": said["disposition"]},
    )


def decision_track(inspection: Inspection, identity: Identity) -> str:
    """Name of the annotation track for a reviewer's own decision."""
    key = f"{inspection.inspection_id}:{identity.user_id}:decision"
    return "d-" + hashlib.sha256(key.encode()).hexdigest()[:32]
