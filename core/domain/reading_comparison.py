"""Comparison of two people's readings of one radiograph."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.grouping import counted
from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication, overlap

#: Boxes of kinds that can be one thing and overlap less (IoU) are about different places; people draw the
#: same pore quite differently.
SAME_PLACE_IOU = 0.1
#: Boxes of kinds that exclude each other, such as a pore and the crack around it, are about one thing only
#: where both people drew nearly the same box.
SAME_OBJECT_IOU = 0.5
#: Shapes that a class can have on a radiograph. Kinds without a shape in common exclude each other.
_ROUNDED, _LINEAR = "rounded", "linear"
_SHAPES: dict[IndicationClass, frozenset[str]] = {
    IndicationClass.POROSITY: frozenset({_ROUNDED}),
    IndicationClass.INCLUSION: frozenset({_ROUNDED, _LINEAR}),
    IndicationClass.CRACK: frozenset({_LINEAR}),
    IndicationClass.LACK_OF_FUSION: frozenset({_LINEAR}),
    IndicationClass.LACK_OF_PENETRATION: frozenset({_LINEAR}),
    IndicationClass.UNDERCUT: frozenset({_LINEAR}),
}


class Agreement(StrEnum):
    """Agreement of two readings at one place."""

    CLASS = "another class, kind or severity level"
    CALL_OPEN = "the first person left it open"
    CALL_DISMISSED = "the first person dismissed it"
    ONLY_FIRST = "only the first person"
    OPEN_FIRST = "left open by the first person, not reported by the second"
    ONLY_SECOND = "only the second person"
    SAME = "the same"


@dataclass(frozen=True, slots=True)
class Pair:
    """One place and what each person says of it; None where that person reports nothing."""

    agreement: Agreement
    first: ReadIndication | None
    second: ReadIndication | None


def compared(first: Sequence[ReadIndication], second: Sequence[ReadIndication]) -> list[Pair]:
    """Every indication of either reading once: the first person's in order, then the second's alone.

    Pairs are made by overlap, the largest first: among kinds that can be one thing before kinds that exclude
    each other, and among what the first person reports or left open before what they dismissed. What the
    first person dismissed and the second did not report is left out, and so is what the second dismissed. A
    group is one indication.
    """
    first = counted(first)
    seconds = [one for one in counted(second) if one.call is not Call.DISMISSED]
    partner = partners(first, seconds)
    pairs = [
        _pair(one, seconds[partner[i]] if i in partner else None)
        for i, one in enumerate(first)
        if i in partner or one.call is not Call.DISMISSED
    ]
    paired = set(partner.values())
    alone = [one for k, one in enumerate(seconds) if k not in paired]
    return pairs + [Pair(Agreement.ONLY_SECOND, None, one) for one in alone]


def can_be_one(first: ReadIndication, second: ReadIndication) -> bool:
    """True unless the kinds exclude each other; a class that is not specified can be any."""
    classes = (first.indication_class, second.indication_class)
    if classes[0] is classes[1] or IndicationClass.UNCLASSIFIED in classes:
        return True
    shapes = [_SHAPES.get(one, frozenset()) for one in classes]
    return bool(shapes[0] & shapes[1])


def partners(first: Sequence[ReadIndication], second: Sequence[ReadIndication]) -> dict[int, int]:
    """Place in the second reading by place in the first, each used once; see `compared`."""
    found = []
    for i, a in enumerate(first):
        for k, b in enumerate(second):
            iou, is_one = overlap(a.bbox, b.bbox), can_be_one(a, b)
            if iou >= (SAME_PLACE_IOU if is_one else SAME_OBJECT_IOU):
                is_other = not says_the_same(a, b)
                found.append((a.call is Call.DISMISSED, not is_one, -iou, is_other, i, k))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for *_, i, k in sorted(found):
        if i not in partner and k not in taken:
            partner[i] = k
            taken.add(k)
    return partner


def _pair(first: ReadIndication, second: ReadIndication | None) -> Pair:
    if second is None:
        is_open = first.call is Call.OPEN
        return Pair(Agreement.OPEN_FIRST if is_open else Agreement.ONLY_FIRST, first, None)
    if first.call is Call.DISMISSED:
        return Pair(Agreement.CALL_DISMISSED, first, second)
    if first.call is Call.OPEN:
        return Pair(Agreement.CALL_OPEN, first, second)
    return Pair(Agreement.SAME if says_the_same(first, second) else Agreement.CLASS, first, second)


def says_the_same(first: ReadIndication, second: ReadIndication) -> bool:
    """True for the same class, and the same kind and severity level where both people stated one."""
    stated = ((first.stated_kind, second.stated_kind), (first.grade, second.grade))
    is_same = all(a == b for a, b in stated if a is not None and b is not None)
    return is_same and first.indication_class is second.indication_class
