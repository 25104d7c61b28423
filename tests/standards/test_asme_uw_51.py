"""Each row of ASME VIII-1, UW-51 by hand, on both sides of each limit and at it."""

import pytest

from core.standards.finding import InspectedPart
from tests.standards.tables import ACCEPTABLE, NOT_ACCEPTABLE, NOT_EVALUABLE, finding, judge, several


def verdict(wall_mm: float | None, *found: object) -> object:
    return judge("asme-viii-1-uw-51", None, InspectedPart(wall_mm=wall_mm), *found).verdict  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["100", "1011", "104", "401", "4012", "402", "4021"])
def test_cracks_and_lack_of_fusion_or_penetration_are_rejected(code: str) -> None:
    assert verdict(None, finding(code)) is NOT_ACCEPTABLE


@pytest.mark.parametrize(
    ("wall_mm", "limit"),
    [(6.5, 6.0), (19, 6.0), (19.02, 6.34), (30, 10.0), (57, 19.0), (57.1, 19.0), (200, 19.0)],
)
@pytest.mark.parametrize("code", ["2015", "301", "303", "201", "300"])
def test_an_elongated_indication_has_a_longest_length(code: str, wall_mm: float, limit: float) -> None:
    assert verdict(wall_mm, finding(code, limit - 0.01, 0.5)) is ACCEPTABLE
    assert verdict(wall_mm, finding(code, limit, 0.5)) is ACCEPTABLE
    assert verdict(wall_mm, finding(code, limit + 0.01, 0.5)) is NOT_ACCEPTABLE


def test_without_the_thickness_a_verdict_needs_every_band_to_agree() -> None:
    assert verdict(None, finding("301", 19.1, 0.5)) is NOT_ACCEPTABLE
    assert verdict(None, finding("301", 1, 0.1)) is NOT_EVALUABLE


def test_elongated_is_longer_than_three_widths_and_rounded_has_no_limit() -> None:
    assert verdict(10, finding("301", 3.0, 1.0)) is NOT_EVALUABLE
    assert verdict(10, finding("301", 3.01, 1.0)) is ACCEPTABLE
    assert verdict(10, finding("301", 30, 10)) is NOT_EVALUABLE
    assert verdict(10, finding("301", 30, None)) is NOT_EVALUABLE


class TestGroup:
    """T = 10: at most 10 mm in total in any 120 mm, unless the gaps exceed 6 L."""

    def test_close_together_they_add_up(self) -> None:
        # 0..5 and 10..15
        assert verdict(10, *several("301", [5, 5], [2.5, 12.5])) is ACCEPTABLE
        assert verdict(10, *several("301", [5, 5.1], [2.5, 12.5])) is NOT_ACCEPTABLE

    def test_a_gap_of_six_lengths_still_joins_a_larger_one_does_not(self) -> None:
        # L = 6: 0..6 and 42..48 (gap 36 = 6 L)
        assert verdict(10, *several("301", [6, 6], [3, 45])) is NOT_ACCEPTABLE
        assert verdict(10, *several("301", [6, 6], [3, 45.1])) is ACCEPTABLE

    def test_only_what_lies_within_12_t_counts(self) -> None:
        # 5 mm each, 25 mm apart: any 120 mm hold 4 whole ones and more: 20 mm > 10 mm
        assert verdict(10, *several("301", [5] * 6, [0, 30, 60, 90, 120, 150])) is NOT_ACCEPTABLE
        # 2 mm each, gaps 10 mm, T = 20: 240 mm hold 20 of them: 40 mm > 20 mm; ten in all: 20 mm
        assert verdict(20, *several("301", [2] * 10, [12.0 * i for i in range(10)])) is ACCEPTABLE
        assert verdict(20, *several("301", [2] * 11, [12.0 * i for i in range(11)])) is NOT_ACCEPTABLE

    def test_one_on_its_own_is_no_group(self) -> None:
        assert verdict(4, finding("301", 5, 0.5, at=0)) is ACCEPTABLE  # longer than T, shorter than 6 mm

    def test_without_positions_more_than_t_is_not_evaluable(self) -> None:
        assert verdict(10, *several("301", [5, 5], [None, 0])) is ACCEPTABLE
        assert verdict(10, *several("301", [5, 5.1], [None, 0])) is NOT_EVALUABLE


@pytest.mark.parametrize("code", ["501", "515"])
def test_kinds_without_limits_are_not_evaluable(code: str) -> None:
    assert verdict(10, finding(code, 0.1, 0.01)) is NOT_EVALUABLE
