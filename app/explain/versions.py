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
    """What each version says about the place, and its maps in one row each; all of them move together."""
    require(identity, Action.EVALUATIONS_READ)
    try:
        results = [_result_of(resources(), asked.set_id, asked.sha256, number) for number in asked.numbers]
    except WorkbenchError as error:
        st.error(str(error))
        return
    panes: list[MapPane] = []
    for result in results:
        index = nearest(result, asked.box)
        _draw_words(result, index)
        panes += _row(result, index)
    part = part_around_box(results[0], asked.box, margin_share=SHOWN_SHARE)
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


def _row(result: DetectionResult, index: int | None) -> list[MapPane]:
    explain = resources().services.explain
    if index is None:
        return [MapPane(f"{_name(result)}, {METHOD_WORDS[one]}", ("no box",), None, None) for one in Method]
    box = box_of(result, index)
    return [
        method_pane(
            f"{_name(result)}, {METHOD_WORDS[method]}",
            explain.explain(result, index, method),
            explain.faithfulness(result, index, method),
            box,
        )
        for method in Method
    ]


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
