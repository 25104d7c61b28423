"""Record data for a report: names, the scale at the time of signing, corrections."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.audit.canonical import digest
from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError
from core.domain.flaw_group import is_reported
from core.domain.polarity import REPORTED_GROUNDS
from core.domain.radiograph import PixelPitch
from core.domain.records import Inspection, Review, Signature
from core.domain.signing import INSPECTED, REVIEWED
from core.imaging.sniff import FileFormat
from core.reports.inspection_report import ImageFacts, OverrideFacts, ReviewedBy, Revision
from core.services.inspections.inspection_record import is_blind_for
from core.services.inspections.own_review import SideBySide, own_review_of
from core.services.inspections.readings import Reading
from core.services.inspections.second_review import reviewed_content
from core.services.inspections.signatures import certified
from core.services.inspections.signing_off import beside_content, signed_content
from core.store.images import StoredImage
from core.store.unit_of_work import Work

#: A chain of corrections that is longer is cut; nobody reads it.
_LONGEST_CHAIN = 50


class Names:
    """Printed names by user id, read once each."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[str, str] = {}

    def of(self, user_id: str | None) -> str:
        """The full name; what stands for it where there is none."""
        if user_id is None:
            return "command line"
        if user_id not in self._known:
            user = self._work.users.find(user_id)
            unknown = f"unknown user {user_id}"
            self._known[user_id] = unknown
            if user is not None:
                is_guest = user.role is Role.GUEST
                self._known[user_id] = "guest" if is_guest else user.full_name or user.shown_name
        return self._known[user_id]


def image_facts(inspection: Inspection, image: StoredImage, pitch: PixelPitch | None) -> ImageFacts:
    """The radiograph as it was inspected."""
    return ImageFacts(
        name=inspection.image_name,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        bit_depth=image.bit_depth,
        file_format=image.file_format,
        polarity=inspection.polarity.value,
        polarity_ground=REPORTED_GROUNDS[ground] if (ground := inspection.polarity_ground) else None,
        mm_per_px=None if pitch is None else pitch.mm_per_px,
        scale_source=None if pitch is None else pitch.words,
        frame="" if image.frame is None else _part_words(image, image.frame),
    )


def _part_words(image: StoredImage, number: int) -> str:
    part = FileFormat(image.file_format).part
    return f"{part} {number} of the file with SHA-256 {image.file_sha256}"


def n_below(inspection: Inspection) -> int:
    """Number of the model's boxes below its operating probability."""
    cut = inspection.model.operating_probability
    return sum(not is_reported(found, cut) for found in inspection.detections)


def overridden(inspection: Inspection, names: Names) -> OverrideFacts | None:
    """What stood against the disposition, with the signer's name; None where nothing did."""
    one = inspection.override
    if one is None:
        return None
    return OverrideFacts(one.objections, one.reason.value, one.note, names.of(one.signer_id))


def reviewed(one: Review, names: Names) -> ReviewedBy:
    """The review with the reviewer's name."""
    return ReviewedBy(
        review_id=one.review_id,
        printed_name=names.of(one.reviewer_id),
        outcome=one.outcome.value,
        own_disposition=one.own_disposition.value if one.own_disposition else None,
        note=one.note,
        reviewed_at=one.created_at,
        inspection_version=one.inspection_version,
        changed_disposition=one.changed_disposition.value if one.changed_disposition else None,
        change_reason=one.change_reason or None,
    )


def signed_digests(
    work: Work, reading: Reading, signatures: Sequence[Signature], judgement: Mapping[str, Any]
) -> dict[str, str]:
    """The digest of what each signature is for, as the record is now, by signature id.

    A signature that means something else than inspected or reviewed is left out.
    """
    digests = {}
    for one in signatures:
        if one.meaning == INSPECTED:
            beside = beside_content(work, reading.inspection, one.signer_id)
            content = signed_content(reading, judgement, beside)
            digests[one.signature_id] = digest(
                certified(content, work.signatures.certificate(one.signature_id))
            )
        elif one.meaning == REVIEWED:
            reviews = work.reviews.of_inspection(one.inspection_id)
            mine = [review for review in reviews if review.reviewer_id == one.signer_id]
            before = [other for other in signatures if other.signed_at < one.signed_at]
            digests[one.signature_id] = _review_digest(work, reading, mine[-1], one, before) if mine else ""
    return digests


def _review_digest(
    work: Work, reading: Reading, review: Review, signature: Signature, before: Sequence[Signature]
) -> str:
    reviewer = Identity(review.reviewer_id, review.reviewer_id, Role.REVIEWER)
    own = own_review_of(work, reading.inspection, reviewer)
    disposition = review.changed_disposition or review.own_disposition
    if disposition is None:
        return ""
    content = reviewed_content(work, SideBySide(reading, own, disposition), review)
    content["signed"] = [[one.signature_id, one.meaning, one.content_sha256] for one in before]
    return digest(certified(content, work.signatures.certificate(signature.signature_id)))


def require_not_blind(work: Work, identity: Identity, inspection: Inspection) -> None:
    """Return unless this person may still be the second one and has not finished the own reading.

    Raises:
        NotAllowedError: they must not know the first result yet.
    """
    is_blind = is_blind_for(identity, inspector_id=inspection.inspector_id, state=inspection.state)
    if is_blind and not own_review_of(work, inspection, identity).is_final:
        raise NotAllowedError("this waits for a second review: finish your own reading before its report")


def chain(
    work: Work, inspection: Inspection, names: Names
) -> tuple[tuple[Revision, ...], tuple[Revision, ...]]:
    """Earlier revisions of the inspection and later ones, each oldest first."""
    earlier: list[Revision] = []
    before = inspection.revision_of
    while before is not None and len(earlier) < _LONGEST_CHAIN:
        found = work.inspections.find(before)
        assert found is not None  # a foreign key holds it
        earlier.insert(0, _revision(found, names))
        before = found.revision_of
    later: list[Revision] = []
    waiting = work.inspections.revisions_of(inspection)
    while waiting and len(later) < _LONGEST_CHAIN:
        newer = waiting.pop(0)
        later.append(_revision(newer, names))
        waiting += work.inspections.revisions_of(newer)
    return tuple(earlier), tuple(sorted(later, key=lambda one: (one.created_at, one.inspection_id)))


def _revision(inspection: Inspection, names: Names) -> Revision:
    return Revision(
        inspection_id=inspection.inspection_id,
        created_at=inspection.created_at,
        inspector=names.of(inspection.inspector_id),
        state=inspection.state.value,
        disposition=inspection.disposition.value if inspection.disposition else None,
    )
