"""Curves of one class take the place of those of all flaws, and a curve that misses its points says so."""

from typing import Any

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
        "false_calls_per_image": 0.5,
        "pod": estimate(),
        "bins": off,
        "by_class": {"crack": estimate(bins=even), "porosity": {"reason": "3 targets", "curve": None}},
    }


def test_only_what_has_a_curve_can_be_chosen() -> None:
    assert drawable_kinds([("v1", measured())]) == ["All flaws", "crack"]
    assert drawable_kinds([]) == []


def test_points_are_those_of_the_class() -> None:
    crack = of_kind(measured(), "crack")
    points = next(one for one in pod_plot([("v1", crack)], 300).data if one.text is not None)
    assert list(points.y) == [0.2, 0.6]
    assert of_kind({"pod": estimate(), "by_class": {}}, "crack")["pod"] == {}


def test_a_curve_that_misses_its_points_says_so_and_why() -> None:
    said = misfit_words([("v1", measured())], "All flaws")
    assert said[0].startswith(
        "v1: the curve misses its points (p < 0.001): of flaws of about 0.1 mm 90% were found"
    )
    assert "choose one" in said[1]
    assert misfit_words([("v1", of_kind(measured(), "crack"))], "crack") == []
