"""CVAT for images 1.1: one XML file of all images of a task.

Coordinates are px from the outer corner of the first pixel. `rotation` turns a box clockwise about its
middle, in degrees. Boxes, polygons and masks are read; polylines, points, cuboids, skeletons, ellipses and
tags are named and left out. We write boxes and polygons, with `sha256` on an image and, as attributes,
`iso6520`, `kind` and `own_class`, which CVAT keeps where the label declares them.
"""

import math
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from core.domain.errors import DatasetError
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.labelled import CLASS_NAMES, FINER, LabelledBox, LabelledImage, labelled_box
from core.labelling.outlines import Corner, bounds, bounds_of_runs, rotated_box

_EDGES = ("xtl", "ytl", "xbr", "ybr")
#: Beyond the frames of any task: CVAT takes the number for the frame where it does not find the name.
_FIRST_ID = 1_000_000_000
_SHAPES = ("box", "polygon", "mask")


def cvat_chunks(images: Iterable[LabelledImage], *, names: tuple[str, ...] = CLASS_NAMES) -> Iterator[str]:
    """The text of an annotation file, an image at a time.

    Args:
        images: with their boxes.
        names: of the labels that the file declares.
    """
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n'
    yield "    <task>\n      <name>RadiKal labels</name>\n      <mode>annotation</mode>\n      <labels>\n"
    for name in names:
        yield f"        <label><name>{name}</name><attributes>{_ATTRIBUTES}</attributes></label>\n"
    yield "      </labels>\n    </task>\n  </meta>\n"
    for number, image in enumerate(images, _FIRST_ID):
        digest = f' sha256="{image.sha256}"' if image.sha256 else ""
        yield (
            f'  <image id="{number}" name={quoteattr(image.file_name)} width="{image.width}" '
            f'height="{image.height}"{digest}>\n'
        )
        for box in image.boxes:
            yield _shape(box)
        yield "  </image>\n"
    yield "</annotations>\n"


_ATTRIBUTES = "".join(
    f"<attribute><name>{name}</name><mutable>False</mutable><input_type>text</input_type>"
    "<default_value></default_value><values></values></attribute>"
    for name in FINER
)


def _shape(box: LabelledBox) -> str:
    inner = "".join(f'<attribute name="{name}">{value}</attribute>' for name, value in box.finer.items())
    common = f'label={quoteattr(box.label)} source="manual" occluded="0"'
    if box.polygon:
        points = ";".join(f"{x!r},{y!r}" for x, y in box.polygon)
        return f'    <polygon {common} points="{points}" z_order="0">{inner}</polygon>\n'
    edges = " ".join(f'{name}="{value!r}"' for name, value in zip(_EDGES, box.bbox, strict=True))
    return f'    <box {common} {edges} z_order="0">{inner}</box>\n'


def entries_of_cvat(root: ElementTree.Element, name: str) -> LabelFile:
    """What an annotation file says, image by image.

    Args:
        root: `<annotations>`.
        name: of the file, for messages.

    Raises:
        DatasetError: it is no file of images in version 1.1.
    """
    if root.tag != "annotations" or (version := (root.findtext("version") or "").strip()) not in (
        "1.1",
        "1.0",
    ):
        raise DatasetError(f"{name}: expected CVAT for images 1.1, got <{root.tag[:40]}>")
    images = root.findall("image")
    if not images and root.find("track") is not None:
        raise DatasetError(f"{name}: CVAT for video; export the task as CVAT for images {version}")
    refused = tuple(
        f"{name}: track {track.get('id', 'without id')}: tracks of videos cannot be taken"
        for track in root.findall("track")
    )
    return LabelFile(LabelFormat.CVAT, tuple(_entry(image, name) for image in images), refused)


def _entry(image: ElementTree.Element, name: str) -> LabelEntry:
    boxes, refused, notes = [], [], []
    try:
        size = (int(image.get("width", "")), int(image.get("height", "")))
        problem = "" if min(size) > 0 else "the file gives it no size"
    except ValueError:
        size, problem = None, "the file does not say its width and height, so its boxes cannot be placed"
    for number, shape in enumerate(image, 1):
        words = f"{shape.tag} {number}"
        if shape.tag not in _SHAPES:
            refused.append(f"{words}: only boxes, polygons and masks can be taken")
            continue
        try:
            boxes.append(_box(shape))
        except ValueError as error:
            refused.append(f"{words} {error}")
            continue
        if shape.tag == "mask":
            notes.append(f"{words}: the box is taken around its mask")
    return LabelEntry(
        image.get("name", ""),
        f"image {image.get('id', 'without id')} of {name}",
        tuple(boxes),
        size,
        image.get("sha256"),
        tuple(refused),
        tuple(notes),
        problem if image.get("name") else "the file does not say its name",
    )


def _box(shape: ElementTree.Element) -> LabelledBox:
    """The box of a shape.

    Raises:
        ValueError: it is not understood.
    """
    label = (shape.get("label") or "").strip()
    if not label:
        raise ValueError("has no label")
    told = {one.get("name"): (one.text or "").strip() for one in shape.findall("attribute")}
    polygon: tuple[Corner, ...] = ()
    if shape.tag == "polygon":
        polygon = tuple(_pair(point) for point in shape.get("points", "").split(";"))
        if len(polygon) < 3:
            raise ValueError("has fewer than three corners")
        box = bounds(polygon)
    elif shape.tag == "mask":
        box = _around_mask(shape)
    else:
        x1, y1, x2, y2 = (_number(shape.get(edge)) for edge in _EDGES)
        box = (x1, y1, x2, y2)
        if turned := _number(shape.get("rotation", "0")) % 360:
            polygon = rotated_box(box, turned)
            box = bounds(polygon)
    if not (box[2] > box[0] and box[3] > box[1]):
        raise ValueError(f"has no area: {' '.join(f'{value:g}' for value in box)}")
    return labelled_box(box, label, told.get, polygon)


def _around_mask(shape: ElementTree.Element) -> tuple[float, float, float, float]:
    """The box around the pixels of a mask, whose runs go along the rows of its own frame."""
    left, top, width, height = (int(_number(shape.get(name))) for name in ("left", "top", "width", "height"))
    try:
        runs = [int(run) for run in shape.get("rle", "").split(",")]
    except ValueError:
        raise ValueError("has no run lengths") from None
    found = bounds_of_runs(runs, first=max(1, width), n_pixels=width * height)
    if found is None:
        raise ValueError("is an empty mask")
    y1, x1, y2, x2 = found
    return left + x1, top + y1, left + x2, top + y2


def _pair(point: str) -> Corner:
    x, _, y = point.partition(",")
    return _number(x), _number(y)


def _number(told: str | None) -> float:
    try:
        value = float(told or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"has a coordinate that is no number: {told!r:.40}")
    return value
