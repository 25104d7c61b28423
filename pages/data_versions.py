"""Data: the versions of what models learn from, and what changed between them."""

import streamlit as st

from app.learn.data_versions import render, state
from app.shared.access import require_page
from app.shared.resources import resources
from app.shared.state import chosen_model


def draw() -> None:
    """Draw the page."""
    identity, model = require_page("data"), chosen_model()
    data = resources().services.data
    render.draw_bar(identity, data.preview(identity, model))
    render.draw_current_job(identity)
    versions = data.all(identity, model)
    chosen = state.chosen(versions)
    if chosen is None:
        render.draw_nothing()
        return
    names = data.authors(identity, versions)
    table, detail = st.columns([11, 9], gap="small")
    with table:
        render.draw_table(versions, chosen, names)
    with detail, st.container(border=True, key="data-detail"):
        render.draw_detail(identity, chosen, versions, names)


draw()
