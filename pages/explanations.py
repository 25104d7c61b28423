"""Explain: why the model reported one box, by every method, and how far to believe each."""

from app.explain import render, state
from app.explain.versions import draw_versions
from app.shared.access import require_page


def draw() -> None:
    """The whole page."""
    identity = require_page("explanations")
    if (asked := state.asked_place()) is not None:
        draw_versions(identity, asked)
        return
    if not state.asked_inspection():
        render.draw_nothing()
        return
    found = render.reported(identity)
    if found is None:
        return
    render.draw_head(*found)
    render.draw_similar(identity, *found)
    render.draw_methods(*found)
    render.draw_what_if(*found)
    render.draw_report(*found)


draw()
