"""Data of one place for the pair of radiographs."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.models.compare.places import Pair, focus_of
from app.models.routes import image_address
from app.shared.place_notes import noted_boxes
from app.shared.viewer_rows import PREVIEW_ABOVE_PX
from core.domain.place_notes import NoteThread
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.version_differences import Places
from core.services.evaluation.evaluation_sets import SetContent
from core.store.evaluations import EvaluationSet


def pair_data(
    pair: Pair,
    places: Places,
    at: int,
    chosen: EvaluationSet,
    content: SetContent,
    where: str,
    *,
    notes: Sequence[NoteThread] = (),
) -> dict[str, Any]:
    """Image, the boxes of both versions, of the record and of notes, and the place with its recorded box.

    Args:
        pair: the versions.
        places: of the figure that was asked for.
        at: which of them.
        chosen: the set.
        content: what it holds.
        where: says which place of how many it is.
        notes: on the image.
    """
    image = int(places.image[at])
    first, second = pair.tables
    truths = np.flatnonzero(first.truth_image == image)
    return {
        "image": _image(chosen, content, image, first),
        "recorded": [
            {
                "n": int(index),
                "box": _box(first.truth[index]),
                "class": first.class_name(first.truth_class[index]),
            }
            for index in truths
        ],
        "noted": noted_boxes(notes),
        "first": _side(pair, 0, image, int(places.first[at]), chosen),
        "second": _side(pair, 1, image, int(places.second[at]), chosen),
        "open": int(places.truth[at]) if places.truth[at] >= 0 else None,
        "focus": [round(one, 1) for one in focus_of(pair, places, at)],
        "where": where,
    }


def _image(chosen: EvaluationSet, content: SetContent, image: int, table: OutcomeTable) -> dict[str, Any]:
    entry, sha256 = content.images[image], content.digests[image]
    address = f"{image_address(chosen, sha256)}/pixels"
    is_large = entry.width * entry.height > PREVIEW_ABOVE_PX
    return {
        "sha256": sha256,
        "name": table.names[image],
        "width": entry.width,
        "height": entry.height,
        "bit_depth": 16,
        "pixels_url": address,
        "preview_url": f"{address}/preview" if is_large else None,
    }


def _side(pair: Pair, index: int, image: int, selected: int, chosen: EvaluationSet) -> dict[str, Any]:
    table, name = pair.tables[index], pair.names[index]
    at_least = table.operating_probability if pair.probability is None else pair.probability
    is_here = (table.box_image == image) & (table.scores >= table.score_cut)
    is_reported = table.is_reported(pair.probability)
    found = table.box_of_truth(pair.probability)
    start = int(np.searchsorted(table.box_image, image)) - 1  # boxes are counted from 1 within their image
    truths = np.flatnonzero(table.truth_image == image)
    missed = [int(one) for one in truths if found[one] < 0]
    n_false = int((is_here & is_reported & (table.matched < 0)).sum())
    sha256 = table.digests[image]
    return {
        "title": f"{name} at {at_least:.2f}: {len(truths) - len(missed)} of {len(truths)} found, "
        f"{n_false} false call{'' if n_false == 1 else 's'}",
        "boxes": [
            {
                "n": int(box) - start,
                "box": _box(table.boxes[box]),
                "class": table.class_name(table.box_class[box]),
                "probability": round(float(table.probabilities[box]), 4),
                "is_hit": bool(table.matched[box] >= 0),
                "is_below": not bool(is_reported[box]),
            }
            for box in np.flatnonzero(is_here)
        ],
        "missed": missed,
        "selected": selected - start if selected >= 0 else None,
        "map_url": f"{image_address(chosen, sha256)}/map?version={name[1:]}",
    }


def _box(box: Any) -> list[float]:
    return [round(float(one), 1) for one in box]
