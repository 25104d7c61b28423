"""Changes of the setup: of the inspection on show, and of images that are handed in from now on."""

from collections.abc import Callable, Mapping
from typing import Any

from app.inspection.state import remembered, take_template
from app.shared.access import acting, current_identity, current_workspace
from core.domain.errors import StaleVersionError, WorkbenchError
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection
from core.services.inspections.inspecting import Decision


@acting
def use_template(inspection: Inspection | None, shown: Setup) -> None:
    """Apply the template that was chosen."""
    templates = current_workspace().worklist.templates()
    if (taken := templates.get(take_template() or "")) is not None:
        _tell(lambda: _use(taken, inspection, shown))


def apply_setup(fields: Mapping[str, Any], name: str, inspection: Inspection | None, shown: Setup) -> None:
    """Apply the form's fields, and keep them as a template where it has a name.

    Args:
        fields: of a `Setup`.
        name: of the template; blank keeps none.
        inspection: the one on show, None before there is one.
        shown: the setup that the form began with.
    """

    def act() -> str:
        setup = setup_from(fields)
        said = _use(setup, inspection, shown)
        if not name.strip():
            return said
        current_workspace().worklist.save_template(current_identity(), name, setup)
        return f"{said} Kept as template {name.strip()}."

    _tell(act)


def _use(setup: Setup, inspection: Inspection | None, shown: Setup) -> str:
    """Apply the setup to coming images and to the inspection on show; the outcome in words.

    Raises:
        StaleVersionError: somebody changed the setup since it was shown.
    """
    remembered().setup = setup
    identity, workspace = current_identity(), current_workspace()
    now = workspace.inspections.get(identity, inspection.inspection_id) if inspection else None
    if now is None or not now.is_open:
        return "Counts for new images."
    if setup_from(now.setup) != shown:
        yours = inspection.version if inspection else 0
        raise StaleVersionError("the setup", yours=yours, stored=now.version)
    decision = Decision(now.disposition, now.note, setup)
    workspace.inspections.decide(identity, now.inspection_id, decision, expected_version=now.version)
    return f"Saved for {now.image_name}, and counts for new images."


def _tell(act: Callable[[], str]) -> None:
    page = remembered()
    try:
        page.outcome = (True, act())
        page.n_applied += 1
    except WorkbenchError as error:
        page.outcome = (False, f"Not saved: {error}.")
