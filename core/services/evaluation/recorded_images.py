"""The images of a COCO file with their recorded boxes, read from a folder and checked against it."""

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.domain.detections import Detections
from core.domain.errors import BadInputError, DatasetError
from core.domain.radiograph import Polarity, Radiograph, frame_digest
from core.engine.detector import SCORE_FLOOR, Detector
from core.evaluate.coco_average_precision import MAX_DETECTIONS
from core.evaluate.matching import counts_despite
from core.evaluate.outcome import ImageOutcome
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.coco import CocoDataset, CocoImage, file_in
from core.labelling.split import select


def select_images(
    dataset: CocoDataset, images_dir: Path, series: Collection[str] | None = None
) -> list[CocoImage]:
    """The images to use, in file order, all of them present in `images_dir` under the names they now bear.

    Args:
        dataset: a COCO file.
        images_dir: the folder that its file names are relative to.
        series: only images of these series, or these single views (stems of files); None takes all.

    Raises:
        DatasetError: when none is left, a file is missing, or two entries name one file.
    """
    chosen = list(dataset.images) if series is None else select(dataset.images, series)
    if not chosen:
        which = "has no images" if series is None else f"has no image of {', '.join(sorted(series))}"
        raise DatasetError(f"the COCO file {which}")
    chosen = [replace(image, file_name=file_in(images_dir, image.file_name)) for image in chosen]
    missing = [image.file_name for image in chosen if not (images_dir / image.file_name).is_file()]
    if missing:
        raise DatasetError(
            f"{len(missing)} of {len(chosen)} images are not in {images_dir}, the first: {missing[0]}"
        )
    counts = Counter((image.file_name, image.extra.get("dicom_frame")) for image in chosen)
    if twice := [name for (name, _), count in counts.items() if count > 1]:
        raise DatasetError(f"the image {twice[0]} is listed twice")
    return chosen


def read_recorded(image: CocoImage, images_dir: Path, polarity: Polarity) -> Radiograph:
    """The radiograph of one COCO image.

    Args:
        image: its entry; a `polarity` there wins over the argument.
        images_dir: the folder that its file name is relative to.
        polarity: when neither the file nor the entry says.

    Raises:
        UnreadableImageError: when the file cannot be read.
        DatasetError: when its size is not what the COCO file says, or the polarity is unknown to us.
    """
    try:
        said = Polarity(str(image.extra.get("polarity", polarity)))
    except ValueError as error:
        raise DatasetError(f"{image.file_name}: {error}") from error
    radiograph = read_radiograph_file(images_dir / image.file_name, polarity=said, frame=image.frame)
    if (radiograph.width, radiograph.height) != (image.width, image.height):
        raise DatasetError(
            f"{image.file_name} is {radiograph.width}x{radiograph.height}, "
            f"the COCO file says {image.width}x{image.height}: its boxes would lie elsewhere"
        )
    return radiograph


def detect_recorded(detector: Detector, image: CocoImage, images_dir: Path, polarity: Polarity) -> Detections:
    """The detections on one COCO image: all above the floor, at most 1,000, uncalibrated.

    Raises:
        UnreadableImageError, DatasetError: as `read_recorded`.
    """
    radiograph = read_recorded(image, images_dir, polarity)
    pixels = normalise(radiograph.pixels, polarity=radiograph.polarity, model_polarity=detector.polarity)
    return strongest(detector.detect(pixels, score_floor=SCORE_FLOOR))


def strongest(found: Detections) -> Detections:
    """The 1,000 highest scores: as many as count in the average precision."""
    return found.take(range(min(len(found), MAX_DETECTIONS)))


def outcome_of(image: CocoImage, found: Detections) -> ImageOutcome:
    """Recorded beside reported; `found` is calibrated.

    What was found on a crowd or on a box to be ignored, and is no recorded indication, does not count.

    Raises:
        DatasetError: when the entry of the image has a scale that is none.
    """
    if len(image.ignored):
        counts = counts_despite(found.boxes, found.scores, image.boxes, image.ignored)
        found = found.take(np.flatnonzero(counts))
    assert found.probabilities is not None  # a bug of the caller
    return replace(
        recorded_of(image),
        boxes=found.boxes,
        scores=found.scores,
        labels=tuple(str(c) for c in found.classes),
        probabilities=found.probabilities,
    )


def recorded_of(image: CocoImage) -> ImageOutcome:
    """The recorded boxes of an image, with nothing reported.

    Raises:
        DatasetError: when the entry of the image has a scale that is none.
    """
    nothing = np.zeros(0, np.float32)
    return ImageOutcome(
        name=image.file_name,
        cluster=cluster_name(image),
        truth=image.boxes,
        truth_labels=image.labels,
        boxes=nothing.reshape(0, 4),
        scores=nothing,
        labels=(),
        probabilities=nothing,
        mm_per_px=_mm_per_px(image),
    )


def count_trained_on(images: Sequence[CocoImage], images_dir: Path, trained_on: frozenset[str]) -> int:
    """The number of images that the manifest `trained_on` names, by the sha256 of the file.

    Simulated images (entries with a `seed`) also count by the sha256 of their pixels, because training
    renders them without a file.

    Raises:
        BadInputError: when a file cannot be read.
    """
    return sum(not trained_on.isdisjoint(_digests(image, images_dir)) for image in images)


def cluster_name(image: CocoImage) -> str:
    """The cluster that is resampled together: "series:...", else "parent_film:...", else "image:..."."""
    if image.series is not None:
        return f"series:{image.series}"
    if image.parent_film is not None:
        return f"parent_film:{image.parent_film}"
    return f"image:{image.file_name}"


def clusters_of(images: Sequence[CocoImage]) -> str:
    """The kinds of clusters of `images`, e.g. "series" or "series, image"."""
    kinds = {cluster_name(image).split(":", 1)[0] for image in images}
    return ", ".join(kind for kind in ("series", "parent_film", "image") if kind in kinds)


def _mm_per_px(image: CocoImage) -> float | None:
    said = image.extra.get("mm_per_px")
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 < said < math.inf:
        raise DatasetError(f"{image.file_name}: mm_per_px must be a positive number, the file says {said!r}")
    return float(said)


def _digests(image: CocoImage, images_dir: Path) -> frozenset[str]:
    path = images_dir / image.file_name
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        digests = {digest if image.frame is None else frame_digest(digest, image.frame)}
    except OSError as error:
        raise BadInputError(f"cannot read {path}: {error.strerror}") from error
    if "seed" in image.extra:
        pixels = read_radiograph_file(path).pixels
        digests.add(hashlib.sha256(pixels.tobytes()).hexdigest())
    return frozenset(digests)
