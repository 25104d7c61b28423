"""The plots of a comparison; the layout's `meta` is a title that says what is to be seen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.models.compare.words import figure_words
from core.evaluate.calibration_error import reliability
from core.evaluate.comparison import Conclusion, VersionComparison
from core.evaluate.confusion import Confusion
from core.evaluate.error_types import ErrorType
from core.evaluate.operating_figures import MeasuredVersion
from core.evaluate.proportion import wilson_interval
from core.evaluate.version_figures import AP50, Band
from core.services.evaluation.box_maps import OUTCOMES, BoxMap
from core.services.evaluation.evaluations import VersionOnSet

#: Told apart by colour-blind people; lines differ by dash, points by shape as well.
COLOURS = ("#4fa3e0", "#f0a13c", "#b07fd8", "#2fae8f")
_DASHES = ("solid", "dash", "dot", "dashdot")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up")
_ERRORS = (
    ErrorType.MISSED,
    ErrorType.BACKGROUND,
    ErrorType.LOCALISATION,
    ErrorType.DUPLICATE,
    ErrorType.CLASS,
)
_HEIGHT = 540


def names_of(found: Sequence[VersionOnSet]) -> list[str]:
    """`v2` and so on."""
    return [f"v{one.version.version}" for one in found]


def precision_recall(
    found: Sequence[VersionOnSet],
    measured: Sequence[MeasuredVersion],
    comparisons: Sequence[VersionComparison],
    height: int = _HEIGHT,
) -> go.Figure:
    """Precision over recall with 95 % bands and the operating points."""
    names = names_of(found)
    areas = (f"{n} {m.points.get(AP50, float('nan')):.3f}" for n, m in zip(names, measured, strict=True))
    verdicts = [
        f"{name} {row.verdict.value}"
        for name, comparison in zip(names[1:], comparisons, strict=True)
        if (row := comparison.named(AP50)) is not None
    ]
    title = f"Area under precision and recall: {', '.join(areas)}: {', '.join(verdicts)}"
    figure = _figure(title, "Recall", "Precision", height)
    for index, one in enumerate(measured):
        _add_band(figure, one.fixed.precision_recall, names[index], index)
        x, y = one.points.get("recall"), one.points.get("precision")
        if x is not None and y is not None:
            _add_point(figure, x, y, names[index], index, one.operating.probability)
    figure.update_xaxes(range=[0, 1.02])
    figure.update_yaxes(range=[0, 1.02])
    return figure


def froc(found: Sequence[VersionOnSet], measured: Sequence[MeasuredVersion]) -> go.Figure:
    """Share found over false calls an image, with 95 % bands and the operating points."""
    names = names_of(found)
    at_one = [float(np.interp(1.0, one.fixed.froc.x, one.fixed.froc.y)) for one in measured]
    listed = ", ".join(f"{name} {value:.2f}" for name, value in zip(names, at_one, strict=True))
    figure = _figure(f"Found at one false call an image: {listed}", "False calls an image", "Share found")
    for index, one in enumerate(measured):
        _add_band(figure, one.fixed.froc, names[index], index)
        x, y = one.points.get("false_calls_per_image"), one.points.get("recall")
        if x and y is not None:
            _add_point(figure, x, y, names[index], index, one.operating.probability)
    figure.update_xaxes(
        type="log", range=[np.log10(0.05), 2], tickvals=[0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64]
    )
    figure.update_yaxes(range=[0, 1.02])
    return figure


def by_group(
    comparisons: Sequence[VersionComparison], found: Sequence[VersionOnSet], figure_name: str
) -> go.Figure:
    """One figure by class and size: points with 95 % intervals."""
    names = names_of(found)
    rows = [row for row in comparisons[0].by_group if row.figure.startswith(f"{figure_name}:")]
    told = [row for row in rows if row.verdict.value in ("better", "worse")]
    is_judged = any(row.verdict is not Conclusion.NOT_JUDGED for row in rows)
    said = ", ".join(f"{figure_words(r.figure).title} {r.verdict.value}" for r in told[:3]) or (
        "no class or size stands out" if is_judged else "nothing is judged"
    )
    base = figure_words(figure_name).title
    figure = _figure(
        f"{base} by class and size; {names[-1] if len(names) == 2 else names[1]}: {said}", base, ""
    )
    titles = [figure_words(row.figure).title for row in rows]
    for index, name in enumerate(names):
        source = comparisons[max(0, index - 1)]
        own = [source.named(row.figure) for row in rows]
        values = [(r.first if index == 0 else r.second) if r else None for r in own]
        ends = [(r.first_interval if index == 0 else r.second_interval) if r else None for r in own]
        figure.add_trace(
            go.Scatter(
                x=values,
                y=[position + 0.16 * (index - (len(names) - 1) / 2) for position in range(len(titles))],
                mode="markers",
                name=name,
                marker={"color": COLOURS[index], "symbol": _SYMBOLS[index], "size": 9},
                error_x=_error_bars(values, ends),
                customdata=[[f"missed:{index}:{row.figure.partition(':')[2]}"] for row in rows],
                hovertemplate=f"{name} %{{x:.3f}}<extra></extra>",
            )
        )
    figure.update_yaxes(tickvals=list(range(len(titles))), ticktext=titles, autorange="reversed")
    figure.update_xaxes(range=[0, 1.02])
    return figure


def errors(found: Sequence[VersionOnSet], counts: Sequence[dict[ErrorType, int]]) -> go.Figure:
    """Plot of the numbers of errors by kind."""
    names = names_of(found)
    worst = [max(_ERRORS, key=lambda kind: one[kind]) for one in counts]
    said = "; ".join(f"{n}: mostly {w.value}, {c[w]:,}" for n, w, c in zip(names, worst, counts, strict=True))
    figure = _figure(f"Errors at the operating point. {said}", "", "Boxes")
    for index, one in enumerate(counts):
        figure.add_trace(
            go.Bar(
                x=[kind.value for kind in _ERRORS],
                y=[one[kind] for kind in _ERRORS],
                name=names[index],
                marker={"color": COLOURS[index], "pattern": {"shape": ("", "/", ".", "x")[index]}},
                text=[f"{one[kind]:,}" for kind in _ERRORS],
                textposition="outside",
                cliponaxis=False,
                customdata=[[f"error:{index}:{kind.value}"] for kind in _ERRORS],
                hovertext=[kind.meaning for kind in _ERRORS],
                hovertemplate="%{hovertext}<br>%{y:,}<extra>" + names[index] + "</extra>",
            )
        )
    figure.update_layout(barmode="group")
    return figure


def confusion(name: str, index: int, one: Confusion, *, is_dark: bool) -> go.Figure:
    """Counts of recorded and reported classes, shares of the recorded ones as shade."""
    kept = np.flatnonzero((one.counts.sum(axis=0) + one.counts.sum(axis=1)) > 0)
    kept = np.union1d(kept, [len(one.classes) - 1])
    counts, classes = one.counts[np.ix_(kept, kept)], [one.classes[index] for index in kept]
    right = int(np.trace(counts[:-1, :-1]))
    found = int(counts[:-1, :-1].sum())
    share = f"{right / found:.0%}" if found else "none"
    figure = _figure(f"{name}: of {found:,} found, {share} under the recorded class", "Reported", "Recorded")
    rows = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    columns = [*classes[:-1], "missed"]
    lines = [*classes[:-1], "nothing (false call)"]
    text = [[f"{value:,}" if value else "" for value in row] for row in counts]
    keys = [[f"confusion:{index}:{a}:{b}" for b in classes] for a in classes]
    figure.add_trace(
        go.Heatmap(
            z=rows,
            x=columns,
            y=lines,
            text=text,
            texttemplate="%{text}",
            showscale=False,
            textfont={"color": "#f2f4f6" if is_dark else "#16191c", "size": 13},
            colorscale=[[0, "rgba(79, 163, 224, 0.04)"], [1, "rgba(79, 163, 224, 0.62)"]],
            zmin=0,
            zmax=1,
            xgap=1,
            ygap=1,
            hoverinfo="skip",
        )
    )
    # what a click can choose: heat maps report none
    xs, ys = np.meshgrid(columns, lines)
    figure.add_trace(
        go.Scatter(
            x=xs.ravel(),
            y=ys.ravel(),
            mode="markers",
            customdata=np.array(keys).reshape(-1, 1),
            showlegend=False,
            marker={"size": 30, "opacity": 0, "symbol": "square"},
            text=[
                f"{n:,} boxes, {share:.0%} of the row"
                for n, share in zip(counts.flat, rows.flat, strict=True)
            ],
            hovertemplate="recorded %{y}, reported %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    return figure


def reliability_plot(found: Sequence[VersionOnSet], n_bins: int = 10) -> go.Figure:
    """Share true over probability with 95 % intervals; counts stand at each point."""
    names, said = names_of(found), []
    figure = _figure("", "Probability", "Share true")
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            line={"color": "#8a929a", "width": 1, "dash": "dot"},
            hoverinfo="skip",
            name="perfect",
        )
    )
    for index, one in enumerate(found):
        if one.stored is None:
            continue
        table, summary = one.stored.outcomes, one.stored.summary
        kept = table.scores >= table.score_cut
        bins = reliability(table.probabilities[kept], table.matched[kept] >= 0, n_bins)
        ends = [wilson_interval(round(share * n), n) for _, share, n in bins]
        values = [share for _, share, _ in bins]
        edges = np.array([mean for mean, _, _ in bins])
        cuts = [0.0, *((edges[1:] + edges[:-1]) / 2), 1.0]
        said.append(f"{names[index]} {_calibration_words(summary)}")
        figure.add_trace(
            go.Scatter(
                x=edges,
                y=values,
                mode="lines+markers",
                name=names[index],
                error_y=_error_bars(values, ends),
                line={"color": COLOURS[index], "dash": _DASHES[index], "width": 1},
                marker={"color": COLOURS[index], "symbol": _SYMBOLS[index], "size": 8},
                customdata=[[f"bin:{index}:{a:.4f}:{b:.4f}"] for a, b in zip(cuts, cuts[1:], strict=False)],
                text=[f"{n:,} boxes" for _, _, n in bins],
                hovertemplate="probability %{x:.3f}: %{y:.3f} true, %{text}<extra>"
                + names[index]
                + "</extra>",
            )
        )
    figure.update_layout(meta="Calibration: " + "; ".join(said))
    figure.update_xaxes(range=[0, 1.02])
    figure.update_yaxes(range=[0, 1.02])
    return figure


def box_map(name: str, index: int, one: BoxMap) -> go.Figure:
    """Boxes as points, coloured by outcome; a point leads to its box."""
    counts = ", ".join(f"{int((one.outcome == k).sum()):,} {words}" for k, words in enumerate(OUTCOMES))
    axes = [f"axis {n + 1}, {share:.0%} of the variance" for n, share in enumerate(one.shares.tolist())]
    figure = _figure(f"{name}: {counts}", *axes)
    for kind, words in enumerate(OUTCOMES):
        members = np.flatnonzero(one.outcome == kind)
        figure.add_trace(
            go.Scatter(
                x=one.positions[members, 0],
                y=one.positions[members, 1],
                mode="markers",
                name=words,
                marker={"color": COLOURS[kind], "symbol": _SYMBOLS[kind], "size": 7, "opacity": 0.75},
                customdata=[[f"one:{index}:{one.box[m]}:{one.truth[m]}"] for m in members],
                hovertemplate=words + "<extra>" + name + "</extra>",
            )
        )
    return figure


def _calibration_words(summary: Any) -> str:
    value, band = summary.get("d_ece"), summary.get("d_ece_band")
    if value is None or band is None:
        return "not evaluable"
    inside = "no worse than chance explains" if value <= band[1] else "off by more than chance explains"
    return f"D-ECE {value:.3f} (perfect: up to {band[1]:.3f}), {inside}"


def _figure(title: str, x: str, y: str, height: int = _HEIGHT) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        meta=title,
        height=height,
        margin={"l": 10, "r": 10, "t": 34, "b": 10},
        hovermode="closest",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        xaxis={"title": {"text": x}},
        yaxis={"title": {"text": y}},
        dragmode=False,
    )
    return figure


def _add_band(figure: go.Figure, band: Band, name: str, index: int) -> None:
    colour = COLOURS[index]
    if np.isfinite(band.low).all():
        figure.add_trace(
            go.Scatter(
                x=[*band.x, *band.x[::-1]],
                y=[*band.high, *band.low[::-1]],
                fill="toself",
                mode="lines",
                line={"width": 0},
                fillcolor=_faint(colour),
                hoverinfo="skip",
                showlegend=False,
            )
        )
    figure.add_trace(
        go.Scatter(
            x=band.x,
            y=band.y,
            mode="lines",
            name=name,
            line={"color": colour, "dash": _DASHES[index], "width": 2},
            hovertemplate="%{x:.2f}, %{y:.3f}<extra>" + name + "</extra>",
        )
    )


def _add_point(figure: go.Figure, x: float, y: float, name: str, index: int, probability: float) -> None:
    figure.add_trace(
        go.Scatter(
            x=[x],
            y=[y],
            mode="markers",
            showlegend=False,
            name=name,
            marker={
                "color": COLOURS[index],
                "symbol": _SYMBOLS[index],
                "size": 12,
                "line": {"width": 2, "color": "#fff"},
            },
            hovertemplate=f"{name} at probability {probability:.2f}: %{{x:.3f}}, %{{y:.3f}}<extra></extra>",
        )
    )


def _error_bars(values: Sequence[float | None], ends: Sequence[tuple[float, float] | None]) -> dict[str, Any]:
    pairs = list(zip(values, ends, strict=True))
    up = [0.0 if v is None or e is None else max(0.0, e[1] - v) for v, e in pairs]
    down = [0.0 if v is None or e is None else max(0.0, v - e[0]) for v, e in pairs]
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.2, "width": 3}


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.16)"
