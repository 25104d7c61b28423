"""Training images of castings with large virtual flaws on radiographs that nobody labelled."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.coco import read_coco
from core.simulate.casting_flaws import LaidFlaws, lay_flaws
from core.training.images import TrainingImage
from core.training.mask_target import OutlinedPiece, mask_target
from core.training.recipe import LaidSource

_FULL = (1 << 16) - 1


def laid_images(
    source: LaidSource, polarity: Polarity, data_dir: Path, *, has_mask: bool = False
) -> Iterator[TrainingImage]:
    """The images of `source`, `variants` of each radiograph. A part of n frames counts as the root of n.

    Args:
        source: which radiographs and how many variants.
        polarity: the network's.
        data_dir: holds the COCO file and the radiographs.
        has_mask: whether the images bear outlines.

    Raises:
        DatasetError: when a radiograph holds something else than whole numbers.
        UnreadableImageError: when a radiograph cannot be read.
    """
    images = read_coco(data_dir / source.laid).images
    counts = {s: sum(i.series == s for i in images) for s in {i.series for i in images}}
    total = sum(count**0.5 for count in counts.values())
    seed = source.seed
    for image in images:
        radiograph = read_radiograph_file(
            data_dir / image.file_name, polarity=source.polarity, frame=image.frame
        )
        if radiograph.pixels.dtype == np.float32:
            raise DatasetError(f"{image.file_name}: virtual flaws need the whole grey values of a detector")
        grey = radiograph.pixels.astype(np.float32) / float((1 << radiograph.bit_depth) - 1)
        for _ in range(source.variants):
            made = lay_flaws(
                grey,
                np.random.default_rng(seed),
                count=source.flaws,
                taken=image.boxes,
                least_px=source.least_px,
            )
            pixels = np.rint(made.grey.clip(0, 1) * np.float32(_FULL)).astype(np.uint16)
            boxes = np.concatenate((made.boxes, image.boxes))
            yield TrainingImage(
                pixels=normalise(pixels, polarity=source.polarity, model_polarity=polarity).astype(
                    np.float16
                ),
                boxes=boxes,
                class_ids=np.full(len(boxes), -1, np.int64),
                is_ignored=np.concatenate((~made.is_visible, np.ones(len(image.boxes), np.bool_))),
                series=image.series or image.file_name,
                weight=source.weight * counts[image.series] ** -0.5 / total / source.variants,
                identity={
                    "sha256": radiograph.sha256,
                    "file_name": image.file_name,
                    "series": image.series,
                    "seed": seed,
                },
                mask=mask_target(pixels.shape, _outlined(made), image.boxes) if has_mask else None,
            )
            seed += 1


def _outlined(made: LaidFlaws) -> list[OutlinedPiece]:
    """The outlines of laid flaws; those that nobody can see teach nothing."""
    return [
        OutlinedPiece(corner, mask, teaches=bool(is_visible))
        for corner, mask, is_visible in zip(made.corners, made.masks, made.is_visible, strict=True)
    ]
