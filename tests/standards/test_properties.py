"""What holds for every table, whatever is found in whatever part."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.indication import IndicationClass
from core.domain.kinds import WORD_KINDS
from core.standards.evaluation import evaluate
from core.standards.finding import Imperfection, InspectedPart, Length
from core.standards.kinds import KINDS, class_of, possible_kinds
from core.standards.rule_set import Stance
from core.standards.verdict import Verdict, all_must_hold, whichever_holds
from tests.standards.graded import GRADED, GRADED_ID
from tests.standards.tables import ACCEPTABLE, LEVELS, NOT_ACCEPTABLE, NOT_EVALUABLE, TABLES, finding

# A template states no limit: one that somebody filled in stands beside the shipped tables.
TABLES[GRADED_ID], LEVELS[GRADED_ID] = GRADED, ["zone 1", "zone 2"]
SHIPPED = sorted(TABLES)
GOODNESS = {NOT_ACCEPTABLE: 0, NOT_EVALUABLE: 1, ACCEPTABLE: 2}

# Hundredths of a millimetre: limits, ties and both sides of them come up often.
sizes = st.integers(0, 3000).map(lambda n: n / 100) | st.sampled_from(
    [0.5, 1.0, 1.6, 2.0, 3.0, 4.0, 25.0, 50.0]
)
uncertainties = st.sampled_from([0.0, 0.0, 0.0, 0.1, 1.0])
positions = st.none() | st.integers(-50, 700).map(float)
yes_no_unknown = st.sampled_from([True, False, None])
thicknesses = st.none() | st.floats(0.01, 120) | st.sampled_from([3.0, 8.0, 10.0, 19.0, 57.0])


@st.composite
def findings(draw: st.DrawFn, name: str = "0") -> Imperfection:
    code = draw(st.none() | st.sampled_from(sorted({**KINDS, **WORD_KINDS})))
    indication = class_of(code) if code else draw(st.sampled_from(list(IndicationClass)))
    long, wide = sorted((draw(sizes), draw(sizes)), reverse=True)
    length, width, height = (
        draw(st.sampled_from([None, Length(mm, draw(uncertainties)), Length(mm)]))
        for mm in (long, wide / 4 if draw(st.booleans()) else wide, draw(sizes))
    )
    return Imperfection(
        finding_id=name,
        indication=indication,
        kind=code,
        length=length,
        width=width,
        height=height,
        position_mm=draw(positions),
        is_internal=draw(yes_no_unknown),
        is_shallow=draw(yes_no_unknown),
        grade=draw(st.none() | st.integers(1, 8)),
    )


@st.composite
def welds(draw: st.DrawFn, at_least: int = 0) -> tuple[Imperfection, ...]:
    """Several indications, often of few kinds so that they count together."""
    n = draw(st.integers(at_least, 6))
    found = [draw(findings(str(i))) for i in range(n)]
    if found and draw(st.booleans()):
        first = found[0]
        found = [replace(one, indication=first.indication, kind=first.kind) for one in found]
    return tuple(found)


parts = st.builds(
    InspectedPart,
    wall_mm=thicknesses,
    thickness_s_mm=thicknesses,
    weld_length_mm=st.none() | st.integers(20, 900).map(float),
    is_single_sided=yes_no_unknown,
)
tables = st.sampled_from(SHIPPED)
tables_and_levels = tables.flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(LEVELS[name])))


def verdicts(
    table: str, level: str, part: InspectedPart, found: tuple[Imperfection, ...]
) -> tuple[Verdict, dict[str, Verdict]]:
    verdict = evaluate(found, part, TABLES[table], level)
    return verdict.verdict, {one.finding_id: one.verdict for one in verdict.indications}


@given(tables, parts, welds())
@settings(max_examples=200, deadline=None)
def test_a_stricter_level_never_permits_more(
    table: str, part: InspectedPart, found: tuple[Imperfection, ...]
) -> None:
    by_level = [verdicts(table, level, part, found) for level in LEVELS[table]]
    for (strict, strict_each), (lax, lax_each) in zip(by_level, by_level[1:], strict=False):
        assert strict is not ACCEPTABLE or lax is ACCEPTABLE
        for name, verdict in strict_each.items():
            assert verdict is not ACCEPTABLE or lax_each[name] is ACCEPTABLE


@given(st.floats(min_value=0, exclude_min=True, allow_infinity=False))
@settings(deadline=None)
def test_every_positive_thickness_lies_in_exactly_one_band(thickness_mm: float) -> None:
    for rule_set in TABLES.values():
        for rule in rule_set.rules:
            assert sum(band.holds(thickness_mm) for band in rule.bands) == 1


@pytest.mark.parametrize("table", SHIPPED)
@given(part=parts, found=findings())
@settings(deadline=None)
def test_what_no_row_has_limits_for_is_never_accepted(
    table: str, part: InspectedPart, found: Imperfection
) -> None:
    rule_set = TABLES[table]
    rules = [
        rule_set.rule_for(kind, found.kind)
        for kind in possible_kinds(found.indication, found.kind, rule_set.family)
    ]
    for index, level in enumerate(LEVELS[table]):
        has_limits = rules and all(
            rule is not None and any(b.requirements[index].stance is Stance.WITHIN_LIMITS for b in rule.bands)
            for rule in rules
        )
        if not has_limits:
            assert verdicts(table, level, part, (found,))[0] is not ACCEPTABLE


@pytest.mark.parametrize("table", SHIPPED)
@given(part=parts)
@settings(deadline=None)
def test_an_unclassified_indication_is_not_evaluable(table: str, part: InspectedPart) -> None:
    found = finding(None, 0.01, 0.01, at=1, indication=IndicationClass.UNCLASSIFIED)
    for level in LEVELS[table]:
        assert verdicts(table, level, part, (found,))[0] is NOT_EVALUABLE


@given(tables_and_levels, parts, welds(at_least=1), sizes, sizes, sizes)
@settings(max_examples=200, deadline=None)
def test_growing_never_turns_not_acceptable_into_acceptable(
    where: tuple[str, str],
    part: InspectedPart,
    found: tuple[Imperfection, ...],
    longer: float,
    wider: float,
    higher: float,
) -> None:
    def grown(length: Length | None, by: float) -> Length | None:
        return length and Length(length.mm + by, length.plus_minus_mm)

    first = found[0]
    larger = replace(
        first,
        length=grown(first.length, longer + wider),
        width=grown(first.width, wider),
        height=grown(first.height, higher),
    )
    before, each_before = verdicts(*where, part, found)
    after, each_after = verdicts(*where, part, (larger, *found[1:]))
    if before is NOT_ACCEPTABLE:
        assert after is not ACCEPTABLE
    if each_before["0"] is NOT_ACCEPTABLE:
        assert each_after["0"] is not ACCEPTABLE


@given(tables_and_levels, parts, welds(), findings("new"))
@settings(max_examples=200, deadline=None)
def test_adding_an_indication_never_improves_any_verdict(
    where: tuple[str, str], part: InspectedPart, found: tuple[Imperfection, ...], new: Imperfection
) -> None:
    before, each_before = verdicts(*where, part, found)
    after, each_after = verdicts(*where, part, (*found, new))
    assert GOODNESS[after] <= GOODNESS[before]
    for name, verdict in each_before.items():
        assert GOODNESS[each_after[name]] <= GOODNESS[verdict]


@given(
    tables_and_levels,
    parts,
    welds().flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))),
)
@settings(max_examples=200, deadline=None)
def test_the_order_of_indications_does_not_matter(
    where: tuple[str, str], part: InspectedPart, found: tuple[tuple[Imperfection, ...], list[Imperfection]]
) -> None:
    first = evaluate(found[0], part, TABLES[where[0]], where[1])
    second = evaluate(found[1], part, TABLES[where[0]], where[1])
    assert (first.verdict, first.summary) == (second.verdict, second.summary)
    assert {i.finding_id: i for i in first.indications} == {i.finding_id: i for i in second.indications}


def _with_less_known(one: Imperfection) -> Iterator[Imperfection]:
    yield replace(one, length=None)
    yield replace(one, position_mm=None)
    yield replace(one, kind=None)
    yield replace(one, is_internal=None)
    yield replace(one, grade=None)
    yield replace(one, is_shallow=None)
    if one.length is not None:
        yield replace(one, length=replace(one.length, plus_minus_mm=one.length.plus_minus_mm + 0.3))
    if one.height is None:  # of width and height the known one counts
        yield replace(one, width=None)


@given(tables_and_levels, parts, welds(at_least=1))
@settings(max_examples=150, deadline=None)
def test_knowing_less_about_an_indication_never_makes_it_acceptable(
    where: tuple[str, str], part: InspectedPart, found: tuple[Imperfection, ...]
) -> None:
    before = verdicts(*where, part, found)[0]
    for vaguer in _with_less_known(found[0]):
        after = verdicts(*where, part, (vaguer, *found[1:]))[0]
        assert before is ACCEPTABLE or after is not ACCEPTABLE


@given(tables_and_levels, parts, welds())
@settings(max_examples=150, deadline=None)
def test_knowing_less_about_the_part_never_makes_it_acceptable(
    where: tuple[str, str], part: InspectedPart, found: tuple[Imperfection, ...]
) -> None:
    before = verdicts(*where, part, found)[0]
    for name in ("wall_mm", "thickness_s_mm", "weld_length_mm", "is_single_sided"):
        after = verdicts(*where, replace(part, **{name: None}), found)[0]
        assert before is ACCEPTABLE or after is not ACCEPTABLE


@given(tables_and_levels, parts, welds())
@settings(max_examples=150, deadline=None)
def test_every_verdict_has_reasons_and_only_finite_numbers(
    where: tuple[str, str], part: InspectedPart, found: tuple[Imperfection, ...]
) -> None:
    verdict = evaluate(found, part, TABLES[where[0]], where[1])
    assert "no defect" not in str(verdict.to_dict())
    for indication in verdict.indications:
        assert indication.reasons
        assert all(reason.strip() for reason in indication.reasons)
        assert "inf" not in " ".join(indication.reasons).split()
        for outcome in indication.outcomes:
            for decision in outcome.decisions:
                for value in (decision.low, decision.high, decision.limit):
                    assert value is None or 0 <= value < 1e9
    if found:
        assert verdict.verdict is all_must_hold(one.verdict for one in verdict.indications)


def test_how_verdicts_join() -> None:
    assert all_must_hold([]) is ACCEPTABLE
    assert all_must_hold([ACCEPTABLE, NOT_EVALUABLE]) is NOT_EVALUABLE
    assert all_must_hold([NOT_EVALUABLE, NOT_ACCEPTABLE, ACCEPTABLE]) is NOT_ACCEPTABLE
    assert whichever_holds([]) is NOT_EVALUABLE
    assert whichever_holds([NOT_ACCEPTABLE, NOT_ACCEPTABLE]) is NOT_ACCEPTABLE
    assert whichever_holds([NOT_ACCEPTABLE, ACCEPTABLE]) is NOT_EVALUABLE
