"""Traces of handling, processing and scanning, drawn on the finished picture: never a flaw.

All functions change a (H, W) float32 picture with grey values 0..1 in place.
"""

import math

import numpy as np

from core.simulate.fields import Array, log_uniform, smooth_curve, smooth_field


def add_scratches(rng: np.random.Generator, image: Array, mm_per_px: float) -> None:
    """Fine bright or dark lines, most along one of the edges' directions, a few curved."""
    height, width = image.shape
    for _ in range(int(rng.poisson(2.5))):
        is_along = rng.random() < 0.5
        extent = width if is_along else height
        length = int(min(extent, log_uniform(rng, 2, 120) / mm_per_px))
        start = rng.uniform(-0.2 * length, extent - 0.6 * length)
        t = np.arange(length)
        drift = (
            rng.normal(0, 0.04) * t
            + smooth_curve(rng, length, max(length / 2, 4)) * rng.uniform(0, 0.02) * length
        )
        across = rng.uniform(0, height if is_along else width) + drift
        fade = np.clip(1 + 0.7 * smooth_curve(rng, length, max(length / 6, 8)), 0, 2)
        strength = rng.choice((-1, 1), p=(0.25, 0.75)) * log_uniform(rng, 0.01, 0.12)
        along = (t + start).astype(np.intp)
        for side in range(int(rng.integers(1, 3))):
            rows, columns = (across + side).astype(np.intp), along
            rows, columns = (rows, columns) if is_along else (columns, rows)
            keep = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            image[rows[keep], columns[keep]] += (strength * fade)[keep].astype(np.float32) * np.float32(
                0.8 - 0.4 * side
            )


def add_dust(rng: np.random.Generator, image: Array, mm_per_px: float) -> None:
    """Specks and hairs, sharp because they lay on the film when it was scanned."""
    height, width = image.shape
    area_cm2 = height * width * (mm_per_px / 10) ** 2
    for _ in range(int(rng.poisson(min(rng.exponential(0.35) * area_cm2, 80)))):
        x, y = rng.uniform(3, width - 3), rng.uniform(3, height - 3)
        sigma = float(np.clip(rng.lognormal(-0.1, 0.4), 0.4, 2.2))
        reach = math.ceil(3 * sigma)
        x0, y0, x1, y1 = _window(x, y, reach, width, height)
        dx, dy = np.arange(x0, x1)[None, :] - x, np.arange(y0, y1)[:, None] - y
        strength = rng.choice((-1, 1), p=(0.15, 0.85)) * log_uniform(rng, 0.02, 0.3)
        speck = np.exp(-0.5 * (dx * dx + (dy * rng.uniform(0.6, 1.6)) ** 2) / (sigma * sigma))
        image[y0:y1, x0:x1] += (strength * speck).astype(np.float32)


def add_stains(rng: np.random.Generator, image: Array, mm_per_px: float) -> None:
    """Dried drops and smudges: faint patches, some with a darker rim."""
    height, width = image.shape
    for _ in range(int(rng.poisson(1.2))):
        reach = int(min(log_uniform(rng, 0.8, 12) / mm_per_px, 0.4 * height))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        x0, y0, x1, y1 = _window(x, y, reach, width, height)
        if x1 - x0 < 4 or y1 - y0 < 4:
            continue
        dx, dy = (np.arange(x0, x1)[None, :] - x) / reach, (np.arange(y0, y1)[:, None] - y) / reach
        away = np.hypot(dx * rng.uniform(1, 2), dy * rng.uniform(1, 2)).astype(np.float32)
        away += 0.12 * smooth_field(rng, y1 - y0, x1 - x0, max(reach / 3, 4))
        strength = rng.choice((-1, 1)) * log_uniform(rng, 0.008, 0.06)
        soft = rng.uniform(0.03, 0.5)
        patch = np.clip((0.8 - away) / soft, 0, 1)
        if rng.random() < 0.4:
            patch = 0.3 * patch + np.exp(-(((away - 0.8) / 0.05) ** 2))
        image[y0:y1, x0:x1] += np.float32(strength) * patch.astype(np.float32)


def add_bands(rng: np.random.Generator, image: Array, mm_per_px: float) -> None:
    """Roller marks and uneven lines of the digitiser, across or along the film."""
    height, width = image.shape
    amplitude = log_uniform(rng, 0.0005, 0.005)
    if rng.random() < 0.5:
        image += (amplitude * smooth_curve(rng, width, rng.uniform(1, 40))).astype(np.float32)
    else:
        image += (amplitude * smooth_curve(rng, height, rng.uniform(1, 40))).astype(np.float32)[:, None]


def add_uneven_processing(rng: np.random.Generator, image: Array, mm_per_px: float) -> None:
    """Fog and uneven development: a slow change of brightness, stronger to the ends at times."""
    height, width = image.shape
    image += smooth_field(rng, height, width, rng.uniform(15, 80) / mm_per_px) * np.float32(
        rng.uniform(0, 0.05)
    )
    if rng.random() < 0.3:
        position = np.linspace(0, 1, width, dtype=np.float32)
        position = position if rng.random() < 0.5 else position[::-1]
        fog = np.float32(rng.uniform(0.05, 0.5)) * np.clip(1 - position / rng.uniform(0.1, 0.5), 0, 1) ** 2
        image += fog * (1 - np.clip(image, 0, 1))


def add_blotches(rng: np.random.Generator, image: Array, mm_per_px: float) -> None:
    """Spots of a millimetre that are no flaw: surface dents, spatter, pressure marks; soft and faint."""
    height, width = image.shape
    for _ in range(int(rng.poisson(3.0))):
        is_dark = rng.random() < 0.35  # dark ones only so wide that nobody takes them for a flaw
        sigma = log_uniform(rng, 1.3 if is_dark else 0.25, 4.0 if is_dark else 2.5) / mm_per_px
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        x0, y0, x1, y1 = _window(x, y, math.ceil(3 * sigma), width, height)
        if x1 - x0 < 2 or y1 - y0 < 2:
            continue
        dx, dy = np.arange(x0, x1)[None, :] - x, np.arange(y0, y1)[:, None] - y
        strength = (-1 if is_dark else 1) * log_uniform(rng, 0.01, 0.08)
        spot = np.exp(-0.5 * (dx * dx + (dy * rng.uniform(0.6, 1.6)) ** 2) / (sigma * sigma))
        image[y0:y1, x0:x1] += (strength * spot).astype(np.float32)


def posterise(rng: np.random.Generator, image: Array) -> None:
    """Coarse grey steps, as left behind by a scan that was first stored with few of them."""
    steps = float(log_uniform(rng, 90, 400))
    image *= np.float32(steps)
    np.rint(image, out=image)
    image *= np.float32(1 / steps)


def _window(x: float, y: float, reach: int, width: int, height: int) -> tuple[int, int, int, int]:
    return (
        max(0, int(x) - reach),
        max(0, int(y) - reach),
        min(width, int(x) + reach + 1),
        min(height, int(y) + reach + 1),
    )
