import json

import pytest

from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.domain.kinds import Family
from core.standards.evaluation import evaluate
from core.standards.finding import Imperfection, InspectedPart, Length
from core.standards.reading import read_rule_set
from core.standards.shipped import SHIPPED
from tests.standards.tables import (
    ACCEPTABLE,
    LEVELS,
    NOT_ACCEPTABLE,
    NOT_EVALUABLE,
    TABLES,
    finding,
    judge,
    several,
)

WITH_LIMITS = ("iso-5817", "api-1104", "asme-viii-1-uw-51")
PART = InspectedPart(wall_mm=10, thickness_s_mm=10, weld_length_mm=500, is_single_sided=True)


@pytest.mark.parametrize("table", WITH_LIMITS)
def test_nothing_reported_is_said_as_such_and_never_as_no_defect(table: str) -> None:
    for level in LEVELS[table]:
        verdict = judge(table, level, InspectedPart())
        assert verdict.verdict is ACCEPTABLE
        assert verdict.summary == "acceptable: no indication above the operating point was reported"
        assert "defect" not in json.dumps(verdict.to_dict())


def test_a_table_without_limits_accepts_nothing_not_even_nothing() -> None:
    for level in LEVELS["iso-10675-1"]:
        assert judge("iso-10675-1", level, PART).verdict is NOT_EVALUABLE
        for code in ("100", "2011", "301", "401", "4021", "5011"):
            verdict = judge("iso-10675-1", level, PART, finding(code, 0.01, 0.01))
            assert verdict.verdict is NOT_EVALUABLE
            assert "no trustworthy limits" in verdict.summary


def test_the_verdict_names_the_exact_table() -> None:
    table = TABLES["iso-5817"]
    verdict = judge("iso-5817", "B", PART)
    assert (verdict.rule_set_id, verdict.rule_set_version, verdict.rule_set_sha256) == (
        "iso-5817",
        "1",
        table.sha256,
    )
    assert (verdict.standard, verdict.edition, verdict.level, verdict.is_verified) == (
        "ISO 5817",
        "unknown",
        "B",
        False,
    )
    assert verdict.caveat == "Illustrative rule, secondary copy; verify against a purchased edition"


def test_a_verified_table_needs_no_caveat_and_all_its_rules_verified() -> None:
    text = TABLES["iso-5817"].text.replace("verified: false", "verified: true")
    verified = read_rule_set(text, "x.yaml")
    assert evaluate([], PART, verified, "B").caveat == ""
    one_not = read_rule_set(text.replace("    copies: 2", "    copies: 2\n    verified: false", 1), "x.yaml")
    assert evaluate([], PART, one_not, "B").caveat


def test_the_image_is_as_bad_as_its_worst_indication() -> None:
    good, open_, bad = (
        finding("2011", 1, 1, name="a"),
        finding("2013", 1, 1, name="b"),
        finding("1011", 1, 1, name="c"),
    )
    assert judge("iso-5817", "C", PART, good).verdict is ACCEPTABLE
    both = judge("iso-5817", "C", PART, finding("301", 1, 1, name="a"), open_)
    assert both.verdict is NOT_EVALUABLE
    assert both.summary == "not evaluable: 1 of 2 reported indications are not evaluable"
    verdict = judge("iso-5817", "C", PART, bad, good, open_)
    assert verdict.verdict is NOT_ACCEPTABLE
    assert [one.finding_id for one in verdict.indications] == ["c", "a", "b"]


def test_only_the_indications_of_the_bad_stretch_are_rejected() -> None:
    found = several("3012", [10, 10, 1], [0, 100, 1500])
    each = judge("api-1104", "9.3", InspectedPart(wall_mm=10, weld_length_mm=2000), *found).indications
    assert [one.verdict for one in each] == [NOT_ACCEPTABLE, NOT_ACCEPTABLE, ACCEPTABLE]
    assert each[0].reasons == ("total length in 300 mm of weld 20 mm > 13 mm",)


@pytest.mark.parametrize(
    ("part", "found", "reason"),
    [
        (PART, finding("2011"), "d: no length in millimetres (no scale?)"),
        (PART, finding("301", 5, None), "h: no width or height in millimetres (no scale?)"),
        (
            InspectedPart(wall_mm=10),
            finding("2011", 1, 1),
            "d 1 mm: the nominal butt weld thickness s is not known",
        ),
        (
            PART,
            finding("2013", 1, 1),
            "uniformly distributed or clustered porosity: no trustworthy limits found (level B)",
        ),
        (PART, finding("515", 1, 1), "the table ISO 5817 has no row for root concavity (515)"),
        (
            InspectedPart(wall_mm=10, is_single_sided=None),
            finding("4021", 1, 1),
            "incomplete root penetration: the row is for welded from one side only, which is not known here",
        ),
        (
            InspectedPart(wall_mm=10, is_single_sided=False),
            finding("4021", 1, 1),
            "incomplete root penetration: no trustworthy limits found for welds made from both sides",
        ),
    ],
)
def test_what_is_missing_is_said(part: InspectedPart, found: Imperfection, reason: str) -> None:
    verdict = judge("iso-5817", "B", part, found)
    assert verdict.verdict is NOT_EVALUABLE
    assert reason in verdict.indications[0].reasons


def test_beyond_the_cap_no_thickness_is_needed() -> None:
    verdict = judge("iso-5817", "D", InspectedPart(), finding("2011", 5.1, 1))
    assert verdict.verdict is NOT_ACCEPTABLE
    assert verdict.indications[0].reasons == ("d 5.1 mm > 5 mm",)


class TestKindNotSaid:
    def test_a_class_is_judged_only_where_all_its_kinds_agree(self) -> None:
        def verdict(indication: IndicationClass, length: float) -> object:
            found = finding(None, length, length / 2, indication=indication)
            return judge("iso-5817", "B", PART, found).verdict

        assert verdict(IndicationClass.CRACK, 0.1) is NOT_ACCEPTABLE
        assert verdict(IndicationClass.LACK_OF_FUSION, 0.1) is NOT_ACCEPTABLE
        assert verdict(IndicationClass.POROSITY, 0.1) is NOT_EVALUABLE
        assert verdict(IndicationClass.INCLUSION, 0.1) is NOT_EVALUABLE
        assert verdict(IndicationClass.INCLUSION, 50) is NOT_ACCEPTABLE
        assert verdict(IndicationClass.UNDERCUT, 0.1) is NOT_EVALUABLE

    def test_the_reasons_say_what_each_kind_would_give(self) -> None:
        found = finding(None, 1, 1, indication=IndicationClass.POROSITY)
        reasons = judge("iso-5817", "B", PART, found).indications[0].reasons
        assert reasons[0] == "its kind is not known, and the verdict depends on it"
        assert reasons[1].startswith("as gas pore (2011): acceptable: d 1 mm <= 0.2 s = 2 mm")
        assert reasons[-1] == "as surface pore (2017): not acceptable: surface pore: not permitted (level B)"

    def test_a_number_that_covers_several_kinds_says_no_more_than_the_class(self) -> None:
        for table in (name for name in SHIPPED if TABLES[name].family is Family.WELD):
            for level in LEVELS[table]:
                by_class = judge(table, level, PART, finding(None, 1, 1, indication=IndicationClass.POROSITY))
                assert judge(table, level, PART, finding("201", 1, 1)) == by_class

    def test_what_may_count_together_keeps_a_total_open(self) -> None:
        part = InspectedPart(wall_mm=10, weld_length_mm=2000)
        sure = finding("3012", 10, 1, at=0, name="a")
        maybe = finding("301", 10, 1, at=20, name="b")
        each = judge("api-1104", None, part, sure, maybe).indications
        assert [one.verdict for one in each] == [NOT_EVALUABLE, NOT_EVALUABLE]


class TestUncertainty:
    """Limit 0.2 s = 2 mm."""

    @pytest.mark.parametrize(
        ("mm", "plus_minus", "expected"),
        [
            (1.8, 0.2, ACCEPTABLE),
            (1.9, 0.2, NOT_EVALUABLE),
            (2.0, 0.1, NOT_EVALUABLE),
            (2.2, 0.2, NOT_EVALUABLE),
            (2.21, 0.2, NOT_ACCEPTABLE),
        ],
    )
    def test_an_interval_that_straddles_the_limit_is_not_evaluable(
        self, mm: float, plus_minus: float, expected: object
    ) -> None:
        assert (
            judge("iso-5817", "B", PART, finding("2011", mm, mm, plus_minus=plus_minus)).verdict is expected
        )

    def test_it_says_so_with_the_interval(self) -> None:
        (one,) = judge("iso-5817", "B", PART, finding("2011", 1.9, 1, plus_minus=0.2)).indications
        assert one.reasons == ("d 1.7 to 2.1 mm straddles 0.2 s = 2 mm: measure again, more finely",)
        decision = one.outcomes[0].decisions[0]
        assert (decision.low, decision.high, decision.limit) == (pytest.approx(1.7), pytest.approx(2.1), 2.0)

    def test_in_a_total_uncertainties_add_up(self) -> None:
        part = InspectedPart(wall_mm=10, weld_length_mm=2000)

        def verdict(plus_minus: float) -> object:
            found = [finding("3012", 6, 1, at=at, name=str(at), plus_minus=plus_minus) for at in (0, 50)]
            return judge("api-1104", None, part, *found).verdict

        assert verdict(0.5) is ACCEPTABLE  # 12 +- 1 mm, limit 13 mm
        assert verdict(0.6) is NOT_EVALUABLE


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(BadInputError, match="ISO 5817 has no level 'A': expected one of B, C, D"):
        judge("iso-5817", "A", PART)
    with pytest.raises(BadInputError, match="ISO 5817: no level is chosen; there are B, C, D"):
        judge("iso-5817", None, PART)


def test_two_findings_may_not_share_an_id() -> None:
    with pytest.raises(ValueError, match="different id"):
        judge("iso-5817", "B", PART, finding("100"), finding("100"))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Length(-1),
        lambda: Length(float("nan")),
        lambda: Length(1, -1),
        lambda: finding("2011", 1, 2),
        lambda: finding("2011", indication=IndicationClass.CRACK),
        lambda: finding("2011", indication=IndicationClass.UNCLASSIFIED),
        lambda: finding("20", indication=IndicationClass.UNCLASSIFIED),
        lambda: finding("2011", at=float("inf")),
        lambda: InspectedPart(wall_mm=0),
        lambda: InspectedPart(thickness_s_mm=-1),
        lambda: InspectedPart(weld_length_mm=float("inf")),
    ],
)
def test_impossible_values_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="expected|length is|the class says"):
        wrong()  # type: ignore[operator]


def test_a_hundred_indications_are_judged() -> None:
    found = several("3011", [1.0] * 100, [5.0 * i for i in range(100)])
    verdict = judge("api-1104", None, InspectedPart(wall_mm=10, weld_length_mm=500), *found)
    assert verdict.verdict is NOT_ACCEPTABLE  # 60 mm in 300 mm
