"""Rows for the tables of a comparison: figures with intervals, differences with conclusions."""

from collections.abc import Callable, Mapping, Sequence
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
from core.domain.model_version import ModelVersion
from core.domain.serving import CHAMPION
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


def latency_rows(
    found: Sequence[VersionOnSet], in_turn: Callable[[ModelVersion, ModelVersion], tuple[float, float] | None]
) -> tuple[bool, list[tuple[str, str]]]:
    """Whether the times are those of versions in turn, then version and time an image in words.

    Args:
        found: versions; the first is what the others are compared with.
        in_turn: median ms an image of two versions, timed in turn; None where they were not.
    """
    first = found[0].version
    pairs = [(one.version, _pair_in_turn(first, one.version, in_turn)) for one in found[1:]]
    timed = [(version, pair) for version, pair in pairs if pair is not None]
    if len(timed) == len(pairs) == 1:
        version, (own, other) = timed[0]
        return True, [(f"v{first.version}", f"{own:,.0f} ms"), (f"v{version.version}", f"{other:,.0f} ms")]
    if timed:
        return True, [
            (f"v{version.version}", f"{other:,.0f} ms, v{first.version} {own:,.0f} ms at the same moments")
            for version, (own, other) in timed
        ]
    rows = []
    for one in found:
        said = "not measured"
        if one.stored is not None and (median := one.stored.summary.get("ms_per_image")) is not None:
            p95 = one.stored.summary.get("ms_per_image_p95")
            said = f"{median:,.0f} ms, 95 % below {p95:,.0f} ms, on {one.stored.device}"
        rows.append((f"v{one.version.version}", said))
    return False, rows


def _pair_in_turn(
    first: ModelVersion,
    other: ModelVersion,
    in_turn: Callable[[ModelVersion, ModelVersion], tuple[float, float] | None],
) -> tuple[float, float] | None:
    """Ms of both as the gate says them: it asks for the champion's times beside those of a candidate."""
    if CHAMPION in first.aliases:
        times = in_turn(other, first)
        return None if times is None else (times[1], times[0])
    return in_turn(first, other)


def provenance_rows(found: Sequence[VersionOnSet]) -> list[dict[str, Any]]:
    """For each version: images of the set that trained it, its calibration, its data notice."""
    rows = []
    for one in found:
        n, calibration = one.n_trained_on, one.version.calibration
        n_images = 0 if one.stored is None else one.stored.outcomes.n_images
        trained = f"trained on {n} of the {n_images} images" if n else "trained on none of the images"
        if one.n_of_trained_parts:
            trained += f", {one.n_of_trained_parts} of them show parts that trained it"
            if one.is_judged_on_trained_parts:
                trained += ", which it is made for"
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
        is_seen = n or one.n_calibrated_on or (one.n_of_trained_parts and not one.is_judged_on_trained_parts)
        rows.append({"name": f"v{one.version.version}", "is_trained_on": bool(is_seen), "said": said})
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
    # where nothing at all is judged, the sentence above the table of the main figures says why
    is_told = [
        all(":" not in row.figure and row.verdict is Conclusion.NOT_JUDGED for row in rows)
        for rows in by_comparison
    ]
    lines = []
    for figure in dict.fromkeys(figure for one in by_figure for figure in one):
        words, first = figure_words(figure), next(one[figure] for one in by_figure if figure in one)
        lines.append(
            {
                "title": words.title,
                "meaning": words.meaning,
                "value": value_words(figure, first.first),
                "interval": interval_words(figure, first.first_interval),
                "others": [
                    _other(one.get(figure), has_reason=not told)
                    for one, told in zip(by_figure, is_told, strict=True)
                ],
            }
        )
    return lines


def _other(row: FigureDifference | None, *, has_reason: bool) -> dict[str, str] | None:
    """The second version in one figure, with the reason where it is not judged; None where it has none."""
    if row is None:
        return None
    reason = uncorrected_words(row)
    if has_reason and row.verdict is Conclusion.NOT_JUDGED:
        reason = row.why.partition(";")[0] if "least" in row.why else row.why
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
