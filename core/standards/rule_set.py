"""An acceptance table in memory: immutable, and known by its id, version and hash."""

import math
from dataclasses import dataclass
from enum import StrEnum

from core.domain.errors import BadInputError
from core.domain.kinds import Family
from core.standards.checks import Check
from core.standards.extents import Shape, shape
from core.standards.finding import Imperfection, InspectedPart, Symbol
from core.standards.grading import Grading
from core.standards.interval import number
from core.standards.kinds import covers, prefix


class Stance(StrEnum):
    """Stance of a table on a kind at one level."""

    WITHIN_LIMITS = "within limits"
    NOT_PERMITTED = "not permitted"
    UNKNOWN = "no trustworthy limits found"
    NOT_STATED = "not stated"


#: Stances by which nothing can be decided: not evaluable.
NOTHING_KNOWN = frozenset({Stance.UNKNOWN, Stance.NOT_STATED})


@dataclass(frozen=True, slots=True)
class Requirement:
    """Requirement of one level on a kind: all checks have to hold.

    Raises:
        ValueError: no checks WITHIN_LIMITS, which would accept everything, or checks without it.
    """

    stance: Stance
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if (self.stance is Stance.WITHIN_LIMITS) != bool(self.checks):
            raise ValueError(
                f"expected checks {Stance.WITHIN_LIMITS.value} only, and at least one of them there"
            )

    @property
    def words(self) -> str:
        """Text for a cell of the table."""
        return "; ".join(check.words for check in self.checks) or self.stance.value


@dataclass(frozen=True, slots=True)
class Band:
    """Thicknesses above `above_mm`, up to and including `up_to_mm`, and what each level asks there.

    Attributes:
        requirements: one for each level of the rule set, in its order.
    """

    above_mm: float
    up_to_mm: float
    requirements: tuple[Requirement, ...]

    def holds(self, thickness_mm: float) -> bool:
        """True when the thickness lies in the band."""
        return self.above_mm < thickness_mm <= self.up_to_mm

    def words(self, symbol: Symbol) -> str:
        """Such as "3 mm < t <= 19 mm"; "" when it holds for every thickness."""
        above = f"{number(self.above_mm)} mm < " if self.above_mm > 0 else ""
        up_to = f" <= {number(self.up_to_mm)} mm" if math.isfinite(self.up_to_mm) else ""
        return f"{above}{symbol.value}{up_to}" if above or up_to else ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Condition for a rule to apply; without it the rule says nothing.

    Attributes:
        is_single_sided: None: either.
        shape: None: either.
        otherwise: said where the rule does not apply.
    """

    is_single_sided: bool | None = None
    shape: Shape | None = None
    otherwise: str = ""

    def holds(self, finding: Imperfection, part: InspectedPart) -> bool | None:
        """True when the rule applies, None where that is not known."""
        answers: list[bool | None] = []
        if self.is_single_sided is not None:
            known = part.is_single_sided
            answers.append(None if known is None else known is self.is_single_sided)
        if self.shape is not None:
            seen = shape(finding)
            answers.append(None if seen is None else seen is self.shape)
        if False in answers:
            return False
        return None if None in answers else True

    @property
    def words(self) -> str:
        """Text for the table, "" when there is none."""
        sides = {True: "welded from one side", False: "welded from both sides", None: ""}[
            self.is_single_sided
        ]
        return ", ".join(text for text in (sides, self.shape.value if self.shape else "") if text)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a table.

    Attributes:
        rule_id: unique in the rule set.
        title: the imperfection, in the words of the table.
        kinds: ISO 6520-1 numbers it is about, with everything under them, or ids of kinds without one.
        standard, edition, clause: where the row stands; edition is "unknown" where nobody knows.
        source: where the figures come from.
        is_verified: compared with a purchased edition.
        n_copies: how many secondary copies agree, None where nobody counted.
        bands: cover every positive thickness, thinnest first.
        thickness: which thickness the bands are about.
        condition: when it applies.
        is_by_name_only: it applies only where somebody gave the indication one of its numbers, not where the
            indication might be one of its kinds.
        note: anything else to know about it.
    """

    rule_id: str
    title: str
    kinds: tuple[str, ...]
    standard: str
    edition: str
    clause: str
    source: str
    is_verified: bool
    n_copies: int | None
    bands: tuple[Band, ...]
    thickness: Symbol = Symbol.T
    condition: Condition = Condition()
    is_by_name_only: bool = False
    note: str = ""

    def fit(self, kind: str, named: str | None) -> int:
        """Closeness of the rule to `kind`, 0: not at all. `named` is the number that somebody gave."""
        if self.is_by_name_only and (named is None or not any(covers(code, named) for code in self.kinds)):
            return 0
        return max((len(prefix(code)) for code in self.kinds if covers(code, kind)), default=0)


@dataclass(frozen=True, slots=True)
class Level:
    """A quality or acceptance level."""

    level_id: str
    title: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One version of one acceptance table.

    Attributes:
        rule_set_id: stays with every version of the table.
        version: of the table, not of the standard.
        sha256: of `text` in UTF-8: another text is another version, whatever it calls itself.
        title, standard, edition, source: what it says about itself; edition is "unknown" where nobody knows.
        is_verified: every rule was compared with a purchased edition.
        note: what to know before using it.
        levels: strictest first.
        rules: in the order of the file.
        text: the YAML it was read from.
        family: whose kinds it speaks of.
        grading: where severity levels come from; None in a table without any.
    """

    rule_set_id: str
    version: str
    sha256: str
    title: str
    standard: str
    edition: str
    source: str
    is_verified: bool
    note: str
    levels: tuple[Level, ...]
    rules: tuple[Rule, ...]
    text: str
    family: Family = Family.WELD
    grading: Grading | None = None

    def level_index(self, level: str | None) -> int:
        """Position of the level, 0 the strictest. None is understood where there is only one.

        Raises:
            BadInputError: no such level, or None where there are several.
        """
        ids = [known.level_id for known in self.levels]
        if level is None and len(ids) == 1:
            return 0
        if level is None:
            raise BadInputError(f"{self.title}: no level is chosen; there are {', '.join(ids)}")
        if level not in ids:
            raise BadInputError(f"{self.title} has no level {level!r}: expected one of {', '.join(ids)}")
        return ids.index(level)

    def rule_for(self, kind: str, named: str | None = None) -> Rule | None:
        """The rule most closely about `kind`, None when no row covers it."""
        best = max(self.rules, key=lambda rule: rule.fit(kind, named), default=None)
        return best if best is not None and best.fit(kind, named) else None

    def has_limits(self, level_index: int) -> bool:
        """False when no rule knows what the level asks."""
        stances = (band.requirements[level_index].stance for rule in self.rules for band in rule.bands)
        return any(stance not in NOTHING_KNOWN for stance in stances)
