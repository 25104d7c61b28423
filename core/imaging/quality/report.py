"""What the image-quality gate says about a radiograph: one check each, and whether a verdict may be given."""

from dataclasses import dataclass
from enum import StrEnum

from core.imaging.quality.wires import WireIndicator


class CheckKind(StrEnum):
    """What is checked."""

    BIT_DEPTH = "bit depth"
    CLIPPING_LOW = "clipping at the dark end"
    CLIPPING_HIGH = "clipping at the bright end"
    CONTRAST_SPAN = "exposure range"
    BLUR = "blur"
    NOISE = "noise"
    WIRES = "wire indicator"
    DUPLICATE = "duplicate"


class CheckState(StrEnum):
    """How a check ended. Missing evidence is never a pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        kind: what was checked.
        state: passed, failed or not evaluable.
        measured: the figure; None when there is none.
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
        limits_id: which limits they were held against, e.g. "weld 1".
        wires: the wire indicator that was found, None when none was.
        copy_of: sha256 of the earlier picture that this one is a copy of.
    """

    checks: tuple[Check, ...]
    limits_id: str
    wires: WireIndicator | None = None
    copy_of: str | None = None

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.state is CheckState.FAILED)

    @property
    def withholds_verdict(self) -> bool:
        """Whether any check failed. What is not evaluable does not withhold, but is reported."""
        return bool(self.failed)

    def check(self, kind: CheckKind) -> Check:
        """The check of that kind.

        Raises:
            KeyError: when the report holds none.
        """
        for check in self.checks:
            if check.kind is kind:
                return check
        raise KeyError(kind)
