"""Limits of the image-quality gate, as data; docs/image-quality.md gives reasons and what passes."""

from dataclasses import dataclass

from core.domain.wire_sets import WIRE_DIAMETERS_MM, wires_of_set


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a radiograph has to reach. Unless a clause is named, a product default, not a standard's figure.

    Attributes:
        id: name and version of this set of limits; kept with each report.
        min_effective_bits: log2 of the full scale over the typical step between grey values that occur.
        max_clipped_low: largest fraction of the picture piled up at its lowest grey value.
        max_clipped_high: the same at the highest.
        min_span: smallest distance of the 1st and 99th percentile, grey values.
        max_blur_px: largest blur of the sharper edges, standard deviation in px.
        min_snr: smallest SNR of the flattest region, not normalised; used when SRb is not known.
        min_snr_n: smallest SNRn, used when SRb is known. ISO 17636-2 sets it by energy, thickness and class,
            so the inspection hands it in; without it the SNRn is reported and `min_snr` decides.
        wire_set: first wire of the indicator that was laid on, from its lead lettering; None when not said.
        required_wire: number of the wire that has to be visible, by technique, thickness and class
            (ISO 17636-1 and -2, annex B); None when not said.

    Raises:
        ValueError: when a limit is out of range or no such wire exists.
    """

    id: str
    min_effective_bits: float = 6.5
    max_clipped_low: float = 0.02
    max_clipped_high: float = 0.02
    min_span: float = 64.0
    max_blur_px: float = 2.5
    min_snr: float = 25.0
    min_snr_n: float | None = None
    wire_set: int | None = None
    required_wire: int | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.max_clipped_low <= 1 and 0 <= self.max_clipped_high <= 1):
            raise ValueError("clipped fractions must be within 0..1")
        positive = (
            self.min_effective_bits,
            self.min_span,
            self.max_blur_px,
            self.min_snr,
            self.min_snr_n or 1.0,
        )
        if not all(limit > 0 for limit in positive):
            raise ValueError("limits must be positive")
        if self.wire_set is not None:
            wires_of_set(self.wire_set)
        if self.required_wire is not None and self.required_wire not in WIRE_DIAMETERS_MM:
            raise ValueError(f"there is no wire W{self.required_wire}")


#: Films and detector pictures of welds: the whole picture is looked at.
WELD_LIMITS = QualityLimits(id="weld 1")
#: Castings: thick parts and air are clipped by design, each exposure serves one range of thickness.
CASTING_LIMITS = QualityLimits(
    id="casting 1", max_clipped_low=0.5, max_clipped_high=0.65, min_snr=4.0, max_blur_px=2.5
)
