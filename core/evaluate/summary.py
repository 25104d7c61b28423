"""Every figure of one evaluation, as `radikal evaluate --out` writes them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.domain.model_version import ModelVersion
from core.evaluate.average_precision import average_precision
from core.evaluate.bootstrap import N_RESAMPLES, clustered_intervals
from core.evaluate.calibration_error import perfect_d_ece_band, reliability
from core.evaluate.calibration_figures import calibration_figures, calibration_gain
from core.evaluate.calibration_groups import (
    CalibrationGroup,
    calibration_by_class,
    calibration_by_size_mm,
    calibration_by_size_px,
)
from core.evaluate.error_summary import Found, summarise_errors
from core.evaluate.figures import MatchedOutcomes, match_outcomes, quoted_average_precision, weighted_figures
from core.evaluate.froc import CUSTOMARY_FALSE_CALLS, froc_curve, sensitivity_at
from core.evaluate.matching import IOU_THRESHOLD
from core.evaluate.outcome import ImageOutcome
from core.evaluate.proportion import wilson_interval

Interval = tuple[float, float]

_NO_BOXES = "no recorded boxes"
_NO_CALIBRATED = "no detection at or above the score cut"
_NOTHING_REPORTED = "no detection at or above the operating probability"


@dataclass(frozen=True, slots=True)
class EvaluationSummary:
    """The figures of one model version on one set of images. None means: not evaluable.

    Attributes:
        model, version, model_sha256: which weights.
        n_images, n_boxes: images and recorded boxes.
        n_trained_on: images whose sha256 is in the model's data manifest.
        n_clusters, cluster_by: what the intervals resample: "series", "parent_film", "image" or a mix.
        n_detections: detections above `score_floor`, which the average precision uses.
        score_floor: that floor.
        class_aware: True when the file's categories are the model's classes.
        class_aware_figures: the figures in which a detection must also bear the recorded class.
        ap50, ap50_95: average precision at IoU 0.5 and its mean over 0.50:0.95, 0..1.
        ap50_class_agnostic: the same as ap50 with classes ignored.
        ap50_by_class: per recorded class when class aware, else empty.
        recall, precision, false_calls_per_image: at `operating_probability`, IoU 0.5, classes ignored.
        score_cut: calibration figures are over the boxes with at least this score.
        n_calibrated_boxes: how many those are.
        d_ece, brier, log_loss: of the probabilities; `_raw`: of the scores taken as probabilities.
        d_ece_band: 95 % band of d_ece of a perfectly calibrated model with the same probabilities.
        brier_difference, log_loss_difference: calibrated minus raw, below zero where calibration helps.
        reliability: bins of d_ece: mean probability, share true, boxes.
        reliability_ci: 95 % Wilson interval of the share true of each bin, as if boxes were independent.
        calibration_by_size_px, calibration_by_size_mm: by the box's longer side; mm only with a scale.
        calibration_by_class: by the reported class when class aware, else empty.
        errors: boxes of each kind of `ErrorType` at the operating probability.
        found_by_size_px, found_by_part: recorded boxes found there; parts with the most missed first.
        froc: sensitivity at customary false calls an image, over all scores above the floor.
        *_ci: 95 % intervals by clustered bootstrap, all of them over the same resamples.
        not_evaluable: figure to reason, for every None.
    """

    model: str
    version: int
    model_sha256: str
    n_images: int
    n_boxes: int
    n_trained_on: int
    n_clusters: int
    cluster_by: str
    n_detections: int
    score_floor: float
    iou_threshold: float
    class_aware: bool
    class_aware_figures: tuple[str, ...]
    ap50: float | None
    ap50_ci: Interval | None
    ap50_95: float | None
    ap50_class_agnostic: float | None
    ap50_by_class: dict[str, float | None]
    recall: float | None
    recall_ci: Interval | None
    precision: float | None
    precision_ci: Interval | None
    false_calls_per_image: float | None
    false_calls_per_image_ci: Interval | None
    operating_probability: float | None
    calibration_id: str | None
    score_cut: float | None
    n_calibrated_boxes: int
    d_ece: float | None
    d_ece_band: Interval | None
    d_ece_raw: float | None
    brier: float | None
    brier_raw: float | None
    log_loss: float | None
    log_loss_raw: float | None
    brier_difference: float | None
    brier_difference_ci: Interval | None
    log_loss_difference: float | None
    log_loss_difference_ci: Interval | None
    reliability: tuple[tuple[float, float, int], ...]
    reliability_ci: tuple[Interval | None, ...]
    calibration_by_size_px: tuple[CalibrationGroup, ...]
    calibration_by_size_mm: tuple[CalibrationGroup, ...]
    calibration_by_class: tuple[CalibrationGroup, ...]
    errors: dict[str, int]
    found_by_size_px: tuple[Found, ...]
    found_by_part: tuple[Found, ...]
    froc: dict[str, float] | None
    not_evaluable: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON content: the keys of DESIGN's `evaluate --out` and the further ones above."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def summarise(
    images: Sequence[ImageOutcome],
    model: ModelVersion,
    *,
    class_aware: bool,
    cluster_by: str,
    score_floor: float,
    n_trained_on: int,
    seed: int = 0,
    n_resamples: int = N_RESAMPLES,
) -> EvaluationSummary:
    """Every figure of `images` under `model` and its calibration.

    Args:
        images: outcomes with probabilities from the model's calibration.
        model: what ran; gives the score cut and the operating probability.
        class_aware: whether average precision asks for the recorded class too.
        cluster_by: how the clusters of the outcomes came about, for the record.
        score_floor: detections below it were not handed in.
        n_trained_on: images found in the model's data manifest.
        seed: of the bootstrap and of the simulated perfect model.
        n_resamples: of the bootstrap.
    """
    calibration = model.calibration
    matched = match_outcomes(
        images,
        class_aware=class_aware,
        score_cut=calibration.score_cut,
        operating_probability=calibration.operating_probability,
        iou_threshold=IOU_THRESHOLD,
    )
    ap50, ap50_95 = quoted_average_precision(images, class_aware=class_aware)
    agnostic = quoted_average_precision(images, class_aware=False)[0] if class_aware else ap50
    points = weighted_figures(matched, np.ones(len(images), np.int64))
    clusters, boxes = [i.cluster for i in images], matched.boxes
    gain = calibration_gain(boxes, len(images))
    intervals = clustered_intervals(
        clusters,
        lambda weights: weighted_figures(matched, weights) | gain(weights),
        seed=seed,
        n_resamples=n_resamples,
    )
    figures = points | {"ap50": ap50, "ap50_95": ap50_95} | calibration_figures(boxes)
    erring = summarise_errors(
        images,
        is_class_aware=class_aware,
        score_cut=calibration.score_cut,
        operating_probability=calibration.operating_probability,
    )
    bins = reliability(boxes.probabilities, boxes.is_true)
    return EvaluationSummary(
        model=model.name,
        version=model.version,
        model_sha256=model.sha256,
        n_images=len(images),
        n_boxes=int(matched.truth.sum()),
        n_trained_on=n_trained_on,
        n_clusters=len(set(clusters)),
        cluster_by=cluster_by,
        n_detections=sum(len(i.scores) for i in images),
        score_floor=score_floor,
        iou_threshold=IOU_THRESHOLD,
        class_aware=class_aware,
        class_aware_figures=("ap50", "ap50_ci", "ap50_95", "ap50_by_class") if class_aware else (),
        **figures,
        ap50_ci=intervals["ap50"],
        recall_ci=intervals["recall"],
        precision_ci=intervals["precision"],
        false_calls_per_image_ci=intervals["false_calls_per_image"],
        brier_difference_ci=intervals["brier_difference"],
        log_loss_difference_ci=intervals["log_loss_difference"],
        ap50_class_agnostic=agnostic,
        ap50_by_class=_by_class(matched) if class_aware else {},
        operating_probability=calibration.operating_probability,
        calibration_id=calibration.calibration_id,
        score_cut=calibration.score_cut,
        n_calibrated_boxes=len(boxes),
        d_ece_band=perfect_d_ece_band(boxes.probabilities, seed=seed),
        reliability=tuple(bins),
        reliability_ci=tuple(wilson_interval(round(share * size), size) for _, share, size in bins),
        calibration_by_size_px=calibration_by_size_px(boxes, seed=seed),
        calibration_by_size_mm=calibration_by_size_mm(boxes, seed=seed),
        calibration_by_class=calibration_by_class(boxes, seed=seed) if class_aware else (),
        errors=erring.errors,
        found_by_size_px=erring.found_by_size_px,
        found_by_part=erring.found_by_part,
        froc=_froc(images, matched),
        not_evaluable={name: _reason(name, matched) for name, value in figures.items() if value is None},
    )


def _by_class(matched: MatchedOutcomes) -> dict[str, float | None]:
    return {name: average_precision(ranked) for name, ranked in matched.ranked.items()}


def _froc(images: Sequence[ImageOutcome], matched: MatchedOutcomes) -> dict[str, float] | None:
    """Sensitivity at each customary number of false calls an image."""
    curve = froc_curve(
        np.concatenate([np.zeros(0, np.float32), *[i.scores for i in images]]),
        np.concatenate([np.zeros(0, np.bool_), *matched.is_true]),
        n_truth=int(matched.truth.sum()),
        n_images=len(images),
    )
    if curve is None:
        return None
    return {f"{rate:g}": sensitivity_at(curve, rate) for rate in CUSTOMARY_FALSE_CALLS}


def _reason(figure: str, matched: MatchedOutcomes) -> str:
    if figure in ("ap50", "ap50_95", "recall"):
        return _NO_BOXES
    if figure == "precision":
        return _NOTHING_REPORTED
    if figure == "false_calls_per_image":
        return "no images"
    return _NO_CALIBRATED


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
