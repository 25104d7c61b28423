"""The labels of an image: the boxes that are true, whoever drew them first, and what could become one.

Labels are kept as annotations on the track `LABELS`: every box of them counts as true. What a person looked
at and refused is kept on the track `REFUSED`, so that it is not offered again and can teach as a negative.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.correction import FoundBox, Origin
from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.kinds import is_imperfection, word_kind_in
from core.domain.reading import overlap

#: The track of suggestions that were looked at and refused.
REFUSED = "labels-refused"
#: A box at the same place as another one, IoU.
SAME_PLACE_IOU = 0.5
LONGEST_NOTE = 2_000
MOST_CORNERS = 1_000
_LONGEST_ID = 80
#: The bounds of a polygon and its box are rounded apart.
_BOUNDS_AGREE_PX = 0.05
_ISO = re.compile(r"\d{3,5}")


@dataclass(frozen=True, slots=True)
class Label:
    """A box that is true.

    Attributes:
        label_id: unique within the image: `h2` the second that was drawn, else the key of the suggestion that
            was accepted.
        bbox: x1, y1, x2, y2 in px.
        origin: who drew it first.
        iso6520: a finer code than the class has, None when nobody gave one.
        kind: id of a kind that has no ISO 6520-1 number, such as "gas-hole"; in place of `iso6520`.
        probability: of the model's box that was accepted, None otherwise.
        polygon: corners x, y in px, in order around the imperfection; `bbox` is its bounds. Empty for a label
            that is only a box. A rotated box is a polygon of four corners.
        own_class: code of a class that an admin added; in place of `iso6520` and `kind`.
    """

    label_id: str
    bbox: tuple[float, float, float, float]
    indication_class: IndicationClass
    origin: Origin = Origin.ANNOTATOR
    iso6520: str | None = None
    probability: float | None = None
    note: str = ""
    kind: str | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    own_class: str | None = None

    def to_box(self) -> dict[str, Any]:
        """The box of an annotation that stores it; `label_from` reads it back."""
        return {
            "id": self.label_id,
            "bbox": list(self.bbox),
            "class": self.indication_class.value,
            "origin": self.origin.value,
            "iso6520": self.iso6520,
            "probability": self.probability,
            "note": self.note,
            **({"kind": self.kind} if self.kind else {}),
            **({"polygon": [list(corner) for corner in self.polygon]} if self.polygon else {}),
            **({"own_class": self.own_class} if self.own_class else {}),
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A box that may become a label.

    Attributes:
        key: the same as long as it comes from the same model answer or queued finding.
        box: the box itself.
        is_doubted: a person dismissed it; it is accepted one by one only.
    """

    key: str
    box: FoundBox
    is_doubted: bool = False


def label_from(box: Mapping[str, Any]) -> Label:
    """The label in a kept or handed-in box.

    Raises:
        BadInputError: says what was expected.
    """
    try:
        x1, y1, x2, y2 = (float(value) for value in box["bbox"])
        probability = box.get("probability")
        label = Label(
            label_id=str(box["id"]),
            bbox=(x1, y1, x2, y2),
            indication_class=IndicationClass(box["class"]),
            origin=Origin(box.get("origin") or Origin.ANNOTATOR),
            iso6520=str(box["iso6520"]) if box.get("iso6520") else None,
            probability=None if probability is None else float(probability),
            note=str(box.get("note") or ""),
            kind=word_kind_in(box),
            polygon=tuple((float(x), float(y)) for x, y in box.get("polygon") or ()),
            own_class=str(box["own_class"]) if box.get("own_class") else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"not a label: {type(error).__name__} {error}") from None
    _require(label)
    return label


def labels_of(boxes: Sequence[Mapping[str, Any]]) -> list[Label]:
    """The labels in the boxes of a kept annotation; those without an id are numbered as drawn ones."""
    taken = {str(box["id"]) for box in boxes if "id" in box}
    free = (f"h{n}" for n in range(1, len(boxes) + len(taken) + 2) if f"h{n}" not in taken)
    return [label_from(box if "id" in box else {**box, "id": next(free)}) for box in boxes]


def _require(label: Label) -> None:
    if not 0 < len(label.label_id) <= _LONGEST_ID:
        raise BadInputError(f"id of a label: expected 1 to {_LONGEST_ID} characters")
    if len(label.note) > LONGEST_NOTE:
        raise BadInputError(f"note of a label: expected at most {LONGEST_NOTE} characters")
    if not is_imperfection(label.kind):
        raise BadInputError("a label is of an imperfection: what is none is refused, not labelled")
    if label.iso6520 is not None and not _ISO.fullmatch(label.iso6520):
        raise BadInputError(f"ISO 6520-1 number: expected 3 to 5 digits, got {label.iso6520[:20]!r}")
    if label.own_class is not None and (label.iso6520 or label.kind):
        raise BadInputError(
            f"own class: expected {label.own_class[:20]} or an ISO 6520-1 number or kind, got both"
        )
    if label.probability is not None and not (
        math.isfinite(label.probability) and 0 <= label.probability <= 1
    ):
        raise BadInputError("probability of a label: expected 0 to 1")
    if label.polygon:
        _require_polygon(label)


def _require_polygon(label: Label) -> None:
    if not 3 <= len(label.polygon) <= MOST_CORNERS:
        raise BadInputError(
            f"polygon of a label: expected 3 to {MOST_CORNERS} corners, got {len(label.polygon)}"
        )
    bounds = bounds_of(label.polygon)
    is_finite = all(math.isfinite(value) for corner in label.polygon for value in corner)
    if not is_finite or not all(
        abs(mine - of) <= _BOUNDS_AGREE_PX for mine, of in zip(label.bbox, bounds, strict=True)
    ):
        raise BadInputError(
            f"polygon of a label: expected its bounds {bounds} to be the box, got {label.bbox}"
        )


def bounds_of(polygon: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """The box around a polygon: x1, y1, x2, y2 in px.

    Args:
        polygon: at least one corner x, y, px.
    """
    xs, ys = zip(*polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def merged(reported: Sequence[Suggestion], found: Sequence[Suggestion]) -> list[Suggestion]:
    """All suggestions, each place once: a person's box stands in for a model's at the same place.

    What a person dismissed stays, doubted. A box of the challenger, or of a compared version, gives way to
    any other at its place.

    Args:
        reported: the model's answer, the most probable first.
        found: boxes of queued findings, the most urgent first.
    """
    dismissed = [one.box for one in found if one.is_doubted]
    people: list[Suggestion] = []
    for one in found:
        is_new = not any(_is_same_place(one.box, other.box) for other in people)
        if one.box.origin.is_person and not one.is_doubted and is_new:
            people.append(one)
    kept = [
        replace(one, is_doubted=any(_is_same_place(one.box, other) for other in dismissed))
        for one in reported
        if not any(_is_same_place(one.box, other.box) for other in people)
    ]
    for one in found:
        if one.box.origin in (Origin.CHALLENGER, Origin.COMPARED) and not any(
            _is_same_place(one.box, other.box) for other in (*kept, *people)
        ):
            kept.append(one)
    return people + kept


def _is_same_place(one: FoundBox, other: FoundBox) -> bool:
    return overlap(one.bbox, other.bbox) >= SAME_PLACE_IOU
