"""Findings say which differences are beyond chance alone and not among all figures."""

import pytest

from app.models.compare.rows import main_rows
from app.models.compare.words import findings
from core.evaluate.comparison import Conclusion, FigureDifference, VersionComparison


def comparison(p_value: float | None, verdict: Conclusion = Conclusion.SAME) -> VersionComparison:
    row = FigureDifference(
        "precision", 0.75, 0.6, (0.6, 0.8), (0.4, 0.7), -0.15, (-0.28, -0.06), p_value, False, verdict
    )
    return VersionComparison(24, (row,), ())


@pytest.mark.parametrize(("p_value", "is_told"), [(0.05, True), (0.051, False)])
def test_a_difference_that_only_the_correction_stops_is_told(p_value: float, is_told: bool) -> None:
    ((_, said),) = findings(comparison(p_value), "v2", "v1")
    assert said.startswith("v2 and v1 cannot be told apart on this set in any figure.")
    assert ("Alone beyond chance, but not among 1 figures: precision." in said) is is_told
    (line,) = main_rows([comparison(p_value)])
    assert ("alone beyond chance" in line["others"][0]["reason"]) is is_told


@pytest.mark.parametrize(("verdict", "p_value"), [(Conclusion.WORSE, 0.001), (Conclusion.NOT_JUDGED, None)])
def test_a_verdict_needs_no_such_remark(verdict: Conclusion, p_value: float | None) -> None:
    (line,) = main_rows([comparison(p_value, verdict)])
    assert line["others"][0]["reason"] == ""
