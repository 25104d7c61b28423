"""The normalisation that training and inference share."""

import numpy as np
import numpy.typing as npt

from core.domain.radiograph import Polarity

#: Percentiles of the image that become 0 and 1. Wide enough to keep a small bright indication.
LOW_PERCENTILE, HIGH_PERCENTILE = 0.1, 99.9
#: Values beyond the percentiles are kept this far, then clipped.
HEADROOM = 0.1
_MAX_SAMPLES = 250_000


def normalise(
    pixels: npt.NDArray[np.generic],
    *,
    polarity: Polarity = Polarity.UNKNOWN,
    model_polarity: Polarity = Polarity.UNKNOWN,
) -> npt.NDArray[np.float32]:
    """The image on the network's scale: (H, W) float32, about 0..1, clipped to -0.1..1.1.

    Robust (percentiles of the whole image, so one hot pixel changes nothing), independent of depth
    and of detector gain and offset, and turned into the polarity the network was trained in when
    both polarities are known and differ.

    Args:
        pixels: (H, W), any real dtype; non-finite values count as the low end.
        polarity: of the radiograph.
        model_polarity: of the network.

    Returns:
        All 0.5 when the image is constant or holds no finite value.
    """
    values = pixels.astype(np.float32)
    low, high = _robust_range(values)
    if not high > low:
        return np.full(values.shape, 0.5, np.float32)
    values -= low
    values /= high - low
    np.nan_to_num(values, copy=False, nan=0.0, posinf=1.0 + HEADROOM, neginf=-HEADROOM)
    np.clip(values, -HEADROOM, 1.0 + HEADROOM, out=values)
    if is_inverted(polarity, model_polarity):
        np.subtract(1.0, values, out=values)
    return values


def is_inverted(polarity: Polarity, model_polarity: Polarity) -> bool:
    """True when both polarities are known and differ."""
    return Polarity.UNKNOWN not in (polarity, model_polarity) and polarity != model_polarity


def _robust_range(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The two percentiles over an even subsample of the finite values; (0, 0) when there is none."""
    step = max(1, int(np.sqrt(values.size / _MAX_SAMPLES)))
    sample = values[::step, ::step]
    sample = sample[np.isfinite(sample)]
    if sample.size == 0:
        return 0.0, 0.0
    low, high = np.percentile(sample, (LOW_PERCENTILE, HIGH_PERCENTILE))
    return float(low), float(high)
