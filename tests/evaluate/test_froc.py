import numpy as np
import pytest

from core.evaluate.froc import froc_curve, sensitivity_at


def test_curve_by_hand_with_a_tie() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.2])
    curve = froc_curve(scores, np.array([True, False, True, False]), n_truth=4, n_images=2)
    assert curve is not None
    assert curve.thresholds.tolist() == [0.9, 0.5, 0.2]
    assert curve.sensitivity.tolist() == [0.25, 0.5, 0.5]
    assert curve.false_calls_per_image.tolist() == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 0.25), (0.49, 0.25), (0.5, 0.5), (8.0, 0.5)])
def test_sensitivity_at_a_rate_takes_the_best_point_that_is_quiet_enough(
    rate: float, expected: float
) -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.2])
    curve = froc_curve(scores, np.array([True, False, True, False]), n_truth=4, n_images=2)
    assert curve is not None
    assert sensitivity_at(curve, rate) == expected


def test_a_detector_that_reports_nothing_finds_nothing() -> None:
    curve = froc_curve(np.zeros(0), np.zeros(0, np.bool_), n_truth=3, n_images=2)
    assert curve is not None
    assert sensitivity_at(curve, 1.0) == 0.0


@pytest.mark.parametrize(("n_truth", "n_images"), [(0, 5), (3, 0)])
def test_without_boxes_or_images_there_is_no_curve(n_truth: int, n_images: int) -> None:
    assert froc_curve(np.array([0.5]), np.array([False]), n_truth=n_truth, n_images=n_images) is None
