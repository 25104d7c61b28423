"""A map of one box as a report carries it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportedMap:
    """A map of one box by one method, with how far to believe it.

    Attributes:
        number: of the box in the model's list, from 1.
        method: in words.
        version: the model version, such as "weld v3".
        belief: "faithful", "weak", "not distinguishable from a drawn blob" or "empty".
        figures: what that rests on, in one line; why it is empty where it is.
        without_it: what becomes of the probability without the region.
        standing: what was measured of the maps of this version.
        picture: PNG, base64.
    """

    number: int
    method: str
    version: str
    belief: str
    figures: str
    without_it: str
    standing: str
    picture: str
