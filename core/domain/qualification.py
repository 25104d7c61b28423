"""For what a model version was qualified, by whom, on which evidence and until when.

The fields follow what ENIQ Recommended Practice 13 asks of a qualification of inspection systems that use
machine learning (the version that was qualified is fixed, its data, its range of application, who qualified
it and on which evidence), and ASTM E3327/E3327M, the guide for qualification and control of assisted defect
recognition in digital radiography. Nothing here says that such a qualification was done well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from core.domain.errors import FieldFaultsError

NOT_QUALIFIED = "not qualified for this"
_LONGEST, _MOST, _TOLD = 255, 50, 3
_LONGEST_OF = {"procedure": _LONGEST, "evaluation_set": _LONGEST, "detection": 2 * _LONGEST}
_NAMED = {"procedure": "its procedure", "evaluation_set": "the set it rests on"}


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
        FieldFaultsError: says of each field what is missing or too long.
    """

    procedure: str
    evaluation_set: str
    expires_on: date
    detection: str = ""
    equipment: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    note: str = ""

    @property
    def limits(self) -> str:
        """The equipment and materials that it holds for, as " for Ir-192, steel only"; empty for any."""
        named = [*self.equipment, *self.materials]
        more = f" and {len(named) - _TOLD} more" if len(named) > _TOLD else ""
        return f" for {', '.join(named[:_TOLD])}{more} only" if named else ""

    def __post_init__(self) -> None:
        faults: dict[str, str] = {}
        for name, wanted in _NAMED.items():
            if not getattr(self, name).strip():
                faults[name] = f"a qualification names {wanted}"
        for name, longest in _LONGEST_OF.items():
            if len(getattr(self, name)) > longest:
                faults[name] = f"expected at most {longest} characters"
        for name in ("equipment", "materials"):
            entries = getattr(self, name)
            if any(len(one) > _LONGEST for one in entries):
                faults[name] = f"expected at most {_LONGEST} characters a line"
            elif len(entries) > _MOST:
                faults[name] = f"expected at most {_MOST} lines"
        if faults:
            raise FieldFaultsError(faults)


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
