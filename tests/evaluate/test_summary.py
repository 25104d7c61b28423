import json
import time
from dataclasses import replace

import numpy as np
import pytest

from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.radiograph import Polarity
from core.evaluate.operating_figures import measure
from core.evaluate.outcome import ImageOutcome
from core.evaluate.outcome_table import tabulate
from core.evaluate.resampling import resample
from core.evaluate.summary import EvaluationSummary, summarise

DESIGN_KEYS = {
    *("model", "version", "n_images", "n_boxes", "n_trained_on", "class_aware", "ap50", "ap50_ci", "ap50_95"),
    *("recall", "precision", "false_calls_per_image", "operating_probability", "d_ece", "d_ece_band"),
    *("d_ece_raw", "brier", "brier_raw", "score_cut"),
}
CALIBRATION = CalibrationRecord("0123456789ab", "platt", (1.0, 0.0), 0.3, 0.5, "nothing")
MODEL = ModelVersion("casting", 1, "ab" * 32, Polarity.DIGITAL, CALIBRATION, {})
EMPTY = np.zeros((0, 4), np.float32)


def _boxes(*xs: float) -> np.ndarray:
    return np.array([[x, 0, x + 10, 10] for x in xs], np.float32).reshape(-1, 4)


def _outcome(
    truth: np.ndarray,
    boxes: np.ndarray,
    scores: list[float],
    probabilities: list[float],
    *,
    name: str = "a",
    recorded: tuple[str, ...] | None = None,
    labels: tuple[str, ...] | None = None,
) -> ImageOutcome:
    return ImageOutcome(
        name,
        name,
        truth,
        recorded or ("defect",) * len(truth),
        boxes,
        np.array(scores, np.float32),
        labels or ("defect",) * len(boxes),
        np.array(probabilities, np.float32),
    )


def _summary(*images: ImageOutcome, class_aware: bool = False, n_resamples: int = 30) -> EvaluationSummary:
    table = tabulate(
        images,
        is_class_aware=class_aware,
        score_cut=CALIBRATION.score_cut,
        operating_probability=CALIBRATION.operating_probability,
    )
    figures = measure(table, resample(table.parts, n_resamples=n_resamples))
    return summarise(table, figures, MODEL, cluster_by="series", score_floor=0.01, n_trained_on=0)


def test_figures_by_hand_on_two_images() -> None:
    summary = _summary(
        _outcome(_boxes(0, 50), _boxes(0, 100, 50), [0.9, 0.8, 0.2], [0.95, 0.6, 0.55]),
        _outcome(_boxes(0), _boxes(0), [0.4], [0.45], name="b"),
    )
    assert (summary.n_images, summary.n_boxes, summary.n_detections) == (2, 3, 4)
    assert summary.recall == pytest.approx(1 / 3), "0.55 is below the score cut, 0.45 below the threshold"
    assert summary.precision == pytest.approx(1 / 2)
    assert summary.false_calls_per_image == pytest.approx(1 / 2)
    assert summary.n_calibrated_boxes == 3
    assert summary.brier == pytest.approx((0.05**2 + 0.6**2 + 0.55**2) / 3)
    assert summary.brier_raw == pytest.approx((0.1**2 + 0.8**2 + 0.6**2) / 3)
    assert summary.ap50 == pytest.approx((34 + 67 * 3 / 4) / 101)
    assert summary.not_evaluable == {}


def test_the_dictionary_has_the_published_keys_and_is_json() -> None:
    content = _summary(_outcome(_boxes(0), _boxes(0), [0.9], [0.9])).to_dict()
    assert content.keys() >= DESIGN_KEYS
    assert json.loads(json.dumps(content)) == content
    assert isinstance(content["d_ece_band"], list)


def test_calibration_is_told_by_size_class_and_bin_and_against_the_raw_scores() -> None:
    summary = _summary(*_random_images(60, 10), class_aware=True)
    content = summary.to_dict()
    assert summary.brier_difference == 0.0, "these probabilities are the scores"
    assert content["brier_difference_ci"] == content["log_loss_difference_ci"] == [0.0, 0.0]
    assert len(content["reliability_ci"]) == len(content["reliability"]) == 10
    for (_, share, _), (low, high) in zip(content["reliability"], content["reliability_ci"], strict=True):
        assert low < share < high
    by_size = content["calibration_by_size_px"]
    assert [g["n_boxes"] for g in by_size] == [0, summary.n_calibrated_boxes, 0, 0]
    assert by_size[1]["d_ece"] == pytest.approx(summary.d_ece)
    assert [g["group"] for g in content["calibration_by_class"]] == ["defect"]
    assert content["calibration_by_size_mm"] == []
    assert json.loads(json.dumps(content)) == content


def test_millimetres_come_from_each_image_and_classes_only_where_they_are_known() -> None:
    images = [replace(image, mm_per_px=0.15) for image in _random_images(60, 10)]
    summary = _summary(*images)
    assert [g.n_boxes for g in summary.calibration_by_size_mm] == [0, 0, summary.n_calibrated_boxes, 0]
    assert summary.calibration_by_class == ()
    with pytest.raises(ValueError, match="mm_per_px"):
        replace(images[0], mm_per_px=0.0)


def test_without_recorded_boxes_recall_is_not_evaluable_and_false_calls_are() -> None:
    summary = _summary(_outcome(EMPTY, _boxes(0), [0.9], [0.9]), _outcome(EMPTY, EMPTY, [], [], name="b"))
    assert summary.ap50 is None
    assert summary.recall is None
    assert summary.froc is None
    assert summary.precision == 0.0
    assert summary.false_calls_per_image == 0.5
    assert summary.not_evaluable["recall"] == "no recorded boxes"


def test_without_detections_precision_and_calibration_are_not_evaluable() -> None:
    summary = _summary(_outcome(_boxes(0), EMPTY, [], []))
    assert summary.ap50 == 0.0
    assert summary.recall == 0.0
    assert summary.precision is None
    assert summary.d_ece is None
    assert summary.d_ece_band is None
    assert set(summary.not_evaluable) == {
        *("precision", "d_ece", "d_ece_raw", "brier", "brier_raw", "log_loss", "log_loss_raw"),
        *("brier_difference", "log_loss_difference"),
    }


def test_no_images_give_no_figure() -> None:
    summary = _summary()
    assert summary.ap50 is None
    assert summary.false_calls_per_image is None
    assert summary.ap50_ci is None


def test_class_aware_average_precision_asks_for_the_recorded_class() -> None:
    image = _outcome(
        _boxes(0, 50),
        _boxes(0, 50),
        [0.9, 0.8],
        [0.9, 0.8],
        recorded=("crack", "porosity"),
        labels=("crack", "crack"),
    )
    aware, agnostic = _summary(image, class_aware=True), _summary(image)
    assert aware.ap50 == pytest.approx(0.5)
    assert aware.ap50_by_class == {"crack": pytest.approx(1.0), "porosity": 0.0}
    assert aware.ap50_class_agnostic == agnostic.ap50 == pytest.approx(1.0)
    assert "ap50" in aware.class_aware_figures
    assert aware.recall == 1.0


def _random_images(n: int, n_false: int) -> list[ImageOutcome]:
    random = np.random.default_rng(0)
    images = []
    for index in range(n):
        corner = random.uniform(0, 700, (4 + n_false, 2)).astype(np.float32)
        boxes = np.concatenate([corner, corner + 20], axis=1)
        scores = random.random(len(boxes)).astype(np.float32)
        images.append(
            ImageOutcome(
                str(index),
                f"series {index // 20}",
                boxes[:4] + 1,
                ("defect",) * 4,
                boxes,
                scores,
                ("defect",) * len(boxes),
                scores,
            )
        )
    return images


def test_the_interval_surrounds_the_quoted_figure() -> None:
    summary = _summary(*_random_images(60, 10))
    for value, interval in (
        (summary.ap50, summary.ap50_ci),
        (summary.recall, summary.recall_ci),
        (summary.precision, summary.precision_ci),
    ):
        assert value is not None
        assert interval is not None
        assert interval[0] <= value <= interval[1]
    assert summary.n_clusters == 3


def test_the_intervals_are_those_of_the_compare_page() -> None:
    images = _random_images(60, 10)
    table = tabulate(images, is_class_aware=False, score_cut=0.3, operating_probability=0.5)
    plan = resample(table.parts, n_resamples=30)
    page, summary = measure(table, plan), _summary(*images)
    assert summary.ap50 == pytest.approx(page.points["ap50"])
    for name in ("ap50", "recall", "precision", "false_calls_per_image"):
        assert getattr(summary, f"{name}_ci") == page.interval(name, plan.n_parts) is not None


def test_a_thousand_resamples_of_685_images_take_seconds() -> None:
    images = _random_images(685, 60)
    start = time.perf_counter()
    _summary(*images, n_resamples=1000)
    assert time.perf_counter() - start < 30


def test_an_outcome_whose_parts_do_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        _outcome(_boxes(0), _boxes(0, 1), [0.5], [0.5])
    with pytest.raises(ValueError, match="probabilities"):
        _outcome(_boxes(0), _boxes(0), [0.5], [0.5, 0.6])
