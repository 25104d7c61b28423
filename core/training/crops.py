"""Random crops of training images: where, at what scale, and how they are varied."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from core.training.images import TrainingImage
from core.training.lettering import lay_letters
from core.training.recipe import Schedule

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
    """

    image: Tensor
    boxes: Tensor
    class_ids: Tensor
    is_ignored: Tensor


class CropDataset(Dataset[Crop]):
    """Crop number i, the same for the same images, schedule and seed, so a run can be resumed."""

    def __init__(self, images: list[TrainingImage], schedule: Schedule, seed: int) -> None:
        weights = np.array([image.weight for image in images], np.float64)
        self._images = images
        self._cumulative = np.cumsum(weights / weights.sum())
        self._schedule = schedule
        self._seed = seed

    def __len__(self) -> int:
        return self._schedule.steps * self._schedule.batch

    def __getitem__(self, number: int) -> Crop:
        """Crop `number`."""
        rng = np.random.default_rng((self._seed, number))
        position = np.searchsorted(self._cumulative, rng.random() * self._cumulative[-1])
        image = self._images[min(int(position), len(self._images) - 1)]
        return cut(image, self._schedule, rng)


def cut(image: TrainingImage, schedule: Schedule, rng: np.random.Generator) -> Crop:
    """A varied crop of `image`."""
    side = schedule.crop_px
    is_coarse = rng.random() < schedule.coarse_share and max(image.pixels.shape) > 2 * side
    varied = schedule.variation * rng.uniform(*np.log(_SCALE_RANGE))
    scale = float(np.exp(varied)) * (COARSE_SCALE if is_coarse else 1.0)
    x0, y0 = _place(image, side / scale, schedule.flaw_share, rng)
    pixels = _sample(image.pixels, x0, y0, side, scale)
    boxes = (image.boxes - np.array([x0, y0, x0, y0], np.float32)) * np.float32(scale)
    clipped = boxes.clip(0, side)
    share = _area(clipped) / np.maximum(_area(boxes), 1e-6)
    is_kept = share > 0.02
    is_ignored = image.is_ignored | (share < MIN_VISIBLE_SHARE)
    if is_coarse:
        is_ignored = is_ignored | ((clipped[:, 2:] - clipped[:, :2]).max(axis=1, initial=0) < MIN_COARSE_PX)
    if schedule.letters_share and rng.random() < schedule.letters_share:
        pixels, is_covered = lay_letters(pixels, clipped, scale, rng)
        is_ignored = is_ignored | is_covered
    if rng.random() < schedule.turned_share:
        pixels, clipped = _turn(pixels, clipped, rng)
    pixels = _vary(pixels, schedule.variation, rng)
    return Crop(
        torch.from_numpy(np.ascontiguousarray(pixels))[None],
        torch.from_numpy(np.ascontiguousarray(clipped[is_kept], np.float32)),
        torch.from_numpy(image.class_ids[is_kept]),
        torch.from_numpy(is_ignored[is_kept]),
    )


def _area(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    size: npt.NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).clip(min=0)
    return size[:, 0] * size[:, 1]


def _place(
    image: TrainingImage, extent: float, flaw_share: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Top left of a crop that spans `extent` px of the image."""
    height, width = image.pixels.shape
    teaching = image.boxes[~image.is_ignored]
    if len(teaching) and rng.random() < flaw_share:
        x1, y1, x2, y2 = teaching[rng.integers(len(teaching))]
        x = rng.uniform(x1, x2) - rng.uniform(0.1, 0.9) * extent
        y = rng.uniform(y1, y2) - rng.uniform(0.1, 0.9) * extent
    else:
        x = rng.uniform(min(0.0, width - extent), max(0.0, width - extent))
        y = rng.uniform(min(0.0, height - extent), max(0.0, height - extent))
    # keep most of the crop on the image; what lies beside it repeats the border
    spare = 0.1 * extent
    return _within(x, width - extent, spare), _within(y, height - extent, spare)


def _within(start: float, room: float, spare: float) -> float:
    """`start` moved into -spare .. room + spare; centred when the image is smaller than the crop."""
    return float(np.clip(start, min(-spare, room / 2), max(room + spare, room / 2)))


def _sample(
    pixels: npt.NDArray[np.float16], x0: float, y0: float, side: int, scale: float
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


def _turn(
    pixels: npt.NDArray[np.float32], boxes: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """One of the eight flips and quarter turns of a square, for pixels and boxes alike."""
    side = np.float32(pixels.shape[0])
    if rng.random() < 0.5:
        pixels, boxes = (
            pixels[:, ::-1],
            np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], axis=1),
        )
    if rng.random() < 0.5:
        pixels, boxes = (
            pixels[::-1],
            np.stack([boxes[:, 0], side - boxes[:, 3], boxes[:, 2], side - boxes[:, 1]], axis=1),
        )
    if rng.random() < 0.3:
        pixels, boxes = pixels.T, boxes[:, [1, 0, 3, 2]]
    return np.ascontiguousarray(pixels), boxes


def _vary(
    pixels: npt.NDArray[np.float32], strength: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Gain, offset, gamma, a slow gradient, blur and noise, as films and detectors differ."""
    if strength <= 0:
        return pixels
    if rng.random() < 0.8:
        middle = float(pixels.mean())
        gain, offset = np.exp(strength * rng.uniform(-0.6, 0.5)), strength * rng.uniform(-0.15, 0.15)
        pixels = (pixels - middle) * float(gain) + middle + offset
    if rng.random() < 0.3:
        power = np.float32(np.exp(strength * rng.uniform(-0.3, 0.3)))
        pixels = np.sign(pixels) * np.abs(pixels) ** power
    if rng.random() < 0.3:
        ramp = np.linspace(-0.5, 0.5, pixels.shape[0], dtype=np.float32)
        down, across = rng.normal(0, 0.15 * strength, 2).astype(np.float32)
        pixels = pixels + ramp[:, None] * down + ramp[None] * across
    if rng.random() < 0.2 * strength:
        pixels = _blur(pixels, rng.uniform(0.4, 1.2))
    if rng.random() < 0.5:
        grain = rng.standard_normal(pixels.shape, dtype=np.float32)
        if rng.random() < 0.5:
            grain = 2 * _blur(grain, rng.uniform(0.6, 1.2))
        pixels = pixels + grain * np.float32(strength * rng.uniform(0.0, 0.03))
    # no clipping: a gain that saturates would hide what the boxes still claim
    return pixels.astype(np.float32)


def _blur(pixels: npt.NDArray[np.float32], sigma_px: float) -> npt.NDArray[np.float32]:
    return cv2.GaussianBlur(pixels, (0, 0), sigma_px).astype(np.float32, copy=False)


def collate(crops: list[Crop]) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
    """A batch: images (B, 1, S, S), then boxes, class ids and ignore flags, one tensor an image."""
    return (
        torch.stack([c.image for c in crops]),
        [c.boxes for c in crops],
        [c.class_ids for c in crops],
        [c.is_ignored for c in crops],
    )
