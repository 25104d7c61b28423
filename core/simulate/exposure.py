"""From metal to dose: attenuation, scatter and unsharpness.

Beer-Lambert with an effective coefficient for the whole spectrum; beam hardening makes each further
millimetre attenuate a little less: attenuation = mu * t / (1 + hardening * t).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from core.simulate.fields import Array, log_uniform

_SCATTER_STRIDE = 16


@dataclass(frozen=True, slots=True)
class Exposure:
    """Passage of the beam through the metal.

    Attributes:
        mu_per_mm: effective linear attenuation coefficient of steel at zero thickness, 1/mm.
            About 0.25 at 100 kV, 0.12 at 150 kV, 0.08 at 200 kV, 0.05 at 300 kV.
        hardening_per_mm: see the module; 0 is a monochromatic beam.
        scatter_ratio: scattered dose / primary dose (build-up factor less one).
        scatter_mm: standard deviation of the scattered light, mm.
        unsharpness_mm: standard deviation of geometric and screen unsharpness together, mm.
    """

    mu_per_mm: float
    hardening_per_mm: float = 0.0
    scatter_ratio: float = 0.0
    scatter_mm: float = 8.0
    unsharpness_mm: float = 0.05

    def primary(self, thickness_mm: Array) -> Array:
        """The unscattered, sharp dose behind `thickness_mm`, 1 without metal; same shape, float32."""
        attenuation = thickness_mm * np.float32(-self.mu_per_mm)
        if self.hardening_per_mm > 0:
            attenuation /= 1 + np.float32(self.hardening_per_mm) * thickness_mm
        return np.asarray(np.exp(attenuation), np.float32)

    def blurred(self, image: Array, mm_per_px: float) -> Array:
        """`image` after unsharpness; same shape, float32."""
        sigma = self.unsharpness_mm / mm_per_px
        if sigma < 0.2:
            return image
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)

    def dose(self, primary: Array, mm_per_px: float) -> Array:
        """(H, W) float32: blurred primary dose plus broad scatter."""
        total = self.blurred(primary, mm_per_px)
        if self.scatter_ratio > 0:
            total = total + np.float32(self.scatter_ratio) * self._broad(primary, mm_per_px)
        return total

    def _broad(self, primary: Array, mm_per_px: float) -> Array:
        height, width = primary.shape
        size = (max(width // _SCATTER_STRIDE, 2), max(height // _SCATTER_STRIDE, 2))
        small = cv2.resize(primary, size, interpolation=cv2.INTER_AREA)
        sigma = max(self.scatter_mm / mm_per_px / _SCATTER_STRIDE, 0.3)
        small = cv2.GaussianBlur(small, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def draw_exposure(rng: np.random.Generator, plate_mm: float) -> Exposure:
    """A random exposure that suits plates of `plate_mm`, as a radiographer would choose the voltage."""
    mu = float(np.clip(log_uniform(rng, 1.0, 2.8) / plate_mm, 0.06, 0.27))
    return Exposure(
        mu_per_mm=mu,
        hardening_per_mm=rng.uniform(0.0, 0.012),
        scatter_ratio=rng.uniform(0.15, 0.9) * math.sqrt(plate_mm / 15),
        scatter_mm=rng.uniform(4, 15),
        unsharpness_mm=log_uniform(rng, 0.03, 0.1),
    )
