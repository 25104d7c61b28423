"""The boxes that explanations of a version are measured on."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.domain.inspection import DetectionResult
from core.domain.model_version import ModelVersion
from core.domain.radiograph import Polarity
from core.evaluate.matching import counts_despite, match
from core.labelling.coco import CocoImage
from core.services.evaluation.recorded_images import read_recorded
from core.services.inference.detecting import DetectService

#: Bounds in px of the shorter side between small, middle and large boxes.
SMALL_PX, LARGE_PX = 16.0, 40.0
#: More boxes of one image say the same again; where there are few images, twice as many as are wanted.
AT_MOST_PER_IMAGE, SPARE = 6, 2


@dataclass(frozen=True, slots=True, eq=False)
class SampledBox:
    """A box with what is known about it.

    Attributes:
        result: of the image.
        index: of the detection.
        image: name of the file.
        is_true: it matches a recorded box at IoU 0.5.
        is_reported: its probability is at or above the operating point.
        size: "small", "middle" or "large".
        class_name: as the model says.
    """

    result: DetectionResult
    index: int
    image: str
    is_true: bool
    is_reported: bool
    size: str
    class_name: str

    @property
    def stratum(self) -> str:
        """Kind, size and class in one."""
        return f"{self.kind}, {self.size}, {self.class_name}"

    @property
    def kind(self) -> str:
        """Whether it is true, false, or too weak to be reported."""
        return ("true" if self.is_true else "false") if self.is_reported else "low score"

    @property
    def probability(self) -> float:
        """Calibrated."""
        probabilities = self.result.detections.probabilities
        assert probabilities is not None
        return float(probabilities[self.index])


def sample_boxes(
    detect: DetectService,
    images: Sequence[CocoImage],
    images_dir: Path,
    version: ModelVersion,
    *,
    count: int,
    polarity: Polarity,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[SampledBox]:
    """Up to `count` boxes, as evenly over the strata as they allow.

    Images are read in a random order until there are four times as many candidates as are wanted.

    Args:
        detect: runs the version.
        images: with recorded boxes.
        images_dir: their folder.
        version: whose boxes are sampled.
        count: how many.
        polarity: of images that do not say theirs.
        seed: of the order.
        progress: called with images read and images in all.
    """
    rng = np.random.default_rng(seed)
    found: list[SampledBox] = []
    at_most = max(AT_MOST_PER_IMAGE, -(-SPARE * count // max(len(images), 1)))
    for done, number in enumerate(rng.permutation(len(images)), start=1):
        boxes = _boxes_of(detect, images[int(number)], images_dir, version, polarity)
        found.extend(_even(boxes, at_most, rng))
        if progress is not None:
            progress(done, len(images))
        if len(found) >= 4 * count:
            break
    return _even(found, count, rng)


def _boxes_of(
    detect: DetectService,
    image: CocoImage,
    images_dir: Path,
    version: ModelVersion,
    polarity: Polarity,
) -> list[SampledBox]:
    radiograph = read_recorded(image, images_dir, polarity)
    result = detect.detect(radiograph, image.file_name, model=version.name, version=version.version)
    found = result.detections
    if not len(found):
        return []
    is_true = match(found.boxes, found.scores, image.boxes).is_true
    counts = np.ones(len(found), bool)
    if len(image.ignored):
        counts = counts_despite(found.boxes, found.scores, image.boxes, image.ignored)
    reported = set(found.reported(version.calibration.operating_probability).tolist())
    return [
        SampledBox(
            result,
            int(index),
            image.file_name,
            bool(is_true[index]),
            int(index) in reported,
            _size(found.boxes[index]),
            found.classes[index].value,
        )
        for index in np.flatnonzero(counts)
    ]


def _even(found: list[SampledBox], count: int, rng: np.random.Generator) -> list[SampledBox]:
    """One of each stratum in turn until there are enough."""
    strata: dict[str, list[SampledBox]] = defaultdict(list)
    for number in rng.permutation(len(found)):
        strata[found[int(number)].stratum].append(found[int(number)])
    chosen: list[SampledBox] = []
    while len(chosen) < count and any(strata.values()):
        for name in sorted(strata):
            if strata[name] and len(chosen) < count:
                chosen.append(strata[name].pop())
    return sorted(chosen, key=lambda box: (box.image, box.index))


def _size(box: np.ndarray) -> str:
    shorter = float((box[2:] - box[:2]).min())
    return "small" if shorter < SMALL_PX else "large" if shorter >= LARGE_PX else "middle"
