"""The page of all images in this session: its filter, the pages that were turned, the image to open."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.label.state import WALK, label_state
from app.shared.lists.state import FilterWidgets, TurnedPages
from app.shared.state import reported
from core.store.image_browse import BrowseFilter, LabelState, Place

GALLERY = "images.gallery"
NAME, PART, CLASS, AUTHOR, STATE, VERSION = (
    f"images.{name}" for name in ("name", "part", "class", "author", "state", "version")
)
FILTER = FilterWidgets(
    texts={NAME: "q", PART: "part"},
    choices={CLASS: "class", AUTHOR: "by", STATE: "state", VERSION: "version"},
)


@dataclass
class ImagesState:
    """The page in this session.

    Attributes:
        pages: turned by moment and digest of the image that they begin after.
        opened: digest of the image that is to be labelled next.
        version: number of the data version that is filtered by, and the digests of its images.
    """

    pages: TurnedPages[BrowseFilter, Place] = field(default_factory=lambda: TurnedPages(BrowseFilter()))
    opened: str | None = None
    version: tuple[str, frozenset[str]] | None = None


def images_state() -> ImagesState:
    """The state of the page in this session."""
    state: ImagesState = st.session_state.setdefault("images", ImagesState())
    return state


def prepare_filter(classes: Collection[str], authors: Collection[str], versions: Collection[str]) -> None:
    """Give the widgets their first values from the address."""
    FILTER.prepare({CLASS: classes, AUTHOR: authors, STATE: [*LabelState], VERSION: versions})


def chosen_filter(digests_of: Callable[[str], frozenset[str]]) -> BrowseFilter:
    """The filter in the widgets.

    Args:
        digests_of: the images of a data version by its number; asked once for each.
    """
    return filter_of(FILTER.chosen(), digests_of)


def filter_of(asked: Mapping[str, Any], digests_of: Callable[[str], frozenset[str]]) -> BrowseFilter:
    """The filter in values by widget key; `digests_of` as in `chosen_filter`."""
    state = images_state()
    if not asked[VERSION]:
        state.version = None
    elif state.version is None or state.version[0] != asked[VERSION]:
        state.version = (asked[VERSION], digests_of(asked[VERSION]))
    wanted = BrowseFilter(
        name=str(asked[NAME] or "").strip(),
        part=str(asked[PART] or "").strip(),
        label_class=asked[CLASS],
        author_id=asked[AUTHOR],
        state=LabelState(asked[STATE]) if asked[STATE] else None,
        digests=state.version[1] if state.version else None,
    )
    state.pages.want(wanted)
    return wanted


def open_chosen() -> None:
    """Remember the picture that the visitor chose; only from a callback."""
    if key := reported(GALLERY, "open"):
        images_state().opened = str(key)


def take_opened() -> str | None:
    """The picture that the visitor chose, once."""
    state = images_state()
    opened, state.opened = state.opened, None
    return opened


def walk_from(digests: Collection[str]) -> None:
    """Let the label page go on from one of these images to the next."""
    label_state().trail = tuple(digests)


def walk_words() -> str:
    """The filter in the widgets as one value of an address, for the label page; never empty."""
    return FILTER.words() or "all"


def filter_in_address(digests_of: Callable[[str], frozenset[str]]) -> BrowseFilter | None:
    """The filter of the images that the label page walks along; None where it does not, or knows them.

    A session that is new, as after a reload, does not know them any more.
    """
    told = st.query_params.get(WALK)
    if not told or label_state().trail:
        return None
    try:
        return filter_of(FILTER.read(told), digests_of)
    except ValueError:
        return None
