"""Random changes of a crop: flips and quarter turns, grey values, blur and noise."""

import cv2
import numpy as np
import numpy.typing as npt


def turn(
    planes: npt.NDArray[np.float32], boxes: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """One of the eight flips and quarter turns of square planes (C, S, S), for them and boxes alike."""
    side = np.float32(planes.shape[1])
    if rng.random() < 0.5:
        planes, boxes = (
            planes[:, :, ::-1],
            np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], axis=1),
        )
    if rng.random() < 0.5:
        planes, boxes = (
            planes[:, ::-1],
            np.stack([boxes[:, 0], side - boxes[:, 3], boxes[:, 2], side - boxes[:, 1]], axis=1),
        )
    if rng.random() < 0.3:
        planes, boxes = planes.swapaxes(1, 2), boxes[:, [1, 0, 3, 2]]
    return np.ascontiguousarray(planes), boxes


def vary(
    pixels: npt.NDArray[np.float32], strength: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Gain, offset, gamma, a slow gradient, blur and noise, as films and detectors differ."""
    if strength <= 0:
        return pixels
    if rng.random() < 0.8:
        middle = float(pixels.mean())
        gain, offset = np.exp(strength * rng.uniform(-0.6, 0.5)), strength * rng.uniform(-0.15, 0.15)
        pixels = (pixels - middle) * float(gain) + middle + offset
    if rng.random() < 0.3:
        power = np.float32(np.exp(strength * rng.uniform(-0.3, 0.3)))
        pixels = np.sign(pixels) * np.abs(pixels) ** power
    if rng.random() < 0.3:
        ramp = np.linspace(-0.5, 0.5, pixels.shape[0], dtype=np.float32)
        down, across = rng.normal(0, 0.15 * strength, 2).astype(np.float32)
        pixels = pixels + ramp[:, None] * down + ramp[None] * across
    if rng.random() < 0.2 * strength:
        pixels = _blur(pixels, rng.uniform(0.4, 1.2))
    if rng.random() < 0.5:
        grain = rng.standard_normal(pixels.shape, dtype=np.float32)
        if rng.random() < 0.5:
            grain = 2 * _blur(grain, rng.uniform(0.6, 1.2))
        pixels = pixels + grain * np.float32(strength * rng.uniform(0.0, 0.03))
    # no clipping: a gain that saturates would hide what the boxes still claim
    return pixels.astype(np.float32)


def _blur(pixels: npt.NDArray[np.float32], sigma_px: float) -> npt.NDArray[np.float32]:
    return cv2.GaussianBlur(pixels, (0, 0), sigma_px).astype(np.float32, copy=False)
