"""From a reading in pixels to a verdict by an acceptance table in millimetres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.domain.errors import BadInputError
from core.domain.grouping import counted, covered_share, members_of
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.reading import Call, ReadIndication, Setup
from core.standards.evaluation import evaluate
from core.standards.finding import Imperfection, InspectedPart, Length
from core.standards.interval import Interval
from core.standards.reading import read_rule_set
from core.standards.rule_set import RuleSet
from core.standards.shipped import SHIPPED, shipped_rule_set
from core.standards.verdict import ImageVerdict, image_verdict_from
from core.store.unit_of_work import Store, Work

#: Each edge of a box may be off by so many px.
EDGE_PX = 1.0
#: Reading a table takes some 25 ms; the same text is the same table.
_read, _shipped = lru_cache(maxsize=32)(read_rule_set), lru_cache(maxsize=32)(shipped_rule_set)
_AT_DETECTOR = (PitchSource.DETECTOR, PitchSource.DETECTOR_UNCALIBRATED)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, or why there is none.

    Attributes:
        verdict: None when it is withheld or no table was chosen.
        withheld: one line each; empty when there is a verdict.
        notes: what to bear in mind with the numbers.
    """

    verdict: ImageVerdict | None
    withheld: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, for what is signed and reported."""
        return {
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "withheld": list(self.withheld),
            "notes": list(self.notes),
        }


def judgement_from(content: Mapping[str, Any]) -> Judgement:
    """The judgement that `Judgement.to_dict` wrote."""
    verdict = content["verdict"]
    return Judgement(
        verdict=None if verdict is None else image_verdict_from(verdict),
        withheld=tuple(content["withheld"]),
        notes=tuple(content["notes"]),
    )


class JudgingService:
    """Verdicts by the tables there are: the shipped ones, and newer versions that an admin saved."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def rule_sets(self) -> tuple[RuleSet, ...]:
        """The newest version of every table, by id."""
        with self._store.read() as work:
            saved = {one: work.rule_sets.newest(one) for one in work.rule_sets.ids()}
        tables = {name: _shipped(name) for name in SHIPPED}
        for rule_set_id, kept in saved.items():
            if kept is not None:
                tables[rule_set_id] = _read(kept.text, f"{rule_set_id} v{kept.version}")
        return tuple(tables[name] for name in sorted(tables))

    def judge(
        self,
        indications: Sequence[ReadIndication],
        setup: Setup,
        pitch: PixelPitch | None,
        image_quality: Mapping[str, Any] | None = None,
    ) -> Judgement:
        """The verdict by the newest tables; see `judge`."""
        with self._store.read() as work:
            return judge(work, indications, setup, pitch, image_quality)


def rule_set_of(work: Work, rule_set_id: str) -> RuleSet:
    """The newest version of this table.

    Raises:
        BadInputError: there is no such table.
    """
    kept = work.rule_sets.newest(rule_set_id)
    return _shipped(rule_set_id) if kept is None else _read(kept.text, f"{rule_set_id} v{kept.version}")


def judge(
    work: Work,
    indications: Sequence[ReadIndication],
    setup: Setup,
    pitch: PixelPitch | None,
    image_quality: Mapping[str, Any] | None = None,
) -> Judgement:
    """The verdict on what was not dismissed; withheld when the image-quality gate failed.

    Args:
        work: holds the tables.
        indications: the reading.
        setup: names table and level, and the thickness that limits depend on.
        pitch: the scale; without it lengths are not evaluable.
        image_quality: the gate's report, None where it did not run.
    """
    if failed := failed_checks(image_quality):
        return Judgement(None, withheld=failed)
    if setup.standard is None:
        return Judgement(None, withheld=("no standard is chosen",))
    try:
        table = rule_set_of(work, setup.standard)
        verdict = evaluate(findings_of(indications, pitch), _part(setup), table, setup.quality_level)
    except (BadInputError, ValueError) as error:  # e.g. a code that belongs to another class
        return Judgement(None, withheld=(str(error),))
    return Judgement(verdict, notes=_notes(indications, pitch))


def findings_of(indications: Sequence[ReadIndication], pitch: PixelPitch | None) -> list[Imperfection]:
    """Indications for the acceptance tables: all that were not dismissed, in mm where the scale is known.

    A group counts as one imperfection with the extent of its box; its members do not count beside it.

    Length is the longer side of the box and width the shorter; each edge may be off by a pixel. The position
    is that of the box along the longer side of all boxes together, taken for the direction of the weld.
    """
    kept = [one for one in counted(indications) if one.call is not Call.DISMISSED]
    along_x = _runs_along_x(kept)
    return [_finding(one, pitch, along_x=along_x, covered=_covered(one, indications)) for one in kept]


def failed_checks(image_quality: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Failed checks of the image-quality gate, one line each."""
    if image_quality is None:
        return ()
    checks = image_quality.get("checks", ())
    return tuple(str(check["message"]) for check in checks if check["state"] == "failed")


def _covered(group: ReadIndication, indications: Sequence[ReadIndication]) -> Interval | None:
    """The share of a group that its members cover, in percent; None for what stands alone."""
    members = members_of(indications, group.indication_id)
    low, high = (covered_share(group, members, edge_px=edge) for edge in (-EDGE_PX, EDGE_PX))
    return None if low is None or high is None else Interval(100 * low, 100 * high)


def _finding(
    one: ReadIndication, pitch: PixelPitch | None, *, along_x: bool, covered: Interval | None
) -> Imperfection:
    x1, y1, x2, y2 = one.bbox
    sides = sorted((x2 - x1, y2 - y1))
    length = width = position = None
    if pitch is not None:
        slack = 2 * EDGE_PX * pitch.mm_per_px
        width, length = (Length(side * pitch.mm_per_px, slack) for side in sides)
        middle = (x1 + x2) / 2 if along_x else (y1 + y2) / 2
        position = middle * pitch.mm_per_px
    return Imperfection(
        finding_id=one.indication_id,
        indication=one.indication_class,
        kind=one.stated_kind,
        grade=one.grade,
        length=length,
        width=width,
        position_mm=position,
        covered_percent=covered,
    )


def _runs_along_x(indications: Sequence[ReadIndication]) -> bool:
    if not indications:
        return True
    width = max(one.bbox[2] for one in indications) - min(one.bbox[0] for one in indications)
    height = max(one.bbox[3] for one in indications) - min(one.bbox[1] for one in indications)
    return width >= height


def _part(setup: Setup) -> InspectedPart:
    return InspectedPart(
        wall_mm=setup.wall_mm,
        thickness_s_mm=setup.thickness_mm,
        weld_length_mm=setup.weld_length_mm,
        is_single_sided=setup.is_single_sided,
    )


def _notes(indications: Sequence[ReadIndication], pitch: PixelPitch | None) -> tuple[str, ...]:
    notes = []
    if any(one.call is Call.OPEN for one in indications):
        notes.append("some indications are still open: the verdict counts them")
    if pitch is None:
        notes.append("no scale: no length is known in millimetres")
    elif pitch.source in _AT_DETECTOR:
        notes.append("millimetres at the detector: the part is smaller by the magnification")
    return tuple(notes)
