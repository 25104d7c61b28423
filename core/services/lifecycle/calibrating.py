"""Turning a network's scores into probabilities, on parts that trained nothing."""

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.calibrate.calibrator import Calibrator
from core.calibrate.choice import choose_calibrator
from core.calibrate.outer_folds import outer_folds
from core.domain.detections import Detections
from core.domain.errors import CalibrationDataError
from core.domain.model_version import CalibrationRecord
from core.domain.radiograph import Polarity
from core.engine.detector import Detector
from core.evaluate.matching import counts_despite, match
from core.labelling.coco import CocoImage, read_coco
from core.registry.artefact import CALIBRATION, WEIGHTS, read_calibration
from core.services.evaluation.evaluating import Progress
from core.services.evaluation.recorded_images import cluster_name, detect_recorded, select_images

log = logging.getLogger(__name__)
#: The score cut is the lowest score, in hundredths, from which this share of the boxes is true.
MINIMUM_SHARE_TRUE = 0.2
#: ... unless fewer than this share of the true boxes would be left.
LEAST_TRUE_KEPT = 0.5
_F_MEASURE = "the best F-measure on the parts that calibrate"
#: Operating probabilities that the page's threshold can show.
_CANDIDATES = np.round(np.arange(0.10, 0.905, 0.01), 2)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold that was chosen by another rule than the best F-measure.

    Attributes:
        probability: calibrated, 0.10 to 0.90.
        why: the rule, and on which parts it was applied, for the card.

    Raises:
        CalibrationDataError: it lies outside, or the rule is missing.
    """

    probability: float
    why: str

    def __post_init__(self) -> None:
        if not _CANDIDATES[0] <= self.probability <= _CANDIDATES[-1] or not self.why.strip():
            raise CalibrationDataError(
                f"expected an operating probability from 0.10 to 0.90 with its reason, got {self.probability}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationSet:
    """Detections on parts that trained nothing, matched at IoU 0.5.

    Attributes:
        scores: (M,) raw.
        is_true: (M,) bool.
        groups: M names of series, film or image.
        n_truth: recorded boxes in all images, found or not.
        n_images: images run.
        parts: all series, films or images that were run, also those without a detection.
    """

    scores: npt.NDArray[np.float32]
    is_true: npt.NDArray[np.bool_]
    groups: tuple[str, ...]
    n_truth: int
    n_images: int
    parts: frozenset[str]

    def above(self, score_cut: float) -> "CalibrationSet":
        """The same images with the detections at or above the cut."""
        keep = self.scores >= score_cut
        groups = tuple(name for name, is_kept in zip(self.groups, keep, strict=True) if is_kept)
        return replace(self, scores=self.scores[keep], is_true=self.is_true[keep], groups=groups)


def collect_calibration_set(
    detector: Detector,
    coco: Path,
    images_dir: Path,
    *,
    series: Collection[str] | None = None,
    polarity: Polarity = Polarity.UNKNOWN,
    progress: Progress | None = None,
) -> CalibrationSet:
    """The detections on the images of a COCO file, true or false: all above the detector's floor.

    Args:
        detector: of the version, or of one fold when cross-fitting.
        coco: the COCO detection file.
        images_dir: the folder that its file names are relative to.
        series: only images of these series; None takes all.
        polarity: of images when neither they nor the COCO file say.
        progress: called after each image.

    Raises:
        DatasetError: when the COCO file, its images and their sizes do not belong together.
    """
    images = select_images(read_coco(coco), images_dir, series)
    detections = []
    for done, image in enumerate(images, start=1):
        detections.append(detect_recorded(detector, image, images_dir, polarity))
        if progress is not None:
            progress(done, len(images))
    return calibration_set(images, detections)


def calibration_set(images: Sequence[CocoImage], detections: Sequence[Detections]) -> CalibrationSet:
    """The detections of `images`, true or false, without those on crowds; one entry of each an image."""
    pairs = [(image, _counting(image, found)) for image, found in zip(images, detections, strict=True)]
    matches = [match(found.boxes, found.scores, image.boxes).is_true for image, found in pairs]
    return CalibrationSet(
        scores=np.concatenate([found.scores for _, found in pairs]),
        is_true=np.concatenate(matches),
        groups=tuple(name for image, found in pairs for name in [cluster_name(image)] * len(found)),
        n_truth=sum(len(image.boxes) for image in images),
        n_images=len(images),
        parts=frozenset(cluster_name(image) for image in images),
    )


def _counting(image: CocoImage, found: Detections) -> Detections:
    if not len(image.ignored):
        return found
    return found.take(np.flatnonzero(counts_despite(found.boxes, found.scores, image.boxes, image.ignored)))


def join_calibration_sets(sets: Sequence[CalibrationSet]) -> CalibrationSet:
    """All sets as one: several data sets, or the out-of-fold detections of a cross-fitted model.

    Raises:
        CalibrationDataError: when there is none.
    """
    if not sets:
        raise CalibrationDataError("cannot calibrate: no images were given")
    return CalibrationSet(
        np.concatenate([s.scores for s in sets]),
        np.concatenate([s.is_true for s in sets]),
        tuple(name for s in sets for name in s.groups),
        sum(s.n_truth for s in sets),
        sum(s.n_images for s in sets),
        frozenset().union(*(s.parts for s in sets)),
    )


def choose_score_cut(collected: CalibrationSet) -> float:
    """The lowest score, in hundredths, from which a fifth of the boxes is true.

    Below it a reader would mostly be shown noise, and a calibrator would be fitted to noise: with every
    box above 0.05 counted, D-ECE looks ten times better than where a decision is taken. But never
    higher than where half of the true boxes are left, so a weak model keeps something to calibrate.
    """
    cuts = np.round(np.arange(0.01, 0.96, 0.01), 2)
    is_kept = collected.scores[None, :] >= cuts[:, None].astype(np.float32)
    n_kept, n_true = is_kept.sum(axis=1), (is_kept & collected.is_true).sum(axis=1)
    is_enough = n_true >= MINIMUM_SHARE_TRUE * n_kept
    is_allowed = n_true >= LEAST_TRUE_KEPT * n_true[0]
    highest_allowed = int(np.flatnonzero(is_allowed)[-1])
    first_enough = int(np.argmax(is_enough)) if is_enough.any() else highest_allowed
    return float(cuts[min(first_enough, highest_allowed)])


def fit_calibration(
    collected: CalibrationSet,
    path: Path,
    *,
    description: str,
    score_cut: float | None = None,
    method: str | None = None,
    operating: OperatingPoint | None = None,
) -> CalibrationRecord:
    """The record now written to `path` (calibration.json of an artefact folder).

    Args:
        collected: all detections above the detector's floor.
        path: where to write.
        description: which parts these are, one phrase, for the card.
        score_cut: what is below it is neither reported nor calibrated; None takes `choose_score_cut`.
        method: a key of `core.calibrate.calibrator.FIT`; None chooses by the rule of `compare_methods`.
        operating: was chosen elsewhere; None takes `operating_probability`.

    Raises:
        CalibrationDataError: on no box, only true ones or only false ones.
    """
    cut = choose_score_cut(collected) if score_cut is None else score_cut
    collected = collected.above(cut)
    choice = choose_calibrator(collected.scores, collected.is_true, collected.groups, method=method)
    calibrator, reason = choice.calibrator, choice.reason
    if len(np.unique(calibrator.probability(np.array([cut, 1.0])))) == 1:
        log.warning("flat calibration: on %s a higher score did not mean a true box more often", description)
        reason += "; flat: the score says nothing about these boxes"
    n_true = int(collected.is_true.sum())
    content = {
        "method": calibrator.method,
        "parameters": list(calibrator.parameters),
        "score_cut": cut,
        "operating_probability": operating_probability(collected, calibrator)
        if operating is None
        else operating.probability,
        "operating_chosen": _F_MEASURE if operating is None else operating.why,
        "fitted_on": f"{description}: {len(collected.scores)} boxes ({n_true} true) in {collected.n_images} "
        f"images of {len(collected.parts)} parts",
        "chosen": reason,
        "parts": sorted(collected.parts),  # read by what must not use them again
        "comparison": choice.comparison.to_dict() if choice.comparison else None,
        "outer_folds": [
            fold.to_dict() for fold in outer_folds(collected.scores, collected.is_true, collected.groups)
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return read_calibration(path)


def operating_probability(collected: CalibrationSet, calibrator: Calibrator) -> float:
    """The threshold from 0.10 to 0.90 in hundredths with the best F-measure; the lowest of equals.

    Args:
        collected: the detections; boxes that were never found count as missed.
        calibrator: gives their probabilities.
    """
    probabilities = calibrator.probability(collected.scores)
    is_reported = probabilities[None, :] >= _CANDIDATES[:, None]
    hits = (is_reported & collected.is_true).sum(axis=1)
    f_measure = 2 * hits / (is_reported.sum(axis=1) + collected.n_truth)
    return float(_CANDIDATES[np.argmax(f_measure)])


def calibrate_artefact(
    folder: Path,
    sources: Sequence[tuple[Path, Path, Collection[str] | None]],
    *,
    description: str,
    polarity: Polarity = Polarity.UNKNOWN,
    operating: OperatingPoint | None = None,
    progress: Progress | None = None,
) -> CalibrationRecord:
    """The record now written as calibration.json beside the weights in `folder`.

    Args:
        folder: holds the weights; card and manifest may still be missing.
        sources: (COCO file, images folder, series or None for all); none of it may have trained.
        description: which parts these are, one phrase, for the card.
        polarity: of images when neither they nor the COCO file say.
        operating: see `fit_calibration`.
        progress: called after each image of each source.

    Raises:
        CalibrationDataError: when the detections cannot calibrate.
        ModelArtefactError: when the weights cannot be used.
        DatasetError: when a source contradicts itself.
    """
    detector = Detector.load(folder / WEIGHTS)
    collected = [
        collect_calibration_set(detector, coco, images, series=series, polarity=polarity, progress=progress)
        for coco, images, series in sources
    ]
    joined = join_calibration_sets(collected)
    return fit_calibration(joined, folder / CALIBRATION, description=description, operating=operating)
