"""Images and their labels as pictures of a gallery."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from app.shared.components.box_gallery.box_gallery import GalleryBox, GalleryItem
from app.shared.moments import minute
from core.services.labels.browsing import ImagePage
from core.store.image_browse import BrowsedImage, LabelState

#: More boxes than this hide the picture below them.
_MOST_BOXES = 60


def gallery_items(page: ImagePage, own_names: Mapping[str, str]) -> list[GalleryItem]:
    """A picture for each image.

    Args:
        page: the images.
        own_names: names of own classes by code.
    """
    return [_item(one, page.names, own_names) for one in page.images]


def _item(image: BrowsedImage, names: Mapping[str, str], own_names: Mapping[str, str]) -> GalleryItem:
    boxes = image.boxes or ()
    return GalleryItem(
        key=image.sha256,
        picture=f"/labels/images/{image.sha256}/thumbnail",
        rectangle=(0, 0, image.width, image.height),
        boxes=tuple(GalleryBox(tuple(box["bbox"]), "recorded") for box in boxes[:_MOST_BOXES]),
        caption=f"{image.name} · {image.part}" if image.part else image.name,
        more=label_words(image, names, own_names),
    )


def _called(box: Mapping[str, Any], own_names: Mapping[str, str]) -> str:
    """The kind where somebody stated one, else the class."""
    own, kind = str(box.get("own_class")), str(box.get("kind") or "")
    return own_names.get(own) or (kind.replace("-", " ") if kind else str(box["class"]))


def label_words(image: BrowsedImage, names: Mapping[str, str], own_names: Mapping[str, str]) -> str:
    """State, classes and author of the newest labels, such as "2 crack, 1 porosity · Ann Oates, 1 Mar"."""
    counts = Counter(_called(box, own_names) for box in image.boxes or ())
    told = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    state = "" if image.state is LabelState.LABELLED else image.state.value
    by = names.get(image.author_id or "", "")
    saved = f"{by}, {minute(image.saved_at)}" if image.saved_at and by else ""
    return " · ".join(filter(None, (state, told, saved)))
