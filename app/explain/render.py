"""Draws the page Explain."""

import io

import numpy as np
import streamlit as st

from app.explain import plots, state
from app.explain.panes import SHOWN_SHARE, box_of, method_pane
from app.explain.rows import report_address, similar_content
from app.shared.components.map_panes.map_panes import map_panes
from app.shared.resources import resources
from app.shared.templates import draw_html
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.explanation_standing import QUICK, first_words, methods_in_order, standing_words, trust_words
from core.domain.explanations import METHOD_WORDS, Faithfulness, Method
from core.domain.inspection import DetectionResult, HeatMap
from core.reports.map_picture import map_picture, part_around_box
from core.services.intake.report_maps import MOST_MAPS

_NO_TOOLS = {"displayModeBar": False}


def draw_nothing() -> None:
    """The page before a box was chosen, with the ways there."""
    st.html(
        '<div class="rk-welcome"><h1>Explain one indication</h1><p class="rk-muted">Select an indication '
        "on the inspection page and choose <b>Explain</b> under Details, or name an inspection: its number "
        "stands in the address of its record under History.</p></div>"
    )
    st.text_input("Inspection", key=state.NAMED, on_change=state.choose_inspection, width=420)


def reported(identity: Identity) -> tuple[DetectionResult, int] | None:
    """The result and the box of the address; None, with the reason drawn, where they cannot be shown."""
    try:
        return resources().services.inspect_files.reported(
            identity, state.asked_inspection(), state.asked_box()
        )
    except WorkbenchError as error:
        st.error(str(error))
        return None


def draw_head(result: DetectionResult, index: int) -> None:
    """Which box of which image, and what was measured of the version."""
    figures = resources().services.explanation_records.of(result.model.sha256)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state.prepare_box()
        st.number_input("Box", 1, max(len(result.detections), 1), key=state.NUMBER, width=110,
                        on_change=state.choose_box)  # fmt: skip
        st.caption(
            f"{result.name} · {result.model.name} v{result.model.version} · "
            f"{result.detections.classes[index].value} · maps: {standing_words(figures)}"
        )
    if why := first_words(figures):
        st.caption(f"{why[0].upper()}{why[1:]}.")
    without = resources().services.without_it.without(result, index)
    trust = trust_words(figures)
    by_fill = ", ".join(f"{kind} {after:.2f}" for kind, after in without.after.items())
    st.markdown(f"**Without it:** {without.words}. By fill: {by_fill}." + (f" {trust}." if trust else ""))


def draw_methods(result: DetectionResult, index: int) -> None:
    """All maps side by side, each with how far to believe it; then their curves and their agreement."""
    explain = resources().services.explain
    maps: dict[Method, HeatMap] = {}
    tested: dict[Method, Faithfulness] = {}
    told = st.progress(0.0, "Making the maps; choosing another box stops it")
    methods = _methods(result)
    for number, method in enumerate(methods, start=1):
        told.progress((number - 0.5) / len(methods), f"{METHOD_WORDS[method]}: map and test")
        maps[method] = explain.explain(result, index, method)
        tested[method] = explain.faithfulness(result, index, method)
    told.empty()
    box = box_of(result, index)
    panes = [method_pane(METHOD_WORDS[one], maps[one], tested[one], box) for one in methods]
    map_panes(result, part_around_box(result, box, margin_share=SHOWN_SHARE), panes, key=state.PANES)
    agreement = explain.agreement(result, index, methods)
    if agreement is not None:
        st.caption(
            f"Agreement, from the maps alone: rank correlation {agreement.rank_correlation:.2f}, overlap of "
            f"the highest half box {agreement.top_overlap:.2f}; {len(agreement.methods)} maps are not empty."
        )
    draw_exports(result, index, maps)
    left, right = st.columns(2)
    left.plotly_chart(plots.curves(tested, is_insertion=False), key="explanations.deletion", config=_NO_TOOLS)
    right.plotly_chart(
        plots.curves(tested, is_insertion=True), key="explanations.insertion", config=_NO_TOOLS
    )


def draw_exports(result: DetectionResult, index: int, maps: dict[Method, HeatMap]) -> None:
    """Each map as a picture, and all of them as NumPy arrays with their places."""
    stem = f"{result.radiograph.sha256[:12]}-box{index + 1}"
    with st.container(horizontal=True):
        st.download_button("Maps (NumPy)", _arrays(maps), f"{stem}-maps.npz", key="explanations.npz")
        for method, heat in maps.items():
            picture, name = map_picture(result, index, heat), f"{stem}-{method}.png"
            key = f"explanations.png.{method}"
            st.download_button(f"PNG: {METHOD_WORDS[method]}", picture, name, "image/png", key=key)


def draw_similar(identity: Identity, result: DetectionResult, index: int) -> None:
    """The confirmed and dismissed indications that look most like this one, with who decided and when."""
    found = resources().services.similar(identity).similar_to(identity, result, index)
    draw_html("explain/templates/similar.html", **similar_content(found))


def draw_report(result: DetectionResult, index: int) -> None:
    """Choose boxes and methods, and the way to the report of the inspection with their maps in it."""
    st.markdown("**Report with maps**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        boxes = st.multiselect("Boxes", range(1, len(result.detections) + 1), [state.asked_box()], width=320,
                               key=f"{state.REPORTED_BOXES}.{index}")  # fmt: skip
        offered = _methods(result)
        methods = st.multiselect("Maps by", offered, [one for one in offered if one in QUICK], width=420,
                                 key=state.REPORTED_METHODS,
                                 format_func=METHOD_WORDS.__getitem__)  # fmt: skip
        n = len(boxes) * len(methods)
        st.link_button("PDF report", report_address(state.asked_inspection(), boxes, methods),
                       icon=":material/picture_as_pdf:", disabled=not 0 < n <= MOST_MAPS,
                       help=f"1 to {MOST_MAPS} maps, each with its test; {n} are chosen")  # fmt: skip


def draw_what_if(result: DetectionResult, index: int) -> None:
    """A rectangle that is dragged on the picture is hidden instead of the box."""
    st.markdown("**What if another region were not there?** Drag a rectangle on the picture.")
    left, right = st.columns(2)
    with left:
        st.plotly_chart(plots.picture_to_draw_on(result, index), key=state.WHAT_IF, config=_NO_TOOLS,
                        on_select="rerun", selection_mode="box")  # fmt: skip
    region = state.drawn_region()
    if region is None:
        right.caption("Nothing is drawn yet.")
        return
    try:
        found = resources().services.without_it.without(result, index, hidden=region)
    except ValueError as error:
        right.warning(str(error))
        return
    x1, y1, x2, y2 = (round(v) for v in region)
    right.markdown(f"With x {x1} to {x2}, y {y1} to {y2} px hidden: {found.words}.")


def _methods(result: DetectionResult) -> tuple[Method, ...]:
    """All of them, the one that is shown first for the version at the front."""
    return methods_in_order(resources().services.explanation_records.of(result.model.sha256))


def _arrays(maps: dict[Method, HeatMap]) -> bytes:
    """An NPZ file: by method the values, and `x0, y0, peak` of its place and scale."""
    body = io.BytesIO()
    arrays: dict[str, np.ndarray] = {}
    for method, heat in maps.items():
        arrays[method.value] = heat.values
        arrays[f"{method.value}_place"] = np.array([heat.x0, heat.y0, heat.peak], np.float64)
    np.savez_compressed(body, **arrays)  # type: ignore[arg-type]  # its stub wants the flag of pickles
    return body.getvalue()
