"""What was measured of a version's explanations, in words for those who look at a map."""

from collections.abc import Mapping
from typing import Any

from core.domain.explanations import METHOD_WORDS, Method

NOT_MEASURED = "not measured for this version"
#: Fewer boxes than this decide nothing.
LEAST_BOXES = 300
#: Of these some cannot be read again: so many are enough for the trust line.
LEAST_TRUSTED = 200
NONE_PASSES = "no method passes for this version: a map shows nothing that the box does not"


def methods_passed(figures: Mapping[str, Any]) -> tuple[Method, ...]:
    """The methods that reached every bar of `radikal explain-eval`; none where too few boxes were read."""
    if figures["n_boxes"] < LEAST_BOXES:
        return ()
    found = figures["methods"]
    return tuple(method for method in Method if found.get(method.value, {}).get("passes"))


def standing_words(figures: Mapping[str, Any] | None) -> str:
    """One line; None stands for a version that was not measured."""
    if figures is None:
        return NOT_MEASURED
    passed = methods_passed(figures)
    if figures["n_boxes"] < LEAST_BOXES:
        return f"{NOT_MEASURED}: on {figures['n_boxes']} boxes only, {LEAST_BOXES} are asked for"
    on = f"{figures['n_boxes']} boxes of {figures['n_images']} images"
    if not passed:
        return f"{NONE_PASSES} (measured on {on})"
    return f"{', '.join(METHOD_WORDS[method] for method in passed)} passed (measured on {on})"


def trust_line(figures: Mapping[str, Any] | None) -> str:
    """What "without it" adds to the probability, or that it was measured to add nothing; else nothing."""
    without = (figures or {}).get("without_it") or {}
    if words := trust_words(figures):
        return f'"without it": {words}'
    if "added" not in without or without["n_boxes"] < LEAST_TRUSTED:
        return ""
    low, high = without["added"]["interval"]
    return (
        f'"without it" tells true boxes from false ones no better than the probability alone '
        f"({without['n_boxes']} boxes, difference of the AUROC {low:.2f} to {high:.2f})"
    )


def trust_words(figures: Mapping[str, Any] | None) -> str:
    """What "without it" adds to the probability, where it was measured to add something; else nothing."""
    without = (figures or {}).get("without_it") or {}
    if not without.get("helps") or without["n_boxes"] < LEAST_TRUSTED:
        return ""
    low, high = without["added"]["interval"]
    alone, both = without["auroc_fitted_alone"]["value"], without["auroc_with_it"]["value"]
    return (
        f"measured on {without['n_boxes']} boxes: it tells true boxes from false ones better than the "
        f"probability alone (AUROC {alone:.2f} to {both:.2f}, 95 % interval of the difference {low:.2f} to "
        f"{high:.2f})"
    )
