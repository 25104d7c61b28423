"""The complete record of one inspection."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.first_look import FirstLook
from core.domain.measures import MeasureLine
from core.domain.permissions import Action, may, require
from core.domain.records import Inspection, InspectionState, Review, Signature
from core.services.inspections.film_first import first_look_of
from core.services.inspections.measuring import recorded_lines
from core.services.inspections.readings import Reading, reading_of
from core.services.inspections.seeing import SeenShares, seen_shares
from core.store.unit_of_work import Store, Work


@dataclass(frozen=True, slots=True, eq=False)
class InspectionRecord:
    """An inspection and what people said about it.

    Attributes:
        reading: the inspector's, as it was saved last.
        signatures, reviews: oldest first.
        names: of everybody who occurs, by user id; the full name, else the sign-in name.
        seen: shares that whoever signed, else the inspector, has seen at 1:1 or more; None where that was
            not kept.
        measures: one line each, with the scale of when it was signed first, else of now.
        first_look: what was marked before the model was shown; None where it was on show at once.
    """

    reading: Reading
    signatures: tuple[Signature, ...]
    reviews: tuple[Review, ...]
    names: Mapping[str, str]
    seen: SeenShares | None = None
    measures: tuple[MeasureLine, ...] = ()
    first_look: FirstLook | None = None

    @property
    def inspection(self) -> Inspection:
        """The inspection itself."""
        return self.reading.inspection

    def name(self, user_id: str | None) -> str:
        """Printed name of a person; None stands for a command on the server."""
        return COMMAND_LINE.name if user_id is None else self.names.get(user_id, user_id)


class InspectionRecordService:
    """Looks records up in one workspace."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, identity: Identity, inspection_id: str) -> InspectionRecord:
        """The record of one inspection.

        Raises:
            NotAllowedError: the role may not look at inspections.
            UnknownRecordError: there is no such inspection.
        """
        require(identity, Action.INSPECTIONS_READ)
        with self._store.read() as work:
            reading = reading_of(work, inspection_id)
            inspection = reading.inspection
            signatures = tuple(work.signatures.of_inspection(inspection_id))
            reviews = tuple(work.reviews.of_inspection(inspection_id))
            people = {inspection.inspector_id, inspection.updated_by, reading.author_id}
            people |= {one.signer_id for one in signatures} | {one.reviewer_id for one in reviews}
            seen = seen_shares(work, inspection, signatures)
            return InspectionRecord(
                reading,
                signatures,
                reviews,
                _names(work, people),
                seen,
                recorded_lines(work, inspection, signatures),
                first_look_of(work, inspection),
            )


def is_blind_for(identity: Identity, *, inspector_id: str | None, state: InspectionState) -> bool:
    """True while this person may still be the second one, who must not know the first result.

    It holds for what others had inspected and signed and nobody reviewed yet. It keeps people who look
    around from seeing by chance what they should judge on their own; it is no secret from them.
    """
    is_waiting = state is InspectionState.SIGNED and inspector_id != identity.user_id
    return is_waiting and may(identity.role, Action.REVIEWS_ADD)


def _names(work: Work, user_ids: set[str | None]) -> dict[str, str]:
    found = {user_id: work.users.find(user_id) for user_id in sorted(filter(None, user_ids))}
    return {
        user_id: "guest" if user.role is Role.GUEST else user.full_name or user.shown_name
        for user_id, user in found.items()
        if user is not None
    }
