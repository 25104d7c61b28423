"""Actions of the second person: the blind reading, its end, the signed outcome. Only from callbacks."""

from collections.abc import Mapping
from typing import Any

from app.review import state
from app.shared.access import acting, client_address, current_identity
from app.shared.incident import refusal_of
from app.shared.moments import done_words
from app.shared.resources import resources
from app.shared.state import reported_mapping
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.reading import ReadIndication, indication_from
from core.domain.records import AnnotationSource, ReviewOutcome, chosen_disposition
from core.services.inspections.second_review import SecondReviewService

_MOST_INDICATIONS = 2_000


def reviews() -> SecondReviewService:
    """The reviews of the real workspace; guests have no second person."""
    return resources().services.workspace.reviews


@acting
def save() -> None:
    """Save the own reading."""
    if event := reported_mapping(state.VIEWER, "reading"):
        identity, told = current_identity(), "Saving the reading"
        state.review_state().refused = refusal_of(event, told, lambda: _save(event, identity))


@acting
def decide() -> None:
    """Save the own disposition and note."""
    if event := reported_mapping(state.VIEWER, "decision"):
        identity, told = current_identity(), "Saving the reading"
        state.review_state().refused = refusal_of(event, told, lambda: _decide(event, identity))


@acting
def unveil() -> None:
    """Make the own result final and show the first one."""
    if event := reported_mapping(state.VIEWER, "sign"):
        reviews().unveil(
            current_identity(),
            _inspection_id(event),
            expected_reading=int(event["reading_version"]),
            expected_decision=int(event["version"]),
        )


@acting
def change_own(inspection_id: str, decision_version: int) -> None:
    """Open the own reading again, with the reason in the form; a refusal is told beside it."""
    remembered = state.review_state()
    try:
        reviews().change_own(
            current_identity(), inspection_id, state.take_reason(), expected_decision=decision_version
        )
    except WorkbenchError as error:
        remembered.not_changed = str(error)
        return
    remembered.not_changed = remembered.wrong = ""


@acting
def conclude(inspection_id: str) -> None:
    """Concur or return, signed with the password; a refusal is told beside the form."""
    remembered, (outcome, note, password) = state.review_state(), state.take_form()
    if outcome is None or not password:
        remembered.wrong = "choose concur or return first" if outcome is None else "enter your password"
        return
    try:
        reviews().conclude(
            current_identity(),
            inspection_id,
            ReviewOutcome(outcome),
            password,
            note=note,
            address=client_address(),
        )
    except WorkbenchError as error:
        remembered.wrong = str(error).removesuffix("; nothing was changed")
        return
    remembered.wrong = ""
    done = "you concur" if outcome == ReviewOutcome.CONCURS.value else "it is returned to its inspector"
    remembered.said = done_words(done, "signed")
    state.leave()


def _inspection_id(event: Mapping[str, Any]) -> str:
    return str(event["inspection_id"]).removeprefix("review-")


def _save(event: Mapping[str, Any], identity: Identity) -> None:
    boxes = event["content"]
    if len(boxes) > _MOST_INDICATIONS:
        raise BadInputError(f"expected at most {_MOST_INDICATIONS} indications, got {len(boxes)}")
    found = [_own(indication_from(box)) for box in boxes]
    reviews().save_own(identity, _inspection_id(event), found, expected_version=int(event["base"]))


def _own(one: ReadIndication) -> ReadIndication:
    if one.source is not AnnotationSource.HUMAN or one.model_index is not None:
        raise BadInputError(f"indication {one.indication_id[:40]}: a blind reading holds nothing of a model")
    return one


def _decide(event: Mapping[str, Any], identity: Identity) -> None:
    content = event["content"]
    reviews().decide_own(
        identity,
        _inspection_id(event),
        chosen_disposition(content.get("disposition")),
        str(content.get("note") or ""),
        expected_version=int(event["base"]),
    )
