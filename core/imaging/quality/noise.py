"""Noise of homogeneous regions: SNR and normalised SNR on the original pixels, and where to measure them.

Noise is counted in rows of 20 neighbouring pixels, one mean and one standard deviation each; the signal is
the median of the means, the noise the median of the deviations. So shading from row to row and single
artefacts count little. This is the method that classifies computed radiography systems (EN 14784-1:2005 and
ISO 16371-1, ASTM E2446: at least 55 groups of at least 20 values), which ISO 17636-2 builds on. The
factor 1.0179 follows from it: the median of chi with 19 degrees of freedom lies below the standard deviation.

The signal is a grey value in proportion to dose. A `digital` radiograph is taken to be linear with dose 0 at
grey value 0; a `film` to be linear in optical density with density 0 at the brightest grey value. A picture
that was stretched, or scanned otherwise, gives a figure that compares pictures of its own kind only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Polarity, Radiograph

Box = tuple[float, float, float, float]

GROUP_PX = 20
MIN_GROUPS = 55
MEDIAN_CORRECTION = 1.0179
#: EN ISO 17636-2: SNR_N = SNR * 88.6 um / SR_b.
REFERENCE_SRB_UM = 88.6
#: Noise of rounding to whole grey values; less cannot be told from it.
ROUNDING_NOISE = 12**-0.5
_N_TILES = 1500
_MAX_CLIPPED = 0.001
#: The quarter of the tiles with the least structure is kept; of these the one with the middle noise is taken.
_KEPT = 0.25
#: Rows' or columns' means of a flat tile differ by less than this part of its noise (grain is correlated).
_MAX_UNEVEN = 0.7


@dataclass(frozen=True, slots=True)
class SignalToNoise:
    """The SNR of one region.

    Attributes:
        snr: signal / noise, not normalised.
        snr_n: normalised to a basic spatial resolution of 88.6 um; None when that is not known.
        srb_um: basic spatial resolution used, micrometres; None when not known.
        signal: grey values above dose zero, see the module.
        noise: standard deviation in grey values, at least that of rounding for whole-numbered pixels.
        n_groups: rows of 20 pixels counted.
        remarks: for the reader, e.g. that the region was too small.
    """

    snr: float
    snr_n: float | None
    srb_um: float | None
    signal: float
    noise: float
    n_groups: int
    remarks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The figure for people, with the reason when it is not the normalised one."""
        if self.snr_n is not None:
            return f"SNRn {self.snr_n:.0f} (SRb {self.srb_um:.0f} um)"
        return f"SNR {self.snr:.0f}, not normalised: the basic spatial resolution SRb is not known"


def signal_to_noise(radiograph: Radiograph, box: Box, *, srb_um: float | None = None) -> SignalToNoise:
    """The SNR of the region `box` (xyxy, px), which should be homogeneous.

    With unknown polarity both readings are made and the lower one is reported.

    Args:
        radiograph: measured on its original pixels.
        box: at least 20 px wide; 20 x 55 px or more for a figure after the standard.
        srb_um: basic spatial resolution in micrometres, from a duplex wire indicator; never guessed.

    Raises:
        ValueError: when no row of 20 finite pixels fits, `srb_um` is not positive, or the picture has float
            pixels and film polarity (its density zero is not known).
    """
    if srb_um is not None and not (np.isfinite(srb_um) and srb_um > 0):
        raise ValueError(f"srb_um must be positive and finite, got {srb_um}")
    level, noise, n_groups = level_and_noise(radiograph, box)
    signal, remarks = _signal(radiograph, level)
    if n_groups < MIN_GROUPS:
        remarks += (f"{n_groups} rows of {GROUP_PX} px, the standard asks for {MIN_GROUPS}",)
    if radiograph.pixels.dtype != np.float32 and noise <= ROUNDING_NOISE:
        remarks += ("the noise is below one grey value: the SNR is at least this",)
    snr = max(signal, 0.0) / noise if noise > 0 else (np.inf if signal > 0 else 0.0)
    snr_n = None if srb_um is None else snr * REFERENCE_SRB_UM / srb_um
    return SignalToNoise(float(snr), snr_n, srb_um, signal, noise, n_groups, remarks)


def _row_groups(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(G, 20) float64: the rows of `pixels` (h, w) cut into groups of 20 neighbours; the rest is left out.

    Groups with a value that is not finite are left out too; G may be 0.
    """
    n = pixels.shape[1] // GROUP_PX
    groups = pixels[:, : n * GROUP_PX].astype(np.float64).reshape(-1, GROUP_PX)
    return groups[np.isfinite(groups).all(axis=1)]


def _full_scale(radiograph: Radiograph) -> float | None:
    """The highest grey value that the depth allows; None for float pixels."""
    if radiograph.pixels.dtype == np.float32:
        return None
    bits = min(radiograph.bit_depth, 8 * radiograph.pixels.dtype.itemsize)
    return float(2**bits - 1)


def level_and_noise(radiograph: Radiograph, box: Box) -> tuple[float, float, int]:
    """Grey level and noise of the region `box`, and the number of rows of 20 pixels they are taken from.

    Raises:
        ValueError: when no row of 20 finite pixels fits.
    """
    groups = _row_groups(region_pixels(radiograph, box))
    if len(groups) == 0:
        raise ValueError(f"no row of {GROUP_PX} pixels with values in the region {box}: choose a larger one")
    noise = float(np.median(groups.std(axis=1, ddof=1))) * MEDIAN_CORRECTION
    if radiograph.pixels.dtype != np.float32:
        noise = max(noise, ROUNDING_NOISE)
    return float(np.median(groups.mean(axis=1))), noise, len(groups)


def _signal(radiograph: Radiograph, level: float) -> tuple[float, tuple[str, ...]]:
    top = _full_scale(radiograph)
    match radiograph.polarity:
        case Polarity.DIGITAL:
            return level, ()
        case Polarity.FILM if top is None:
            raise ValueError("a film with float pixels has no known density zero: its SNR cannot be measured")
        case Polarity.FILM:
            assert top is not None
            return top - level, ()
        case Polarity.UNKNOWN if top is None:
            return level, ("polarity unknown: grey value 0 taken as dose 0",)
        case Polarity.UNKNOWN:
            assert top is not None
            return min(level, top - level), ("polarity unknown: the lower of both readings",)


def region_pixels(radiograph: Radiograph, box: Box) -> npt.NDArray[Any]:
    """(h, w) view of the pixels whose centres lie in `box` (xyxy, px), native dtype; may be empty.

    Raises:
        ValueError: when the box is not finite or not xyxy.
    """
    x1, y1, x2, y2 = box
    if not np.isfinite(box).all() or x2 < x1 or y2 < y1:
        raise ValueError(f"box must be finite and xyxy with x2 >= x1 and y2 >= y1, got {box}")
    left, top, right, bottom = (max(0, int(np.ceil(edge - 0.5))) for edge in (x1, y1, x2, y2))
    pixels: npt.NDArray[Any] = radiograph.pixels[top:bottom, left:right]
    return pixels


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
