"""Inspect: hand in radiographs, see what the model reports, read them, decide, sign."""

import streamlit as st

from app.inspection import reading_events, table
from app.inspection.inspection_view import TableItem, viewer_data
from app.inspection.setup_form import draw_setup
from app.inspection.sign_dialog import draw_sign_dialog
from app.inspection.tray import EntryState
from app.shared import state
from app.shared.access import current_identity, identified, require_page
from app.shared.components import chooser
from app.shared.components.radiograph_viewer.viewer import radiograph_viewer
from app.shared.navigation import page_at
from app.shared.resources import resources
from core.domain.errors import WorkbenchError
from core.domain.model_version import ModelVersion

_POLL_S = 0.4


def draw() -> None:
    """The whole page."""
    try:
        model = resources().champions.champion(state.chosen_model())
    except WorkbenchError as error:
        chooser.draw_choices()
        st.error(f"No analysis is possible: {error}. What you handed in before is safe.")
        return
    items = table.table_items(model)
    has_images = any(item.entry.state is not EntryState.FAILED for item in items)
    current = next((item for item in items if item.entry.key == table.current_key()), None)
    inspection = table.inspection_of(current) if current else None
    with st.container(horizontal=True, key="inspection-bar"):
        chooser.draw_choices()
        draw_setup(inspection)
        if has_images:
            chooser.draw_add_menu()
        if current and current.version and current.version.version != model.version:
            st.caption(
                f"Read by v{current.version.version}. The champion is v{model.version} now: hand the image "
                "in again to have it read by that."
            )
        draw_label_link(current)
    if not has_images:
        for item in items:
            st.error(f"{item.entry.name}: {item.entry.message}")
        chooser.draw_remark()
        draw_welcome(model)
        return
    is_pending = any(item.is_pending for item in items)
    drawn_for = inspection.inspection_id if inspection else None
    viewer = st.fragment(identified(touch=False)(draw_viewer), run_every=_POLL_S if is_pending else None)
    viewer(model, is_pending, drawn_for)
    draw_sign_dialog()


def draw_label_link(current: TableItem | None) -> None:
    """Where the labels of the image on show are corrected, for whoever may."""
    page = page_at("label")
    if current and current.entry.sha256 and current_identity().role in page.roles:
        st.page_link(page.file, label="Label this image", icon=page.icon,
                     query_params={"image": current.entry.sha256})  # fmt: skip


def draw_welcome(model: ModelVersion) -> None:
    """The empty page: drop files or take a sample; what the product does not do, once."""
    st.html(
        '<div class="rk-welcome"><h1>Drop a radiograph or a folder, or take a sample</h1>'
        '<p class="rk-muted">The model marks indications with a calibrated probability and shows what '
        "raised it. It reports indications, not defects: whether a part is accepted you decide, and an empty "
        "result is no proof that nothing is there.</p></div>"
    )
    files, folder = st.columns([3, 2], gap="small")
    with files:
        chooser.draw_uploader()
    with folder:
        chooser.draw_folder_chooser()
    st.caption("Samples: simulated weld radiographs, made for this product")
    chooser.draw_sample_tiles()
    st.caption(f"{model.name} v{model.version}: {model.data_notice}")


def draw_viewer(model: ModelVersion, was_pending: bool, drawn_for: str | None) -> None:
    """The viewer; polls while something is being read or analysed."""
    items = table.table_items(model)
    current = next((item for item in items if item.entry.key == table.current_key()), None)
    if current is None:
        st.rerun()
    reading = table.open_item(current)
    if (
        any(item.is_pending for item in items) != was_pending
        or (reading.reading.inspection.inspection_id if reading else None) != drawn_for
        or state.reading_state().wants_dialog()
    ):
        st.rerun()
    model = current.version or model
    table.remember_in_address(current, model)
    data = viewer_data(
        items,
        current,
        radiograph=table.radiograph_of(current),
        model=model,
        threshold=table.threshold_for(model),
        reading=table.reading_of(current, reading) if reading else None,
        remark=state.inspection_state().remark,
    )
    radiograph_viewer(
        data,
        key=state.VIEWER_KEY,
        on_open=table.open_event,
        on_remove=table.remove_event,
        on_cancel=table.cancel_event,
        on_threshold=table.threshold_event,
        on_scale=reading_events.scale_event,
        on_reading=reading_events.save_event,
        on_decision=reading_events.decide_event,
        on_sign=reading_events.sign_event,
        on_revise=reading_events.revise_event,
    )


require_page("")
draw()
