"""Label: the boxes of one radiograph, corrected by keyboard, saved with every edit."""

from html import escape

import streamlit as st

from app.label import label_view as view
from app.shared.access import current_identity, require_page
from app.shared.components.radiograph_viewer.radiograph_viewer import radiograph_viewer
from app.shared.navigation import page_at
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.permissions import Action, may

_POLL_S = 4.0


def draw() -> None:
    """The whole page."""
    identity = require_page("label")
    sha256 = view.image_on_show(identity)
    if sha256 is None:
        draw_nothing(identity)
        return
    st.fragment(draw_image, run_every=_POLL_S)()


def draw_nothing(identity: Identity) -> None:
    """What to do when nothing waits."""
    said = view.label_state().said
    st.html(
        f'<div class="rk-welcome"><h1>{"Nothing more waits" if said else "Nothing waits to be labelled"}</h1>'
        "</div>"
    )
    st.caption(
        f"{f'{said} in this session. ' if said else ''}Images come here by themselves when an inspector, a "
        "second reader or another model version disagrees with the model. From Inspect, any image can be "
        "labelled."
    )
    if may(identity.role, Action.QUEUE_WORK):
        st.page_link(page_at("disagreements").file, label="Disagreements", icon=":material/difference:")
    elif identity.role in page_at("").roles:
        st.page_link(page_at("").file, label="Inspect", icon=":material/radiology:")


def draw_image() -> None:
    """The bar and the viewer; looks again every few seconds for what others did."""
    identity = current_identity(touch=False)  # looking again is no use of a session
    sha256 = st.query_params.get(view.IMAGE)
    if sha256 is None:
        st.rerun()  # nothing more waits
    try:
        sheet = view.workspace_of(identity).labels.open(identity, sha256)
        others = view.others_at(sheet, identity)
        data = view.viewer_data(sheet, identity, others)
    except WorkbenchError as error:
        st.warning(f"This image cannot be labelled by you now: {error}.")
        return
    draw_bar(identity, sheet.image.name, view.model_words(sheet), others)
    radiograph_viewer(
        data,
        key=view.VIEWER,
        on_open=view.open_event,
        on_remove=view.remove_event,
        on_threshold=lambda: None,
        on_reading=view.save_event,
        on_submit=view.submit_event,
        on_skip=view.skip_event,
    )


def draw_bar(identity: Identity, name: str, model: str, others: tuple[str, ...]) -> None:
    """What is on show, which version suggests, who else is at it, how to get back."""
    here = f'<b class="rk-warn">Also here now: {escape(", ".join(others))}</b>' if others else ""
    suggested = f"suggested by {model} or a person" if model else "suggested"
    said = f" · {view.label_state().said}" if view.label_state().said else ""
    told = escape(f"dashed: {suggested}, solid: label, crossed: refused{said}")
    with st.container(horizontal=True, vertical_alignment="center", key="label-bar"):
        if may(identity.role, Action.QUEUE_WORK):
            st.page_link(page_at("disagreements").file, label="Queue", icon=":material/arrow_back:")
        st.html(f'<p class="rk-bar"><b>{escape(name)}</b> <span class="rk-muted">{told}</span> {here}</p>')


draw()
