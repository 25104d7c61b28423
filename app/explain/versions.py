"""One place of an evaluation set, explained in several versions side by side."""

from functools import lru_cache

import numpy as np
import streamlit as st

from app.explain import state
from app.explain.panes import SHOWN_SHARE, box_of, method_pane
from app.explain.state import VersionsAsked
from app.shared.components.map_panes.map_panes import MapPane, map_panes
from app.shared.resources import Resources, resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.explanation_standing import standing_words
from core.domain.explanations import METHOD_WORDS, Method
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.domain.reading import overlap
from core.reports.map_picture import part_around_box

#: A version reports a place when one of its boxes overlaps it by so much (IoU).
_SAME_IOU = 0.3
_KEPT_RESULTS = 4


def draw_versions(identity: Identity, asked: VersionsAsked) -> None:
    """What each version says about the place, and its maps in one row each; all of them move together.

    The boxes are shown at once, and the maps in their place when all of them are made.
    """
    require(identity, Action.EVALUATIONS_READ)
    told = st.progress(0.0, "Reading the image in each version")
    try:
        results = [_result_of(resources(), asked.set_id, asked.sha256, number) for number in asked.numbers]
    except WorkbenchError as error:
        told.empty()
        st.error(str(error))
        return
    found = [(result, nearest(result, asked.box)) for result in results]
    part = part_around_box(results[0], asked.box, margin_share=SHOWN_SHARE)
    shown = st.empty()
    with shown:
        map_panes(results[0], part, [_box_alone(*one) for one in found], key=f"{state.PANES}.boxes")
    for result, index in found:
        _draw_words(result, index)
    panes: list[MapPane] = []
    for result, index in found:
        for method in Method:
            told.progress(len(panes) / (len(found) * len(Method)), f"{_title(result, method)}: map and test")
            panes.append(_pane(result, index, method))
    told.empty()
    with shown:
        map_panes(results[0], part, panes, key=state.PANES)


def nearest(result: DetectionResult, box: tuple[float, float, float, float]) -> int | None:
    """The detection that overlaps a place most; None where none does enough."""
    shared = [overlap(found, box) for found in result.detections.boxes.tolist()]
    best = int(np.argmax(shared)) if shared else -1
    return best if shared and shared[best] >= _SAME_IOU else None


def _draw_words(result: DetectionResult, index: int | None) -> None:
    services = resources().services
    title = f"**{_name(result)}**"
    if index is None:
        st.markdown(f"{title} reports nothing here.")
        return
    assert result.detections.probabilities is not None  # the service calibrates
    probability = float(result.detections.probabilities[index])
    without = services.without_it.without(result, index)
    standing = standing_words(services.explanation_records.of(result.model.sha256))
    st.markdown(f"{title}: probability {probability:.2f}; {without.words}. Maps: {standing}.")


def _box_alone(result: DetectionResult, index: int | None) -> MapPane:
    if index is None:
        return MapPane(_name(result), ("no box",), None, None)
    return MapPane(_name(result), ("its maps are being made",), None, box_of(result, index))


def _pane(result: DetectionResult, index: int | None, method: Method) -> MapPane:
    explain, title = resources().services.explain, _title(result, method)
    if index is None:
        return MapPane(title, ("no box",), None, None)
    made, tested = explain.explain(result, index, method), explain.faithfulness(result, index, method)
    return method_pane(title, made, tested, box_of(result, index))


def _title(result: DetectionResult, method: Method) -> str:
    return f"{_name(result)}, {METHOD_WORDS[method]}"


def _name(result: DetectionResult) -> str:
    return f"v{result.model.version}"


@lru_cache(maxsize=_KEPT_RESULTS)
def _result_of(held: Resources, set_id: str, sha256: str, number: int) -> DetectionResult:
    """What a version reports on an image of a set; whoever calls has checked that it may be seen."""
    sets = held.services.evaluations.sets
    with held.services.store.read() as work:
        chosen = work.evaluations.find_set(set_id)
    content = sets.content(chosen)
    radiograph = sets.read(content, sha256)
    name = content.images[content.digests.index(sha256)].file_name
    return held.services.detect.detect(radiograph, name, model=chosen.model_name, version=number)
