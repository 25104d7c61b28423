"""A grid of small pictures with boxes on them: a click or Enter opens the place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.imaging.crop import Rectangle

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class GalleryBox:
    """A box on a picture: its place, how it is drawn (truth, first, second)."""

    box: tuple[float, float, float, float]
    kind: str


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One picture.

    Attributes:
        key: what is reported when it is opened.
        picture: its address.
        rectangle: what of the image it shows, px.
        boxes: on it.
        caption, more: two lines below.
    """

    key: str
    picture: str
    rectangle: Rectangle
    boxes: tuple[GalleryBox, ...]
    caption: str
    more: str


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "radikal_box_gallery",
        html='<div class="gallery" role="listbox" tabindex="-1"></div>',
        css=(_FOLDER / "box_gallery.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "box_gallery.js").read_text(encoding="utf-8"),
    )


def box_gallery(
    items: Sequence[GalleryItem],
    *,
    key: str,
    on_open: Callable[[], None],
    chosen: str | None = None,
    label: str = "",
    is_narrow: bool = False,
) -> None:
    """Draw the pictures.

    Args:
        items: in order.
        key: widget key.
        on_open: the visitor opened one; its key is the event `open`.
        chosen: key of the one that is open.
        label: what they are, for screen readers.
        is_narrow: one column beside something larger.
    """
    data = gallery_data(items, chosen=chosen, label=label, is_narrow=is_narrow)
    _component()(data=data, key=key, on_open_change=on_open)


def gallery_data(
    items: Sequence[GalleryItem], *, chosen: str | None, label: str, is_narrow: bool
) -> Mapping[str, Any]:
    """What the browser is told; boxes as percent of the picture."""
    return {
        "items": [
            {
                "key": one.key,
                "picture": one.picture,
                "shape": _shape(one.rectangle),
                "boxes": [[*_percent(box.box, one.rectangle), box.kind] for box in one.boxes],
                "caption": one.caption,
                "more": one.more,
            }
            for one in items
        ],
        "chosen": chosen,
        "label": label,
        "narrow": is_narrow,
    }


def _shape(rectangle: Rectangle) -> float:
    return (rectangle[2] - rectangle[0]) / max(1, rectangle[3] - rectangle[1])


def _percent(box: tuple[float, float, float, float], rectangle: Rectangle) -> tuple[float, ...]:
    left, top, right, bottom = rectangle
    width, height = max(1, right - left), max(1, bottom - top)
    return (
        round(100 * (box[0] - left) / width, 2),
        round(100 * (box[1] - top) / height, 2),
        round(100 * (box[2] - box[0]) / width, 2),
        round(100 * (box[3] - box[1]) / height, 2),
    )
