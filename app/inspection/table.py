"""The images on the visitor's table with their answers, and what the visitor does with them."""

from typing import Any

import streamlit as st

from app.inspection.analysis_queue import Question
from app.inspection.inspection_view import TableItem, start_threshold
from app.inspection.route_view import route_data
from app.inspection.tray import EntryState, TrayEntry
from app.shared import state
from app.shared.access import acting, current_identity
from app.shared.reading_view import reading_data
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Radiograph
from core.domain.records import Inspection
from core.services.inspections.open_readings import OpenReading, open_newest_reading


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
    images = resources().services.workspace_of(current_identity()).images
    return images.load(item.entry.sha256, polarity=item.entry.polarity)


def recorded_for(item: TableItem) -> Inspection | None:
    """The inspection that keeps the item's answer, as it was recorded; None before there is one."""
    if item.answer is None or item.answer.result is None:
        return None
    return item.answer.inspection


def inspection_of(item: TableItem) -> Inspection | None:
    """The inspection that is read, as it is stored now: that of the answer, or its newest correction."""
    recorded, identity = recorded_for(item), current_identity()
    if recorded is None:
        return None
    return resources().services.workspace_of(identity).inspections.newest(identity, recorded)


def open_item(item: TableItem) -> OpenReading | None:
    """The reading of the item as it is stored now, None before the image was analysed."""
    recorded, identity, remembered = recorded_for(item), current_identity(), state.reading_state()
    if recorded is None:
        return None
    store = resources().services.workspace_of(identity).store
    remembered.shown = open_newest_reading(store, identity, recorded, known=remembered.shown)
    return remembered.shown


def reading_of(item: TableItem, shown: OpenReading) -> dict[str, Any]:
    """What the viewer shows of the reading."""
    refused = state.reading_state().refused
    return reading_data(shown, current_identity(), refused=refused) | {"route": _route_of(item)}


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
    identity, version = current_identity(), _reader(entry, champion, known)
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
