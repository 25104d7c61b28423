"""The metal: thickness of a butt weld along the beam, in millimetres."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.simulate.fields import Array, log_uniform, smooth_curve, smooth_field

_TABLE = 1024


@dataclass(frozen=True, slots=True, eq=False)
class WeldGeometry:
    """A butt weld seen from above, the seam running from left to right.

    Attributes:
        thickness_mm: (H, W) float32, sound metal along the beam.
        centre: (W,) float32, row of the seam's centre line, px.
        half_width: (W,) float32, half the width of the cap, px.
        root_half_width: half the width of the root reinforcement, px.
        plate_mm: nominal thickness.
        mm_per_px: pixel pitch at the object.
    """

    thickness_mm: Array
    centre: Array
    half_width: Array
    root_half_width: float
    plate_mm: float
    mm_per_px: float


def build_geometry(
    rng: np.random.Generator, *, height: int, width: int, mm_per_px: float, plate_mm: float
) -> WeldGeometry:
    """A random butt weld of `plate_mm`: cap and root, toes, ripple, misalignment, slow drift."""
    thickness = _plate(rng, height, width, plate_mm=plate_mm, mm_per_px=mm_per_px)
    half_mm = min(rng.uniform(3.0, 6.0) + 0.25 * plate_mm, 0.36 * height * mm_per_px)
    half_px = half_mm / mm_per_px
    room = max(0.5 * height - 1.25 * half_px, 0.0)
    sway = smooth_curve(rng, width, rng.uniform(8, 50) / mm_per_px) * rng.uniform(0.05, 0.5) / mm_per_px
    slope = rng.normal(0, 0.012) * np.arange(-width / 2, width / 2, dtype=np.float32)
    centre = height / 2 + rng.uniform(-0.6, 0.6) * room + np.clip(slope, -0.8 * room, 0.8 * room) + sway
    rough = rng.uniform(0.0, 1.0)
    half = half_px * _waviness(
        rng, width, amplitude=log_uniform(rng, 0.015, 0.06 + 0.08 * rough), mm_per_px=mm_per_px
    )
    reinforcement_mm = rng.uniform(0.8, 2.2) + 0.06 * plate_mm
    ripple = _Ripple.draw(rng, width, mm_per_px=mm_per_px, rough=rough)
    _add_bead(rng, thickness, centre, half, height_mm=reinforcement_mm, ripple=ripple, mm_per_px=mm_per_px)
    if rng.random() < 0.25:
        offset = rng.uniform(0.2, 0.7) * half_px * rng.choice((-1, 1))
        _add_bead(
            rng,
            thickness,
            centre + offset,
            half * rng.uniform(0.4, 0.8),
            height_mm=rng.uniform(0.3, 1.2),
            ripple=ripple,
            mm_per_px=mm_per_px,
        )
    root_half = min(rng.uniform(1.2, 3.5) / mm_per_px, 0.7 * half_px)
    if rng.random() < 0.55:
        wobble = _waviness(rng, width, amplitude=rng.uniform(0.03, 0.25), mm_per_px=mm_per_px)
        root_ripple = _Ripple.draw(rng, width, mm_per_px=mm_per_px, rough=rough)
        _add_bead(
            rng,
            thickness,
            centre,
            np.maximum(root_half * wobble, 4),
            height_mm=rng.uniform(0.2, 2.0),
            ripple=root_ripple,
            mm_per_px=mm_per_px,
        )
    if rng.random() < 0.4:
        _add_step(
            thickness,
            centre,
            step_mm=rng.uniform(0.1, 0.12 * plate_mm) * rng.choice((-1, 1)),
            reach=root_half,
        )
    np.maximum(thickness, 0.3 * plate_mm, out=thickness)
    return WeldGeometry(
        thickness, centre.astype(np.float32), half.astype(np.float32), root_half, plate_mm, mm_per_px
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ripple:
    """Solidification ripple: a wavy profile along the seam, swept back towards the toes."""

    profile: Array
    scallop: Array
    sweep: float
    lean: float
    amplitude_mm: float

    @classmethod
    def draw(cls, rng: np.random.Generator, width: int, *, mm_per_px: float, rough: float) -> "_Ripple":
        """Random ripple for a seam of `width` px; `rough` in 0..1 goes from machine to hand welding."""
        spacing = log_uniform(rng, 0.5, 1.5 + 5 * rough) / mm_per_px
        profile = smooth_curve(rng, width, spacing * 0.5)
        if rng.random() < 0.5 * rough:
            profile = 2.0 * _shingles(rng, width, spacing)
        profile += 0.6 * smooth_curve(rng, width, spacing * rng.uniform(2, 4))
        scallop = smooth_curve(rng, width, max(spacing, 1.0 / mm_per_px))
        return cls(
            profile,
            scallop * rng.uniform(0.0, 0.01 + 0.05 * rough),
            sweep=rng.uniform(-2.5, 2.5) / mm_per_px,
            lean=rng.normal(0, 1.0) / mm_per_px,
            amplitude_mm=log_uniform(rng, 0.008, 0.05 + 0.22 * rough),
        )


def _shingles(rng: np.random.Generator, width: int, spacing_px: float) -> Array:
    """(width,) float32 in -0.5..0.5: one bead laid over the other, a slow rise and a steep fall."""
    phase = np.arange(width) / (2 * spacing_px) + 0.35 * smooth_curve(rng, width, 4 * spacing_px)
    part = phase - np.floor(phase)
    part = part ** rng.uniform(0.6, 2.0) if rng.random() < 0.5 else 1 - part ** rng.uniform(0.6, 2.0)
    return np.asarray((part - 0.5) * (1 + 0.4 * smooth_curve(rng, width, 3 * spacing_px)), np.float32)


def _waviness(rng: np.random.Generator, width: int, *, amplitude: float, mm_per_px: float) -> Array:
    """(width,) float32 about 1: how a bead's width varies, the slower the more."""
    slow = smooth_curve(rng, width, rng.uniform(20, 60) / mm_per_px)
    medium = smooth_curve(rng, width, rng.uniform(6, 15) / mm_per_px)
    fast = smooth_curve(rng, width, rng.uniform(1.5, 4) / mm_per_px)
    return np.asarray(
        np.maximum(1 + np.float32(amplitude) * (0.8 * slow + 0.45 * medium + 0.15 * fast), np.float32(0.4)),
        np.float32,
    )


def _plate(rng: np.random.Generator, height: int, width: int, *, plate_mm: float, mm_per_px: float) -> Array:
    """Sound plate with slow drift, mottled surface and, at times, a pipe's growing path at the ends."""
    thickness = np.full((height, width), plate_mm, np.float32)
    thickness += smooth_field(rng, height, width, rng.uniform(15, 40) / mm_per_px) * rng.uniform(
        0, 0.015 * plate_mm
    )
    thickness += smooth_field(rng, height, width, rng.uniform(2, 8) / mm_per_px) * rng.uniform(0, 0.06)
    if rng.random() < 0.4:
        thickness += smooth_field(rng, height, width, rng.uniform(0.3, 1.2) / mm_per_px) * rng.uniform(
            0, 0.05
        )
    if rng.random() < 0.25:
        column = np.linspace(-1, 1, width, dtype=np.float32) - np.float32(rng.uniform(-0.7, 0.7))
        row = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(rng.uniform(-0.3, 0.3))
        thickness += np.float32(rng.uniform(0.05, 0.5) * plate_mm) * (column + row) ** 2
    return thickness


def _add_bead(
    rng: np.random.Generator,
    thickness: Array,
    centre: npt.NDArray[np.floating],
    half: npt.NDArray[np.floating],
    *,
    height_mm: float,
    ripple: _Ripple,
    mm_per_px: float,
) -> None:
    """Adds one bead in place: an arch (1 - |u|^p)^q across, uneven and rippled along the seam."""
    rows, width = thickness.shape
    reach = float(half.max()) * 1.3
    top = max(0, math.floor(float(centre.min()) - reach))
    bottom = min(rows, math.ceil(float(centre.max()) + reach) + 1)
    if bottom <= top:
        return
    u = (np.arange(top, bottom, dtype=np.float32)[:, None] - centre.astype(np.float32)) / half.astype(
        np.float32
    )
    columns = (
        np.arange(width, dtype=np.float32) - np.float32(ripple.sweep) * u * u + np.float32(ripple.lean) * u
    )
    index = np.clip(columns, 0, width - 1).astype(np.intp)
    spread = np.abs(u + np.float32(rng.uniform(-0.1, 0.1)) * (1 - u * u))
    spread *= 1 + ripple.scallop[index]
    arch = _arch_table(rng)[np.minimum(spread * (_TABLE - 1), _TABLE - 1).astype(np.intp)]
    along = height_mm * (
        1 + rng.uniform(0.02, 0.2) * smooth_curve(rng, width, rng.uniform(4, 40) / mm_per_px)
    )
    arch *= (
        np.maximum(along, 0.05).astype(np.float32) + np.float32(ripple.amplitude_mm) * ripple.profile[index]
    )
    thickness[top:bottom] += arch


def _arch_table(rng: np.random.Generator) -> Array:
    """(1024,) float32: the bead's height at |u| = 0..1, 1 at the centre and 0 at the toe."""
    u = np.linspace(0, 1, _TABLE)
    arch = (1 - u ** rng.uniform(1.6, 5.0)) ** rng.uniform(0.5, 1.8)
    return np.asarray(arch, np.float32)


def _add_step(thickness: Array, centre: npt.NDArray[np.floating], *, step_mm: float, reach: float) -> None:
    """Misalignment of the two plates: one side thicker, the change spread over the root."""
    rows = np.arange(thickness.shape[0], dtype=np.float32)[:, None]
    ramp = np.clip((rows - centre.astype(np.float32)) / np.float32(2 * reach) + 0.5, 0, 1)
    thickness += np.float32(step_mm) * ramp
