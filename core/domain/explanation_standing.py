"""What was measured of a version's explanations: which map is shown first, and words beside a map."""

from collections.abc import Mapping
from typing import Any

from core.domain.explanations import METHOD_WORDS, Baseline, Method

NOT_MEASURED = "not measured for this version"
#: Fewer boxes than this decide nothing.
LEAST_BOXES = 300
#: Of these some cannot be read again: so many are enough for the trust line.
LEAST_TRUSTED = 200
#: Methods that are made before anybody chooses one, the quickest first. Pooled Grad-CAM is not among them: it
#: is kept to compare with.
QUICK = (Method.GRADCAM, Method.INTEGRATED)
NONE_PASSES = "no method passes for this version"


def first_method(figures: Mapping[str, Any] | None) -> Method:
    """Whose map of a box is shown first: the quickest that was measured to say more than a drawn blob.

    That is, whose lead over a Gaussian drawn on the box has a 95 % interval above zero, on however many boxes
    were measured. Grad-CAM per box where that holds of no quick method, or nothing was measured.

    Args:
        figures: of `radikal explain-eval`; None stands for a version that was not measured.
    """
    return next((method for method in QUICK if _is_ahead(figures, method)), QUICK[0])


def methods_in_order(figures: Mapping[str, Any] | None) -> tuple[Method, ...]:
    """All methods as they are offered: the first map, the other quick ones, what takes longer, pooled."""
    first = first_method(figures)
    others = (*QUICK, Method.PERTURBED, Method.POOLED)
    return (first, *(method for method in others if method is not first))


def first_words(figures: Mapping[str, Any] | None) -> str:
    """One line on why the first map is the first; empty where nothing was measured."""
    if figures is None:
        return ""
    first = first_method(figures)
    on = f"measured on {figures['n_boxes']} boxes"
    lead = _lead(figures, first)
    if not _is_ahead(figures, first) or lead is None:
        return f"no quick map was better than a Gaussian drawn on the box ({on})"
    low, high = lead["interval"]
    return (
        f"shown first is {METHOD_WORDS[first]}: better than a Gaussian drawn on the box by "
        f"{lead['value']:.2f} (95 % interval {low:.2f} to {high:.2f}, {on})"
    )


def _lead(figures: Mapping[str, Any] | None, method: Method) -> Mapping[str, Any] | None:
    found = ((figures or {}).get("methods") or {}).get(method.value) or {}
    lead: Mapping[str, Any] | None = (found.get("better_than") or {}).get(Baseline.GAUSSIAN.value)
    return lead


def _is_ahead(figures: Mapping[str, Any] | None, method: Method) -> bool:
    lead = _lead(figures, method)
    return lead is not None and lead["interval"] is not None and lead["interval"][0] > 0


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
        return f"{NONE_PASSES}: {_why_none(figures)} (measured on {on})"
    return f"{', '.join(METHOD_WORDS[method] for method in passed)} passed (measured on {on})"


def _why_none(figures: Mapping[str, Any]) -> str:
    """What stands against the best method, where none passes."""
    ahead = next((one for one in methods_in_order(figures) if _is_ahead(figures, one)), None)
    if ahead is None:
        return "a map shows nothing that the box does not"
    fails = ", ".join(figures["methods"][ahead.value]["fails"])
    return f"{METHOD_WORDS[ahead]} says more than the box, but {fails}"


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
