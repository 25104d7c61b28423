"""Matching the images of a label file with stored ones, and placing its boxes on them."""

from dataclasses import dataclass

from core.domain.correction import Origin
from core.domain.errors import DatasetError
from core.domain.kinds import WORD_KINDS, is_imperfection
from core.domain.labels import Label
from core.labelling.labelled import (
    LabelledBox,
    class_of_label,
    code_of_label,
    kind_of_label,
    possible_names,
    within,
)
from core.labelling.yolo import boxes_of_yolo
from core.store.images import StoredImage
from core.store.unit_of_work import Work


@dataclass(frozen=True, slots=True)
class NamedBoxes:
    """Boxes of one image as a label file states them.

    Attributes:
        name: of the image, as the file says it; without its suffix for YOLO.
        sha256: of the original, None where the file does not say.
        boxes: in px.
        yolo: text of a YOLO label file, which only the size of the image turns into px; None otherwise.
        yolo_names: of the classes.
    """

    name: str
    sha256: str | None
    boxes: tuple[LabelledBox, ...] = ()
    yolo: str | None = None
    yolo_names: tuple[str, ...] = ()


def matched(work: Work, one: NamedBoxes) -> tuple[StoredImage | None, list[Label], list[str]]:
    """The image, its labels, and a line for each thing that was not taken; no image when none is found.

    Raises:
        DatasetError: a YOLO line is not understood.
    """
    found = _found(work, one)
    if len(found) != 1:
        trouble = "no such image is here" if not found else f"{len(found)} images bear this name"
        return None, [], [f"{one.name}: {trouble}"]
    image = found[0]
    boxes = one.boxes
    if one.yolo is not None:
        boxes = boxes_of_yolo(
            one.yolo, names=one.yolo_names, width=image.width, height=image.height, where=one.name
        )
    labels, problems = [], []
    for number, box in enumerate(boxes, 1):
        x1, y1, x2, y2 = bbox = within(box.bbox, image.width, image.height)
        if x2 <= x1 or y2 <= y1:
            problems.append(f"{one.name}: box {number} lies outside of the image")
            continue
        labels.append(_label(number, bbox, box, one.name))
    return image, labels, problems


def _label(number: int, bbox: tuple[float, float, float, float], box: LabelledBox, where: str) -> Label:
    kind = kind_of_label(box)
    if kind is not None and (kind not in WORD_KINDS or not is_imperfection(kind)):
        raise DatasetError(f"{where}: kind: expected an imperfection such as gas-hole, got {kind[:40]!r}")
    found = class_of_label(box.label) if kind is None else WORD_KINDS[kind].indication_class
    code = _code(box, where) if kind is None else None
    return Label(f"h{number}", bbox, found, Origin.IMPORTED, code, kind=kind)


def _code(box: LabelledBox, where: str) -> str | None:
    code = code_of_label(box)
    if code is not None and not (code.isascii() and code.isdigit() and 3 <= len(code) <= 5):
        raise DatasetError(f"{where}: ISO 6520-1 number: expected 3 to 5 digits, got {code[:20]!r}")
    return code


def _found(work: Work, one: NamedBoxes) -> list[StoredImage]:
    if one.sha256 is not None:
        image = work.images.find(one.sha256)
        return [image] if image else []
    for name, start in possible_names(one.name):
        images = work.images.with_stem(name) if one.yolo is not None else work.images.named(name)
        if start is not None and len(images) > 1:  # the hash may be one of ours
            images = [image for image in images if image.sha256.startswith(start)]
        if images:
            return images
    return []
