"""Actions on the queue of corrections. Only from callbacks."""

from app.label.queue import state
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.services.inspections.correction_queue import COMPARED_IMAGES, DISAGREE, CorrectionQueue


def queue_of(identity: Identity) -> CorrectionQueue:
    """The queue that this person works with."""
    return resources().services.workspace_of(identity).queue


@acting
def assign(item_id: str, version: int) -> None:
    """Give the item to somebody else."""
    identity = current_identity()
    queue_of(identity).assign(identity, item_id, state.chosen_assignee(), expected_version=version)


@acting
def skip(item_id: str, version: int) -> None:
    """Close the item without a correction."""
    identity = current_identity()
    queue_of(identity).skip(identity, item_id, state.typed_reason(), expected_version=version)
    state.forget_reason()


@acting
def reopen(item_id: str, version: int) -> None:
    """Open the item again."""
    identity = current_identity()
    queue_of(identity).reopen(identity, item_id, expected_version=version)


@acting
def compare() -> None:
    """Start to compare champion and challenger on recent images of the chosen model."""
    payload = {"model": state.chosen_model(), "count": COMPARED_IMAGES}
    services, identity = resources().services, current_identity()
    services.jobs.start(identity, DISAGREE, payload, device=services.detect.device)
