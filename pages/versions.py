"""Versions: every model version, its measurements, the ones that serve, and what may serve next."""

import streamlit as st

from app.models.versions import render, state
from app.shared.access import require_page
from app.shared.resources import resources
from app.shared.state import chosen_model
from core.domain.kinds import MODEL_NAMES


def draw() -> None:
    """Draw the page."""
    identity = require_page("versions")
    service = resources().services.versions
    registered = service.models(identity)
    if chosen_model() not in registered:
        render.draw_nothing()
        return
    versions = service.all(identity, chosen_model())
    chosen = state.chosen(versions)
    render.draw_bar(identity, [name for name in MODEL_NAMES if name in registered], versions)
    render.draw_notices(identity)
    table, detail = st.columns([11, 9], gap="small")
    with table:
        render.draw_table(state.found(versions), chosen)
    if chosen is not None:
        with detail, st.container(height=742, border=True, key="versions-detail"):
            render.draw_detail(identity, chosen, versions)


draw()
