"""The flattest region of a picture, where its noise is measured."""

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Radiograph
from core.imaging.measure import Box
from core.imaging.noise import GROUP_PX, MIN_GROUPS

_N_TILES = 1500
_MAX_CLIPPED = 0.001
#: The quarter of the tiles with the least structure is kept; of these the one with the middle noise is taken.
_KEPT = 0.25
#: Rows' or columns' means of a flat tile differ by less than this part of its noise (grain is correlated).
_MAX_UNEVEN = 0.7


def find_flat_region(radiograph: Radiograph) -> Box | None:
    """A region of 20 x 55 px (xyxy, px) without structure or clipping, typical of the flat places.

    Returns:
        None when the picture is too small or no place is flat.
    """
    pixels = radiograph.pixels
    height, width = pixels.shape
    if height < MIN_GROUPS or width < GROUP_PX:
        return None
    down = max(1, round((_N_TILES * height * GROUP_PX / (width * MIN_GROUPS)) ** 0.5))
    ys = np.unique(np.linspace(0, height - MIN_GROUPS, down).astype(int))
    xs = np.unique(np.linspace(0, width - GROUP_PX, max(1, _N_TILES // down)).astype(int))
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (MIN_GROUPS, GROUP_PX))
    tiles = windows[np.ix_(ys, xs)].reshape(-1, MIN_GROUPS, GROUP_PX)
    corners = [(int(x), int(y)) for y in ys for x in xs]
    usable = np.flatnonzero(_is_usable(tiles, float(np.nanmin(pixels)), float(np.nanmax(pixels))))
    if len(usable) == 0:
        return None
    noise, unevenness = _noise_and_unevenness(tiles[usable].astype(np.float64))
    order = np.argsort(unevenness, kind="stable")
    kept = order[: max(1, round(_KEPT * len(order)))]
    kept = kept[unevenness[kept] <= _MAX_UNEVEN]
    if len(kept) == 0:
        return None
    middle = kept[np.argsort(noise[kept], kind="stable")[len(kept) // 2]]
    x, y = corners[usable[middle]]
    return (float(x), float(y), float(x + GROUP_PX), float(y + MIN_GROUPS))


def _is_usable(tiles: npt.NDArray[np.generic], lowest: float, highest: float) -> npt.NDArray[np.bool_]:
    """(N,) whether a tile is finite, not clipped, and not a single grey value."""
    values = tiles.astype(np.float32)
    clipped = ((values <= lowest) | (values >= highest)).mean(axis=(1, 2))
    usable = np.isfinite(values).all(axis=(1, 2)) & (clipped <= _MAX_CLIPPED)
    return np.asarray(usable & (np.ptp(values, axis=(1, 2)) > 0), np.bool_)


def _noise_and_unevenness(
    tiles: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(N,) median of the rows' standard deviations; spread of the rows' or columns' means per that."""
    noise = np.maximum(np.median(tiles.std(axis=2, ddof=1), axis=1), 1e-6)
    spread = np.maximum(tiles.mean(axis=1).std(axis=1), tiles.mean(axis=2).std(axis=1))
    return noise.round(6), (spread / noise).round(6)  # so that a negative ranks its tiles alike
