"""Verdicts on an indication or an image, with the numbers that decided them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from core.standards.grading import Grading

#: Name of findings of which it is not said that a person confirmed them.
REPORTED = "reported"
#: Said instead of "no defect": what is not reported may still be there.
NOTHING_REPORTED = "no indication above the operating point was reported"


class Verdict(StrEnum):
    """Missing evidence is NOT_EVALUABLE, never ACCEPTABLE."""

    ACCEPTABLE = "acceptable"
    NOT_ACCEPTABLE = "not acceptable"
    NOT_EVALUABLE = "not evaluable"


def all_must_hold(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on what has to satisfy every one of `verdicts`; of nothing: ACCEPTABLE."""
    found = set(verdicts)
    for verdict in (Verdict.NOT_ACCEPTABLE, Verdict.NOT_EVALUABLE):
        if verdict in found:
            return verdict
    return Verdict.ACCEPTABLE


def whichever_holds(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict when exactly one of `verdicts` holds and nobody knows which: the one they share.

    NOT_EVALUABLE when they differ, and when there are none.
    """
    found = set(verdicts)
    return found.pop() if len(found) == 1 else Verdict.NOT_EVALUABLE


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """Result of one condition of a rule for one indication.

    Attributes:
        verdict: of this condition alone.
        words: in an inspector's words, such as "h 1.8 mm > 0.2 s = 1.6 mm".
        low, high: what was compared lies within, mm or a count; equal when exact, None where not known.
        limit: what it was compared with, same unit; None where it is missing.
    """

    verdict: Verdict
    words: str
    low: float | None = None
    high: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """Outcome of one rule for one indication, taken as one of the kinds that the rule covers.

    Attributes:
        kinds: ISO 6520-1 numbers the indication was taken for; none when no kind is known.
        rule_id: None when no rule covers the kind.
        clause: where in the standard; "" without a rule.
        verdict: of all decisions together.
        decisions: what was looked at, in the order of the rule.
    """

    kinds: tuple[str, ...]
    rule_id: str | None
    clause: str
    verdict: Verdict
    decisions: tuple[ConditionResult, ...]


@dataclass(frozen=True, slots=True)
class IndicationVerdict:
    """The verdict on one indication.

    Attributes:
        finding_id: whose.
        verdict: shared by all `outcomes`, else NOT_EVALUABLE.
        reasons: in an inspector's words, one line each, never empty.
        outcomes: one for each kind and thickness band the indication may belong to; one when both are known.
    """

    finding_id: str
    verdict: Verdict
    reasons: tuple[str, ...]
    outcomes: tuple[RuleOutcome, ...]


@dataclass(frozen=True, slots=True)
class ImageVerdict:
    """The verdict on everything that was reported in one image, and by which table.

    Attributes:
        verdict: any not acceptable: not acceptable; else any not evaluable: not evaluable; else acceptable.
        summary: one line that may stand in a report.
        indications: in the order in which the findings came.
        level: id of the level within the rule set.
        rule_set_id, rule_set_version, rule_set_sha256: the exact table.
        standard, edition, source: what the table says about itself.
        is_verified: False: the figures were not compared with a purchased edition.
        grading: the reference radiographs of severity levels; None in a table without any, and in a verdict
            from before there were such tables.
    """

    verdict: Verdict
    summary: str
    indications: tuple[IndicationVerdict, ...]
    level: str
    rule_set_id: str
    rule_set_version: str
    rule_set_sha256: str
    standard: str
    edition: str
    source: str
    is_verified: bool
    grading: Grading | None = None

    @property
    def caveat(self) -> str:
        """Caveat to print beside the verdict; "" when the table was verified."""
        return "" if self.is_verified else f"Illustrative rule, {self.source}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON: every number is finite."""
        return {**asdict(self), "caveat": self.caveat}


def image_verdict_from(content: Mapping[str, Any]) -> ImageVerdict:
    """The verdict that `ImageVerdict.to_dict` wrote; KeyError or TypeError when it is none."""
    kept = {one.name: content[one.name] for one in fields(ImageVerdict) if one.name != "grading"}
    indications = tuple(_indication_from(one) for one in kept.pop("indications"))
    grading = content.get("grading")
    return ImageVerdict(
        **{**kept, "verdict": Verdict(kept["verdict"])},
        indications=indications,
        grading=None if grading is None else Grading(**grading),
    )


def _indication_from(content: Mapping[str, Any]) -> IndicationVerdict:
    outcomes = tuple(_outcome_from(one) for one in content["outcomes"])
    return IndicationVerdict(
        content["finding_id"], Verdict(content["verdict"]), tuple(content["reasons"]), outcomes
    )


def _outcome_from(content: Mapping[str, Any]) -> RuleOutcome:
    return RuleOutcome(
        kinds=tuple(content["kinds"]),
        rule_id=content["rule_id"],
        clause=content["clause"],
        verdict=Verdict(content["verdict"]),
        decisions=tuple(
            ConditionResult(**{**one, "verdict": Verdict(one["verdict"])}) for one in content["decisions"]
        ),
    )
