"""Images: every radiograph with its labels, found by part, class, author, state and data version."""

from functools import partial

import streamlit as st

from app.label.browse import actions, render, state
from app.label.state import WALK
from app.shared.access import require_page
from app.shared.navigation import LABEL_IMAGE, page_at
from app.shared.resources import resources
from core.domain.permissions import Action, may


def draw() -> None:
    """Draw the page."""
    identity = require_page("images")
    workspace = resources().services.workspace_of(identity)
    own = workspace.own_classes.all(identity)
    data = resources().services.data
    versions = data.all(identity) if may(identity.role, Action.DATA_READ) else []
    render.draw_filter(own, workspace.browsing.authors(identity), versions)
    wanted = state.chosen_filter(partial(actions.digests_of, identity))
    if (opened := state.take_opened()) is not None:
        actions.walk(identity, wanted)
        st.switch_page(page_at("label").file, query_params={LABEL_IMAGE: opened, WALK: state.walk_words()})
    place = state.images_state().pages.place
    page = workspace.browsing.page(identity, wanted, limit=render.PAGE_IMAGES, before=place)
    render.draw_pager(page)
    render.draw_images(page, own)


draw()
