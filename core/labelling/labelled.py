"""Labelled images between the formats: what all of them have in common."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.domain.indication import IndicationClass

#: Every class, in the order of its number in files that we write.
CLASS_NAMES = tuple(one.value for one in IndicationClass)
#: Label Studio puts 8 hex digits and a dash before the name of an upload; so do we where two names meet.
UPLOAD = re.compile(r"^(?P<hash>[0-9a-f]{8})[-_](?P<name>.+)$", re.DOTALL)


#: Names under which files say more of a box than its class.
FINER = ("iso6520", "kind", "own_class")


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """One box.

    Attributes:
        bbox: x1, y1, x2, y2 in px, float, origin at the outer corner of the first pixel.
        label: as the file names the class.
        iso6520: a finer code, None where the file says none.
        kind: id of a kind that has no ISO 6520-1 number, None where the file says none.
        polygon: corners x, y around the imperfection, whose bounds the box is; empty for a box alone. A
            rotated box is a polygon of four corners.
        own_class: code of a class that an admin added, None where the file says none.
    """

    bbox: tuple[float, float, float, float]
    label: str
    iso6520: str | None = None
    kind: str | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    own_class: str | None = None

    @property
    def finer(self) -> dict[str, str]:
        """What files say beside the class, by the name under which they do."""
        told = {"iso6520": self.iso6520, "kind": self.kind, "own_class": self.own_class}
        return {name: value for name, value in told.items() if value is not None}


def labelled_box(
    bbox: tuple[float, float, float, float],
    label: str,
    told: Callable[[str], object],
    polygon: tuple[tuple[float, float], ...] = (),
) -> LabelledBox:
    """A box with what a file says beside its class.

    Args:
        bbox: x1, y1, x2, y2 px.
        label: the class.
        told: gives what the file says under a name, None or nothing where it says nothing.
        polygon: corners, px.
    """
    code, kind, own = (str(value) if (value := told(name)) else None for name in FINER)
    return LabelledBox(bbox, label, code, kind, polygon, own)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image with all its boxes.

    Attributes:
        file_name: as the file names it.
        sha256: of the original bytes, None where the file does not say.
    """

    file_name: str
    width: int
    height: int
    boxes: tuple[LabelledBox, ...]
    sha256: str | None = None


def within(
    bbox: tuple[float, float, float, float], width: int, height: int
) -> tuple[float, float, float, float]:
    """The part of the box within the image; other tools let boxes reach over the edge."""
    x1, y1, x2, y2 = bbox
    return max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2)


def file_names(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A file name for each digest, from its image's name: names whose stem another one bears get a prefix.

    Args:
        names: digest and name of each image.
    """
    given: dict[str, str] = {}
    stems: set[str] = set()
    for sha256, name in names:
        safe = name.replace("/", "_").replace("\\", "_").lstrip(".") or "unnamed"
        stem = safe.rsplit(".", 1)[0].casefold()
        if stem in stems or UPLOAD.match(safe):
            safe = f"{sha256[:8]}-{safe}"
        stems.add(safe.rsplit(".", 1)[0].casefold())
        given[sha256] = safe
    return given
