"""One inspected image as two versions read it: every place that either reports, with the class of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from app.models.compare import actions, state
from app.models.compare.notes.render import draw_note_form, notes_of
from app.shared.components.radiograph_pair.radiograph_pair import radiograph_pair
from app.shared.moments import minute
from app.shared.navigation import page_at
from app.shared.place_notes import draw_notes, noted_boxes
from app.shared.resources import Resources, resources
from app.shared.templates import draw_said
from app.shared.viewer_rows import PREVIEW_ABOVE_PX
from core.domain.accounts import Identity
from core.domain.correction_findings import MOVED, SAME_BOX_IOU
from core.domain.errors import WorkbenchError
from core.domain.flaw_group import GroupClaim
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from core.domain.model_version import ModelVersion
from core.domain.permissions import Action, require
from core.domain.place_notes import NoteThread
from core.domain.radiograph import Polarity
from core.domain.reading import overlap
from core.domain.records import Inspection
from core.store.images import StoredImage

_KEPT_RESULTS = 8
_NONE = "–"
_CLASS, _MOVED, _ALIKE = "Other class", "Probability moved", "Both alike"
_MARKS = {_CLASS: "≠", _MOVED: "↕", _ALIKE: "="}


@dataclass(frozen=True, slots=True)
class ClaimedBox:
    """A box of a version.

    Attributes:
        n: its number, from 1.
        bbox: xyxy, px.
        is_reported: at or above the operating probability.
    """

    n: int
    bbox: tuple[float, ...]
    name: str
    probability: float
    is_reported: bool

    @property
    def words(self) -> str:
        """Its number, class and probability."""
        below = "" if self.is_reported else ", below"
        return f"{self.n} {self.name} {self.probability:.2f}{below}"


def draw_one_image(identity: Identity, asked: state.OneImage) -> None:
    """The image of an inspection in both versions, which read it now where they are not in memory."""
    require(identity, Action.EVALUATIONS_READ)
    workspace = resources().services.workspace_of(identity)
    told = st.empty()
    try:
        inspection = workspace.inspections.get(identity, asked.inspection_id)
        stored = workspace.images.facts(inspection.image_sha256)
        with told, st.spinner("Both versions read the image"):
            results = [
                _read_by(resources(), inspection.image_sha256, inspection.polarity, asked.model, number)
                for number in asked.numbers
            ]
    except WorkbenchError as error:
        st.error(f"{error}.")
        return
    told.empty()
    with st.container(horizontal=True, vertical_alignment="center", key="compare-one"):
        history = page_at("history")
        st.markdown(f"**{inspection.image_name}** · inspected {minute(inspection.created_at)} UTC")
        query = {"inspection": inspection.inspection_id}
        st.page_link(history.file, label="Inspection", icon=history.icon, query_params=query)
        st.button(
            "Compare on an evaluation set",
            key="compare.leave_one",
            icon=":material/dataset:",
            type="tertiary",
            on_click=actions.leave_one,
            args=(asked,),
        )
        notes = notes_of(identity, [stored.sha256])
        written = notes.threads.get(stored.sha256, ())
        data = one_image_data(inspection, stored, results, notes=written)
        if written:
            with st.popover(
                f"Notes ({len(written)})", icon=":material/sticky_note_2:", key="compare-one-notes"
            ):
                draw_notes(notes, written)
        _draw_note_form(identity, stored.sha256, written, data["places"], [one.model for one in results])
        draw_said(state.compare_said())
    radiograph_pair(data, key=state.VIEWER, on_step=actions.step_place)


def _draw_note_form(
    identity: Identity,
    sha256: str,
    threads: Sequence[NoteThread],
    places: Sequence[Mapping[str, Any]],
    versions: Sequence[ModelVersion],
) -> None:
    """The form that adds to what was written about the image."""
    named = {f"{place['mark']} {place['first']} · {place['second']}": place["focus"] for place in places}
    boxes = {words: (x0, y0, x1, y1) for words, (x0, y0, x1, y1) in named.items()}
    draw_note_form(identity, threads, sha256=sha256, places=boxes, versions=versions)


@lru_cache(maxsize=_KEPT_RESULTS)
def _read_by(held: Resources, sha256: str, polarity: Polarity, model: str, number: int) -> DetectionResult:
    """What a version reports; whoever calls has checked that the image may be seen."""
    film = held.services.workspace.images.load(sha256, polarity=polarity, keep=False)
    return held.services.detect.detect(film, "", model=model, version=number)


def one_image_data(
    inspection: Inspection,
    stored: StoredImage,
    results: Sequence[DetectionResult],
    *,
    notes: Sequence[NoteThread] = (),
) -> dict[str, Any]:
    """Both versions as the pair of viewers takes them, with the list of their places.

    Args:
        inspection: of the image.
        stored: the image's row.
        results: of the two versions.
        notes: on the image.
    """
    first, second = (_claimed(one) for one in results)
    places = version_places(results)
    shown = {side: {place[f"{side}_n"] for place in places} for side in ("first", "second")}
    address = f"/records/{inspection.inspection_id}/pixels"
    is_large = stored.width * stored.height > PREVIEW_ABOVE_PX
    return {
        "image": {
            "sha256": stored.sha256,
            "name": inspection.image_name,
            "width": stored.width,
            "height": stored.height,
            "bit_depth": stored.bit_depth,
            "pixels_url": address,
            "preview_url": f"{address}/preview" if is_large else None,
        },
        "recorded": [],
        "noted": noted_boxes(notes),
        "first": _side(results[0], first, shown["first"]),
        "second": _side(results[1], second, shown["second"]),
        "focus": None,
        "where": "",
        "places": places,
        "nothing": "Neither version reports an indication.",
        "legend": "what each version claims; number: of its box, the most probable first",
    }


def _claimed(result: DetectionResult) -> list[ClaimedBox]:
    """The boxes of a result, the most probable first."""
    found, at_least = result.detections, result.model.calibration.operating_probability
    assert found.probabilities is not None  # the service calibrates
    claims = found.claims or (None,) * len(found)
    rows = zip(found.probabilities.tolist(), found.boxes.tolist(), found.classes, claims, strict=True)
    return [
        ClaimedBox(
            n,
            tuple(box),
            _name(kind, claim),
            probability,
            probability >= at_least * (claim.operating_share if claim else 1.0),
        )
        for n, (probability, box, kind, claim) in enumerate(sorted(rows, key=lambda row: -row[0]), 1)
    ]


def _name(kind: IndicationClass, claim: GroupClaim | None) -> str:
    """The class; of a box without one the group that the second stage claims, where it claims one."""
    if kind is IndicationClass.UNCLASSIFIED and claim is not None and claim.group is not None:
        return f"{kind.value}, {claim.group.value}"
    return kind.value


def version_places(results: Sequence[DetectionResult]) -> list[dict[str, Any]]:
    """A row for each place that at least one of two versions reports, those that differ most first."""
    (first, second), names = map(_claimed, results), [f"v{one.model.version}" for one in results]
    free, pairs = list(second), []
    for one in first:
        other = max(free, key=lambda found: overlap(one.bbox, found.bbox), default=None)
        if other is not None and overlap(one.bbox, other.bbox) >= SAME_BOX_IOU:
            free.remove(other)
            pairs.append((one, other))
        else:
            pairs.append((one, None))
    pairs += [(None, other) for other in free]
    marks = {f"Only {names[0]}": "◐", f"Only {names[1]}": "◑", **_MARKS}
    told = [(a, b) for a, b in pairs if any(one is not None and one.is_reported for one in (a, b))]
    rows = [_place(one, other, names, marks) for one, other in told]
    return sorted(rows, key=lambda row: list(marks).index(row["group"]))


def _place(
    one: ClaimedBox | None, other: ClaimedBox | None, names: Sequence[str], marks: dict[str, str]
) -> dict[str, Any]:
    group, said = _group(one, other, names)
    boxes = [found.bbox for found in (one, other) if found is not None]
    lows = (min(box[side] for box in boxes) for side in (0, 1))
    highs = (max(box[side] for box in boxes) for side in (2, 3))
    return {
        "group": group,
        "mark": marks[group],
        "first": _NONE if one is None else one.words,
        "second": _NONE if other is None else other.words,
        "difference": said,
        "focus": [round(value, 1) for value in (*lows, *highs)],
        "first_n": None if one is None else one.n,
        "second_n": None if other is None else other.n,
    }


def _group(one: ClaimedBox | None, other: ClaimedBox | None, names: Sequence[str]) -> tuple[str, str]:
    if one is None or (other is not None and other.is_reported and not one.is_reported):
        return f"Only {names[1]}", f"only {names[1]} reports it"
    if other is None or not other.is_reported:
        return f"Only {names[0]}", f"only {names[0]} reports it"
    if one.name != other.name:
        return _CLASS, f"{names[1]}: {other.name} instead of {one.name}"
    if abs(one.probability - other.probability) >= MOVED:
        return _MOVED, f"{names[1]}: {other.probability:.2f} instead of {one.probability:.2f}"
    return _ALIKE, "both report it"


def _side(result: DetectionResult, boxes: Sequence[ClaimedBox], shown: set[int | None]) -> dict[str, Any]:
    at_least = result.model.calibration.operating_probability
    n_reported = sum(one.is_reported for one in boxes)
    return {
        "title": f"v{result.model.version} at {at_least:.2f}: "
        f"{n_reported} indication{'' if n_reported == 1 else 's'}",
        "boxes": [
            {
                "n": one.n,
                "box": [round(value, 1) for value in one.bbox],
                "class": one.name,
                "label": one.words,
                "probability": round(one.probability, 4),
                "is_hit": True,
                "is_below": False,
            }
            for one in boxes
            if one.n in shown
        ],
        "missed": [],
        "selected": None,
        "map_url": "",
    }
