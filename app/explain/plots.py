"""The plots of the page Explain."""

from collections.abc import Mapping

import plotly.graph_objects as go

from core.domain.explanations import METHOD_WORDS, Baseline, Curve, Faithfulness, Fill, Method
from core.domain.inspection import DetectionResult
from core.reports.map_picture import grey_part, part_around

#: Told apart by colour-blind people, and by dash.
_COLOURS = ("#4fa3e0", "#b07fd8", "#f0a13c", "#2fae8f")
_DASHES = ("solid", "dash", "dot", "dashdot")
_GREY = "#8a939b"


def curves(tested: Mapping[Method, Faithfulness], *, is_insertion: bool) -> go.Figure:
    """Score over the area that was put back, or taken away, for each method and the drawn Gaussian."""
    figure = go.Figure()
    for number, (method, found) in enumerate(tested.items()):
        if not found.is_empty:
            style = {"color": _COLOURS[number % 4], "dash": _DASHES[number % 4]}
            _add(figure, found.own[Fill.THIN_PLATE], METHOD_WORDS[method], style, is_insertion)
    first = next(iter(tested.values()), None)
    if first is not None:
        for baseline, dash in zip(Baseline, ("dot", "solid", "dash"), strict=True):
            curve = first.baselines[baseline][Fill.THIN_PLATE]
            _add(figure, curve, baseline.value, {"color": _GREY, "dash": dash, "width": 1}, is_insertion)
    what = "Put back" if is_insertion else "Taken away"
    figure.update_layout(
        height=300,
        margin={"l": 50, "r": 10, "t": 10, "b": 45},
        xaxis_title=f"{what}, areas of the box",
        yaxis_title="Share of the score",
    )
    figure.update_yaxes(range=[0, 1.05])
    return figure


def picture_to_draw_on(result: DetectionResult, index: int) -> go.Figure:
    """The surroundings of the box in px of the image; a rectangle can be dragged on it."""
    x0, y0, x1, y1 = part_around(result, index)
    grey = grey_part(result, (x0, y0, x1, y1))
    figure = go.Figure(
        go.Heatmap(
            z=grey, x0=x0 + 0.5, y0=y0 + 0.5, dx=1, dy=1, colorscale="gray", showscale=False, hoverinfo="x+y"
        )
    )
    left, top, right, bottom = (float(v) for v in result.detections.boxes[index])
    figure.add_shape(
        type="rect", x0=left, y0=top, x1=right, y1=bottom, line={"color": "#4fa3e0", "dash": "dash"}
    )
    # a selection needs points: one in each cell of a coarse grid, not seen
    columns = [x0 + (x1 - x0) * (i + 0.5) / 24 for i in range(24)]
    rows = [y0 + (y1 - y0) * (i + 0.5) / 24 for i in range(24)]
    figure.add_trace(
        go.Scatter(
            x=columns * 24,
            y=[y for y in rows for _ in columns],
            mode="markers",
            marker={"opacity": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.update_xaxes(title="x, px", constrain="domain")
    figure.update_yaxes(title="y, px", autorange="reversed", scaleanchor="x")
    figure.update_layout(height=380, margin={"l": 50, "r": 10, "t": 10, "b": 45}, dragmode="select")
    return figure


def _add(figure: go.Figure, curve: Curve, name: str, style: dict[str, object], is_insertion: bool) -> None:
    scores = curve.insertion if is_insertion else curve.deletion
    figure.add_trace(go.Scatter(x=curve.areas, y=scores, name=name, mode="lines", line=style))
