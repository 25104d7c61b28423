"""Versions: every model version, what it was measured at, which serves, and what may serve next."""

import streamlit as st

from app.models.versions import render as parts
from app.models.versions import versions_view as view
from app.shared.access import require_page
from app.shared.resources import resources


def draw() -> None:
    """The whole page."""
    identity = require_page("versions")
    service = resources().services.versions
    models = view.model_choices(service.models(identity))
    if view.chosen_model() not in models:
        st.html(
            '<div class="rk-welcome"><h1>No version is registered</h1><p class="rk-muted">Run '
            "<code>radikal setup</code> on the server to register the versions that are shipped, or import "
            "one.</p></div>"
        )
        return
    versions = service.all(identity, view.chosen_model())
    chosen = view.chosen(versions)
    parts.draw_bar(identity, models, versions)
    parts.draw_notices(identity)
    table, detail = st.columns([11, 9], gap="small")
    with table:
        parts.draw_table(view.found(versions), chosen)
    if chosen is not None:
        with detail, st.container(height=742, border=True, key="versions-detail"):
            parts.draw_detail(identity, chosen, versions)


draw()
