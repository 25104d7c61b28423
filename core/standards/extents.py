"""Extents of an indication that limits refer to."""

from enum import StrEnum

from core.standards.finding import Imperfection
from core.standards.interval import Interval

#: Longer than so many times its width: elongated, otherwise rounded.
ELONGATED_RATIO = 3


class Measure(StrEnum):
    """An extent of an indication, as a rule file names it."""

    DIAMETER = "diameter"
    LENGTH = "length"
    WIDTH = "width"
    HEIGHT = "height"
    WIDTH_OR_HEIGHT = "width or height"
    ANY_EXTENT = "any extent"

    @property
    def symbol(self) -> str:
        """The letter that stands for it in the tables."""
        letters = {
            Measure.DIAMETER: "d",
            Measure.LENGTH: "l",
            Measure.WIDTH: "w",
            Measure.ANY_EXTENT: "extent",
        }
        return letters.get(self, "h")

    @property
    def missing(self) -> str:
        """Why there is none."""
        if self is Measure.HEIGHT:
            return "the height through the wall is not known; one radiograph does not show it"
        what = {Measure.WIDTH: "width", Measure.WIDTH_OR_HEIGHT: "width or height"}.get(self, "length")
        return f"no {what} in millimetres (no scale?)"


def extent(finding: Imperfection, measure: Measure) -> Interval | None:
    """The extent of `finding` that `measure` names, None where it is not known.

    A diameter is the longest extent. Of width and height the larger counts, the one that is known when the
    other is not. ANY_EXTENT, for tables that do not say which, reaches from the smaller of length and width
    to the larger.
    """
    length, width, height = (
        None if given is None else given.interval for given in (finding.length, finding.width, finding.height)
    )
    match measure:
        case Measure.DIAMETER | Measure.LENGTH:
            return length
        case Measure.WIDTH:
            return width
        case Measure.HEIGHT:
            return height
        case Measure.WIDTH_OR_HEIGHT:
            known = [value for value in (width, height) if value is not None]
            return Interval(max(v.low for v in known), max(v.high for v in known)) if known else None
        case Measure.ANY_EXTENT:
            return None if length is None else Interval(0.0 if width is None else width.low, length.high)


class Shape(StrEnum):
    """The outline of an indication."""

    ELONGATED = "elongated"
    ROUNDED = "rounded"


def shape(finding: Imperfection) -> Shape | None:
    """ELONGATED when longer than three times the width, None where the measurements leave both open."""
    if finding.length is None or finding.width is None:
        return None
    length, width = finding.length.interval, finding.width.interval
    if length.low > ELONGATED_RATIO * width.high:
        return Shape.ELONGATED
    return Shape.ROUNDED if length.high <= ELONGATED_RATIO * width.low else None


def along_weld(finding: Imperfection) -> Interval:
    """Length along the weld, mm: its length, or anything from 0 up where that is not known."""
    return extent(finding, Measure.LENGTH) or Interval(0.0, float("inf"))
