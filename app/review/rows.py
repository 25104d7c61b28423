"""Signed inspections that wait for a second person, the blind reading, and two readings compared."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from app.review.state import CHOSEN
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.moments import minute
from app.shared.viewer_rows import VIEW_AT_REST, kinds_by_class, quality_lines, shown_image
from core.domain.accounts import Identity
from core.domain.radiograph import Radiograph
from core.domain.reading import Call, ReadIndication, setup_from
from core.domain.reading_comparison import Agreement, compared
from core.domain.records import Disposition, Inspection
from core.services.inspections.own_review import OwnReview, SideBySide
from core.services.inspections.readings import Reading

COLUMNS = ("Made (UTC)", "Part, weld", "Image", "Rule", "Inspector", "Decided (UTC)")
_NO_CALIBRATION = {"id": "", "method": "", "fitted_on": "", "score_cut": 0.0, "operating_probability": 1.0}
_MARKS = {
    Agreement.SAME: "=",
    Agreement.CLASS: "≠",
    Agreement.ONLY_FIRST: "◐",
    Agreement.ONLY_SECOND: "◑",
}


def queue_rows(waiting: list[Inspection], names: Mapping[str, str]) -> list[RecordRow]:
    """A row for each inspection that waits; nothing of its result is in it."""
    rows = []
    for one in waiting:
        setup = setup_from(one.setup)
        made, part = minute(one.created_at), setup.part or "no part named"
        inspector = names.get(one.inspector_id or "", one.inspector_id or "command line")
        rule = f"{one.standard}, {one.quality_level}" if one.standard else "none chosen"
        cells = (
            Cell(made),
            Cell(part, f"weld {setup.weld_number}" if setup.weld_number else ""),
            Cell(one.image_name),
            Cell(rule, mark="" if one.standard else "hidden"),
            Cell(inspector),
            Cell(minute(one.updated_at)),
        )
        address, label = f"/second-review?{CHOSEN}={one.inspection_id}", f"{made}, {part}, {one.image_name}"
        picture = f"/records/{one.inspection_id}/thumbnail"
        rows.append(RecordRow(one.inspection_id, address, label, picture, cells))
    return rows


def blind_data(
    own: OwnReview, radiograph: Radiograph, identity: Identity, *, refused: Mapping[str, Any]
) -> dict[str, Any]:
    """Data of the viewer before the first result may be seen: the radiograph and the own reading."""
    inspection = own.reading.inspection
    return {
        **VIEW_AT_REST,
        "image": shown_image(
            radiograph, inspection.image_name, f"/records/{inspection.inspection_id}/pixels"
        ),
        "detections": [],
        "result_id": f"review-{inspection.inspection_id}",
        "calibration": _NO_CALIBRATION,
        "model": {"title": "hidden until you compare", "sha256": "", "data_notice": "", "device": ""},
        "threshold": 0.5,
        "threshold_rev": "review",
        "reading": _own_data(own, identity) | {"refused": dict(refused)},
        "batch": [],
        "current": inspection.inspection_id,
    }


def _own_data(own: OwnReview, identity: Identity) -> dict[str, Any]:
    reading, inspection = own.reading, own.reading.inspection
    decided_at = own.decided_at.astimezone(UTC).isoformat() if own.decided_at else None
    return {
        "inspection_id": f"review-{inspection.inspection_id}",
        "owner": identity.user_id,
        "is_open": not own.is_final,
        "is_blind": True,
        "state": "your own reading",
        "is_revision": False,
        "version": reading.version,
        "saved_at": reading.saved_at.astimezone(UTC).isoformat() if reading.saved_at else None,
        "author": identity.name,
        "indications": [one.to_box() for one in reading.indications],
        "decision": {
            "version": own.decision_version,
            "disposition": own.disposition.word if own.disposition else None,
            "note": own.note,
            "saved_at": decided_at,
            "author": identity.name,
        },
        "operating_probability": 1.0,
        "judgement": {"verdict": None, "withheld": ["a blind reading is not judged"], "notes": []},
        "kinds": kinds_by_class(),
        "image_quality": quality_lines(inspection.image_quality),
        "signatures": [],
        "may_sign": True,
        "why_not_sign": "",
        "sign_label": "Compare",
        "sign_title": "Shows the first result; your own cannot be changed after that",
        "may_revise": False,
        "report_url": None,
    }


def headline(both: SideBySide, first_name: str) -> str:
    """One line on the agreement of the dispositions and the readings."""
    pairs = compared(both.first.indications, both.own.reading.indications)
    n_other = sum(pair.agreement is not Agreement.SAME for pair in pairs)
    first = both.first.inspection.disposition
    is_same = first is not None and first.word == both.own_disposition.word
    dispositions = "The dispositions agree" if is_same else "The dispositions differ"
    places = f"{n_other} of {len(pairs)} places differ" if n_other else "no difference between the readings"
    return f"{dispositions}; {places}. First reading by {first_name}."


def pictures(both: SideBySide, first_name: str, size_px: tuple[int, int]) -> list[dict[str, Any]]:
    """The radiograph twice, each time with one person's boxes; `size_px` is its width and height."""
    inspection, own = both.first.inspection, both.own
    return [
        _picture(f"First: {first_name}", inspection.disposition, inspection.note, both.first, size_px),
        _picture("You, blind", both.own_disposition, own.note, own.reading, size_px),
    ]


def places(both: SideBySide) -> list[dict[str, str]]:
    """Every place that either person speaks of, in words."""
    readings = (both.first.indications, both.own.reading.indications)
    numbers = {id(one): n for said in readings for n, one in enumerate(_kept(said), 1)}
    return [
        {
            "kind": pair.agreement.name.lower().replace("_", "-"),
            "mark": _MARKS[pair.agreement],
            "first": _words(pair.first, numbers),
            "second": _words(pair.second, numbers),
            "difference": pair.agreement.value,
        }
        for pair in compared(*readings)
    ]


def part_words(inspection: Inspection) -> str:
    """Part, material, wall and rule of an inspection in one line."""
    setup = setup_from(inspection.setup)
    rule = f"{inspection.standard} {inspection.quality_level or ''}".strip() if inspection.standard else ""
    wall = f"t {setup.wall_mm:g} mm" if setup.wall_mm else ""
    named = (setup.part, setup.weld_number and f"weld {setup.weld_number}", setup.material, wall, rule)
    return " · ".join(filter(None, named)) or "no part named"


def _kept(said: Sequence[ReadIndication]) -> list[ReadIndication]:
    return [one for one in said if one.call is not Call.DISMISSED]


def _words(one: ReadIndication | None, numbers: Mapping[int, int]) -> str:
    if one is None:
        return "–"
    code = f" {one.iso6520}" if one.iso6520 else ""
    note = f": {one.note}" if one.note else ""
    return f"{numbers[id(one)]} {one.indication_class.value}{code}{note}"


def _picture(
    title: str, disposition: Disposition | None, note: str, reading: Reading, size_px: tuple[int, int]
) -> dict[str, Any]:
    said = _kept(reading.indications)
    return {
        "title": title,
        "disposition": disposition.word if disposition else "undecided",
        "note": note,
        "n_said": "1 indication" if len(said) == 1 else f"{len(said)} indications",
        "boxes": [{"kind": one.indication_class.value, "place": _place(one.bbox, size_px)} for one in said],
    }


def _place(box: tuple[float, float, float, float], size_px: tuple[int, int]) -> str:
    """The place of a box on a picture of any size, as CSS."""
    (x1, y1, x2, y2), (width, height) = box, size_px
    return (
        f"left:{100 * x1 / width:.3f}%;top:{100 * y1 / height:.3f}%;"
        f"width:{100 * (x2 - x1) / width:.3f}%;height:{100 * (y2 - y1) / height:.3f}%"
    )
