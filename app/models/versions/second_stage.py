"""The second stage of a version, as its card describes it: what it learnt from and how often it is right."""

from collections.abc import Mapping
from typing import Any

#: Kinds of data that it was judged on, by key of the card: title, and what is counted.
_ON = {
    "simulated": ("Simulated welds that it did not see", "reports of known flaws"),
    "virtual": ("Virtual flaws on films that it did not see", "reports of known flaws"),
    "films": ("Recorded films, each left out in turn", "recorded cells"),
}


def second_stage_content(stage: Mapping[str, Any]) -> dict[str, Any]:
    """Facts and one table for each kind of data that it was judged on; empty without a second stage.

    Args:
        stage: the entry `second_stage` of a card.
    """
    if not stage:
        return {}
    facts = {
        "What it is": "a small network behind the detector; it claims a group of each indication of a weld",
        "Fitted on": str(stage.get("fitted_on") or ""),
        "Weights": f"sha256 {stage['sha256']}" if stage.get("sha256") else "",
    }
    tables = [_table(stage[key], *words) for key, words in _ON.items() if _n_judged(stage.get(key))]
    return {"facts": facts, "tables": tables}


def _n_judged(figures: Mapping[str, Any] | None) -> int:
    return sum(map(sum, (figures or {}).get("recorded_by_claimed") or ()))


def _table(figures: Mapping[str, Any], title: str, counted: str) -> dict[str, Any]:
    groups, counts = list(figures["groups"]), figures["recorded_by_claimed"]
    f1 = figures.get("f1") or {}
    said = [f"{_n_judged(figures):,} {counted}"]
    if figures.get("coverage") is not None:
        said.append(f"a group is claimed of {100 * figures['coverage']:.0f} %")
    if figures.get("macro_f1") is not None:
        said.append(f"macro-F1 {figures['macro_f1']:.2f}")
    right, asked = figures.get("type_right") or (0, 0)
    if asked:
        said.append(f"likeliest type right in {right:,} of {asked:,} claims of the right group")
    return {
        "title": title,
        "said": "; ".join(said),
        "head": [*groups, "none", "F1"],
        "rows": [
            (group, [f"{n:,}" for n in row], "–" if f1.get(group) is None else f"{f1[group]:.2f}")
            for group, row in zip(groups, counts, strict=True)
        ],
    }
