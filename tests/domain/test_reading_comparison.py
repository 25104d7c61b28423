"""Two readings of one radiograph: pairs at the same place, and what only one person reports."""

from dataclasses import replace

import pytest

from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication
from core.domain.reading_comparison import Agreement, can_be_one, compared
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
        ([replace(A, call=Call.OPEN)], [A], [("CALL_OPEN", "a", "a")]),
        ([replace(A, call=Call.OPEN)], [], [("OPEN_FIRST", "a", None)]),
        ([replace(A, call=Call.DISMISSED)], [A], [("CALL_DISMISSED", "a", "a")]),
        ([replace(A, call=Call.DISMISSED)], [B], [("ONLY_SECOND", None, "b")]),
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


def test_a_pore_is_not_the_crack_around_it() -> None:
    crack = box("crack", 0, 0, 100, 10)
    pore = box("pore", 40, 0, 70, 10, kind=IndicationClass.POROSITY)  # IoU 0.3
    assert said([crack], [pore]) == [("ONLY_FIRST", "crack", None), ("ONLY_SECOND", None, "pore")]
    assert said([crack, pore], [pore, crack]) == [("SAME", "crack", "crack"), ("SAME", "pore", "pore")]


@pytest.mark.parametrize(("x2", "agreement"), [(50, "CLASS"), (49, "ONLY_FIRST")])
def test_kinds_that_exclude_each_other_are_one_thing_where_the_boxes_are_nearly_the_same(
    x2: float, agreement: str
) -> None:
    crack, pore = box("a", 0, 0, 100, 10), box("b", 0, 0, x2, 10, kind=IndicationClass.POROSITY)
    assert said([crack], [pore])[0][0] == agreement


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (IndicationClass.CRACK, IndicationClass.LACK_OF_FUSION, True),
        (IndicationClass.INCLUSION, IndicationClass.POROSITY, True),
        (IndicationClass.INCLUSION, IndicationClass.CRACK, True),
        (IndicationClass.UNDERCUT, IndicationClass.LACK_OF_PENETRATION, True),
        (IndicationClass.UNCLASSIFIED, IndicationClass.POROSITY, True),
        (IndicationClass.POROSITY, IndicationClass.CRACK, False),
        (IndicationClass.POROSITY, IndicationClass.UNDERCUT, False),
    ],
)
def test_kinds_that_can_be_one_thing(one: IndicationClass, other: IndicationClass, expected: bool) -> None:
    a, b = box("a", 0, 0, 100, 10, kind=one), box("b", 0, 0, 30, 10, kind=other)
    assert can_be_one(a, b) is can_be_one(b, a) is expected
    assert (said([a], [b])[0][0] == "CLASS") is expected


@pytest.mark.parametrize(
    ("change", "agreement"),
    [
        ({"iso6520": "1011"}, "CLASS"),
        ({"iso6520": None}, "SAME"),
        ({"grade": 3}, "CLASS"),
        ({"grade": None}, "SAME"),
    ],
)
def test_kinds_and_severity_levels_differ_where_both_people_state_one(change: dict, agreement: str) -> None:
    first = replace(A, iso6520="1021", grade=2)
    assert said([first], [replace(first, **change)])[0][0] == agreement


def test_what_the_first_person_dismissed_gives_way_to_what_they_report() -> None:
    gone, kept = replace(A, indication_id="gone", call=Call.DISMISSED), box("kept", 2, 0, 12, 10)
    assert said([gone, kept], [A]) == [("SAME", "kept", "a")]
