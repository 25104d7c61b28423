"""The second person: reads blind, sees both results side by side, then concurs or returns, and signs."""

from collections.abc import Callable, Sequence
from typing import Any

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError, NotAllowedError, StaleVersionError
from core.domain.permissions import Action, require
from core.domain.reading import ReadIndication
from core.domain.records import (
    Disposition,
    Inspection,
    InspectionState,
    Review,
    ReviewOutcome,
    new_id,
)
from core.domain.signing import REVIEWED
from core.services.accounts.certificates import certificate_to_sign
from core.services.inspections.correction_queue import queue_reviewed
from core.services.inspections.own_review import (
    OwnReview,
    SideBySide,
    append_decision,
    blind_for,
    own_review_of,
)
from core.services.inspections.readings import Reading, append_reading, existing, reading_of, review_track
from core.services.inspections.signatures import Sealer
from core.services.inspections.signing_off import ConfirmsPassword
from core.store.unit_of_work import Store, Work

_QUEUE_LENGTH = 500
_LONGEST_REASON = 500
_SEEN = "you have seen the first result: your own reading stays as it was, unless you change it with a reason"


class SecondReviewService:
    """Reviews in one workspace. Nobody reviews what they inspected, decided or signed.

    Args:
        store: the workspace's.
        accounts: asks for the password again.
        sealer: seals signatures.
        make_id: gives ids.
    """

    def __init__(
        self,
        store: Store,
        accounts: ConfirmsPassword,
        sealer: Sealer,
        *,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sealer = sealer
        self._make_id = make_id

    def queue(self, identity: Identity) -> list[Inspection]:
        """Signed inspections of other people that wait for a second person, oldest first.

        Raises:
            NotAllowedError: the role may not review.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.read() as work:
            waiting = work.inspections.in_state(InspectionState.SIGNED, _QUEUE_LENGTH)
            return [one for one in waiting if not _is_own(work, one, identity)]

    def own_review(self, identity: Identity, inspection_id: str) -> OwnReview:
        """The reviewer's own reading and disposition; the model's and the first result stay hidden.

        Raises:
            NotAllowedError: the role may not review, or the inspection is the reviewer's own.
            UnknownRecordError: there is no such inspection.
            BadInputError: it is not signed yet.
            ImmutableRecordError: the review is concluded.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.read() as work:
            inspection = self._waiting(work, identity, inspection_id)
            return own_review_of(work, inspection, identity)

    def save_own(
        self,
        identity: Identity,
        inspection_id: str,
        indications: Sequence[ReadIndication],
        *,
        expected_version: int,
    ) -> OwnReview:
        """The reviewer's own reading as saved.

        Raises:
            NotAllowedError, UnknownRecordError: as `own_review`.
            ImmutableRecordError: it stands beside the first result, or the review is concluded.
            BadInputError: a box lies outside of the image.
            StaleVersionError: it was saved elsewhere since.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.write() as work:
            inspection, _ = self._unfinished(work, identity, inspection_id)
            self._append(work, identity, inspection, indications, expected_version)
            return own_review_of(work, inspection, identity)

    def decide_own(
        self,
        identity: Identity,
        inspection_id: str,
        disposition: Disposition | None,
        note: str = "",
        *,
        expected_version: int,
    ) -> OwnReview:
        """Save the reviewer's own disposition.

        Raises:
            NotAllowedError, UnknownRecordError, ImmutableRecordError: as `save_own`.
            StaleVersionError: it was saved elsewhere since.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.write() as work:
            inspection, own = self._unfinished(work, identity, inspection_id)
            append_decision(
                work,
                identity,
                inspection,
                disposition,
                note,
                expected_version=expected_version,
                annotation_id=self._make_id(),
                blind=None if own.blind is None else own.blind.to_dict(),
            )
            return own_review_of(work, inspection, identity)

    def unveil(
        self, identity: Identity, inspection_id: str, *, expected_reading: int, expected_decision: int
    ) -> SideBySide:
        """Both results, now that the reviewer's own is final: to change it takes `change_own`.

        Raises:
            NotAllowedError, UnknownRecordError, ImmutableRecordError: as `save_own`.
            BadInputError: the reviewer has not said what to do with the part.
            StaleVersionError: the own reading or disposition changed since it was looked at.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.write() as work:
            inspection, own = self._unfinished(work, identity, inspection_id)
            if own.disposition is None:
                raise BadInputError("choose your own disposition before you see the first result")
            if own.reading.version != expected_reading:
                raise StaleVersionError(
                    "your own reading", yours=expected_reading, stored=own.reading.version
                )
            if own.reading.version == 0:  # nothing seen is a reading, too
                self._append(work, identity, inspection, (), 0)
            append_decision(
                work,
                identity,
                inspection,
                own.disposition,
                own.note,
                expected_version=expected_decision,
                annotation_id=self._make_id(),
                is_final=True,
                blind=None if own.blind is None else own.blind.to_dict(),
                action="review.unveiled",
            )
            return SideBySide(
                reading_of(work, inspection_id), own_review_of(work, inspection, identity), own.disposition
            )

    def change_own(
        self, identity: Identity, inspection_id: str, reason: str, *, expected_decision: int
    ) -> OwnReview:
        """The reviewer's own reading and disposition, open again after the first result was seen.

        The blind result stays in the record, with the reason; what is saved from here on are later versions.

        Args:
            identity: the second person.
            inspection_id: under review.
            reason: why the own result is changed.
            expected_decision: version of the own decision, as the reviewer sees it.

        Raises:
            NotAllowedError, UnknownRecordError: as `own_review`.
            BadInputError: there is no reason, it is too long, or the own reading is not final.
            ImmutableRecordError: the review is concluded.
            StaleVersionError: it was opened again elsewhere since.
        """
        require(identity, Action.REVIEWS_ADD)
        why = reason.strip()
        if not 1 <= len(why) <= _LONGEST_REASON:
            raise BadInputError(
                f"say why you change your own reading, in at most {_LONGEST_REASON} characters"
            )
        with self._store.write() as work:
            inspection = self._waiting(work, identity, inspection_id)
            both = _compared(work, inspection, identity)
            append_decision(
                work,
                identity,
                inspection,
                both.own_disposition,
                both.own.note,
                expected_version=expected_decision,
                annotation_id=self._make_id(),
                blind=blind_for(both, why).to_dict(),
                action="review.reopened",
            )
            return own_review_of(work, inspection, identity)

    def compare(self, identity: Identity, inspection_id: str) -> SideBySide:
        """Both results, once the own one is final.

        Raises:
            NotAllowedError, UnknownRecordError: as `own_review`.
            BadInputError: the reviewer has not finished the own reading.
            ImmutableRecordError: the review is concluded.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.read() as work:
            return _compared(work, self._waiting(work, identity, inspection_id), identity)

    def conclude(
        self,
        identity: Identity,
        inspection_id: str,
        outcome: ReviewOutcome,
        password: str,
        *,
        note: str = "",
        address: str,
    ) -> Review:
        """The signed review; the inspection is concurred with, or returned to be revised.

        Nobody concurs with another disposition than their own.

        Args:
            identity: the second person.
            inspection_id: what was reviewed.
            outcome: what is said of the first result.
            password: the account's, asked for again.
            note: why it is returned; may be empty otherwise.
            address: of the client; wrong passwords count against it.

        Raises:
            NotAllowedError, UnknownRecordError: as `own_review`; or signing needs a valid certificate.
            SignInRefusedError: the password is another one.
            ImmutableRecordError: it is concluded already.
            BadInputError: the own reading is not final, it is returned without saying why, or it is concurred
                with while the dispositions differ.
        """
        require(identity, Action.REVIEWS_ADD)
        require(identity, Action.SIGNATURES_ADD)
        if outcome is ReviewOutcome.RETURNS and not note.strip():
            raise BadInputError("say why it is returned")
        with self._store.read() as work:
            both = _compared(work, self._waiting(work, identity, inspection_id), identity)
            _require_possible(both, outcome)
            certificate_to_sign(work, identity)
        self._accounts.confirm_password(identity, password, address=address)
        with self._store.write() as work:
            work.inspections.require_version(inspection_id, existing(work, inspection_id).version)
            both = _compared(work, self._waiting(work, identity, inspection_id), identity)
            _require_possible(both, outcome)
            review = self._review(work, identity, both, outcome, note.strip())
            signature = self._sealer.sign(
                work, identity, both.first.inspection, reviewed_content(work, both, review), REVIEWED
            )
            state = InspectionState.RETURNED
            if outcome is ReviewOutcome.CONCURS:
                state = InspectionState.CONCURRED
            work.inspections.set_state(inspection_id, state)
            queue_reviewed(work, both)
            work.audit.record(
                identity,
                action="inspection.reviewed",
                object_type="inspection",
                object_id=inspection_id,
                after={"outcome": outcome.value, "note": review.note, "content": signature.content_sha256},
                details=_told(review),
            )
        return review

    def _review(
        self, work: Work, identity: Identity, both: SideBySide, outcome: ReviewOutcome, note: str
    ) -> Review:
        own, blind = both.own, both.own.blind
        review = Review(
            review_id=self._make_id(),
            inspection_id=both.first.inspection.inspection_id,
            inspection_version=both.first.inspection.version,
            reviewer_id=identity.user_id,
            outcome=outcome,
            note=note,
            created_at=work.now,
            own_disposition=blind.disposition if blind else both.own_disposition,
            own_version=(blind.reading if blind else own.reading).version,
            changed_disposition=both.own_disposition if blind else None,
            changed_version=own.reading.version if blind else None,
            change_reason=blind.reason if blind else "",
        )
        work.reviews.add(review)
        return review

    def _append(
        self,
        work: Work,
        identity: Identity,
        inspection: Inspection,
        indications: Sequence[ReadIndication],
        expected_version: int,
    ) -> None:
        append_reading(
            work,
            identity,
            inspection,
            indications,
            track=review_track(inspection.inspection_id, identity.user_id),
            expected_version=expected_version,
            annotation_id=self._make_id(),
        )

    def _unfinished(self, work: Work, identity: Identity, inspection_id: str) -> tuple[Inspection, OwnReview]:
        inspection = self._waiting(work, identity, inspection_id)
        own = own_review_of(work, inspection, identity)
        if own.is_final:
            raise ImmutableRecordError(_SEEN)
        return inspection, own

    @staticmethod
    def _waiting(work: Work, identity: Identity, inspection_id: str) -> Inspection:
        inspection = existing(work, inspection_id)
        if inspection.is_open:
            raise BadInputError("the inspection is not signed yet")
        if inspection.state is not InspectionState.SIGNED:
            raise ImmutableRecordError("the review of this inspection is concluded")
        if _is_own(work, inspection, identity):
            raise NotAllowedError("nobody reviews an inspection of their own: a second person must")
        return inspection


def reviewed_content(work: Work, both: SideBySide, review: Review) -> dict[str, Any]:
    """The content under the second signature: the first signatures, the own result, the conclusion.

    `own` is the blind result. Where it was changed afterwards, `changed` is what came of it, with the reason.
    """
    signed = work.signatures.of_inspection(review.inspection_id)
    blind, own = both.own.blind, both.own
    now = _result_content(own.reading, both.own_disposition, own.note)
    content: dict[str, Any] = {
        "inspection_id": review.inspection_id,
        "inspection_version": review.inspection_version,
        "signed": [[one.signature_id, one.meaning, one.content_sha256] for one in signed],
        "own": now if blind is None else _result_content(blind.reading, blind.disposition, blind.note),
        "outcome": review.outcome.value,
        "note": review.note,
    }
    if blind is not None:
        content["changed"] = {**now, "reason": blind.reason}
    return content


def _result_content(reading: Reading, disposition: Disposition, note: str) -> dict[str, Any]:
    return {
        "version": reading.version,
        "indications": [one.to_box() for one in reading.indications],
        "disposition": disposition.value,
        "note": note,
    }


def _require_possible(both: SideBySide, outcome: ReviewOutcome) -> None:
    if outcome is ReviewOutcome.CONCURS and (why := both.why_not_concur):
        raise BadInputError(f"you cannot concur: {why}")


def _told(review: Review) -> dict[str, str]:
    """Outcome and own dispositions, for the audit log."""
    told = {"outcome": review.outcome.value}
    if review.own_disposition is not None:
        told["own_disposition"] = review.own_disposition.value
    if review.changed_disposition is not None:
        told["changed_disposition"] = review.changed_disposition.value
    return told


def _compared(work: Work, inspection: Inspection, identity: Identity) -> SideBySide:
    own = own_review_of(work, inspection, identity)
    if not own.is_final or own.disposition is None:
        raise BadInputError("finish your own reading and disposition before you see the first result")
    return SideBySide(reading_of(work, inspection.inspection_id), own, own.disposition)


def _is_own(work: Work, inspection: Inspection, identity: Identity) -> bool:
    signers = {one.signer_id for one in work.signatures.of_inspection(inspection.inspection_id)}
    return identity.user_id in {inspection.inspector_id, inspection.updated_by, *signers}
