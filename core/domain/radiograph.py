"""The radiograph as it was recorded: native pixels plus what is known about them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.float32]


class Polarity(StrEnum):
    """Direction of brightness. PNG and TIFF do not say, so it is never inferred silently."""

    FILM = "film"  # less metal is darker
    DIGITAL = "digital"  # less metal is brighter
    UNKNOWN = "unknown"


class PolarityGround(StrEnum):
    """Ground on which a polarity is taken."""

    FILE = "file"
    PERSON = "person"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"


class PitchSource(StrEnum):
    """Source of a scale; there are two planes, so the same number means different things."""

    OBJECT = "object plane, calibrated (DICOM 0028,0030)"
    OBJECT_BY_MAGNIFICATION = "object plane, detector pitch over magnification (DICOM 0018,1164 / 0018,1114)"
    DETECTOR = "detector plane (DICOM 0018,1164)"
    DETECTOR_UNCALIBRATED = "detector plane, uncalibrated (DICOM 0028,0030)"
    FILE = "resolution written in the file"
    USER = "entered by the user"
    TYPED = "film or detector plane, entered by the user"
    SETUP = "film or detector plane, of the setup"
    OBJECT_BY_DISTANCES = "object plane"


@dataclass(frozen=True, slots=True)
class PixelPitch:
    """Millimetres per pixel, never without their source.

    Attributes:
        detail: the numbers that it was computed from, in words.

    Raises:
        ValueError: when not positive and finite.
    """

    mm_per_px: float
    source: PitchSource
    detail: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mm_per_px) and self.mm_per_px > 0):
            raise ValueError(f"mm_per_px must be positive and finite, got {self.mm_per_px}")

    @property
    def words(self) -> str:
        """The source, with the numbers that the scale was computed from."""
        return f"{self.source.value}: {self.detail}" if self.detail else self.source.value


@dataclass(frozen=True, slots=True, eq=False)
class Radiograph:
    """One radiograph at its native depth.

    Attributes:
        pixels: (H, W) uint8, uint16 or float32, as stored (after the DICOM rescale), not windowed.
        bit_depth: significant bits, 8 to 16; 32 for float pixels.
        polarity: film, digital or unknown.
        pitch: millimetres per pixel with their source, None when unknown.
        sha256: hex digest that names the picture: of the original bytes, or `frame_digest` of one frame.
        file_format: "PNG", "JPEG", "BMP", "TIFF", "DICOM", "PGM" or "NumPy".
        notes: what was done on reading that the user should know, e.g. "colour converted to grey".
        fields: DICONDE fields that were present, keyword to text.
        frame: number of the frame in a file of several, from 1; None for a file of one picture.
        file_sha256: hex digest of the original bytes.
        polarity_ground: ASSUMED where the polarity is unknown.
        unread: what else the file holds and nobody reads, e.g. "1 reduced copy not read"; in the notes, too.
    """

    pixels: Pixels
    bit_depth: int
    polarity: Polarity
    pitch: PixelPitch | None
    sha256: str
    file_format: str
    notes: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    frame: int | None = None
    file_sha256: str = ""
    polarity_ground: PolarityGround = PolarityGround.ASSUMED
    unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.file_sha256:
            object.__setattr__(self, "file_sha256", self.sha256)
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


def frame_digest(file_sha256: str, frame: int) -> str:
    """The hex digest that names one frame, counted from 1, of a file of several."""
    return hashlib.sha256(f"{file_sha256} frame {frame}".encode()).hexdigest()
