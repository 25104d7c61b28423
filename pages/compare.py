"""Compare: which version is better, where, and the boxes behind it."""

import streamlit as st

from app.models.compare import measuring
from app.models.compare import render as parts
from app.models.compare.new_set import draw_new_set
from app.models.compare.one_image import draw_one_image
from app.models.compare.state import Choice, asked_image, compare_said
from app.models.compare.views.render import draw_views
from app.shared.access import require_page
from app.shared.resources import resources
from app.shared.templates import draw_said
from core.domain.accounts import Identity


def draw() -> None:
    """The whole page."""
    identity = require_page("compare")
    if (asked := asked_image()) is not None:
        draw_one_image(identity, asked)
        return
    choice, views = parts.draw_bar(identity)
    with views:
        draw_new_set(identity, choice)
        draw_views(identity)
        draw_said(compare_said())
    is_running = measuring.draw_running(identity, choice)
    if choice.chosen is None:
        if not is_running:
            measuring.draw_first_use(identity, choice)
        return
    if not is_running:
        measuring.draw_missing(identity, choice, choice.chosen)
    draw_measured(identity, choice)


def draw_measured(identity: Identity, choice: Choice) -> None:
    """The versions that were measured on the set, once there are two."""
    assert choice.chosen is not None
    numbers = [number for number in choice.numbers if number in choice.measured]
    if len(numbers) < 2:
        what = (
            "Choose at least two versions."
            if len(choice.numbers) < 2
            else "Two measured versions are needed."
        )
        st.caption(what)
        return
    found = resources().services.evaluations.open(identity, choice.chosen, numbers)
    parts.draw_view(identity, choice, choice.chosen, found)


draw()
