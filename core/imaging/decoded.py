"""What a format's reader hands to the dispatcher."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.domain.radiograph import PixelPitch, Pixels, Polarity


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Pixels and what the file itself says about them; the attributes are those of `Radiograph`.

    Attributes:
        pixels: (H, W) uint8, uint16 or float32, C-contiguous.
        bit_depth: significant bits, 8 to 16; 32 for float pixels.
        pitch: None when the file does not say.
        polarity: UNKNOWN when the file does not say.
        polarity_basis: what in the file said so, e.g. "MONOCHROME1"; empty when nothing did.
        notes: what was done on decoding that the user should know.
        fields: DICONDE fields, keyword to text.
        n_frames: number of pictures in the file.
    """

    pixels: Pixels
    bit_depth: int
    pitch: PixelPitch | None = None
    polarity: Polarity = Polarity.UNKNOWN
    polarity_basis: str = ""
    notes: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    n_frames: int = 1
