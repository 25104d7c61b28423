from dataclasses import replace

import numpy as np
import pytest

from core.evaluate.calibration_error import brier, log_loss
from core.evaluate.calibration_figures import (
    BRIER_GAIN,
    LOG_LOSS_GAIN,
    CalibratedBoxes,
    calibrated_boxes,
    calibration_draws,
    calibration_figures,
)
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import tabulate
from core.evaluate.resampling import Resampling, expanded_interval, resample


def _boxes(
    scores: np.ndarray, probabilities: np.ndarray, is_true: np.ndarray, image_index: np.ndarray
) -> CalibratedBoxes:
    n = len(scores)
    return CalibratedBoxes(
        scores.astype(np.float64),
        probabilities.astype(np.float64),
        is_true.astype(np.bool_),
        image_index.astype(np.intp),
        np.full(n, 20.0),
        np.full(n, np.nan),
        np.full(n, "unclassified"),
    )


def _parts(random: np.random.Generator, n_parts: int) -> CalibratedBoxes:
    """Overconfident scores of parts of 5 to 30 boxes whose shares true differ from part to part."""
    part = np.repeat(np.arange(n_parts), random.integers(5, 31, n_parts))
    odds = random.normal(-1, 1.2, len(part))
    likely = 1 / (1 + np.exp(-(0.5 * odds + random.normal(0, 0.6, n_parts)[part])))
    return _boxes(
        1 / (1 + np.exp(-odds)),
        1 / (1 + np.exp(-0.5 * odds)),
        random.random(len(part)) < likely,
        part,
    )


def _plan(boxes: CalibratedBoxes, *, seed: int) -> Resampling:
    n_parts = int(boxes.image_index.max()) + 1
    return resample([f"{i:03d}" for i in range(n_parts)], seed=seed, n_resamples=300)


def _intervals(boxes: CalibratedBoxes, *, seed: int) -> dict[str, tuple[float, float] | None]:
    plan = _plan(boxes, seed=seed)
    draws = calibration_draws(boxes, plan)
    return {name: expanded_interval(draws[name], plan.n_parts) for name in (BRIER_GAIN, LOG_LOSS_GAIN)}


def test_only_boxes_at_or_above_the_cut_count_with_their_size_class_and_image() -> None:
    boxes = np.array([[0, 0, 10, 30], [5, 5, 25, 10], [0, 0, 1, 1]], np.float32)
    scores = np.array([0.9, 0.3, 0.29], np.float32)
    empty = np.zeros((0, 4), np.float32)
    labels = ("crack", "porosity", "crack")
    images = [
        ImageOutcome("a", "a", empty, (), empty, np.zeros(0, np.float32), (), np.zeros(0)),
        ImageOutcome("b", "b", empty, (), boxes, scores, labels, scores / 2, mm_per_px=0.1),
        ImageOutcome("c", "c", empty, (), boxes[:1], scores[:1], ("crack",), scores[:1] / 2),
    ]
    images = [replace(image, truth=boxes[:1], truth_labels=("crack",)) for image in images]
    found = calibrated_boxes(
        tabulate(images, is_class_aware=True, score_cut=float(scores[1]), operating_probability=0.5)
    )
    assert len(found) == 3
    assert found.image_index.tolist() == [1, 1, 2]
    assert found.is_true.tolist() == [True, False, True]
    assert found.longer_side_px.tolist() == [30, 20, 30]
    assert found.longer_side_mm.tolist() == pytest.approx([3.0, 2.0, np.nan], nan_ok=True)
    assert found.classes.tolist() == ["crack", "porosity", "crack"]
    assert found.probabilities == pytest.approx(found.scores / 2)


def test_no_images_and_no_boxes_have_no_figures() -> None:
    nothing = tabulate([], is_class_aware=False, score_cut=0.3, operating_probability=0.5)
    assert len(calibrated_boxes(nothing)) == 0
    nobody = _boxes(*(np.zeros(0),) * 4)
    assert set(calibration_figures(nobody).values()) == {None}


def test_differences_by_hand() -> None:
    boxes = _boxes(np.array([0.5, 0.8]), np.array([0.75, 0.6]), np.array([True, False]), np.array([0, 2]))
    brier_gains = (0.25**2 - 0.5**2, 0.6**2 - 0.8**2)
    log_gains = (np.log(0.5) - np.log(0.75), np.log(0.2) - np.log(0.4))
    plan = Resampling(np.arange(3), np.array([[3, 5, 1], [0, 3, 0]], np.float32))
    found = calibration_draws(boxes, plan)
    assert found[BRIER_GAIN][0] == pytest.approx((3 * brier_gains[0] + brier_gains[1]) / 4)
    assert found[LOG_LOSS_GAIN][0] == pytest.approx((3 * log_gains[0] + log_gains[1]) / 4)
    assert np.isnan([found[BRIER_GAIN][1], found[LOG_LOSS_GAIN][1]]).all(), "no box in this resample"
    figures = calibration_figures(boxes)
    assert figures["brier_difference"] == pytest.approx(sum(brier_gains) / 2)
    assert figures["brier_difference"] == pytest.approx((figures["brier"] or 0) - (figures["brier_raw"] or 0))


def test_both_sides_of_a_difference_are_resampled_together() -> None:
    boxes = _parts(np.random.default_rng(3), 12)
    plan = _plan(boxes, seed=4)
    drawn = np.repeat(np.arange(len(boxes)), plan.image_weights(0)[boxes.image_index])
    found = calibration_draws(boxes, plan)
    for name, figure in ((BRIER_GAIN, brier), (LOG_LOSS_GAIN, log_loss)):
        calibrated, raw = (
            figure(values[drawn], boxes.is_true[drawn]) for values in (boxes.probabilities, boxes.scores)
        )
        assert calibrated is not None
        assert raw is not None
        assert found[name][0] == pytest.approx(calibrated - raw)


def test_pairing_makes_the_interval_narrower_than_that_of_either_side() -> None:
    boxes = _parts(np.random.default_rng(5), 60)
    paired = _intervals(boxes, seed=1)["log_loss_difference"]

    plan = _plan(boxes, seed=1)
    alone = []
    for index in range(300):
        drawn = np.repeat(np.arange(len(boxes)), plan.image_weights(index)[boxes.image_index])
        alone.append(log_loss(boxes.scores[drawn], boxes.is_true[drawn]))
    single = expanded_interval(np.array(alone, np.float64), plan.n_parts)
    assert paired is not None
    assert single is not None
    assert paired[1] - paired[0] < 0.7 * (single[1] - single[0])


@pytest.mark.slow
@pytest.mark.parametrize(("n_parts", "least", "most"), [(40, 0.92, 0.985), (7, 0.88, 0.96)])
def test_the_interval_covers_the_true_difference_nearly_95_times_in_100(
    n_parts: int, least: float, most: float
) -> None:
    """Plain percentiles cover 83 to 85 of 100 with seven parts (ADR 0013)."""
    everything = calibration_figures(_parts(np.random.default_rng(0), 200_000))
    covered = {"brier_difference": 0, "log_loss_difference": 0}
    repetitions = 300
    for seed in range(1, repetitions + 1):
        found = _intervals(_parts(np.random.default_rng(seed), n_parts), seed=seed)
        for name, interval in found.items():
            truth = everything[name]
            assert truth is not None
            assert interval is not None
            covered[name] += interval[0] <= truth <= interval[1]
    for name, times in covered.items():
        assert least <= times / repetitions <= most, f"{name}: {times} of {repetitions}"


def test_a_useless_calibration_is_not_called_better() -> None:
    """The raw scores are the truth; probabilities are the same ones, moved at random."""
    random = np.random.default_rng(7)
    part = np.repeat(np.arange(50), 20)
    scores = random.uniform(0.05, 0.95, 1000)
    worse = np.clip(scores + random.choice([-0.2, 0.2], 1000), 0.01, 0.99)
    found = _intervals(_boxes(scores, worse, random.random(1000) < scores, part), seed=0)
    for interval in found.values():
        assert interval is not None
        assert interval[0] > 0
