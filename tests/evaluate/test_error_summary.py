"""Where a version errs: kinds of errors, and what is found by size and by part."""

import numpy as np
import pytest

from core.evaluate.error_summary import Found, summarise_errors
from core.evaluate.error_types import ErrorType
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import tabulate

SMALL, LARGE = (10.0, 10.0, 20.0, 20.0), (100.0, 100.0, 150.0, 150.0)
ELSEWHERE, HALF_ON = (200.0, 10.0, 210.0, 20.0), (100.0, 100.0, 150.0, 115.0)


def outcome(
    part: str, truth: list[tuple[float, ...]], boxes: list[tuple[float, ...]], probability: float = 0.9
) -> ImageOutcome:
    n = len(boxes)
    return ImageOutcome(
        name=f"{part}.png",
        cluster=part,
        truth=np.array(truth, np.float32).reshape(-1, 4),
        truth_labels=("pore",) * len(truth),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.linspace(0.9, 0.8, n).astype(np.float32),
        labels=("pore",) * n,
        probabilities=np.full(n, probability),
    )


def summarised(*images: ImageOutcome) -> tuple[dict[str, int], dict[str, Found], tuple[Found, ...]]:
    found = summarise_errors(tabulate(images, is_class_aware=False, score_cut=0.1, operating_probability=0.5))
    return found.errors, {one.group: one for one in found.found_by_size_px}, found.found_by_part


def test_every_kind_of_error_is_counted_once() -> None:
    errors, *_ = summarised(outcome("A", [SMALL, LARGE], [SMALL, SMALL, HALF_ON, ELSEWHERE]))
    assert errors == {
        ErrorType.TRUE: 1,
        ErrorType.CLASS: 0,
        ErrorType.LOCALISATION: 1,
        ErrorType.DUPLICATE: 1,
        ErrorType.BACKGROUND: 1,
        ErrorType.MISSED: 1,
    }


def test_what_is_found_is_told_by_the_size_of_what_is_recorded() -> None:
    _, sizes, _ = summarised(outcome("A", [SMALL, LARGE], [SMALL]), outcome("B", [SMALL], []))
    small, middle = sizes["below 16 px"], sizes["32 to 64 px"]
    assert (small.n_boxes, small.n_found, small.n_false) == (2, 1, None)
    assert small.found_ci == pytest.approx((0.0945, 0.9055), abs=1e-3)
    assert (middle.n_boxes, middle.n_found) == (1, 0)
    assert sizes["16 to 32 px"] == Found("16 to 32 px", 0, 0, None, None)


def test_parts_with_the_most_missed_come_first_and_say_their_false_calls() -> None:
    images = (
        outcome("A", [SMALL], [SMALL]),
        outcome("B", [SMALL, LARGE], [ELSEWHERE]),
        outcome("A", [], [SMALL]),
    )
    _, _, parts = summarised(*images)
    assert [(one.group, one.n_boxes, one.n_found, one.n_false) for one in parts] == [
        ("B", 2, 0, 1),
        ("A", 1, 1, 1),
    ]


def test_what_lies_below_the_operating_point_is_missed() -> None:
    errors, *_ = summarised(outcome("A", [SMALL], [SMALL], probability=0.4))
    assert (errors[ErrorType.TRUE], errors[ErrorType.MISSED]) == (0, 1)
