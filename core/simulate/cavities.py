"""Pores, worm holes and inclusions: bodies that are about as wide as they are deep."""

import math

import numpy as np
import numpy.typing as npt

from core.simulate.fields import log_uniform
from core.simulate.geometry import WeldGeometry
from core.simulate.shapes import Body, ellipsoid, taper


def gas_pore(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A gas pore alone, ISO 6520-1 2011."""
    x, y = _somewhere(rng, weld)
    return [_pore(rng, weld, x=x, y=y, diameter_mm=_diameter(rng, weld))]


def uniform_porosity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Pores spread over a stretch of the seam, 2012."""
    count, typical = int(rng.integers(10, 45)), _diameter(rng, weld) * 0.7
    length = rng.uniform(10, 60) / weld.mm_per_px
    start = rng.uniform(-0.2, 1.0) * weld.thickness_mm.shape[1]
    bodies = []
    for _ in range(count):
        x, y = _at(weld, start + rng.uniform(0, length), rng.uniform(-0.75, 0.75))
        bodies.append(_pore(rng, weld, x=x, y=y, diameter_mm=_around(rng, typical, weld)))
    return bodies


def clustered_porosity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A nest of pores, 2013."""
    count, typical = int(rng.integers(4, 30)), _diameter(rng, weld) * 0.7
    x0, y0 = _somewhere(rng, weld, reach=0.6)
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
        px, py = _at(weld, x, u + rng.normal(0, 0.02))
        stretch = rng.uniform(1.1, 1.8) if is_oval else None
        bodies.append(
            _pore(rng, weld, x=px, y=py, diameter_mm=_around(rng, typical, weld), stretch=stretch, angle=0.0)
        )
        x += gap * rng.gamma(3, 1 / 3) + typical / weld.mm_per_px
    return bodies


def elongated_cavity(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """One to a few stretched pores, 2015, mostly along the seam."""
    typical = _diameter(rng, weld)
    x, y = _somewhere(rng, weld)
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
    width = float(np.clip(rng.lognormal(math.log(0.35), 0.35), 0.15, 1.2))
    count = int(rng.choice((1, 2, int(rng.integers(3, 18)))))
    x = rng.uniform(0.02, 0.95) * weld.thickness_mm.shape[1]
    side, tilt = rng.choice((-1, 1)), rng.normal(0, 0.15)
    u = rng.uniform(-0.5, 0.5)
    bodies = []
    for _ in range(count):
        px, py = _at(weld, x, u + rng.normal(0, 0.12))
        length = width * rng.uniform(1.0, 6.0)
        angle = side * math.pi / 2 + tilt + rng.normal(0, 0.12)
        start, end = width * rng.uniform(0.6, 1.2), width * rng.uniform(0.2, 0.8)
        bodies.append(
            taper(
                x=px,
                y=py,
                length_mm=length,
                width_mm=start,
                end_width_mm=end,
                angle=angle,
                mm_per_px=weld.mm_per_px,
            )
        )
        x += log_uniform(rng, 0.6, 8.0) / weld.mm_per_px
    return bodies


def slag_inclusion(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """An irregular piece of slag, 301."""
    x, y = _somewhere(rng, weld, reach=0.85)
    length = float(np.clip(rng.lognormal(math.log(1.4), 0.6), 0.3, 8.0))
    return _slag(rng, weld, x=x, y=y, length_mm=length, width_mm=length * rng.uniform(0.25, 0.8))


def slag_line(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Slag along the edge of a run, 301: broken pieces in a line."""
    u = rng.uniform(0.15, 0.75) * rng.choice((-1, 1))
    x = rng.uniform(0, 0.9) * weld.thickness_mm.shape[1]
    end = x + rng.uniform(5, 40) / weld.mm_per_px
    width = log_uniform(rng, 0.2, 0.9)
    bodies: list[Body] = []
    while x < end:
        px, py = _at(weld, x, u + rng.normal(0, 0.03))
        length = width * rng.uniform(1.5, 8.0)
        bodies += _slag(
            rng, weld, x=px, y=py, length_mm=length, width_mm=width * rng.uniform(0.6, 1.2), lean=0.08
        )
        x += length / weld.mm_per_px * rng.uniform(0.7, 2.5)
    return bodies


def tungsten_inclusion(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A splinter of tungsten, 3041: denser than steel, so the loss is negative."""
    x, y = _somewhere(rng, weld, reach=0.6)
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
            lobes=_lobes(rng, 0.1),
            flatness=0.4,
            density=-rng.uniform(3, 8),
        )
    ]


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
    return ellipsoid(
        x=x,
        y=y,
        length_mm=diameter_mm * stretch,
        width_mm=diameter_mm,
        height_mm=min(diameter_mm * rng.uniform(0.6, 1.3), 0.8 * weld.plate_mm),
        angle=rng.uniform(0, math.pi) if angle is None else angle,
        mm_per_px=weld.mm_per_px,
        lobes=_lobes(rng, 0.06) if rng.random() < 0.6 else None,
    )


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
    return [
        ellipsoid(
            x=x,
            y=y,
            length_mm=length_mm,
            width_mm=width_mm,
            height_mm=min(width_mm * rng.uniform(0.5, 1.5), 0.6 * weld.plate_mm),
            angle=rng.normal(0, lean),
            mm_per_px=weld.mm_per_px,
            lobes=_lobes(rng, 0.22),
            flatness=rng.uniform(0.2, 0.6),
            density=rng.uniform(0.4, 0.8),
        )
    ]


def _lobes(rng: np.random.Generator, roughness: float) -> npt.NDArray[np.float64]:
    """(5, 2): amplitudes, falling with the wave number, and phases."""
    amplitude = rng.normal(0, roughness, 5) / np.arange(1, 6)
    amplitude *= min(1.0, 0.6 / max(float(np.abs(amplitude).sum()), 1e-9))
    return np.stack([amplitude, rng.uniform(0, 2 * math.pi, 5)], axis=1)


def _diameter(rng: np.random.Generator, weld: WeldGeometry) -> float:
    return float(np.clip(rng.lognormal(math.log(0.6), 0.5), 0.15, min(4.0, 0.5 * weld.plate_mm)))


def _around(rng: np.random.Generator, typical_mm: float, weld: WeldGeometry) -> float:
    return float(np.clip(typical_mm * rng.lognormal(0, 0.35), 0.12, min(4.0, 0.5 * weld.plate_mm)))


def _somewhere(rng: np.random.Generator, weld: WeldGeometry, reach: float = 0.8) -> tuple[float, float]:
    return _at(weld, rng.uniform(0.01, 0.99) * weld.thickness_mm.shape[1], rng.uniform(-reach, reach))


def _at(weld: WeldGeometry, x: float, u: float) -> tuple[float, float]:
    """Px position at column `x` and at `u` half widths from the centre line."""
    column = int(np.clip(x, 0, len(weld.centre) - 1))
    return x, float(weld.centre[column] + u * weld.half_width[column])
