"""Regions of an image filled with their own background."""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt
from scipy.fft import dstn, idstn
from scipy.interpolate import RBFInterpolator

from core.domain.detections import FloatArray
from core.domain.explanations import Fill

#: The ring around a region has this share of its shorter side as width, within these bounds in px.
RING_SHARE, MIN_RING_PX, MAX_RING_PX = 0.5, 6, 32
#: What fills a box reaches so many px, and this share of its shorter side, beyond it: edges of flaws do too.
GROWN_PX, GROWN_SHARE = 2, 0.1
#: Points of the ring that a thin plate goes through, and its values along each side before they are enlarged.
_PLATE_POINTS, _PLATE_CELLS = 240, 48
#: Turns the median absolute deviation into the standard deviation of a normal distribution.
_MAD_TO_SD = 1.4826

Region = tuple[slice, slice]
Mask = npt.NDArray[np.bool_]


def region_of(box: FloatArray, shape: tuple[int, ...]) -> Region:
    """Rows and columns that a box (4,) xyxy px covers once grown, within (H, W); at least one px each way."""
    shorter = float(min(box[2] - box[0], box[3] - box[1]))
    grown = GROWN_PX + GROWN_SHARE * shorter
    height, width = shape
    rows = _within(float(box[1]) - grown, float(box[3]) + grown, height)
    return rows, _within(float(box[0]) - grown, float(box[2]) + grown, width)


def filled(image: FloatArray, region: Region, kind: Fill, *, seed: int) -> FloatArray:
    """A copy of the image in which a region shows what its surroundings suggest.

    Args:
        image: (H, W) float32.
        region: rows and columns, within the image.
        kind: of the fill.
        seed: of its noise: the same seed gives the same fill.

    Raises:
        ValueError: when the region covers the whole image: nothing is left to fill it from.
    """
    around, inner = _surroundings(region, image.shape)
    patch = image[around]
    is_hole = np.zeros(patch.shape, bool)
    is_hole[inner] = True
    if is_hole.all():
        raise ValueError("the region covers the whole image: there is no background to fill it with")
    smooth = _FILLS[kind](patch, is_hole)
    noise = _noise_like(patch, is_hole, np.random.default_rng((seed, list(Fill).index(kind))))
    result = image.copy()
    result[region] = smooth[inner] + noise[inner] + _seam(patch, is_hole, smooth, inner, _DECAY_PX[kind])
    return result


def _surface(patch: FloatArray, is_hole: Mask) -> FloatArray:
    """The surface of second order that fits the ring by least squares; outliers are left out once."""
    y, x = (np.linspace(-1, 1, length) for length in patch.shape)
    y, x = (part.astype(np.float64) for part in np.meshgrid(y, x, indexing="ij"))
    terms = np.stack((np.ones(patch.shape), y, x, y * y, y * x, x * x), axis=-1)
    known, values = terms[~is_hole], patch[~is_hole].astype(np.float64)
    coefficients = np.linalg.lstsq(known, values, rcond=None)[0]
    residual = np.abs(values - known @ coefficients)
    is_usual = residual <= 3 * max(float(residual.std()), 1e-9)
    if is_usual.sum() >= terms.shape[-1]:
        coefficients = np.linalg.lstsq(known[is_usual], values[is_usual], rcond=None)[0]
    result: FloatArray = (terms @ coefficients).astype(np.float32)
    return result


def _nothing(patch: FloatArray, is_hole: Mask) -> FloatArray:
    """Zero everywhere: the seam alone makes the membrane."""
    del is_hole
    return np.zeros_like(patch)


def _thin_plate(patch: FloatArray, is_hole: Mask) -> FloatArray:
    """The thin plate through points of the ring (Duchon 1977): it rises and falls as they do."""
    points = np.argwhere(~is_hole)
    points = points[:: max(1, len(points) // _PLATE_POINTS)]
    calm = _mean_of_known(patch, is_hole, 1.5)
    size = float(max(patch.shape))
    plate = RBFInterpolator(points / size, calm[tuple(points.T)], kernel="thin_plate_spline", smoothing=1e-4)
    small = [max(2, min(length, _PLATE_CELLS)) for length in patch.shape]
    axes = [(np.arange(n) + 0.5) * length / n - 0.5 for n, length in zip(small, patch.shape, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2) / size
    coarse = plate(grid).reshape(small).astype(np.float32)
    result: FloatArray = cv2.resize(coarse, patch.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return result


_FILLS: Mapping[Fill, Callable[[FloatArray, Mask], FloatArray]] = {
    Fill.SURFACE: _surface,
    Fill.MEMBRANE: _nothing,
    Fill.THIN_PLATE: _thin_plate,
}
#: How far in px what is missing at the edge of a fill reaches into it; a membrane is missing everything.
_DECAY_PX: Mapping[Fill, float] = {Fill.SURFACE: 4.0, Fill.MEMBRANE: np.inf, Fill.THIN_PLATE: 4.0}


def _seam(patch: FloatArray, is_hole: Mask, smooth: FloatArray, inner: Region, decay_px: float) -> FloatArray:
    """What has to be added to a fill within the hole so that no edge is seen where it begins.

    The values that are missing along the edge, carried inwards by the screened Laplace equation, solved in
    sines; without decay it is a membrane stretched over the edge.
    """
    edge: FloatArray = np.pad(patch - smooth, 1, mode="edge")
    unknown = np.pad(is_hole, 1, constant_values=True)
    missing = _mean_of_known(edge, unknown, 1.0)
    top, left = inner[0].start, inner[1].start  # of the line of px just outside of the hole, once padded
    height, width = inner[0].stop - top, inner[1].stop - left
    force = np.zeros((height, width))
    columns, rows = slice(left + 1, left + 1 + width), slice(top + 1, top + 1 + height)
    force[0] += missing[top, columns]
    force[-1] += missing[top + height + 1, columns]
    force[:, 0] += missing[rows, left]
    force[:, -1] += missing[rows, left + width + 1]
    bends = [2 - 2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1)) for n in (height, width)]
    stiffness = bends[0][:, None] + bends[1][None] + 1 / decay_px**2
    result: FloatArray = idstn(dstn(force, type=1) / stiffness, type=1).astype(np.float32)
    return result


def _mean_of_known(patch: FloatArray, is_hole: Mask, sigma: float) -> FloatArray:
    """A Gaussian blur in which the hole has no say (normalised convolution, Knutsson and Westin 1993).

    Where no known px is near, a blur so much wider that one is.
    """
    known = (~is_hole).astype(np.float32)
    result: FloatArray = np.full(patch.shape, patch[~is_hole].mean(), np.float32)
    for wide in (max(sigma, 0.25 * max(patch.shape)), sigma):
        weight = cv2.GaussianBlur(known, (0, 0), wide, borderType=cv2.BORDER_CONSTANT)
        total = cv2.GaussianBlur(patch * known, (0, 0), wide, borderType=cv2.BORDER_CONSTANT)
        result = np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), result).astype(np.float32)
    return result


def _noise_like(patch: FloatArray, is_hole: Mask, rng: np.random.Generator) -> FloatArray:
    """Normal noise with the deviation of the ring, and its correlation from one px to the next."""
    rough = patch - cv2.medianBlur(patch, 5)
    known = rough[~is_hole]
    deviation = _MAD_TO_SD * float(np.median(np.abs(known - np.median(known))))
    white: FloatArray = rng.standard_normal(patch.shape).astype(np.float32)
    pairs = ~(is_hole[:, 1:] | is_hole[:, :-1])
    correlation = _correlation(rough[:, 1:][pairs], rough[:, :-1][pairs])
    if correlation > 0.05:  # a Gaussian blur of white noise has the correlation exp(-1 / (4 sigma²))
        sigma = float(np.sqrt(-1 / (4 * np.log(min(correlation, 0.9)))))
        white = cv2.GaussianBlur(white, (0, 0), sigma).astype(np.float32)
    result: FloatArray = white * np.float32(deviation / max(float(white.std()), 1e-9))
    return result


def _correlation(one: FloatArray, other: FloatArray) -> float:
    if len(one) < 3 or one.std() <= 0 or other.std() <= 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def _surroundings(region: Region, shape: tuple[int, ...]) -> tuple[Region, Region]:
    """The region with its ring, within the image, and the region as counted from there."""
    sides = [part.stop - part.start for part in region]
    ring = int(np.clip(RING_SHARE * min(sides), MIN_RING_PX, MAX_RING_PX))
    starts = [max(0, part.start - ring) for part in region]
    stops = [min(length, part.stop + ring) for part, length in zip(region, shape, strict=True)]
    around = tuple(slice(start, stop) for start, stop in zip(starts, stops, strict=True))
    inner = tuple(
        slice(part.start - start, part.stop - start) for part, start in zip(region, starts, strict=True)
    )
    return (around[0], around[1]), (inner[0], inner[1])


def _within(start: float, stop: float, length: int) -> slice:
    first = min(max(int(np.floor(start)), 0), length - 1)
    return slice(first, max(min(int(np.ceil(stop)), length), first + 1))
