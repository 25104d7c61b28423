"""A grid of small pictures with boxes on them: a click or Enter opens the place."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass

from app.shared.components.scripts import component
from core.imaging.display import Rectangle


@dataclass(frozen=True, slots=True)
class GalleryBox:
    """A box on a picture: its place, how it is drawn (recorded, first, second)."""

    box: tuple[float, float, float, float]
    kind: str


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One picture.

    Attributes:
        key: is reported when it is opened.
        picture: its address.
        rectangle: the part of the image that it shows, px.
        boxes: on it, px of the image.
        caption: below it, a line or several.
        more: the last line.
    """

    key: str
    picture: str
    rectangle: Rectangle
    boxes: tuple[GalleryBox, ...]
    caption: str
    more: str


def box_gallery(
    items: Sequence[GalleryItem],
    *,
    key: str,
    on_open: Callable[[], None],
    chosen: str | None = None,
    label: str = "",
    is_narrow: bool = False,
    ticked: Collection[str] | None = None,
    on_tick: Callable[[], None] = lambda: None,
    above_px: int = 250,
) -> None:
    """Draw the pictures.

    Args:
        items: in order.
        key: widget key.
        on_open: the visitor opened one; its key is the event `open`.
        chosen: key of the one that is open.
        label: name of the gallery for screen readers.
        is_narrow: one column beside something larger.
        ticked: keys of the pictures that bear a tick; None shows nothing to tick.
        on_tick: the visitor turned a tick; the key of its picture is the event `tick`.
        above_px: of the page above and below it, so that it ends with the window.
    """
    data = {
        "items": [asdict(item) for item in items],
        "chosen": chosen,
        "label": label,
        "narrow": is_narrow,
        "above": above_px,
        "ticked": None if ticked is None else sorted(ticked),
    }
    component("box_gallery")(data=data, key=key, on_open_change=on_open, on_tick_change=on_tick)
