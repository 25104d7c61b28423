"""Inspect: hand in radiographs, see where the model reports indications, how sure it is, and why."""

import streamlit as st

from app import state, table
from app.components import chooser
from app.components.radiograph_viewer.viewer import radiograph_viewer
from app.inspection_view import viewer_data
from app.resources import resources
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
    has_images = any(item.state != "failed" for item in items)
    with st.container(horizontal=True, key="inspection-bar"):
        chooser.draw_choices()
        if has_images:
            chooser.draw_add_menu()
    if not has_images:
        for item in items:
            st.error(f"{item.entry.name}: {item.entry.message}")
        draw_welcome(model)
        return
    is_pending = any(item.is_pending for item in items)
    st.fragment(draw_viewer, run_every=_POLL_S if is_pending else None)(model, is_pending)


def draw_welcome(model: ModelVersion) -> None:
    """The empty page: drop files or take a sample; what the product does not do, once."""
    st.html(
        '<div class="rk-welcome"><h1>Drop a radiograph, or take a sample</h1>'
        '<p class="rk-muted">The model marks indications with a calibrated probability and shows what '
        "raised it. It reports indications, not defects: nothing is accepted or rejected here, and an empty "
        "result is no proof that nothing is there.</p></div>"
    )
    chooser.draw_uploader()
    st.caption("Samples: simulated weld radiographs, made for this product")
    chooser.draw_sample_tiles()
    st.caption(f"{model.name} v{model.version}: {model.data_notice}")


def draw_viewer(model: ModelVersion, was_pending: bool) -> None:
    """The viewer; polls while something is being read or analysed."""
    items = table.table_items(model)
    current = next((item for item in items if item.entry.key == table.current_key()), None)
    if current is None or any(item.is_pending for item in items) != was_pending:
        st.rerun()
    table.remember_in_address(current, model)
    data = viewer_data(
        items,
        current,
        radiograph=table.radiograph_of(current),
        model=model,
        threshold=table.threshold_for(model),
    )
    radiograph_viewer(
        data,
        key=state.VIEWER_KEY,
        on_open=table.open_event,
        on_remove=table.remove_event,
        on_threshold=table.threshold_event,
    )


draw()
