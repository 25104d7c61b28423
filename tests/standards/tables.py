"""Short ways to say an indication, a part and the verdict on them."""

from core.domain.indication import IndicationClass
from core.standards.evaluation import evaluate
from core.standards.finding import Imperfection, InspectedPart, Length
from core.standards.kinds import class_of
from core.standards.shipped import SHIPPED, shipped_rule_set
from core.standards.verdict import ImageVerdict, Verdict

TABLES = {rule_set_id: shipped_rule_set(rule_set_id) for rule_set_id in SHIPPED}
ACCEPTABLE, NOT_ACCEPTABLE, NOT_EVALUABLE = Verdict

#: Strictest first; one level where a table has only one.
LEVELS = {name: [level.level_id for level in rule_set.levels] for name, rule_set in TABLES.items()}


def finding(
    code: str | None,
    length: float | None = None,
    width: float | None = None,
    *,
    at: float | None = None,
    height: float | None = None,
    name: str = "1",
    plus_minus: float = 0.0,
    is_internal: bool | None = None,
    is_shallow: bool | None = None,
    indication: IndicationClass | None = None,
) -> Imperfection:
    """An indication of number `code`, as long and wide as given, its middle at `at` mm."""

    def mm(value: float | None) -> Length | None:
        return None if value is None else Length(value, plus_minus)

    return Imperfection(
        name,
        indication or class_of(code or "100"),
        code,
        mm(length),
        mm(width),
        mm(height),
        at,
        is_internal,
        is_shallow,
    )


def judge(table: str, level: str | None, part: InspectedPart, *findings: Imperfection) -> ImageVerdict:
    """The verdict of a shipped table."""
    return evaluate(findings, part, TABLES[table], level)


def several(
    code: str, lengths: list[float], positions: list[float | None], width: float = 0.5
) -> list[Imperfection]:
    """Indications "0", "1", ... of one kind."""
    return [
        finding(code, length, min(width, length), at=at, name=str(i))
        for i, (length, at) in enumerate(zip(lengths, positions, strict=True))
    ]
