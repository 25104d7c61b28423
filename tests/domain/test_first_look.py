"""A first look and the model's list: nothing stands twice, nothing is lost."""

from typing import Any

from core.domain.first_look import first_look_from, unveiled
from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication
from core.domain.records import AnnotationSource


def box(x: float, name: str = "porosity", probability: float = 0.9) -> dict[str, Any]:
    return {"bbox": [x, 10, x + 20, 30], "class": name, "probability": probability}


def mark(number: int, x: float, name: str = "unclassified", **more: Any) -> ReadIndication:
    return ReadIndication(
        f"h{number}",
        (x, 12, x + 20, 32),
        IndicationClass(name),
        AnnotationSource.HUMAN,
        Call.CONFIRMED,
        **more,
    )


def test_a_mark_at_the_place_of_one_of_the_model_becomes_it_with_the_box_of_the_person() -> None:
    look, reading = unveiled([box(10), box(100)], 0.5, [mark(1, 12, note="faint")], done_at="2026-03-01")
    assert [one.indication_id for one in reading] == ["m1", "m2"]
    assert (reading[0].bbox, reading[0].call, reading[0].note) == ((12, 12, 32, 32), Call.CONFIRMED, "faint")
    assert (reading[0].indication_class, reading[0].probability) == (IndicationClass.POROSITY, 0.9)
    assert reading[1].call is Call.OPEN
    assert look.words == "1 indication marked before the model was shown; the model reports 2, 1 the same"


def test_the_kind_that_the_person_stated_stays() -> None:
    _, reading = unveiled([box(10, "inclusion")], 0.5, [mark(1, 10, "porosity", iso6520="2011")], done_at="")
    assert (reading[0].indication_class, reading[0].iso6520) == (IndicationClass.POROSITY, "2011")


def test_what_only_one_of_them_found_stands_alone() -> None:
    look, reading = unveiled([box(10)], 0.5, [mark(1, 200)], done_at="")
    assert [(one.indication_id, one.call) for one in reading] == [("m1", Call.OPEN), ("h1", Call.CONFIRMED)]
    assert (look.pairs, look.n_same) == ((), 0)


def test_a_box_below_the_operating_point_is_taken_up_where_the_person_marked_it() -> None:
    look, reading = unveiled(
        [box(10, probability=0.2), box(60, probability=0.2)], 0.5, [mark(1, 10)], done_at=""
    )
    assert [(one.indication_id, one.call) for one in reading] == [("m1", Call.CONFIRMED)]
    assert (look.pairs, look.n_model, look.n_same) == ((("h1", "m1"),), 0, 0)


def test_what_the_model_reports_is_paired_before_what_it_does_not() -> None:
    look, _ = unveiled([box(10, probability=0.2), box(16)], 0.5, [mark(1, 10)], done_at="")
    assert (look.pairs, look.n_same) == ((("h1", "m2"),), 1)


def test_a_pore_of_the_person_and_a_crack_around_it_are_two() -> None:
    crack = {"bbox": [0, 10, 200, 30], "class": "crack", "probability": 0.9}
    _, reading = unveiled([crack], 0.5, [mark(1, 10, "porosity")], done_at="")
    assert [one.indication_id for one in reading] == ["m1", "h1"]


def test_members_of_a_group_are_paired_and_stay_in_it() -> None:
    marked = [
        mark(1, 10, "porosity", group="h3"),
        mark(2, 60, "porosity", group="h3"),
        mark(3, 10, "porosity"),
    ]
    _, reading = unveiled([box(10)], 0.5, marked, done_at="")
    assert [(one.indication_id, one.group) for one in reading] == [("m1", "h3"), ("h2", "h3"), ("h3", None)]


def test_nothing_marked_and_nothing_reported_is_a_first_look_too() -> None:
    look, reading = unveiled([], 0.5, [], done_at="")
    assert reading == ()
    assert look.words == "0 indications marked before the model was shown; the model reports 0, 0 the same"


def test_a_first_look_comes_back_as_it_was_kept() -> None:
    look, _ = unveiled(
        [box(10), box(100)], 0.5, [mark(1, 12), mark(2, 300)], done_at="2026-03-01T10:00:00+00:00"
    )
    assert first_look_from(look.to_dict()) == look
