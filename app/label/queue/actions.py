"""Actions on the queue of corrections, and the import of labels. Only from callbacks."""

from app.label.queue import state
from app.label.queue.rows import imported_lines
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from app.shared.uploads import taken
from core.domain.accounts import Identity
from core.domain.errors import BadInputError
from core.services.inspections.correction_queue import COMPARED_IMAGES, DISAGREE, CorrectionQueue
from core.services.labels.label_files import LabelFormat


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


@acting
def import_labels() -> None:
    """Take over the labels in the file that was chosen."""
    remembered, (file, form, is_from_0) = state.corrections_state(), state.import_form()
    remembered.imported = []
    if file is None:
        raise BadInputError("choose a file with labels first")
    identity, origin = current_identity(), 0 if is_from_0 else 1
    files = resources().services.workspace_of(identity).label_files
    with taken(file).opened() as content:
        done = files.import_(identity, content, file.name, LabelFormat(form), voc_origin=origin)
    remembered.imported = imported_lines(done)
