"""Exposures of one simulated weld, and copies of them, as files."""

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld

Pixels = npt.NDArray[np.uint8]


@cache
def dose() -> npt.NDArray[np.float32]:
    """What lies behind the part, without noise."""
    made = simulate_weld(6, SimulationConfig(height_px=480, width_px=900, has_wear=False))
    soft: npt.NDArray[np.float32] = cv2.GaussianBlur(made.pixels.astype(np.float32), (0, 0), 3)
    return soft * (200 / 2**made.bit_depth) + 20


def exposure(seed: int) -> Pixels:
    """The part, exposed once more."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 6, dose().shape), (0, 0), 0.7)
    return np.clip(np.rint(dose() + noise), 0, 255).astype(np.uint8)


def png(pixels: npt.NDArray[Any]) -> bytes:
    """A PNG file."""
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())


def jpeg(pixels: Pixels) -> bytes:
    """A JPEG file of quality 90."""
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
