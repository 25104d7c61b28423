"""Pixels at native depth and heat maps as compact bytes, for the viewer in the browser."""

import gzip
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.domain.explanations import Faithfulness, WithoutRegion
from core.domain.inspection import HeatMap
from core.domain.radiograph import Radiograph

_BITS_8, _BITS_16 = 8, 16
_COMPRESS_LEVEL = 1
_ZERO = 128
#: Longer side of a preview: about what a screen shows of a whole film.
PREVIEW_SIDE_PX = 1280
_TOP_16 = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Payload:
    """Gzip bytes and the headers that say how to read them."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def pixel_payload(radiograph: Radiograph) -> Payload:
    """The pixels row by row, uint8 or little-endian uint16, as stored.

    Float radiographs are mapped linearly onto 16 bits; a sample s then stands for the value
    `X-Offset + X-Slope * s`, and non-finite values become the lowest.
    """
    pixels, slope, offset = radiograph.pixels, 1.0, 0.0
    if pixels.dtype == np.float32:
        pixels, slope, offset = _as_16_bit(pixels)
    bits = _BITS_8 if pixels.dtype == np.uint8 else _BITS_16
    raw = np.ascontiguousarray(pixels, dtype="u1" if bits == _BITS_8 else "<u2").tobytes()
    headers = {
        "X-Width": str(radiograph.width),
        "X-Height": str(radiograph.height),
        "X-Sample-Bits": str(bits),
        "X-Bit-Depth": str(radiograph.bit_depth),
        "X-Slope": repr(slope),
        "X-Offset": repr(offset),
    }
    return Payload(gzip.compress(raw, _COMPRESS_LEVEL), headers)


def preview_payload(radiograph: Radiograph, max_side_px: int = PREVIEW_SIDE_PX) -> Payload:
    """The pixels as in `pixel_payload`, shrunk by area averaging to `max_side_px`, never enlarged.

    For a first look only: averaging lowers noise and faint indications, so nothing is measured in it.
    """
    pixels: Any = radiograph.pixels
    scale = min(1.0, max_side_px / max(pixels.shape))
    if pixels.dtype == np.float32:
        pixels = _finite(pixels)
    size = (max(1, round(radiograph.width * scale)), max(1, round(radiograph.height * scale)))
    shrunk = pixels if scale == 1.0 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return pixel_payload(replace(radiograph, pixels=shrunk))


def map_levels(heat_map: HeatMap) -> npt.NDArray[np.uint8]:
    """(h, w) uint8: 255 is the maximum; of a signed map 128 is zero, 1 the largest magnitude downwards."""
    if heat_map.is_signed:
        signed = _ZERO + np.clip(heat_map.values, -1.0, 1.0) * (_ZERO - 1)
        return np.rint(signed).astype(np.uint8)
    return np.rint(np.clip(heat_map.values, 0.0, 1.0) * np.iinfo(np.uint8).max).astype(np.uint8)


def heat_map_payload(heat_map: HeatMap) -> Payload:
    """The map row by row as uint8 (255 is its maximum), its place in image px in the headers.

    Of a signed map 128 is zero, 255 the largest magnitude upwards and 1 downwards.
    """
    height, width = heat_map.values.shape
    levels = map_levels(heat_map)
    headers = {
        "X-Left": str(heat_map.x0),
        "X-Top": str(heat_map.y0),
        "X-Width": str(width),
        "X-Height": str(height),
        "X-Empty": "1" if heat_map.is_empty else "0",
        "X-Signed": "1" if heat_map.is_signed else "0",
        "X-Why-Empty": heat_map.why_empty,
    }
    return Payload(gzip.compress(levels.tobytes(), _COMPRESS_LEVEL), headers)


def faithfulness_payload(found: Faithfulness) -> dict[str, Any]:
    """Plain data: the word, and the figures in one line."""
    return {"belief": found.belief.value, "words": found.words}


def without_payload(found: WithoutRegion) -> dict[str, Any]:
    """Plain data: the sentence, the verdict, and the figures by fill in one line."""
    by_fill = ", ".join(f"{kind} {after:.2f}" for kind, after in found.after.items())
    return {
        "words": found.words,
        "verdict": found.verdict.value,
        "before": found.before,
        "after": {kind.value: after for kind, after in found.after.items()},
        "figures": f"The region filled with its own background and read again. By fill: {by_fill}",
    }


def _as_16_bit(pixels: np.ndarray) -> tuple[np.ndarray, float, float]:
    known = _finite(pixels)
    low, high = float(known.min()), float(known.max())
    slope = (high - low) / _TOP_16 if high > low else 1.0
    return np.rint((known - low) / slope).astype(np.uint16), slope, low


def _finite(pixels: np.ndarray) -> np.ndarray:
    """A copy without NaN and infinities: the lowest finite value (+inf: the highest), 0 without one."""
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    known: np.ndarray = np.nan_to_num(pixels, nan=low, posinf=high, neginf=low)
    return known
