"""Random crops of training images: where, at what scale, and how they are varied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.training.images import TrainingImage
from core.training.lettering import lay_letters
from core.training.mask_target import WEIGHT_UNITS
from core.training.recipe import Schedule
from core.training.variation import turn, vary

#: Scale of the extra pass that finds long indications.
COARSE_SCALE = 0.25
#: A box cut by the crop's edge still counts when this share of it is left.
MIN_VISIBLE_SHARE = 0.35
#: At the coarse scale only indications this long, in px of the crop, are learnt.
MIN_COARSE_PX = 24.0
_SCALE_RANGE = (0.7, 1.4)


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One training example.

    Attributes:
        image: (1, S, S) float32, normalised.
        boxes: (N, 4) float32 xyxy, px of the crop.
        class_ids: (N,) int64, -1 where not known.
        is_ignored: (N,) bool.
        mask: (2, S/2, S/2) float32, share of flaw and weight of each cell of the mask head; None without
            outlines.
    """

    image: Tensor
    boxes: Tensor
    class_ids: Tensor
    is_ignored: Tensor
    mask: Tensor | None = None


class Batch(NamedTuple):
    """Several crops: (B, 1, S, S), then one tensor a crop, then (B, 2, S/2, S/2) or None."""

    images: Tensor
    boxes: list[Tensor]
    class_ids: list[Tensor]
    is_ignored: list[Tensor]
    masks: Tensor | None


class CropDataset(Dataset[Crop]):
    """Crop number i, the same for the same images, schedule and seed, so a run can be resumed.

    Args:
        images: to cut from.
        schedule: of the run.
        seed: of the crops.
        mined: by index of an image, (N, 4) xyxy px, places to put a share of the crops around.
    """

    def __init__(
        self,
        images: list[TrainingImage],
        schedule: Schedule,
        seed: int,
        mined: Mapping[int, npt.NDArray[np.float32]] | None = None,
    ) -> None:
        self._images = images
        self._draw = _Draw.of(images, range(len(images)))
        self._mined = mined or {}
        self._draw_mined = _Draw.of(images, sorted(self._mined)) if self._mined else None
        self._schedule = schedule
        self._seed = seed

    def __len__(self) -> int:
        return self._schedule.steps * self._schedule.batch

    def __getitem__(self, number: int) -> Crop:
        """Crop `number`."""
        rng = np.random.default_rng((self._seed, number))
        if self._draw_mined is not None and rng.random() < self._schedule.mined_share:
            index = self._draw_mined.index(rng)
            place = self._mined[index][rng.integers(len(self._mined[index]))]
            return cut(self._images[index], self._schedule, rng, around=place)
        return cut(self._images[self._draw.index(rng)], self._schedule, rng)


@dataclass(frozen=True, slots=True, eq=False)
class _Draw:
    """Draws images by their weights."""

    indices: Sequence[int]
    cumulative: npt.NDArray[np.float64]

    @classmethod
    def of(cls, images: Sequence[TrainingImage], indices: Sequence[int]) -> "_Draw":
        weights = np.array([images[i].weight for i in indices], np.float64)
        return cls(indices, np.cumsum(weights / weights.sum()))

    def index(self, rng: np.random.Generator) -> int:
        position = int(np.searchsorted(self.cumulative, rng.random() * self.cumulative[-1]))
        return self.indices[min(position, len(self.indices) - 1)]


def cut(
    image: TrainingImage,
    schedule: Schedule,
    rng: np.random.Generator,
    *,
    around: npt.NDArray[np.float32] | None = None,
) -> Crop:
    """A varied crop of `image`, of the place `around`, xyxy px, when there is one."""
    side = schedule.crop_px
    is_coarse = around is None and rng.random() < schedule.coarse_share and max(image.pixels.shape) > 2 * side
    varied = schedule.variation * rng.uniform(*np.log(_SCALE_RANGE))
    scale = float(np.exp(varied)) * (COARSE_SCALE if is_coarse else 1.0)
    x0, y0 = _place(image, side / scale, schedule, rng, around)
    planes = [_sample(image.pixels, x0, y0, side, scale)]
    if image.mask is not None:
        planes += [_sample(plane, x0, y0, side, scale) for plane in (image.mask.is_flaw, image.mask.weight)]
        planes[2] *= np.float32(
            0.0 if is_coarse else 1.0 / WEIGHT_UNITS
        )  # outlines are drawn at full scale only
    boxes = (image.boxes - np.array([x0, y0, x0, y0], np.float32)) * np.float32(scale)
    clipped = boxes.clip(0, side)
    share = _area(clipped) / np.maximum(_area(boxes), 1e-6)
    is_kept = share > 0.02
    is_ignored = image.is_ignored | (share < MIN_VISIBLE_SHARE)
    if is_coarse:
        is_ignored = is_ignored | ((clipped[:, 2:] - clipped[:, :2]).max(axis=1, initial=0) < MIN_COARSE_PX)
    if schedule.letters_share and rng.random() < schedule.letters_share:
        planes[0], is_covered, lead = lay_letters(planes[0], clipped, scale, rng)
        is_ignored = is_ignored | is_covered
        if image.mask is not None:
            planes[2] *= np.where(planes[1] > 0, 1 - lead, np.float32(1))  # nobody sees a flaw under lead
    stack = np.stack(planes)
    if rng.random() < schedule.turned_share:
        stack, clipped = turn(stack, clipped, rng)
    pixels = vary(stack[0], schedule.variation, rng)
    mask = None if image.mask is None else stack[1:].reshape(2, side // 2, 2, side // 2, 2).mean(axis=(2, 4))
    return Crop(
        torch.from_numpy(np.ascontiguousarray(pixels))[None],
        torch.from_numpy(np.ascontiguousarray(clipped[is_kept], np.float32)),
        torch.from_numpy(image.class_ids[is_kept]),
        torch.from_numpy(is_ignored[is_kept]),
        None if mask is None else torch.from_numpy(mask),
    )


def _area(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    size: npt.NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).clip(min=0)
    return size[:, 0] * size[:, 1]


def _place(
    image: TrainingImage,
    extent: float,
    schedule: Schedule,
    rng: np.random.Generator,
    around: npt.NDArray[np.float32] | None,
) -> tuple[float, float]:
    """Top left of a crop that spans `extent` px of the image."""
    height, width = image.pixels.shape
    teaching = image.boxes[~image.is_ignored]
    if around is None and len(teaching) and rng.random() < schedule.flaw_share:
        around = teaching[_drawn_box(teaching, schedule.length_power, rng)]
    if around is not None:
        x1, y1, x2, y2 = around
        x = rng.uniform(x1, x2) - rng.uniform(0.1, 0.9) * extent
        y = rng.uniform(y1, y2) - rng.uniform(0.1, 0.9) * extent
    else:
        x = rng.uniform(min(0.0, width - extent), max(0.0, width - extent))
        y = rng.uniform(min(0.0, height - extent), max(0.0, height - extent))
    # keep most of the crop on the image; what lies beside it repeats the border
    spare = 0.1 * extent
    return _within(x, width - extent, spare), _within(y, height - extent, spare)


def _drawn_box(boxes: npt.NDArray[np.float32], power: float, rng: np.random.Generator) -> int:
    """Index of a box, drawn in proportion to its longer side to that power."""
    if power == 0:
        return int(rng.integers(len(boxes)))
    share = (boxes[:, 2:] - boxes[:, :2]).max(axis=1).astype(np.float64) ** power
    return int(rng.choice(len(boxes), p=share / share.sum()))


def _within(start: float, room: float, spare: float) -> float:
    """`start` moved into -spare .. room + spare; centred when the image is smaller than the crop."""
    return float(np.clip(start, min(-spare, room / 2), max(room + spare, room / 2)))


def _sample(
    pixels: npt.NDArray[np.float16] | npt.NDArray[np.uint8], x0: float, y0: float, side: int, scale: float
) -> npt.NDArray[np.float32]:
    """(side, side) float32 from the square at (x0, y0) that spans side / scale px."""
    extent = side / scale
    height, width = pixels.shape
    left, top = int(np.floor(x0)), int(np.floor(y0))
    right, bottom = int(np.ceil(x0 + extent)) + 1, int(np.ceil(y0 + extent)) + 1
    inner = pixels[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)].astype(np.float32)
    patch: npt.NDArray[Any] = cv2.copyMakeBorder(
        inner,
        max(-top, 0),
        max(bottom - height, 0),
        max(-left, 0),
        max(right - width, 0),
        cv2.BORDER_REPLICATE,
    )
    if scale < 0.9:
        # area averaging first, then the exact sub-pixel placement
        size = (max(1, round(patch.shape[1] * scale)), max(1, round(patch.shape[0] * scale)))
        fx, fy = size[0] / patch.shape[1], size[1] / patch.shape[0]
        patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
    else:
        fx, fy = 1.0, 1.0
    matrix = np.array(
        [
            [scale / fx, 0.0, -(x0 - left) * scale + 0.5 * scale / fx - 0.5],
            [0.0, scale / fy, -(y0 - top) * scale + 0.5 * scale / fy - 0.5],
        ]
    )
    turned = cv2.warpAffine(
        patch, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned.astype(np.float32, copy=False)


def collate(crops: list[Crop]) -> Batch:
    """A batch of crops; it has masks when all of them have."""
    masks = [c.mask for c in crops if c.mask is not None]
    return Batch(
        torch.stack([c.image for c in crops]),
        [c.boxes for c in crops],
        [c.class_ids for c in crops],
        [c.is_ignored for c in crops],
        torch.stack(masks) if len(masks) == len(crops) else None,
    )
