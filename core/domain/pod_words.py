"""Figures of a probability of detection in words; the figures are plain data, as they are kept."""

from collections.abc import Mapping
from typing import Any


def pod_line(estimate: Mapping[str, Any]) -> str:
    """One estimate: "a50 0.41 mm, a90 0.93 mm, a90/95 1.04 mm (812 of 1,204 found)", or why there is none."""
    counted = f"{estimate['n_targets']:,} flaws"
    if "n_found" in estimate:
        counted = f"{estimate['n_found']:,} of {estimate['n_targets']:,} found"
    if estimate["reason"]:
        return f"not evaluable: {estimate['reason']} ({counted})"
    named = (("a50", "a50"), ("a90", "a90"), ("a90_95", "a90/95"))
    sizes = [f"{words} {size_words(estimate[key])}" for key, words in named]
    beyond = ", beyond the largest flaw" if estimate.get("is_extrapolated") else ""
    return f"{', '.join(sizes)}{beyond} ({counted})"


def size_words(size_mm: float | None) -> str:
    """A size with its unit, "not reached" for None."""
    return "not reached" if size_mm is None else f"{size_mm:.2f} mm"


def family_words(fit: Mapping[str, Any]) -> str:
    """The curve that was chosen: "logit on log size, ceiling 0.97"."""
    ends = [f"{name} {fit[name]:.2f}" for name, plain in (("floor", 0), ("ceiling", 1)) if fit[name] != plain]
    return ", ".join([f"{fit['link']} on {fit['scale']} size", *ends])
