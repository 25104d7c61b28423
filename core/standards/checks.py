"""The conditions a rule is made of. Each decides about one indication and says so in words."""

from dataclasses import dataclass
from fractions import Fraction

from core.standards.extents import Measure, extent
from core.standards.finding import Fact, Imperfection, InspectedPart
from core.standards.interval import Bound, compare, finite, number
from core.standards.limit import Limit
from core.standards.peers import Peers, count_in, group_total_in, total_in
from core.standards.verdict import ConditionResult, Verdict

_OPEN = "what is not sure is its length, its position or its kind"


@dataclass(frozen=True, slots=True)
class SizeCheck:
    """One extent of one indication has a limit."""

    measure: Measure
    at_most: Limit

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        return f"{self.measure.symbol} <= {self.at_most.words}"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`; `peers` play no part."""
        value = extent(finding, self.measure)
        bound = self.at_most.at(part)
        if value is None:
            words = f"{self.measure.symbol}: {self.measure.missing}"
            return ConditionResult(Verdict.NOT_EVALUABLE, words, limit=finite(bound.most))
        why = "the table does not say which extent it means" if self.measure is Measure.ANY_EXTENT else ""
        return compare(self.measure.symbol, value, bound, why_wide=why)


@dataclass(frozen=True, slots=True)
class TotalCheck:
    """The lengths of all indications under the rule have a limit in total, in any stretch of weld.

    Attributes:
        at_most: of the total.
        within: length of the stretch; None: the whole weld.
        shorter_weld: replaces `at_most` where the weld is shorter than the stretch; None: nothing does.
    """

    at_most: Limit
    within: Limit | None = None
    shorter_weld: Limit | None = None

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        where = "in the whole weld" if self.within is None else f"in any {self.within.words} of weld"
        shorter = "" if self.shorter_weld is None else f" (in a shorter weld: {self.shorter_weld.words})"
        return f"in total <= {self.at_most.words} {where}{shorter}"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`: on the worst stretch that touches it."""
        if missing := _missing(self.within, part):
            return missing
        window, where = _stretch(self.within, part)
        value = total_in(finding, peers, window)
        why = f"{_OPEN}, or that of another one"
        return compare(f"total length {where}", value, self._bound(part), why_wide=why)

    def _bound(self, part: InspectedPart) -> Bound:
        bound = self.at_most.at(part)
        if self.within is None or self.shorter_weld is None:
            return bound
        window, weld = self.within.at(part), part.weld_length_mm
        if weld is None:
            missing = "the length of the weld is not known, a shorter one has a smaller limit"
            return Bound(bound.most, bound.words, missing)
        return self.shorter_weld.at(part) if weld < window.most else bound


@dataclass(frozen=True, slots=True)
class CountCheck:
    """No more than `at_most` indications under the rule in any stretch of weld (None: the whole weld)."""

    at_most: int
    within: Limit | None = None

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        where = "in the whole weld" if self.within is None else f"in any {self.within.words} of weld"
        return f"at most {self.at_most} {where}"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`: on the worst stretch that touches it."""
        if missing := _missing(self.within, part):
            return missing
        window, where = _stretch(self.within, part)
        value = count_in(finding, peers, window)
        bound = Bound(self.at_most, str(self.at_most))
        return compare(f"number {where}", value, bound, why_wide=f"{_OPEN}, or that of another one", unit="")


@dataclass(frozen=True, slots=True)
class AlignedCheck:
    """A group in line has a limit in total, unless its members lie far apart.

    All indications under the rule are taken to lie in line: a position across the weld is not recorded.

    Attributes:
        at_most: of the total length of a group.
        within: length of the stretch of weld.
        unless_gaps_exceed: gaps larger than so many times the longest member do not make a group.
    """

    at_most: Limit
    within: Limit
    unless_gaps_exceed: Fraction

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        return (
            f"in line: in total <= {self.at_most.words} in any {self.within.words} of weld, "
            f"unless the gaps exceed {number(float(self.unless_gaps_exceed))} times the longest"
        )

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`: on the group it belongs to."""
        window, bound = self.within.at(part), self.at_most.at(part)
        if len(peers) < 2:
            return ConditionResult(Verdict.ACCEPTABLE, "no other indication in line with it")
        if window.missing or bound.missing:
            words = f"group in line: {window.missing or bound.missing}"
            return ConditionResult(Verdict.NOT_EVALUABLE, words)
        value = group_total_in(finding, peers, window.most, float(self.unless_gaps_exceed))
        if value.high <= 0:
            return ConditionResult(Verdict.ACCEPTABLE, "no other indication close enough to count with it")
        name = f"total length of the group in {number(window.most)} mm of weld"
        return compare(name, value, bound, why_wide=f"{_OPEN}, or that of another one")


@dataclass(frozen=True, slots=True)
class FactCheck:
    """Something has to be so that a radiograph does not show; `otherwise` is the verdict where it is not."""

    fact: Fact
    otherwise: Verdict

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        return f"only where {self.fact.words}"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`; not evaluable as long as nobody said."""
        said = finding.says(self.fact)
        if said is None:
            return ConditionResult(Verdict.NOT_EVALUABLE, f"nobody said whether {self.fact.words}")
        if said:
            return ConditionResult(Verdict.ACCEPTABLE, f"somebody said that {self.fact.words}")
        return ConditionResult(self.otherwise, f"does not hold: {self.fact.words}")


@dataclass(frozen=True, slots=True)
class GradeCheck:
    """The severity level that a person read off reference radiographs has a highest one allowed.

    Attributes:
        at_most: the highest level allowed.
        highest: the most severe level of the reference radiographs.
    """

    at_most: int
    highest: int

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        return f"severity level <= {self.at_most}"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`; not evaluable as long as nobody graded it, or on another scale."""
        grade, limit = finding.grade, self.at_most
        if grade is None:
            words = "no severity level was given"
            return ConditionResult(Verdict.NOT_EVALUABLE, words, limit=limit)
        if not 1 <= grade <= self.highest:
            words = f"severity level {grade} is not on the scale of the table, 1 to {self.highest}"
            return ConditionResult(Verdict.NOT_EVALUABLE, words, grade, grade, limit)
        is_within = grade <= limit
        words = f"severity level {grade} {'<=' if is_within else '>'} {limit}"
        verdict = Verdict.ACCEPTABLE if is_within else Verdict.NOT_ACCEPTABLE
        return ConditionResult(verdict, words, grade, grade, limit)


@dataclass(frozen=True, slots=True)
class AloneCheck:
    """The table has a limit for one indication, none for several together: those are not evaluable."""

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        return "one on its own (no trustworthy limits found for several together)"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`."""
        n = len(peers)
        if n < 2:
            return ConditionResult(Verdict.ACCEPTABLE, "the only one of its kind", 1.0, 1.0, 1.0)
        words = f"{n} of this kind may count together: no trustworthy limits found for several"
        return ConditionResult(Verdict.NOT_EVALUABLE, words, max(1, int(peers.is_certain.sum())), n, 1.0)


@dataclass(frozen=True, slots=True)
class DensityCheck:
    """The pores of a group cover at most a share of its projected area."""

    at_most_percent: float

    @property
    def words(self) -> str:
        """The condition, as the table shows it."""
        return f"covered area <= {number(self.at_most_percent)} %"

    def decide(self, finding: Imperfection, peers: Peers, part: InspectedPart) -> ConditionResult:
        """The decision on `finding`; not evaluable as long as its pores were not grouped."""
        if finding.covered_percent is None:
            words = "covered area: its pores were not grouped"
            return ConditionResult(Verdict.NOT_EVALUABLE, words, limit=self.at_most_percent)
        bound = Bound(self.at_most_percent, f"{number(self.at_most_percent)} %")
        return compare("covered area", finding.covered_percent, bound, unit="%")


Check = (
    SizeCheck | TotalCheck | CountCheck | AlignedCheck | FactCheck | AloneCheck | DensityCheck | GradeCheck
)


def _missing(within: Limit | None, part: InspectedPart) -> ConditionResult | None:
    """The decision when the length of the stretch depends on what is not known."""
    missing = "" if within is None else within.at(part).missing
    return ConditionResult(Verdict.NOT_EVALUABLE, f"stretch of weld: {missing}") if missing else None


def _stretch(within: Limit | None, part: InspectedPart) -> tuple[float | None, str]:
    """The stretch of weld to look at, None for all of it, and the same in words."""
    weld = part.weld_length_mm
    if within is None:
        return None, "in the whole weld"
    window = within.at(part).most
    if weld is not None and weld <= window:
        return None, f"in the weld of {number(weld)} mm"
    return window, f"in {number(window)} mm of weld"
