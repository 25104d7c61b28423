"""Objects on the part during the exposure: wire indicators, lead letters, rulers, the film's edge.

None of it is a flaw; a detector has to learn to leave it alone.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from core.simulate.fields import Array, smooth_curve
from core.simulate.geometry import WeldGeometry

#: Diameter in mm of the wires W1 to W19, ISO 19232-1 table 1.
WIRE_DIAMETERS_MM: Mapping[int, float] = MappingProxyType(
    dict(
        enumerate(
            (
                3.2,
                2.5,
                2.0,
                1.6,
                1.25,
                1.0,
                0.8,
                0.63,
                0.5,
                0.4,
                0.32,
                0.25,
                0.2,
                0.16,
                0.125,
                0.1,
                0.08,
                0.063,
                0.05,
            ),
            start=1,
        )
    )
)
#: First wire of each indicator; each has seven wires in a row.
INDICATOR_FIRST_WIRES = (1, 6, 10, 13)
WIRES_PER_INDICATOR = 7
_LETTERS = "ABCDEFGHIKLMNOPRSTUVWXZ0123456789"
#: A millimetre of lead attenuates like so many of steel at weld voltages, about.
_LEAD_IN_STEEL = 8.0


def add_wires(rng: np.random.Generator, thickness_mm: Array, weld: WeldGeometry) -> tuple[int, ...]:
    """Lays a wire indicator across the seam, in place; the numbers of its wires."""
    suits = [
        first for first in INDICATOR_FIRST_WIRES if WIRE_DIAMETERS_MM[first] <= 0.15 * weld.plate_mm + 0.3
    ]
    first = int(rng.choice(suits or [INDICATOR_FIRST_WIRES[-1]]))
    numbers = tuple(range(first, first + WIRES_PER_INDICATOR))
    order = numbers if rng.random() < 0.5 else numbers[::-1]
    spacing = (5.0 if first <= 6 else rng.uniform(3.0, 5.0)) / weld.mm_per_px
    length = float(rng.choice((10.0, 25.0, 50.0))) / weld.mm_per_px
    width = thickness_mm.shape[1]
    x = rng.uniform(-2 * spacing, max(width - 4 * spacing, 1.0))
    column = int(np.clip(x, 0, width - 1))
    top = float(weld.centre[column]) - length * rng.uniform(0.3, 0.7)
    lean = rng.normal(0, 0.03)
    for number in order:
        _add_wire(
            thickness_mm,
            x=x + rng.normal(0, 0.3),
            top=top,
            bottom=top + length,
            lean=lean + rng.normal(0, 0.004),
            diameter_px=WIRE_DIAMETERS_MM[number] / weld.mm_per_px,
            mm_per_px=weld.mm_per_px,
        )
        x += spacing
    return numbers


def _add_wire(
    thickness_mm: Array,
    *,
    x: float,
    top: float,
    bottom: float,
    lean: float,
    diameter_px: float,
    mm_per_px: float,
) -> None:
    """A straight round wire: its chord along the beam, averaged over each pixel's width."""
    first, last = max(0, math.floor(top)), min(thickness_mm.shape[0], math.ceil(bottom))
    if last <= first:
        return
    rows = np.arange(first, last, dtype=np.float64)
    at = x + lean * (rows - top)
    left = max(0, math.floor(at.min() - diameter_px - 1))
    right = min(thickness_mm.shape[1], math.ceil(at.max() + diameter_px + 2))
    if right <= left:
        return
    edges = np.arange(left, right + 1)[None, :] - at[:, None]
    radius = diameter_px / 2
    s = np.clip(edges / radius, -1, 1)
    area = radius * radius * (s * np.sqrt(1 - s * s) + np.arcsin(s))  # integral of the chord from the centre
    thickness_mm[first:last, left:right] += (np.diff(area, axis=1) * mm_per_px).astype(np.float32)


def add_letters(rng: np.random.Generator, thickness_mm: Array, weld: WeldGeometry) -> None:
    """Lead letters or figures beside the seam, in place; often cut by the picture's edge, some boxed in."""
    height, width = thickness_mm.shape
    size = rng.uniform(4, 9) / weld.mm_per_px
    text = "".join(rng.choice(list(_LETTERS)) for _ in range(int(rng.integers(1, 9))))
    font = int(rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN)))
    thick = max(1, round(size * rng.uniform(0.1, 0.2)))
    scale = size / max(cv2.getTextSize("H", font, 1.0, 1)[0][1], 1)
    (text_w, text_h), _ = cv2.getTextSize(text, font, scale, thick)
    pad = 2 * thick + 4
    patch = np.zeros((text_h + 2 * pad, text_w + 2 * pad), np.uint8)
    cv2.putText(patch, text, (pad, pad + text_h), font, scale, 255, thick, cv2.LINE_AA)
    if rng.random() < 0.35:
        cv2.rectangle(
            patch, (thick, thick), (patch.shape[1] - thick, patch.shape[0] - thick), 255, max(1, thick // 2)
        )
    if rng.random() < 0.15:
        patch = np.ascontiguousarray(patch[:, ::-1])
    patch = _turned(patch, rng.normal(0, 4))
    above = rng.random() < 0.5
    seam = float(weld.centre[0])
    free = (
        seam - 1.1 * float(weld.half_width.max())
        if above
        else height - seam - 1.1 * float(weld.half_width.max())
    )
    depth = rng.uniform(-0.6 * patch.shape[0], max(free - patch.shape[0], -0.3 * patch.shape[0]))
    y = depth if above else height - depth - patch.shape[0]
    leftmost = -0.3 * patch.shape[1]
    x = rng.uniform(leftmost, max(width - 0.5 * patch.shape[1], leftmost))
    lead_mm = rng.uniform(0.15, 1.5) * _LEAD_IN_STEEL
    _add_patch(thickness_mm, patch.astype(np.float32) * np.float32(lead_mm / 255), round(x), round(y))


def add_ruler(rng: np.random.Generator, thickness_mm: Array, weld: WeldGeometry) -> None:
    """A lead tape with a mark every centimetre (and half) along one edge of the picture, in place."""
    height, width = thickness_mm.shape
    step = 10.0 / weld.mm_per_px
    x = rng.uniform(0, step)
    thick = max(1, round(rng.uniform(0.4, 1.0) / weld.mm_per_px))
    length = rng.uniform(2, 5) / weld.mm_per_px
    at_top = rng.random() < 0.5
    band = np.zeros((min(height, round(1.5 * length) + 2), width), np.uint8)
    count = 0
    while x < width:
        reach = length if count % 2 == 0 else 0.6 * length
        cv2.line(band, (round(x), 0), (round(x), round(reach)), 255, thick)
        x += step / 2
        count += 1
    lead_mm = rng.uniform(0.1, 0.6) * _LEAD_IN_STEEL
    rows = np.s_[: band.shape[0]] if at_top else np.s_[height - band.shape[0] :]
    thickness_mm[rows] += (band if at_top else band[::-1]).astype(np.float32) * np.float32(lead_mm / 255)


def edge_shade(rng: np.random.Generator, height: int, width: int, mm_per_px: float) -> Array:
    """(height, width) float32 factor on the dose: 1, less or more at the film's covered edges."""
    shade = np.ones((height, width), np.float32)
    for _ in range(int(rng.integers(1, 3))):
        depth = rng.uniform(0.3, 4.0) / mm_per_px
        soft = rng.uniform(0.05, 4.0) / mm_per_px
        level = rng.uniform(0.0, 0.5) if rng.random() < 0.7 else rng.uniform(1.3, 2.5)
        if rng.random() < 0.6:
            line = depth + smooth_curve(rng, height, 0.5 * height) * rng.uniform(0, 0.3) / mm_per_px
            away = np.arange(width, dtype=np.float32) - line[:, None]
            away = away if rng.random() < 0.5 else away[:, ::-1]
        else:
            line = depth + smooth_curve(rng, width, 0.5 * width) * rng.uniform(0, 0.3) / mm_per_px
            away = np.arange(height, dtype=np.float32)[:, None] - line
            away = away if rng.random() < 0.5 else away[::-1]
        shade *= np.float32(level) + np.float32(1 - level) * np.clip(away / np.float32(soft) + 0.5, 0, 1)
    return shade


def _turned(patch: npt.NDArray[np.uint8], degrees: float) -> npt.NDArray[np.uint8]:
    h, w = patch.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(patch, turn, (w, h), flags=cv2.INTER_LINEAR), np.uint8)


def _add_patch(target: Array, patch: Array, x: int, y: int) -> None:
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + patch.shape[1], target.shape[1]), min(y + patch.shape[0], target.shape[0])
    if x1 > x0 and y1 > y0:
        target[y0:y1, x0:x1] += patch[y0 - y : y1 - y, x0 - x : x1 - x]
