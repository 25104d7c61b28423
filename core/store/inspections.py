"""The repositories of inspections, reviews and signatures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from core.domain.errors import ImmutableRecordError, StaleVersionError, UnknownRecordError
from core.domain.familiarity import Familiarity
from core.domain.flaw_group import is_reported
from core.domain.override import Override, override_from
from core.domain.radiograph import Polarity, PolarityGround
from core.domain.records import (
    Disposition,
    Inspection,
    InspectionState,
    ModelReference,
    ReshootReason,
    Review,
    ReviewOutcome,
    Signature,
)
from core.store.inspection_history import found_text, search_words
from core.store.record_tables import (
    InspectionRow,
    ReviewRow,
    SignatureRow,
    SignedCertificateRow,
    SignedJudgementRow,
)

#: Parameters in one statement; SQLite takes 32,766.
_MOST_NAMED = 500


class InspectionRepository:
    """Rows of `inspections` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, inspection: Inspection) -> None:
        """Store a new inspection; its image must be stored already."""
        self._session.add(
            InspectionRow(
                inspection_id=inspection.inspection_id,
                image_sha256=inspection.image_sha256,
                image_name=inspection.image_name,
                polarity=inspection.polarity.value,
                polarity_ground=inspection.polarity_ground.value if inspection.polarity_ground else None,
                inspector_id=inspection.inspector_id,
                model_name=inspection.model.name,
                model_version=inspection.model.version,
                model_sha256=inspection.model.sha256,
                calibration_id=inspection.model.calibration_id,
                score_cut=inspection.model.score_cut,
                operating_probability=inspection.model.operating_probability,
                detections=[dict(found) for found in inspection.detections],
                created_at=inspection.created_at,
                disposition=inspection.disposition.value if inspection.disposition else None,
                reshoot_reason=inspection.reshoot_reason.value if inspection.reshoot_reason else None,
                standard=inspection.standard,
                quality_level=inspection.quality_level,
                note=inspection.note,
                version=inspection.version,
                updated_at=inspection.updated_at,
                updated_by=inspection.updated_by,
                part=str(inspection.setup.get("part") or ""),
                setup=dict(inspection.setup),
                image_quality=None if inspection.image_quality is None else dict(inspection.image_quality),
                state=inspection.state.value,
                revision_of=inspection.revision_of,
                opened_at=inspection.opened_at,
                familiarity=inspection.familiarity.to_dict() if inspection.familiarity else None,
                search_text=search_words(inspection.setup, inspection.image_name),
                found=found_text(
                    found
                    for found in inspection.detections
                    if is_reported(found, inspection.model.operating_probability)
                ),
            )
        )
        self._session.flush()

    def find(self, inspection_id: str) -> Inspection | None:
        """The inspection, None when there is none."""
        row = self._session.get(InspectionRow, inspection_id)
        return None if row is None else _inspection(row)

    def same(
        self,
        *,
        image_sha256: str,
        polarities: Collection[Polarity],
        model: ModelReference,
        inspector_id: str | None,
    ) -> Inspection | None:
        """The newest inspection of this image by this person with this model version and calibration.

        Only those in one of the `polarities` count.
        """
        query = (
            select(InspectionRow)
            .where(
                InspectionRow.image_sha256 == image_sha256,
                InspectionRow.polarity.in_([one.value for one in polarities]),
                InspectionRow.model_name == model.name,
                InspectionRow.model_sha256 == model.sha256,
                InspectionRow.model_version == model.version,
                InspectionRow.calibration_id == model.calibration_id,
                InspectionRow.inspector_id == inspector_id,
            )
            .order_by(InspectionRow.created_at.desc(), InspectionRow.inspection_id)
            .limit(1)
        )
        row = self._session.scalar(query)
        return None if row is None else _inspection(row)

    def latest(self, limit: int, *, before: tuple[datetime, str] | None = None) -> list[Inspection]:
        """At most `limit` inspections, newest first.

        Args:
            limit: how many.
            before: moment and id of the last one of the page before.
        """
        place = tuple_(InspectionRow.created_at, InspectionRow.inspection_id)
        query = select(InspectionRow).order_by(
            InspectionRow.created_at.desc(), InspectionRow.inspection_id.desc()
        )
        if before is not None:
            query = query.where(place < before)
        return [_inspection(row) for row in self._session.scalars(query.limit(limit))]

    def revisions_of(self, inspection: Inspection) -> list[Inspection]:
        """Revisions of the inspection, oldest first; they are of the same image."""
        query = select(InspectionRow).where(
            InspectionRow.image_sha256 == inspection.image_sha256,
            InspectionRow.revision_of == inspection.inspection_id,
        )
        query = query.order_by(InspectionRow.created_at, InspectionRow.inspection_id)
        return [_inspection(row) for row in self._session.scalars(query)]

    def in_state(self, state: InspectionState, limit: int) -> list[Inspection]:
        """At most `limit` inspections in this state, oldest first."""
        query = select(InspectionRow).where(InspectionRow.state == state.value)
        query = query.order_by(InspectionRow.created_at, InspectionRow.inspection_id)
        return [_inspection(row) for row in self._session.scalars(query.limit(limit))]

    def open_of_image(self, image_sha256: str) -> list[Inspection]:
        """The open inspections of this image, in order of their ids."""
        query = select(InspectionRow).where(
            InspectionRow.image_sha256 == image_sha256, InspectionRow.state == InspectionState.OPEN.value
        )
        return [
            _inspection(row) for row in self._session.scalars(query.order_by(InspectionRow.inspection_id))
        ]

    def setups_of(self, image_sha256s: Sequence[str]) -> list[tuple[str, Mapping[str, Any]]]:
        """(sha256 of the image, setup) of every inspection of these images, oldest first."""
        found = []
        for start in range(0, len(image_sha256s), _MOST_NAMED):
            chunk = image_sha256s[start : start + _MOST_NAMED]
            query = select(InspectionRow.image_sha256, InspectionRow.setup).where(
                InspectionRow.image_sha256.in_(chunk)
            )
            oldest_first = (InspectionRow.created_at, InspectionRow.inspection_id)
            found += [
                (sha256, setup) for sha256, setup in self._session.execute(query.order_by(*oldest_first))
            ]
        return found

    def of_image(self, image_sha256: str) -> list[Inspection]:
        """Every inspection of this image, newest first."""
        query = select(InspectionRow).where(InspectionRow.image_sha256 == image_sha256)
        newest_first = (InspectionRow.created_at.desc(), InspectionRow.inspection_id.desc())
        return [_inspection(row) for row in self._session.scalars(query.order_by(*newest_first))]

    def save_decision(
        self,
        changed: Inspection,
        *,
        expected_version: int,
    ) -> Inspection:
        """The inspection as stored with the decision, the setup and the image quality of `changed`.

        Raises:
            UnknownRecordError: there is no such inspection.
            ImmutableRecordError: it is signed.
            StaleVersionError: somebody saved since `expected_version`; nothing was changed.
        """
        row = self._open_at(changed.inspection_id, expected_version)
        row.disposition = changed.disposition.value if changed.disposition else None
        row.reshoot_reason = changed.reshoot_reason.value if changed.reshoot_reason else None
        row.standard = changed.standard
        row.quality_level = changed.quality_level
        row.note = changed.note
        row.setup = dict(changed.setup)
        row.image_quality = None if changed.image_quality is None else dict(changed.image_quality)
        row.part = str(changed.setup.get("part") or "")
        row.search_text = search_words(changed.setup, row.image_name)
        row.version = expected_version + 1
        row.updated_at = changed.updated_at
        row.updated_by = changed.updated_by
        self._session.flush()
        return replace(changed, version=row.version)

    def set_opened(self, inspection_id: str, at: datetime) -> None:
        """Note when a person first opened it."""
        self._session.get_one(InspectionRow, inspection_id).opened_at = at
        self._session.flush()

    def set_polarity_ground(self, inspection_id: str, ground: PolarityGround) -> None:
        """Keep that the polarity is taken on another ground than before."""
        self._session.get_one(InspectionRow, inspection_id).polarity_ground = ground.value
        self._session.flush()

    def set_override(self, inspection_id: str, override: Override) -> None:
        """Keep that the inspection is signed in spite of an objection."""
        self._session.get_one(InspectionRow, inspection_id).override = override.to_dict()
        self._session.flush()

    def set_state(self, inspection_id: str, state: InspectionState) -> None:
        """Move the inspection on."""
        row = self._session.get(InspectionRow, inspection_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise UnknownRecordError(f"there is no inspection {inspection_id}")
        row.state = state.value
        self._session.flush()

    def save_image_quality(self, before: Inspection, report: Mapping[str, Any]) -> Inspection:
        """The inspection as stored with what the image-quality gate found, one version on.

        Raises:
            UnknownRecordError, ImmutableRecordError, StaleVersionError: as `save_decision`.
        """
        row = self._open_at(before.inspection_id, before.version)
        row.image_quality = dict(report)
        row.version = before.version + 1
        self._session.flush()
        return replace(before, image_quality=dict(report), version=row.version)

    def set_found(self, inspection_id: str, boxes: Sequence[Mapping[str, Any]]) -> None:
        """Keep which classes the newest reading holds, for the history."""
        self._session.get_one(InspectionRow, inspection_id).found = found_text(boxes)
        self._session.flush()

    def require_version(self, inspection_id: str, expected_version: int) -> None:
        """Return when the inspection is at this version, and keep it there until the transaction ends.

        Raises:
            UnknownRecordError: there is no such inspection.
            StaleVersionError: it is at another version.
        """
        self._at_version(inspection_id, expected_version)

    def _open_at(self, inspection_id: str, expected_version: int) -> InspectionRow:
        row = self._at_version(inspection_id, expected_version)
        if row.state != InspectionState.OPEN.value:
            raise ImmutableRecordError("the inspection is signed: a correction is a new revision of it")
        return row

    def _at_version(self, inspection_id: str, expected_version: int) -> InspectionRow:
        row = self._session.get(InspectionRow, inspection_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise UnknownRecordError(f"there is no inspection {inspection_id}")
        if row.version != expected_version:
            raise StaleVersionError("the inspection", yours=expected_version, stored=row.version)
        return row


class ReviewRepository:
    """Rows of `reviews` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, review: Review) -> None:
        """Store a review."""
        self._session.add(
            ReviewRow(
                review_id=review.review_id,
                inspection_id=review.inspection_id,
                inspection_version=review.inspection_version,
                reviewer_id=review.reviewer_id,
                outcome=review.outcome.value,
                own_disposition=review.own_disposition.value if review.own_disposition else None,
                own_version=review.own_version,
                changed_disposition=review.changed_disposition.value if review.changed_disposition else None,
                changed_version=review.changed_version,
                change_reason=review.change_reason or None,
                note=review.note,
                created_at=review.created_at,
            )
        )
        self._session.flush()

    def of_inspection(self, inspection_id: str) -> list[Review]:
        """Its reviews, oldest first."""
        query = select(ReviewRow).where(ReviewRow.inspection_id == inspection_id)
        rows = self._session.scalars(query.order_by(ReviewRow.created_at, ReviewRow.review_id))
        return [
            Review(
                review_id=row.review_id,
                inspection_id=row.inspection_id,
                inspection_version=row.inspection_version,
                reviewer_id=row.reviewer_id,
                outcome=ReviewOutcome(row.outcome),
                own_disposition=Disposition(row.own_disposition) if row.own_disposition else None,
                own_version=row.own_version,
                changed_disposition=Disposition(row.changed_disposition) if row.changed_disposition else None,
                changed_version=row.changed_version,
                change_reason=row.change_reason or "",
                note=row.note,
                created_at=row.created_at,
            )
            for row in rows
        ]


class SignatureRepository:
    """Rows of `signatures` within one transaction; written once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, signature: Signature) -> None:
        """Store a signature."""
        self._session.add(
            SignatureRow(
                signature_id=signature.signature_id,
                inspection_id=signature.inspection_id,
                inspection_version=signature.inspection_version,
                signer_id=signature.signer_id,
                meaning=signature.meaning,
                content_sha256=signature.content_sha256,
                signed_at=signature.signed_at,
                seal=signature.seal,
            )
        )
        self._session.flush()

    def keep_judgement(self, signature_id: str, judgement: Mapping[str, Any]) -> None:
        """Store the verdict that this signature is for."""
        self._session.add(SignedJudgementRow(signature_id=signature_id, judgement=dict(judgement)))
        self._session.flush()

    def judgement(self, signature_id: str) -> Mapping[str, Any] | None:
        """The verdict that this signature is for, as it was signed; None where none was kept."""
        row = self._session.get(SignedJudgementRow, signature_id)
        return None if row is None else row.judgement

    def keep_certificate(self, signature_id: str, certificate: Mapping[str, Any]) -> None:
        """Store the certificate that goes with this signature."""
        self._session.add(SignedCertificateRow(signature_id=signature_id, certificate=dict(certificate)))
        self._session.flush()

    def certificate(self, signature_id: str) -> Mapping[str, Any] | None:
        """The certificate that goes with this signature, as it was then; None where none was stated."""
        row = self._session.get(SignedCertificateRow, signature_id)
        return None if row is None else row.certificate

    def signed_since(self, moment: datetime | None) -> list[str]:
        """Ids of inspections that were signed from that moment on, UTC, each once; None takes all."""
        query = select(SignatureRow.inspection_id).distinct().order_by(SignatureRow.inspection_id)
        if moment is not None:
            query = query.where(SignatureRow.signed_at >= moment)
        return list(self._session.scalars(query))

    def of_inspection(self, inspection_id: str) -> list[Signature]:
        """Its signatures, oldest first."""
        query = select(SignatureRow).where(SignatureRow.inspection_id == inspection_id)
        rows = self._session.scalars(query.order_by(SignatureRow.signed_at, SignatureRow.signature_id))
        return [
            Signature(
                signature_id=row.signature_id,
                inspection_id=row.inspection_id,
                inspection_version=row.inspection_version,
                signer_id=row.signer_id,
                meaning=row.meaning,
                content_sha256=row.content_sha256,
                signed_at=row.signed_at,
                seal=row.seal,
            )
            for row in rows
        ]


def _inspection(row: InspectionRow) -> Inspection:
    return Inspection(
        inspection_id=row.inspection_id,
        image_sha256=row.image_sha256,
        image_name=row.image_name,
        polarity=Polarity(row.polarity),
        polarity_ground=PolarityGround(row.polarity_ground) if row.polarity_ground else None,
        inspector_id=row.inspector_id,
        model=ModelReference(
            name=row.model_name,
            version=row.model_version,
            sha256=row.model_sha256,
            calibration_id=row.calibration_id,
            score_cut=row.score_cut,
            operating_probability=row.operating_probability,
        ),
        detections=tuple(row.detections),
        created_at=row.created_at,
        disposition=Disposition(row.disposition) if row.disposition else None,
        standard=row.standard,
        quality_level=row.quality_level,
        note=row.note,
        version=row.version,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        setup=row.setup,
        image_quality=row.image_quality,
        state=InspectionState(row.state),
        revision_of=row.revision_of,
        reshoot_reason=ReshootReason(row.reshoot_reason) if row.reshoot_reason else None,
        opened_at=row.opened_at,
        override=override_from(row.override) if row.override else None,
        familiarity=Familiarity.of_dict(row.familiarity),
    )
