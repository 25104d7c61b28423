import dataclasses

import numpy as np
import pytest

from core.evaluate.calibration_error import d_ece
from core.evaluate.calibration_figures import CalibratedBoxes
from core.evaluate.calibration_groups import (
    MINIMUM_BOXES,
    calibration_by_class,
    calibration_by_size_mm,
    calibration_by_size_px,
)


def _boxes(sides: np.ndarray, *, mm_per_px: float | None = None, classes: np.ndarray | None = None):
    """Calibrated boxes, but for those below 16 px, which are never true."""
    n = len(sides)
    random = np.random.default_rng(0)
    p = random.uniform(0.1, 0.9, n)
    return CalibratedBoxes(
        p,
        p,
        (random.random(n) < p) & (sides >= 16),
        np.zeros(n, np.intp),
        sides,
        sides * (np.nan if mm_per_px is None else mm_per_px),
        np.full(n, "crack") if classes is None else classes,
    )


def test_edges_belong_to_the_bin_above_and_every_box_is_in_one() -> None:
    groups = calibration_by_size_px(
        _boxes(np.array([0.0, 15.99, 16.0, 31.9, 32.0, 63.9, 64.0, 4000.0])), seed=0
    )
    assert [(g.group, g.n_boxes) for g in groups] == [
        ("below 16 px", 2),
        ("16 to 32 px", 2),
        ("32 to 64 px", 2),
        ("64 px and more", 2),
    ]


@pytest.mark.parametrize(
    ("n", "is_evaluable"), [(MINIMUM_BOXES - 1, False), (MINIMUM_BOXES, True), (0, False)]
)
def test_too_few_boxes_are_not_evaluable_with_the_reason(n: int, is_evaluable: bool) -> None:
    group = calibration_by_size_px(_boxes(np.full(n, 20.0)), seed=0)[1]
    assert group.n_boxes == n
    figures = (group.mean_probability, group.share_true, group.share_true_ci, group.d_ece, group.d_ece_band)
    assert [value is not None for value in figures] == [is_evaluable] * 5
    assert (group.not_evaluable is None) is is_evaluable
    if not is_evaluable:
        assert group.not_evaluable == f"{n} boxes at or above the score cut, {MINIMUM_BOXES} are needed"


def test_a_size_that_is_miscalibrated_is_found_where_the_others_are_not() -> None:
    boxes = _boxes(np.repeat([10.0, 20.0], 2000))
    small, larger = calibration_by_size_px(boxes, seed=0)[:2]
    assert small.d_ece is not None
    assert larger.d_ece is not None
    assert small.d_ece_band is not None
    assert larger.d_ece_band is not None
    assert small.share_true == 0.0
    assert small.d_ece > small.d_ece_band[1]
    assert larger.d_ece_band[0] <= larger.d_ece <= larger.d_ece_band[1]
    assert larger.d_ece == d_ece(boxes.probabilities[2000:], boxes.is_true[2000:])
    assert larger.mean_probability == pytest.approx(boxes.probabilities[2000:].mean())
    assert larger.share_true_ci is not None
    assert larger.share_true is not None
    assert larger.share_true_ci[0] < larger.share_true < larger.share_true_ci[1]


def test_millimetres_count_only_where_there_is_a_scale() -> None:
    sides = np.repeat([10.0, 30.0], 100)
    assert calibration_by_size_mm(_boxes(sides), seed=0) == ()
    groups = calibration_by_size_mm(_boxes(sides, mm_per_px=0.05), seed=0)
    assert [(g.group, g.n_boxes) for g in groups[:2]] == [("below 1 mm", 100), ("1 to 2 mm", 100)]
    boxes = _boxes(sides, mm_per_px=0.05)
    boxes.longer_side_mm[:40] = np.nan
    assert [g.n_boxes for g in calibration_by_size_mm(boxes, seed=0)] == [60, 100, 0, 0]


def test_classes_stand_apart_under_their_reported_names() -> None:
    boxes = _boxes(np.full(200, 20.0), classes=np.repeat(["porosity", "crack"], [140, 60]))
    groups = calibration_by_class(boxes, seed=0)
    assert [(g.group, g.n_boxes) for g in groups] == [("crack", 60), ("porosity", 140)]
    assert groups[0].n_true == boxes.is_true[140:].sum()


def test_the_order_of_the_boxes_does_not_matter() -> None:
    boxes = _boxes(np.random.default_rng(1).uniform(1, 100, 600))
    order = np.random.default_rng(2).permutation(600)
    shuffled = CalibratedBoxes(*(getattr(boxes, f.name)[order] for f in dataclasses.fields(boxes)))
    for first, second in zip(
        calibration_by_size_px(boxes, seed=0), calibration_by_size_px(shuffled, seed=0), strict=True
    ):
        assert (first.n_boxes, first.n_true) == (second.n_boxes, second.n_true)
        assert first.d_ece == pytest.approx(second.d_ece)
        assert first.d_ece_band == pytest.approx(second.d_ece_band)
