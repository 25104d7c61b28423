"""Labelled images between the formats: what COCO, YOLO and Pascal VOC have in common."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from core.domain.errors import DatasetError
from core.domain.indication import IndicationClass
from core.domain.kinds import WORD_KINDS
from core.standards.kinds import class_of, is_number

#: Every class, in the order of its number in files that we write.
CLASS_NAMES = tuple(one.value for one in IndicationClass)
#: Label Studio puts 8 hex digits and a dash before the name of an upload; so do we where two names meet.
_UPLOAD = re.compile(r"^(?P<hash>[0-9a-f]{8})[-_](?P<name>.+)$", re.DOTALL)


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
    """

    bbox: tuple[float, float, float, float]
    label: str
    iso6520: str | None = None
    kind: str | None = None
    polygon: tuple[tuple[float, float], ...] = ()


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


def class_of_label(label: str) -> IndicationClass:
    """The class that a name, a kind or an ISO 6520-1 number stands for, else UNCLASSIFIED."""
    words = " ".join(label.replace("_", " ").replace("-", " ").casefold().split())
    if words in CLASS_NAMES:
        return IndicationClass(words)
    if (kind := _kind_named(words)) is not None:
        return class_of(kind)
    return class_of(words) if is_number(words) else IndicationClass.UNCLASSIFIED


def code_of_label(box: LabelledBox) -> str | None:
    """The finer code of a box: its own, else the one that stands in place of a class name."""
    return box.iso6520 or (box.label if is_number(box.label) else None)


def kind_of_label(box: LabelledBox) -> str | None:
    """The kind without a number of a box: its own, else the one that stands in place of a class name."""
    words = " ".join(box.label.replace("_", " ").replace("-", " ").casefold().split())
    return box.kind or (None if words in CLASS_NAMES or code_of_label(box) else _kind_named(words))


def _kind_named(words: str) -> str | None:
    kind_id = words.replace(" ", "-")
    return kind_id if kind_id in WORD_KINDS else None


def possible_names(file_name: str) -> Iterator[tuple[str, str | None]]:
    """Possible names of the image here, likeliest first, with the start of its digest where it has one.

    CVAT writes paths below a task, Label Studio paths of its uploads with a hash before the name, or URLs.
    """
    decoded = unquote(file_name).replace("\\", "/").split("?", 1)[0]
    seen = set()
    for name in (file_name, decoded, decoded.rsplit("/", 1)[-1]):
        if name not in seen:
            seen.add(name)
            yield name, None
    last = decoded.rsplit("/", 1)[-1]
    if found := _UPLOAD.match(last):
        yield found["name"], found["hash"]


def checked_box(values: Sequence[float], where: str) -> tuple[float, float, float, float]:
    """The corners as floats.

    Raises:
        DatasetError: they are not four finite numbers, left top before right bottom.
    """
    try:
        x1, y1, x2, y2 = (float(value) for value in values)
    except (TypeError, ValueError):
        raise DatasetError(f"{where}: expected four numbers, got {values!r:.80}") from None
    if not all(map(math.isfinite, (x1, y1, x2, y2))) or x2 <= x1 or y2 <= y1:
        raise DatasetError(f"{where}: expected a box with an area, got {x1:g} {y1:g} {x2:g} {y2:g}")
    return x1, y1, x2, y2


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
        if stem in stems or _UPLOAD.match(safe):
            safe = f"{sha256[:8]}-{safe}"
        stems.add(safe.rsplit(".", 1)[0].casefold())
        given[sha256] = safe
    return given
