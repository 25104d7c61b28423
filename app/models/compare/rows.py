"""Rows for the tables of a comparison: figures with intervals, differences with conclusions."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.models.compare.words import (
    MARKS,
    difference_words,
    figure_words,
    findings,
    interval_words,
    uncorrected_words,
    value_words,
)
from core.evaluate.comparison import FEW_PARTS, Conclusion, FigureDifference, VersionComparison
from core.evaluate.version_figures import AP50, AP50_CLASSES
from core.services.evaluation.evaluations import VersionOnSet

_NOT_EVALUABLE = "not evaluable"
_NO_CLASS = "the recorded boxes bear no class that it was taught"
_KINDS = {
    Conclusion.BETTER: "better",
    Conclusion.WORSE: "worse",
    Conclusion.SAME: "same",
    Conclusion.NOT_JUDGED: "unknown",
}


def finding_rows(comparison: VersionComparison, first: str, second: str) -> list[tuple[str, str, str]]:
    """CSS kind, mark and sentence of each finding."""
    said = findings(comparison, first, second)
    return [(_KINDS[verdict], MARKS[verdict], text) for verdict, text in said]


def main_rows(comparisons: Sequence[VersionComparison]) -> list[dict[str, Any]]:
    """The main figures, each other version compared with the first.

    The row that asks for the class stands there in any case: where the recorded boxes bear no class that a
    version was taught, it says so.
    """
    lines = _lines([one.main for one in comparisons])
    figures = {row.figure for one in comparisons for row in one.main}
    if AP50 in figures and AP50_CLASSES not in figures:
        titles = [line["title"] for line in lines]
        lines.insert(titles.index(figure_words(AP50).title) + 1, _no_classes(len(comparisons)))
    return lines


def _no_classes(n_others: int) -> dict[str, Any]:
    words = figure_words(AP50_CLASSES)
    other = {
        "value": _NOT_EVALUABLE,
        "interval": "",
        "difference": "–",
        "difference_interval": "",
        "kind": _KINDS[Conclusion.NOT_JUDGED],
        "mark": MARKS[Conclusion.NOT_JUDGED],
        "verdict": Conclusion.NOT_JUDGED.value,
        "why": _NO_CLASS,
        "reason": _NO_CLASS,
    }
    return {
        "title": words.title,
        "meaning": words.meaning,
        "value": _NOT_EVALUABLE,
        "interval": "",
        "others": [other] * n_others,
    }


def group_rows(comparisons: Sequence[VersionComparison], figure: str) -> list[dict[str, Any]]:
    """One figure, `recall` or `ap50`, by class and size."""
    return _lines(
        [[row for row in one.by_group if row.figure.startswith(f"{figure}:")] for one in comparisons]
    )


def latency_rows(found: Sequence[VersionOnSet]) -> list[tuple[str, str]]:
    """Version, and time an image in words."""
    rows = []
    for one in found:
        said = "not measured"
        if one.stored is not None and (median := one.stored.summary.get("ms_per_image")) is not None:
            p95 = one.stored.summary.get("ms_per_image_p95")
            said = f"{median:,.0f} ms, 95 % below {p95:,.0f} ms, on {one.stored.device}"
        rows.append((f"v{one.version.version}", said))
    return rows


def provenance_rows(found: Sequence[VersionOnSet]) -> list[dict[str, Any]]:
    """For each version: images of the set that trained it, its calibration, its data notice."""
    rows = []
    for one in found:
        n, calibration = one.n_trained_on, one.version.calibration
        n_images = 0 if one.stored is None else one.stored.outcomes.n_images
        trained = f"trained on {n} of the {n_images} images" if n else "trained on none of the images"
        if one.n_calibrated_on:
            trained += f", calibrated on parts of {one.n_calibrated_on} of them"
        if one.through:
            trained += f" (through {', '.join(one.through)})"
        if one.seen.unknown:
            trained += f"; what {', '.join(one.seen.unknown)} saw is not known, it is not registered here"
        said = (
            f"{trained}; calibrated on {calibration.fitted_on}; operating point "
            f"{calibration.operating_probability:.2f}; {one.version.data_notice}"
        )
        rows.append(
            {"name": f"v{one.version.version}", "is_trained_on": bool(n or one.n_calibrated_on), "said": said}
        )
    return rows


def parts_words(n_parts: int) -> str:
    """A caption about the intervals, with a warning where parts are few."""
    few = " With so few parts intervals are uncertain." if n_parts < FEW_PARTS else ""
    return (
        f"Intervals: 95 %, by resampling the {n_parts} independent parts, the same draws for every version. "
        "A verdict needs a difference that survives Holm's correction over all rows of its table at 5 %."
        f"{few}"
    )


def calibration_rows(found: Sequence[VersionOnSet]) -> list[tuple[str, list[dict[str, str]]]]:
    """Version, and D-ECE with its floor: all boxes first, then by size."""
    tables = []
    for one in found:
        summary = {} if one.stored is None else one.stored.summary
        whole = {
            "group": "all boxes at or above the cut",
            "n_boxes": summary.get("n_calibrated_boxes"),
            "d_ece": summary.get("d_ece"),
            "d_ece_band": summary.get("d_ece_band"),
        }
        groups = summary.get("calibration_by_size_mm") or summary.get("calibration_by_size_px") or ()
        tables.append((f"v{one.version.version}", [_calibration_row(group) for group in (whole, *groups)]))
    return tables


def _lines(by_comparison: Sequence[Sequence[FigureDifference]]) -> list[dict[str, Any]]:
    by_figure = [{row.figure: row for row in rows} for rows in by_comparison]
    lines = []
    for figure in dict.fromkeys(figure for one in by_figure for figure in one):
        words, first = figure_words(figure), next(one[figure] for one in by_figure if figure in one)
        lines.append(
            {
                "title": words.title,
                "meaning": words.meaning,
                "value": value_words(figure, first.first),
                "interval": interval_words(figure, first.first_interval),
                "others": [_other(one.get(figure)) for one in by_figure],
            }
        )
    return lines


def _other(row: FigureDifference | None) -> dict[str, str] | None:
    """The second version in one figure; None where it has none."""
    if row is None:
        return None
    # a class or size that is too small says so; the reason for a whole table stands above it
    is_small = ":" in row.figure and row.verdict is Conclusion.NOT_JUDGED and "least" in row.why
    reason = row.why.partition(";")[0] if is_small else uncorrected_words(row)
    if row.figure == AP50_CLASSES and (row.first is None or row.second is None):
        reason = _NO_CLASS
    return {
        "value": value_words(row.figure, row.second),
        "interval": interval_words(row.figure, row.second_interval),
        "difference": difference_words(row),
        "difference_interval": interval_words(row.figure, row.interval, is_signed=True),
        "kind": _KINDS[row.verdict],
        "mark": MARKS[row.verdict],
        "verdict": row.verdict.value,
        "why": "; ".join(filter(None, (row.why, uncorrected_words(row)))),
        "reason": reason,
    }


def _calibration_row(group: Mapping[str, Any]) -> dict[str, str]:
    n, value, band = group.get("n_boxes") or 0, group.get("d_ece"), group.get("d_ece_band")
    row = {"group": group["group"], "n": f"{n:,}", "value": "–", "band": "–"}
    if value is None or band is None:
        return row | {"kind": "unknown", "said": "too few boxes"}
    is_off = value > band[1]
    return row | {
        "value": f"{value:.3f}",
        "band": f"{band[0]:.3f} to {band[1]:.3f}",
        "kind": "worse" if is_off else "same",
        "said": "off by more than chance explains" if is_off else "no worse than chance explains",
    }
