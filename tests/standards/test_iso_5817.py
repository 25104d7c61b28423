"""Each row of ISO 5817 by hand, on both sides of each limit and at it."""

import pytest

from core.standards.finding import Imperfection, InspectedPart
from tests.standards.tables import ACCEPTABLE, NOT_ACCEPTABLE, NOT_EVALUABLE, finding, judge, several

PART = InspectedPart(wall_mm=10, thickness_s_mm=10, weld_length_mm=500, is_single_sided=True)  # s = t = 10
THICK = InspectedPart(wall_mm=100, thickness_s_mm=100, weld_length_mm=500, is_single_sided=True)


@pytest.mark.parametrize("code", ["100", "1011", "1021", "104", "1045"])
@pytest.mark.parametrize("level", ["B", "C", "D"])
def test_a_crack_is_never_permitted(code: str, level: str) -> None:
    for part in (PART, InspectedPart()):
        assert judge("iso-5817", level, part, finding(code, 0.1, 0.1)).verdict is NOT_ACCEPTABLE


@pytest.mark.parametrize("level", ["B", "C", "D"])
def test_a_copper_inclusion_is_never_permitted(level: str) -> None:
    assert judge("iso-5817", level, PART, finding("3042", 0.1, 0.1)).verdict is NOT_ACCEPTABLE


# code, level, part, the one extent that is varied, its limit
SIZES = [
    ("2011", "D", PART, "d", 4.0),
    ("2011", "C", PART, "d", 3.0),
    ("2011", "B", PART, "d", 2.0),
    ("2011", "D", THICK, "d", 5.0),
    ("2011", "C", THICK, "d", 4.0),
    ("2011", "B", THICK, "d", 3.0),
    ("2017", "D", PART, "d", 3.0),
    ("2017", "C", PART, "d", 2.0),
    ("2017", "D", THICK, "d", 3.0),
    ("2017", "C", THICK, "d", 2.0),
    ("2017", "D", InspectedPart(wall_mm=5, thickness_s_mm=5), "d", 1.5),
    ("2017", "C", InspectedPart(wall_mm=5, thickness_s_mm=5), "d", 1.0),
    *(
        row
        for code in ("2014", "2015", "2016", "301", "3011", "3012", "302", "303", "3021")
        for row in [
            (code, "D", PART, "h", 4.0),
            (code, "C", PART, "h", 3.0),
            (code, "B", PART, "h", 2.0),
            (code, "D", THICK, "h", 4.0),
            (code, "C", THICK, "h", 3.0),
            (code, "B", THICK, "h", 2.0),
            (code, "D", PART, "l", 10.0),
            (code, "C", PART, "l", 10.0),
            (code, "B", PART, "l", 10.0),
            (code, "D", THICK, "l", 75.0),
            (code, "C", THICK, "l", 50.0),
            (code, "B", THICK, "l", 25.0),
        ]
    ),
    ("3041", "D", PART, "d", 4.0),
    ("3041", "C", PART, "d", 3.0),
    ("3041", "B", PART, "d", 2.0),
    ("3041", "D", THICK, "d", 4.0),
    ("3041", "C", THICK, "d", 3.0),
    ("3041", "B", THICK, "d", 2.0),
]


@pytest.mark.parametrize(("code", "level", "part", "measure", "limit"), SIZES)
def test_a_size_is_judged_at_its_limit(
    code: str, level: str, part: InspectedPart, measure: str, limit: float
) -> None:
    def sized(mm: float) -> Imperfection:
        if measure == "d":  # round
            return finding(code, mm, mm)
        return finding(code, max(mm, 5.0), mm) if measure == "h" else finding(code, mm, 0.1)

    assert judge("iso-5817", level, part, sized(limit - 0.01)).verdict is ACCEPTABLE
    assert judge("iso-5817", level, part, sized(limit)).verdict is ACCEPTABLE
    assert judge("iso-5817", level, part, sized(limit + 0.01)).verdict is NOT_ACCEPTABLE


def test_rounding_does_not_push_a_value_over_its_limit() -> None:
    part = InspectedPart(thickness_s_mm=8)
    assert 0.1 + 0.2 > 0.3  # 0.2 s = 1.6 mm, as floats meet it
    assert judge("iso-5817", "B", part, finding("2011", 1.6, 0.1 + 0.2)).verdict is ACCEPTABLE
    assert (
        judge("iso-5817", "C", InspectedPart(thickness_s_mm=1), finding("2011", 0.1 + 0.2, 0.1)).verdict
        is ACCEPTABLE
    )


def test_the_numbers_and_words_that_decided_are_given() -> None:
    verdict = judge("iso-5817", "B", InspectedPart(thickness_s_mm=8), finding("301", 5, 1.8))
    (indication,) = verdict.indications
    (outcome,) = indication.outcomes
    assert indication.reasons == ("h 1.8 mm > 0.2 s = 1.6 mm",)
    assert (outcome.rule_id, outcome.clause) == (
        "iso-5817-elongated",
        "table of imperfections, ISO 6520-1 nos. 2014, 2015, 2016, 301, 302 and 303",
    )
    height, length = outcome.decisions
    assert (height.low, height.high, height.limit) == (1.8, 1.8, 1.6)
    assert (length.verdict, length.limit) == (ACCEPTABLE, 8.0)


def test_where_the_cap_decides_the_words_say_so() -> None:
    (indication,) = judge("iso-5817", "B", THICK, finding("2011", 3.5, 3)).indications
    assert indication.reasons == ("d 3.5 mm > 3 mm (the most; 0.2 s = 20 mm)",)


def test_a_surface_pore_is_not_permitted_at_b_above_3_mm_of_wall() -> None:
    assert judge("iso-5817", "B", PART, finding("2017", 0.1, 0.1)).verdict is NOT_ACCEPTABLE


@pytest.mark.parametrize(
    ("wall_mm", "expected"), [(2.9, NOT_EVALUABLE), (3.0, NOT_EVALUABLE), (3.01, ACCEPTABLE)]
)
@pytest.mark.parametrize("level", ["C", "D"])
def test_a_surface_pore_in_a_wall_of_at_most_3_mm_has_no_limit(
    level: str, wall_mm: float, expected: object
) -> None:
    part = InspectedPart(wall_mm=wall_mm, thickness_s_mm=wall_mm)
    assert judge("iso-5817", level, part, finding("2017", 0.1, 0.1)).verdict is expected


@pytest.mark.parametrize("level", ["B", "C", "D"])
@pytest.mark.parametrize(
    "code", ["2012", "2013", "501", "5011", "5012", "5013", "504", "510", "515", "202", "999"]
)
def test_kinds_without_limits_are_not_evaluable(code: str, level: str) -> None:
    assert judge("iso-5817", level, PART, finding(code, 0.01, 0.01)).verdict is NOT_EVALUABLE


def test_a_metallic_inclusion_is_decided_only_where_every_extent_agrees() -> None:
    assert judge("iso-5817", "B", PART, finding("3041", 2.0, 1.0)).verdict is ACCEPTABLE
    assert judge("iso-5817", "B", PART, finding("3041", 2.1, 1.0)).verdict is NOT_EVALUABLE
    assert judge("iso-5817", "B", PART, finding("3041", 2.2, 2.1)).verdict is NOT_ACCEPTABLE


def test_several_pores_have_no_limit_together() -> None:
    two = several("2011", [1, 1], [10, 400])
    assert judge("iso-5817", "D", PART, two[0]).verdict is ACCEPTABLE
    verdict = judge("iso-5817", "D", PART, *two)
    assert verdict.verdict is NOT_EVALUABLE
    assert "2 of this kind" in verdict.indications[0].reasons[0]


@pytest.mark.parametrize("code", ["401", "4011", "4012", "4013"])
def test_lack_of_fusion(code: str) -> None:
    for level in ("B", "C"):
        assert judge("iso-5817", level, PART, finding(code, 1, 0.1)).verdict is NOT_ACCEPTABLE

    def at_d(
        length: float, height: float | None, is_internal: bool | None, part: InspectedPart = PART
    ) -> object:
        found = finding(code, length, 0.1, height=height, is_internal=is_internal, at=50)
        return judge("iso-5817", "D", part, found).verdict

    assert at_d(25, 4.0, True) is ACCEPTABLE
    assert at_d(25, 4.01, True) is NOT_ACCEPTABLE  # 0.4 s = 4 mm
    assert at_d(25, 4.0, True, THICK) is ACCEPTABLE
    assert at_d(25, 4.01, True, THICK) is NOT_ACCEPTABLE  # at most 4 mm
    assert at_d(25.01, 1.0, True) is NOT_ACCEPTABLE  # not short
    assert at_d(25.01, None, None) is NOT_ACCEPTABLE  # too long, whatever its height
    assert at_d(5, None, True) is NOT_EVALUABLE  # a radiograph does not show the height
    assert at_d(5, 1.0, None) is NOT_EVALUABLE  # may break the surface
    assert at_d(5, 1.0, False) is NOT_EVALUABLE  # the row is for internal ones


@pytest.mark.parametrize("code", ["402", "4021"])
def test_incomplete_root_penetration(code: str) -> None:
    def at(level: str, length: float, height: float | None, part: InspectedPart) -> object:
        return judge("iso-5817", level, part, finding(code, length, 0.1, height=height)).verdict

    for level in ("B", "C"):
        assert at(level, 1, 0.1, PART) is NOT_ACCEPTABLE
    assert at("D", 25, 2.0, PART) is ACCEPTABLE
    assert at("D", 25, 2.01, PART) is NOT_ACCEPTABLE  # 0.2 t = 2 mm
    assert at("D", 25, 2.0, THICK) is ACCEPTABLE
    assert at("D", 25, 2.01, THICK) is NOT_ACCEPTABLE  # at most 2 mm
    assert at("D", 25.01, 1, PART) is NOT_ACCEPTABLE
    assert at("D", 5, None, PART) is NOT_EVALUABLE
    for level in ("B", "C", "D"):
        for is_single_sided in (False, None):
            part = InspectedPart(
                wall_mm=10, thickness_s_mm=10, weld_length_mm=500, is_single_sided=is_single_sided
            )
            assert at(level, 1, 0.1, part) is NOT_EVALUABLE


class TestShort:
    """At most 25 mm in total in any 100 mm of weld, at most 25 % of a shorter weld."""

    @staticmethod
    def verdict(lengths: list[float], positions: list[float | None], weld_mm: float | None = 500) -> object:
        part = InspectedPart(wall_mm=10, thickness_s_mm=10, weld_length_mm=weld_mm, is_single_sided=True)
        found = [
            finding("4021", length, 0.1, at=at, height=1, name=str(i))
            for i, (length, at) in enumerate(zip(lengths, positions, strict=True))
        ]
        return judge("iso-5817", "D", part, *found).verdict

    def test_lengths_add_up_within_100_mm(self) -> None:
        assert self.verdict([12.5, 12.5], [20, 60]) is ACCEPTABLE
        assert self.verdict([12.5, 12.6], [20, 60]) is NOT_ACCEPTABLE

    def test_far_apart_they_do_not(self) -> None:
        assert self.verdict([20, 20], [10, 300]) is ACCEPTABLE

    def test_what_reaches_into_the_window_counts_with_that_part(self) -> None:
        # ends 0..20 and 95..115: a stretch of 100 mm holds 20 + 5 = 25 mm; 1 mm closer, 26 mm
        assert self.verdict([20, 20], [10, 105]) is ACCEPTABLE
        assert self.verdict([20, 20], [10, 104]) is NOT_ACCEPTABLE

    def test_a_shorter_weld_has_a_quarter_of_its_length(self) -> None:
        assert self.verdict([20], [None], weld_mm=80) is ACCEPTABLE
        assert self.verdict([20.1], [None], weld_mm=80) is NOT_ACCEPTABLE
        assert self.verdict([25], [None], weld_mm=100) is ACCEPTABLE

    def test_without_the_length_of_the_weld_only_too_much_is_decided(self) -> None:
        assert self.verdict([5], [10], weld_mm=None) is NOT_EVALUABLE
        assert self.verdict([25.1], [10], weld_mm=None) is NOT_ACCEPTABLE

    def test_without_positions_the_total_may_still_decide(self) -> None:
        assert self.verdict([10, 15], [None, None]) is ACCEPTABLE
        assert self.verdict([15, 15], [None, 10]) is NOT_EVALUABLE
        assert self.verdict([15, 15], [None, None], weld_mm=100) is NOT_ACCEPTABLE
