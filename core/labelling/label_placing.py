"""Turns the boxes of an entry into labels on its image: scaled, cut at the edges, classes mapped."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.domain.correction import Origin
from core.domain.kinds import WORD_KINDS, is_imperfection
from core.domain.labels import MOST_CORNERS, Label, bounds_of
from core.labelling.class_mapping import ClassMapping, ClassTarget
from core.labelling.entries import LabelEntry
from core.labelling.image_matching import KnownImage
from core.labelling.labelled import LabelledBox, within
from core.labelling.yolo import snapped
from core.standards.kinds import class_of, is_number

#: The bounds of a polygon and its box agree within this.
_BOUNDS_AGREE_PX = 0.05


@dataclass(frozen=True, slots=True)
class PlacedLabels:
    """The labels that an entry gives an image.

    Attributes:
        labels: within the image, numbered from 1 as the boxes of the file.
        refused: one line for each box that cannot be taken.
        notes: one line for each thing that was done to the boxes.
    """

    labels: tuple[Label, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]


def place(entry: LabelEntry, image: KnownImage, mapping: ClassMapping) -> PlacedLabels:
    """The labels that an entry gives an image.

    Raises:
        ValueError: the file is of an image of another shape, so that every box would lie elsewhere.
    """
    scale, notes = _scale(entry, image), []
    if scale != (1.0, 1.0) and not entry.is_fraction and entry.size:
        notes.append(f"scaled by {scale[0]:g} from {entry.size[0]}x{entry.size[1]} px")
    labels, refused, n_cut, n_followed = [], list(entry.refused), 0, 0
    seen: dict[Label, int] = {}
    for number, box in enumerate(entry.boxes, 1):
        scaled = _scaled(box, scale, image, is_fraction=entry.is_fraction)
        try:
            label = _label(number, scaled, mapping, image)
        except ValueError as error:
            refused.append(f"box {number} {error}")
            continue
        if (same := seen.setdefault(replace(label, label_id=""), number)) != number:
            notes.append(f"box {number} is the same as box {same}, and taken once")
            continue
        n_cut += (cut := within(scaled.bbox, image.width, image.height)) != scaled.bbox
        n_followed += bool(label.polygon) and label.bbox != cut
        if len(box.polygon) > MOST_CORNERS:
            told = f"its outline of {len(box.polygon)} corners, more than {MOST_CORNERS}, is not kept"
            notes.append(f"box {number}: {told}")
        labels.append(label)
    if n_cut:
        notes.append(f"{n_cut} {'box is' if n_cut == 1 else 'boxes are'} cut at the edge of the image")
    if n_followed:
        notes.append(
            f"{n_followed} {'box is' if n_followed == 1 else 'boxes are'} set to the bounds of the outline"
        )
    return PlacedLabels(tuple(labels), tuple(refused), (*notes, *entry.notes))


def names_itself(box: LabelledBox) -> bool:
    """True where a kind or number beside the class says what the box is, whatever the class is called."""
    return (
        box.kind is not None
        or box.own_class is not None
        or (box.iso6520 is not None and is_number(box.iso6520))
    )


def _scale(entry: LabelEntry, image: KnownImage) -> tuple[float, float]:
    """What coordinates are multiplied by.

    Raises:
        ValueError: the file is of an image of another shape.
    """
    if entry.is_fraction:
        return float(image.width), float(image.height)
    if entry.size is None and not entry.boxes:  # looked at, nothing found: nothing has to be placed
        return 1.0, 1.0
    width, height = entry.size or (0, 0)
    if (width, height) == (image.width, image.height):
        return 1.0, 1.0
    if width < 1 or width * image.height != height * image.width:
        raise ValueError(
            f"the file says {width}x{height} px, the image has {image.width}x{image.height}: "
            "its boxes would lie elsewhere"
        )
    return image.width / width, image.height / height


def _scaled(
    box: LabelledBox, scale: tuple[float, float], image: KnownImage, *, is_fraction: bool
) -> LabelledBox:
    """The box in px of the image."""
    if scale == (1.0, 1.0):
        return box
    sx, sy = scale
    x1, y1, x2, y2 = box.bbox
    bbox = (x1 * sx, y1 * sy, x2 * sx, y2 * sy)
    if is_fraction:
        bbox = snapped(bbox, image.width, image.height)
    return replace(box, bbox=bbox, polygon=tuple((x * sx, y * sy) for x, y in box.polygon))


def _label(number: int, box: LabelledBox, mapping: ClassMapping, image: KnownImage) -> Label:
    """The label that a box becomes.

    Raises:
        ValueError: it cannot become one.
    """
    target = _target(box, mapping)
    bbox = within(box.bbox, image.width, image.height)
    if bbox[2] <= bbox[0] or bbox[3] <= bbox[1]:
        raise ValueError("lies outside of the image")
    if box.bbox[2] <= 1 and box.bbox[3] <= 1:
        raise ValueError("lies within the first pixel: these are fractions, not px")
    polygon = tuple(_inside(corner, image) for corner in box.polygon[:MOST_CORNERS])
    if len(polygon) < len(box.polygon):
        polygon = ()
    if polygon:
        around = bounds_of(polygon)
        if max(abs(a - b) for a, b in zip(around, bbox, strict=True)) > _BOUNDS_AGREE_PX:
            bbox = around
        if bbox[2] <= bbox[0] or bbox[3] <= bbox[1]:
            raise ValueError("lies outside of the image")
    return Label(
        f"h{number}",
        bbox,
        target.indication_class,
        Origin.IMPORTED,
        target.iso6520,
        kind=target.kind,
        polygon=polygon,
        own_class=target.own.code if target.own else None,
    )


def _inside(corner: Sequence[float], image: KnownImage) -> tuple[float, float]:
    x, y = corner
    return min(max(x, 0.0), float(image.width)), min(max(y, 0.0), float(image.height))


def _target(box: LabelledBox, mapping: ClassMapping) -> ClassTarget:
    """What a box is.

    Raises:
        ValueError: nobody said, it is no imperfection, or its code is none.
    """
    if box.own_class is not None:
        own = mapping.own_class(box.own_class)
        if own is None:
            raise ValueError(f"has the own class {box.own_class[:20]!r}, which is not known here")
        target = own
    elif box.kind is not None:
        if box.kind not in WORD_KINDS:
            raise ValueError(f"has the kind {box.kind[:40]!r}, which is not known here")
        target = ClassTarget(WORD_KINDS[box.kind].indication_class, kind=box.kind)
    elif box.iso6520 is not None:
        if not is_number(box.iso6520):
            raise ValueError(f"has the ISO 6520-1 number {box.iso6520[:20]!r}: expected 3 to 5 digits")
        said = mapping.target(box.label)
        target = ClassTarget(said.indication_class if said else class_of(box.iso6520), box.iso6520)
    elif mapping.is_left_out(box.label):
        raise ValueError(f"is of the class {box.label[:40]!r}, which is left out as was asked")
    else:
        known = mapping.target(box.label)
        if known is None:
            raise ValueError(f"has the class {box.label[:40]!r}, which is not known here")
        target = known
    if not is_imperfection(target.kind):
        raise ValueError(f"is a {target.words}, which is no imperfection")
    return target
