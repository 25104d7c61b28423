"""Finds where a table contradicts itself: a stricter level must never permit more than a laxer one."""

from itertools import combinations

from core.standards.checks import (
    AlignedCheck,
    AloneCheck,
    Check,
    CountCheck,
    DensityCheck,
    FactCheck,
    GradeCheck,
    SizeCheck,
    TotalCheck,
)
from core.standards.limit import Limit
from core.standards.rule_set import Level, Requirement, Rule, Stance


def contradiction(rule: Rule, levels: tuple[Level, ...]) -> str:
    """A contradiction between the levels of `rule`; "" when there is none.

    Every two levels are compared in every band. A level permits more when it lacks a check of
    the laxer level or when its limit lies above the laxer one's at any thickness.
    """
    for band in rule.bands:
        paired = zip(levels, band.requirements, strict=True)
        for (level, strict), (laxer, lax) in combinations(paired, 2):
            if found := _permits_more(strict, lax):
                where = band.words(rule.thickness)
                names = f"level {level.level_id} permits more than level {laxer.level_id}"
                return f"{names}{' at ' + where if where else ''}: {found}"
    return ""


def _permits_more(strict: Requirement, lax: Requirement) -> str:
    if strict.stance is not Stance.WITHIN_LIMITS:
        return ""
    if lax.stance is not Stance.WITHIN_LIMITS:
        return f"expected no limits where the laxer level says {lax.stance.value!r}"
    for check in lax.checks:
        if not any(_is_at_least_as_strict(candidate, check) for candidate in strict.checks):
            return f"expected a check at least as strict as {check.words!r}"
    return ""


def _is_at_least_as_strict(strict: Check, lax: Check) -> bool:
    match strict, lax:
        case SizeCheck(), SizeCheck():
            return strict.measure is lax.measure and not strict.at_most.permits_more_than(lax.at_most)
        case TotalCheck(), TotalCheck():
            return strict.within == lax.within and not (
                strict.at_most.permits_more_than(lax.at_most)
                or _shorter_permits_more(strict.shorter_weld, lax.shorter_weld)
            )
        case GradeCheck(), GradeCheck():
            return strict.at_most <= lax.at_most
        case CountCheck(), CountCheck():
            return strict.within == lax.within and strict.at_most <= lax.at_most
        case AlignedCheck(), AlignedCheck():
            return (
                strict.within == lax.within
                and strict.unless_gaps_exceed >= lax.unless_gaps_exceed
                and not strict.at_most.permits_more_than(lax.at_most)
            )
        case FactCheck(), FactCheck():
            return strict == lax
        case DensityCheck(), DensityCheck():
            return strict.at_most_percent <= lax.at_most_percent
        case AloneCheck(), AloneCheck():
            return True
    return False


def _shorter_permits_more(strict: Limit | None, lax: Limit | None) -> bool:
    return lax is not None and (strict is None or strict.permits_more_than(lax))
