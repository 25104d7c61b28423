"""The running reliability of a version, and which version served when."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from core.domain.serving import CHAMPION, ServedSpan
from core.evaluate.live_calibration import LiveCalibration

_HEIGHT, _ROW_PX, _LEAST_PX = 320, 26, 120
_BLUE, _ORANGE, _GREY = "#4fa3e0", "#f0a13c", "#7a8590"


def live_diagram(found: LiveCalibration) -> go.Figure:
    """Share confirmed over probability, with 95 % intervals and the line of a perfect model."""
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": _GREY, "dash": "dot"}, name="perfect")
    )
    share = [one.share_true for one in found.bins]
    figure.add_trace(
        go.Scatter(
            x=[one.mean_probability for one in found.bins],
            y=share,
            mode="markers+lines",
            name="confirmed",
            marker={"color": _BLUE, "size": 9},
            error_y={
                "type": "data",
                "array": [one.interval[1] - s for one, s in zip(found.bins, share, strict=True)],
                "arrayminus": [s - one.interval[0] for one, s in zip(found.bins, share, strict=True)],
                "color": _BLUE,
            },
            customdata=[[one.n_boxes] for one in found.bins],
            hovertemplate="%{customdata[0]} boxes, probability %{x:.2f}, confirmed %{y:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="Probability", range=[0, 1.02])
    figure.update_yaxes(title="Share confirmed", range=[0, 1.02])
    return _laid_out(figure, _HEIGHT)


def timeline(spans: Sequence[ServedSpan], now: datetime) -> go.Figure:
    """A bar for each time that a version bore an alias, one row a version."""
    figure = go.Figure()
    known = list(spans)
    for one in known:
        until = one.until or now
        words = "now" if one.until is None else f"{one.until:%Y-%m-%d %H:%M}"
        figure.add_trace(
            go.Bar(
                base=[one.since],
                x=[(until - one.since).total_seconds() * 1000],
                y=[f"v{one.version} {one.alias}"],
                orientation="h",
                marker={"color": _BLUE if one.alias == CHAMPION else _ORANGE},
                hovertemplate=f"v{one.version} {one.alias}, {one.since:%Y-%m-%d %H:%M} to {words} UTC: "
                f"{one.kind.label}<extra></extra>",
            )
        )
    rows = len({(one.version, one.alias) for one in known})
    figure.update_xaxes(type="date")
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(barmode="overlay")
    return _laid_out(figure, _LEAST_PX + _ROW_PX * rows)


def _laid_out(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
