"""Comparison of two people's readings of one radiograph."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.reading import Call, ReadIndication, overlap

#: Boxes that overlap less (IoU) are about different places; people draw the same pore quite differently.
SAME_PLACE_IOU = 0.1


class Agreement(StrEnum):
    """Agreement of two readings at one place."""

    SAME = "both, the same class"
    CLASS = "both, another class"
    ONLY_FIRST = "only the first person"
    ONLY_SECOND = "only the second person"


@dataclass(frozen=True, slots=True)
class Pair:
    """One place and what each person says of it; None where that person reports nothing."""

    agreement: Agreement
    first: ReadIndication | None
    second: ReadIndication | None


def compared(first: Sequence[ReadIndication], second: Sequence[ReadIndication]) -> list[Pair]:
    """Every indication of either reading once: pairs at the same place, then what only one person reports.

    Pairs are made by overlap, the largest first. What was dismissed is not reported by that person.
    """
    firsts = [one for one in first if one.call is not Call.DISMISSED]
    seconds = [one for one in second if one.call is not Call.DISMISSED]
    overlaps = [(overlap(a.bbox, b.bbox), i, k) for i, a in enumerate(firsts) for k, b in enumerate(seconds)]
    partner: dict[int, int] = {}
    for iou, i, k in sorted(overlaps, key=lambda found: (-found[0], *found[1:])):
        if iou >= SAME_PLACE_IOU and i not in partner and k not in partner.values():
            partner[i] = k
    pairs = [_pair(one, seconds[partner[i]] if i in partner else None) for i, one in enumerate(firsts)]
    alone = [one for k, one in enumerate(seconds) if k not in partner.values()]
    return pairs + [Pair(Agreement.ONLY_SECOND, None, one) for one in alone]


def _pair(first: ReadIndication, second: ReadIndication | None) -> Pair:
    if second is None:
        return Pair(Agreement.ONLY_FIRST, first, None)
    is_same = first.indication_class is second.indication_class
    return Pair(Agreement.SAME if is_same else Agreement.CLASS, first, second)
