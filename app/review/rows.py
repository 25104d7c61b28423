"""Signed inspections that wait for a second person, and the blind reading."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from app.review.state import CHOSEN
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.moments import minute
from app.shared.viewer_rows import (
    VIEW_AT_REST,
    kinds_by_class,
    known_kinds,
    quality_lines,
    rule_words,
    severity_ranks,
    shown_image,
)
from core.domain.accounts import Identity
from core.domain.kinds import family_of
from core.domain.radiograph import Radiograph
from core.domain.reading import setup_from
from core.domain.records import Inspection
from core.services.inspections.own_review import OwnReview
from core.standards.rule_set import RuleSet

COLUMNS = ("Made (UTC)", "Part, weld", "Image", "Rule", "Inspector", "Decided (UTC)")
_NO_CALIBRATION = {"id": "", "words": "", "score_cut": 0.0, "operating_probability": 1.0}


def queue_rows(
    waiting: list[Inspection], names: Mapping[str, str], tables: Sequence[RuleSet]
) -> list[RecordRow]:
    """A row for each inspection that waits; nothing of its result is in it."""
    rows = []
    for one in waiting:
        setup = setup_from(one.setup)
        made, part = minute(one.created_at), setup.part or "no part named"
        inspector = names.get(one.inspector_id or "", one.inspector_id or "command line")
        rule = rule_words(one.standard, one.quality_level, tables)
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
    """Data of the viewer for the own reading: the radiograph and what the reviewer says, nothing else."""
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
    family = family_of(inspection.model.name)
    decided_at = own.decided_at.astimezone(UTC).isoformat() if own.decided_at else None
    return {
        "inspection_id": f"review-{inspection.inspection_id}",
        "owner": identity.user_id,
        "is_open": not own.is_final,
        "is_blind": True,
        "state": "your own reading" if own.blind is None else "your own reading, opened again",
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
        "family": family.value,
        "kinds": kinds_by_class(family),
        "numbers": known_kinds(family),
        "severity": severity_ranks(),
        "image_quality": quality_lines(inspection.image_quality),
        "signatures": [],
        "may_sign": True,
        "why_not_sign": "",
        "sign_label": "Compare",
        "sign_title": "Shows the first result beside your own; to change yours after that takes a reason",
        "may_revise": False,
        "report_url": None,
    }


def waiting_words(waiting: list[Inspection]) -> str:
    """The number of inspections that wait and since when the oldest does; there is at least one."""
    n_waiting = "1 inspection waits" if len(waiting) == 1 else f"{len(waiting)} inspections wait"
    oldest = min(one.updated_at for one in waiting)
    return f"{n_waiting} for a second person, the oldest since {minute(oldest)} UTC"


def part_words(inspection: Inspection, tables: Sequence[RuleSet]) -> str:
    """Part, material, wall and rule of an inspection in one line."""
    setup = setup_from(inspection.setup)
    is_chosen = inspection.standard is not None
    rule = rule_words(inspection.standard, inspection.quality_level, tables) if is_chosen else ""
    wall = f"t {setup.wall_mm:g} mm" if setup.wall_mm else ""
    named = (setup.part, setup.weld_number and f"weld {setup.weld_number}", setup.material, wall, rule)
    return " · ".join(filter(None, named)) or "no part named"
