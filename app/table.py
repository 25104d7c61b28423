"""The images on the visitor's table with their answers, and what the visitor does with them."""

import streamlit as st

from app import state
from app.analysis import Question
from app.inspection_view import TableItem, start_threshold
from app.resources import resources
from app.tray import EntryState, TrayEntry
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Radiograph


def table_items(model: ModelVersion) -> list[TableItem]:
    """Every image on the table; those that were read are asked about, the one on show first."""
    shown = current_key()
    return [_item(entry, model, entry.key == shown) for entry in state.tray().entries()]


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
    return resources().services.images.load(item.entry.sha256, polarity=item.entry.polarity)


def threshold_for(model: ModelVersion) -> float:
    """The threshold last reported for this version, else its operating point."""
    remembered = state.inspection_state()
    if remembered.threshold_model != f"{model.name}-{model.version}" or remembered.threshold is None:
        remembered.threshold_model = f"{model.name}-{model.version}"
        remembered.threshold = start_threshold(model)
    return remembered.threshold


def open_event() -> None:
    """The visitor chose another image in the viewer; a failed analysis is tried again."""
    key = state.viewer_event("open")
    entry = state.tray().get(key)
    if entry is not None:
        state.inspection_state().current = entry.key
        if entry.sha256 is not None:
            version = resources().champions.champion(state.chosen_model())
            resources().desk.forget_failure(_question(entry, version))


def remove_event() -> None:
    """The visitor took an image off the table; what was stored stays stored."""
    if key := state.viewer_event("remove"):
        state.tray().remove(key)


def threshold_event() -> None:
    """The threshold came to rest."""
    value = state.viewer_event("threshold")
    if isinstance(value, int | float):
        state.inspection_state().threshold = round(float(value), 2)


def _item(entry: TrayEntry, model: ModelVersion, is_shown: bool) -> TableItem:
    if entry.state is not EntryState.STORED:
        return TableItem(entry)
    question = _question(entry, model)
    return TableItem(entry, question, resources().desk.ask(question, entry.name, urgent=is_shown))


def _question(entry: TrayEntry, model: ModelVersion) -> Question:
    return Question(entry.sha256 or "", entry.polarity, model.name, model.version)
