"""Blur of the sharper edges of a picture.

Each of the steepest places is blurred twice more, by 1 and by 2 px. A step edge of blur s has the gradients'
ratio R = sqrt((s^2 + 2^2) / (s^2 + 1^2)), which is solved for s (after S. Zhuo, T. Sim, "Defocus map
estimation from a single image", Pattern Recognition 44, 2011; here both pictures are blurred, for the noise).
The figure is the lower quartile of s: blur the whole picture by b and it becomes about sqrt(s^2 + b^2).

It sees the blur of the picture: a scanner out of focus, smoothing, enlarging, and a moved or unsharp exposure
when nothing else is sharp. A scratch on a film is sharp although the exposure may not be.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

#: Fewer usable edges say nothing.
MIN_EDGES = 12
_MAX_EDGES = 400
_FINE, _COARSE = 1.0, 2.0
_BLOCK, _RIM, _SHRINK = 32, 12, 4
#: An edge is this much steeper than the noise; fewer than one noise peak in a million is.
_OVER_NOISE = 6.0
#: Gradient of rounding to whole grey values, after the fine blur.
_ROUNDING = 0.07
_QUARTILE = 25


@dataclass(frozen=True, slots=True)
class Sharpness:
    """Blur of the sharper edges.

    Attributes:
        blur_px: standard deviation of a Gaussian that blurs as much, px; None with fewer than 12 edges.
        n_edges: places that were measured.
    """

    blur_px: float | None
    n_edges: int


def measure_sharpness(pixels: Array) -> Sharpness:
    """The blur of `pixels`, (H, W) float32, finite; unchanged by gain, offset and inversion."""
    corners = _steepest_first(pixels)
    rounding = _ROUNDING if np.all(pixels[::16, ::16] == np.rint(pixels[::16, ::16])) else 0.0
    least = _OVER_NOISE * max(_noise_gradient(pixels, corners), rounding)
    found = [
        blur for corner in corners[:_MAX_EDGES] if (blur := _blur_of_block(pixels, corner, least)) is not None
    ]
    blur_px = float(np.percentile(found, _QUARTILE)) if len(found) >= MIN_EDGES else None
    return Sharpness(blur_px, len(found))


def _gradient(picture: npt.NDArray[Any], blur_px: float) -> Array:
    """Steepness of `picture` after a blur, grey values per px."""
    image = cv2.GaussianBlur(picture, (0, 0), blur_px)
    across, down = cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down) / 8, np.float32)


def _steepest_first(pixels: Array) -> list[tuple[int, int]]:
    """Row and column of each block's corner, by the steepest place of the picture made small."""
    height, width = pixels.shape
    cells = _BLOCK // _SHRINK
    rows, columns = height // _BLOCK, width // _BLOCK
    if rows == 0 or columns == 0:
        return []
    whole = pixels[: rows * _BLOCK, : columns * _BLOCK]
    size = (columns * cells, rows * cells)
    small = np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), np.float32)
    steep = _gradient(small, 1.0)
    peaks = steep.reshape(rows, cells, columns, cells).max(axis=(1, 3)).ravel()
    order = np.argsort(-peaks, kind="stable")
    return [(int(index) // columns * _BLOCK, int(index) % columns * _BLOCK) for index in order]


def _noise_gradient(pixels: Array, corners: list[tuple[int, int]]) -> float:
    """Typical gradient of the calmer three quarters of the blocks, of up to 150; 0 when they are constant."""
    calm = corners[len(corners) // 4 :]
    values = [
        float(np.median(_gradient(pixels[y : y + _BLOCK, x : x + _BLOCK], _FINE)))
        for y, x in calm[:: max(1, len(calm) // 150)]
    ]
    alive = [value for value in values if value > 0]
    return float(np.median(alive)) if alive else 0.0


def _blur_of_block(pixels: Array, corner: tuple[int, int], least: float) -> float | None:
    """Blur at the steepest place of a block; None when it is not steeper than `least`."""
    y, x = corner
    top, left = max(0, y - _RIM), max(0, x - _RIM)
    around = pixels[top : y + _BLOCK + _RIM, left : x + _BLOCK + _RIM]
    inner = np.s_[y - top : y - top + _BLOCK, x - left : x - left + _BLOCK]
    fine = _gradient(around, _FINE)[inner]
    place = np.unravel_index(int(fine.argmax()), fine.shape)
    if not fine[place] > least:
        return None
    coarse = _gradient(around, _COARSE)[inner]
    squared = float(fine[place] / max(float(coarse[place]), 1e-12)) ** 2
    return float(np.sqrt(max(_COARSE**2 - squared * _FINE**2, 0.0) / max(squared - 1.0, 1e-3)))
