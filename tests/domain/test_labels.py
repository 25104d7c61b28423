"""Labels and what could become one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from core.domain.correction import FoundBox, Origin
from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.labels import Label, Suggestion, label_from, labels_of, merged

HERE, NEAR_BY, THERE = (0.0, 0.0, 20.0, 10.0), (1.0, 0.0, 20.0, 10.0), (50.0, 0.0, 70.0, 10.0)


def suggestion(
    key: str, bbox: tuple[float, float, float, float], origin: Origin, *, is_doubted: bool = False
) -> Suggestion:
    return Suggestion(key, FoundBox(bbox, IndicationClass.CRACK, 0.5, origin), is_doubted)


def test_a_label_survives_being_kept() -> None:
    label = Label("h1", HERE, IndicationClass.CRACK, Origin.MODEL, "1011", 0.25, "fine")
    assert label_from(label.to_box()) == label
    drawn = replace(label, polygon=((0.0, 4.0), (12.5, 0.0), (20.0, 10.0)))
    assert label_from(json.loads(json.dumps(drawn.to_box()))) == drawn
    assert "polygon" not in label.to_box()  # as earlier releases wrote it


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bbox": [1, 2, 3]}, "not a label"),
        ({"class": "scratch"}, "not a label"),
        ({"id": ""}, "id of a label"),
        ({"id": "h" * 81}, "id of a label"),
        ({"iso6520": "20x1"}, "ISO 6520-1"),
        ({"probability": 1.5}, "probability"),
        ({"probability": float("nan")}, "probability"),
        ({"note": "x" * 2001}, "note"),
        ({"origin": "nobody"}, "not a label"),
        ({"polygon": [[0, 0], [20, 10]]}, "3 to 1000 corners"),
        ({"polygon": [[0, 0], [20, 10], [5, 11]]}, "bounds"),
        ({"polygon": [[0, 0], [20, float("nan")], [5, 10]]}, "bounds"),
        ({"polygon": [[0, 0], [20, 10], [5]]}, "not a label"),
    ],
)
def test_what_is_no_label_is_refused(change: dict[str, Any], complaint: str) -> None:
    box = Label("h1", HERE, IndicationClass.CRACK).to_box()
    with pytest.raises(BadInputError, match=complaint):
        label_from({**box, **change})


def test_boxes_without_an_id_are_numbered_around_those_that_have_one() -> None:
    plain = {"bbox": list(HERE), "class": "crack"}
    found = labels_of([plain, {**plain, "id": "h1"}, plain])
    assert [one.label_id for one in found] == ["h2", "h1", "h3"]
    assert labels_of([]) == []


@pytest.mark.parametrize(
    ("reported", "queued", "expected"),
    [
        ([suggestion("m", HERE, Origin.MODEL)], [], ["m"]),
        # a person's box stands in for the model's at the same place, and only there
        ([suggestion("m", HERE, Origin.MODEL)], [suggestion("i", NEAR_BY, Origin.INSPECTOR)], ["i"]),
        ([suggestion("m", HERE, Origin.MODEL)], [suggestion("i", THERE, Origin.INSPECTOR)], ["i", "m"]),
        # two people at one place: the more urgent finding counts
        ([], [suggestion("i", HERE, Origin.INSPECTOR), suggestion("s", HERE, Origin.SECOND_READER)], ["i"]),
        # the challenger is heard only where nobody else said anything
        ([suggestion("m", HERE, Origin.MODEL)], [suggestion("c", NEAR_BY, Origin.CHALLENGER)], ["m"]),
        ([suggestion("m", HERE, Origin.MODEL)], [suggestion("c", THERE, Origin.CHALLENGER)], ["m", "c"]),
        # a queued box of the model itself is there already
        ([suggestion("m", HERE, Origin.MODEL)], [suggestion("q", HERE, Origin.MODEL)], ["m"]),
    ],
)
def test_each_place_is_suggested_once(
    reported: list[Suggestion], queued: list[Suggestion], expected: list[str]
) -> None:
    assert [one.key for one in merged(reported, queued)] == expected


def test_what_a_person_dismissed_stays_but_is_doubted() -> None:
    reported = [suggestion("m", HERE, Origin.MODEL), suggestion("n", THERE, Origin.MODEL)]
    found = merged(reported, [suggestion("i", HERE, Origin.INSPECTOR, is_doubted=True)])
    assert [(one.key, one.is_doubted) for one in found] == [("m", True), ("n", False)]
