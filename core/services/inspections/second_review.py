"""The second person: reads blind, sees both results side by side, then concurs or returns, and signs."""

from collections.abc import Callable, Mapping, Sequence
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
from core.services.inspections.correction_queue import queue_reviewed
from core.services.inspections.own_review import OwnReview, SideBySide, append_decision, own_review_of
from core.services.inspections.readings import append_reading, existing, reading_of, review_track
from core.services.inspections.signatures import Sealer
from core.services.inspections.signing_off import REVIEWED, ConfirmsPassword
from core.store.unit_of_work import Store, Work

_QUEUE_LENGTH = 500
_SEEN = "you have seen the first result: your own reading and disposition stay as they were before"


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
            ImmutableRecordError: the first result was seen, or the review is concluded.
            BadInputError: a box lies outside of the image.
            StaleVersionError: it was saved elsewhere since.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.write() as work:
            inspection = self._blind(work, identity, inspection_id)
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
            inspection = self._blind(work, identity, inspection_id)
            append_decision(
                work,
                identity,
                inspection,
                disposition,
                note,
                expected_version=expected_version,
                annotation_id=self._make_id(),
            )
            return own_review_of(work, inspection, identity)

    def unveil(
        self, identity: Identity, inspection_id: str, *, expected_reading: int, expected_decision: int
    ) -> SideBySide:
        """Both results, now that the reviewer's own is final: from here on it cannot be changed.

        Raises:
            NotAllowedError, UnknownRecordError, ImmutableRecordError: as `save_own`.
            BadInputError: the reviewer has not said what to do with the part.
            StaleVersionError: the own reading or disposition changed since it was looked at.
        """
        require(identity, Action.REVIEWS_ADD)
        with self._store.write() as work:
            inspection = self._blind(work, identity, inspection_id)
            own = own_review_of(work, inspection, identity)
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
            )
            return SideBySide(
                reading_of(work, inspection_id), own_review_of(work, inspection, identity), own.disposition
            )

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

        Args:
            identity: the second person.
            inspection_id: what was reviewed.
            outcome: what is said of the first result.
            password: the account's, asked for again.
            note: why it is returned; may be empty otherwise.
            address: of the client; wrong passwords count against it.

        Raises:
            NotAllowedError, UnknownRecordError: as `own_review`.
            SignInRefusedError: the password is another one.
            ImmutableRecordError: it is concluded already.
            BadInputError: the own reading is not final, or it is returned without saying why.
        """
        require(identity, Action.REVIEWS_ADD)
        require(identity, Action.SIGNATURES_ADD)
        if outcome is ReviewOutcome.RETURNS and not note.strip():
            raise BadInputError("say why it is returned")
        with self._store.read() as work:
            _compared(work, self._waiting(work, identity, inspection_id), identity)
        self._accounts.confirm_password(identity, password, address=address)
        with self._store.write() as work:
            work.inspections.require_version(inspection_id, existing(work, inspection_id).version)
            both = _compared(work, self._waiting(work, identity, inspection_id), identity)
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
                details={"outcome": outcome.value, "own_disposition": both.own_disposition.value},
            )
        return review

    def _review(
        self, work: Work, identity: Identity, both: SideBySide, outcome: ReviewOutcome, note: str
    ) -> Review:
        review = Review(
            review_id=self._make_id(),
            inspection_id=both.first.inspection.inspection_id,
            inspection_version=both.first.inspection.version,
            reviewer_id=identity.user_id,
            outcome=outcome,
            note=note,
            created_at=work.now,
            own_disposition=both.own_disposition,
            own_version=both.own.reading.version,
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

    def _blind(self, work: Work, identity: Identity, inspection_id: str) -> Inspection:
        inspection = self._waiting(work, identity, inspection_id)
        if own_review_of(work, inspection, identity).is_final:
            raise ImmutableRecordError(_SEEN)
        return inspection

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


def reviewed_content(work: Work, both: SideBySide, review: Review) -> Mapping[str, Any]:
    """The content under the second signature: the first signatures, the own result, the conclusion."""
    signed = work.signatures.of_inspection(review.inspection_id)
    return {
        "inspection_id": review.inspection_id,
        "inspection_version": review.inspection_version,
        "signed": [[one.signature_id, one.meaning, one.content_sha256] for one in signed],
        "own": {
            "version": both.own.reading.version,
            "indications": [one.to_box() for one in both.own.reading.indications],
            "disposition": both.own_disposition.value,
            "note": both.own.note,
        },
        "outcome": review.outcome.value,
        "note": review.note,
    }


def _compared(work: Work, inspection: Inspection, identity: Identity) -> SideBySide:
    own = own_review_of(work, inspection, identity)
    if not own.is_final or own.disposition is None:
        raise BadInputError("finish your own reading and disposition before you see the first result")
    return SideBySide(reading_of(work, inspection.inspection_id), own, own.disposition)


def _is_own(work: Work, inspection: Inspection, identity: Identity) -> bool:
    signers = {one.signer_id for one in work.signatures.of_inspection(inspection.inspection_id)}
    return identity.user_id in {inspection.inspector_id, inspection.updated_by, *signers}
