"""Writes docs/model-quality.md from the cards of the shipped models and from the ablations (`make docs`)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from core.calibrate.comparison import COMPARISON_HEADER, comparison_rows

TARGET = Path(__file__).with_name("model-quality.md")
ABLATIONS = Path(__file__).resolve().parents[1] / "benchmarks" / "ablations.json"
CHECKPOINTS = Path(__file__).resolve().parents[1] / "models" / "checkpoints"
HEADER = """# Model quality

Written by `make docs` from the cards in `models/checkpoints/`, which `radikal models build` wrote from
measurements; a test fails when it is out of date. What each figure means: [model-cards.md](model-cards.md).
What the data sets contain, and how whole films fare by recorded cells:
[model-quality-data.md](model-quality-data.md). Speed: [performance.md](performance.md).

In brackets: 95 % intervals by a bootstrap over series or films; for D-ECE the band in which a perfectly
calibrated model of the same size lies. Plain percentiles are too narrow with few parts, expanded ones less so
([ADR 0013](adr/0013-one-bootstrap-for-every-interval.md)). No set below trained the network that it measures;
where a version was then trained on everything, that network is another than the one that ships, and its
heading says so. "-": not evaluable or not measured. What more data changed:
[model-quality-data.md](model-quality-data.md#what-more-data-changed). What each idea is worth:
[below](#what-each-idea-and-each-labelled-image-is-worth).
"""
_ABOUT_ABLATIONS = """Short trainings that differ in one thing each, by `make ablations` from
[ablations.yaml](../benchmarks/ablations.yaml). What ships was trained for longer, so the figures say which
idea helps, not how good a version is. Intervals come from a bootstrap over parts, expanded for few of them;
three films or five series are too few to tell arms apart by a few hundredths, whatever the interval says (the
promotion gate asks for six parts). Each arm was trained once, with one seed.
"""
_FIGURES = (
    ("AP50", "ap50", "ap50_ci"),
    ("AP50:95", "ap50_95", None),
    ("recall", "recall", "recall_ci"),
    ("precision", "precision", "precision_ci"),
    ("false calls an image", "false_calls_per_image", "false_calls_per_image_ci"),
    ("D-ECE", "d_ece", "d_ece_band"),
    ("D-ECE raw", "d_ece_raw", None),
    ("Brier", "brier", None),
    ("Brier, calibrated less raw", "brier_difference", "brier_difference_ci"),
    ("log loss", "log_loss", None),
    ("log loss, calibrated less raw", "log_loss_difference", "log_loss_difference_ci"),
)
_MOST_PARTS = 12  # more are no table that anybody reads
_GROUPS = (
    ("longer side of the box", "calibration_by_size_px"),
    ("longer side in mm", "calibration_by_size_mm"),
    ("reported class", "calibration_by_class"),
)


def render(cards: Sequence[tuple[str, Mapping[str, Any]]], ablations: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page.

    Args:
        cards: (title, card) of each version, in the order they are printed.
        ablations: what benchmarks/ablations.py stored of each of its tables.
    """
    versions = (line for title, card in cards for line in _version(title, card))
    return "\n".join([HEADER, *versions, *_ablations(ablations)])


def stored_ablations() -> dict[str, Mapping[str, Any]]:
    """The tables in benchmarks/ablations.json."""
    content: dict[str, Mapping[str, Any]] = json.loads(ABLATIONS.read_text(encoding="utf-8"))
    return content


def shipped_cards() -> list[tuple[str, Mapping[str, Any]]]:
    """Title and card of each shipped version, by folder name."""
    return [
        (" ".join(path.parent.name.rsplit("-", 1)), yaml.safe_load(path.read_text(encoding="utf-8")))
        for path in sorted(CHECKPOINTS.glob("*/card.yaml"))
    ]


def _version(title: str, card: Mapping[str, Any]) -> Iterator[str]:
    calibration, release = card["calibration"], card["release"]
    note = release["note"] or f"released: AP50 reaches {release['minimum_ap50']}"
    data = "; ".join(card["trained_on"])
    origin = ", ".join([card["lineage"], card["recipe"], str(card["date"]), card["device"]])
    cut, operating = calibration["score_cut"], calibration["operating_probability"]
    chosen = calibration.get("operating_chosen")
    yield f"## {title}\n\n{card['description']}\n"
    yield f"- {note}; {card['data_notice']}"
    yield f"- trained on {data} ({card['n_training_images']} images), {origin}"
    yield f"- calibrated by {calibration['method']} on {calibration['fitted_on']}; score cut {cut}"
    yield f"- operating probability {operating}" + (f": {chosen}" if chosen else "")
    yield from _evaluations(card["evaluation"])
    if calibration.get("comparison"):
        yield "\nCalibrators compared, each on parts that did not fit it:\n"
        yield _table(COMPARISON_HEADER, comparison_rows(calibration["comparison"]))
    yield from _outer_folds(calibration.get("outer_folds") or ())
    for figures in card["evaluation"]:
        yield from _errors(figures)
        yield from _groups(figures)


def _outer_folds(folds: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the next part may expect: method and fit repeated without the parts of each fold."""
    if not folds:
        return
    n_met = sum(fold["is_met"] for fold in folds)
    in_band = f"{n_met} of {len(folds)} in the band"
    yield f"\nChosen and fitted again without the parts of a fold, judged on them: {in_band}.\n"
    yield _table(
        ("parts", "boxes", "true", "method", "D-ECE (band of a perfect model)"),
        [
            (
                ", ".join(str(part).removeprefix("series:") for part in fold["parts"]),
                str(fold["n_boxes"]),
                str(fold["n_true"]),
                fold["method"],
                "{:.3f} ({:.3f} to {:.3f})".format(fold["d_ece"], *fold["d_ece_band"]),
            )
            for fold in folds
        ],
    )


def _errors(figures: Mapping[str, Any]) -> Iterator[str]:
    """Kinds of errors at the operating point, and where what was recorded is missed."""
    if not (errors := figures.get("errors")):
        return
    said = ", ".join(f"{count} {kind}" for kind, count in errors.items())
    yield f"\nErrors at the operating probability, {figures['on']}: {said}.\n"
    rows = [*figures["found_by_size_px"], *figures["found_by_part"]]
    if len(figures["found_by_part"]) > _MOST_PARTS:
        rows = figures["found_by_size_px"]
    yield _table(
        ("longer side, part", "recorded", "found", "share found (Wilson)", "false calls"),
        [
            (
                str(one["group"]).replace(":", " "),
                str(one["n_boxes"]),
                str(one["n_found"]),
                _with_interval(one["n_found"] / one["n_boxes"], one["found_ci"]) if one["n_boxes"] else "-",
                "" if one["n_false"] is None else str(one["n_false"]),
            )
            for one in rows
        ],
    )


def _evaluations(evaluation: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    head = ["", *(str(figures["on"]) for figures in evaluation)]
    rows = [
        ["images, recorded boxes, parts", *(_sizes(figures) for figures in evaluation)],
        ["intervals", *(str(figures["interval_method"]) for figures in evaluation)],
        *([name, *(_figure(f, key, interval) for f in evaluation)] for name, key, interval in _FIGURES),
    ]
    by_class = sorted({name for figures in evaluation for name in figures.get("ap50_by_class") or {}})
    for name in by_class:
        found = ((figures.get("ap50_by_class") or {}).get(name) for figures in evaluation)
        rows.append([f"AP50 of {name}", *("-" if one is None else f"{one:.2f}" for one in found)])
    yield ""
    yield _table(head, rows)


def _groups(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, key in _GROUPS:
        if not (groups := figures.get(key)):
            continue
        yield f"\nCalibration by {name}, {figures['on']}:\n"
        rows = [
            (
                one["group"],
                str(one["n_boxes"]),
                _number(one["mean_probability"]),
                _with_interval(one["share_true"], one["share_true_ci"]),
                one["not_evaluable"] or _with_interval(one["d_ece"], one["d_ece_band"], 3),
            )
            for one in groups
        ]
        yield _table((name, "boxes", "mean p", "share true", "D-ECE (band)"), rows)


def _ablations(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield f"\n## What each idea and each labelled image is worth\n\n{_ABOUT_ABLATIONS}"
    for table in tables.values():
        schedule = table["schedule"]
        yield f"\n### {table['title']}\n"
        yield (
            f"Judged on {table['judged_on']} ({table['n_images']} images, {table['n_boxes']} boxes, "
            f"{table['n_parts']} parts); {schedule['steps']} steps of {schedule['batch']} crops of "
            f"{schedule['crop_px']} px; {table['date']}, {table['device']}.\n"
        )
        rows = [
            (
                arm["name"] + (f" ({arm['about']})" if arm["about"] else ""),
                _with_interval(arm["ap50"], arm["ap50_ci"]),
                "reference"
                if arm["difference"] is None
                else _with_interval(arm["difference"], arm["difference_ci"]),
            )
            for arm in table["arms"]
        ]
        yield _table(("arm", "AP50", f"less that of {table['against']}"), rows)


def _sizes(figures: Mapping[str, Any]) -> str:
    return f"{figures['n_images']}, {figures['n_boxes']}, {figures['n_clusters']}"


def _figure(figures: Mapping[str, Any], key: str, interval: str | None) -> str:
    decimals = 3 if key.startswith(("d_ece", "brier", "log_loss")) else 2
    return _with_interval(figures.get(key), figures.get(interval) if interval else None, decimals)


def _with_interval(value: float | None, interval: Sequence[float] | None, decimals: int = 2) -> str:
    if value is None or not interval:
        return _number(value, decimals)
    return (
        f"{_number(value, decimals)} ({_number(interval[0], decimals)} to {_number(interval[1], decimals)})"
    )


def _number(value: float | None, decimals: int = 2) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(shipped_cards(), stored_ablations()), encoding="utf-8")
