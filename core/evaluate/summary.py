"""Every figure of one evaluation, as `radikal evaluate --out` writes them."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.model_version import ModelVersion
from core.evaluate.calibration_error import perfect_d_ece_band, reliability
from core.evaluate.calibration_figures import (
    BRIER_GAIN,
    LOG_LOSS_GAIN,
    calibrated_boxes,
    calibration_figures,
)
from core.evaluate.calibration_groups import (
    CalibrationGroup,
    calibration_by_class,
    calibration_by_size_mm,
    calibration_by_size_px,
)
from core.evaluate.coco_average_precision import LabelledBoxes, coco_average_precision
from core.evaluate.error_summary import Found, summarise_errors
from core.evaluate.froc import CUSTOMARY_FALSE_CALLS, froc_curve, sensitivity_at
from core.evaluate.groups import GroupKind
from core.evaluate.matching import IOU_THRESHOLD
from core.evaluate.operating_figures import FALSE_CALLS, PRECISION, RECALL, MeasuredVersion
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.proportion import wilson_interval
from core.evaluate.resampling import INTERVAL_METHOD, Interval
from core.evaluate.version_figures import AP50, AP50_CLASSES, ap_key

#: Raise it whenever the same weights, calibration and images give other figures or draws: stored evaluations
#: of another number are measured again. A golden file fails when figures moved and this did not.
FIGURES_VERSION = 1

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
        *_ci: 95 % intervals from resamples of whole parts.
        interval_method: of these; cards that were written earlier say "plain percentiles".
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
    interval_method: str
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
    table: OutcomeTable,
    measured: MeasuredVersion,
    model: ModelVersion,
    *,
    cluster_by: str,
    score_floor: float,
    n_trained_on: int,
    seed: int = 0,
) -> EvaluationSummary:
    """Every figure of a version on a set.

    Args:
        table: what the version did there, with probabilities from its calibration.
        measured: the figures of the table with their resamples.
        model: the version.
        cluster_by: how the parts of the table came about, for the record.
        score_floor: detections below it were not handed in.
        n_trained_on: images found in the model's data manifest.
        seed: of the simulated perfect model.
    """
    n_parts, class_aware = len(set(table.parts)), table.is_class_aware
    boxes, erring = calibrated_boxes(table), summarise_errors(table)
    ap50, ap50_95 = _quoted_average_precision(table, class_aware=class_aware)
    agnostic = _quoted_average_precision(table, class_aware=False)[0] if class_aware else ap50
    points = {name: measured.points.get(name) for name in (RECALL, PRECISION, FALSE_CALLS)}
    figures = points | {"ap50": ap50, "ap50_95": ap50_95} | calibration_figures(boxes)
    bins = reliability(boxes.probabilities, boxes.is_true)
    return EvaluationSummary(
        model=model.name,
        version=model.version,
        model_sha256=model.sha256,
        n_images=table.n_images,
        n_boxes=len(table.truth),
        n_trained_on=n_trained_on,
        n_clusters=n_parts,
        cluster_by=cluster_by,
        interval_method=INTERVAL_METHOD,
        n_detections=len(table.scores),
        score_floor=score_floor,
        iou_threshold=IOU_THRESHOLD,
        class_aware=class_aware,
        class_aware_figures=("ap50", "ap50_ci", "ap50_95", "ap50_by_class") if class_aware else (),
        **figures,
        recall_ci=measured.interval(RECALL, n_parts),
        precision_ci=measured.interval(PRECISION, n_parts),
        false_calls_per_image_ci=measured.interval(FALSE_CALLS, n_parts),
        brier_difference_ci=measured.interval(BRIER_GAIN, n_parts),
        log_loss_difference_ci=measured.interval(LOG_LOSS_GAIN, n_parts),
        ap50_ci=measured.interval(AP50_CLASSES if class_aware else AP50, n_parts),
        ap50_class_agnostic=agnostic,
        ap50_by_class={
            group.name: measured.points.get(ap_key(group))
            for group in measured.fixed.groups
            if group.kind is GroupKind.CLASS
        },
        operating_probability=table.operating_probability,
        calibration_id=model.calibration.calibration_id,
        score_cut=table.score_cut,
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
        froc=_froc(table),
        not_evaluable={name: _reason(name) for name, value in figures.items() if value is None},
    )


def _quoted_average_precision(table: OutcomeTable, *, class_aware: bool) -> tuple[float | None, float | None]:
    """(AP50, AP50:95) by faster-coco-eval; None without recorded boxes."""
    names = np.array(table.classes if class_aware else ("",) * len(table.classes), np.str_)
    images = np.arange(table.n_images + 1)
    truth_starts = np.searchsorted(table.truth_image, images)
    box_starts = np.searchsorted(table.box_image, images)
    per_threshold = coco_average_precision(
        [
            LabelledBoxes(
                table.truth[truths],
                [str(name) for name in names[table.truth_class[truths]]],
                table.boxes[boxes],
                [str(name) for name in names[table.box_class[boxes]]],
                table.scores[boxes],
            )
            for truths, boxes in zip(_slices(truth_starts), _slices(box_starts), strict=True)
        ]
    )
    return (None, None) if per_threshold is None else (float(per_threshold[0]), float(per_threshold.mean()))


def _slices(starts: npt.NDArray[np.intp]) -> list[slice]:
    return [slice(first, after) for first, after in pairwise(starts)]


def _froc(table: OutcomeTable) -> dict[str, float] | None:
    """Sensitivity at each customary number of false calls an image."""
    curve = froc_curve(table.scores, table.matched >= 0, n_truth=len(table.truth), n_images=table.n_images)
    if curve is None:
        return None
    return {f"{rate:g}": sensitivity_at(curve, rate) for rate in CUSTOMARY_FALSE_CALLS}


def _reason(figure: str) -> str:
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
