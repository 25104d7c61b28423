"""Slag and tungsten: foreign bodies in the seam."""

import math

import numpy as np

from core.simulate.fields import log_uniform
from core.simulate.geometry import WeldGeometry
from core.simulate.shapes import Body, ellipsoid, lobes, weathered
from core.simulate.sites import at, somewhere


def slag_inclusion(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """An irregular piece of slag, 301."""
    x, y = somewhere(rng, weld, reach=0.85)
    length = float(np.clip(rng.lognormal(math.log(1.4), 0.6), 0.3, 8.0))
    return _slag(rng, weld, x=x, y=y, length_mm=length, width_mm=length * rng.uniform(0.25, 0.8))


def slag_line(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Slag along the edge of a run, 301: broken pieces in a line."""
    u = rng.uniform(0.15, 0.75) * rng.choice((-1, 1))
    x = rng.uniform(0, 0.9) * weld.thickness_mm.shape[1]
    end = x + rng.uniform(5, 40) / weld.mm_per_px
    width = log_uniform(rng, 0.25, 1.0) * (weld.plate_mm / 15) ** 0.4
    bodies: list[Body] = []
    while x < end:
        px, py = at(weld, x, u + rng.normal(0, 0.03))
        length = width * rng.uniform(1.5, 8.0)
        bodies += _slag(
            rng, weld, x=px, y=py, length_mm=length, width_mm=width * rng.uniform(0.6, 1.2), lean=0.08
        )
        x += length / weld.mm_per_px * rng.uniform(0.7, 2.5)
    return bodies


def tungsten_inclusion(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A splinter of tungsten, 3041: denser than steel, so the loss is negative."""
    x, y = somewhere(rng, weld, reach=0.6)
    size = log_uniform(rng, 0.2, 1.2)
    return [
        ellipsoid(
            x=x,
            y=y,
            length_mm=size,
            width_mm=size * rng.uniform(0.5, 1.0),
            height_mm=size * rng.uniform(0.3, 0.9),
            angle=rng.uniform(0, math.pi),
            mm_per_px=weld.mm_per_px,
            lobes=lobes(rng, 0.1),
            flatness=0.4,
            density=-rng.uniform(3, 8),
        )
    ]


def _slag(
    rng: np.random.Generator,
    weld: WeldGeometry,
    *,
    x: float,
    y: float,
    length_mm: float,
    width_mm: float,
    lean: float = 0.35,
) -> list[Body]:
    body = ellipsoid(
        x=x,
        y=y,
        length_mm=length_mm,
        width_mm=width_mm,
        height_mm=min(width_mm * rng.uniform(0.5, 1.8), 0.6 * weld.plate_mm),
        angle=rng.normal(0, lean),
        mm_per_px=weld.mm_per_px,
        lobes=lobes(rng, 0.22),
        flatness=rng.uniform(0.2, 0.7),
        density=rng.uniform(0.4, 0.85),
    )
    soft_px = rng.uniform(0.0, 0.12) * width_mm / weld.mm_per_px
    return [weathered(body, rng, soft_px=soft_px, uneven=rng.uniform(0.0, 0.6))]
