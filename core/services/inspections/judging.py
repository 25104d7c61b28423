"""From a reading in pixels to a verdict by an acceptance table in millimetres."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from core.domain.errors import BadInputError
from core.domain.flaw_group import FlawGroup, claim_from
from core.domain.grouping import counted, covered_share, members_of
from core.domain.indication import IndicationClass
from core.domain.kinds import OTHER_NUMBERS, WORD_KINDS
from core.domain.radiograph import PitchSource, PixelPitch
from core.domain.reading import Call, ReadIndication, Setup
from core.domain.sizing import EDGE_PX, Size, size_of
from core.domain.standing import ReadingVerdict, Standing, standing_from, standing_of
from core.standards.evaluation import evaluate
from core.standards.finding import Imperfection, InspectedPart, Length
from core.standards.interval import Interval
from core.standards.reading import read_rule_set
from core.standards.rule_set import RuleSet
from core.standards.shipped import SHIPPED, shipped_rule_set
from core.standards.verdict import REPORTED, ImageVerdict, Verdict, image_verdict_from
from core.store.unit_of_work import Store, Work

#: Each edge of a box may be off by so many px.
#: Reading a table takes some 25 ms; the same text is the same table.
_read, _shipped = lru_cache(maxsize=32)(read_rule_set), lru_cache(maxsize=32)(shipped_rule_set)
_AT_DETECTOR = (
    PitchSource.DETECTOR,
    PitchSource.DETECTOR_UNCALIBRATED,
    PitchSource.TYPED,
    PitchSource.SETUP,
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rule says of the indications that people confirmed, or why it says nothing.

    Attributes:
        verdict: None when it is withheld or no table was chosen.
        withheld: one line each; empty when there is a verdict.
        notes: what to bear in mind with the numbers.
        standing: how far the reading has come; None in what was signed by releases that judged open
            indications like confirmed ones.
        preview: what the rule would say if every open indication were confirmed as the model reports it; None
            where none is open, and never signed.
    """

    verdict: ImageVerdict | None
    withheld: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    standing: Standing | None = None
    preview: ImageVerdict | None = None

    @property
    def word(self) -> ReadingVerdict:
        """The verdict on the reading."""
        if self.standing is not None:
            return self.standing.verdict
        return ReadingVerdict(self.verdict.verdict.value) if self.verdict else ReadingVerdict.NOT_EVALUABLE

    @property
    def words(self) -> str:
        """The verdict, and how many indications are open."""
        return self.word.value if self.standing is None else self.standing.words

    @property
    def summary(self) -> str:
        """One line that may stand in a report."""
        is_told = self.word is not ReadingVerdict.NOT_ASSESSED
        told = self.verdict.summary if self.verdict and is_told else self.word.value
        if self.verdict is None and self.withheld:
            told = f"{told}: {'; '.join(self.withheld)}"
        n_open = self.standing.n_open if self.standing else 0
        return f"{told}, {n_open} open" if n_open else told

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, for what is signed and reported, without the preview."""
        content: dict[str, Any] = {
            "verdict": None if self.verdict is None else self.verdict.to_dict(),
            "withheld": list(self.withheld),
            "notes": list(self.notes),
        }
        if self.standing is not None:
            content["standing"] = self.standing.to_dict()
        return content


def judgement_from(content: Mapping[str, Any]) -> Judgement:
    """The judgement that `Judgement.to_dict` wrote."""
    verdict, standing = content["verdict"], content.get("standing")
    return Judgement(
        verdict=None if verdict is None else image_verdict_from(verdict),
        withheld=tuple(content["withheld"]),
        notes=tuple(content["notes"]),
        standing=None if standing is None else standing_from(standing),
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
        *,
        is_stated: bool = False,
        detections: Sequence[Mapping[str, Any]] = (),
    ) -> Judgement:
        """The verdict by the newest tables; see `judge`."""
        with self._store.read() as work:
            return judge(
                work, indications, setup, pitch, image_quality, is_stated=is_stated, detections=detections
            )


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
    *,
    is_stated: bool = False,
    detections: Sequence[Mapping[str, Any]] = (),
) -> Judgement:
    """The verdict on what people confirmed; withheld when the image-quality gate failed.

    Args:
        work: holds the tables.
        indications: the reading.
        setup: names table and level, and the thickness that limits depend on.
        pitch: the scale; without it lengths are not evaluable.
        image_quality: the gate's report, None where it did not run.
        is_stated: somebody chose a disposition.
        detections: the model's list, for its outlines; what it claims is told in a note and decides nothing.
    """
    standing = standing_of(counted(indications), is_stated=is_stated)
    confirmed = findings_of(indications, pitch, {Call.CONFIRMED}, detections)
    withheld = failed_checks(image_quality) or (("no standard is chosen",) if setup.standard is None else ())
    verdict = preview = None
    if not withheld:
        verdict, withheld = _by_rule(work, confirmed, setup, called="confirmed")
    if verdict is None:
        return Judgement(None, withheld, standing=replace(standing, withheld=withheld))
    if standing.n_open:
        every = findings_of(indications, pitch, {Call.CONFIRMED, Call.OPEN}, detections)
        preview, _ = _by_rule(work, every, setup)
    return Judgement(
        verdict,
        notes=(*_notes(pitch), *_claimed_linear(indications, detections)),
        standing=_judged(standing, verdict, confirmed),
        preview=preview,
    )


def findings_of(
    indications: Sequence[ReadIndication],
    pitch: PixelPitch | None,
    calls: Collection[Call],
    detections: Sequence[Mapping[str, Any]] = (),
) -> list[Imperfection]:
    """Indications with one of these calls for the acceptance tables, in mm where the scale is known.

    A group counts as one imperfection with the extent of its box; its members do not count beside it.

    Length and width, and how far each may be off, are those of `size_of`. The position is that of the box
    along the longer side of all boxes that were not dismissed, taken together for the direction of the weld.
    """
    kept = counted(indications)
    along_x = _runs_along_x([one for one in kept if one.call is not Call.DISMISSED])
    return [
        _finding(one, size_of(one, detections), pitch, along_x=along_x, covered=_covered(one, indications))
        for one in kept
        if one.call in calls
    ]


def _by_rule(
    work: Work, findings: Sequence[Imperfection], setup: Setup, *, called: str = REPORTED
) -> tuple[ImageVerdict | None, tuple[str, ...]]:
    """The rule's verdict on the findings, or None and what withholds it."""
    try:
        table = rule_set_of(work, str(setup.standard))
        return evaluate(findings, _part(setup), table, setup.quality_level, called=called), ()
    except (BadInputError, ValueError) as error:  # e.g. a code that belongs to another class
        return None, (str(error),)


def _judged(standing: Standing, verdict: ImageVerdict, confirmed: Sequence[Imperfection]) -> Standing:
    names = {one.finding_id: _name(one) for one in confirmed}
    return replace(
        standing,
        rule=f"{verdict.standard} {verdict.level}",
        by_rule=ReadingVerdict(verdict.verdict.value),
        rejected=tuple(
            names[one.finding_id] for one in verdict.indications if one.verdict is Verdict.NOT_ACCEPTABLE
        ),
        n_not_evaluable=sum(one.verdict is Verdict.NOT_EVALUABLE for one in verdict.indications),
    )


def _name(one: Imperfection) -> str:
    """The class, or the kind where no class says it."""
    kind = one.kind or ""
    if kind in WORD_KINDS:
        return WORD_KINDS[kind].name
    return OTHER_NUMBERS.get(kind, one.indication.value)


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
    one: ReadIndication, size: Size, pitch: PixelPitch | None, *, along_x: bool, covered: Interval | None
) -> Imperfection:
    x1, y1, x2, y2 = one.bbox
    length = width = position = None
    if pitch is not None:
        slack = 2 * size.edge_px * pitch.mm_per_px
        width, length = (Length(side * pitch.mm_per_px, slack) for side in (size.width_px, size.length_px))
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


def _claimed_linear(
    indications: Sequence[ReadIndication], detections: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """A note on what the model claims to be linear while nobody stated the type; empty without any."""
    asked = [
        str(one.model_index + 1)
        for one in counted(indications)
        if one.model_index is not None
        and one.model_index < len(detections)
        and one.call is not Call.DISMISSED
        and one.indication_class is IndicationClass.UNCLASSIFIED
        and one.stated_kind is None
        and (claim := claim_from(detections[one.model_index])) is not None
        and claim.group is FlawGroup.LINEAR
    ]
    if not asked:
        return ()
    told = f"no. {asked[0]}" if len(asked) == 1 else f"nos. {', '.join(asked)}"
    return (
        f"{told}: claimed linear by the model, type not stated. State it: a crack, a lack of fusion and a "
        "lack of penetration have clauses of their own, and the claim decides nothing",
    )


def _notes(pitch: PixelPitch | None) -> tuple[str, ...]:
    if pitch is None:
        return ("no scale: no length is known in millimetres",)
    if pitch.source in _AT_DETECTOR:
        return ("millimetres at the detector: the part is smaller by the magnification",)
    return ()
