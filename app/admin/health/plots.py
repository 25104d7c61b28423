"""The last day as plots: how long things took, how much was asked, what waited."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

from core.services.operations.alerts import times_of
from core.services.operations.minutes import KEPT, Minute, Times, merged

#: Width of a point in the plots.
STEP = timedelta(minutes=5)
_95, _HALF = 0.95, 0.5
_QUIET = "api health", "static", "_stcore", "component", "metrics"
#: Told apart by dash, too.
_STYLES = {
    "page runs": {"color": "#4fa3e0", "dash": "solid"},
    "API": {"color": "#d9a03c", "dash": "dash"},
    "API detect": {"color": "#b07fd8", "dash": "dashdot"},
    "radiographs read": {"color": "#2fae8f", "dash": "dot"},
}
_RED, _BLUE, _GREY = "#e0564f", "#4fa3e0", "#8a939b"
_HEIGHT_PX = 250


def by_step(minutes: Sequence[Minute], now: datetime) -> list[tuple[datetime, list[Minute]]]:
    """Begin of each step of the last day, and the minutes in it: none while nothing served."""
    first = now - KEPT
    first = first.replace(minute=first.minute - first.minute % 5, second=0, microsecond=0)
    n = int((now - first) / STEP) + 1
    steps: list[list[Minute]] = [[] for _ in range(n)]
    for minute in minutes:
        if 0 <= (place := int((minute.at - first) / STEP)) < n:
            steps[place].append(minute)
    return [(first + i * STEP, found) for i, found in enumerate(steps)]


def kinds(minutes: Sequence[Minute]) -> dict[str, Times]:
    """Times by the kinds of the plot: runs of pages, the API without detect, detect, radiographs."""
    answers = times_of(minutes, "answer ")
    api = {area: times for area, times in answers.items() if area.startswith("api ")}
    return {
        "page runs": merged(times_of(minutes, "run ").values()),
        "API": merged(t for area, t in api.items() if area not in ("api detect", "api health")),
        "API detect": api.get("api detect", Times()),
        "radiographs read": merged(times_of(minutes, "read ").values()),
    }


def requests_of(minutes: Sequence[Minute]) -> Times:
    """All requests but those of machines that look after it, and of files of the pages."""
    answers = times_of(minutes, "answer ")
    return merged(times for area, times in answers.items() if area not in _QUIET)


def in_words(seconds: float) -> str:
    """A time with its unit: "40 ms", "1.2 s"."""
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def times(steps: Sequence[tuple[datetime, list[Minute]]]) -> go.Figure:
    """Time within which 95 of 100 were done, over the day."""
    figure = _figure(steps)
    by_kind = [kinds(found) for _, found in steps]
    for kind, style in _STYLES.items():
        of_kind = [found[kind] for found in by_kind]
        slow = [one.quantile(_95) for one in of_kind]
        if not any(one.n for one in of_kind):
            continue
        told = [f"{one.n} · half within {in_words(one.quantile(_HALF) or 0)}" for one in of_kind]
        figure.add_trace(
            go.Scatter(
                x=[at for at, _ in steps], y=slow, name=kind, line=style, mode="lines+markers",
                marker={"size": 4}, customdata=told, hovertemplate="%{y:.2~f} s · %{customdata}",
            )
        )  # fmt: skip
    figure.update_yaxes(
        title="s, 95 of 100 within", type="log", tickvals=[0.001, 0.01, 0.1, 1, 10, 100],
        ticktext=["0.001", "0.01", "0.1", "1", "10", "100"],
    )  # fmt: skip
    return _told(figure, _times_told(kinds([minute for _, found in steps for minute in found])))


def requests(steps: Sequence[tuple[datetime, list[Minute]]]) -> go.Figure:
    """Requests of each step, those that failed apart."""
    figure = _figure(steps)
    counts = [requests_of(found) for _, found in steps]
    at = [moment + STEP / 2 for moment, _ in steps]
    fine = [one.n - one.n_failed for one in counts]
    figure.add_trace(go.Bar(x=at, y=fine, name="answered", marker={"color": _BLUE}))
    failed = [one.n_failed for one in counts]
    style = {"color": _RED, "pattern": {"shape": "/"}}
    figure.add_trace(go.Bar(x=at, y=failed, name="failed (500 and above)", marker=style))
    figure.update_layout(barmode="stack", bargap=0)
    figure.update_yaxes(title="in 5 minutes", rangemode="tozero")
    n, n_failed = sum(one.n for one in counts), sum(failed)
    return _told(figure, f"{n:,} requests, {n_failed:,} of them failed" if n else "No request")


def waiting(steps: Sequence[tuple[datetime, list[Minute]]]) -> go.Figure:
    """Most that waited at once in each step."""
    figure = _figure(steps)
    most = 0.0
    for level, name, style in (
        ("analysis_queue", "images for the network", {"color": _BLUE}),
        ("jobs_queued", "jobs, waiting", {"color": "#d9a03c", "dash": "dash"}),
        ("jobs_running", "jobs, running", {"color": _GREY, "dash": "dot"}),
    ):
        values = [
            max((m.levels[level] for m in found if level in m.levels), default=None) for _, found in steps
        ]
        most = max(most, *(value or 0 for value in values)) if level != "jobs_running" else most
        figure.add_trace(
            go.Scatter(x=[at for at, _ in steps], y=values, name=name, line={**style, "shape": "hv"})
        )
    figure.update_yaxes(title="at the end of a minute", rangemode="tozero", tickformat="d", minallowed=0)
    return _told(figure, f"At most {most:.0f} waited at once" if most else "Nothing waited")


def _times_told(found: dict[str, Times]) -> str:
    told = [
        f"{kind} {in_words(slow)}" for kind, one in found.items() if (slow := one.quantile(_95)) is not None
    ]
    return f"95 of 100 within: {', '.join(told)}" if told else "Nothing was measured yet"


def _figure(steps: Sequence[tuple[datetime, list[Minute]]]) -> go.Figure:
    """An empty day, grey where nothing served."""
    figure = go.Figure()
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 56, "r": 8, "t": 8, "b": 28},
        legend={"orientation": "h", "y": 1.12, "x": 0},
        hovermode="x unified",
        uirevision="kept",  # a zoom survives the next look
    )
    figure.update_xaxes(range=[steps[0][0], steps[-1][0] + STEP], tickformat="%H:%M")
    for begin, end in _gaps(steps):
        figure.add_vrect(x0=begin, x1=end, fillcolor=_GREY, opacity=0.15, line_width=0)
    return figure


def _gaps(steps: Sequence[tuple[datetime, list[Minute]]]) -> list[tuple[datetime, datetime]]:
    """Begin and end of each time without a minute; the running step has none yet."""
    gaps: list[tuple[datetime, datetime]] = []
    for at, found in steps[:-1]:
        if found:
            continue
        if gaps and gaps[-1][1] == at:
            gaps[-1] = (gaps[-1][0], at + STEP)
        else:
            gaps.append((at, at + STEP))
    return gaps


def _told(figure: go.Figure, finding: str) -> go.Figure:
    figure.update_layout(meta=finding)
    return figure
