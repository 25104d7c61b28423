"""A rule set as plain data: what a page and a manual show."""

from typing import Any

from core.standards.kinds import class_of, kinds_of, name_of, possible_kinds
from core.standards.rule_set import Band, Rule, RuleSet


def table(rule_set: RuleSet) -> dict[str, Any]:
    """The rule set as dicts, lists and texts, fit for JSON.

    `rows` holds one entry for each thickness band of each rule, in the order of the file, with the words of
    each level under `limits`; `uncovered` names the known kinds that no row is about: never evaluable.
    """
    return {
        "id": rule_set.rule_set_id,
        "version": rule_set.version,
        "sha256": rule_set.sha256,
        "title": rule_set.title,
        "standard": rule_set.standard,
        "edition": rule_set.edition,
        "source": rule_set.source,
        "verified": rule_set.is_verified,
        "note": rule_set.note,
        "family": rule_set.family.value,
        "graded_by": "" if rule_set.grading is None else rule_set.grading.words,
        "levels": [{"id": level.level_id, "title": level.title} for level in rule_set.levels],
        "rows": [_row(rule_set, rule, band) for rule in rule_set.rules for band in rule.bands],
        "uncovered": [name_of(kind) for kind in kinds_of(rule_set.family) if not _is_covered(rule_set, kind)],
    }


def _is_covered(rule_set: RuleSet, kind: str) -> bool:
    under = possible_kinds(class_of(kind), kind, rule_set.family)
    return any(rule_set.rule_for(candidate, kind) is not None for candidate in under)


def _row(rule_set: RuleSet, rule: Rule, band: Band) -> dict[str, Any]:
    return {
        "rule": rule.rule_id,
        "title": rule.title,
        "kinds": list(rule.kinds),
        "kind_names": [name_of(kind) for kind in rule.kinds],
        "thickness": band.words(rule.thickness),
        "condition": rule.condition.words,
        "by_name_only": rule.is_by_name_only,
        "limits": {
            level.level_id: requirement.words
            for level, requirement in zip(rule_set.levels, band.requirements, strict=True)
        },
        "standard": rule.standard,
        "edition": rule.edition,
        "clause": rule.clause,
        "source": rule.source,
        "verified": rule.is_verified,
        "copies": rule.n_copies,
        "note": rule.note,
    }
