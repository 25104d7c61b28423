"""Places behind a figure: which boxes of which image, with words, in the order in which to look at them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.models.compare.words import DIFFERENCE_WORDS
from core.evaluate.confusion import BACKGROUND
from core.evaluate.error_types import ErrorType, error_types
from core.evaluate.groups import groups_of, truth_in
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.version_differences import DifferenceKind, Places
from core.services.evaluation.evaluation_archive import StoredEvaluation
from core.services.evaluation.evaluations import VersionOnSet

#: The kind of places where the address names none.
DEFAULT_SHOW = f"diff:{DifferenceKind.FOUND_SECOND.value}"

#: Orders of places beside the most telling first.
ORDERS = {
    "probability": "most probable first",
    "probability-up": "least probable first",
    "iou": "largest overlap first",
    "iou-up": "smallest overlap first",
    "size": "largest first",
    "size-up": "smallest first",
}
_UP = "-up"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two measured versions whose boxes are looked at."""

    first: StoredEvaluation
    second: StoredEvaluation
    names: tuple[str, str]
    probability: float | None

    @property
    def tables(self) -> tuple[OutcomeTable, OutcomeTable]:
        """Outcomes of the boxes of both versions."""
        return self.first.outcomes, self.second.outcomes


def pair_of(first: VersionOnSet, second: VersionOnSet, probability: float | None) -> Pair:
    """The pair of two versions that were measured."""
    assert first.stored is not None  # the caller asks for measured ones
    assert second.stored is not None
    names = f"v{first.version.version}", f"v{second.version.version}"
    return Pair(first.stored, second.stored, names, probability)


def show_choices(pair: Pair, differences: dict[DifferenceKind, Places]) -> dict[str, str]:
    """Kinds of places of a pair: key to words with the number of places."""
    first, second = pair.names
    found = {}
    for kind, (words, _) in DIFFERENCE_WORDS.items():
        said = words.format(first=first, second=second)
        found[f"diff:{kind.value}"] = f"{said} ({len(differences[kind]):,})"
    for index, (name, table) in enumerate(zip(pair.names, pair.tables, strict=True)):
        n_missed = int((table.box_of_truth(pair.probability) < 0).sum())
        n_all = int(table.is_reported(pair.probability).sum()) + n_missed
        found[f"every:{index}"] = f"{name}: every box ({n_all:,})"
        counts = error_types(table, pair.probability).counts()
        for kind in ErrorType:
            if counts[kind]:
                found[f"error:{index}:{kind.value}"] = f"{name}: {kind.value} ({counts[kind]:,})"
    return found


def places_of(pair: Pair, differences: dict[DifferenceKind, Places], show: str) -> tuple[str, Places]:
    """The kind of a key in words, and its places; an unknown key gives the default."""
    kind, *rest = show.split(":")
    ways: dict[str, Callable[..., tuple[str, Places]]] = {
        "error": _of_error,
        "confusion": _of_confusion,
        "bin": _of_bin,
        "missed": _of_missed,
        "one": _of_one,
        "every": _of_every,
    }
    try:
        if kind == "diff":
            difference = DifferenceKind(rest[0])
            words = DIFFERENCE_WORDS[difference]
            return f"{words[0].format(first=pair.names[0], second=pair.names[1])}. {words[1]}.", differences[
                difference
            ]
        return ways[kind](pair, int(rest[0]), *rest[1:])
    except (KeyError, ValueError, IndexError, TypeError):
        return places_of(pair, differences, DEFAULT_SHOW)


def _of_error(pair: Pair, index: int, name: str) -> tuple[str, Places]:
    kind, table = ErrorType(name), pair.tables[index]
    chosen = error_types(table, pair.probability).boxes(kind)
    places = _of_truths(pair, chosen) if kind is ErrorType.MISSED else _of_boxes(pair, index, chosen)
    return f"{pair.names[index]}: {kind.value}: {kind.meaning}.", places


def _of_confusion(pair: Pair, index: int, recorded: str, reported: str) -> tuple[str, Places]:
    table = pair.tables[index]
    found = table.box_of_truth(pair.probability)
    if recorded == BACKGROUND:
        is_false = table.is_reported(pair.probability) & (table.matched < 0)
        chosen = np.flatnonzero(is_false & (table.box_class == table.classes.index(reported)))
        return f"{pair.names[index]}: false calls of {reported}.", _of_boxes(pair, index, chosen)
    is_class = table.truth_class == table.classes.index(recorded)
    if reported == BACKGROUND:
        return f"{pair.names[index]}: missed {recorded}.", _of_truths(
            pair, np.flatnonzero(is_class & (found < 0))
        )
    named = np.full(len(found), -1)
    named[found >= 0] = table.box_class[found[found >= 0]]
    chosen = np.flatnonzero(is_class & (named == table.classes.index(reported)))
    return f"{pair.names[index]}: recorded as {recorded}, reported as {reported}.", _of_truths(pair, chosen)


def _of_bin(pair: Pair, index: int, low: str, high: str) -> tuple[str, Places]:
    table, (a, b) = pair.tables[index], (float(low), float(high))
    p = table.probabilities
    chosen = np.flatnonzero((table.scores >= table.score_cut) & (p >= a) & ((p < b) | (b >= 1)))
    true = int((table.matched[chosen] >= 0).sum())
    words = f"{pair.names[index]}: probability {a:.2f} to {b:.2f}: {true:,} of {len(chosen):,} are true."
    return words, _of_boxes(pair, index, chosen)


def _of_missed(pair: Pair, index: int, *group: str) -> tuple[str, Places]:
    table, key = pair.tables[index], ":".join(group)
    chosen = next(one for one in groups_of(table) if one.key == key)
    is_missed = truth_in(table, chosen) & (table.box_of_truth(pair.probability) < 0)
    return f"{pair.names[index]}: missed of {chosen.name}.", _of_truths(pair, np.flatnonzero(is_missed))


def _of_one(pair: Pair, index: int, box: str, truth: str) -> tuple[str, Places]:
    """One reported box, or one recorded box that was missed."""
    table = pair.tables[index]
    if 0 <= int(box) < len(table.boxes):
        return f"{pair.names[index]}: from the map.", _of_boxes(pair, index, np.array([int(box)]))
    if not 0 <= int(truth) < len(table.truth):
        raise IndexError(truth)
    return f"{pair.names[index]}: missed, from the map.", _of_truths(pair, np.array([int(truth)]))


def _of_every(pair: Pair, index: int) -> tuple[str, Places]:
    """Every box of a version: those that it reports, the most certain first, then what it missed."""
    table = pair.tables[index]
    reported = _of_boxes(pair, index, np.flatnonzero(table.is_reported(pair.probability)))
    missed = _of_truths(pair, np.flatnonzero(table.box_of_truth(pair.probability) < 0))
    names = ("image", "first", "second", "truth", "amount")
    joined = (np.concatenate([getattr(one, name) for one in (reported, missed)]) for name in names)
    return f"{pair.names[index]}: every box that it reports, then what it missed.", Places(*joined)


def subject_of(show: str) -> int | None:
    """The version, 0 or 1, that places of this kind are of; None where they are of both."""
    kind, _, rest = show.partition(":")
    index = rest.partition(":")[0]
    return int(index) if kind != "diff" and index in ("0", "1") else None


def ordered(pair: Pair, places: Places, order: str) -> Places:
    """The same places in another order: a key of `ORDERS`."""
    if order not in ORDERS or not len(places):
        return places
    keys = {"probability": _probability, "iou": _overlap, "size": _size}
    values = keys[order.removesuffix(_UP)](pair, places)
    rank = np.argsort(values if order.endswith(_UP) else -values, kind="stable")
    return places.chosen(rank)


def _probability(pair: Pair, places: Places) -> npt.NDArray[np.float64]:
    """The higher one of both versions; 0 where neither reports anything."""
    sides = zip(pair.tables, (places.first, places.second), strict=True)
    return np.max([np.append(table.probabilities, 0.0)[index] for table, index in sides], axis=0)


def _overlap(pair: Pair, places: Places) -> npt.NDArray[np.float64]:
    """The higher overlap of both versions with what is recorded."""
    sides = zip(pair.tables, (places.first, places.second), strict=True)
    return np.max([np.append(table.nearest_iou, 0.0)[index] for table, index in sides], axis=0)


def _size(pair: Pair, places: Places) -> npt.NDArray[np.float64]:
    """The longer side of what is recorded or reported there, px."""
    boxes = focus_boxes(pair, places)
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(axis=1), np.float64)


def _of_truths(pair: Pair, truths: npt.NDArray[Any]) -> Places:
    """Recorded boxes with whatever either version reports there; the largest first."""
    first, second = pair.tables
    size = np.ptp(first.truth[truths].reshape(-1, 2, 2), axis=1).max(axis=1, initial=0)
    order = truths[np.argsort(-size, kind="stable")].astype(np.int32)
    a, b = (table.box_of_truth(pair.probability) for table in (first, second))
    return Places(first.truth_image[order], a[order], b[order], order, np.sort(size)[::-1].astype(float))


def _of_boxes(pair: Pair, index: int, boxes: npt.NDArray[Any]) -> Places:
    """Reported boxes of one version, the most certain first."""
    table = pair.tables[index]
    order = boxes[np.argsort(-table.probabilities[boxes], kind="stable")].astype(np.int32)
    matched = table.matched[order]
    other = pair.tables[1 - index].box_of_truth(pair.probability)
    beside = np.where(matched >= 0, other[matched] if len(other) else -1, -1).astype(np.int32)
    sides = (order, beside) if index == 0 else (beside, order)
    return Places(table.box_image[order], *sides, matched, table.probabilities[order])


def boxes_at(pair: Pair, places: Places, at: int) -> list[Sequence[float]]:
    """The boxes at a place: of the first version, of the second, the recorded one; those that are there."""
    boxes: list[Sequence[float]] = []
    for table, index in zip(pair.tables, (places.first[at], places.second[at]), strict=True):
        if index >= 0:
            boxes.append(table.boxes[index])
    if places.truth[at] >= 0:
        boxes.append(pair.tables[0].truth[places.truth[at]])
    return boxes


def focus_boxes(pair: Pair, places: Places) -> npt.NDArray[np.float64]:
    """(K, 4) xyxy px: of each place the box that encloses all that is there."""
    first, second = pair.tables
    sides = ((first.boxes, places.first), (second.boxes, places.second), (first.truth, places.truth))
    # what is not there, -1, points at a box that encloses nothing
    nothing = np.array([[np.inf, np.inf, -np.inf, -np.inf]])
    found = np.stack([np.concatenate([boxes.reshape(-1, 4), nothing])[at] for boxes, at in sides])
    return np.concatenate([found[..., :2].min(axis=0), found[..., 2:].max(axis=0)], axis=1)


def focus_of(pair: Pair, places: Places, at: int) -> tuple[float, float, float, float]:
    """The box that encloses all that is at a place."""
    x0, y0, x1, y1 = focus_boxes(pair, places.chosen(np.array([at])))[0].tolist()
    return x0, y0, x1, y1


def caption_of(pair: Pair, places: Places, at: int) -> tuple[str, tuple[str, str]]:
    """What is recorded at a place, and what each version claims there: its probability and class."""
    first, second = pair.tables
    truth = places.truth[at]
    recorded = first.class_name(first.truth_class[truth]) if truth >= 0 else "nothing recorded"
    said = [
        f"{name} {table.probabilities[index]:.2f} {table.class_name(table.box_class[index])}"
        if index >= 0
        else f"{name} –"
        for name, table, index in zip(
            pair.names, (first, second), (places.first[at], places.second[at]), strict=True
        )
    ]
    return recorded, (said[0], said[1])


def size_words(pair: Pair, places: Places, at: int) -> str:
    """The longer side of what is recorded or reported at a place: px, and mm where the scale is known."""
    side = float(_size(pair, places.chosen(np.array([at])))[0])
    mm_per_px = float(pair.tables[0].mm_per_px[places.image[at]])
    return f"{side:.0f} px" if np.isnan(mm_per_px) else f"{side:.0f} px, {side * mm_per_px:.2g} mm"


def overlap_words(pair: Pair, places: Places, at: int) -> str:
    """The overlap with what is recorded, of the version where it is larger; empty where none reports."""
    if max(places.first[at], places.second[at]) < 0:
        return ""
    return f"overlap {float(_overlap(pair, places.chosen(np.array([at])))[0]):.2f}"


def image_name(pair: Pair, image: int) -> str:
    """The file's name without folders."""
    return pair.tables[0].names[image].rsplit("/", 1)[-1]
