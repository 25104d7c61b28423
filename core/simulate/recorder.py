"""From dose to grey value: film with a digitiser, or a digital detector."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.simulate.fields import Array, grain, log_uniform


class Recorder(Protocol):
    """A recorder turns the dose into a picture."""

    def mean_signal(self, dose: Array) -> Array:
        """The grey value without noise for each dose, 0..1; float32, same shape."""
        ...

    def noise_std(self, dose: Array) -> Array:
        """The standard deviation of the grey value at each dose; float32, same shape."""
        ...

    def correlation_area_px(self) -> float:
        """Approximate number of pixels that share one independent noise value."""
        ...

    def record(self, dose: Array, rng: np.random.Generator) -> Array:
        """The grey values with noise, 0..1, not clipped; (H, W) float32."""
        ...


@dataclass(frozen=True, slots=True)
class Film:
    """Film: density grows with dose, the digitiser is linear in density, less metal is darker.

    Attributes:
        density_per_dose: optical density at dose 1, above fog.
        fog: density without dose.
        darkest, lightest: the densities that become grey 0 and 1.
        granularity: standard deviation of the density at density 2; it grows with its square root.
        fine_px, coarse_px, coarse_share: correlation of the grain, see `fields.grain`.
    """

    density_per_dose: float
    fog: float
    darkest: float
    lightest: float
    granularity: float
    fine_px: float
    coarse_px: float
    coarse_share: float

    def mean_signal(self, dose: Array) -> Array:
        """See `Recorder`; clipped to the range of the digitiser."""
        return np.clip(self._grey(self._density(dose)), 0, 1)

    def noise_std(self, dose: Array) -> Array:
        """See `Recorder`."""
        span = self.darkest - self.lightest
        deviation = np.float32(self.granularity / span) * np.sqrt(self._density(dose) * np.float32(0.5))
        return np.asarray(deviation, np.float32)

    def correlation_area_px(self) -> float:
        """See `Recorder`; Gaussian noise of sigma s is correlated over 4 pi s squared."""
        return _correlation_area(self.fine_px, self.coarse_px, self.coarse_share)

    def record(self, dose: Array, rng: np.random.Generator) -> Array:
        """See `Recorder`."""
        noise = grain(
            rng, *dose.shape, fine_px=self.fine_px, coarse_px=self.coarse_px, coarse_share=self.coarse_share
        )
        noise *= self.noise_std(dose)
        noise += self._grey(self._density(dose))
        return noise

    def _density(self, dose: Array) -> Array:
        return np.float32(self.fog) + np.float32(self.density_per_dose) * dose

    def _grey(self, density: Array) -> Array:
        density -= np.float32(self.darkest)
        density *= np.float32(-1 / (self.darkest - self.lightest))
        return density


@dataclass(frozen=True, slots=True)
class Detector:
    """A flat panel: grey value grows linearly with dose, less metal is brighter.

    Attributes:
        gain: grey value per dose.
        offset: grey value without dose.
        quanta: quanta per pixel at dose 1; the noise is Poisson's.
        fine_px, coarse_px, coarse_share: correlation of the noise, see `fields.grain`.
    """

    gain: float
    offset: float
    quanta: float
    fine_px: float
    coarse_px: float
    coarse_share: float

    def mean_signal(self, dose: Array) -> Array:
        """See `Recorder`; clipped where the detector saturates."""
        return np.asarray(np.clip(np.float32(self.offset) + np.float32(self.gain) * dose, 0, 1), np.float32)

    def noise_std(self, dose: Array) -> Array:
        """See `Recorder`."""
        return np.float32(self.gain) * np.sqrt(np.maximum(dose, 0) / np.float32(self.quanta))

    def correlation_area_px(self) -> float:
        """See `Recorder`."""
        return _correlation_area(self.fine_px, self.coarse_px, self.coarse_share)

    def record(self, dose: Array, rng: np.random.Generator) -> Array:
        """See `Recorder`."""
        noise = grain(
            rng, *dose.shape, fine_px=self.fine_px, coarse_px=self.coarse_px, coarse_share=self.coarse_share
        )
        noise *= self.noise_std(dose)
        noise += np.float32(self.offset) + np.float32(self.gain) * dose
        return noise


def draw_film(rng: np.random.Generator, dose: Array) -> Film:
    """A random film and digitiser setting for a picture whose doses are like `dose` (1 = plate)."""
    low, high = np.percentile(dose[::8, ::8], (1, 99))
    per_dose, fog = rng.uniform(1.8, 3.6), rng.uniform(0.15, 0.5)
    span = per_dose * max(float(high - low), 0.05)
    darkest = fog + per_dose * float(high) + rng.uniform(-0.12, 0.5) * span
    lightest = fog + per_dose * float(low) - rng.uniform(0.02, 0.5) * span
    noise = log_uniform(rng, 0.003, 0.014) * span
    return Film(
        density_per_dose=per_dose,
        fog=fog,
        darkest=darkest,
        lightest=lightest,
        granularity=float(np.clip(noise, 0.003, 0.045)),
        fine_px=rng.uniform(0.7, 1.3),
        coarse_px=rng.uniform(1.4, 2.6),
        coarse_share=rng.uniform(0.15, 0.5),
    )


def draw_detector(rng: np.random.Generator, dose: Array) -> Detector:
    """A random flat panel and exposure for a picture whose doses are like `dose` (1 = plate)."""
    high = float(np.percentile(dose[::8, ::8], 99.5))
    return Detector(
        gain=rng.uniform(0.3, 0.95) / high,
        offset=rng.uniform(0.0, 0.05),
        quanta=log_uniform(rng, 3e3, 1e5),
        fine_px=rng.uniform(0.0, 0.9),
        coarse_px=rng.uniform(1.0, 2.0),
        coarse_share=rng.uniform(0.0, 0.3),
    )


def _correlation_area(fine_px: float, coarse_px: float, coarse_share: float) -> float:
    fine, coarse = (max(1.0, 4 * np.pi * sigma**2) for sigma in (fine_px, coarse_px))
    return float((1 - coarse_share) * fine + coarse_share * coarse)
