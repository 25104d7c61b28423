"""Draws the import of labels: the file, what its classes mean, what each image would get, and the button."""

import streamlit as st

from app.label.importing import actions, state
from app.label.importing.rows import COLUMNS, MOST_ROWS, counts_words, rows, targets
from app.shared.components.record_table.record_table import record_table
from app.shared.navigation import page_at
from app.shared.templates import draw_welcome
from core.domain.accounts import Identity
from core.labelling.entries import LabelFormat
from core.labelling.import_plan import ImportPlan

_MOST_LINES = 8
_WAY_IN, _WAY_IN_ICON = "Import labels", ":material/upload_file:"
_EXPLAINED = (
    "A ZIP file, or one file of COCO, CVAT, Label Studio, LabelMe or Datumaro. YOLO and Pascal VOC come as "
    "ZIP. Images beside the labels come in, too; that makes no inspection. You see first what would happen."
)


def draw_link() -> None:
    """The way to the import from another page than that of labels."""
    st.page_link(page_at("label").file, label=_WAY_IN, icon=_WAY_IN_ICON, query_params={state.IMPORT: "1"})


def draw_way_in() -> None:
    """The way to the import on the page of labels.

    A link of a page to itself does not change the address, so the next run would draw the labels again.
    """
    st.button(_WAY_IN, icon=_WAY_IN_ICON, key="label_import.show", type="tertiary", on_click=state.show)


def draw_import(identity: Identity) -> None:
    """The page while the address asks for the import."""
    remembered = state.import_state()
    with st.container(horizontal=True, vertical_alignment="center", key="label-import-bar"):
        st.button(
            "Label",
            icon=":material/arrow_back:",
            key="label_import.leave",
            type="tertiary",
            on_click=state.leave,
        )
        st.markdown("**Import labels**" + (f" · {remembered.file.name}" if remembered.file else ""))
        if remembered.file is not None:
            st.button(
                "Choose another file", key="label_import.forget", type="tertiary", on_click=actions.forget
            )
    if remembered.done:
        with st.container(horizontal=True, vertical_alignment="center", key="label-import-done"):
            st.success(remembered.done)
            if identity.role in page_at("images").roles:
                st.page_link(page_at("images").file, label="Look at all images", icon=":material/grid_view:")
    if remembered.file is None:
        draw_welcome("Take over labels of another tool", _EXPLAINED)
        st.file_uploader("File with labels", key=state.chooser_key(), on_change=actions.choose)
        return
    _draw_options()
    with st.spinner("Reading the labels"):
        plan = actions.plan_on_show(identity)
    if plan is None:
        st.error(f"{remembered.problem}. Nothing was stored.")
        return
    _draw_plan(plan, identity)


def _draw_options() -> None:
    state.prepare_options()
    with st.container(horizontal=True, vertical_alignment="bottom", key="label-import-options"):
        st.selectbox("Written as", list(LabelFormat), key=state.FORMAT, index=None, width=220,
                     placeholder="told from the content",
                     format_func=lambda one: LabelFormat(one).words)  # fmt: skip
        st.checkbox("Bring in images that lie beside the labels", key=state.IMAGES)
        st.checkbox("Leave out images without a box", key=state.EMPTY)
        st.checkbox("VOC counts pixels from 0", key=state.ORIGIN)


def _draw_plan(plan: ImportPlan, identity: Identity) -> None:
    _draw_classes(plan, identity)
    with st.container(horizontal=True, vertical_alignment="center", key="label-import-go"):
        st.markdown(counts_words(plan))
        st.button("Import", key="label_import.go", type="primary", on_click=actions.run_import,
                  disabled=bool(plan.open_classes) or plan.is_empty)  # fmt: skip
    if plan.is_empty:
        st.warning("Nothing of this file can be taken; nothing was stored. The remarks say why.")
    lines = [*plan.notes, *(f"Not taken: {line}" for line in plan.refused)]
    for line in lines[:_MOST_LINES]:
        st.caption(line)
    if len(lines) > _MOST_LINES:
        st.caption(f"and {len(lines) - _MOST_LINES} more lines like these")
    record_table(COLUMNS, rows(plan), key="label_import.table", on_open=lambda: None,
                 label="What each image would get, those left out first", below_px=330)  # fmt: skip
    if len(plan.images) > MOST_ROWS:
        st.caption(f"{MOST_ROWS} of {len(plan.images):,} images are listed, those that need a look first")


def _draw_classes(plan: ImportPlan, identity: Identity) -> None:
    """What the classes of the file mean; those that are not known here have to be chosen."""
    offered = targets(actions.own_classes(identity))
    if plan.open_classes:
        st.warning(
            "Say what the classes marked with ? mean here, or leave their boxes out. Until then nothing can "
            "be imported."
        )
    with st.container(horizontal=True, vertical_alignment="bottom", key="label-import-classes"):
        for one in plan.classes:
            known = one.target.words if one.target else "choose"
            st.selectbox(
                f"{one.name}{' ?' if one.is_open else ''} · {one.n_boxes:,}",
                list(offered),
                key=state.map_key(one.name),
                index=None,
                placeholder=known,
                format_func=offered.__getitem__,
                on_change=actions.say_class,
                args=(one.name,),
                width=210,
            )
