"""Data: the versions of what models learn from, and what changed between them."""

import streamlit as st

from app.learn.data_versions import data_view as view
from app.learn.data_versions import render as parts
from app.shared.access import require_page
from app.shared.resources import resources


def draw() -> None:
    """The whole page."""
    identity = require_page("data")
    services = resources().services
    parts.draw_bar(identity, services.data.preview(identity, view.chosen_model()))
    parts.draw_current_job()
    versions = services.data.all(identity, view.chosen_model())
    chosen = view.chosen(versions)
    if chosen is None:
        st.html(parts.NOTHING)
        return
    names = services.data.authors(identity, versions)
    table, detail = st.columns([11, 9], gap="small")
    with table:
        parts.draw_table(versions, chosen, names)
    with detail, st.container(border=True, key="data-detail"):
        parts.draw_detail(identity, chosen, versions, names)


draw()
