import pytest

from core.domain.explanation_standing import methods_passed, standing_words, trust_words
from core.domain.explanations import Method

WITHOUT = {
    "helps": True,
    "n_boxes": 280,
    "added": {"value": 0.04, "interval": [0.01, 0.07]},
    "auroc_fitted_alone": {"value": 0.80, "interval": None},
    "auroc_with_it": {"value": 0.84, "interval": None},
}


def _figures(*passed: str, **without: object) -> dict[str, object]:
    methods = {
        name: {"passes": name in passed} for name in ("gradcam", "integrated", "perturbed", "gaussian")
    }
    return {"n_boxes": 300, "n_images": 57, "methods": methods, "without_it": {**WITHOUT, **without}}


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (None, "not measured for this version"),
        (_figures(), "no method passes for this version"),
        (_figures("gaussian"), "no method passes for this version"),
        (_figures("integrated"), "Integrated Gradients passed (measured on 300 boxes of 57 images)"),
    ],
)
def test_the_line_says_which_methods_passed(figures: dict[str, object] | None, words: str) -> None:
    assert standing_words(figures).startswith(words)


def test_too_few_boxes_decide_nothing() -> None:
    few = {**_figures("integrated"), "n_boxes": 4}
    assert methods_passed(few) == ()
    assert standing_words(few) == "not measured for this version: on 4 boxes only, 300 are asked for"
    assert trust_words(_figures(n_boxes=4)) == ""


def test_a_drawn_gaussian_is_no_method() -> None:
    assert methods_passed(_figures("gaussian", "perturbed")) == (Method.PERTURBED,)


def test_the_trust_line_stands_only_where_it_was_measured_to_help() -> None:
    assert "0.80 to 0.84" in trust_words(_figures())
    assert "0.01 to 0.07" in trust_words(_figures())
    assert trust_words(_figures(helps=False)) == ""
    assert trust_words(None) == ""
