"""The images on the visitor's table with their answers, and what the visitor does with them."""

from typing import Any

import streamlit as st

from app.inspection.analysis_queue import Question
from app.inspection.inspection_view import TableItem, start_threshold
from app.inspection.route_view import route_data
from app.inspection.tray import EntryState, TrayEntry
from app.shared import state
from app.shared.access import acting, current_identity
from app.shared.reading_view import open_reading, reading_data
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Radiograph
from core.domain.records import Inspection


def table_items(champion: ModelVersion) -> list[TableItem]:
    """Every image on the table; those that were read are asked about, the one on show first.

    An image goes on being read by the version that read it first, whatever became champion since.
    """
    shown, known = current_key(), {champion.version: champion}
    return [_item(entry, champion, known, entry.key == shown) for entry in state.tray().entries()]


def current_key() -> str | None:
    """Key of the image on show: the chosen one, else the one in the address, else the newest."""
    held, remembered = state.tray(), state.inspection_state()
    if held.get(remembered.current) is None:
        named = held.with_digest(st.query_params.get("image", ""))
        entries = held.entries()
        remembered.current = named.key if named else (entries[-1].key if entries else None)
    return remembered.current


def remember_in_address(item: TableItem, model: ModelVersion) -> None:
    """Put image and model in the address, so that a reload comes back here."""
    wanted = {"model": model.name, **({"image": item.entry.sha256} if item.entry.sha256 else {})}
    if dict(st.query_params) != wanted:
        st.query_params.from_dict(wanted)


def radiograph_of(item: TableItem) -> Radiograph | None:
    """The radiograph of the item, None before it was read."""
    if item.entry.sha256 is None:
        return None
    images = resources().services.workspace_of(current_identity(touch=False)).images
    return images.load(item.entry.sha256, polarity=item.entry.polarity)


def inspection_id_of(item: TableItem) -> str | None:
    """The inspection that is read: that of the answer, or its newest correction. None before there is one."""
    if item.answer is None or item.answer.inspection is None or item.answer.result is None:
        return None
    recorded, identity = item.answer.inspection, current_identity(touch=False)
    with resources().services.workspace_of(identity).store.read() as work:
        newest = work.inspections.same(
            image_sha256=recorded.image_sha256,
            polarity=recorded.polarity,
            model=recorded.model,
            inspector_id=recorded.inspector_id,
        )
    return newest.inspection_id if newest else recorded.inspection_id


def inspection_of(item: TableItem) -> Inspection | None:
    """As it is stored now, None before there is one."""
    inspection_id, identity = inspection_id_of(item), current_identity(touch=False)
    if inspection_id is None:
        return None
    return resources().services.workspace_of(identity).inspections.get(identity, inspection_id)


def reading_of(item: TableItem) -> dict[str, Any] | None:
    """What the viewer shows of the reading, None before the image was analysed."""
    inspection_id, identity = inspection_id_of(item), current_identity(touch=False)
    if inspection_id is None:
        return None
    remembered, workspace = state.reading_state(), resources().services.workspace_of(identity)
    shown, remembered.judged = open_reading(workspace, identity, inspection_id, known=remembered.judged)
    return reading_data(shown, identity, refused=remembered.refused) | {"route": _route_of(item)}


def threshold_for(model: ModelVersion) -> float:
    """The threshold last reported for this version, else its operating point."""
    remembered = state.inspection_state()
    if remembered.threshold_model != f"{model.name}-{model.version}" or remembered.threshold is None:
        remembered.threshold_model = f"{model.name}-{model.version}"
        remembered.threshold = start_threshold(model)
    return remembered.threshold


@acting
def open_event() -> None:
    """The visitor chose another image in the viewer; a failed analysis is tried again."""
    key = state.viewer_event("open")
    entry = state.tray().get(key)
    if entry is not None:
        state.inspection_state().current = entry.key
        if entry.sha256 is not None:
            champion = resources().champions.champion(state.chosen_model())
            version = _reader(entry, champion, {champion.version: champion})
            if resources().analyses.forget_failure(_question(entry, version, current_identity())):
                state.tray().read_anew(entry.key, champion.name)


@acting
def remove_event() -> None:
    """The visitor took an image off the table; what was stored stays stored."""
    if key := state.viewer_event("remove"):
        identity = current_identity()
        state.tray().remove(key)
        resources().services.workspace_of(identity).worklist.remove(identity, key)


@acting
def cancel_event() -> None:
    """The visitor does not want to wait for what was not begun."""
    if state.viewer_event("cancel"):
        resources().analyses.cancel(current_identity().user_id)


@acting
def threshold_event() -> None:
    """The threshold came to rest."""
    value = state.viewer_event("threshold")
    if isinstance(value, int | float):
        state.inspection_state().threshold = round(float(value), 2)


def _route_of(item: TableItem) -> dict[str, Any] | None:
    if item.answer is None or item.answer.result is None or item.answer.inspection is None:
        return None
    return route_data(item.answer.result, item.answer.inspection, resources().services.routing.certificates)


def _item(
    entry: TrayEntry, champion: ModelVersion, known: dict[int, ModelVersion], is_shown: bool
) -> TableItem:
    if entry.state is not EntryState.STORED:
        return TableItem(entry)
    identity, version = current_identity(touch=False), _reader(entry, champion, known)
    question = _question(entry, version, identity)
    answer = resources().analyses.ask(question, entry, identity, urgent=is_shown)
    return TableItem(entry, question, answer, version)


def _reader(entry: TrayEntry, champion: ModelVersion, known: dict[int, ModelVersion]) -> ModelVersion:
    """The version that reads the entry; the champion where that one is not registered any more."""
    number = state.tray().reader(entry.key, champion.name, champion.version)
    if number not in known:
        try:
            known[number] = resources().champions.resolve(champion.name, version=number)[0]
        except WorkbenchError:
            known[number] = champion
    return known[number]


def _question(entry: TrayEntry, model: ModelVersion, identity: Identity) -> Question:
    return Question(identity.user_id, entry.sha256 or "", entry.polarity, model.name, model.version)
