"""Two readings of one radiograph: pairs at the same place, and what only one person reports."""

from dataclasses import replace

import pytest

from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication
from core.domain.reading_comparison import Agreement, compared
from core.domain.records import AnnotationSource


def box(name: str, *bbox: float, kind: IndicationClass = IndicationClass.CRACK) -> ReadIndication:
    return ReadIndication(name, bbox, kind, AnnotationSource.HUMAN, Call.CONFIRMED)  # type: ignore[arg-type]


A, B = box("a", 0, 0, 10, 10), box("b", 100, 0, 110, 10)


def said(
    first: list[ReadIndication], second: list[ReadIndication]
) -> list[tuple[str, str | None, str | None]]:
    return [
        (
            pair.agreement.name,
            pair.first.indication_id if pair.first else None,
            pair.second.indication_id if pair.second else None,
        )
        for pair in compared(first, second)
    ]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([], [], []),
        ([A], [A], [("SAME", "a", "a")]),
        ([A], [replace(A, indication_class=IndicationClass.POROSITY)], [("CLASS", "a", "a")]),
        ([A], [B], [("ONLY_FIRST", "a", None), ("ONLY_SECOND", None, "b")]),
        ([A, replace(B, call=Call.DISMISSED)], [A], [("SAME", "a", "a")]),
        ([A], [replace(A, call=Call.DISMISSED)], [("ONLY_FIRST", "a", None)]),
    ],
)
def test_hand_values(first: list, second: list, expected: list) -> None:
    assert said(first, second) == expected


def test_the_larger_overlap_is_the_pair_and_each_has_one_partner() -> None:
    near, far = box("near", 1, 0, 11, 10), box("far", 6, 0, 16, 10)
    assert said([A], [far, near]) == [("SAME", "a", "near"), ("ONLY_SECOND", None, "far")]
    assert said([far, A], [near]) == [("ONLY_FIRST", "far", None), ("SAME", "a", "near")]


@pytest.mark.parametrize(("x2", "is_same"), [(1.0, True), (0.9, False)])
def test_the_least_overlap_that_is_the_same_place_is_a_tenth(x2: float, is_same: bool) -> None:
    assert (compared([A], [box("c", 0, 0, x2, 10)])[0].agreement is Agreement.SAME) is is_same
