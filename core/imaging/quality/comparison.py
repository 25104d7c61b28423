"""What came of comparing a picture with the earlier ones, for the duplicate check of the gate."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.radiograph import Radiograph
from core.imaging.fingerprint import Fingerprint, Likeness, find_copy


@dataclass(frozen=True, slots=True)
class Comparison:
    """A picture beside the earlier ones; the same file handed in again is one picture, not a copy.

    Attributes:
        n_earlier: how many it was compared with, by their grain.
        copy: the earlier picture of the same exposure with other bytes; None without one.
        copy_name: that picture in words, e.g. "weld 7.png, handed in on 2026-03-01"; empty: by its digest.
        n_without_grain: earlier ones with too little grain for a copy of them to be recognised.
        n_waiting: earlier ones that could not be compared with yet.
        again: a sentence where the same file was handed in or inspected before; empty otherwise.
    """

    n_earlier: int = 0
    copy: Likeness | None = None
    copy_name: str = ""
    n_without_grain: int = 0
    n_waiting: int = 0
    again: str = ""


NOTHING_EARLIER = Comparison()


def compare(radiograph: Radiograph, earlier: Sequence[Fingerprint]) -> Comparison:
    """The picture beside those in memory; its own fingerprint among them does not count."""
    others = [one for one in earlier if one.sha256 != radiograph.sha256]
    grainy = sum(one.has_grain for one in others)
    return Comparison(grainy, find_copy(radiograph, others), n_without_grain=len(others) - grainy)
