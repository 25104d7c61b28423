"""Draws the parts of the history page around its table."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.history import history_view as view
from app.shared.navigation import page_at
from core.domain.accounts import Identity
from core.domain.indication import IndicationClass
from core.domain.records import InspectionState
from core.services.inspections.history import HistoryChoices, HistoryPage
from core.store.inspection_history import HistoryFilter

_NOT_LIKE_THIS = (
    '<div class="rk-welcome"><h1>No inspection is like this</h1><p class="rk-muted">Take a filter away, or '
    "clear them all to see every inspection.</p></div>"
)
_NOTHING_YET = (
    '<div class="rk-welcome"><h1>Nothing was inspected yet</h1><p class="rk-muted">Every radiograph that is '
    "inspected appears here by itself, with what was found and decided.</p></div>"
)


def draw_filter(offered: HistoryChoices) -> None:
    """What is looked for."""
    view.prepare_filter(offered)
    with st.container(horizontal=True, vertical_alignment="bottom", key="history-bar"):
        st.text_input("Find", key=view.TEXT, placeholder="part, weld number, file name", width=230)
        st.date_input("From (UTC)", key=view.SINCE, value=None, format="YYYY-MM-DD", width=120)
        st.date_input("To, included", key=view.UNTIL, value=None, format="YYYY-MM-DD", width=120)
        _choose("Indication", [one.value for one in IndicationClass], view.CLASS, 160)
        _choose("Disposition", view.DISPOSITIONS, view.DISPOSITION, 130)
        _choose("State", [one.value for one in InspectionState], view.STATE, 130)
        _choose("Model", view.model_names(offered), view.MODEL, 130)
        _choose("Inspector", list(offered.inspectors), view.INSPECTOR, 150, names=offered.inspectors)
        st.button("Clear", on_click=view.clear_filter, key="history.clear", type="tertiary")


def _choose(
    label: str, options: Sequence[str], key: str, width: int, *, names: Mapping[str, str] | None = None
) -> None:
    named = names or {one: one for one in options}
    st.selectbox(label, options, key=key, index=None, placeholder="any", width=width,
                 format_func=named.__getitem__)  # fmt: skip


def draw_pager(page: HistoryPage, page_rows: int) -> None:
    """How many there are, older and newer ones, the export."""
    state = view.history_state()
    with st.container(horizontal=True, vertical_alignment="center", key="history-pager"):
        st.markdown(view.count_words(page, page_rows))
        st.button("Newer", icon=":material/chevron_left:", key="history.newer", type="tertiary",
                  disabled=len(state.pages) == 1, on_click=view.turn_page, args=(None,))  # fmt: skip
        st.button("Older", icon=":material/chevron_right:", key="history.older", type="tertiary",
                  disabled=page.next_place is None, on_click=view.turn_page,
                  args=(page.next_place,))  # fmt: skip
        st.download_button("Export CSV", data=view.export_of(state.wanted), file_name="radikal-history.csv",
                           mime="text/csv", key="history.export", type="tertiary", on_click="ignore",
                           icon=":material/download:", disabled=not page.entries,
                           help=view.export_help(page))  # fmt: skip


def draw_nothing(identity: Identity) -> None:
    """What to do when the list is empty."""
    if view.history_state().wanted != HistoryFilter():
        st.html(_NOT_LIKE_THIS)
        return
    st.html(_NOTHING_YET)
    if identity.role in page_at("").roles:
        st.page_link(page_at("").file, label="Inspect a radiograph", icon=":material/radiology:")
