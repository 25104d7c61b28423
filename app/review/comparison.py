"""Two readings of one radiograph for the pair of linked viewers, and the list of places beside it."""

from collections.abc import Sequence
from typing import Any

from app.shared.viewer_rows import PREVIEW_ABOVE_PX
from core.domain.grouping import counted
from core.domain.reading import Call, ReadIndication, number_of
from core.domain.reading_comparison import Agreement, Pair, compared, says_the_same
from core.domain.records import Inspection
from core.services.inspections.own_review import SideBySide
from core.store.images import StoredImage

#: Heading and mark of each kind of place, in the order in which to look at them.
_GROUPS = {
    Agreement.CLASS: ("Differing class or call", "≠"),
    Agreement.CALL_OPEN: ("Differing class or call", "≠"),
    Agreement.CALL_DISMISSED: ("Differing class or call", "≠"),
    Agreement.ONLY_SECOND: ("Only you", "◑"),
    Agreement.ONLY_FIRST: ("Only the first person", "◐"),
    Agreement.OPEN_FIRST: ("Left open by the first person", "○"),
    Agreement.SAME: ("Both", "="),
}
_DIFFERENCES = {
    Agreement.ONLY_SECOND: "only you report it",
    Agreement.ONLY_FIRST: "only the first person reports it",
    Agreement.OPEN_FIRST: "left open, you do not report it",
    Agreement.SAME: "both report it",
    Agreement.CLASS: "both report it, each as something else",
}
_NONE = "–"


def pair_data(both: SideBySide, first_name: str, stored: StoredImage) -> dict[str, Any]:
    """Both readings as the pair of viewers takes them; `stored` is the radiograph's row."""
    inspection = both.first.inspection
    return {
        "image": _image(inspection, stored),
        "recorded": [],
        "first": _side(
            _first_title(both, first_name),
            [_box(one, number) for one, number in _first_numbers(both)],
        ),
        "second": _side(
            _own_title(both), [_box(one, number_of(one, 0)) for one in both.own.reading.indications]
        ),
        "focus": None,
        "where": "",
        "places": places(both),
    }


def places(both: SideBySide) -> list[dict[str, Any]]:
    """Every place that either person speaks of, those that differ first, with the report's numbers."""
    n_model = len(both.first.inspection.detections)
    order = list(_GROUPS)
    pairs = sorted(_pairs(both), key=lambda pair: order.index(pair.agreement))
    return [_place(pair, n_model) for pair in pairs]


def dispositions(both: SideBySide) -> dict[str, str]:
    """Both dispositions and the reviewer's blind one, in words; the last is empty unless it was changed."""
    first = both.first.inspection.disposition
    blind = both.own.blind
    return {
        "first": first.word if first else "none",
        "own": both.own_disposition.word,
        "blind": blind.disposition.word if blind else "",
    }


def headline(both: SideBySide) -> str:
    """Counts of the kinds of places in one line."""
    counts: dict[str, int] = {}
    for pair in _pairs(both):
        words = _GROUPS[pair.agreement][0].lower()
        counts[words] = counts.get(words, 0) + 1
    ordered = dict.fromkeys(words.lower() for words, _ in _GROUPS.values())
    said = [f"{counts[words]} {words}" for words in ordered if words in counts]
    return ", ".join(said) or "neither of you reports an indication"


def _pairs(both: SideBySide) -> list[Pair]:
    return compared(both.first.indications, both.own.reading.indications)


def _place(pair: Pair, n_model: int) -> dict[str, Any]:
    first = None if pair.first is None else number_of(pair.first, n_model)
    second = None if pair.second is None else number_of(pair.second, 0)
    group, mark = _GROUPS[pair.agreement]
    return {
        "group": group,
        "mark": mark,
        "first": _words(pair.first, first),
        "second": _words(pair.second, second),
        "difference": _difference(pair),
        "focus": _around([one.bbox for one in (pair.first, pair.second) if one is not None]),
        "first_n": first,
        "second_n": second,
    }


def _difference(pair: Pair) -> str:
    if pair.first is not None and pair.agreement in (Agreement.CALL_OPEN, Agreement.CALL_DISMISSED):
        other = pair.second is not None and not says_the_same(pair.first, pair.second)
        return f"{pair.agreement.value}{', you say something else' if other else ''}"
    notes = [one.note for one in (pair.first, pair.second) if one is not None and one.note]
    return "; ".join([_DIFFERENCES[pair.agreement], *notes])


def _words(one: ReadIndication | None, number: int | None) -> str:
    return _NONE if one is None else f"{number} {_kind(one)}"


def _kind(one: ReadIndication) -> str:
    return f"{one.kind_words}{f', level {one.grade}' if one.grade is not None else ''}"


def _box(one: ReadIndication, number: int) -> dict[str, Any]:
    return {
        "n": number,
        "box": [round(value, 1) for value in one.bbox],
        "class": one.indication_class.value,
        "label": f"{number} {_kind(one)}",
        "probability": one.probability,
        "call": one.call.value,
        "is_hit": True,
        "is_below": False,
        "is_member": one.group is not None,
    }


def _first_numbers(both: SideBySide) -> list[tuple[ReadIndication, int]]:
    n_model = len(both.first.inspection.detections)
    return [(one, number_of(one, n_model)) for one in both.first.indications]


def _first_title(both: SideBySide, name: str) -> str:
    inspection = both.first.inspection
    word = inspection.disposition.word if inspection.disposition else "no disposition"
    if (override := inspection.override) is not None:
        word += f", override: {override.words}"
    return _title(f"First: {name}", word, both.first.indications, inspection.note)


def _own_title(both: SideBySide) -> str:
    own, blind = both.own, both.own.blind
    who = "You, blind" if blind is None else f"You, changed (blind: {blind.disposition.word})"
    return _title(who, both.own_disposition.word, own.reading.indications, own.note)


def _title(who: str, word: str, said: Sequence[ReadIndication], note: str) -> str:
    n_open = sum(one.call is Call.OPEN for one in counted(said))
    n_told = sum(one.call is Call.CONFIRMED for one in counted(said))
    counts = f"{n_told} indication{'' if n_told == 1 else 's'}" + (f", {n_open} left open" if n_open else "")
    return " · ".join(filter(None, (who, word, counts, note and f'"{note}"')))


def _side(title: str, boxes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "boxes": boxes, "missed": [], "selected": None, "map_url": ""}


def _around(boxes: Sequence[Sequence[float]]) -> list[float]:
    """The smallest box around all of them."""
    lows = (min(box[side] for box in boxes) for side in (0, 1))
    highs = (max(box[side] for box in boxes) for side in (2, 3))
    return [round(value, 1) for value in (*lows, *highs)]


def _image(inspection: Inspection, stored: StoredImage) -> dict[str, Any]:
    address = f"/records/{inspection.inspection_id}/pixels"
    return {
        "sha256": stored.sha256,
        "name": inspection.image_name,
        "width": stored.width,
        "height": stored.height,
        "bit_depth": stored.bit_depth,
        "pixels_url": address,
        "preview_url": f"{address}/preview" if stored.width * stored.height > PREVIEW_ABOVE_PX else None,
    }
