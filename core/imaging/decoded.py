"""The outcome of a format's reader, and the pitch from the resolution that a picture file carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.domain.radiograph import PitchSource, PixelPitch, Pixels, Polarity

MM_PER_INCH = 25.4
#: Written by programs that know nothing: screen resolutions, and 1 for "no unit".
SCREEN_DPI = (1.0, 72.0, 96.0)
#: Finer than any film digitiser, coarser than any detector array, mm.
PLAUSIBLE_MM = (0.001, 0.5)
_DPI_TOLERANCE = 0.05
_SQUARE_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Pixels and statements of the file about them; the attributes are those of `Radiograph`.

    Attributes:
        pixels: (H, W) uint8, uint16 or float32, C-contiguous.
        bit_depth: significant bits, 8 to 16; 32 for float pixels.
        pitch: None when the file does not say.
        polarity: UNKNOWN when the file does not say.
        polarity_basis: what in the file said so, e.g. "MONOCHROME1"; empty when nothing did.
        notes: changes made on decoding that the user should know.
        fields: DICONDE fields, keyword to text.
        n_frames: number of pictures in the file.
        frame: number of this one, from 1.
        unread: what else the file holds that nobody reads, a line each.
    """

    pixels: Pixels
    bit_depth: int
    pitch: PixelPitch | None = None
    polarity: Polarity = Polarity.UNKNOWN
    polarity_basis: str = ""
    notes: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    n_frames: int = 1
    frame: int = 1
    unread: tuple[str, ...] = ()


def pitch_from_dpi(x_dpi: float, y_dpi: float) -> PixelPitch | None:
    """The pitch, or None when it is a screen default, not plausible, or the pixels are not square.

    Args:
        x_dpi: pixels per inch along a row; any float, also nan.
        y_dpi: pixels per inch along a column.
    """
    if not (x_dpi > 0 and y_dpi > 0):
        return None
    if abs(x_dpi - y_dpi) > _SQUARE_TOLERANCE * max(x_dpi, y_dpi):
        return None
    if any(abs(x_dpi - screen) <= _DPI_TOLERANCE for screen in SCREEN_DPI):
        return None
    mm_per_px = MM_PER_INCH / x_dpi
    if not PLAUSIBLE_MM[0] <= mm_per_px <= PLAUSIBLE_MM[1]:
        return None
    return PixelPitch(round(mm_per_px, 9), PitchSource.FILE)
