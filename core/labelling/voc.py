"""Pascal VOC annotation files: one XML file an image.

VOC counts pixels from 1 and names the first and the last one in the box: a box that covers the pixels 0 to 9
(our x1 = 0, x2 = 10) has xmin = 1 and xmax = 10. So xmin = x1 + 1, ymin = y1 + 1, xmax = x2, ymax = y2;
fractions are kept as exact decimals, so that the round trip gives back the same float. Some tools write our
numbers without the offset: read those with `origin=0`.
"""

from decimal import Context, Decimal, InvalidOperation
from xml.etree import ElementTree
from xml.parsers import expat

from core.domain.errors import DatasetError
from core.labelling.labelled import LabelledBox, LabelledImage, checked_box

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
        if box.iso6520 is not None:
            _add(one, "iso6520", box.iso6520)
        if box.kind is not None:
            _add(one, "kind", box.kind)
        for name in ("truncated", "difficult"):
            _add(one, name, "0")
        corners = ElementTree.SubElement(one, "bndbox")
        for name, edge, offset in zip(_CORNERS, box.bbox, (1, 1, 0, 0), strict=True):
            _add(corners, name, _decimal(_EXACT.add(Decimal(edge), Decimal(offset))))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def image_of_voc(text: str, where: str, *, origin: int = 1) -> LabelledImage:
    """The image in an annotation file.

    Args:
        text: of the file; a document type, which nobody needs here, is refused.
        where: names the file, for messages.
        origin: number of the first pixel, 1 as VOC says or 0.

    Raises:
        DatasetError: it is not understood.
    """
    root = _parsed(text, where)
    size = root.find("size")
    boxes = tuple(_box(one, where, origin) for one in root.iter("object"))
    try:
        width = int(_text(size, "width", where)) if size is not None else 0
        height = int(_text(size, "height", where)) if size is not None else 0
    except ValueError:
        raise DatasetError(f"{where}: expected width and height in px") from None
    digest = root.findtext("sha256")
    return LabelledImage(_text(root, "filename", where), width, height, boxes, digest or None)


def _parsed(text: str, where: str) -> ElementTree.Element:
    def refuse(*_: object) -> None:
        raise DatasetError(f"{where}: a document type is not allowed")

    try:
        guard = expat.ParserCreate()
        guard.StartDoctypeDeclHandler = refuse
        guard.Parse(text, True)
        root = ElementTree.fromstring(text)
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        raise DatasetError(f"{where}: not an annotation file: {error}") from error
    if root.tag != "annotation":
        raise DatasetError(f"{where}: expected <annotation>, got <{root.tag[:40]}>")
    return root


def _box(one: ElementTree.Element, where: str, origin: int) -> LabelledBox:
    corners = one.find("bndbox")
    values = []
    for name, offset in zip(_CORNERS, (1, 1, 0, 0), strict=True):
        told = _text(corners, name, where)
        try:
            values.append(float(_EXACT.subtract(Decimal(told.strip()), Decimal(offset * origin))))
        except InvalidOperation:
            raise DatasetError(f"{where}: {name}: expected a number, got {told[:40]!r}") from None
    code = one.findtext("iso6520")
    kind = one.findtext("kind")
    return LabelledBox(checked_box(values, where), _text(one, "name", where), code or None, kind or None)


def _text(parent: ElementTree.Element | None, name: str, where: str) -> str:
    found = None if parent is None else parent.findtext(name)
    if found is None:
        raise DatasetError(f"{where}: <{name}> is missing")
    return found


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _decimal(value: Decimal) -> str:
    """All digits, without an exponent; a whole number without a point."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
