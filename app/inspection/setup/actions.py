"""Changes of the setup: of one image, or of all on the worklist and those that are handed in next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.inspection.items import WorklistItem, worklist_items
from app.inspection.state import Scope, chosen_scope, own_worklist, remembered, take_template
from app.shared.access import acting, current_identity, current_workspace
from core.domain.errors import StaleVersionError, WorkbenchError
from core.domain.numbering import Numbering, numbering_from
from core.domain.reading import Setup, setup_from
from core.domain.records import Inspection
from core.services.inspections.worklists import SetupTemplate

_NEXT = "images that are handed in next"


@acting
def use_template(item: WorklistItem | None, inspection: Inspection | None, shown: Setup) -> None:
    """Apply the template that was chosen; one image keeps its own numbers."""
    taken = current_workspace().worklist.templates().get(take_template() or "")
    if taken is not None:
        setup = taken.setup.with_own(shown.own())
        numbering = taken.numbering if chosen_scope() is Scope.ALL or item is None else None
        _tell(lambda: _use(setup, numbering, item, inspection, shown))


def apply_setup(
    fields: Mapping[str, Any],
    name: str,
    item: WorklistItem | None,
    inspection: Inspection | None,
    shown: Setup,
) -> None:
    """Apply the form's fields, and keep them as a template where it has a name.

    Args:
        fields: of a `Setup`.
        name: of the template; blank keeps none.
        item: the image on show, None when there is none.
        inspection: of it, None before there is one.
        shown: the setup that the form began with.
    """

    def act() -> str:
        setup = setup_from({**shown.to_dict(), **fields})
        said = _use(setup, None, item, inspection, shown)
        if not name.strip():
            return said
        template = SetupTemplate(setup, remembered().numbers.numbering)
        current_workspace().worklist.save_template(current_identity(), name, template)
        return f"{said} Kept as template {name.strip()}."

    _tell(act)


def apply_numbering(fields: Mapping[str, Any], *, with_worklist: bool) -> None:
    """Number images this way from now on, and those on the worklist that have no number where asked."""

    def act() -> str:
        numbers = remembered().numbers
        numbers.use(numbering_from(fields))
        if not with_worklist:
            return f"Counts for {_NEXT}."
        items, _ = worklist_items()
        bare = [item for item in items if item.entry.sha256 and _has_no_number(item)]
        n_numbered, _ = _describe({item: numbers.given(_setup_of(item), item.entry.name) for item in bare})
        return f"Numbered {n_numbered} images on the worklist; counts for {_NEXT}."

    _tell(act)


def _use(
    setup: Setup,
    numbering: Numbering | None,
    item: WorklistItem | None,
    inspection: Inspection | None,
    shown: Setup,
) -> str:
    """Apply the setup to the images that were asked for; the outcome in words.

    Raises:
        StaleVersionError: somebody changed the setup since it was shown.
    """
    _require_unchanged(inspection, shown)
    page = remembered()
    if numbering is not None:
        page.numbers.use(numbering)
    page.setup = replace(page.setup, polarity=setup.polarity)  # of new radiographs, whatever the scope
    if item is not None and chosen_scope() is Scope.THIS:
        page.opened = item.entry.key  # its setup was set: that opens it
        n_changed, _ = _describe({item: replace(setup, polarity=_setup_of(item).polarity)})
        return f"Saved for {item.entry.name}." if n_changed else "Not changed: the inspection is signed."
    page.setup = setup.shared()
    items, _ = worklist_items()
    before = {one: _setup_of(one) for one in items}
    n_changed, n_signed = _describe(
        {one: replace(setup.with_own(had.own()), polarity=had.polarity) for one, had in before.items()}
    )
    signed = f" {n_signed} signed before keep theirs." if n_signed else ""
    if n_changed == 0:
        return f"Counts for {_NEXT}.{signed}"
    return f"Saved for {n_changed} images on the worklist, and counts for {_NEXT}.{signed}"


def _describe(setups: Mapping[WorklistItem, Setup]) -> tuple[int, int]:
    """Give images their setup; how many got it, and how many are signed and keep theirs."""
    identity, workspace, n_signed = current_identity(), current_workspace(), 0
    kept: dict[str, Setup] = {}
    for item, setup in setups.items():
        inspection = _inspection(item)
        if inspection is not None and not inspection.is_open:
            n_signed += 1
            continue
        kept[item.entry.key] = setup
        if inspection is not None and inspection.opened_at and setup_from(inspection.setup) != setup:
            workspace.inspections.describe(
                identity, inspection.inspection_id, setup, expected_version=inspection.version
            )
    own_worklist().describe(kept)  # what nobody opened yet follows its entry
    workspace.worklist.describe(identity, kept)
    return len(kept), n_signed


def _has_no_number(item: WorklistItem) -> bool:
    """True when the image has none of its own numbers and may still get them."""
    inspection = _inspection(item)
    return (inspection is None or inspection.is_open) and not any(_setup_of(item).own().values())


def _setup_of(item: WorklistItem) -> Setup:
    """The setup of the image: that of its inspection once somebody opened it."""
    inspection = _inspection(item)
    return (
        item.entry.setup if inspection is None or not inspection.opened_at else setup_from(inspection.setup)
    )


def _inspection(item: WorklistItem) -> Inspection | None:
    """The inspection of the image as it is stored now."""
    recorded = item.answer.inspection if item.answer else None
    return None if recorded is None else current_workspace().inspections.newest(current_identity(), recorded)


def _require_unchanged(inspection: Inspection | None, shown: Setup) -> None:
    if inspection is None:
        return
    now = current_workspace().inspections.get(current_identity(), inspection.inspection_id)
    if now.is_open and setup_from(now.setup) != shown:
        raise StaleVersionError("the setup", yours=inspection.version, stored=now.version)


def _tell(act: Callable[[], str]) -> None:
    page = remembered()
    try:
        page.outcome = (True, act())
        page.n_applied += 1
    except WorkbenchError as error:
        page.outcome = (False, f"Not saved: {error}.")
