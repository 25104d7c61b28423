"""Filters of places: each leaves exactly those that are like it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.models.compare.filters import FALSE, MISSED, MM, TRUE, PlaceFilter, filtered, outcome_words
from app.models.compare.places import (
    Pair,
    focus_boxes,
    focus_of,
    ordered,
    overlap_words,
    places_of,
    size_words,
)
from core.evaluate.outcome_table import OutcomeTable
from core.services.evaluation.evaluation_archive import StoredEvaluation
from core.store.evaluations import EvaluationKey

CLASSES = ("crack", "porosity")


def table(boxes: list[tuple[int, float, int, int, float]]) -> OutcomeTable:
    """Two images, the first with 0.1 mm a pixel; recorded are a crack of 20 px and a pore of 40 px.

    Args:
        boxes: image, longer side px, class, recorded box that it matches, probability; by image.
    """
    n = len(boxes)
    matched = np.array([one[3] for one in boxes], np.int32)
    return OutcomeTable(
        names=("a.png", "b.png"),
        digests=("a" * 64, "b" * 64),
        parts=("series:ring 1", "series:ring 2"),
        mm_per_px=np.array([0.1, np.nan]),
        elapsed_ms=np.zeros(2),
        classes=CLASSES,
        truth=np.array([[0, 0, 20, 5], [0, 0, 40, 5]], np.float32),
        truth_image=np.array([0, 1], np.int32),
        truth_class=np.array([0, 1], np.int32),
        boxes=np.array([[0, 0, side, 5] for _, side, *_ in boxes], np.float32).reshape(n, 4),
        box_image=np.array([one[0] for one in boxes], np.int32),
        box_class=np.array([one[2] for one in boxes], np.int32),
        scores=np.array([one[4] for one in boxes], np.float32),
        probabilities=np.array([one[4] for one in boxes], np.float64),
        matched=matched,
        nearest=matched,
        nearest_iou=(matched >= 0).astype(np.float32),
        is_class_aware=True,
        score_cut=0.0,
        operating_probability=0.5,
    )


def stored(number: int, outcomes: OutcomeTable) -> StoredEvaluation:
    key = EvaluationKey(str(number) * 64, "c", "d" * 64, 1)
    unused: Any = None
    return StoredEvaluation(key, {}, outcomes, unused, "cpu")


@pytest.fixture
def pair() -> Pair:
    """The first version finds the crack and calls a pore falsely; the second finds the pore, as a crack."""
    first = table([(0, 22, 0, 0, 0.9), (1, 8, 1, -1, 0.6)])
    second = table([(1, 40, 0, 1, 0.8)])
    return Pair(stored(1, first), stored(2, second), ("v1", "v2"), None)


def through(pair: Pair, wanted: PlaceFilter, show: str = "every:0") -> list[tuple[int, int, int]]:
    """(recorded, first, second) of each place that is left."""
    _, places = places_of(pair, {}, show)
    left = filtered(pair, places, wanted, show=show, equipment={"b" * 64: "bench 2"})
    return list(zip(left.truth.tolist(), left.first.tolist(), left.second.tolist(), strict=True))


HIT, FALSE_CALL, MISS = (0, 0, -1), (-1, 1, -1), (1, -1, 0)


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (PlaceFilter(), [HIT, FALSE_CALL, MISS]),
        (PlaceFilter(outcomes=frozenset([TRUE])), [HIT]),
        (PlaceFilter(outcomes=frozenset([FALSE])), [FALSE_CALL]),
        (PlaceFilter(outcomes=frozenset([MISSED])), [MISS]),
        (PlaceFilter(outcomes=frozenset([TRUE, MISSED])), [HIT, MISS]),
        (PlaceFilter(classes=frozenset(["crack"])), [HIT, MISS]),  # the second version says crack
        (PlaceFilter(classes=frozenset(["porosity"])), [FALSE_CALL, MISS]),
        (PlaceFilter(classes=frozenset(["undercut"])), []),
        (PlaceFilter(least=22), [HIT, MISS]),
        (PlaceFilter(least=22.5), [MISS]),
        (PlaceFilter(most=22), [HIT, FALSE_CALL]),
        (PlaceFilter(most=21.9), [FALSE_CALL]),
        (PlaceFilter(least=2.2, unit=MM), [HIT]),  # the scale of the other image is not known
        (PlaceFilter(unit=MM), [HIT, FALSE_CALL, MISS]),
        (PlaceFilter(part="ring 2"), [FALSE_CALL, MISS]),
        (PlaceFilter(equipment="bench 2"), [FALSE_CALL, MISS]),
        (PlaceFilter(equipment="bench 3"), []),
        (PlaceFilter(image="a" * 64), [HIT]),
        (PlaceFilter(outcomes=frozenset([MISSED]), part="ring 1"), []),
    ],
    ids=[str(n) for n in range(19)],  # a set is written in another order in each process
)
def test_what_is_left(pair: Pair, wanted: PlaceFilter, left: list[tuple[int, int, int]]) -> None:
    assert through(pair, wanted) == left


def test_an_outcome_is_that_of_the_version_that_is_looked_at(pair: Pair) -> None:
    missed = PlaceFilter(outcomes=frozenset([MISSED]))
    assert through(pair, missed, "every:1") == [HIT]  # the second version missed what the first found


def test_every_place_is_enclosed_by_its_box(pair: Pair) -> None:
    _, places = places_of(pair, {}, "every:0")
    assert focus_boxes(pair, places).tolist() == [[0, 0, 22, 5], [0, 0, 8, 5], [0, 0, 40, 5]]
    assert focus_of(pair, places, 1) == (0, 0, 8, 5)


def test_a_card_bears_what_places_are_ordered_and_filtered_by(pair: Pair) -> None:
    _, places = places_of(pair, {}, "every:0")
    assert [size_words(pair, places, at) for at in range(3)] == ["22 px, 2.2 mm", "8 px", "40 px"]
    assert [overlap_words(pair, places, at) for at in range(3)] == [
        "overlap 1.00",
        "overlap 0.00",
        "overlap 1.00",
    ]
    first_missed = places.chosen(np.array([2]))
    nothing = replace(first_missed, second=np.array([-1], np.int32))
    assert overlap_words(pair, nothing, 0) == ""


def test_an_order_has_both_directions(pair: Pair) -> None:
    _, places = places_of(pair, {}, "every:0")
    assert focus_boxes(pair, ordered(pair, places, "size-up"))[:, 2].tolist() == [8, 22, 40]
    assert focus_boxes(pair, ordered(pair, places, "size"))[:, 2].tolist() == [40, 22, 8]
    assert ordered(pair, places, "probability-up").first.tolist() == [1, -1, 0]


def test_bounds_that_are_swapped_are_known_and_whose_outcome_counts_is_said(pair: Pair) -> None:
    assert PlaceFilter(least=2, most=1).is_swapped
    assert not PlaceFilter(least=2).is_swapped
    missed = PlaceFilter(outcomes=frozenset([MISSED]))
    assert outcome_words(pair, missed, "diff:found_second") == "outcome of v1 or v2"
    assert outcome_words(pair, missed, "every:1") == "outcome of v2"
    assert outcome_words(pair, PlaceFilter(), "every:1") == ""


def test_a_filter_says_what_it_asks_for() -> None:
    wanted = PlaceFilter(frozenset([FALSE, TRUE]), frozenset(["crack"]), 2, 5.5, MM, "ring 1", "bench 2")
    assert wanted.words() == "true or false call; crack; 2 to 5.5 mm; part ring 1; equipment bench 2"
    assert PlaceFilter(most=9).words() == "up to 9 px"
    assert PlaceFilter(unit=MM).is_empty
    assert not PlaceFilter(image="a" * 64).is_empty
