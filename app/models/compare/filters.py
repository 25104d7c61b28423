"""Filters of the places behind a figure: outcome, class, size, part, equipment, image."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.models.compare.places import Pair, focus_boxes, subject_of
from core.evaluate.version_differences import Places

Bools = npt.NDArray[np.bool_]
TRUE, FALSE, MISSED = "true", "false", "missed"
#: Outcomes of a place in words.
OUTCOMES = {TRUE: "True", FALSE: "False call", MISSED: "Missed"}
PX, MM = "px", "mm"
#: A list of more parts is no choice.
_MOST_PARTS = 500
_SERIES = "series:"


@dataclass(frozen=True, slots=True)
class PlaceFilter:
    """The places that are wanted; what is empty or 0 leaves nothing out.

    Attributes:
        outcomes: keys of `OUTCOMES`.
        classes: recorded there, or claimed by a version.
        least, most: longer side of what is recorded or reported there, in `unit`; both ends are in.
        unit: `PX` or `MM`; without a known pixel size nothing has a size in mm.
        part, equipment: of the image.
        image: sha256 of its file.
    """

    outcomes: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    least: float = 0.0
    most: float = 0.0
    unit: str = PX
    part: str = ""
    equipment: str = ""
    image: str = ""

    @property
    def is_swapped(self) -> bool:
        """True when the least size is above the most, so that nothing can be in."""
        return 0 < self.most < self.least

    @property
    def is_empty(self) -> bool:
        """True when it lets everything through."""
        return self == PlaceFilter(unit=self.unit)

    def words(self) -> str:
        """What it asks for, one reason after the other."""
        sizes = {
            (True, True): f"{self.least:g} to {self.most:g} {self.unit}",
            (True, False): f"from {self.least:g} {self.unit}",
            (False, True): f"up to {self.most:g} {self.unit}",
        }
        asked = (
            " or ".join(OUTCOMES[one].lower() for one in OUTCOMES if one in self.outcomes),
            " or ".join(sorted(self.classes)),
            sizes.get((self.least > 0, self.most > 0), ""),
            f"part {self.part}" if self.part else "",
            f"equipment {self.equipment}" if self.equipment else "",
            f"image {self.image[:12]}" if self.image else "",
        )
        return "; ".join(filter(None, asked))


def filtered(
    pair: Pair, places: Places, wanted: PlaceFilter, *, show: str, equipment: Mapping[str, str]
) -> Places:
    """The places that the filter lets through, in the same order.

    Args:
        pair: the versions.
        places: of the kind `show`.
        wanted: the filter.
        show: says of which version an outcome is; of a difference it is that of either.
        equipment: sha256 of an image to the equipment that its inspection states.
    """
    if wanted.is_empty or not len(places):
        return places
    keep = np.ones(len(places), np.bool_)
    if wanted.outcomes:
        keep &= _has_outcome(places, wanted.outcomes, subject_of(show))
    if wanted.classes:
        keep &= _has_class(pair, places, wanted.classes)
    if wanted.least > 0 or wanted.most > 0:
        keep &= _has_size(pair, places, wanted)
    table = pair.tables[0]
    if wanted.part:
        keep &= np.array([part_name(one) == wanted.part for one in table.parts], np.bool_)[places.image]
    if wanted.equipment:
        is_in = [equipment.get(one) == wanted.equipment for one in table.digests]
        keep &= np.array(is_in, np.bool_)[places.image]
    if wanted.image:
        keep &= np.array([one == wanted.image for one in table.digests], np.bool_)[places.image]
    return places.chosen(keep)


def outcome_words(pair: Pair, wanted: PlaceFilter, show: str) -> str:
    """Of which version an outcome that is asked for is; empty where none is."""
    if not wanted.outcomes:
        return ""
    subject = subject_of(show)
    return f"outcome of {' or '.join(pair.names) if subject is None else pair.names[subject]}"


def part_name(part: str) -> str:
    """An independent part as people know it."""
    return part.removeprefix(_SERIES)


def parts_of(pair: Pair) -> list[str]:
    """The parts that can be chosen; none where there are too many to choose of."""
    parts = sorted({part_name(one) for one in pair.tables[0].parts})
    return parts if len(parts) <= _MOST_PARTS else []


def _has_outcome(places: Places, outcomes: frozenset[str], subject: int | None) -> Bools:
    """Places where a version, that of `subject` or either, has one of the outcomes."""
    is_recorded = places.truth >= 0
    found: Bools = np.zeros(len(places), np.bool_)
    for index, side in enumerate((places.first, places.second)):
        if subject not in (None, index):
            continue
        is_reported = side >= 0
        by_outcome = {
            TRUE: is_recorded & is_reported,
            FALSE: ~is_recorded & is_reported,
            MISSED: is_recorded & ~is_reported,
        }
        for one in outcomes:
            found |= by_outcome[one]
    return found


def _has_class(pair: Pair, places: Places, classes: frozenset[str]) -> Bools:
    first, second = pair.tables
    columns = (
        (first.classes, first.truth_class, places.truth),
        (first.classes, first.box_class, places.first),
        (second.classes, second.box_class, places.second),
    )
    found: Bools = np.zeros(len(places), np.bool_)
    for names, of, at in columns:
        wanted = np.flatnonzero([name in classes for name in names])
        # -1, for nothing there, points at the entry that is appended
        found |= np.append(np.isin(of, wanted), False)[at]
    return found


def _has_size(pair: Pair, places: Places, wanted: PlaceFilter) -> Bools:
    boxes = focus_boxes(pair, places)
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    if wanted.unit == MM:
        size = size * pair.tables[0].mm_per_px[places.image]
    most = wanted.most if wanted.most > 0 else np.inf
    is_in: Bools = (size >= wanted.least) & (size <= most)  # what is not known is not in
    return is_in
