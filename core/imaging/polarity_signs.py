"""Signs of the direction of brightness in a radiograph: numbers that change their sign with the picture."""

from functools import cache
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

#: Smaller pictures tell nothing.
LEAST_SIDE_PX = 96
#: Longest side of the copy that shapes are measured on, px.
_COPY_SIDE_PX = 512
#: Side of the full-resolution patches that noise is measured on, px, and how many along each axis.
_PATCH_PX, _PATCHES = 32, 24
_LOW, _HIGH = 0.5, 99.5
_EPS = 1e-6
_SEGMENTS, _PROFILE_PX, _LEVELS = 8, 64, 8

NAMES = (
    "middle", "skew", "ends", "noise", "noise_rise", "noise_wide", "noise_wide_rise", "band", "bow", "rim",
    "corners",
    "spots_small", "spots_middle", "spots_large", "ridges_small", "ridges_middle", "ridges_large",
    "texture", "flat", "holes",
)  # fmt: skip


def signs(pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.float64] | None:
    """The signs by `NAMES`, each odd: of the inverted picture it has the other sign. None without contrast.

    Args:
        pixels: (H, W), any real dtype.
    """
    grey = _copy(pixels)
    if grey is None:
        return None
    found = (
        *_histogram(grey),
        *_noise(pixels),
        *_profiles(grey),
        *_borders(grey),
        *_spots(grey),
        *_ridges(grey),
        *_texture(grey),
        _holes(grey),
    )
    return np.clip(np.nan_to_num(np.asarray(found, np.float64)), -3.0, 3.0)


def _copy(pixels: npt.NDArray[np.generic]) -> FloatArray | None:
    """The picture made small, 0..1 between its robust ends; None where these are the same."""
    scale = max(pixels.shape) / _COPY_SIDE_PX
    step = max(1, int(scale / 2))
    small = np.ascontiguousarray(pixels[::step, ::step]).astype(np.float32)
    if min(pixels.shape) < LEAST_SIDE_PX:
        return None
    bad = ~np.isfinite(small)
    if bad.any():
        if bad.all():
            return None
        small[bad] = np.median(small[~bad])
    if max(small.shape) > _COPY_SIDE_PX:
        ratio = _COPY_SIDE_PX / max(small.shape)
        size = (max(16, round(small.shape[1] * ratio)), max(16, round(small.shape[0] * ratio)))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.float32)
    low, high = np.percentile(small, (_LOW, _HIGH))
    if not high - low > _EPS * max(1.0, abs(high), abs(low)):
        return None
    return np.asarray(np.clip((small - low) / (high - low), 0, 1), np.float32)


def _histogram(grey: FloatArray) -> tuple[float, ...]:
    deviation = grey - grey.mean()
    sd = float(deviation.std()) + _EPS
    skew = float((deviation**3).mean()) / sd**3
    ends = float((grey > 0.97).mean() - (grey < 0.03).mean())
    return 2 * float(np.median(grey)) - 1, skew / 2, 3 * ends


def _noise(pixels: npt.NDArray[np.generic]) -> tuple[float, ...]:
    """For two distances: correlation of noise with grey level over patches, and how steeply it rises.

    The wider distance finds the noise of pictures that a program smoothed or made larger.
    """
    height, width = pixels.shape
    side = min(_PATCH_PX, height, width)
    rows = np.unique(np.linspace(0, height - side, _PATCHES).astype(int))
    columns = np.unique(np.linspace(0, width - side, _PATCHES).astype(int))
    patches = np.stack([pixels[y : y + side, x : x + side] for y in rows for x in columns]).astype(np.float32)
    patches = patches[np.isfinite(patches).all(axis=(1, 2))]
    if not len(patches):
        return 0.0, 0.0, 0.0, 0.0
    levels = patches.mean(axis=(1, 2))
    low, high = float(patches.min()), float(patches.max())
    margin = 0.01 * (high - low)
    is_inside = (levels > low + margin) & (levels < high - margin)  # nothing is measured where it saturates
    found = [_rise(levels[is_inside], _roughness(patches[is_inside], gap), high - low) for gap in (1, 4)]
    return tuple(chain(*found))


def _roughness(patches: FloatArray, gap: int) -> FloatArray:
    """Noise of each patch: its second difference over `gap` px, in which slopes and shading drop out."""
    if not len(patches):
        return np.zeros(0, np.float32)
    near, far = slice(None, -gap), slice(gap, None)
    rough = patches[:, near, near] - patches[:, far, near] - patches[:, near, far] + patches[:, far, far]
    return np.asarray(np.sqrt((np.clip(rough, *np.percentile(rough, (2, 98))) ** 2).mean(axis=(1, 2))))


def _rise(levels: FloatArray, noise: FloatArray, span: float) -> tuple[float, float]:
    """Correlation of the log of the noise with the grey level's rank, and its slope; zeros where unknown."""
    is_noisy = noise > _EPS * span
    if is_noisy.sum() < 8 * _LEVELS:
        return 0.0, 0.0
    order = levels[is_noisy].argsort()
    # of each level the quiet patches: the others show edges and ripples
    groups = np.array_split(np.log(noise[is_noisy][order]), _LEVELS)
    quiet = np.asarray([np.percentile(group, 20) for group in groups])
    at = np.linspace(-1, 1, _LEVELS)
    slope = float((quiet * at).sum() / (at * at).sum())
    return (float(np.corrcoef(at, quiet)[0, 1]) if quiet.std() > 1e-3 else 0.0), 2 * slope


def _profiles(grey: FloatArray) -> tuple[float, float]:
    """A band along the picture that is brighter (+) or darker (-) than both its sides.

    For each axis the picture is cut across into segments; in each the best band over a parabola (the fall-off
    of the beam) is found. Returned is the mean over segments of the axis on which they agree best: its share
    of the variation, and the height of its step.
    """
    best = (0.0, 0.0)
    for axis in (0, 1):
        turned = grey if axis == 0 else grey.T
        parts = np.array_split(turned, _SEGMENTS, axis=1)
        profiles = np.stack([np.median(part, axis=1) for part in parts])
        found = _bands(_resampled(profiles))
        if abs(found[0]) > abs(best[0]):
            best = found
    return 3 * best[0], 4 * best[1]


def _resampled(profiles: FloatArray) -> FloatArray:
    return np.asarray(
        cv2.resize(profiles.astype(np.float32), (_PROFILE_PX, len(profiles)), interpolation=cv2.INTER_AREA)
    )


def _bands(profiles: FloatArray) -> tuple[float, float]:
    basis, bands, norms = _band_shapes()
    rest = profiles - (profiles @ basis) @ basis.T
    total = (rest**2).sum(axis=1) + 1e-4
    heights = rest @ bands.T / norms
    gains = heights**2 * norms / total[:, None]
    at = gains.argmax(axis=1)
    rows = np.arange(len(profiles))
    height = heights[rows, at]
    return float((np.sign(height) * np.sqrt(gains[rows, at])).mean()), float(height.mean())


@cache
def _band_shapes() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A parabola's basis (N, 3), every band (M, N) less its parabola, and their squared lengths (M,)."""
    n = _PROFILE_PX
    at = np.linspace(-1, 1, n)
    basis, _ = np.linalg.qr(np.stack([np.ones(n), at, at**2], axis=1))
    least, most, margin = n // 16, round(0.7 * n), n // 12
    bands = np.stack(
        [
            ((np.arange(n) >= start) & (np.arange(n) < start + wide)).astype(float)
            for wide in range(least, most + 1, 2)
            for start in range(margin, n - margin - wide + 1)
        ]
    )
    bands -= (bands @ basis) @ basis.T
    return basis, bands, (bands**2).sum(axis=1)


def _borders(grey: FloatArray) -> tuple[float, float]:
    height, width = grey.shape
    n = max(2, min(height, width) // 12)
    inner = grey[n:-n, n:-n].mean()
    ring = (grey[:n].sum() + grey[-n:].sum() + grey[n:-n, :n].sum() + grey[n:-n, -n:].sum()) / (
        grey.size - grey[n:-n, n:-n].size
    )
    corners = np.median(
        [grey[:n, :n].mean(), grey[:n, -n:].mean(), grey[-n:, :n].mean(), grey[-n:, -n:].mean()]
    )
    return 2 * float(ring - inner), 2 * float(corners - grey.mean())


def _shrunk(grey: FloatArray, by: int) -> FloatArray:
    if by == 1:
        return grey
    return np.asarray(cv2.resize(grey, None, fx=1 / by, fy=1 / by, interpolation=cv2.INTER_AREA))


def _spots(grey: FloatArray) -> list[float]:
    """For three sizes: bright details against dark ones, by their strongest hundredth."""
    found = []
    for shrink, side in ((1, 5), (1, 15), (2, 21)):
        small = _shrunk(grey, shrink)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        bright = small - cv2.morphologyEx(small, cv2.MORPH_OPEN, kernel)
        dark = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel) - small
        up, down = np.percentile(bright, 99) + 0.01, np.percentile(dark, 99) + 0.01
        found.append(float(np.log(up / down)))
    return found


def _ridges(grey: FloatArray) -> list[float]:
    """Skew of the picture against its own blur, for three widths."""
    found = []
    for shrink, sigma in ((1, 2), (2, 3), (4, 4)):
        small = _shrunk(grey, shrink)
        detail = cv2.GaussianBlur(small, (0, 0), sigma) - cv2.GaussianBlur(small, (0, 0), 2 * sigma)
        sd = float(detail.std()) + _EPS
        found.append(float(((detail / sd) ** 3).mean()) / 2)
    return found


def _texture(grey: FloatArray) -> tuple[float, float]:
    """Grey level of where the picture is busy, and of where it is flat, against the middle of all."""
    across, along = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    slope = cv2.GaussianBlur(cv2.magnitude(across, along), (0, 0), 3)
    busy, calm = np.percentile(slope, (80, 20))
    middle = float(grey.mean())
    return 2 * float(grey[slope >= busy].mean() - middle), 2 * float(grey[slope <= calm].mean() - middle)


def _holes(grey: FloatArray) -> float:
    """Bright regions that lie inside (+) against dark ones, by area and fullness of their hull."""
    level = (grey * 255).astype(np.uint8)
    cut, _ = cv2.threshold(level, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    share = []
    for mask in (level > cut, level <= cut):
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        areas = [(cv2.contourArea(one), cv2.contourArea(cv2.convexHull(one))) for one in outlines]
        areas = [(area, hull) for area, hull in areas if hull > 0.002 * grey.size]
        total = sum(area for area, _ in areas)
        share.append(sum(area * area / hull for area, hull in areas) / total if total else 0.0)
    return 4 * (share[0] - share[1])
