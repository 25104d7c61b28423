"""Curves of one class take the place of those of all flaws, and a curve that misses its points says so."""

from typing import Any

import pytest

from app.models.pod import drawable_kinds, misfit_words, of_kind, pod_plot

CURVE = {
    "size_mm": [0.1, 1.0, 3.0],
    "pod": [0.2, 0.6, 0.9],
    "lower": [0.1, 0.5, 0.8],
    "upper": [0.3, 0.7, 1.0],
}
FIT = {"floor": 0.0, "ceiling": 1.0}


def estimate(**more: Any) -> dict[str, Any]:
    """One with a curve."""
    return {"fit": FIT, "curve": CURVE, "a90_95": None, "reason": ""} | more


def measured() -> dict[str, Any]:
    """All flaws, cracks with a curve of their own, and pores without one."""
    off = [{"size_mm": size, "n": 100, "found": 90} for size in (0.1, 0.3, 1.0)]
    even = [{"size_mm": 0.1, "n": 10, "found": 2}, {"size_mm": 1.0, "n": 10, "found": 6}]
    return {
        "measure": "width",
        "on": "simulated welds",
        "false_calls_per_image": 0.5,
        "pod": estimate(),
        "bins": off,
        "by_class": {"crack": estimate(bins=even), "porosity": {"reason": "3 targets", "curve": None}},
    }


def test_only_what_has_a_curve_can_be_chosen() -> None:
    assert drawable_kinds([("v1", measured())]) == ["All flaws", "crack"]
    assert drawable_kinds([]) == []


def test_a_class_of_which_only_the_fit_was_kept_has_a_curve_without_a_band() -> None:
    fit = {"link": "logit", "scale": "log", "intercept": 0.0, "slope": 1.0, "log_likelihood": -9.0} | FIT
    bins = [{"size_mm": 0.1, "n": 10, "found": 1}, {"size_mm": 1.0, "n": 10, "found": 6}]
    kept = estimate(fit=fit, curve=None, bins=bins, largest_mm=9.0)
    card = measured() | {"by_class": {"crack": kept}}
    assert drawable_kinds([("v1", card)]) == ["All flaws", "crack"]
    crack = of_kind(card, "crack")
    sizes, pod = (crack["pod"]["curve"][key] for key in ("size_mm", "pod"))
    assert (sizes[0], sizes[-1]) == pytest.approx((0.1, 9.0))
    assert pod == pytest.approx([size / (1 + size) for size in sizes])  # logistic in the logarithm
    older = of_kind(card | {"by_class": {"crack": {**kept, "bins": []}}}, "crack")
    assert older["pod"]["curve"]["size_mm"][0] == pytest.approx(0.1)  # of all flaws
    second = next(
        one for one in pod_plot([("v4", crack)], 300, order=["v1", "v4"]).data if one.mode == "lines"
    )
    assert second.line.dash == "dash"
    assert sum(one.fill == "toself" for one in pod_plot([("v1", crack)], 300).data) == 0
    assert sum(one.fill == "toself" for one in pod_plot([("v1", measured())], 300).data) == 1


def test_the_title_says_on_what_and_at_how_many_false_calls() -> None:
    title = pod_plot([("v1", measured())], 300, beside="weld crops").layout.meta
    assert title == (
        "On simulated welds, not on weld crops: v1 finds 9 of 10 at no size, at 0.50 false calls an image"
    )


def test_points_are_those_of_the_class() -> None:
    crack = of_kind(measured(), "crack")
    points = next(one for one in pod_plot([("v1", crack)], 300).data if one.text is not None)
    assert list(points.y) == [0.2, 0.6]
    assert of_kind({"pod": estimate(), "by_class": {}}, "crack")["pod"] == {}


def test_a_curve_that_misses_its_points_says_so_and_why() -> None:
    said = misfit_words([("v1", measured())], "All flaws")
    assert said[0].startswith(
        "v1: the curve misses its points (p < 0.001): of flaws of about 0.1 mm 90 % were found"
    )
    assert "choose one" in said[1]
    assert len(misfit_words([("v1", measured())], "All flaws", has_choice=False)) == 1
    assert misfit_words([("v1", of_kind(measured(), "crack"))], "crack") == []
