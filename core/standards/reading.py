"""Reads rule files: YAML in, a validated RuleSet out, or one error that says what is wrong where."""

import hashlib
import math
from dataclasses import dataclass

from core.domain.errors import RuleSetError
from core.domain.kinds import HIGHEST_GRADE, Family
from core.standards.consistency import contradiction
from core.standards.extents import Shape
from core.standards.fields import Field
from core.standards.finding import Symbol
from core.standards.grading import Grading
from core.standards.kinds import families_of, is_kind, is_number, kinds_of
from core.standards.reading_checks import checks_from
from core.standards.rule_set import Band, Condition, Level, Requirement, Rule, RuleSet, Stance
from core.standards.yaml_text import load_yaml

_HEAD = ("id", "version", "title", "standard", "edition", "source", "verified", "levels", "rules")
_HEAD_OPTIONAL = ("note", "family", "grades")
_STANCES = tuple(one.value for one in Stance if one is not Stance.WITHIN_LIMITS)
_RULE = ("id", "title", "kinds", "clause")
_RULE_OPTIONAL = (
    "standard",
    "edition",
    "source",
    "verified",
    "copies",
    "thickness",
    "when",
    "by_name_only",
    "levels",
    "bands",
    "note",
)


@dataclass(frozen=True, slots=True)
class _Table:
    """Parts of the head of a table that its rules depend on."""

    levels: tuple[Level, ...]
    family: Family
    grading: Grading | None


def read_rule_set(text: str, file_name: str) -> RuleSet:
    """The rule set in the YAML `text`; its hash is that of the text with line ends as LF, in UTF-8.

    Args:
        text: of the rule file.
        file_name: for errors only.

    Raises:
        RuleSetError: naming the file, the rule and what was expected.
    """
    text = text.replace("\r\n", "\n")
    try:
        encoded = text.encode("utf-8")
        content = load_yaml(text)
    except ValueError as error:
        raise RuleSetError(f"{file_name}: {error}") from error
    head = Field(content, file_name).mapping(required=_HEAD, optional=_HEAD_OPTIONAL)
    table = _Table(
        levels=_levels(head["levels"]),
        family=head["family"].one_of(Family) if "family" in head else Family.WELD,
        grading=_grading(head["grades"]) if "grades" in head else None,
    )
    levels = table.levels
    rules = tuple(_rule(item, file_name, head, table) for item in head["rules"].items())
    _refuse_twice(rules, file_name)
    for rule in rules:
        if found := contradiction(rule, levels):
            raise RuleSetError(f"{file_name}: rule {rule.rule_id}: {found}")
    return RuleSet(
        rule_set_id=head["id"].text(),
        version=head["version"].text(),
        sha256=hashlib.sha256(encoded).hexdigest(),
        title=head["title"].text(),
        standard=head["standard"].text(),
        edition=head["edition"].text(),
        source=head["source"].text(),
        is_verified=head["verified"].flag() and all(rule.is_verified for rule in rules),
        note=head["note"].text() if "note" in head else "",
        levels=levels,
        rules=rules,
        text=text,
        family=table.family,
        grading=table.grading,
    )


def _grading(field: Field) -> Grading:
    fields = field.mapping(required=("references", "highest"))
    highest = fields["highest"].whole()
    if not 1 <= highest <= HIGHEST_GRADE:
        fields["highest"].refuse(f"the highest severity level, 1 to {HIGHEST_GRADE}")
    return Grading(fields["references"].text(), highest)


def _levels(field: Field) -> tuple[Level, ...]:
    found = [item.mapping(required=("id", "title")) for item in field.items()]
    levels = tuple(Level(item["id"].text(), item["title"].text()) for item in found)
    if len({level.level_id for level in levels}) < len(levels):
        field.refuse("a different id for each level")
    return levels


def _rule(item: Field, file_name: str, head: dict[str, Field], table: _Table) -> Rule:
    named = item.value.get("id") if isinstance(item.value, dict) else None
    is_name = isinstance(named, str) and named.isprintable() and 0 < len(named) <= 80
    where = f"{file_name}: rule {named}" if is_name else item.where
    fields = {**Field(item.value, where).mapping(required=_RULE, optional=_RULE_OPTIONAL)}
    for name in ("standard", "edition", "source", "verified"):
        fields.setdefault(name, head[name])
    return Rule(
        rule_id=fields["id"].text(),
        title=fields["title"].text(),
        kinds=tuple(_kind(kind, table.family) for kind in fields["kinds"].items()),
        standard=fields["standard"].text(),
        edition=fields["edition"].text(),
        clause=fields["clause"].text(),
        source=fields["source"].text(),
        is_verified=fields["verified"].flag(),
        n_copies=fields["copies"].whole() if "copies" in fields else None,
        bands=_bands(Field(item.value, where), fields, table),
        thickness=fields["thickness"].one_of(Symbol) if "thickness" in fields else Symbol.T,
        condition=_condition(fields["when"]) if "when" in fields else Condition(),
        is_by_name_only=fields["by_name_only"].flag() if "by_name_only" in fields else False,
        note=fields["note"].text() if "note" in fields else "",
    )


def _kind(field: Field, family: Family) -> str:
    code = field.text()
    if not is_kind(code) or family not in families_of(code):
        number = "an ISO 6520-1 number of 3 to 5 digits" if family is Family.WELD else "a kind"
        words = [one for one in kinds_of(family) if not is_number(one)]
        field.refuse(f"{number} or one of {', '.join(words)}")
    return code


def _condition(field: Field) -> Condition:
    fields = field.mapping(optional=("single_sided", "shape", "otherwise"))
    if not {"single_sided", "shape"} & set(fields):
        field.refuse("single_sided or shape")
    return Condition(
        is_single_sided=fields["single_sided"].flag() if "single_sided" in fields else None,
        shape=fields["shape"].one_of(Shape) if "shape" in fields else None,
        otherwise=fields["otherwise"].text() if "otherwise" in fields else "",
    )


def _bands(rule: Field, fields: dict[str, Field], table: _Table) -> tuple[Band, ...]:
    """Bands from 0 to infinity: each begins where the one before ends, so that none is left out."""
    if ("levels" in fields) == ("bands" in fields):
        raise RuleSetError(f"{rule.where}: expected either levels or bands, got both or neither")
    if "levels" in fields:
        return (Band(0.0, math.inf, _requirements(fields["levels"], table)),)
    bands: list[Band] = []
    above = 0.0
    for item in fields["bands"].items():
        band = item.mapping(required=("levels",), optional=("up_to_mm",))
        if math.isinf(above):
            item.refuse("no band after the one without up_to_mm")
        up_to = band["up_to_mm"].size_mm() if "up_to_mm" in band else math.inf
        if up_to <= above:
            band["up_to_mm"].refuse(f"more than the {above:g} mm of the band before")
        bands.append(Band(above, up_to, _requirements(band["levels"], table)))
        above = up_to
    if not math.isinf(above):
        fields["bands"].refuse(f"a last band without up_to_mm, for everything above {above:g} mm")
    return tuple(bands)


def _requirements(field: Field, table: _Table) -> tuple[Requirement, ...]:
    entries = field.mapping(required=tuple(level.level_id for level in table.levels))
    return tuple(_requirement(entries[level.level_id], table.grading) for level in table.levels)


def _requirement(field: Field, grading: Grading | None) -> Requirement:
    if isinstance(field.value, list):
        return Requirement(Stance.WITHIN_LIMITS, tuple(checks_from(field, grading)))
    if field.value not in _STANCES:
        *most, last = (repr(one) for one in _STANCES)
        field.refuse(f"a list of checks, {', '.join(most)} or {last}")
    return Requirement(Stance(field.value))


def _refuse_twice(rules: tuple[Rule, ...], file_name: str) -> None:
    """Refuses an id, or a kind, that two rules claim: nobody could say which of them counts."""
    ids: set[str] = set()
    owners: dict[str, str] = {}
    for rule in rules:
        if rule.rule_id in ids:
            raise RuleSetError(f"{file_name}: rule {rule.rule_id}: expected a different id for each rule")
        ids.add(rule.rule_id)
        for kind in rule.kinds:
            owner = owners.setdefault(kind, rule.rule_id)
            if owner != rule.rule_id:
                raise RuleSetError(
                    f"{file_name}: rule {rule.rule_id}: expected one rule for {kind}, {owner} has it already"
                )
