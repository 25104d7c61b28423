"""A second person's own result, kept apart from everybody else's: a reading, and what to do with the part."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.domain.records import Annotation, AnnotationSource, Disposition, Inspection
from core.services.inspections.readings import Reading, reading_of, review_track
from core.store.unit_of_work import Work

_LONGEST_NOTE = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class BlindResult:
    """The result that a reviewer had before seeing the first one, kept when it was changed afterwards.

    Attributes:
        reading: as it was when the first result was shown.
        reason: why it was changed; the reasons of several changes follow each other.
    """

    reading: Reading
    disposition: Disposition
    note: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, as it is kept with the decision; the reading by its version."""
        return {
            "version": self.reading.version,
            "disposition": self.disposition.value,
            "note": self.note,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, eq=False)
class OwnReview:
    """A reviewer's own reading and disposition so far.

    Attributes:
        reading: the own one, empty at first.
        disposition: what the reviewer would do with the part, None until that was said.
        decision_version: of disposition and note, 0 when neither was saved.
        decided_at: UTC, None when neither was saved.
        is_final: it stands beside the first result; to change it, it is opened again with a reason.
        blind: the result before the first one was seen, None unless it was opened again since.
    """

    reading: Reading
    disposition: Disposition | None = None
    note: str = ""
    decision_version: int = 0
    decided_at: datetime | None = None
    is_final: bool = False
    blind: BlindResult | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SideBySide:
    """The first result beside the reviewer's own.

    Attributes:
        first: the signed reading.
        own: the reviewer's, made without having seen the first unless `own.blind` says otherwise.
        own_disposition: what the reviewer would do with the part.
    """

    first: Reading
    own: OwnReview
    own_disposition: Disposition

    @property
    def why_not_concur(self) -> str:
        """Why the reviewer cannot concur, empty when both dispositions are the same."""
        first = self.first.inspection.disposition
        said = first.word if first else "none"
        if said == self.own_disposition.word:
            return ""
        return (
            f"your disposition is {self.own_disposition.word} and the first is {said}: return it, or change "
            "your own reading with a reason"
        )


def own_review_of(work: Work, inspection: Inspection, identity: Identity) -> OwnReview:
    """The review of the inspection by this person so far."""
    track = review_track(inspection.inspection_id, identity.user_id)
    reading = reading_of(work, inspection.inspection_id, track=track)
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
        blind=_blind_result(work, inspection, track, said.get("blind")),
    )


def blind_for(both: SideBySide, reason: str) -> BlindResult:
    """The blind result that stays in the record when the review is opened again for this reason."""
    own, kept = both.own, both.own.blind
    if kept is None:
        return BlindResult(own.reading, both.own_disposition, own.note, reason)
    return replace(kept, reason=f"{kept.reason}; {reason}")


def _blind_result(
    work: Work, inspection: Inspection, track: str, kept: Mapping[str, Any] | None
) -> BlindResult | None:
    if kept is None:
        return None
    reading = reading_of(work, inspection.inspection_id, track=track, version=kept["version"])
    return BlindResult(reading, Disposition(kept["disposition"]), kept["note"], kept["reason"])


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
    blind: Mapping[str, Any] | None = None,
    action: str = "review.decided",
) -> None:
    """Keep what a reviewer would do with the part, with its line in the audit log.

    Args:
        work: the transaction.
        identity: the reviewer.
        inspection: under review.
        disposition: None when it is taken back.
        note: the reviewer's.
        expected_version: of the decision before.
        annotation_id: of what is kept.
        is_final: it stands beside the first result from now on.
        blind: what a `BlindResult` says, once the review was opened again; None before.
        action: of the line in the audit log.

    Raises:
        BadInputError: the note is too long.
        StaleVersionError: it was saved elsewhere since.
    """
    if len(note) > _LONGEST_NOTE:
        raise BadInputError(f"note: expected at most {_LONGEST_NOTE} characters")
    said: dict[str, Any] = {
        "disposition": disposition.value if disposition else None,
        "note": note,
        "is_final": is_final,
    }
    if blind is not None:
        said["blind"] = dict(blind)
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
        action=action,
        object_type="inspection",
        object_id=inspection.inspection_id,
        after=said,
        details={"version": expected_version + 1, "disposition": said["disposition"]},
    )


def decision_track(inspection: Inspection, identity: Identity) -> str:
    """Name of the annotation track for a reviewer's own decision."""
    key = f"{inspection.inspection_id}:{identity.user_id}:decision"
    return "d-" + hashlib.sha256(key.encode()).hexdigest()[:32]
