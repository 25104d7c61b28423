"""The tables of a comparison as HTML: figures with intervals, differences with verdicts."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.models.compare.words import (
    MARKS,
    difference_words,
    figure_words,
    findings,
    interval_words,
    value_words,
)
from core.evaluate.comparison import FEW_PARTS, Conclusion, FigureDifference, VersionComparison
from core.services.evaluation.evaluations import VersionOnSet

_CLASS = {
    Conclusion.BETTER: "better",
    Conclusion.WORSE: "worse",
    Conclusion.SAME: "same",
    Conclusion.NOT_JUDGED: "unknown",
}


def findings_html(comparison: VersionComparison, first: str, second: str) -> str:
    """What can be said, each sentence with its mark."""
    lines = "".join(
        f'<li class="rk-v-{_CLASS[verdict]}"><i aria-hidden="true">{MARKS[verdict]}</i>{escape(text)}</li>'
        for verdict, text in findings(comparison, first, second)
    )
    return f'<ul class="rk-findings" role="status">{lines}</ul>'


def figures_html(comparisons: Sequence[VersionComparison], found: Sequence[VersionOnSet]) -> str:
    """The main figures of all versions, each other one compared with the first."""
    return _table([one.main for one in comparisons], found, comparisons[0].n_parts, "figure")


def groups_html(comparisons: Sequence[VersionComparison], found: Sequence[VersionOnSet], figure: str) -> str:
    """One figure, `recall` or `ap50`, by class and size."""
    rows = [[row for row in one.by_group if row.figure.startswith(f"{figure}:")] for one in comparisons]
    return _table(rows, found, comparisons[0].n_parts, "class, or longer side")


def latency_html(found: Sequence[VersionOnSet]) -> str:
    """What an image takes; measured under whatever else the machine did, so nothing is judged."""
    cells = []
    for one in found:
        summary = {} if one.stored is None else one.stored.summary
        median, p95 = summary.get("ms_per_image"), summary.get("ms_per_image_p95")
        device = "" if one.stored is None else one.stored.device
        told = (
            "not measured" if median is None else f"{median:,.0f} ms, 95 % below {p95:,.0f} ms, on {device}"
        )
        cells.append(f"<b>v{one.version.version}</b> {escape(told)}")
    return (
        f'<p class="rk-note" title="Median over the images while the set was measured. What else the machine '
        f'did then is in it, so nothing is judged.">Time an image: {" · ".join(cells)}</p>'
    )


def provenance_html(found: Sequence[VersionOnSet]) -> str:
    """What each version knows of the images, and what it was calibrated on."""
    lines = []
    for one in found:
        n, calibration = one.n_trained_on, one.version.calibration
        n_images = 0 if one.stored is None else one.stored.outcomes.n_images
        trained = f"trained on {n} of the {n_images} images" if n else "trained on none of the images"
        lines.append(
            f'<li class="{"rk-v-worse" if n else ""}"><b>v{one.version.version}</b> {trained}; calibrated on '
            f"{escape(calibration.fitted_on)}; operating point {calibration.operating_probability:.2f}; "
            f"{escape(one.version.data_notice)}</li>"
        )
    return f'<ul class="rk-provenance">{"".join(lines)}</ul>'


def parts_words(n_parts: int) -> str:
    """How far intervals can be believed."""
    few = " With so few parts intervals are uncertain." if n_parts < FEW_PARTS else ""
    return (
        f"Intervals: 95 %, by resampling the {n_parts} independent parts, the same draws for every version. "
        "A verdict needs a difference that survives Holm's correction over all rows of its table at 5 %."
        f"{few}"
    )


def _table(
    rows: Sequence[Sequence[FigureDifference]], found: Sequence[VersionOnSet], n_parts: int, head: str
) -> str:
    names = [f"v{one.version.version}" for one in found]
    heads = f"<th>{head}</th><th>{names[0]}</th>" + "".join(
        f'<th class="rk-next">{name}</th><th>{name} − {names[0]}</th><th>verdict</th>' for name in names[1:]
    )
    by_figure = [{row.figure: row for row in one} for one in rows]
    lines = "".join(_line(figure, by_figure) for figure in by_figure[0])
    return (
        f'<table class="rk-figures"><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>'
        if lines
        else '<p class="rk-muted">Nothing is recorded that could be told apart.</p>'
    )


def _line(figure: str, by_figure: Sequence[dict[str, FigureDifference]]) -> str:
    words, first = figure_words(figure), by_figure[0][figure]
    cells = [
        f'<th scope="row" title="{escape(words.meaning)}">{escape(words.title)}</th>',
        _value(figure, first.first, first.first_interval),
    ]
    for one in by_figure:
        row = one.get(figure)
        if row is None:
            cells.append('<td class="rk-next">–</td><td>–</td><td></td>')
            continue
        shown = _value(figure, row.second, row.second_interval).replace("<td>", '<td class="rk-next">', 1)
        why = f' title="{escape(row.why)}"' if row.why else ""
        cells.append(
            f"{shown}<td>{difference_words(row)}<small>"
            f"{interval_words(figure, row.interval, is_signed=True)}</small></td>"
            f'<td class="rk-v-{_CLASS[row.verdict]}"{why}><i aria-hidden="true">{MARKS[row.verdict]}</i>'
            f"{row.verdict.value}{_reason(row)}</td>"
        )
    return f"<tr>{''.join(cells)}</tr>"


def _value(figure: str, value: float | None, interval: tuple[float, float] | None) -> str:
    return f"<td>{value_words(figure, value)}<small>{interval_words(figure, interval)}</small></td>"


def _reason(row: FigureDifference) -> str:
    """Beside a class or size that is too small; what holds for the whole table stands above it."""
    is_small = row.verdict is Conclusion.NOT_JUDGED and "least" in row.why
    return f"<small>{escape(row.why.partition(';')[0])}</small>" if is_small else ""


def calibration_html(found: Sequence[VersionOnSet]) -> str:
    """D-ECE with its floor for each version, whole and by size."""
    parts = []
    for one in found:
        summary = {} if one.stored is None else one.stored.summary
        groups = summary.get("calibration_by_size_mm") or summary.get("calibration_by_size_px") or ()
        rows = "".join(_calibration_row(group["group"], group) for group in groups)
        whole = _calibration_row(
            "all boxes at or above the cut",
            {
                "n_boxes": summary.get("n_calibrated_boxes"),
                "d_ece": summary.get("d_ece"),
                "d_ece_band": summary.get("d_ece_band"),
                "not_evaluable": None,
            },
        )
        parts.append(
            f'<table class="rk-figures"><thead><tr><th>v{one.version.version}: longer side of the box</th>'
            "<th>boxes</th><th>D-ECE</th><th>perfect model</th><th></th></tr></thead>"
            f"<tbody>{whole}{rows}</tbody></table>"
        )
    return "".join(parts)


def _calibration_row(name: str, group: Mapping[str, Any]) -> str:
    n, value, band = group.get("n_boxes") or 0, group.get("d_ece"), group.get("d_ece_band")
    if value is None or band is None:
        return (
            f'<tr><th scope="row">{escape(name)}</th><td>{n:,}</td><td>–</td><td>–</td>'
            '<td class="rk-v-unknown">too few boxes</td></tr>'
        )
    is_off = value > band[1]
    word = "off by more than chance explains" if is_off else "no worse than chance explains"
    return (
        f'<tr><th scope="row">{escape(name)}</th><td>{n:,}</td><td>{value:.3f}</td>'
        f"<td>{band[0]:.3f} to {band[1]:.3f}</td>"
        f'<td class="rk-v-{"worse" if is_off else "same"}">{word}</td></tr>'
    )
