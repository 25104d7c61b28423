"""Draws the label page: the bar and the viewer with labels."""

from typing import Any

import streamlit as st

from app.label import actions
from app.label.importing.render import draw_way_in
from app.label.rows import label_data
from app.label.state import VIEWER, image_in_address, label_state
from app.shared.access import current_identity, identified
from app.shared.components.radiograph_viewer.radiograph_viewer import radiograph_viewer
from app.shared.navigation import page_at
from app.shared.place_notes import draw_notes
from app.shared.resources import resources
from app.shared.templates import draw_html, draw_welcome
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.permissions import Action, may
from core.services.labels.labels import EarlierLabels, LabelSheet

_POLL_S = 4.0


def draw_nothing(identity: Identity) -> None:
    """The page when nothing waits."""
    said = label_state().said
    draw_welcome("Nothing more waits" if said else "Nothing waits to be labelled")
    st.caption(
        f"{f'{said} in this session. ' if said else ''}Images come here by themselves when an inspector, a "
        "second reader or another model version disagrees with the model. From Inspect, any image can be "
        "labelled."
    )
    if may(identity.role, Action.ANNOTATIONS_SAVE):
        draw_way_in()
    if may(identity.role, Action.QUEUE_WORK):
        st.page_link(page_at("disagreements").file, label="Disagreements", icon=":material/difference:")
    elif identity.role in page_at("").roles:
        st.page_link(page_at("").file, label="Inspect", icon=":material/radiology:")


@st.fragment(run_every=_POLL_S)
@identified(touch=False)
def draw_image() -> None:
    """The bar and the viewer; looks every few seconds for changes that others made."""
    identity = current_identity()
    sha256 = image_in_address()
    if sha256 is None:
        st.rerun()  # nothing more waits
    try:
        sheet = actions.workspace_of(identity).labels.open(identity, sha256)
        others = actions.others_at(sheet, identity)
        data = _viewer_data(sheet, identity, others)
    except WorkbenchError as error:
        st.warning(f"This image cannot be labelled by you now: {error}.")
        return
    name = " · ".join(filter(None, (sheet.image.name, label_state().trail_words(sha256))))
    draw_bar(identity, sheet, name, others)
    radiograph_viewer(
        data,
        key=VIEWER,
        on_open=actions.reopen,
        on_remove=actions.forget,
        on_threshold=lambda: None,
        on_reading=actions.save,
        on_submit=actions.submit,
        on_skip=actions.skip,
    )


def draw_bar(identity: Identity, sheet: LabelSheet, name: str, others: tuple[str, ...]) -> None:
    """The image, the version that suggests, who else is at it, notes on it, and the way back."""
    model = _model_words(sheet)
    suggested = f"suggested by {model} or a person" if model else "suggested"
    told = f"dashed: {suggested}, solid: label, crossed: refused"
    if said := label_state().said:
        told += f" · {said}"
    with st.container(horizontal=True, vertical_alignment="center", key="label-bar"):
        if may(identity.role, Action.QUEUE_WORK):
            st.page_link(page_at("disagreements").file, label="Queue", icon=":material/arrow_back:")
            st.page_link(page_at("images").file, label="Images", icon=":material/grid_view:")
        draw_html("label/templates/bar.html", name=name, told=told, others=", ".join(others))
        _draw_notes(identity, sheet.image.sha256)
        if may(identity.role, Action.ANNOTATIONS_SAVE):
            draw_way_in()


def _draw_notes(identity: Identity, sha256: str) -> None:
    notes = actions.workspace_of(identity).notes.of_images(identity, [sha256])
    if threads := notes.threads.get(sha256):
        label = "1 note" if len(threads) == 1 else f"{len(threads)} notes"
        with st.popover(label, icon=":material/edit_note:", key="label-notes"):
            draw_notes(notes, threads)


def _viewer_data(sheet: LabelSheet, identity: Identity, others: tuple[str, ...]) -> dict[str, Any]:
    workspace, remembered = actions.workspace_of(identity), label_state()
    remembered.visit(sheet.image.sha256, sheet.image.name)
    return label_data(
        sheet,
        workspace.images.load(sheet.image.sha256),
        identity,
        others=others,
        refused=remembered.refused,
        has_next=may(identity.role, Action.QUEUE_WORK),
        visited=remembered.visited,
        ahead=_ahead(sheet.image.sha256, identity),
        data_notice=_data_notice(sheet),
        earlier=_earlier(sheet.image.sha256, identity),
        own_classes=workspace.own_classes.all(identity),
    )


def _earlier(sha256: str, identity: Identity) -> EarlierLabels | None:
    """The labels of the image before; asked for when another image comes on show."""
    remembered = label_state()
    if remembered.earlier[0] != sha256:
        visited = remembered.before(sha256)
        remembered.earlier = (
            sha256, actions.workspace_of(identity).labels.before(identity, sha256, visited=visited)
        )  # fmt: skip
    return remembered.earlier[1]


def _model_words(sheet: LabelSheet) -> str:
    """The version that suggested the dashed boxes."""
    return f"{sheet.answer.model.name} v{sheet.answer.model.version}" if sheet.answer else ""


def _data_notice(sheet: LabelSheet) -> str:
    """The notice on the card of the version; empty when the version is not known any more."""
    if sheet.answer is None:
        return ""
    notices, model = label_state().notices, sheet.answer.model
    if (model.name, model.version) not in notices:
        try:
            version, _ = resources().services.registry.resolve(model.name, version=model.version)
        except WorkbenchError:
            return ""
        notices[(model.name, model.version)] = version.data_notice
    return notices[(model.name, model.version)]


def _ahead(sha256: str, identity: Identity) -> str | None:
    """The image that will probably come next, so that the browser can fetch it meanwhile; asked for once."""
    remembered = label_state()
    if (following := remembered.next_of_trail(sha256)) is not None:
        return following
    if remembered.ahead[0] != sha256 and may(identity.role, Action.QUEUE_WORK):
        coming = actions.workspace_of(identity).queue.peek(identity, but_not=[sha256])
        remembered.ahead = (sha256, coming.image_sha256 if coming else None)
    return remembered.ahead[1] if remembered.ahead[0] == sha256 else None
