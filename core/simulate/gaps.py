"""Cracks, lack of penetration, lack of fusion, undercut: thin or long gaps."""

import math

import numpy as np
import numpy.typing as npt

from core.simulate.fields import log_uniform, smooth_curve
from core.simulate.geometry import WeldGeometry
from core.simulate.shapes import Body, crack_path, sheet, slot


def longitudinal_crack(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A crack along the seam, ISO 6520-1 1011, with strands and branches."""
    width = weld.thickness_mm.shape[1]
    length = min(log_uniform(rng, 3, 60) / weld.mm_per_px, 0.8 * width)
    x = rng.uniform(-0.2 * length, width - 0.5 * length)
    column = int(np.clip(x, 0, width - 1))
    u = rng.choice((0.0, rng.normal(0, 0.3), rng.uniform(0.8, 1.0) * rng.choice((-1, 1))))
    y = float(weld.centre[column] + u * weld.half_width[column])
    return _crack(
        rng, weld, x=x, y=y, length_px=length, angle=rng.normal(0, 0.03), roughness=rng.uniform(0.15, 0.7)
    )


def transverse_crack(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """Cracks across the seam, 1021; they like to come in company."""
    width = weld.thickness_mm.shape[1]
    x = rng.uniform(0.02, 0.98) * width
    bodies: list[Body] = []
    for _ in range(int(rng.choice((1, 1, 2, 4)))):
        column = int(np.clip(x, 0, width - 1))
        half = float(weld.half_width[column])
        length = half * rng.uniform(0.25, 1.8)
        y = float(weld.centre[column]) + rng.uniform(-0.9 * half, 0.9 * half - 0.6 * length)
        bodies += _crack(
            rng,
            weld,
            x=x,
            y=y,
            length_px=length,
            angle=math.pi / 2 + rng.normal(0, 0.2),
            roughness=rng.uniform(0.3, 0.9),
        )
        x += rng.uniform(1.5, 12) / weld.mm_per_px
    return bodies


def lack_of_penetration(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A straight gap at the centre of the root, 4021; one body per unbroken piece."""
    width_mm = log_uniform(rng, 0.12, 1.5)
    height_mm = min(rng.uniform(0.15, 2.2), 0.5 * weld.plate_mm)
    rough = rng.uniform(0.02, 0.35)
    return _line(
        rng, weld, u=rng.normal(0, 0.02), width_mm=width_mm, height_mm=height_mm, rough=rough, soft_px=1.5
    )


def lack_of_fusion(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A straight narrow line beside the centre, 4011, often seen edge-on from one side."""
    u = rng.uniform(0.2, 0.8) * rng.choice((-1, 1))
    width_mm, height_mm = log_uniform(rng, 0.06, 0.5), log_uniform(rng, 0.15, 1.5)
    return _line(
        rng, weld, u=u, width_mm=width_mm, height_mm=height_mm, rough=0.25, soft_px=rng.uniform(1.5, 6)
    )


def undercut(rng: np.random.Generator, weld: WeldGeometry) -> list[Body]:
    """A groove at the toe, 5011."""
    u = rng.uniform(0.95, 1.05) * rng.choice((-1, 1))
    width_mm, height_mm = rng.uniform(0.3, 1.5), rng.uniform(0.2, 0.9)
    return _line(
        rng,
        weld,
        u=u,
        width_mm=width_mm,
        height_mm=height_mm,
        rough=0.3,
        soft_px=0.6 * width_mm / weld.mm_per_px,
    )


def _line(
    rng: np.random.Generator,
    weld: WeldGeometry,
    *,
    u: float,
    width_mm: float,
    height_mm: float,
    rough: float,
    soft_px: float,
) -> list[Body]:
    """Pieces of a gap that follows the seam at `u` half widths from its centre."""
    width = weld.thickness_mm.shape[1]
    total = log_uniform(rng, 4, 200) / weld.mm_per_px
    x = rng.uniform(-0.3, 0.9) * width if total < 1.2 * width else -10.0
    end = min(x + total, width + 10.0)
    is_broken = rng.random() < 0.5
    bodies = []
    while x < end:
        piece = end - x if not is_broken else min(rng.uniform(3, 40) / weld.mm_per_px, end - x)
        first, last = max(0, math.floor(x)), min(width, math.ceil(x + piece))
        if last - first > 6:
            bodies.append(
                _piece(
                    rng,
                    weld,
                    first,
                    last,
                    u=u,
                    width_mm=width_mm,
                    height_mm=height_mm,
                    rough=rough,
                    soft_px=soft_px,
                )
            )
        x += piece + rng.uniform(0.5, 8) / weld.mm_per_px
    return bodies


def _piece(
    rng: np.random.Generator,
    weld: WeldGeometry,
    first: int,
    last: int,
    *,
    u: float,
    width_mm: float,
    height_mm: float,
    rough: float,
    soft_px: float,
) -> Body:
    count = last - first
    scale = 1 / weld.mm_per_px
    stretch = weld.mm_per_px * 0.02 * smooth_curve(rng, count, 8 * scale) * scale
    centre = weld.centre[first:last].astype(np.float64) + u * weld.half_width[first:last]
    if abs(u) < 0.1:  # the root face is machined: straighter than the cap wanders
        position = np.arange(count)
        centre = np.polyval(np.polyfit(position, centre, 1), position)
    edge = np.minimum(np.arange(count) + 1, np.arange(count)[::-1] + 1) / (rng.uniform(0.3, 2.0) * scale)
    taper = np.minimum(edge, 1) ** 0.5
    widths = (
        width_mm * np.clip(1 + rough * smooth_curve(rng, count, rng.uniform(0.5, 4) * scale), 0.2, 3) * taper
    )
    heights = (
        height_mm * np.clip(1 + rough * smooth_curve(rng, count, rng.uniform(1, 8) * scale), 0.15, 3) * taper
    )
    return slot(
        centre + stretch,
        x0=first,
        width_mm=widths,
        height_mm=heights,
        soft_px=max(soft_px, 1.0),
        mm_per_px=weld.mm_per_px,
    )


def _crack(
    rng: np.random.Generator,
    weld: WeldGeometry,
    *,
    x: float,
    y: float,
    length_px: float,
    angle: float,
    roughness: float,
) -> list[Body]:
    """The main sheet and its branches, each a body of its own."""
    opening = float(np.clip(rng.lognormal(math.log(0.04), 0.8), 0.008, 0.5))
    height = float(np.clip(rng.lognormal(math.log(0.22), 0.5), 0.05, 0.8)) * weld.plate_mm
    spread = height * abs(math.tan(rng.normal(0, math.radians(4)))) + opening
    main = crack_path(rng, x=x, y=y, length_px=length_px, angle=angle, roughness=roughness)
    strands = [(main, 1.0)]
    for _ in range(int(rng.poisson(1.0 + length_px * weld.mm_per_px / 20))):
        start = main[int(rng.integers(0, len(main)))]
        turn = angle + rng.normal(0, 0.45)
        part = length_px * rng.uniform(0.05, 0.35)
        side = rng.normal(0, 2.0, 2)
        path = crack_path(
            rng, x=start[0] + side[0], y=start[1] + side[1], length_px=part, angle=turn, roughness=roughness
        )
        strands.append((path, rng.uniform(0.2, 0.9)))
    bodies = []
    for path, share in strands:
        openings = opening * share * _taper(rng, len(path))
        body = sheet(
            path,
            opening_mm=openings,
            height_mm=height * math.sqrt(share),
            spread_mm=spread * share,
            mm_per_px=weld.mm_per_px,
            rng=rng,
        )
        bodies.append(body)
    return bodies


def _taper(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """(count,) relative opening along a crack: pointed at both ends, uneven between."""
    t = (np.arange(count) + 0.5) / count
    shape = (4 * t * (1 - t)) ** rng.uniform(0.3, 1.0)
    uneven = np.exp(0.5 * smooth_curve(rng, count, 60) + 0.35 * smooth_curve(rng, count, 250))
    peak: npt.NDArray[np.float64] = shape * uneven
    return peak / max(float(np.percentile(peak, 95)), 1e-9)
