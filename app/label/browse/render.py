"""Draws the page of all images."""

from collections.abc import Mapping, Sequence

import streamlit as st

from app.label.browse import state
from app.label.browse.rows import gallery_items
from app.label.queue.render import draw_files
from app.shared.components.box_gallery.box_gallery import box_gallery
from app.shared.lists.render import draw_turns
from app.shared.templates import draw_welcome
from core.domain.indication import IndicationClass
from core.domain.own_classes import OwnClass
from core.services.labels.browsing import ImagePage
from core.store.data_versions import DataVersion
from core.store.image_browse import BrowseFilter, LabelState

PAGE_IMAGES = 60


def draw_filter(own: Sequence[OwnClass], authors: Mapping[str, str], versions: Sequence[DataVersion]) -> None:
    """The widgets of the filter."""
    classes = {one.value: one.value for one in IndicationClass} | {one.code: one.name for one in own}
    made = {str(one.number): f"{one.number} ({one.model_name})" for one in versions}
    state.prepare_filter(classes, authors, made)

    def choose(label: str, key: str, names: Mapping[str, str], width: int) -> None:
        st.selectbox(label, list(names), key=key, index=None, placeholder="any", width=width,
                     format_func=names.__getitem__)  # fmt: skip

    with st.container(horizontal=True, vertical_alignment="bottom", key="images-bar"):
        st.text_input("Find", key=state.NAME, placeholder="image name", width=190)
        st.text_input("Part", key=state.PART, placeholder="of its inspection", width=170)
        choose("Class", state.CLASS, classes, 170)
        choose("Labelled by", state.AUTHOR, authors, 170)
        choose("State", state.STATE, {one.value: one.value for one in LabelState}, 170)
        if versions:
            choose("Data version", state.VERSION, made, 140)
        st.button("Clear", on_click=state.FILTER.clear, key="images.clear", type="tertiary")
        draw_files()


def draw_pager(page: ImagePage) -> None:
    """The range of images on show, the number found, the page before and after."""
    pages = state.images_state().pages
    with st.container(horizontal=True, vertical_alignment="center", key="images-pager"):
        n_shown = len(page.images)
        found = f"{page.n_found:,} image{'' if page.n_found == 1 else 's'}"
        st.markdown(f"{pages.range_words(n_shown, PAGE_IMAGES)} of {found}" if n_shown else "none")
        draw_turns(pages, page.next_place, key="images")


def draw_images(page: ImagePage, own: Sequence[OwnClass]) -> None:
    """The pictures, or what an empty page means."""
    if not page.images:
        if state.images_state().pages.wanted == BrowseFilter():
            draw_welcome("No image yet", "Radiographs that are inspected or imported appear here.")
        else:
            draw_welcome("No image is like this", "Take a filter away, or clear them all.")
        return
    items = gallery_items(page, {one.code: one.name for one in own})
    box_gallery(items, key=state.GALLERY, on_open=state.open_chosen, label="Images, the newest first")
