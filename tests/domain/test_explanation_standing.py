import pytest

from core.domain.explanation_standing import (
    first_method,
    first_words,
    methods_in_order,
    methods_passed,
    standing_words,
    trust_words,
)
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


def test_where_none_passes_it_says_what_stands_against_the_best() -> None:
    blob = _figures()
    assert "a map shows nothing that the box does not (measured on 300" in standing_words(blob)
    ahead = _figures()
    ahead["methods"]["integrated"] |= {  # type: ignore[index]  # nested plain values
        "better_than": {"a Gaussian on the box": {"value": 0.04, "interval": [0.03, 0.05]}},
        "fails": ["with drawn weights the map stays alike: 0.29"],
    }
    assert standing_words(ahead) == (
        "no method passes for this version: Integrated Gradients says more than the box, but with drawn "
        "weights the map stays alike: 0.29 (measured on 300 boxes of 57 images)"
    )


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


def _leads(n_boxes: int = 231, **by_method: tuple[float, float] | None) -> dict[str, object]:
    """Figures with the interval of each method's lead over a Gaussian drawn on the box."""
    leads = {
        name: {
            "better_than": {"a Gaussian on the box": {"value": sum(found or (0, 0)) / 2, "interval": found}}
        }
        for name, found in by_method.items()
    }
    return {"n_boxes": n_boxes, "methods": leads}


@pytest.mark.parametrize(
    ("figures", "first"),
    [
        (None, Method.GRADCAM),
        (_leads(gradcam=(-0.08, -0.04), integrated=(0.03, 0.09)), Method.INTEGRATED),
        (_leads(gradcam=(0.01, 0.04), integrated=(0.03, 0.09)), Method.GRADCAM),
        (_leads(gradcam=(-0.08, -0.04), integrated=(-0.01, 0.09)), Method.GRADCAM),
        (_leads(gradcam=(-0.08, -0.04), integrated=None), Method.GRADCAM),
        (_leads(gradcam=(-0.08, -0.04), integrated=(-0.1, 0.0), perturbed=(0.08, 0.15)), Method.GRADCAM),
        (_leads(gradcam=(-0.08, -0.04), pooled=(0.01, 0.02)), Method.GRADCAM),
        ({"n_boxes": 300, "methods": {"gradcam": {"passes": False}}}, Method.GRADCAM),
    ],
)
def test_the_first_map_is_the_quickest_that_was_measured_ahead_of_a_drawn_gaussian(
    figures: dict[str, object] | None, first: Method
) -> None:
    assert first_method(figures) is first
    assert methods_in_order(figures)[0] is first
    assert sorted(methods_in_order(figures)) == sorted(Method)


def test_the_line_on_the_first_map_gives_its_lead_or_says_that_there_is_none() -> None:
    assert first_words(None) == ""
    ahead = first_words(_leads(gradcam=(-0.08, -0.04), integrated=(0.03, 0.09)))
    assert ahead.startswith("shown first is Integrated Gradients")
    assert "by 0.06 (95 % interval 0.03 to 0.09, measured on 231 boxes)" in ahead
    assert "no quick map was better" in first_words(_leads(gradcam=(-0.08, -0.04), integrated=(-0.01, 0.09)))
