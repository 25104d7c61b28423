"""Draws the views of the page Compare."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.models.compare import actions, plots, rows, state
from app.models.compare.boxes import draw_boxes
from app.models.compare.export import report_of
from app.models.compare.state import BOXES, CALIBRATION, CURVES, ERRORS, GROUPS, MAP, POD, Choice
from app.models.compare.words import set_words
from app.models.pod import draw_pod
from app.shared.downloads import file_on_demand
from app.shared.resources import MODELS, resources
from app.shared.state import MODEL_KEY, chosen_model
from app.shared.templates import draw_html
from core.domain.accounts import Identity
from core.domain.kinds import MODEL_NAMES
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, may
from core.evaluate.comparison import VersionComparison
from core.evaluate.confusion import confusion
from core.evaluate.error_types import error_types
from core.evaluate.operating_figures import MeasuredVersion
from core.reports.comparison_report import ComparisonReport, comparison_html, comparison_pdf
from core.services.evaluation.evaluations import VersionOnSet, unseen
from core.services.evaluation.times_in_turn import timed_in_turn
from core.services.evaluation.version_records import pod_of
from core.store.evaluations import EvaluationSet

_GROUP_FIGURES = {"recall": "Recall at the operating point", "ap50": "AP50"}
_TEMPLATES = "models/compare/templates"
_NO_TOOLS = {"displayModeBar": False}


def draw_bar(identity: Identity) -> tuple[Choice, DeltaGenerator]:
    """Draw the choices and put them into the address.

    Returns:
        What is chosen, and the row of the views, where something more can be drawn.
    """
    service = resources().services.evaluations
    model = chosen_model()
    registered = resources().services.registry.names()
    models = [name for name in MODEL_NAMES if name in MODELS or name in registered]
    sets, versions = service.sets.all(identity, model), service.versions(identity, model)
    state.prepare(sets)
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare-bar"):
        st.segmented_control("Model", models, key=MODEL_KEY, on_change=state.forget, width="content")
        by_id = {one.set_id: one for one in sets}
        st.selectbox(
            "Evaluation set",
            list(by_id),
            key=state.SET,
            format_func=lambda key: by_id[key].name,
            placeholder="none yet",
            disabled=not by_id,
            width=250,
        )
        chosen = state.chosen_set(by_id)
        measured = service.measured_on(identity, chosen) if chosen else frozenset()
        named = {one.version: version_words(one, one.version in measured) for one in versions}
        numbers = st.multiselect(
            "Versions; the first is what the others are compared with",
            list(named),
            key=state.versions_key(model, named),
            max_selections=state.MOST_VERSIONS,
            width=420,
            placeholder="choose two or more",
            format_func=named.__getitem__,
        )
        st.toggle(
            "Each at its own point",
            key=state.OWN_POINT,
            help="The operating probability of each version's calibration; off: one for all.",
        )
        st.slider(
            "Operating probability",
            0.05,
            0.95,
            key=state.POINT,
            step=0.01,
            width=210,
            disabled=state.has_own_points(),
        )
    views = st.container(horizontal=True, vertical_alignment="center", key="compare-views")
    with views:
        st.segmented_control(
            "View",
            list(state.VIEWS),
            key=state.VIEW,
            format_func=state.VIEWS.__getitem__,
            label_visibility="collapsed",
            on_change=state.keep_view,
            width="content",
        )
    probability, view = state.chosen_probability(), state.chosen_view()
    state.put_into_address(model, chosen, numbers, probability, view)
    return Choice(model, sets, chosen, versions, tuple(numbers), measured, probability, view), views


def version_words(version: ModelVersion, is_measured: bool) -> str:
    """`v2 champion`, and whether it has to be measured first."""
    aliases = f" {', '.join(version.aliases)}" if version.aliases else ""
    return f"v{version.version}{aliases}{'' if is_measured else ' (not measured)'}"


def draw_view(
    identity: Identity, choice: Choice, chosen: EvaluationSet, found: Sequence[VersionOnSet]
) -> None:
    """The view that is chosen, of versions that were all measured; at least two."""
    service = resources().services.evaluations
    if choice.view == BOXES:
        draw_boxes(identity, chosen, found, choice.probability)
        return
    if choice.view == POD:
        records = resources().services.pod_records
        named = [(f"v{one.version.version}", pod_of(records, one.version)) for one in found]
        draw_pod(named, model=choice.model, key="compare.plot.pod", beside=chosen.name)
        return
    if choice.view == MAP:
        draw_maps(identity, chosen, found)
        return
    _draw_clean(identity, chosen, found)
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
        draw_findings(chosen, found, measured, comparisons, choice.probability)


def _draw_clean(identity: Identity, chosen: EvaluationSet, found: Sequence[VersionOnSet]) -> None:
    """The way to the images that none of the versions has seen, where some were."""
    is_clean = unseen(found)
    n, n_clean = len(is_clean), int(is_clean.sum())
    if n_clean == n:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="compare-clean"):
        if n_clean and may(identity.role, Action.EVALUATIONS_MANAGE):
            st.button(
                f"Judge on the {n_clean} clean images only",
                icon=":material/filter_alt:",
                key="compare.clean",
                on_click=actions.judge_clean,
                args=(chosen, tuple(one.version.version for one in found)),
                help="Makes a set of the images that neither trained nor calibrated one of these versions or "
                "a version that they go on from. What was measured counts on it at once.",
            )
        st.caption(
            f"{n - n_clean} of the {n} images were seen by one of them"
            + ("." if n_clean else ": none is left to judge on.")
        )


def draw_findings(
    chosen: EvaluationSet,
    found: Sequence[VersionOnSet],
    measured: Sequence[MeasuredVersion],
    comparisons: Sequence[VersionComparison],
    probability: float | None,
) -> None:
    """Draw the findings, the table under them, and the curve beside it."""
    names = plots.names_of(found)
    for name, comparison in zip(names[1:], comparisons, strict=True):
        draw_html(f"{_TEMPLATES}/findings.html", findings=rows.finding_rows(comparison, names[0], name))
    left, right = st.columns([11, 9], gap="medium")
    with left:
        _draw_figures(names, "figure", rows.main_rows(comparisons))
        records = resources().services.time_records
        is_in_turn, times = rows.latency_rows(found, partial(timed_in_turn, records))
        draw_html(f"{_TEMPLATES}/latency.html", is_in_turn=is_in_turn, times=times)
    with right:
        _plot(plots.precision_recall(found, measured, comparisons, 430), "compare.plot.findings")
    st.caption(f"{set_words(chosen, comparisons[0].n_parts)}. {rows.parts_words(comparisons[0].n_parts)}")
    draw_html(f"{_TEMPLATES}/provenance.html", versions=rows.provenance_rows(found))
    _draw_export(chosen, found, comparisons, probability)


def _draw_export(
    chosen: EvaluationSet,
    found: Sequence[VersionOnSet],
    comparisons: Sequence[VersionComparison],
    probability: float | None,
) -> None:
    """Buttons that write the comparison as a file when they are pressed."""
    records = resources().services.pod_records

    def written(write: Callable[[ComparisonReport], bytes]) -> Callable[[Identity], bytes]:
        def make(identity: Identity) -> bytes:
            pods = [pod_of(records, one.version) for one in found]
            return write(report_of(identity, chosen, found, comparisons, pods, probability))

        return make

    stem = f"{chosen.model_name}-{'-'.join(plots.names_of(found))}"
    files = {"html": (comparison_html, "text/html"), "pdf": (comparison_pdf, "application/pdf")}
    with st.container(horizontal=True, key="compare-export"):
        for suffix, (write, kind) in files.items():
            st.download_button(
                f"Export {suffix.upper()}",
                file_on_demand(written(write)),
                f"{stem}.{suffix}",
                kind,
                key=f"compare.export.{suffix}",
                icon=":material/download:",
            )


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
        key=state.GROUP_FIGURE,
        default="recall",
        label_visibility="collapsed",
    )
    figure = state.group_figure()
    left, right = st.columns([10, 9], gap="medium")
    with left:
        _draw_figures(plots.names_of(found), "class, or longer side", rows.group_rows(comparisons, figure))
    with right:
        _plot(plots.by_group(comparisons, found, figure), "compare.plot.groups", leads=True)
        st.caption("A point leads to what that version missed there.")
    st.caption(rows.parts_words(comparisons[0].n_parts))


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
    """Draw the reliability of the probabilities, with the floor of a perfect model, and by size."""
    left, right = st.columns([9, 10], gap="medium")
    with left:
        _plot(plots.reliability_plot(found), "compare.plot.reliability", leads=True)
        st.caption("Bars: 95 % (Wilson, as if boxes were independent). A point leads to its boxes.")
    with right:
        draw_html(f"{_TEMPLATES}/calibration.html", versions=rows.calibration_rows(found))


def draw_maps(identity: Identity, chosen: EvaluationSet, found: Sequence[VersionOnSet]) -> None:
    """Boxes of the first two versions by what they look like to its network."""
    for index, (column, one) in enumerate(zip(st.columns(2, gap="medium"), found, strict=False)):
        number = one.version.version
        kept = resources().services.box_maps.of(identity, chosen, number)
        with column:
            if kept is None:
                st.caption(f"v{number}: no map yet. On the server:")
                st.code(f'radikal evaluation-sets map "{chosen.name}" --version {number}', language=None)
            else:
                _plot(plots.box_map(f"v{number}", index, kept), f"compare.plot.map{index}", leads=True)
    st.caption(
        "Features of the network pooled over each box, along their two main axes (PCA). Boxes that lie "
        "together look alike to that version. A point leads to its box."
    )


def _draw_figures(names: Sequence[str], head: str, lines: Sequence[dict[str, Any]]) -> None:
    draw_html(f"{_TEMPLATES}/figures.html", names=names, head=head, lines=lines)


def _plot(figure: Any, key: str, *, leads: bool = False) -> None:
    draw_html(f"{_TEMPLATES}/title.html", title=figure.layout.meta)  # plotly cuts titles that wrap
    if leads:
        st.plotly_chart(
            figure, key=key, config=_NO_TOOLS, on_select=actions.open_point(key), selection_mode="points"
        )
    else:
        st.plotly_chart(figure, key=key, config=_NO_TOOLS)
