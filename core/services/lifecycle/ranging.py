"""Measuring the ranges that the 8-bit copy of a version needs, on images that taught it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.domain.errors import DatasetError
from core.engine.detector import Detector
from core.engine.ranges import Ranges, ranges_of
from core.registry.artefact import RANGES, WEIGHTS, file_sha256
from core.services.evaluation.evaluating import Progress
from core.services.lifecycle.release_images import normalised_images

#: So many views of a part are looked at, evenly over those that there are.
VIEWS_A_PART = 3


def write_ranges(
    specification: Mapping[str, Any],
    folder: Path,
    *,
    data: Path,
    splits: Path,
    progress: Progress | None = None,
) -> Ranges:
    """The ranges of the version in `folder`, written beside its weights; earlier ones are replaced.

    Args:
        specification: of the release; its `ranges` names images that taught it.
        folder: of the version.
        data: folder of the COCO files and images.
        splits: folder of the split lists.
        progress: called after each image.

    Raises:
        DatasetError: specification and data do not fit, or there are no images.
        ModelArtefactError: the weights cannot be used.
    """
    entries = specification.get("ranges")
    if not entries:
        raise DatasetError("the specification lacks ranges: images that taught the version")
    detector = Detector.load(folder / WEIGHTS, dtype=torch.float32)
    count = 0

    def views() -> Iterator[Tensor]:
        nonlocal count
        looked_at = normalised_images(
            entries, detector.polarity, data, splits, progress, at_most=VIEWS_A_PART
        )
        for pixels, _ in looked_at:
            count += 1
            for view in detector.views_of(pixels):
                yield detector.view_tensor(pixels, view)

    found = ranges_of(detector.network, views(), weights_sha256=file_sha256(folder / WEIGHTS))
    if not count:
        raise DatasetError("there are no images to measure ranges on")
    (folder / RANGES).write_text(found.to_json(), encoding="utf-8")
    return found
