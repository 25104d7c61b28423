"""Findings say which differences are beyond chance alone and not among all figures."""

from types import SimpleNamespace
from typing import cast

import pytest

from app.models.compare.rows import latency_rows, main_rows
from app.models.compare.words import findings
from core.domain.model_version import ModelVersion
from core.evaluate.comparison import Conclusion, FigureDifference, VersionComparison
from core.services.evaluation.evaluations import VersionOnSet


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


FITTED = "v4 was calibrated on parts of 6 of these 14 images"


def rows_of(**verdicts: Conclusion) -> VersionComparison:
    """Main figures with these verdicts; what is not judged has the reason that a calibration gives."""
    rows = []
    for figure, verdict in verdicts.items():
        p_value, why = (None, FITTED) if verdict is Conclusion.NOT_JUDGED else (0.3, "")
        ends = ((0.4, 0.6), (0.5, 0.7), 0.1, (-0.1, 0.3))
        rows.append(FigureDifference(figure, 0.5, 0.6, *ends, p_value, False, verdict, why))
    return VersionComparison(24, tuple(rows), ())


def test_what_is_not_judged_is_no_part_of_the_sentence_and_says_why_in_its_row() -> None:
    out, same, better = Conclusion.NOT_JUDGED, Conclusion.SAME, Conclusion.BETTER
    mixed = rows_of(recall=out, precision=out, ap50=same)
    ((verdict, said),) = findings(mixed, "v1", "v4")
    assert verdict is same
    assert said == f"Only AP50 is judged ({FITTED}): not distinguishable."
    lines = {line["title"]: line["others"][0]["reason"] for line in main_rows([mixed])}
    assert (lines["Recall"], lines["AP50"]) == (FITTED, "")
    won = findings(rows_of(recall=out, precision=out, ap50=better), "v1", "v4")
    assert [one for one, _ in won] == [better, out]
    assert won[1][1] == f"Not judged: recall, precision ({FITTED})."
    nothing = rows_of(recall=out, ap50=out)
    assert [text for _, text in findings(nothing, "v1", "v4")] == [
        f"Nothing is judged here: {FITTED}. The figures are shown, they decide nothing."
    ]
    assert {
        line["others"][0]["reason"]
        for line in main_rows([nothing])
        if line["title"] != "AP50, class right too"
    } == {""}


def version(number: int, *aliases: str) -> VersionOnSet:
    """One that took 500 ms an image while it was measured."""
    registered = SimpleNamespace(version=number, aliases=aliases)
    stored = SimpleNamespace(summary={"ms_per_image": 500.0, "ms_per_image_p95": 900.0}, device="cpu")
    return cast("VersionOnSet", SimpleNamespace(version=registered, stored=stored))


def test_times_are_those_of_the_gate_where_both_were_timed_in_turn() -> None:
    asked: list[tuple[int, int]] = []

    def in_turn(one: ModelVersion, other: ModelVersion) -> tuple[float, float] | None:
        asked.append((one.version, other.version))
        return {(1, 4): (703.0, 952.0)}.get((one.version, other.version))

    champion, candidate = version(4, "champion"), version(1)
    assert latency_rows([candidate, champion], in_turn) == (True, [("v1", "703 ms"), ("v4", "952 ms")])
    assert latency_rows([champion, candidate], in_turn) == (True, [("v4", "952 ms"), ("v1", "703 ms")])
    assert asked == [(1, 4), (1, 4)]  # the candidate beside the champion
    is_in_turn, times = latency_rows([champion, version(2)], in_turn)
    assert not is_in_turn
    assert times[0] == ("v4", "500 ms, 95 % below 900 ms, on cpu")
    both = latency_rows([candidate, champion, version(2)], in_turn)
    assert both == (True, [("v4", "952 ms, v1 703 ms at the same moments")])
