"""Measuring with which probability a version detects flaws of a size."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.special import logit

from core.calibrate.calibrator import calibrator_from
from core.domain.errors import DatasetError
from core.domain.model_version import ModelVersion
from core.domain.ports import ModelSource
from core.domain.radiograph import Polarity, Radiograph
from core.engine.detector import SCORE_FLOOR
from core.evaluate.matching import Boxes
from core.evaluate.pod import estimate_pod
from core.evaluate.pod_models import Bools, Floats
from core.evaluate.pod_response import estimate_response
from core.evaluate.pod_targets import ImageTargets, Targets, targets_of
from core.imaging.read import read_radiograph
from core.labelling.coco import CocoImage, read_coco
from core.registry.seen import seen_by
from core.services.evaluation.recorded_images import read_recorded, select_images
from core.services.inference.detecting import DetectService
from core.simulate.config import SimulationConfig
from core.simulate.dataset import encode_png
from core.simulate.kinds import FlawKind
from core.simulate.render import simulate_weld

#: (done, in all): flaws of simulated welds, images of a file.
Progress = Callable[[int, int], None]
#: Kinds of flaws for a measurement: many cracks and single pores, few of the clusters that would otherwise
#: be nine flaws of ten.
MIX = {
    FlawKind.GAS_PORE: 6.0,
    FlawKind.CLUSTERED_POROSITY: 0.1,
    FlawKind.LINEAR_POROSITY: 0.1,
    FlawKind.ELONGATED_CAVITY: 2.0,
    FlawKind.WORMHOLE: 1.0,
    FlawKind.LONGITUDINAL_CRACK: 4.0,
    FlawKind.TRANSVERSE_CRACK: 4.0,
    FlawKind.SLAG_INCLUSION: 4.0,
    FlawKind.TUNGSTEN_INCLUSION: 1.0,
    FlawKind.LACK_OF_PENETRATION: 2.0,
    FlawKind.LACK_OF_FUSION: 3.0,
    FlawKind.UNDERCUT: 1.0,
}
#: Of the first simulated weld; no shipped version was taught or calibrated on seeds from here on.
FIRST_SEED = 940_000
_PX_COMPRESSION = 0


class SizeMeasure(StrEnum):
    """What of a flaw is its size."""

    LENGTH = "length"
    WIDTH = "width"
    HEIGHT = "height"


@dataclass(frozen=True, slots=True, eq=False)
class _Sized:
    """An image with flaws of known size: digests, (N, 4) boxes xyxy px, (N,) mm, N classes, (N,) shown."""

    name: str
    radiograph: Radiograph
    digests: frozenset[str]
    truth: Boxes
    size_mm: Floats
    labels: tuple[str, ...]
    is_visible: Bools


class PodEvaluateService:
    """Runs a version on flaws of known size and estimates its probability of detection."""

    def __init__(self, detect: DetectService, models: ModelSource) -> None:
        self._detect, self._models = detect, models

    def on_simulated(
        self,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        flaws: int = 2000,
        seed: int = FIRST_SEED,
        measure: SizeMeasure = SizeMeasure.WIDTH,
        progress: Progress = lambda *_: None,
    ) -> dict[str, Any]:
        """The figures on simulated welds of the seeds from `seed` on, until they hold so many flaws.

        Args:
            model: as it is registered.
            version: of it; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            flaws: at least so many that the pictures show.
            seed: of the first radiograph.
            measure: what counts as the size of a flaw.
            progress: told how many flaws of how many.

        Raises:
            ModelNotFoundError: there is no such version.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        images = _simulated(seed, flaws, measure, progress)
        name = f"simulated welds from seed {seed}"
        return self._measured(resolved, folder, images, on=name, measure=measure)

    def on_coco(
        self,
        coco: Path,
        images_dir: Path,
        *,
        model: str,
        version: int | None = None,
        alias: str = "champion",
        series: Collection[str] | None = None,
        polarity: Polarity = Polarity.UNKNOWN,
        measure: SizeMeasure = SizeMeasure.WIDTH,
        progress: Progress = lambda *_: None,
    ) -> dict[str, Any]:
        """The figures on recorded boxes, sized by `size_mm`, else their outlines, else themselves.

        Args:
            coco: the COCO detection file.
            images_dir: the folder that its file names are relative to.
            model: as it is registered.
            version: of it; None takes the one that bears `alias`.
            alias: "champion" or "challenger".
            series: only images of these series; None takes all.
            polarity: of images when neither they nor the COCO file say.
            measure: what counts as the size of a flaw; an outline and a box have length and width.
            progress: told how many images of how many.

        Raises:
            ModelNotFoundError: there is no such version.
            DatasetError: file, images and sizes do not belong together, or a size is not known.
        """
        resolved, folder = self._models.resolve(model, version=version, alias=alias)
        chosen = select_images(read_coco(coco), images_dir, series)
        images = _recorded(chosen, images_dir, polarity, measure, progress)
        return self._measured(resolved, folder, images, on=coco.name, measure=measure)

    def _measured(
        self, version: ModelVersion, folder: Path, images: Iterator[_Sized], *, on: str, measure: SizeMeasure
    ) -> dict[str, Any]:
        trained_on = seen_by(self._models, version, folder).trained_on
        decision = operating_score(version)
        found: list[ImageTargets] = []
        digest, n_trained_on = hashlib.sha256(measure.value.encode()), 0
        for image in images:
            n_trained_on += not trained_on.isdisjoint(image.digests)
            digest.update(f"{sorted(image.digests)} {image.size_mm.round(6).tolist()}".encode())
            found.append(self._targets(image, version, decision))
        targets = Targets.of(found)
        return {
            "model": version.name,
            "version": version.version,
            "sha256": version.sha256,
            "on": on,
            "set_digest": digest.hexdigest(),
            "measure": measure.value,
            "operating_probability": version.calibration.operating_probability,
            "calibration_id": version.calibration.calibration_id,
            "n_images": targets.n_images,
            "n_trained_on": n_trained_on,
            "n_targets": int(targets.is_visible.sum()),
            "n_faint": int((~targets.is_visible).sum()),
            "false_calls_per_image": round(targets.n_false / max(targets.n_images, 1), 3),
        } | pod_figures(targets, decision)

    def _targets(self, image: _Sized, version: ModelVersion, decision: float) -> ImageTargets:
        found = self._detect.detect(
            image.radiograph,
            image.name,
            model=version.name,
            version=version.version,
            min_score=min(SCORE_FLOOR, decision),
        ).detections
        scores = found.scores.astype(np.float64)
        return targets_of(
            image.truth,
            image.size_mm,
            image.labels,
            image.is_visible,
            found.boxes,
            scores,
            operating_score=decision,
        )


def pod_figures(targets: Targets, decision: float) -> dict[str, Any]:
    """Every estimate as plain data: hit/miss over all that is visible, by class, with strict matching, with
    what is too faint to see, and by response.

    Args:
        targets: that were found or not.
        decision: the score from which a box is called.
    """
    seen = targets.subset(targets.is_visible)
    hits = seen.scores >= decision
    low = float(logit(min(SCORE_FLOOR, decision)))
    responses = np.maximum(logit(np.clip(seen.scores, 1e-6, 1 - 1e-6)), low)
    by_class = {name: seen.of_class(name) for name in sorted(set(seen.labels))}
    return {
        "pod": estimate_pod(seen.size_mm, hits).to_dict(),
        "by_class": {
            name: estimate_pod(one.size_mm, one.scores >= decision).to_dict()
            | {"bins": _bins(one.size_mm, one.scores >= decision)}
            for name, one in by_class.items()
        },
        "strict": estimate_pod(seen.size_mm, seen.strict_scores >= decision, has_curve=False).to_dict(),
        "with_faint": estimate_pod(targets.size_mm, targets.scores >= decision, has_curve=False).to_dict(),
        "response": estimate_response(
            seen.size_mm, responses, floor=low, decision=float(logit(decision))
        ).to_dict(),
        "bins": _bins(seen.size_mm, hits),
    }


def operating_score(version: ModelVersion) -> float:
    """The lowest score that the version reports at its operating probability, never below its score cut."""
    calibration = version.calibration
    calibrator = calibrator_from(calibration.method, calibration.parameters)
    scores = np.linspace(0.001, 0.999, 999).astype(np.float32)
    reported = calibrator.probability(scores) >= calibration.operating_probability
    lowest = float(scores[int(reported.argmax())]) if reported.any() else float(scores[-1])
    return max(lowest, calibration.score_cut)


def _simulated(seed: int, flaws: int, measure: SizeMeasure, progress: Progress) -> Iterator[_Sized]:
    config = SimulationConfig(mix=MIX)
    done = 0
    while done < flaws:
        made = simulate_weld(seed, config)
        name = f"weld_{seed:06d}.png"
        content = encode_png(made, _PX_COMPRESSION)
        radiograph = read_radiograph(content, name, polarity=made.polarity)
        yield _Sized(
            name,
            radiograph,
            frozenset({radiograph.sha256, hashlib.sha256(made.pixels.tobytes()).hexdigest()}),
            np.array([flaw.bbox for flaw in made.truth], np.float32).reshape(-1, 4),
            np.array([_of_three(flaw.size_mm, measure) for flaw in made.truth], np.float64),
            tuple(str(flaw.flaw_class) for flaw in made.truth),
            np.array([flaw.visible for flaw in made.truth], np.bool_),
        )
        done += sum(flaw.visible for flaw in made.truth)
        seed += 1
        progress(min(done, flaws), flaws)


def _recorded(
    images: list[CocoImage], images_dir: Path, polarity: Polarity, measure: SizeMeasure, progress: Progress
) -> Iterator[_Sized]:
    for number, image in enumerate(images, start=1):
        radiograph = read_recorded(image, images_dir, polarity)
        digests = {radiograph.sha256}
        if "seed" in image.extra:
            digests.add(hashlib.sha256(radiograph.pixels.tobytes()).hexdigest())
        sizes = [_recorded_size(image, index, measure) for index in range(len(image.boxes))]
        visible = np.array([one.get("visible", True) is not False for one in image.annotations], np.bool_)
        yield _Sized(
            image.file_name,
            radiograph,
            frozenset(digests),
            image.boxes,
            np.array(sizes, np.float64),
            image.labels,
            visible,
        )
        progress(number, len(images))


def _recorded_size(image: CocoImage, index: int, measure: SizeMeasure) -> float:
    said = image.annotations[index].get("size_mm")
    if isinstance(said, list) and len(said) == 3:
        return _of_three((float(said[0]), float(said[1]), float(said[2])), measure)
    pitch = image.extra.get("mm_per_px")
    if isinstance(pitch, bool) or not isinstance(pitch, int | float) or not pitch > 0:
        raise DatasetError(
            f"{image.file_name}: neither `size_mm` of a box nor `mm_per_px` of the image is known"
        )
    if measure is SizeMeasure.HEIGHT:
        raise DatasetError(f"{image.file_name}: a box has no height along the beam; choose length or width")
    sides = sorted(side * pitch for side in _sides_px(image, index))
    return sides[1] if measure is SizeMeasure.LENGTH else sides[0]


def _sides_px(image: CocoImage, index: int) -> tuple[float, float]:
    """Of the narrowest rectangle around the outline of a recorded flaw, else of its box."""
    if image.outlines and image.outlines[index]:
        _, (width, height), _ = cv2.minAreaRect(np.array(image.outlines[index], np.float32))
        return float(width), float(height)
    x1, y1, x2, y2 = image.boxes[index].tolist()
    return float(x2 - x1), float(y2 - y1)


def _of_three(size_mm: tuple[float, float, float], measure: SizeMeasure) -> float:
    return size_mm[list(SizeMeasure).index(measure)]


def _bins(size_mm: Floats, hits: Any) -> list[dict[str, Any]]:
    """Shares found in up to twelve groups of about as many targets each, for the eye."""
    order = np.argsort(size_mm, kind="stable")
    groups = [one for one in np.array_split(order, min(12, max(1, len(order) // 20))) if len(one)]
    return [
        {
            "size_mm": float(f"{np.exp(np.log(size_mm[one]).mean()):.4g}"),
            "n": len(one),
            "found": int(hits[one].sum()),
        }
        for one in groups
    ]
