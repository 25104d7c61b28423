"""For what a model version was qualified, by whom, on which evidence and until when.

The fields follow what ENIQ Recommended Practice 13 asks of a qualification of inspection systems that use
machine learning (the version that was qualified is fixed, its data, its range of application, who qualified
it and on which evidence), and ASTM E3327/E3327M, the guide for qualification and control of assisted defect
recognition in digital radiography. Nothing here says that such a qualification was done well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from core.domain.errors import BadInputError

NOT_QUALIFIED = "not qualified for this"
_LONGEST, _MOST = 255, 50


@dataclass(frozen=True, slots=True)
class QualificationScope:
    """What somebody declares a version qualified for.

    Attributes:
        procedure: document by which it was qualified.
        evaluation_set: on which it was measured.
        detection: summary of the probability of detection; empty where none was determined.
        equipment, materials: it holds for these only, as the setup names them; empty for any.
        expires_on: last day on which it holds.

    Raises:
        BadInputError: names what is missing or too long.
    """

    procedure: str
    evaluation_set: str
    expires_on: date
    detection: str = ""
    equipment: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not self.procedure.strip() or not self.evaluation_set.strip():
            raise BadInputError("a qualification names its procedure and the set it rests on")
        texts = (self.procedure, self.evaluation_set, *self.equipment, *self.materials)
        if any(len(text) > _LONGEST for text in texts) or len(self.detection) > 2 * _LONGEST:
            raise BadInputError(f"expected at most {_LONGEST} characters")
        if max(len(self.equipment), len(self.materials)) > _MOST:
            raise BadInputError(f"expected at most {_MOST} of equipment and of materials")


@dataclass(frozen=True, slots=True)
class Qualification:
    """A record of a qualification; it is withdrawn, never changed.

    Attributes:
        calibration_id: of the version; another calibration is another version.
        qualified_by, withdrawn_by: ids of accounts, None for a command.
    """

    qualification_id: str
    model_name: str
    model_version: int
    model_sha256: str
    calibration_id: str
    scope: QualificationScope
    qualified_by: str | None
    qualified_at: datetime
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_note: str = ""

    def objection(self, *, equipment: str, material: str, at: datetime) -> str:
        """Why it does not hold for this equipment and material at that moment; empty where it does."""
        if self.withdrawn_at is not None and self.withdrawn_at <= at:
            return f"its qualification was withdrawn on {self.withdrawn_at:%Y-%m-%d}"
        if at.date() > self.scope.expires_on:
            return f"its qualification expired on {self.scope.expires_on:%Y-%m-%d}"
        for noun, wanted, stated in (
            ("equipment", self.scope.equipment, equipment),
            ("material", self.scope.materials, material),
        ):
            if wanted and not _is_among(stated, wanted):
                return f"{noun} {stated or 'not stated'}; qualified for {', '.join(wanted)}"
        return ""


def qualified_words(
    known: Iterable[Qualification], *, equipment: str, material: str, at: datetime
) -> tuple[str, str]:
    """(procedure that holds, objection): one of them is empty.

    Args:
        known: of the version with its calibration, newest first.
        equipment: of the inspection, empty where not stated.
        material: likewise.
        at: moment of the inspection.
    """
    objections = []
    for one in known:
        if one.qualified_at > at:
            continue
        objection = one.objection(equipment=equipment, material=material, at=at)
        if not objection:
            return one.scope.procedure, ""
        objections.append(objection)
    return "", objections[0] if objections else "no qualification is recorded for this version"


def _is_among(stated: str, wanted: Iterable[str]) -> bool:
    return any(one.casefold() == stated.strip().casefold() for one in wanted)
