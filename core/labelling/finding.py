"""Findings of a check of a data set."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Box = tuple[float, float, float, float]


class Severity(StrEnum):
    """An error makes figures or training wrong; a warning is for somebody to look at."""

    ERROR = "error"
    WARNING = "warning"


class FindingKind(StrEnum):
    """Kind of a finding."""

    UNREADABLE = "unreadable image"
    OTHER_SIZE = "other size than recorded"
    UNKNOWN_IMAGE = "box of an unknown image"
    UNKNOWN_CLASS = "unknown class"
    WITHOUT_AREA = "box without area"
    OUTSIDE = "box outside the image"
    CONSTANT = "constant box"
    DUPLICATE_BOX = "duplicate box"
    SMALL = "small box"
    CROWD = "crowd or ignored box"
    EMPTY_CLASS = "class without box"
    BOX_ON_CLEAN = "box on a clean image"
    WITHOUT_BOX = "image without box"
    LISTED_TWICE = "image listed twice"
    SAME_IMAGE = "same image"
    NEAR_DUPLICATE = "near-duplicate"
    SERIES_IN_TWO_PARTS = "series in two parts"
    SERIES_WITHOUT_IMAGE = "series without image"
    IN_NO_PART = "image in no part"
    TRAINED_ON = "trained on"


@dataclass(frozen=True, slots=True)
class DataIssue:
    """One thing that is wrong or doubtful.

    Attributes:
        kind: what it is.
        severity: error or warning.
        message: one line that says what was expected and what came.
        image: file name as the data set has it; None when no one image is meant.
        box: xyxy px; None when no box is meant.
    """

    kind: FindingKind
    severity: Severity
    message: str
    image: str | None = None
    box: Box | None = None

    @property
    def is_error(self) -> bool:
        """True for an error."""
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        """One line for people."""
        where = [] if self.image is None else [self.image]
        if self.box is not None:
            where.append("[" + " ".join(f"{edge:g}" for edge in self.box) + "]")
        place = f" {' '.join(where)}:" if where else ""
        return f"{self.severity:<8} {self.kind}:{place} {self.message}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return {
            "kind": self.kind.value,
            "severity": self.severity.value,
            "image": self.image,
            "bbox": None if self.box is None else list(self.box),
            "message": self.message,
        }


def error(kind: FindingKind, message: str, image: str | None = None, box: Box | None = None) -> DataIssue:
    """A finding that fails the check."""
    return DataIssue(kind, Severity.ERROR, message, image, box)


def warning(kind: FindingKind, message: str, image: str | None = None, box: Box | None = None) -> DataIssue:
    """A finding that somebody should look at."""
    return DataIssue(kind, Severity.WARNING, message, image, box)
