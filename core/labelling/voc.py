"""Pascal VOC annotation files: one XML file an image.

VOC counts pixels from 1 and names the first and the last one in the box: a box that covers the pixels 0 to 9
(our x1 = 0, x2 = 10) has xmin = 1 and xmax = 10. So xmin = x1 + 1, ymin = y1 + 1, xmax = x2, ymax = y2;
fractions are kept as exact decimals, so that the round trip gives back the same float. Some tools write our
numbers without the offset: read those with `origin=0`. Some write `<polygon>` with corners x1, y1, x2, y2 ...
"""

import math
from decimal import Context, Decimal, InvalidOperation
from xml.etree import ElementTree

from core.domain.errors import DatasetError
from core.labelling.entries import LabelEntry
from core.labelling.labelled import LabelledBox, LabelledImage, labelled_box
from core.labelling.outlines import bounds

#: Enough digits for any float plus one, exactly.
_EXACT = Context(prec=1200)
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def voc_xml(image: LabelledImage, *, depth: int = 1) -> str:
    """The annotation file of an image; `depth` is its number of channels."""
    root = ElementTree.Element("annotation")
    _add(root, "filename", image.file_name)
    size = ElementTree.SubElement(root, "size")
    for name, value in (("width", image.width), ("height", image.height), ("depth", depth)):
        _add(size, name, str(value))
    if image.sha256 is not None:
        _add(root, "sha256", image.sha256)
    _add(root, "segmented", "0")
    for box in image.boxes:
        one = ElementTree.SubElement(root, "object")
        _add(one, "name", box.label)
        for name, told in box.finer.items():
            _add(one, name, told)
        for name in ("truncated", "difficult"):
            _add(one, name, "0")
        corners = ElementTree.SubElement(one, "bndbox")
        for name, edge, offset in zip(_CORNERS, box.bbox, (1, 1, 0, 0), strict=True):
            _add(corners, name, _decimal(_EXACT.add(Decimal(edge), Decimal(offset))))
        if box.polygon:
            outline = ElementTree.SubElement(one, "polygon")
            for number, corner in enumerate(box.polygon, 1):
                for axis, place in zip("xy", corner, strict=True):
                    _add(outline, f"{axis}{number}", _decimal(_EXACT.add(Decimal(place), Decimal(1))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def entry_of_voc(root: ElementTree.Element, where: str, *, origin: int = 1) -> LabelEntry:
    """What an annotation file says of its image; objects with a polygon alone become the box around it.

    Args:
        root: `<annotation>`.
        where: names the file, for messages.
        origin: number of the first pixel, 1 as VOC says or 0.

    Raises:
        DatasetError: it is no annotation file of an image.
    """
    if root.tag != "annotation":
        raise DatasetError(f"{where}: expected <annotation>, got <{root.tag[:40]}>")
    name = (root.findtext("filename") or "").strip()
    if not name:
        raise DatasetError(f"{where}: <filename> is missing")
    size = _size(root.find("size"))
    boxes, refused, notes = [], [], []
    for number, one in enumerate(root.iter("object"), 1):
        try:
            box = _box(one, origin)
        except ValueError as error:
            refused.append(f"object {number} {error}")
            continue
        boxes.append(box)
        if box.polygon and one.find("bndbox") is None:
            notes.append(f"object {number}: the box is taken around its outline")
        elif one.find("polygon") is not None and not box.polygon:
            notes.append(
                f"object {number}: its outline is broken or lies elsewhere than its box, the box is taken"
            )
        if (one.findtext("difficult") or "0").strip() not in ("0", ""):
            notes.append(f"object {number} is marked difficult, and taken as any other")
    problem = "" if size else "the file does not say its width and height, so its boxes cannot be placed"
    digest = root.findtext("sha256")
    return LabelEntry(
        name, where, tuple(boxes), size, digest or None, tuple(refused), tuple(notes), problem=problem
    )


def _size(size: ElementTree.Element | None) -> tuple[int, int] | None:
    try:
        width, height = (float((size.findtext(name) if size is not None else None) or "") for name in
                         ("width", "height"))  # fmt: skip
    except ValueError:
        return None
    is_whole = width == width // 1 >= 1 and height == height // 1 >= 1
    return (int(width), int(height)) if is_whole else None


def _box(one: ElementTree.Element, origin: int) -> LabelledBox:
    """The box of an object.

    Raises:
        ValueError: it is not understood.
    """
    label = (one.findtext("name") or "").strip()
    if not label:
        raise ValueError("has no name")
    polygon = _polygon(one.find("polygon"), origin)
    corners = one.find("bndbox")
    if corners is None and not polygon:
        raise ValueError("has no <bndbox>")
    box = bounds(polygon) if corners is None else _corners(corners, origin)
    if not (box[2] > box[0] and box[3] > box[1]):
        raise ValueError(f"has no area, or its corners are swapped: {' '.join(f'{v:g}' for v in box)}")
    if polygon and max(abs(a - b) for a, b in zip(bounds(polygon), box, strict=True)) > 1:
        polygon = ()
    return labelled_box(box, label, one.findtext, polygon)


def _corners(corners: ElementTree.Element, origin: int) -> tuple[float, float, float, float]:
    values = []
    for name, offset in zip(_CORNERS, (1, 1, 0, 0), strict=True):
        told = corners.findtext(name)
        if told is None:
            raise ValueError(f"has no <{name}>")
        values.append(_number(told, offset * origin, name))
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2


def _polygon(polygon: ElementTree.Element | None, origin: int) -> tuple[tuple[float, float], ...]:
    """Corners as tools write them: `<x1><y1><x2><y2>...`, points of pixels counted from `origin`."""
    if polygon is None:
        return ()
    found: list[tuple[float, float]] = []
    while (x := polygon.findtext(f"x{len(found) + 1}")) and (y := polygon.findtext(f"y{len(found) + 1}")):
        found.append((_number(x, origin, "x"), _number(y, origin, "y")))
    is_whole = len(found) > 2 and 2 * len(found) == len(polygon)
    return tuple(found) if is_whole else ()


def _number(told: str, offset: int, name: str) -> float:
    try:
        value = float(_EXACT.subtract(Decimal(told.strip()), Decimal(offset)))
    except InvalidOperation:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"has <{name}> {told.strip()[:40]!r}: expected a number with a decimal point")
    return value


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _decimal(value: Decimal) -> str:
    """All digits, without an exponent; a whole number without a point."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
