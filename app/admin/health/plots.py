"""The last hours as plots: how long things took, how much was asked, what waited."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import plotly.graph_objects as go

from core.services.operations.alerts import times_of
from core.services.operations.minutes import KEPT, Minute, Times, merged

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
_HEIGHT_PX = 236
#: Levels below this are drawn on an axis of this height: one image that waits fills no plot.
_LOW_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A time up to now that is shown, and the width of a point in it."""

    words: str
    length: timedelta
    n_minutes: int

    @property
    def step(self) -> timedelta:
        """Width of a point."""
        return timedelta(minutes=self.n_minutes)


DAY = Span("24 hours", KEPT, 5)
SPANS = (Span("hour", timedelta(hours=1), 1), Span("6 hours", timedelta(hours=6), 2), DAY)


@dataclass(frozen=True, slots=True)
class Steps:
    """The minutes of a span by step.

    Attributes:
        begins: of each step, UTC.
        minutes: in each step; none of one in which nothing served.
        step: width of each.
    """

    begins: list[datetime]
    minutes: list[list[Minute]]
    step: timedelta


def by_step(minutes: Sequence[Minute], now: datetime, span: Span = DAY) -> Steps:
    """The minutes of the span that ends now."""
    first = now - span.length
    first = first.replace(minute=first.minute - first.minute % span.n_minutes, second=0, microsecond=0)
    n = int((now - first) / span.step) + 1
    steps: list[list[Minute]] = [[] for _ in range(n)]
    for minute in minutes:
        if 0 <= (place := math.floor((minute.at - first) / span.step)) < n:
            steps[place].append(minute)
    return Steps([first + i * span.step for i in range(n)], steps, span.step)


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


def times(steps: Steps) -> go.Figure:
    """Time within which 95 of 100 were done."""
    figure = _figure(steps)
    by_kind = [kinds(found) for found in steps.minutes]
    drawn: list[float] = []
    for kind, style in _STYLES.items():
        of_kind = [found[kind] for found in by_kind]
        slow = [one.quantile(_95) for one in of_kind]
        if not any(one.n for one in of_kind):
            continue
        drawn += [value for value in slow if value is not None]
        told = [f"{one.n} · half within {in_words(one.quantile(_HALF) or 0)}" for one in of_kind]
        figure.add_trace(
            go.Scatter(
                x=steps.begins, y=slow, name=kind, line=style, mode="lines+markers",
                marker={"size": 4}, customdata=told, hovertemplate="%{y:.2~f} s · %{customdata}",
            )
        )  # fmt: skip
    low, high = (math.floor(math.log10(min(drawn))), math.ceil(math.log10(max(drawn)))) if drawn else (-2, 0)
    decades = [10**n for n in range(low, max(high, low + 1) + 1)]
    figure.update_yaxes(
        title="s, 95 of 100 within", type="log", range=[low, max(high, low + 1)],
        tickvals=decades, ticktext=[f"{value:g}" for value in decades],
    )  # fmt: skip
    return _told(figure, _times_told(kinds([minute for found in steps.minutes for minute in found])))


def requests(steps: Steps) -> go.Figure:
    """Requests of each step, those that failed apart."""
    figure = _figure(steps)
    counts = [requests_of(found) for found in steps.minutes]
    at = [moment + steps.step / 2 for moment in steps.begins]
    fine = [one.n - one.n_failed for one in counts]
    figure.add_trace(go.Bar(x=at, y=fine, name="answered", marker={"color": _BLUE}))
    failed = [one.n_failed for one in counts]
    style = {"color": _RED, "pattern": {"shape": "/"}}
    figure.add_trace(go.Bar(x=at, y=failed, name="failed (500 and above)", marker=style))
    figure.update_layout(barmode="stack", bargap=0, legend={"traceorder": "normal"})
    n_minutes = steps.step // timedelta(minutes=1)
    figure.update_yaxes(
        title="in a minute" if n_minutes == 1 else f"in {n_minutes} minutes", rangemode="tozero"
    )
    n, n_failed = sum(one.n for one in counts), sum(failed)
    return _told(figure, f"{n:,} requests, {n_failed:,} of them failed" if n else "No request")


def waiting(steps: Steps) -> go.Figure:
    """Most that waited at once in each step."""
    figure = _figure(steps)
    most = highest = 0.0
    for level, name, style in (
        ("analysis_queue", "images for the network", {"color": _BLUE}),
        ("jobs_queued", "jobs, waiting", {"color": "#d9a03c", "dash": "dash"}),
        ("jobs_running", "jobs, running", {"color": _GREY, "dash": "dot"}),
    ):
        values = [
            max((one.levels[level] for one in found if level in one.levels), default=None)
            for found in steps.minutes
        ]
        top = max((value for value in values if value is not None), default=0)
        highest = max(highest, top)
        most = most if level == "jobs_running" else max(most, top)
        figure.add_trace(
            go.Scatter(
                x=steps.begins, y=values, name=name, line={**style, "shape": "hv"},
                mode="lines+markers", marker={"size": 3},
            )
        )  # fmt: skip
    range_ = {"range": [0, _LOW_LEVEL], "dtick": 1} if highest < _LOW_LEVEL else {"rangemode": "tozero"}
    figure.update_yaxes(title="at the end of a minute", tickformat="d", **range_)
    return _told(figure, f"At most {most:.0f} waited at once" if most else "Nothing waited")


def _times_told(found: dict[str, Times]) -> str:
    told = [
        f"{kind} {in_words(slow)}" for kind, one in found.items() if (slow := one.quantile(_95)) is not None
    ]
    return f"95 of 100 within: {', '.join(told)}" if told else "Nothing was measured yet"


def _figure(steps: Steps) -> go.Figure:
    """An empty plot of the span, grey where there are no figures."""
    figure = go.Figure()
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 56, "r": 8, "t": 30, "b": 28},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "bgcolor": "rgba(0,0,0,0)"},
        hovermode="x unified",
        uirevision="kept",  # a zoom survives the next look
    )
    figure.update_xaxes(
        range=[steps.begins[0], steps.begins[-1] + steps.step], type="date", tickformat="%H:%M"
    )
    for begin, end in _gaps(steps):
        figure.add_vrect(x0=begin, x1=end, fillcolor=_GREY, opacity=0.15, line_width=0)
    return figure


def _gaps(steps: Steps) -> list[tuple[datetime, datetime]]:
    """Begin and end of each time without a minute; the running one is written at its end."""
    gaps: list[tuple[datetime, datetime]] = []
    for at, found in zip(steps.begins[:-2], steps.minutes, strict=False):
        if found:
            continue
        if gaps and gaps[-1][1] == at:
            gaps[-1] = (gaps[-1][0], at + steps.step)
        else:
            gaps.append((at, at + steps.step))
    return gaps


def _told(figure: go.Figure, finding: str) -> go.Figure:
    figure.update_layout(meta=finding)
    return figure
