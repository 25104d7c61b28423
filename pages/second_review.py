"""Second review: another person's signed inspection, read blind, compared, then signed."""

import streamlit as st

from app.review import render
from app.review.actions import reviews
from app.review.state import chosen_inspection, leave
from app.shared.access import require_page
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError


def draw() -> None:
    """Draw the page."""
    identity = require_page("second-review")
    chosen = chosen_inspection()
    if chosen is None:
        render.draw_queue(identity)
        return
    try:
        draw_chosen(identity, chosen)
    except WorkbenchError as error:
        st.warning(f"This one cannot be reviewed by you now: {error}.")
        st.button("Back to the queue", key="second_review.back", on_click=leave)


def draw_chosen(identity: Identity, inspection_id: str) -> None:
    """One inspection: blind first, side by side once the own result is final."""
    own = reviews().own_review(identity, inspection_id)
    if own.is_final:
        render.draw_both(identity, reviews().compare(identity, inspection_id))
    else:
        render.draw_blind(identity, own)


draw()
