"""Large virtual flaws of castings on real radiographs: cavities, sponge shrinkage, inclusions.

Grey values are proportional to the beam that comes through, as a digital detector gives them: less metal is
brighter. A flaw changes the local grey by a share of itself, since multiples of the noise alone stay
invisible on thick metal, and never gets brighter than air.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.simulate.fields import Array, log_uniform, smooth_field

#: Longer side of a flaw, px.
SIZE_PX = (64.0, 180.0)
#: No flaw is longer than this share of the picture's shorter side.
_LONGEST = 0.35
#: Change of the local grey at the flaw's strongest place.
CONTRAST = (0.08, 0.5)
#: Relative frequency of sponge shrinkage, cavities and inclusions.
_SHARES = (0.6, 0.25, 0.15)
#: A place is metal when its grey lies between these shares of air's.
_METAL = (0.08, 0.85)
#: So much of a flaw lies on metal.
_ON_METAL = 0.85
#: A flaw teaches when its mean change is at least so many times the local noise.
_VISIBLE = 1.2
#: Its box spans what reaches this share of its strongest place.
_EXTENT = 0.2
#: Its outline encloses what reaches this share, as `core.training.contrast_outline` draws it.
OUTLINED = 0.4
_TRIES = 40


@dataclass(frozen=True, slots=True, eq=False)
class LaidFlaws:
    """A radiograph with virtual flaws.

    Attributes:
        grey: (H, W) float32, as it was where no flaw lies.
        boxes: (N, 4) float32 xyxy, px.
        is_visible: (N,) bool, whether the flaw stands out of the noise.
        corners: column and row of the first pixel of each mask.
        masks: N masks (h, w) bool, what reaches `OUTLINED` of the flaw's strongest change.
    """

    grey: Array
    boxes: npt.NDArray[np.float32]
    is_visible: npt.NDArray[np.bool_]
    corners: tuple[tuple[int, int], ...]
    masks: tuple[npt.NDArray[np.bool_], ...]


def lay_flaws(
    grey: Array,
    rng: np.random.Generator,
    *,
    count: int,
    taken: npt.NDArray[np.float32],
    least_px: float = SIZE_PX[0],
) -> LaidFlaws:
    """`count` flaws, or fewer where the metal is too narrow, on metal and clear of what is there.

    Args:
        grey: (H, W) linear grey values, 0 without a beam.
        rng: of places, shapes and contrasts.
        count: how many.
        taken: (M, 4) xyxy px, what no flaw may touch.
        least_px: longer side of the smallest flaw.
    """
    grey = grey.copy()
    air = float(np.percentile(grey, 99.8))
    is_metal = (grey > _METAL[0] * air) & (grey < _METAL[1] * air)
    noise = _noise(grey)
    boxes: list[tuple[float, ...]] = []
    is_visible: list[bool] = []
    corners: list[tuple[int, int]] = []
    masks: list[npt.NDArray[np.bool_]] = []
    for _ in range(count):
        shape, sign = _shape(rng, least_px, longest_px=_LONGEST * min(grey.shape))
        place = _place(rng, shape, is_metal, [*taken.tolist(), *boxes])
        if place is None:
            continue
        x, y = place
        h, w = shape.shape
        window = grey[y : y + h, x : x + w]
        before = window.copy()
        change = sign * log_uniform(rng, *CONTRAST) * shape
        np.minimum(window * (1 + change), np.maximum(air, window), out=window)
        rows, columns = np.nonzero(shape > _EXTENT)
        boxes.append((x + columns.min(), y + rows.min(), x + columns.max() + 1, y + rows.max() + 1))
        corners.append((x, y))
        masks.append(shape > OUTLINED)
        is_in = shape > _EXTENT
        is_visible.append(
            bool(
                np.abs(window - before)[is_in].mean() >= _VISIBLE * noise[y : y + h, x : x + w][is_in].mean()
            )
        )
    return LaidFlaws(
        grey,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(is_visible, np.bool_),
        tuple(corners),
        tuple(masks),
    )


def _shape(rng: np.random.Generator, least_px: float, longest_px: float) -> tuple[Array, int]:
    """(h, w) share of the full change, 0 at the edges, with its sign: +1 for less metal."""
    kind = int(rng.choice(3, p=_SHARES))
    length = log_uniform(rng, least_px, max(min(SIZE_PX[1], longest_px), least_px))
    side = math.ceil(1.3 * length)
    round_ = _blob(rng, side, length, ratio=rng.uniform(0.35, 0.9), roughness=0.12 if kind else 0.2)
    if kind == 0:
        shape = _sponge(rng, round_, length)
    elif kind == 1:
        shape = np.sqrt(np.clip(round_, 0, 1)) * (1 + 0.15 * smooth_field(rng, side, side, 0.2 * length))
    else:
        shape = np.clip(2.5 * round_, 0, 1) * (1 + 0.1 * smooth_field(rng, side, side, 0.3 * length))
    shape = np.asarray(cv2.GaussianBlur(shape.clip(min=0).astype(np.float32), (0, 0), rng.uniform(0.8, 2.0)))
    shape /= max(float(shape.max()), 1e-6)
    rows, columns = np.nonzero(shape > 0.02)
    cut = shape[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return np.asarray(cut, np.float32), -1 if kind == 2 else 1


def _blob(rng: np.random.Generator, side: int, length: float, *, ratio: float, roughness: float) -> Array:
    """(side, side) float32: 1 in the middle of an uneven ellipse, 0 at its rim, negative outside."""
    axis = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    angle = rng.uniform(0, math.pi)
    x = axis[None, :] * math.cos(angle) + axis[:, None] * math.sin(angle)
    y = axis[:, None] * math.cos(angle) - axis[None, :] * math.sin(angle)
    radius = np.hypot(x / (0.5 * length), y / (0.5 * length * ratio))
    radius *= 1 + roughness * smooth_field(rng, side, side, 0.25 * length)
    return np.asarray(1 - radius**2, np.float32)


def _sponge(rng: np.random.Generator, blob: Array, length: float) -> Array:
    """A branching network of thin voids within `blob`: ridges of noise of several sizes."""
    side = blob.shape[0]
    ridges = np.zeros_like(blob)
    for scale, share in ((0.3, 1.0), (0.15, 0.7), (0.08, 0.4)):
        field = smooth_field(rng, side, side, max(scale * length, 3.0))
        ridges += np.float32(share) * np.exp(-np.square(field / np.float32(rng.uniform(0.2, 0.4))))
    haze = np.float32(rng.uniform(0.05, 0.35))
    return np.asarray((haze + ridges) * np.clip(2 * blob, 0, 1), np.float32)


def _place(
    rng: np.random.Generator,
    shape: Array,
    is_metal: npt.NDArray[np.bool_],
    taken: list[tuple[float, ...]] | list[list[float]],
) -> tuple[int, int] | None:
    """Top left (x, y) px of a place for `shape`; None when none was found."""
    h, w = shape.shape
    height, width = is_metal.shape
    if h >= height or w >= width:
        return None
    is_in = shape > _EXTENT
    for _ in range(_TRIES):
        x, y = int(rng.integers(width - w)), int(rng.integers(height - h))
        if is_metal[y : y + h, x : x + w][is_in].mean() < _ON_METAL:
            continue
        if all(x >= t[2] or x + w <= t[0] or y >= t[3] or y + h <= t[1] for t in taken):
            return x, y
    return None


def _noise(grey: Array) -> Array:
    """(H, W) local standard deviation of what a small blur takes away."""
    rest = grey - cv2.GaussianBlur(grey, (0, 0), 2.0)
    return np.sqrt(np.asarray(cv2.GaussianBlur(rest * rest, (0, 0), 12.0), np.float32))
