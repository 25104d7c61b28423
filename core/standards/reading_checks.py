"""Reads the checks of a rule file."""

from collections.abc import Callable, Iterator

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
from core.standards.extents import Measure
from core.standards.fields import Field
from core.standards.finding import Fact, Symbol
from core.standards.grading import Grading
from core.standards.limit import Limit
from core.standards.verdict import Verdict

_WHOLE_PERCENT = 100


def checks_from(field: Field, grading: Grading | None) -> Iterator[Check]:
    """The checks in a list of them.

    Args:
        field: the list.
        grading: the severity levels of the table, None where it has none.

    Raises:
        RuleSetError: naming the file, the rule and what was expected.
    """
    for item in field.items():
        name = item.value.get("check") if isinstance(item.value, dict) else None
        if name == _GRADE:
            yield _grade(item, grading)
        elif name in _READ:
            yield _READ[name](item)
        else:
            item.refuse(f"check: one of {', '.join((*_READ, _GRADE))}")


def limit_from(field: Field) -> Limit:
    """The limit in `{times, of, max_mm}`; a plain number of millimetres is `max_mm` alone."""
    fields = field.mapping(optional=("times", "of", "max_mm"))
    if ("times" in fields) != ("of" in fields) or not fields:
        field.refuse("times and of, max_mm, or all three")
    return Limit(
        times=fields["times"].factor() if "times" in fields else None,
        of=fields["of"].one_of(Symbol) if "of" in fields else None,
        max_mm=fields["max_mm"].size_mm() if "max_mm" in fields else None,
    )


def _size(item: Field) -> Check:
    fields = item.mapping(required=("check", "measure", "at_most"))
    return SizeCheck(fields["measure"].one_of(Measure), limit_from(fields["at_most"]))


def _total(item: Field) -> Check:
    fields = item.mapping(required=("check", "at_most"), optional=("within", "shorter_weld"))
    return TotalCheck(
        limit_from(fields["at_most"]), _optional(fields, "within"), _optional(fields, "shorter_weld")
    )


def _count(item: Field) -> Check:
    fields = item.mapping(required=("check", "at_most"), optional=("within",))
    return CountCheck(fields["at_most"].whole(), _optional(fields, "within"))


def _aligned(item: Field) -> Check:
    fields = item.mapping(required=("check", "at_most", "within", "unless_gaps_exceed"))
    return AlignedCheck(
        limit_from(fields["at_most"]), limit_from(fields["within"]), fields["unless_gaps_exceed"].factor()
    )


def _fact(item: Field) -> Check:
    fields = item.mapping(required=("check", "fact", "otherwise"))
    otherwise = fields["otherwise"].one_of(Verdict)
    if otherwise is Verdict.ACCEPTABLE:
        fields["otherwise"].refuse(f"{Verdict.NOT_ACCEPTABLE.value!r} or {Verdict.NOT_EVALUABLE.value!r}")
    return FactCheck(fields["fact"].one_of(Fact), otherwise)


def _grade(item: Field, grading: Grading | None) -> Check:
    fields = item.mapping(required=("check", "at_most"))
    if grading is None:
        item.refuse("grades at the head of the table: which reference radiographs, and their highest level")
    at_most = fields["at_most"].whole()
    if not 1 <= at_most <= grading.highest:
        fields["at_most"].refuse(f"a severity level from 1 to {grading.highest}")
    return GradeCheck(at_most, grading.highest)


def _alone(item: Field) -> Check:
    item.mapping(required=("check",))
    return AloneCheck()


def _density(item: Field) -> Check:
    fields = item.mapping(required=("check", "at_most_percent"))
    share = float(fields["at_most_percent"].factor())
    if share > _WHOLE_PERCENT:
        fields["at_most_percent"].refuse("a share of at most 100 percent")
    return DensityCheck(share)


def _optional(fields: dict[str, Field], name: str) -> Limit | None:
    return limit_from(fields[name]) if name in fields else None


_GRADE = "grade"
_READ: dict[str, Callable[[Field], Check]] = {
    "size": _size,
    "total": _total,
    "count": _count,
    "aligned": _aligned,
    "fact": _fact,
    "alone": _alone,
    "density": _density,
}
