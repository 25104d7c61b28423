"""Findings, a part and a table in; verdicts out. Pure: no clock, no files, no state."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.standards.finding import Imperfection, InspectedPart
from core.standards.kinds import name_of, possible_kinds
from core.standards.peers import Peers
from core.standards.rule_set import NOTHING_KNOWN, Requirement, Rule, RuleSet, Stance
from core.standards.verdict import (
    NOTHING_REPORTED,
    REPORTED,
    ConditionResult,
    ImageVerdict,
    IndicationVerdict,
    RuleOutcome,
    Verdict,
    all_must_hold,
    whichever_holds,
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A finding taken for some kinds, and the one rule (or none) that covers all of them."""

    finding: Imperfection
    kinds: tuple[str, ...]
    rule: Rule | None
    applies: bool | None  # None: whether the rule's condition holds is not known


def evaluate(
    findings: Sequence[Imperfection],
    part: InspectedPart,
    rule_set: RuleSet,
    level: str | None = None,
    *,
    called: str = REPORTED,
) -> ImageVerdict:
    """The verdict on all `findings` of one weld by one level of `rule_set`, and on each of them.

    The order of the findings does not matter. What is not known about an indication (its kind, the thickness
    band) is tried every way: a verdict is given when it comes out every time, otherwise it is not evaluable.

    Args:
        findings: everything reported on one weld; cumulative rules see nothing else.
        part: the weld.
        rule_set: the table.
        level: id of one of its levels, None where there is only one.
        called: the findings' name in the summary: `REPORTED`, or confirmed by a person.

    Raises:
        BadInputError: the table has no such level.
        ValueError: two findings share an id.
    """
    index = rule_set.level_index(level)
    ordered = sorted(findings, key=lambda finding: finding.finding_id)
    if len({finding.finding_id for finding in ordered}) < len(ordered):
        raise ValueError("expected a different id for each finding")
    readings = {finding.finding_id: _readings(finding, part, rule_set) for finding in ordered}
    peers = {rule.rule_id: _peers(rule, ordered, readings) for rule in rule_set.rules}
    indications = tuple(
        _judge(finding, readings[finding.finding_id], peers, part, rule_set, index) for finding in findings
    )
    verdict = all_must_hold(indication.verdict for indication in indications)
    if not rule_set.has_limits(index):
        verdict = Verdict.NOT_EVALUABLE
    return ImageVerdict(
        verdict=verdict,
        summary=_summary(verdict, indications, rule_set, index, called=called),
        indications=indications,
        level=rule_set.levels[index].level_id,
        rule_set_id=rule_set.rule_set_id,
        rule_set_version=rule_set.version,
        rule_set_sha256=rule_set.sha256,
        standard=rule_set.standard,
        edition=rule_set.edition,
        source=rule_set.source,
        is_verified=rule_set.is_verified,
        grading=rule_set.grading,
    )


def _readings(finding: Imperfection, part: InspectedPart, rule_set: RuleSet) -> tuple[_Reading, ...]:
    """The kinds that the finding may be, those under the same rule taken together."""
    kinds_of: dict[str | None, list[str]] = {}
    rules: dict[str | None, Rule | None] = {}
    for kind in possible_kinds(finding.indication, finding.kind, rule_set.family):
        rule = rule_set.rule_for(kind, finding.kind)
        key = None if rule is None else rule.rule_id
        kinds_of.setdefault(key, []).append(kind)
        rules[key] = rule
    return tuple(
        _Reading(finding, tuple(kinds), rule, rule is not None and rule.condition.holds(finding, part))
        for key, kinds in kinds_of.items()
        for rule in [rules[key]]
    )


def _peers(rule: Rule, findings: list[Imperfection], readings: dict[str, tuple[_Reading, ...]]) -> Peers:
    certain, possible = [], []
    for finding in findings:
        under = [
            r.rule is not None and r.rule.rule_id == rule.rule_id and r.applies
            for r in readings[finding.finding_id]
        ]
        if under and all(under):
            certain.append(finding.finding_id)
        if any(answer is not False for answer in under):
            possible.append(finding)
    return Peers.of(possible, frozenset(certain))


def _judge(
    finding: Imperfection,
    readings: tuple[_Reading, ...],
    peers: dict[str, Peers],
    part: InspectedPart,
    rule_set: RuleSet,
    level_index: int,
) -> IndicationVerdict:
    outcomes = tuple(
        outcome for reading in readings for outcome in _outcomes(reading, peers, part, rule_set, level_index)
    )
    if not outcomes:
        words = "what kind of indication it is has not been said: no rule can be chosen"
        outcomes = (RuleOutcome((), None, "", Verdict.NOT_EVALUABLE, (_undecided(words),)),)
    verdict = whichever_holds(outcome.verdict for outcome in outcomes)
    return IndicationVerdict(finding.finding_id, verdict, _reasons(verdict, outcomes), outcomes)


def _outcomes(
    reading: _Reading, peers: dict[str, Peers], part: InspectedPart, rule_set: RuleSet, level_index: int
) -> list[RuleOutcome]:
    rule = reading.rule
    if rule is None:
        named = " or ".join(name_of(kind) for kind in reading.kinds)
        words = f"the table {rule_set.title} has no row for {named}"
        return [RuleOutcome(reading.kinds, None, "", Verdict.NOT_EVALUABLE, (_undecided(words),))]
    if not reading.applies:
        condition = rule.condition
        words = f"{rule.title}: {condition.otherwise or f'the row is for {condition.words} only'}"
        if reading.applies is None:
            words = f"{rule.title}: the row is for {condition.words} only, which is not known here"
        return [_outcome(reading, rule, (_undecided(words),))]
    together = peers[rule.rule_id]
    thickness = part.value(rule.thickness)
    bands = [band for band in rule.bands if thickness is None or band.holds(thickness)]
    by = f"level {rule_set.levels[level_index].level_id}" if len(rule_set.levels) > 1 else rule_set.title
    outcomes = []
    for band in bands:
        requirement = band.requirements[level_index]
        checked = tuple(check.decide(reading.finding, together, part) for check in requirement.checks)
        outcomes.append(_outcome(reading, rule, checked or _without_checks(rule, requirement, by)))
    return outcomes


def _without_checks(rule: Rule, requirement: Requirement, by: str) -> tuple[ConditionResult, ...]:
    """The decision where the requirement has nothing to check, none where it has."""
    if requirement.stance is Stance.NOT_PERMITTED:
        return (ConditionResult(Verdict.NOT_ACCEPTABLE, f"{rule.title}: not permitted ({by})"),)
    if requirement.stance in NOTHING_KNOWN:
        return (_undecided(f"{rule.title}: {requirement.stance.value} ({by})"),)
    return ()


def _outcome(reading: _Reading, rule: Rule, decisions: tuple[ConditionResult, ...]) -> RuleOutcome:
    verdict = all_must_hold(decision.verdict for decision in decisions)
    return RuleOutcome(reading.kinds, rule.rule_id, rule.clause, verdict, decisions)


def _undecided(words: str) -> ConditionResult:
    return ConditionResult(Verdict.NOT_EVALUABLE, words)


def _reasons(verdict: Verdict, outcomes: tuple[RuleOutcome, ...]) -> tuple[str, ...]:
    """The decisions that made the verdict; where kinds differ, what each of them would give."""
    if len(outcomes) == 1:
        return tuple(decision.words for decision in outcomes[0].decisions if decision.verdict is verdict)
    lines = []
    if verdict is Verdict.NOT_EVALUABLE:
        unknown = "kind" if len({outcome.kinds for outcome in outcomes}) > 1 else "thickness"
        lines.append(f"its {unknown} is not known, and the verdict depends on it")
    for outcome in outcomes:
        words = "; ".join(d.words for d in outcome.decisions if d.verdict is outcome.verdict)
        named = " or ".join(name_of(kind) for kind in outcome.kinds)
        lines.append(f"as {named}: {outcome.verdict.value}: {words}")
    return tuple(dict.fromkeys(lines))


def _summary(
    verdict: Verdict,
    indications: tuple[IndicationVerdict, ...],
    rule_set: RuleSet,
    level_index: int,
    *,
    called: str,
) -> str:
    if not rule_set.has_limits(level_index):
        holds = "states no limit yet" if rule_set.grading else "holds no trustworthy limits"
        return f"{verdict.value}: the table {rule_set.title} {holds}"
    if not indications:
        nothing = NOTHING_REPORTED if called == REPORTED else f"no indication is {called}"
        return f"{verdict.value}: {nothing}"
    n = len(indications)
    alike = sum(indication.verdict is verdict for indication in indications)
    told = f"1 {called} indication is" if n == 1 else f"{alike} of {n} {called} indications are"
    return f"{verdict.value}: {told} {verdict.value}"
