"""Pores and worm holes: gas that stayed in the metal."""

import math

import numpy as np

from core.simulate.fields import log_uniform
from core.simulate.geometry import WeldGeometry
from core.simulate.shapes import Body, ellipsoid, lobes, taper, weathered
from core.simulate.sites import at, somewhere


def gas_pore(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A gas pore alone, ISO 6520-1 2011."""
    x, y = somewhere(rng, weld)
    diameter = _diameter(rng, weld)
    bodies = [_pore(rng, weld, x=x, y=y, diameter_mm=diameter)]
    if rng.random() < 0.3:  # bubbles that froze together
        for _ in range(int(rng.integers(1, 4))):
            side = rng.normal(0, 0.4 * diameter / weld.mm_per_px, 2)
            size = max(diameter * rng.uniform(0.3, 0.8), 0.1)
            bodies.append(_pore(rng, weld, x=x + side[0], y=y + side[1], diameter_mm=size))
    return bodies


def uniform_porosity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Pores spread over a stretch of the seam, 2012."""
    count, typical = int(rng.integers(10, 45)), _diameter(rng, weld) * 0.7
    length = rng.uniform(10, 60) / weld.mm_per_px
    start = rng.uniform(-0.2, 1.0) * weld.thickness_mm.shape[1]
    bodies = []
    for _ in range(count):
        x, y = at(weld, start + rng.uniform(0, length), rng.uniform(-0.75, 0.75))
        bodies.append(_pore(rng, weld, x=x, y=y, diameter_mm=_around(rng, typical, weld)))
    return bodies


def clustered_porosity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A nest of pores, 2013."""
    count, typical = int(rng.integers(4, 30)), _diameter(rng, weld) * 0.7
    x0, y0 = somewhere(rng, weld, reach=0.6)
    spread = rng.uniform(0.5, 3.0) / weld.mm_per_px
    squash = rng.uniform(0.5, 1.0)
    bodies = []
    for _ in range(count):
        x, y = x0 + rng.normal(0, spread), y0 + rng.normal(0, spread * squash)
        bodies.append(_pore(rng, weld, x=x, y=y, diameter_mm=_around(rng, typical, weld)))
    return bodies


def linear_porosity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Pores in a row along the seam, 2014."""
    count, typical = int(rng.integers(3, 16)), _diameter(rng, weld)
    u = rng.choice((0.0, rng.uniform(-0.9, 0.9)))
    x = rng.uniform(0, 0.9) * weld.thickness_mm.shape[1]
    gap = rng.uniform(1.2, 6.0) * typical / weld.mm_per_px
    is_oval = rng.random() < 0.4
    bodies = []
    for _ in range(count):
        px, py = at(weld, x, u + rng.normal(0, 0.02))
        stretch = rng.uniform(1.1, 1.8) if is_oval else None
        bodies.append(
            _pore(rng, weld, x=px, y=py, diameter_mm=_around(rng, typical, weld), stretch=stretch, angle=0.0)
        )
        x += gap * rng.gamma(3, 1 / 3) + typical / weld.mm_per_px
    return bodies


def elongated_cavity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """One to a few stretched pores, 2015, mostly along the seam."""
    typical = _diameter(rng, weld)
    x, y = somewhere(rng, weld)
    angle = rng.normal(0, 0.15) if rng.random() < 0.7 else rng.uniform(0, math.pi)
    bodies = []
    for _ in range(int(rng.integers(1, 4))):
        diameter = _around(rng, typical, weld)
        bodies.append(
            _pore(rng, weld, x=x, y=y, diameter_mm=diameter, stretch=rng.uniform(2.0, 6.0), angle=angle)
        )
        x += rng.uniform(4, 12) * diameter / weld.mm_per_px
    return bodies


def wormhole(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Tubes that gas left when it rose, 2016: a row of narrow drops, mostly across the seam."""
    width = float(np.clip(rng.lognormal(math.log(0.3 * (weld.plate_mm / 6) ** 0.4), 0.35), 0.15, 1.4))
    count = int(rng.choice((1, 2, int(rng.integers(3, 18)))))
    x = rng.uniform(0.02, 0.95) * weld.thickness_mm.shape[1]
    side, tilt = rng.choice((-1, 1)), rng.normal(0, 0.15)
    u, uneven = rng.uniform(-0.5, 0.5), rng.uniform(0.0, 0.6)
    bodies: list[Body] = []
    for _ in range(count):
        px, py = at(weld, x, u + rng.normal(0, 0.12))
        length = width * rng.uniform(1.0, 6.0)
        angle = side * math.pi / 2 + tilt + rng.normal(0, 0.12)
        start, end = width * rng.uniform(0.6, 1.2), width * rng.uniform(0.2, 0.8)
        tube = taper(
            x=px,
            y=py,
            length_mm=length,
            width_mm=start,
            end_width_mm=end,
            angle=angle,
            mm_per_px=weld.mm_per_px,
        )
        soft_px = rng.uniform(0.0, 0.2) * width / weld.mm_per_px
        bodies.append(weathered(tube, rng, soft_px=soft_px, uneven=uneven))
        if rng.random() < 0.3:
            bodies.append(_pore(rng, weld, x=px, y=py, diameter_mm=width * rng.uniform(0.8, 1.8)))
        x += log_uniform(rng, 0.6, 8.0) / weld.mm_per_px
    return bodies


def _pore(
    rng: np.random.Generator,
    weld: WeldGeometry,
    *,
    x: float,
    y: float,
    diameter_mm: float,
    stretch: float | None = None,
    angle: float | None = None,
) -> Body:
    stretch = 1 + abs(rng.normal(0, 0.15)) if stretch is None else stretch
    body = ellipsoid(
        x=x,
        y=y,
        length_mm=diameter_mm * stretch,
        width_mm=diameter_mm,
        height_mm=min(diameter_mm * log_uniform(rng, 0.6, 1.6), 0.8 * weld.plate_mm),
        angle=rng.uniform(0, math.pi) if angle is None else angle,
        mm_per_px=weld.mm_per_px,
        lobes=lobes(rng, 0.06) if rng.random() < 0.6 else None,
    )
    if rng.random() < 0.4:
        soft_px = rng.uniform(0.0, 0.1) * diameter_mm / weld.mm_per_px
        body = weathered(body, rng, soft_px=soft_px, uneven=rng.uniform(0.0, 0.3))
    return body


def _diameter(rng: np.random.Generator, weld: WeldGeometry) -> float:
    typical = 0.55 * (weld.plate_mm / 10) ** 0.4
    return float(np.clip(rng.lognormal(math.log(typical), 0.5), 0.15, min(4.0, 0.5 * weld.plate_mm)))


def _around(rng: np.random.Generator, typical_mm: float, weld: WeldGeometry) -> float:
    return float(np.clip(typical_mm * rng.lognormal(0, 0.35), 0.12, min(4.0, 0.5 * weld.plate_mm)))
