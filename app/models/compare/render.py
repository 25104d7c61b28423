"""Draws the views of the page Compare."""

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from app.models.compare import plots, tables
from app.models.compare.choice import BOXES, CALIBRATION, CURVES, ERRORS, GROUPS, Choice, show_boxes
from app.models.compare.compare_boxes import draw_boxes
from app.models.compare.words import set_words
from app.shared.access import acting, current_identity
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.evaluate.comparison import VersionComparison
from core.evaluate.confusion import confusion
from core.evaluate.error_types import error_types
from core.evaluate.operating_figures import MeasuredVersion
from core.services.evaluation.evaluations import VersionOnSet
from core.store.evaluations import EvaluationSet

_GROUP_FIGURE = "compare.group_figure"
_GROUP_FIGURES = {"recall": "Recall at the operating point", "ap50": "AP50"}
_NO_TOOLS = {"displayModeBar": False}


def draw_view(
    identity: Identity, choice: Choice, chosen: EvaluationSet, found: Sequence[VersionOnSet]
) -> None:
    """The view that is chosen, of versions that were all measured; at least two."""
    service = resources().services.evaluations
    if choice.view == BOXES:
        draw_boxes(identity, chosen, found, choice.probability)
        return
    measured = [service.measured(identity, one.stored, choice.probability) for one in found if one.stored]
    comparisons = [service.compare(identity, found[0], one, choice.probability) for one in found[1:]]
    if choice.view == CURVES:
        draw_curves(found, measured, comparisons)
    elif choice.view == GROUPS:
        draw_groups(found, comparisons)
    elif choice.view == ERRORS:
        draw_errors(found, choice.probability)
    elif choice.view == CALIBRATION:
        draw_calibration(found)
    else:
        draw_findings(chosen, found, measured, comparisons)


def draw_findings(
    chosen: EvaluationSet,
    found: Sequence[VersionOnSet],
    measured: Sequence[MeasuredVersion],
    comparisons: Sequence[VersionComparison],
) -> None:
    """What can be said, the table it rests on, and the curve beside it."""
    names = plots.names_of(found)
    for name, comparison in zip(names[1:], comparisons, strict=True):
        st.html(tables.findings_html(comparison, names[0], name))
    left, right = st.columns([11, 9], gap="medium")
    with left:
        st.html(tables.figures_html(comparisons, found))
        st.html(tables.latency_html(found))
    with right:
        _plot(plots.precision_recall(found, measured, comparisons, 430), "compare.plot.findings")
    st.caption(f"{set_words(chosen, comparisons[0].n_parts)}. {tables.parts_words(comparisons[0].n_parts)}")
    st.html(tables.provenance_html(found))


def draw_curves(
    found: Sequence[VersionOnSet],
    measured: Sequence[MeasuredVersion],
    comparisons: Sequence[VersionComparison],
) -> None:
    """Precision and recall, and the free-response curve."""
    left, right = st.columns(2, gap="medium")
    with left:
        _plot(plots.precision_recall(found, measured, comparisons), "compare.plot.pr")
    with right:
        _plot(plots.froc(found, measured), "compare.plot.froc")
    st.caption(
        "Bands: 95 % at each point. The large mark is the operating point; the curves do not depend on it."
    )


def draw_groups(found: Sequence[VersionOnSet], comparisons: Sequence[VersionComparison]) -> None:
    """One figure by class and size; a point leads to what that version missed there."""
    st.segmented_control(
        "Figure",
        list(_GROUP_FIGURES),
        format_func=_GROUP_FIGURES.__getitem__,
        key=_GROUP_FIGURE,
        default="recall",
        label_visibility="collapsed",
    )
    figure = st.session_state.get(_GROUP_FIGURE) or "recall"
    left, right = st.columns([10, 9], gap="medium")
    with left:
        st.html(tables.groups_html(comparisons, found, figure))
    with right:
        _plot(plots.by_group(comparisons, found, figure), "compare.plot.groups", leads=True)
        st.caption("A point leads to what that version missed there.")
    st.caption(tables.parts_words(comparisons[0].n_parts))


def draw_errors(found: Sequence[VersionOnSet], probability: float | None) -> None:
    """Kinds of errors, and which class was taken for which; every bar and cell leads to its boxes."""
    stored = [one.stored for one in found if one.stored]
    counts = [error_types(one.outcomes, probability).counts() for one in stored]
    matrices = [confusion(one.outcomes, probability) for one in stored]
    names = plots.names_of(found)
    columns = st.columns([9, *([8] * min(2, len(found)))], gap="medium")
    with columns[0]:
        _plot(plots.errors(found, counts), "compare.plot.errors", leads=True)
    for index, matrix in enumerate(matrices[:2]):
        with columns[1 + index]:
            if matrix is None:
                st.caption(
                    f"{names[index]}: nothing can be confused, the recorded boxes bear no class that it "
                    "was taught."
                )
            else:
                _plot(
                    plots.confusion(names[index], index, matrix, is_dark=st.context.theme.type != "light"),
                    f"compare.plot.confusion{index}",
                    leads=True,
                )
    st.caption(
        "Of the first two versions a bar or a cell leads to its boxes. Kinds after TIDE (Bolya et al. 2020), "
        "matched at IoU 0.5; background is an overlap below 0.1 with everything recorded."
    )


def draw_calibration(found: Sequence[VersionOnSet]) -> None:
    """How far the probabilities can be believed, with the floor of a perfect model; by size below."""
    left, right = st.columns([9, 10], gap="medium")
    with left:
        _plot(plots.reliability_plot(found), "compare.plot.reliability", leads=True)
        st.caption("Bars: 95 % (Wilson, as if boxes were independent). A point leads to its boxes.")
    with right:
        st.html(tables.calibration_html(found))


def _plot(figure: Any, key: str, *, leads: bool = False) -> None:
    st.html(f'<h3 class="rk-plot-title">{escape(figure.layout.meta)}</h3>')  # plotly cuts titles that wrap
    if leads:
        st.plotly_chart(
            figure, key=key, config=_NO_TOOLS, on_select=_open_point(key), selection_mode="points"
        )
    else:
        st.plotly_chart(figure, key=key, config=_NO_TOOLS)


def _open_point(key: str) -> Any:
    @acting
    def opened() -> None:
        current_identity()
        points = st.session_state[key]["selection"]["points"]
        lead = next((one["customdata"] for one in points if one.get("customdata")), None)
        if lead is not None:
            show_boxes(str(lead[0] if isinstance(lead, list | tuple) else lead))

    return opened
