"""Reads the annotations of a COCO file, for import, evaluation and the check of data alike.

COCO's rules: what is marked `iscrowd` or `ignore` counts neither as found nor as missed. CVAT marks every
mask that somebody drew with its brush as a crowd, and writes `attributes` beside it: that is one object.
A box that is missing is taken from the polygons or the mask. Ids may be numbers or texts, and begin anywhere.
"""

import math
import ntpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.finding import Box, FindingKind
from core.labelling.outlines import Corner, bounds, bounds_of_mask, corners_of, rotated_box

#: Corners that differ more from the box are of another box.
_AGREES_PX = 1e-6
_EXPECTED = "expected images, annotations with bbox [x, y, width, height], and categories"


class Standing(StrEnum):
    """What an annotation is good for."""

    COUNTS = "counts"
    #: Crowds and what is marked to be ignored: neither found nor missed.
    IGNORED = "ignored"
    #: Nothing can be seen there: without an area, or outside of the image.
    NOTHING = "nothing"
    #: It contradicts the file or itself.
    FAULTY = "faulty"


@dataclass(frozen=True, slots=True)
class CocoAnnotation:
    """One annotation.

    Attributes:
        entry: as it stands in the file.
        words: names it, such as "annotation 7".
        image: index of its image in the file, None where the file lists no such image.
        label: its class; empty where the file declares none.
        box: x1, y1, x2, y2 px; None where none can be read.
        polygon: corners, for one polygon or a rotated box; empty otherwise.
        standing: what it is good for.
        fault: why it does not count, one line; empty where it does.
        kind: of the fault.
        note: what was done to it, or is not kept of it; empty where it is taken as it stands.
    """

    entry: Mapping[str, Any]
    words: str
    image: int | None
    label: str
    box: Box | None = None
    polygon: tuple[Corner, ...] = ()
    standing: Standing = Standing.COUNTS
    fault: str = ""
    kind: FindingKind | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CocoContent:
    """The content of a COCO file.

    Attributes:
        images: entries of the images as they stand in the file.
        doubled: indices of those whose id another one bears; no annotation is of them.
        categories: names by id.
        annotations: in file order.
        says_boxes: False where the file has no annotations at all: then it says nothing about any image.
    """

    images: tuple[Mapping[str, Any], ...]
    categories: Mapping[Any, str]
    annotations: tuple[CocoAnnotation, ...]
    says_boxes: bool
    doubled: frozenset[int] = frozenset()


def coco_content(content: Any, name: str) -> CocoContent:
    """The parsed content of a COCO file, read.

    Args:
        content: the file, parsed.
        name: of the file, for messages.

    Raises:
        DatasetError: it is no COCO file: without images or categories, or an image without id or name.
    """
    if isinstance(content, list):
        raise DatasetError(f"{name}: a list of results, not a COCO detection file: {_EXPECTED}")
    try:
        images = tuple(content["images"])
        declared = _by_id((one["id"], str(one["name"])) for one in content["categories"])
        categories = {key: names[0] for key, names in declared.items()}
        listed = _by_id((image["id"], index) for index, image in enumerate(images))
        for image in images:
            str(image["file_name"])
        annotations = content.get("annotations")
        reader = _Reader(images, _with_texts(listed), _with_texts(declared))
        read = tuple(reader.read(entry) for entry in annotations or ())
    except KeyError as error:
        raise DatasetError(f"{name}: not a COCO detection file: {error} is missing; {_EXPECTED}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise DatasetError(f"{name}: not a COCO detection file; {_EXPECTED}") from error
    doubled = frozenset(index for indices in listed.values() if len(indices) > 1 for index in indices)
    return CocoContent(images, categories, read, says_boxes=annotations is not None, doubled=doubled)


def size_of(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height of an image as its entry says, px; None where it does not, or not as whole numbers."""
    try:
        width, height = float(image["width"]), float(image["height"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (math.isfinite(width) and math.isfinite(height)) or min(width, height) < 1:
        return None
    return (int(width), int(height)) if width == int(width) and height == int(height) else None


def plain_path(file_name: str) -> str:
    """The path of an image with slashes, without a drive and without `./` in front."""
    path = ntpath.splitdrive(file_name)[1].replace("\\", "/") if "\\" in file_name else file_name
    while path.startswith("./"):
        path = path[2:]
    return path


def _by_id(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    """What bears each id, each thing once."""
    found: dict[Any, list[Any]] = {}
    for key, value in pairs:
        if value not in found.setdefault(key, []):
            found[key].append(value)
    return found


def _with_texts(known: dict[Any, Any]) -> dict[Any, Any]:
    """Ids also as text, and texts of digits as numbers: some tools mix the two."""
    more: dict[Any, Any] = {str(key): value for key, value in known.items()}
    more |= {int(key): value for key, value in known.items() if isinstance(key, str) and key.isdecimal()}
    return {**more, **known}


class _Reader:
    """Reads annotations against the images and the categories of their file."""

    def __init__(
        self,
        images: Sequence[Mapping[str, Any]],
        indices: Mapping[Any, list[int]],
        names: Mapping[Any, list[str]],
    ) -> None:
        self._images = images
        self._indices = indices
        self._names = names

    def read(self, entry: Mapping[str, Any]) -> CocoAnnotation:
        """The annotation in an entry."""
        words = f"annotation {entry.get('id', 'without id')}"
        found = self._indices.get(_hashable(entry.get("image_id")), [])
        if len(found) != 1:
            why = f"{len(found)} images of the file bear" if found else "the file does not list"
            told = f"names the image {entry.get('image_id')!r}, which {why}"
            return CocoAnnotation(entry, words, None, "", standing=Standing.FAULTY, fault=told,
                                  kind=FindingKind.UNKNOWN_IMAGE)  # fmt: skip
        image, names = found[0], self._names.get(_hashable(entry.get("category_id")), [])
        label = names[0] if len(names) == 1 else ""
        crowd = _is_ignored(entry)
        try:
            box, polygon, note = _extent(entry, size_of(self._images[image]))
        except ValueError as error:
            standing = Standing.IGNORED if crowd else Standing.FAULTY
            return CocoAnnotation(entry, words, image, label, standing=standing, fault=crowd or str(error),
                                  kind=FindingKind.WITHOUT_AREA)  # fmt: skip
        said = CocoAnnotation(entry, words, image, label, box, polygon, note=note)
        if crowd:
            return _changed(said, Standing.IGNORED, crowd, FindingKind.CROWD)
        if not label:
            why = f"the file declares as {' and as '.join(names)}" if names else "the file does not declare"
            told = f"names the class {entry.get('category_id')!r}, which {why}"
            return _changed(said, Standing.FAULTY, told, FindingKind.UNKNOWN_CLASS)
        return self._placed(said, box)

    def _placed(self, said: CocoAnnotation, box: Box | None) -> CocoAnnotation:
        if box is None or box[2] <= box[0] or box[3] <= box[1]:
            told = "has no area" if box is None else f"has no area: {_sides(box)}"
            return _changed(said, Standing.NOTHING, told, FindingKind.WITHOUT_AREA)
        size = size_of(self._images[said.image or 0])
        if size and (box[0] >= size[0] or box[1] >= size[1] or box[2] <= 0 or box[3] <= 0):
            told = f"lies outside of the image of {size[0]}x{size[1]} px"
            return _changed(said, Standing.NOTHING, told, FindingKind.OUTSIDE)
        return said


def _changed(said: CocoAnnotation, standing: Standing, fault: str, kind: FindingKind) -> CocoAnnotation:
    return replace(said, standing=standing, fault=fault, kind=kind)


def _hashable(key: Any) -> Any:
    return key if isinstance(key, str | int | float) else None


def _sides(box: Box) -> str:
    return f"{box[2] - box[0]:g}x{box[3] - box[1]:g} px"


def _is_ignored(entry: Mapping[str, Any]) -> str:
    """Why it counts neither way; empty where it counts."""
    if entry.get("ignore"):
        return "is marked to be ignored"
    is_drawn = isinstance(entry.get("segmentation"), Mapping) and isinstance(entry.get("attributes"), Mapping)
    if entry.get("iscrowd") and not is_drawn:
        return "is a crowd of several, not one object"
    return ""


def _extent(
    entry: Mapping[str, Any], size: tuple[int, int] | None
) -> tuple[Box | None, tuple[Corner, ...], str]:
    """The box, the polygon if there is one, and a note; no box where nothing was marked.

    Raises:
        ValueError: what stands there is no box, no polygon and no mask of an image of this size.
    """
    mask, polygons = entry.get("segmentation"), _polygons(entry.get("segmentation"))
    if entry.get("bbox") in (None, []):
        if isinstance(mask, Mapping):
            return _around_mask(mask, size), (), "the box is taken around its mask"
        if not polygons:
            if "bbox" not in entry or entry["bbox"] is None:
                raise ValueError("has neither a box nor an outline")
            return None, (), ""
        box = bounds(corner for polygon in polygons for corner in polygon)
        return box, _only(polygons), _without_outline(polygons, box) or "the box is taken around its outline"
    box = _box(entry)
    attributes = entry.get("attributes")
    turned = attributes.get("rotation") if isinstance(attributes, Mapping) else None
    if isinstance(turned, int | float) and math.isfinite(turned) and turned % 360:
        corners = rotated_box(box, float(turned))
        return bounds(corners), corners, "its box and rotation are taken, not its outline" if polygons else ""
    lost = "its box is taken, its mask is not kept" if isinstance(mask, Mapping) else ""
    lost = lost or _without_outline(polygons, box)
    pointed = "its key points are not kept" if entry.get("num_keypoints") else ""
    return box, () if lost else _only(polygons), lost or pointed


def _without_outline(polygons: Sequence[tuple[Corner, ...]], box: Box) -> str:
    """Why the outline is not kept; empty where it is, and without one."""
    if len(polygons) > 1:
        return f"the box around the {len(polygons)} parts of its outline is taken, the parts are not kept"
    if polygons and not _only(polygons):
        return "its outline has fewer than three corners, its box is taken"
    if polygons and not _agrees(bounds(polygons[0]), box, 1.0):
        return "its outline lies elsewhere than its box, the box is taken"
    return ""


def _around_mask(mask: Mapping[str, Any], size: tuple[int, int] | None) -> Box | None:
    """The box around a mask.

    Raises:
        ValueError: it is none, or of an image of another size than `size`.
    """
    box = bounds_of_mask(mask)
    height, width = (int(value) for value in mask["size"])
    if size is not None and size != (width, height):
        raise ValueError(f"has a mask of {width}x{height} px, the image has {size[0]}x{size[1]}")
    return box


def _only(polygons: Sequence[tuple[Corner, ...]]) -> tuple[Corner, ...]:
    """The polygon where there is one alone; of several only the box around all is kept."""
    return polygons[0] if len(polygons) == 1 and len(polygons[0]) > 2 else ()


def _polygons(segmentation: Any) -> list[tuple[Corner, ...]]:
    if not isinstance(segmentation, list) or not segmentation:
        return []
    lists = segmentation if isinstance(segmentation[0], list) else [segmentation]
    try:
        return [corners for one in lists if (corners := corners_of(one))]
    except (TypeError, ValueError):
        raise ValueError("has an outline that is no list of corners") from None


def _box(entry: Mapping[str, Any]) -> Box:
    try:
        x, y, w, h = (float(value) for value in entry["bbox"])
    except (TypeError, ValueError):
        x = y = w = h = math.nan
    if not all(map(math.isfinite, (x, y, w, h))) or min(w, h) < 0 or isinstance(entry["bbox"], str):
        raise ValueError(f"has the bbox {entry['bbox']!r}"[:80])
    told = (x, y, x + w, y + h)
    try:
        x1, y1, x2, y2 = (float(value) for value in entry.get("corners") or told)
    except (TypeError, ValueError):
        return told
    return (x1, y1, x2, y2) if _agrees((x1, y1, x2, y2), told, _AGREES_PX) else told


def _agrees(one: Box, other: Box, most: float) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < most
