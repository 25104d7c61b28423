"""Two readings of one radiograph side by side, as HTML: both drawn, and every place they speak of listed."""

from collections.abc import Sequence
from html import escape

from core.domain.reading import Call, ReadIndication
from core.domain.reading_comparison import Agreement, compared
from core.domain.records import Disposition
from core.services.inspections.own_review import SideBySide

_MARKS = {
    Agreement.SAME: "=",
    Agreement.CLASS: "≠",
    Agreement.ONLY_FIRST: "◐",
    Agreement.ONLY_SECOND: "◑",
}


def headline(both: SideBySide, first_name: str) -> str:
    """In one line whether the dispositions and the readings agree."""
    pairs = compared(both.first.indications, both.own.reading.indications)
    n_other = sum(pair.agreement is not Agreement.SAME for pair in pairs)
    dispositions = (
        "The dispositions agree" if _first(both) is both.own_disposition else "The dispositions differ"
    )
    places = (
        "no difference between the readings" if not n_other else f"{n_other} of {len(pairs)} places differ"
    )
    return f"{dispositions}; {places}. First reading by {escape(first_name)}."


def pictures(both: SideBySide, first_name: str, size: tuple[int, int]) -> str:
    """The radiograph twice, each with one person's boxes; `size` is its width and height, px."""
    inspection = both.first.inspection
    address = f"/records/{inspection.inspection_id}/picture"
    first = [one for one in both.first.indications if one.call is not Call.DISMISSED]
    own = [one for one in both.own.reading.indications if one.call is not Call.DISMISSED]
    return (
        '<div class="rk-both">'
        + _figure(f"First: {first_name}", _first(both), inspection.note, first, address, size)
        + _figure("You, blind", both.own_disposition, both.own.note, own, address, size)
        + "</div>"
    )


def differences(both: SideBySide) -> str:
    """Every place that either person speaks of, in words."""
    pairs = compared(both.first.indications, both.own.reading.indications)
    if not pairs:
        return '<p class="rk-muted">Neither of you reports an indication.</p>'
    numbers = {
        id(one): number
        for said in (both.first.indications, both.own.reading.indications)
        for number, one in enumerate((one for one in said if one.call is not Call.DISMISSED), 1)
    }
    lines = "".join(
        f'<tr class="rk-{pair.agreement.name.lower().replace("_", "-")}"><td>{_MARKS[pair.agreement]}</td>'
        f"<td>{_words(pair.first, numbers)}</td><td>{_words(pair.second, numbers)}</td>"
        f"<td>{pair.agreement.value}</td></tr>"
        for pair in pairs
    )
    return (
        '<table class="rk-found"><thead><tr><th></th><th>first</th><th>you</th><th>difference</th></tr>'
        f"</thead><tbody>{lines}</tbody></table>"
    )


def _first(both: SideBySide) -> Disposition | None:
    return both.first.inspection.disposition


def _words(one: ReadIndication | None, numbers: dict[int, int]) -> str:
    if one is None:
        return "–"
    code = f" {one.iso6520}" if one.iso6520 else ""
    note = f": {one.note}" if one.note else ""
    return escape(f"{numbers[id(one)]} {one.indication_class.value}{code}{note}")


def _figure(
    title: str,
    disposition: Disposition | None,
    note: str,
    said: Sequence[ReadIndication],
    address: str,
    size: tuple[int, int],
) -> str:
    word = disposition.value if disposition else "undecided"
    boxes = "".join(_box(number, one, size) for number, one in enumerate(said, 1))
    noted = f' · "{escape(note)}"' if note else ""
    n_said = "1 indication" if len(said) == 1 else f"{len(said)} indications"
    return (
        f'<figure><figcaption>{escape(title)} · <b class="rk-{word}">{word}</b> · {n_said}{noted}'
        "</figcaption>"
        f'<div class="rk-film"><img src="{address}" alt="{escape(title)}: {n_said}">{boxes}</div></figure>'
    )


def _box(number: int, one: ReadIndication, size: tuple[int, int]) -> str:
    width, height = size
    x1, y1, x2, y2 = one.bbox
    place = (
        f"left:{100 * x1 / width:.3f}%;top:{100 * y1 / height:.3f}%;"
        f"width:{100 * (x2 - x1) / width:.3f}%;height:{100 * (y2 - y1) / height:.3f}%"
    )
    kind = escape(one.indication_class.value)
    return f'<div class="rk-box" style="{place}" title="{kind}"><b>{number}</b></div>'
