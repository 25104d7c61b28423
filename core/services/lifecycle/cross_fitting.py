"""Calibration and figures when every film trained: each is judged by a network that never saw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.calibrate.calibrator import FIT
from core.domain.detections import Detections
from core.domain.errors import DatasetError
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.radiograph import Polarity
from core.engine.detector import SCORE_FLOOR, Detector
from core.evaluate.operating_figures import measure
from core.evaluate.outcome_table import tabulate
from core.evaluate.resampling import resample
from core.evaluate.summary import EvaluationSummary, summarise
from core.labelling.coco import CocoImage, read_coco
from core.registry.artefact import CALIBRATION, WEIGHTS, file_sha256
from core.services.evaluation.recorded_images import clusters_of, detect_recorded, outcome_of, select_images
from core.services.lifecycle.calibrating import (
    CalibrationSet,
    OperatingPoint,
    calibration_set,
    fit_calibration,
    join_calibration_sets,
)


@dataclass(frozen=True, slots=True)
class Fold:
    """One network and the series that it never saw.

    Attributes:
        weights: of the network that trained on all other series.
        series: held out from it.
    """

    weights: Path
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _FoldResult:
    images: list[CocoImage]
    detections: list[Detections]
    collected: CalibrationSet


def cross_fit(
    folds: Sequence[Fold],
    coco: Path,
    images_dir: Path,
    *,
    folder: Path,
    model: str,
    version: int,
    description: str,
    polarity: Polarity = Polarity.UNKNOWN,
    operating: OperatingPoint | None = None,
) -> tuple[CalibrationRecord, EvaluationSummary]:
    """The calibration now written beside the shipped weights in `folder`, and the out-of-fold figures.

    The calibrator is fitted on the out-of-fold detections of all films. The figures use, for each fold,
    the detections of its own network and a calibrator fitted on the other folds, so no film has a say
    in its own figures beyond the choice of the method. The shipped weights, trained on everything, are
    another network than any of the folds': the card must say that the figures are cross-fitted.
    `n_trained_on` is 0 in that sense.

    Args:
        folds: their series must not overlap.
        coco: the COCO detection file that holds all of them.
        images_dir: the folder that its file names are relative to.
        folder: of the artefact; holds the shipped weights.
        model: "weld" or "casting".
        version: of the shipped weights, for the record.
        description: which parts these are, one phrase, for the card.
        polarity: of images when neither they nor the COCO file say.
        operating: see `fit_calibration`.

    Raises:
        DatasetError: when a series stands in two folds, or the data contradict themselves.
        CalibrationDataError: when the detections of all other folds cannot calibrate one.
    """
    held_out = [name for fold in folds for name in fold.series]
    if len(held_out) != len(set(held_out)):
        raise DatasetError("a series stands in two folds")
    results = [_run(fold, coco, images_dir, polarity) for fold in folds]
    record = fit_calibration(
        join_calibration_sets([r.collected for r in results]),
        folder / CALIBRATION,
        description=f"{description}, cross-fitted in {len(folds)} folds",
        operating=operating,
    )
    outcomes = []
    for number, result in enumerate(results):
        others = join_calibration_sets([r.collected for k, r in enumerate(results) if k != number])
        others = others.above(record.score_cut)
        calibrator = FIT[record.method](others.scores, others.is_true)
        outcomes += [
            outcome_of(image, found.with_probabilities(calibrator.probability(found.scores)))
            for image, found in zip(result.images, result.detections, strict=True)
        ]
    shipped = Detector.load(folder / WEIGHTS)
    judged = ModelVersion(model, version, file_sha256(folder / WEIGHTS), shipped.polarity, record, {})
    table = tabulate(
        outcomes,
        is_class_aware=False,
        score_cut=record.score_cut,
        operating_probability=record.operating_probability,
    )
    summary = summarise(
        table,
        measure(table, resample(table.parts)),
        judged,
        cluster_by=clusters_of([image for result in results for image in result.images]),
        score_floor=SCORE_FLOOR,
        n_trained_on=0,
    )
    return record, summary


def _run(fold: Fold, coco: Path, images_dir: Path, polarity: Polarity) -> _FoldResult:
    detector = Detector.load(fold.weights)
    images = select_images(read_coco(coco), images_dir, fold.series)
    detections = [detect_recorded(detector, image, images_dir, polarity) for image in images]
    return _FoldResult(images, detections, calibration_set(images, detections))
