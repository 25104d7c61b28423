"""The image-quality gate's limits and its report: one check each, and whether a verdict may be given.

The limits are data; docs/image-quality.md gives reasons and what passes.
"""

from dataclasses import dataclass
from enum import StrEnum

from core.domain.wire_sets import WIRE_DIAMETERS_MM, wires_of_set
from core.imaging.fingerprint import Likeness
from core.imaging.quality.wires import WireIndicator


class CheckKind(StrEnum):
    """The checks, in the order of the report."""

    BIT_DEPTH = "bit depth"
    CLIPPING_LOW = "clipping at the dark end"
    CLIPPING_HIGH = "clipping at the bright end"
    CONTRAST_SPAN = "exposure range"
    BLUR = "blur"
    NOISE = "noise"
    WIRES = "wire IQI"
    DUPLICATE = "duplicate"


class CheckState(StrEnum):
    """The end of a check. Missing evidence is never a pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        kind: of the check.
        state: passed, failed or not evaluable.
        measured: the figure; None without one.
        unit: of `measured` and `limit`.
        limit: the figure that it was held against; None when none applies.
        sentence: for an inspector, with the numbers.
    """

    kind: CheckKind
    state: CheckState
    measured: float | None
    unit: str
    limit: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class QualityReport:
    """All checks of one radiograph, in the order of `CheckKind`.

    Attributes:
        checks: one for each kind.
        limits_id: the limits they were held against, e.g. "weld 1".
        wires: the wire indicator that was found, None when none was.
        copy_of: sha256 of the earlier picture that this one is a copy of.
    """

    checks: tuple[Check, ...]
    limits_id: str
    wires: WireIndicator | None = None
    copy_of: str | None = None

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed: any withholds a verdict. One that is not evaluable does not."""
        return tuple(check for check in self.checks if check.state is CheckState.FAILED)

    def check(self, kind: CheckKind) -> Check:
        """The check of that kind.

        Raises:
            KeyError: when the report holds none.
        """
        return {check.kind: check for check in self.checks}[kind]


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Figures that a radiograph has to reach. Unless a clause is named, product defaults, not a standard's.

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
        positive = (self.min_effective_bits, self.min_span, self.max_blur_px, self.min_snr)
        if not all(limit > 0 for limit in (*positive, self.min_snr_n or 1.0)):
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


@dataclass(frozen=True, slots=True)
class EarlierPictures:
    """Earlier pictures beside a new one; the same file handed in again is one picture, not a copy.

    Attributes:
        n_earlier: number of pictures it was compared with, by their grain.
        copy: the earlier picture of the same exposure with other bytes; None without one.
        copy_name: that picture in words, e.g. "weld 7.png, handed in on 2026-03-01"; empty: by its digest.
        n_without_grain: earlier ones with too little grain for a copy of them to be recognised.
        n_waiting: earlier ones that could not be compared with yet.
        again: a sentence where the same file was handed in or inspected before; empty otherwise.
    """

    n_earlier: int = 0
    copy: Likeness | None = None
    copy_name: str = ""
    n_without_grain: int = 0
    n_waiting: int = 0
    again: str = ""


NOTHING_EARLIER = EarlierPictures()
