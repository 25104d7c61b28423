"""Images: every radiograph with its labels, found by part, class, author, state and data version."""

import streamlit as st

from app.label.browse import render, state
from app.shared.access import require_page
from app.shared.navigation import LABEL_IMAGE, page_at
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.permissions import Action, may

_MOST_WALKED = 5_000


def draw() -> None:
    """Draw the page."""
    identity = require_page("images")
    workspace = resources().services.workspace_of(identity)
    own = workspace.own_classes.all(identity)
    data = resources().services.data
    versions = data.all(identity) if may(identity.role, Action.DATA_READ) else []
    render.draw_filter(own, workspace.browsing.authors(identity), versions)
    wanted = state.chosen_filter(lambda number: digests_of(identity, int(number)))
    if (opened := state.take_opened()) is not None:
        state.walk_from(workspace.browsing.digests(identity, wanted, limit=_MOST_WALKED))
        st.switch_page(page_at("label").file, query_params={LABEL_IMAGE: opened})
    place = state.images_state().pages.place
    page = workspace.browsing.page(identity, wanted, limit=render.PAGE_IMAGES, before=place)
    render.draw_pager(page)
    render.draw_images(page, own)


def digests_of(identity: Identity, number: int) -> frozenset[str]:
    """The images of a data version."""
    data = resources().services.data
    manifest = data.manifest(identity, data.numbered(identity, number))
    return frozenset(image.sha256 for image in manifest.images)


draw()
