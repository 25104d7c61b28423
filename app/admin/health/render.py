"""Draws the page Health."""

import streamlit as st

from app.admin.health import plots, rows
from app.shared.templates import draw_facts, draw_html
from core.services.health import Overview

_NO_TOOLS = {"displayModeBar": False}
_TEMPLATES = "admin/health/templates"


def draw(overview: Overview) -> None:
    """Draw what to look at, the state of each part, and the last day."""
    draw_html(f"{_TEMPLATES}/alerts.html", alerts=overview.alerts, **rows.headline(overview))
    content = overview.report.content
    latest = overview.minutes[-1] if overview.minutes else None
    for column, title, facts in zip(
        st.columns(3, gap="medium"),
        ("Parts", "What serves", "Kept safe"),
        (rows.parts(content), rows.serving(content, latest), rows.kept(content)),
        strict=True,
    ):
        with column:
            draw_html(f"{_TEMPLATES}/title.html", title=title)
            draw_facts(facts)
    draw_times(overview)


def draw_times(overview: Overview) -> None:
    """Draw the plots of the time that was chosen."""
    spans = {span.words: span for span in plots.SPANS}
    chosen = st.segmented_control(
        "The last", list(spans), default=plots.DAY.words, required=True, key="health.span",
        label_visibility="collapsed",
    )  # fmt: skip
    span = spans[chosen or plots.DAY.words]
    steps = plots.by_step(overview.minutes, overview.at, span)
    _plot("times", f"Last {span.words}", plots.times(steps))
    left, right = st.columns(2, gap="medium")
    with left:
        _plot("requests", "Requests", plots.requests(steps))
    with right:
        _plot("waiting", "Waiting", plots.waiting(steps))
    st.caption(
        "UTC; grey: no figures, because nothing served. Times are bounds, at most a quarter too high. Health "
        "checks and files of the pages are not counted. For weeks there are Prometheus and Grafana."
    )


def _plot(name: str, what: str, figure: plots.go.Figure) -> None:
    draw_html(f"{_TEMPLATES}/title.html", title=f"{what} · {figure.layout.meta}")
    st.plotly_chart(figure, key=f"health.{name}", config=_NO_TOOLS)
