"""The images of a recipe, read, normalised and ready to be cropped."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.engine.network import HEAD_CLASSES
from core.imaging.normalise import normalise
from core.imaging.read import read_radiograph_file
from core.labelling.coco import CocoImage, read_coco
from core.labelling.split import members_of, names_of, read_split, select
from core.training.contrast_outline import outline_in
from core.training.mask_target import MaskTarget, OutlinedPiece, mask_target, piece_within, pieces_of
from core.training.recipe import (
    CocoSource,
    FlawFreeSource,
    LaidSource,
    Recipe,
    SimulatedSource,
    VirtualSource,
)

if TYPE_CHECKING:
    from core.simulate.truth import SimulatedFlaw

log = logging.getLogger(__name__)
#: Index of each class among `HEAD_CLASSES`, by its name.
CLASS_IDS = {c.value: i for i, c in enumerate(HEAD_CLASSES)}


@dataclass(frozen=True, slots=True, eq=False)
class TrainingImage:
    """One image as the crops are cut from it.

    Attributes:
        pixels: (H, W) float16, normalised, in the network's polarity.
        boxes: (N, 4) float32 xyxy, absolute px.
        class_ids: (N,) int64, index into `HEAD_CLASSES`, -1 where not known.
        is_ignored: (N,) bool, boxes that teach nothing.
        series: the part it shows.
        weight: relative share of crops.
        identity: what the data manifest says of it.
        mask: outlines, when the recipe trains a mask head.
        is_mined: whether false reports on it are looked for.
    """

    pixels: npt.NDArray[np.float16]
    boxes: npt.NDArray[np.float32]
    class_ids: npt.NDArray[np.int64]
    is_ignored: npt.NDArray[np.bool_]
    series: str
    weight: float
    identity: dict[str, Any]
    mask: MaskTarget | None = None
    is_mined: bool = False


def load_images(recipe: Recipe, data_dir: Path, split_dir: Path) -> list[TrainingImage]:
    """All images of the recipe.

    Args:
        recipe: what to read.
        data_dir: holds the COCO files and images.
        split_dir: `recipe` names its split files relative to this folder.

    Raises:
        DatasetError: when a file is missing or a split names what is not there.
        UnreadableImageError: when an image cannot be read.
    """
    images: list[TrainingImage] = []
    for source in recipe.sources:
        if isinstance(source, CocoSource):
            found = list(_from_coco(source, recipe, data_dir, split_dir))
        elif isinstance(source, FlawFreeSource):
            found = list(_flaw_free(source, recipe, data_dir))
        elif isinstance(source, VirtualSource):
            from core.training.virtual import virtual_images  # simulates only when a recipe asks for it

            found = list(virtual_images(source, recipe.polarity, data_dir, has_mask=recipe.network.has_mask))
        elif isinstance(source, LaidSource):
            from core.training.laid import laid_images

            found = list(laid_images(source, recipe.polarity, data_dir, has_mask=recipe.network.has_mask))
        else:
            found = list(_simulated(source, recipe))
        if not found:
            raise DatasetError(f"no image is left of the source {source}")
        log.info("%s: %d images, %d boxes", source, len(found), sum(len(i.boxes) for i in found))
        images += found
    return images


def _from_coco(
    source: CocoSource, recipe: Recipe, data_dir: Path, split_dir: Path
) -> Iterator[TrainingImage]:
    dataset = read_coco(data_dir / source.coco)
    images = list(dataset.images)
    if source.split is not None:
        parts = read_split(split_dir / source.split)
        images = select(dataset.images, members_of(parts, source.part))
    images = [image for image in images if not names_of(image).intersection(recipe.excluded)]
    if not images:
        return
    counts = {s: sum(i.series == s for i in images) for s in {i.series for i in images}}
    total = sum(count**0.5 for count in counts.values())
    for image in images:
        # a series of n frames of one part counts as sqrt(n), not n
        weight = source.weight * counts[image.series] ** -0.5 / total
        yield _coco_image(image, source, recipe, data_dir, weight)


def _coco_image(
    image: CocoImage, source: CocoSource, recipe: Recipe, data_dir: Path, weight: float
) -> TrainingImage:
    said = Polarity(str(image.extra.get("polarity", source.polarity)))  # the entry of the image wins
    radiograph = read_radiograph_file(data_dir / image.file_name, polarity=said, frame=image.frame)
    if (radiograph.width, radiograph.height) != (image.width, image.height):
        raise DatasetError(f"{image.file_name} is not the size that {source.coco} says")
    known = [CLASS_IDS.get(label, -1) if source.are_classes_known else -1 for label in image.labels]
    known += [-1] * len(image.ignored)
    boxes = np.concatenate([image.boxes, image.ignored])
    sizes = (image.boxes[:, 2:] - image.boxes[:, :2]).max(axis=1, initial=0)
    return TrainingImage(
        pixels=_normalised(radiograph.pixels, radiograph.polarity, recipe),
        boxes=boxes,
        class_ids=np.array(known, np.int64),
        is_ignored=np.concatenate([sizes < source.ignore_below_px, np.ones(len(image.ignored), np.bool_)]),
        series=image.series or image.file_name,
        weight=weight,
        identity={"sha256": radiograph.sha256, "file_name": image.file_name, "series": image.series},
        mask=_drawn_mask(image, source, data_dir, radiograph.pixels) if recipe.network.has_mask else None,
    )


def _normalised(
    pixels: npt.NDArray[np.generic], polarity: Polarity, recipe: Recipe
) -> npt.NDArray[np.float16]:
    return normalise(pixels, polarity=polarity, model_polarity=recipe.polarity).astype(np.float16)


def _drawn_mask(
    image: CocoImage, source: CocoSource, data_dir: Path, pixels: npt.NDArray[np.generic]
) -> MaskTarget:
    """Of the drawn mask, else of outlines; what lies outside of boxes alone teaches what to leave alone."""
    shape = (image.height, image.width)
    if not source.has_masks:
        pieces = [piece_within(outline, shape) if outline else None for outline in image.outlines]
        if source.outlines_by_contrast:
            plane = pixels.astype(np.float32)
            made_out = [outline_in(plane, box) for box in image.boxes]
            pieces = [drawn or found for drawn, found in zip(pieces, made_out, strict=True)]
        boxes_alone = [box for box, piece in zip(image.boxes, pieces, strict=True) if piece is None]
        return mask_target(shape, [piece for piece in pieces if piece is not None], boxes_alone)
    drawn = read_radiograph_file(data_dir / str(image.extra["mask"])).pixels
    if drawn.shape != shape:
        raise DatasetError(f"{image.extra['mask']} is not the size of {image.file_name}")
    return mask_target(shape, pieces_of(drawn, source.ignore_below_px))


def outlined(truth: "Iterable[SimulatedFlaw]") -> list[OutlinedPiece]:
    """The outlines of simulated flaws."""
    return [OutlinedPiece((int(f.bbox[0]), int(f.bbox[1])), f.mask, teaches=f.visible) for f in truth]


def _flaw_free(source: FlawFreeSource, recipe: Recipe, data_dir: Path) -> Iterator[TrainingImage]:
    for file_name in source.flaw_free:
        radiograph = read_radiograph_file(data_dir / file_name, polarity=source.polarity)
        yield TrainingImage(
            pixels=_normalised(radiograph.pixels, radiograph.polarity, recipe),
            boxes=np.zeros((0, 4), np.float32),
            class_ids=np.zeros(0, np.int64),
            is_ignored=np.zeros(0, np.bool_),
            series=Path(file_name).stem,
            weight=source.weight / len(source.flaw_free),
            identity={
                "sha256": radiograph.sha256,
                "file_name": file_name,
                "series": Path(file_name).stem,
            },
            mask=mask_target(radiograph.pixels.shape, []) if recipe.network.has_mask else None,
        )


def _simulated(source: SimulatedSource, recipe: Recipe) -> Iterator[TrainingImage]:
    from core.simulate.config import SimulationConfig  # renders only when a recipe asks for it
    from core.simulate.kinds import mix_with
    from core.simulate.render import simulate_weld

    config = SimulationConfig(mix=mix_with(source.mix))
    for seed in range(source.seed, source.seed + source.count):
        radiograph = simulate_weld(seed, config)
        truth = radiograph.truth
        yield TrainingImage(
            pixels=_normalised(radiograph.pixels, radiograph.polarity, recipe),
            boxes=np.array([f.bbox for f in truth], np.float32).reshape(-1, 4),
            class_ids=np.array([CLASS_IDS.get(f.flaw_class.value, -1) for f in truth], np.int64),
            is_ignored=np.array([not f.visible for f in truth], np.bool_),
            series=f"simulated-{seed}",
            weight=source.weight / source.count,
            identity={
                "sha256": hashlib.sha256(radiograph.pixels.tobytes()).hexdigest(),
                "file_name": f"simulated-{seed}",
                "series": f"simulated-{seed}",
                "seed": seed,
            },
            mask=mask_target(radiograph.pixels.shape, outlined(truth)) if recipe.network.has_mask else None,
        )
