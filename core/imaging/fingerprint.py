"""Recognition of pictures of the same exposure: saved again, windowed, inverted, shifted or scaled.

Two exposures of a part in one pose look alike and must not be confused with copies; only a copy shares the
grain. So a fingerprint keeps a coarse view of the whole picture, which finds candidates, and a small
patch of grain from a flat place in each of six cells, which decide: nearly all are found again, at one shift.

Not recognised: a mirrored or turned picture, a small part of an earlier one, a copy smoothed so much that its
grain is gone, and pictures without grain or under about 180 px.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Radiograph
from core.imaging.pixels import float_pixels

Array = npt.NDArray[np.float32]
Int8s = npt.NDArray[np.int8]

VIEW_PX = 32
PATCH_PX = 48
#: Cells of the picture, down and across, that give a patch each.
GRID = (2, 3)
#: A view at least so alike (0..1) is looked at more closely: all true copies measured reach it.
VIEW_LIMIT = 0.6
#: Grain at least so alike (0..1) is the same grain; measured in docs/image-quality.md.
GRAIN_LIMIT = 0.4
#: At most so many candidates are looked at closely, the most alike first.
MAX_CANDIDATES = 20
_MAX_VIEW_SHIFT = 2
_FINE, _COARSE = 1.0, 3.0
_AGREE_PX = 4.0
#: With fewer patches of grain a copy is not recognised.
LEAST_PATCHES = 3
_SHARE_AGREEING = 1.0
_RIM = 8
_MAX_CLIPPED, _MAX_EQUAL = 0.02, 0.5
_INT8 = 127.0
_LARGEST = 1e6
_BATCH = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """Traits of a picture by which copies of it are recognised, about 15 kB.

    Attributes:
        sha256: of the original bytes.
        width: of the picture, px.
        height: of the picture, px.
        view: (32, 32) int8, coarse picture without its shading, in units of its own contrast.
        patches: (K, 48, 48) int8, K <= 6: grain at full resolution.
        corners: (K, 2) int32, x and y of each patch's top left corner, px.

    Raises:
        ValueError: when a shape is wrong.
    """

    sha256: str
    width: int
    height: int
    view: Int8s
    patches: Int8s
    corners: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        count = len(self.corners)
        if self.view.shape != (VIEW_PX, VIEW_PX) or self.corners.shape != (count, 2):
            raise ValueError(f"view {self.view.shape} or corners {self.corners.shape} of a wrong shape")
        if self.patches.shape != (count, PATCH_PX, PATCH_PX):
            raise ValueError(f"expected {count} patches of {PATCH_PX} px, got {self.patches.shape}")

    @property
    def has_grain(self) -> bool:
        """True with enough grain for a copy to be recognised."""
        return len(self.corners) >= LEAST_PATCHES


@dataclass(frozen=True, slots=True)
class Likeness:
    """An earlier picture that this one is a copy of.

    Attributes:
        sha256: of the earlier picture.
        is_same_file: whether the bytes are the same; otherwise the grain is.
        view: likeness of the coarse views, 0..1.
        grain: likeness of the grain, 0..1.
    """

    sha256: str
    is_same_file: bool
    view: float
    grain: float


def fingerprint(radiograph: Radiograph) -> Fingerprint:
    """The fingerprint of a radiograph: the same for its negative; pixels without a value count as 0."""
    pixels = _pixels(radiograph)
    corners = _flat_corners(pixels)
    patches = [_grain(_around(pixels, x, y))[_RIM:-_RIM, _RIM:-_RIM] for x, y in corners]
    return Fingerprint(
        sha256=radiograph.sha256,
        width=radiograph.width,
        height=radiograph.height,
        view=_as_int8(_view(pixels)),
        patches=np.array([_as_int8(patch) for patch in patches], np.int8).reshape(-1, PATCH_PX, PATCH_PX),
        corners=np.array(corners, np.int32).reshape(-1, 2),
    )


def find_copy(radiograph: Radiograph, earlier: Sequence[Fingerprint]) -> Likeness | None:
    """The earlier picture that this one is the same file or a copy of, the likest; None without one."""
    for other in earlier:
        if other.sha256 == radiograph.sha256:
            return Likeness(other.sha256, is_same_file=True, view=1.0, grain=1.0)
    if not earlier:
        return None
    pixels = _pixels(radiograph)
    views = np.stack([other.view for other in earlier])
    best: Likeness | None = None
    for index, likeness in shortlist(_as_int8(_view(pixels)), views):
        grain = _grain_likeness(pixels, earlier[index])
        if grain >= GRAIN_LIMIT and (best is None or grain > best.grain):
            best = Likeness(earlier[index].sha256, is_same_file=False, view=likeness, grain=grain)
    return best


def shortlist(view: Int8s, views: Int8s) -> list[tuple[int, float]]:
    """Index and likeness (0..1) of the earlier views most like `view`, best first, at most `MAX_CANDIDATES`.

    Args:
        view: (32, 32) int8.
        views: (N, 32, 32) int8, N may be 0.

    Shifts of up to two cells (6 % of the picture) are tried.
    """
    reach = range(-_MAX_VIEW_SHIFT, _MAX_VIEW_SHIFT + 1)
    shifted = np.stack([np.roll(view, (dy, dx), (0, 1)).ravel() for dy in reach for dx in reach])
    probes = shifted.astype(np.float32) / max(float(np.linalg.norm(view.astype(np.float32))), 1.0)
    likeness = np.zeros(len(views), np.float32)
    for start in range(0, len(views), _BATCH):
        batch = views[start : start + _BATCH].reshape(-1, VIEW_PX * VIEW_PX).astype(np.float32)
        length = np.maximum(np.sqrt(np.einsum("ij,ij->i", batch, batch)), 1.0)
        likeness[start : start + _BATCH] = np.abs(batch @ probes.T).max(axis=1) / length
    order = np.argsort(-likeness, kind="stable")[:MAX_CANDIDATES]
    return [(int(index), float(likeness[index])) for index in order if likeness[index] >= VIEW_LIMIT]


def _pixels(radiograph: Radiograph) -> Array:
    """All pixels as float32, none so large that its square overflows: no comparison depends on the scale."""
    pixels = float_pixels(radiograph)
    largest = max(float(pixels.max()), -float(pixels.min()))
    return np.asarray(pixels * np.float32(_LARGEST / largest), np.float32) if largest > _LARGEST else pixels


def _view(pixels: Array) -> Array:
    """(32, 32) float32: the picture without its local mean and local contrast."""
    small = np.asarray(cv2.resize(pixels, (VIEW_PX, VIEW_PX), interpolation=cv2.INTER_AREA), np.float32)
    detail = small - cv2.GaussianBlur(small, (0, 0), VIEW_PX / 8)
    spread = float(detail.std())
    if not spread > 0:
        return np.zeros_like(small)
    local = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), VIEW_PX / 8))
    return np.asarray(detail / (local + 0.3 * spread), np.float32)


def _as_int8(values: Array) -> Int8s:
    """Scaled so that four standard deviations fill the range; its sign is not kept by any comparison."""
    spread = float(values.std())
    if not spread > 0:
        return np.zeros(values.shape, np.int8)
    scaled: Int8s = np.clip(np.rint(values * (_INT8 / (4 * spread))), -_INT8, _INT8).astype(np.int8)
    return scaled


def _grain(pixels: Array) -> Array:
    """Detail between about 1 and 3 px; the same for a copy of half the size, about."""
    return np.asarray(
        cv2.GaussianBlur(pixels, (0, 0), _FINE) - cv2.GaussianBlur(pixels, (0, 0), _COARSE), np.float32
    )


def _around(pixels: Array, x: int, y: int) -> Array:
    """The patch at that corner with a rim on all sides, for filters to run into."""
    return pixels[y - _RIM : y + PATCH_PX + _RIM, x - _RIM : x + PATCH_PX + _RIM]


def _flat_corners(pixels: Array) -> list[tuple[int, int]]:
    """Top left corners of the flattest places with grain, at most one in each cell of the grid."""
    lowest, highest = float(pixels.min()), float(pixels.max())
    corners = []
    for rows in _cells(pixels.shape[0], GRID[0]):
        for columns in _cells(pixels.shape[1], GRID[1]):
            rated = [
                (rating, x, y)
                for y in rows
                for x in columns
                if (rating := _shading_to_grain(_around(pixels, x, y), lowest, highest)) is not None
            ]
            if rated:
                corners.append(min(rated)[1:])
    return corners


def _cells(side: int, count: int) -> list[list[int]]:
    """For each of `count` cells along a side: where patches may begin; the outermost 8 % are left free."""
    margin = max(_RIM, int(0.08 * side))
    edges = np.linspace(margin, side - margin, count + 1)
    cells = []
    for low, high in pairwise(edges):
        last = min(high, side - margin) - PATCH_PX
        cells.append(sorted({int(at) for at in np.linspace(low, last, 5)}) if last >= low else [])
    return cells


def _shading_to_grain(around: Array, lowest: float, highest: float) -> float | None:
    """Unevenness of the patch within its rim, per grain; None when it is clipped or without grain."""
    patch = around[_RIM:-_RIM, _RIM:-_RIM]
    grain = float(_grain(around)[_RIM:-_RIM, _RIM:-_RIM].std())
    n_clipped = int(np.count_nonzero((patch <= lowest) | (patch >= highest)))
    is_stepped = float(np.mean(patch[:, 1:] == patch[:, :-1])) > _MAX_EQUAL
    if not grain > 0 or is_stepped or n_clipped > _MAX_CLIPPED * patch.size:
        return None
    return float(np.std(cv2.resize(patch, (8, 8), interpolation=cv2.INTER_AREA))) / grain


def _grain_likeness(pixels: Array, other: Fingerprint) -> float:
    """Likeness (0..1) of the grain where the patches of `other` are found again, at one common shift."""
    if len(other.corners) < LEAST_PATCHES:
        return 0.0
    return max(_likeness_at_scale(candidate, other) for candidate in _scaled(pixels, other))


def _likeness_at_scale(pixels: Array, other: Fingerprint) -> float:
    reach_x, reach_y = (int(_MAX_VIEW_SHIFT * side / VIEW_PX) for side in pixels.shape[::-1])
    found = []
    for patch, (x, y) in zip(other.patches, other.corners, strict=True):
        left, top = max(0, int(x) - reach_x), max(0, int(y) - reach_y)
        window = pixels[top : int(y) + PATCH_PX + reach_y, left : int(x) + PATCH_PX + reach_x]
        if min(window.shape) >= PATCH_PX:
            row, column, likeness = _best_match(_grain(window), patch.astype(np.float32))
            found.append((likeness, np.array([left + column - x, top + row - y])))
    needed = max(LEAST_PATCHES, math.ceil(_SHARE_AGREEING * len(other.corners)))
    best = 0.0
    for _, shift in found:
        agreeing = sorted((like for like, at in found if np.abs(at - shift).max() <= _AGREE_PX), reverse=True)
        if len(agreeing) >= needed:
            best = max(best, agreeing[needed - 1])
    return min(best, 1.0)


def _best_match(window: Array, patch: Array) -> tuple[int, int, float]:
    """Row, column and |correlation| of the best place of `patch`; places without grain do not count."""
    match = np.abs(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED))
    power = cv2.boxFilter(window * window, -1, (PATCH_PX, PATCH_PX))
    half = PATCH_PX // 2
    power = power[half : half + match.shape[0], half : half + match.shape[1]]
    match = np.where(np.isfinite(match) & (power > 1e-3 * float(power.max())), match, 0.0)
    row, column = np.unravel_index(int(match.argmax()), match.shape)
    return int(row), int(column), float(match[row, column])


def _scaled(pixels: Array, other: Fingerprint) -> list[Array]:
    """`pixels` as they are (a copy may be cropped), and scaled to the size of `other` where that differs."""
    height, width = pixels.shape
    scale = other.width / width
    candidates = [pixels] if 0.9 < scale < 1.1 else []
    if (width, height) != (other.width, other.height) and abs(scale - other.height / height) < 0.02 * scale:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        resized = cv2.resize(pixels, (other.width, other.height), interpolation=method)
        candidates.append(np.asarray(resized, np.float32))
    return candidates or [pixels]
