"""Health: what is wrong now, what serves, and the last day."""

import streamlit as st

from app.admin.health import render
from app.shared.access import require_page
from app.shared.resources import resources

_LOOK_EVERY_S = 30


@st.fragment(run_every=_LOOK_EVERY_S)
def draw() -> None:
    """Draw the page, again and again."""
    identity = require_page("health")
    render.draw(resources().services.overview.overview(identity))


draw()
