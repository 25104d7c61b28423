"""Each row of API 1104, 9.3 by hand, on both sides of each limit and at it."""

import pytest

from core.standards.finding import InspectedPart
from tests.standards.tables import ACCEPTABLE, NOT_ACCEPTABLE, NOT_EVALUABLE, finding, judge, several

PART = InspectedPart(wall_mm=10, weld_length_mm=2000)


def verdict(*found: object, part: InspectedPart = PART) -> object:
    return judge("api-1104", None, part, *found).verdict  # type: ignore[arg-type]


def test_a_crack_is_rejected_unless_somebody_names_it_a_shallow_crater_crack() -> None:
    for code in ("100", "1011", "1021", None):
        assert verdict(finding(code, 0.5, 0.1, is_shallow=True)) is NOT_ACCEPTABLE
    assert verdict(finding("104", 4.0, 1, is_shallow=True)) is ACCEPTABLE
    assert verdict(finding("104", 4.01, 1, is_shallow=True)) is NOT_ACCEPTABLE
    assert verdict(finding("104", 3.0, 1, is_shallow=False)) is NOT_ACCEPTABLE
    assert verdict(finding("104", 3.0, 1)) is NOT_EVALUABLE
    assert verdict(finding("104", 4.01, 1)) is NOT_ACCEPTABLE
    assert verdict(finding("104")) is NOT_EVALUABLE


@pytest.mark.parametrize("code", ["401", "4011", "402", "4021"])
class TestFusionAndPenetration:
    def test_one_may_be_25_mm_long(self, code: str) -> None:
        assert verdict(finding(code, 25, 1, at=0)) is ACCEPTABLE
        assert verdict(finding(code, 25.01, 1, at=0)) is NOT_ACCEPTABLE

    def test_so_may_all_in_300_mm(self, code: str) -> None:
        assert verdict(*several(code, [10, 15], [100, 300])) is ACCEPTABLE
        assert verdict(*several(code, [10, 15.1], [100, 300])) is NOT_ACCEPTABLE
        assert verdict(*several(code, [20, 20], [100, 500])) is ACCEPTABLE

    def test_the_worst_stretch_slides(self, code: str) -> None:
        # 0..10, 295..305, 590..600: no fixed grid of 300 mm shows it, the stretch from 0 does: 10 + 5 mm
        assert verdict(*several(code, [10, 10, 10], [5, 300, 595])) is ACCEPTABLE
        # 145..155, 290..300, 434..444: 30 mm within 299 mm
        assert verdict(*several(code, [10, 10, 10], [150, 295, 439])) is NOT_ACCEPTABLE

    def test_a_weld_under_300_mm_may_have_8_percent(self, code: str) -> None:
        short = InspectedPart(wall_mm=10, weld_length_mm=200)
        assert verdict(finding(code, 16, 1), part=short) is ACCEPTABLE
        assert verdict(finding(code, 16.01, 1), part=short) is NOT_ACCEPTABLE
        assert verdict(finding(code, 25, 1), part=InspectedPart(weld_length_mm=300)) is ACCEPTABLE
        assert (
            verdict(finding(code, 24, 1), part=InspectedPart(weld_length_mm=299)) is NOT_ACCEPTABLE
        )  # 23.92

    def test_without_the_length_of_the_weld_only_too_much_is_decided(self, code: str) -> None:
        assert verdict(finding(code, 5, 1), part=InspectedPart()) is NOT_EVALUABLE
        assert verdict(finding(code, 25.1, 1), part=InspectedPart()) is NOT_ACCEPTABLE


def test_elongated_slag() -> None:
    assert verdict(finding("3011", 50, 1.6, at=0)) is ACCEPTABLE
    assert verdict(finding("3011", 50, 1.61, at=0)) is NOT_ACCEPTABLE
    assert verdict(finding("3011", 50.01, 1, at=0)) is NOT_ACCEPTABLE
    assert verdict(*several("3011", [25, 25], [50, 250])) is ACCEPTABLE
    assert verdict(*several("3011", [25, 25.1], [50, 250])) is NOT_ACCEPTABLE
    assert verdict(*several("3011", [40, 40], [50, 400])) is ACCEPTABLE
    assert verdict(finding("3011", 10, None, at=0)) is NOT_EVALUABLE


def test_isolated_slag() -> None:
    assert verdict(finding("3012", 13, 3, at=0)) is ACCEPTABLE
    assert verdict(finding("3012", 13, 3.01, at=0)) is NOT_ACCEPTABLE
    assert verdict(finding("3012", 13.01, 3, at=0)) is NOT_ACCEPTABLE
    assert verdict(*several("3012", [2] * 4, [0, 50, 100, 150])) is ACCEPTABLE
    assert verdict(*several("3012", [2] * 5, [0, 50, 100, 150, 200])) is NOT_ACCEPTABLE  # five
    assert verdict(*several("3012", [2] * 5, [0, 50, 100, 150, 600])) is ACCEPTABLE
    assert verdict(*several("3012", [4, 4, 4, 1], [0, 50, 100, 150])) is ACCEPTABLE
    assert verdict(*several("3012", [4, 4, 4, 1.1], [0, 50, 100, 150])) is NOT_ACCEPTABLE


def test_slag_that_nobody_named_is_judged_only_where_both_kinds_agree() -> None:
    assert verdict(finding("301", 5, 1, at=0)) is ACCEPTABLE
    assert verdict(finding("301", 5, 2, at=0)) is NOT_EVALUABLE  # too wide in line, not too wide alone
    assert verdict(finding("301", 51, 4, at=0)) is NOT_ACCEPTABLE


def test_a_pore() -> None:
    assert verdict(finding("2011", 2.5, 2)) is ACCEPTABLE  # 25 % of 10 mm
    assert verdict(finding("2011", 2.51, 2)) is NOT_ACCEPTABLE
    thick = InspectedPart(wall_mm=40)
    assert verdict(finding("2011", 3, 2), part=thick) is ACCEPTABLE
    assert verdict(finding("2011", 3.01, 2), part=thick) is NOT_ACCEPTABLE
    assert verdict(*several("2011", [1, 1], [0, 1000])) is NOT_EVALUABLE  # charts not found


def test_undercut() -> None:
    assert verdict(finding("5011", 50, 1, at=0)) is ACCEPTABLE
    assert verdict(finding("5011", 50.01, 1, at=0)) is NOT_ACCEPTABLE
    assert verdict(*several("5012", [40, 40], [0, 1000])) is ACCEPTABLE
    short = InspectedPart(weld_length_mm=240)  # a sixth is 40 mm
    assert verdict(*several("5012", [20, 20], [50, 200]), part=short) is ACCEPTABLE
    assert verdict(*several("5012", [20, 20.1], [50, 200]), part=short) is NOT_ACCEPTABLE
    assert verdict(finding("5011", 10, 1), part=InspectedPart()) is NOT_EVALUABLE


@pytest.mark.parametrize(
    "code", ["2012", "2013", "2014", "2015", "2016", "2017", "302", "303", "3041", "3042", "515"]
)
def test_kinds_without_limits_are_not_evaluable(code: str) -> None:
    assert verdict(finding(code, 0.1, 0.1)) is NOT_EVALUABLE
