"""The radiograph as it was recorded: native pixels plus what is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.float32]


class Polarity(StrEnum):
    """Which way brightness runs. PNG and TIFF do not say, so it is never inferred silently."""

    FILM = "film"  # less metal is darker
    DIGITAL = "digital"  # less metal is brighter
    UNKNOWN = "unknown"


class PitchSource(StrEnum):
    """Where a millimetre came from; two planes, so the same number means different things."""

    OBJECT = "object plane, calibrated (DICOM 0028,0030)"
    OBJECT_BY_MAGNIFICATION = "object plane, detector pitch over magnification (DICOM 0018,1164 / 0018,1114)"
    DETECTOR = "detector plane (DICOM 0018,1164)"
    DETECTOR_UNCALIBRATED = "detector plane, uncalibrated (DICOM 0028,0030)"
    FILE = "resolution written in the file"
    USER = "entered by the user"


@dataclass(frozen=True, slots=True)
class PixelPitch:
    """Millimetres per pixel, never without their source.

    Raises:
        ValueError: when not positive and finite.
    """

    mm_per_px: float
    source: PitchSource

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mm_per_px) and self.mm_per_px > 0):
            raise ValueError(f"mm_per_px must be positive and finite, got {self.mm_per_px}")


@dataclass(frozen=True, slots=True, eq=False)
class Radiograph:
    """One radiograph at its native depth.

    Attributes:
        pixels: (H, W) uint8, uint16 or float32, as stored (after the DICOM rescale), not windowed.
        bit_depth: significant bits, 8 to 16; 32 for float pixels.
        polarity: film, digital or unknown.
        pitch: millimetres per pixel with their source, None when unknown.
        sha256: hex digest of the original bytes.
        file_format: "PNG", "JPEG", "BMP", "TIFF" or "DICOM".
        notes: what was done on reading that the user should know, e.g. "colour converted to grey".
        fields: DICONDE fields that were present, keyword to text.
    """

    pixels: Pixels
    bit_depth: int
    polarity: Polarity
    pitch: PixelPitch | None
    sha256: str
    file_format: str
    notes: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or 0 in self.pixels.shape:
            raise ValueError(f"pixels must be (H, W) and not empty, got shape {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(f"pixels must be uint8, uint16 or float32, got {self.pixels.dtype}")

    @property
    def width(self) -> int:
        """Width in px."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height in px."""
        return int(self.pixels.shape[0])
