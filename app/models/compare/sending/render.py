"""Draws the way of images from a comparison to the queue of corrections."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from app.models.compare.places import Pair
from app.models.compare.sending import actions, state
from core.domain.accounts import Identity
from core.domain.correction import FoundBox, Origin
from core.domain.indication import IndicationClass
from core.domain.permissions import Action, may
from core.evaluate.version_differences import Places
from core.services.evaluation.evaluation_sets import SetContent
from core.services.labels.sending import LONGEST_NOTE, MOST_IMAGES
from core.store.evaluations import EvaluationSet

_CLASSES = {one.value: one for one in IndicationClass}


def may_send(identity: Identity) -> bool:
    """True for those who may send images."""
    return may(identity.role, Action.LABELLING_SEND)


def draw_sending(
    identity: Identity, pair: Pair, places: Places, chosen: EvaluationSet, content: SetContent
) -> None:
    """The button that opens the form, for those who may send.

    Args:
        identity: who looks.
        pair: the versions that are compared.
        places: on show.
        chosen: the set.
        content: what it holds.
    """
    if not may_send(identity):
        return
    digests = {content.digests[one] for one in np.unique(places.image)}
    ticked = digests & state.ticked(chosen.set_id)
    versions = [int(name.removeprefix("v")) for name in pair.names]
    point = pair.tables[1].operating_probability if pair.probability is None else pair.probability
    label = f"Send to labelling ({len(ticked)})" if ticked else "Send to labelling"
    with st.popover(label, icon=":material/outbox:", key=f"sending.open.{state.n_sent()}"):
        choices = {
            state.ALL: f"All {len(digests):,} images on show",
            state.TICKED: f"{len(ticked):,} ticked",
        }
        st.radio(
            "Images",
            list(choices),
            key=state.field("which"),
            format_func=choices.__getitem__,
            index=1 if ticked else 0,
            help="A tick on a place takes its image.",
        )
        st.text_input("Note for whoever labels", key=state.field("note"), max_chars=LONGEST_NOTE)
        st.warning(
            f"These images judge versions: they lie in the evaluation set {chosen.name}. While they do, they "
            "train nothing here, and what is corrected does not change the boxes of the set. A version that "
            "is trained on them all the same, and every version after it, is not judged on them any more.",
            icon=":material/gavel:",
        )
        st.button(
            "Send",
            key="sending.send",
            type="primary",
            on_click=actions.send,
            args=(chosen, versions, point, lambda: boxes_of(pair, places, chosen, content)),
        )
        st.caption(
            f"At most {MOST_IMAGES} at once. An image that waits in the queue already is left out; "
            "one that lies in its set only is handed in."
        )


def boxes_of(
    pair: Pair, places: Places, chosen: EvaluationSet, content: SetContent
) -> Mapping[str, Sequence[FoundBox]]:
    """The boxes at these places by sha256 of the image, each box once: of both versions and recorded ones."""
    found: dict[str, dict[tuple[str, int], FoundBox]] = {}
    for at in range(len(places)):
        boxes = found.setdefault(content.digests[int(places.image[at])], {})
        for name, table, number in zip(
            pair.names, pair.tables, (int(places.first[at]), int(places.second[at])), strict=True
        ):
            if number >= 0:
                kind = table.class_name(table.box_class[number])
                p = round(float(table.probabilities[number]), 4)
                boxes[name, number] = _box(table.boxes[number], kind, p, Origin.COMPARED, f"{name}: {kind}")
        truth, table = int(places.truth[at]), pair.tables[0]
        if truth >= 0:
            kind = table.class_name(table.truth_class[truth])
            told = f"recorded as {kind} in {chosen.name}"
            boxes["", truth] = _box(table.truth[truth], kind, None, Origin.IMPORTED, told)
    return {sha256: tuple(boxes.values()) for sha256, boxes in found.items()}


def _box(box: Sequence[float], kind: str, p: float | None, origin: Origin, remark: str) -> FoundBox:
    x0, y0, x1, y1 = (float(one) for one in box)
    known = _CLASSES.get(kind, IndicationClass.UNCLASSIFIED)
    return FoundBox((x0, y0, x1, y1), known, p, origin, remark=remark)
