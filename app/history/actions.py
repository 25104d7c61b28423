"""Actions on a recorded inspection. Only from callbacks."""

from app.history.state import history_state
from app.shared.access import acting, current_identity, current_workspace
from app.shared.state import show_entry
from app.shared.worklist import worklists
from core.domain.radiograph import Polarity, PolarityGround
from core.domain.reading import setup_from
from core.domain.records import Inspection


@acting
def lay_on_table(inspection: Inspection) -> None:
    """Lay the radiograph of one's own inspection on the worklist again."""
    identity = current_identity()
    worklist, setup = worklists().of(identity), setup_from(inspection.setup)
    entry = worklist.with_digest(inspection.image_sha256)
    if entry is None:
        model, stated = inspection.model.name, inspection.polarity
        if inspection.polarity_ground is PolarityGround.ESTIMATED:
            stated = Polarity.UNKNOWN
        key = worklist.expect(inspection.image_name, stated, setup, model=model)
        worklist.store(key, inspection.image_sha256)
        worklist.read_as(key, model)
        current_workspace().worklist.put(
            identity, key, inspection.image_sha256, inspection.image_name, stated, model, setup,
            is_model_chosen=True,
        )  # fmt: skip
    else:
        key = entry.key
        worklist.read_as(key, inspection.model.name)
        current_workspace().worklist.read_as(identity, key, inspection.model.name)
    show_entry(key)
    history_state().laid = inspection.inspection_id
