"""Noise of homogeneous regions: SNR, normalised SNR and CNR, on the original pixels.

How noise is counted: rows of 20 neighbouring pixels, one mean and one standard deviation each; the signal is
the median of the means, the noise the median of the deviations. So shading from row to row and single
artefacts count little. This is the method that classifies computed radiography systems (EN 14784-1:2005 and
ISO 16371-1, ASTM E2446: at least 55 groups of at least 20 values), which ISO 17636-2 builds on. The
factor 1.0179 follows from it: the median of chi with 19 degrees of freedom lies below the standard deviation.

Signal means grey value in proportion to dose. A `digital` radiograph is taken to be linear with dose 0 at
grey value 0; a `film` to be linear in optical density with density 0 at the brightest grey value. A picture
that was stretched, or scanned otherwise, gives a figure that compares pictures of its own kind only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Polarity, Radiograph
from core.imaging.measure import Box
from core.imaging.region import region_pixels

GROUP_PX = 20
MIN_GROUPS = 55
MEDIAN_CORRECTION = 1.0179
#: EN ISO 17636-2: SNR_N = SNR * 88.6 um / SR_b.
REFERENCE_SRB_UM = 88.6
#: Noise of rounding to whole grey values; less cannot be told from it.
ROUNDING_NOISE = 12**-0.5


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
        remarks: what a reader has to know, e.g. that the region was too small.
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
        """For people: which figure it is, and why not the normalised one."""
        if self.snr_n is not None:
            return f"SNRn {self.snr_n:.0f} (SRb {self.srb_um:.0f} um)"
        return f"SNR {self.snr:.0f}, not normalised: the basic spatial resolution SRb is not known"


@dataclass(frozen=True, slots=True)
class ContrastToNoise:
    """The CNR of two regions.

    Attributes:
        cnr: difference of the two signals / mean of the two noises (ISO 17636-2, terms and definitions).
        difference: first signal - second, grey values.
        noise: mean of the two, grey values.
    """

    cnr: float
    difference: float
    noise: float


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
    level, noise, n_groups = _level_and_noise(radiograph, box)
    signal, remarks = _signal(radiograph, level)
    if n_groups < MIN_GROUPS:
        remarks += (f"{n_groups} rows of {GROUP_PX} px, the standard asks for {MIN_GROUPS}",)
    if radiograph.pixels.dtype != np.float32 and noise <= ROUNDING_NOISE:
        remarks += ("the noise is below one grey value: the SNR is at least this",)
    snr = max(signal, 0.0) / noise if noise > 0 else (np.inf if signal > 0 else 0.0)
    snr_n = None if srb_um is None else snr * REFERENCE_SRB_UM / srb_um
    return SignalToNoise(float(snr), snr_n, srb_um, signal, noise, n_groups, remarks)


def contrast_to_noise(radiograph: Radiograph, box: Box, other: Box) -> ContrastToNoise:
    """The CNR between two homogeneous regions (xyxy, px).

    Returns:
        An infinite CNR when two regions without noise (float pixels only) differ, 0 when they do not.

    Raises:
        ValueError: when no row of 20 finite pixels fits into one of them.
    """
    level, noise, _ = _level_and_noise(radiograph, box)
    other_level, other_noise, _ = _level_and_noise(radiograph, other)
    difference, mean_noise = level - other_level, (noise + other_noise) / 2
    if mean_noise > 0:
        return ContrastToNoise(abs(difference) / mean_noise, difference, mean_noise)
    return ContrastToNoise(float("inf") if difference else 0.0, difference, mean_noise)


def row_groups(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(G, 20) float64: the rows of `pixels` (h, w) cut into groups of 20 neighbours; the rest is left out.

    Groups with a value that is not finite are left out too; G may be 0.
    """
    n = pixels.shape[1] // GROUP_PX
    groups = pixels[:, : n * GROUP_PX].astype(np.float64).reshape(-1, GROUP_PX)
    return groups[np.isfinite(groups).all(axis=1)]


def full_scale(radiograph: Radiograph) -> float | None:
    """The highest grey value that the depth allows; None for float pixels."""
    if radiograph.pixels.dtype == np.float32:
        return None
    bits = min(radiograph.bit_depth, 8 * radiograph.pixels.dtype.itemsize)
    return float(2**bits - 1)


def _level_and_noise(radiograph: Radiograph, box: Box) -> tuple[float, float, int]:
    groups = row_groups(region_pixels(radiograph, box))
    if len(groups) == 0:
        raise ValueError(f"no row of {GROUP_PX} pixels with values in the region {box}: choose a larger one")
    noise = float(np.median(groups.std(axis=1, ddof=1))) * MEDIAN_CORRECTION
    if radiograph.pixels.dtype != np.float32:
        noise = max(noise, ROUNDING_NOISE)
    return float(np.median(groups.mean(axis=1))), noise, len(groups)


def _signal(radiograph: Radiograph, level: float) -> tuple[float, tuple[str, ...]]:
    top = full_scale(radiograph)
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
