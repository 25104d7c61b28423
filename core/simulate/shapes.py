"""Single bodies of missing metal as small maps of lost thickness.

Coordinates: px of the radiograph, x to the right, y down, the centre of pixel (0, 0) at (0.5, 0.5).
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from core.simulate.fields import Array, smooth_curve, smooth_field

_OVERSAMPLING = 3
_OUTLINE = 720


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One body without metal.

    Attributes:
        x0, y0: top left pixel of the map in the radiograph; may lie outside of it.
        loss_mm: (h, w) float32, lost thickness along the beam; negative where the body is denser.
        length_mm, width_mm: true size across the beam, length >= width.
        height_mm: true size along the beam.
    """

    x0: int
    y0: int
    loss_mm: Array
    length_mm: float
    width_mm: float
    height_mm: float


def ellipsoid(
    *,
    x: float,
    y: float,
    length_mm: float,
    width_mm: float,
    height_mm: float,
    angle: float,
    mm_per_px: float,
    lobes: npt.NDArray[np.float64] | None = None,
    flatness: float = 0.5,
    density: float = 1.0,
) -> Body:
    """An ellipsoid, its long axis at `angle` (radians, from x towards y).

    Args:
        x: column of the centre, px.
        y: row of the centre, px.
        length_mm: full axis at `angle`.
        width_mm: full axis across it.
        height_mm: full axis along the beam.
        angle: of the long axis.
        mm_per_px: pixel pitch.
        lobes: (K, 2) amplitude and phase of the k-th wave of the outline, k from 2; None is smooth.
        flatness: exponent of the profile; 0.5 is an ellipsoid, less is a slab with steep walls.
        density: loss per millimetre of body: 1 is a gas; slag a little less; tungsten negative.
    """
    grow = (1 if lobes is None else 1 + float(np.abs(lobes[:, 0]).sum())) * 0.5 / mm_per_px
    half_x = math.hypot(length_mm * math.cos(angle), width_mm * math.sin(angle)) * grow + 1
    half_y = math.hypot(length_mm * math.sin(angle), width_mm * math.cos(angle)) * grow + 1
    x0, y0 = math.floor(x - half_x), math.floor(y - half_y)
    w, h = math.ceil(2 * half_x) + 2, math.ceil(2 * half_y) + 2
    dx = _fine_axis(w) + np.float32(x0 - x)
    dy = (_fine_axis(h) + np.float32(y0 - y))[:, None]
    along = (dx * math.cos(angle) + dy * math.sin(angle)) * (2 * mm_per_px / length_mm)
    across = (dy * math.cos(angle) - dx * math.sin(angle)) * (2 * mm_per_px / width_mm)
    radius2 = along * along + across * across
    if lobes is not None:
        turn = np.linspace(-math.pi, math.pi, _OUTLINE)
        outline = 1 + sum(a * np.cos((k + 2) * turn + p) for k, (a, p) in enumerate(lobes))
        theta = np.arctan2(across, along)
        index = ((theta + math.pi) * ((_OUTLINE - 1) / (2 * math.pi))).astype(np.intp)
        radius2 = radius2 / np.square(outline).astype(np.float32)[np.clip(index, 0, _OUTLINE - 1)]
    profile = np.maximum(1 - radius2, 0).astype(np.float32) ** np.float32(flatness)
    loss = cv2.resize(profile * np.float32(height_mm * density), (w, h), interpolation=cv2.INTER_AREA)
    return Body(
        x0, y0, np.asarray(loss, np.float32), max(length_mm, width_mm), min(length_mm, width_mm), height_mm
    )


def lobes(rng: np.random.Generator, roughness: float) -> npt.NDArray[np.float64]:
    """(5, 2) for `ellipsoid`: amplitudes, falling with the wave number, and phases."""
    amplitude = rng.normal(0, roughness, 5) / np.arange(1, 6)
    amplitude *= min(1.0, 0.6 / max(float(np.abs(amplitude).sum()), 1e-9))
    return np.stack([amplitude, rng.uniform(0, 2 * math.pi, 5)], axis=1)


def weathered(body: Body, rng: np.random.Generator, *, soft_px: float, uneven: float) -> Body:
    """The same body with blurred flanks and an uneven filling; the volume is kept.

    Args:
        body: what to change.
        rng: of the unevenness.
        soft_px: standard deviation of the blur.
        uneven: relative standard deviation of the filling.
    """
    pad = math.ceil(3 * soft_px)
    loss = np.pad(body.loss_mm, pad)
    before = float(loss.sum())
    if uneven > 0:
        height, width = loss.shape
        filling = smooth_field(rng, height, width, max(0.22 * min(body.loss_mm.shape), 2.0))
        loss = loss * np.clip(1 + np.float32(uneven) * filling, 0.1, 3)
    if soft_px > 0.2:
        loss = np.asarray(cv2.GaussianBlur(loss, (0, 0), soft_px), np.float32)
    after = float(loss.sum())
    loss = loss * np.float32(before / after if abs(after) > 1e-9 else 1.0)
    return replace(body, x0=body.x0 - pad, y0=body.y0 - pad, loss_mm=np.asarray(loss, np.float32))


def taper(
    *,
    x: float,
    y: float,
    length_mm: float,
    width_mm: float,
    end_width_mm: float,
    angle: float,
    mm_per_px: float,
) -> Body:
    """A round tube that narrows from `width_mm` at (x, y) to `end_width_mm`: a worm hole."""
    length = length_mm / mm_per_px
    pad = 0.5 * max(width_mm, end_width_mm) / mm_per_px + 2
    end_x, end_y = x + length * math.cos(angle), y + length * math.sin(angle)
    x0, y0 = math.floor(min(x, end_x) - pad), math.floor(min(y, end_y) - pad)
    w, h = math.ceil(max(x, end_x) + pad) - x0, math.ceil(max(y, end_y) + pad) - y0
    px = _fine_axis(w) + np.float32(x0 - x)
    py = (_fine_axis(h) + np.float32(y0 - y))[:, None]
    t = np.clip((px * math.cos(angle) + py * math.sin(angle)) / max(length, 1e-3), 0, 1).astype(np.float32)
    away2 = np.square(px - t * (end_x - x)) + np.square(py - t * (end_y - y))
    radius = (0.5 / mm_per_px) * (width_mm + (end_width_mm - width_mm) * t)
    loss = 2 * mm_per_px * np.sqrt(np.maximum(radius * radius - away2, 0))
    small = cv2.resize(loss.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    full = length_mm + 0.5 * (width_mm + end_width_mm)
    return Body(
        x0, y0, np.asarray(small, np.float32), full, max(width_mm, end_width_mm), max(width_mm, end_width_mm)
    )


def sheet(
    path: npt.NDArray[np.float64],
    *,
    opening_mm: npt.NDArray[np.float64],
    height_mm: float,
    spread_mm: float,
    mm_per_px: float,
    rng: np.random.Generator,
) -> Body:
    """A thin gap that follows `path`, seen nearly edge-on: a crack.

    The volume is kept whatever the pixel size: every piece of path deposits opening x height x length,
    spread evenly over `spread_mm` across the path, which is what a sheet tilted to the beam projects to.

    Args:
        path: (N, 2) x, y in px, steps of about a quarter pixel.
        opening_mm: (N,) gap of the sheet along the path.
        height_mm: extent along the beam.
        spread_mm: projected width.
        mm_per_px: pixel pitch.
        rng: of the roughness of the walls.
    """
    step = np.gradient(path, axis=0)
    length = np.hypot(step[:, 0], step[:, 1])
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    widths = np.maximum(opening_mm, spread_mm) / mm_per_px
    layers = int(np.clip(math.ceil(float(widths.max()) * 2), 1, 24))
    offsets = (np.arange(layers) + 0.5) / layers - 0.5
    points = path[:, None, :] + normal[:, None, :] * (offsets[None, :, None] * widths[:, None, None])
    points = points + rng.normal(0, 0.15, points.shape)
    volume_px = (opening_mm * height_mm / mm_per_px * length)[:, None] / layers
    x0, y0 = np.floor(points.min(axis=(0, 1)) - 2).astype(int)
    w, h = np.ceil(points.max(axis=(0, 1)) + 2).astype(int) - (x0, y0)
    loss = _deposit(points.reshape(-1, 2) - (x0, y0), np.repeat(volume_px, layers, axis=1).ravel(), (h, w))
    total_mm = float(length.sum()) * mm_per_px
    return Body(
        int(x0),
        int(y0),
        np.minimum(loss, np.float32(height_mm)),
        total_mm,
        float(opening_mm.max()),
        height_mm,
    )


def slot(
    centre_y: npt.NDArray[np.float64],
    *,
    x0: int,
    width_mm: npt.NDArray[np.float64],
    height_mm: npt.NDArray[np.float64],
    soft_px: float,
    mm_per_px: float,
) -> Body:
    """A gap along x with flat flanks, one column per element: lack of penetration, undercut.

    Args:
        centre_y: (N,) row of the gap's centre at column x0 + i, px.
        x0: first column.
        width_mm: (N,) opening.
        height_mm: (N,) extent along the beam.
        soft_px: width of the flanks' slope, at least 1.
        mm_per_px: pixel pitch.
    """
    half = 0.5 * width_mm / mm_per_px
    top = math.floor(float((centre_y - half).min()) - soft_px - 1)
    bottom = math.ceil(float((centre_y + half).max()) + soft_px + 1)
    rows = np.arange(top, bottom)[:, None] + 0.5
    cover = np.clip((half - np.abs(rows - centre_y)) / soft_px + 0.5, 0, 1)
    cover *= np.minimum(1.0, 2 * half / soft_px)
    loss = (cover * height_mm).astype(np.float32)
    return Body(
        x0,
        top,
        loss,
        len(centre_y) * mm_per_px,
        float(np.median(width_mm)),
        float(np.percentile(height_mm, 90)),
    )


def crack_path(
    rng: np.random.Generator,
    *,
    x: float,
    y: float,
    length_px: float,
    angle: float,
    roughness: float,
    step: float = 0.3,
) -> npt.NDArray[np.float64]:
    """(N, 2) x, y px: a jagged path from (x, y) along `angle`; `roughness` in 0..1."""
    count = max(8, math.ceil(length_px / step))
    heading = np.zeros(count)
    for scale_px, weight in ((4.0, 0.5), (14.0, 0.45), (60.0, 0.4)):
        heading += weight * smooth_curve(rng, count, scale_px / step)
    heading = angle + roughness * heading
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * step
    return np.array([x, y]) + np.cumsum(steps, axis=0)


def _fine_axis(count: int) -> Array:
    """Centres of the oversampled pixels of `count` pixels, in px."""
    return (np.arange(count * _OVERSAMPLING, dtype=np.float32) + np.float32(0.5)) / np.float32(_OVERSAMPLING)


def _deposit(
    points: npt.NDArray[np.float64], amounts: npt.NDArray[np.float64], shape: tuple[int, int]
) -> Array:
    """(h, w) float32: `amounts` shared out bilinearly among the four pixels around each point."""
    h, w = shape
    corner = np.floor(points - 0.5).astype(np.intp)
    part = points - 0.5 - corner
    flat = np.zeros(h * w)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            column = np.clip(corner[:, 0] + dx, 0, w - 1)
            row = np.clip(corner[:, 1] + dy, 0, h - 1)
            flat += np.bincount(row * w + column, weights=amounts * weight, minlength=h * w)
    return flat.reshape(h, w).astype(np.float32)
