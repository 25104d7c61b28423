"""Second review: another person's signed inspection, read blind, compared, then signed."""

import streamlit as st

from app.review import render as parts
from app.review import second_review_view as view
from app.shared.access import require_page
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError


def draw() -> None:
    """The whole page."""
    identity = require_page("second-review")
    chosen = st.query_params.get(view.CHOSEN)
    if chosen is None:
        parts.draw_queue(identity)
        return
    try:
        draw_chosen(identity, chosen)
    except WorkbenchError as error:
        st.warning(f"This one cannot be reviewed by you now: {error}.")
        st.button("Back to the queue", key="second_review.back", on_click=view.leave)


def draw_chosen(identity: Identity, inspection_id: str) -> None:
    """One inspection: blind first, side by side once the own result is final."""
    own = view.service().own_review(identity, inspection_id)
    if own.is_final:
        parts.draw_both(identity, view.service().compare(identity, inspection_id))
    else:
        parts.draw_blind(identity, own)


draw()
