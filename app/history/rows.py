"""Recorded inspections as rows of the table and as the facts of one record."""

from collections.abc import Sequence
from typing import Any

from app.history.state import CHOSEN, UNDECIDED
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.moments import minute, second
from app.shared.viewer_rows import rule_words
from core.domain.accounts import Identity
from core.domain.grouping import counted, members_of
from core.domain.reading import ReadIndication, number_of, setup_from
from core.domain.records import Inspection, InspectionState
from core.domain.signing import meaning_words
from core.domain.wire_sets import indicator_words
from core.services.inspections.film_first import FIRST_LOOK
from core.services.inspections.history import HistoryPage
from core.services.inspections.history_export import HIDDEN, MAX_EXPORTED
from core.services.inspections.inspection_record import InspectionRecord, is_blind_for
from core.services.inspections.seeing import SEEN
from core.standards.rule_set import RuleSet
from core.store.inspection_history import HistoryEntry

WIDE = (
    "Made (UTC)",
    "Part, weld",
    "Image",
    "Indications",
    "Disposition",
    "State",
    "Rule",
    "Model",
    "Inspector",
)
NARROW = WIDE[:6]
_STATE_WORDS = {
    InspectionState.OPEN: "open",
    InspectionState.SIGNED: "signed",
    InspectionState.CONCURRED: "concurred",
    InspectionState.RETURNED: "returned",
}


def rows(
    page: HistoryPage, identity: Identity, tables: Sequence[RuleSet], *, is_wide: bool
) -> list[RecordRow]:
    """A row of the table for each inspection."""
    return [_row(one, page, identity, tables, is_wide=is_wide) for one in page.entries]


def export_help(page: HistoryPage) -> str:
    """The content of the exported file in words."""
    if page.is_counted:
        return f"All {page.n_found:,} that the filters find, not this page alone. Exporting is an event."
    return (
        f"The newest {MAX_EXPORTED:,} that the filters find; narrow them for others. Exporting is an event."
    )


def _row(
    entry: HistoryEntry, page: HistoryPage, identity: Identity, tables: Sequence[RuleSet], *, is_wide: bool
) -> RecordRow:
    is_blind = is_blind_for(identity, inspector_id=entry.inspector_id, state=entry.state)
    inspector = page.names.get(entry.inspector_id or "", entry.inspector_id or "command line")
    part = entry.part or "no part named"
    said = entry.disposition.word if entry.disposition else UNDECIDED
    disposition = Cell(said, _beside_disposition(entry), mark=said if entry.disposition else "hidden")
    cells = (
        Cell(minute(entry.created_at)),
        Cell(part, f"weld {entry.weld_number}" if entry.weld_number else ""),
        Cell(entry.image_name),
        Cell(HIDDEN, mark="hidden") if is_blind else Cell(_found(entry)),
        Cell("hidden", mark="hidden") if is_blind else disposition,
        Cell(_STATE_WORDS[entry.state], "correction" if entry.revision_of else ""),
        Cell(
            rule_words(entry.standard, entry.quality_level, tables),
            mark="" if entry.standard else "hidden",
        ),
        Cell(f"{entry.model_name} v{entry.model_version}"),
        Cell(inspector),
    )
    told = "result hidden" if is_blind else f"{_found(entry)}, {said}"
    return RecordRow(
        key=entry.inspection_id,
        address=f"/history?{CHOSEN}={entry.inspection_id}",
        label=f"{cells[0].text}, {part}, {entry.image_name}, {told}, {_STATE_WORDS[entry.state]}",
        thumbnail=f"/records/{entry.inspection_id}/thumbnail",
        cells=cells if is_wide else cells[: len(NARROW)],
    )


def _beside_disposition(entry: HistoryEntry) -> str:
    """An override, which nobody may overlook; else the reason for another exposure."""
    if entry.override is not None:
        return f"\N{WARNING SIGN} override: {entry.override.reason.value}"
    return entry.reshoot_reason.value if entry.reshoot_reason else ""


def _found(entry: HistoryEntry) -> str:
    """The indications in words; never that there is nothing."""
    counts = [f"{count} {kind.value.replace('_', ' ')}" for kind, count in entry.found.items()]
    counts += [f"{entry.n_open} not assessed"] if entry.n_open else []
    return ", ".join(counts) or "none reported"


def record_content(record: InspectionRecord, tables: Sequence[RuleSet], *, is_blind: bool) -> dict[str, Any]:
    """Values of `record.html`; the result is left out where it stays hidden."""
    inspection, setup = record.inspection, setup_from(record.inspection.setup)
    own = (
        setup.weld_number and f"weld {setup.weld_number}",
        setup.film_number and f"film {setup.film_number}",
    )
    title = " · ".join(filter(None, (setup.part, *own, setup.position)))
    return {
        "inspection": inspection,
        "title": title or inspection.image_name,
        "is_blind": is_blind,
        "facts": _facts(record, tables, is_blind=is_blind),
        "indications": [] if is_blind else _indications(record),
        "said": [] if is_blind else _said(record),
    }


def _facts(record: InspectionRecord, tables: Sequence[RuleSet], *, is_blind: bool) -> dict[str, str]:
    inspection, model, setup = record.inspection, record.inspection.model, setup_from(record.inspection.setup)
    lengths = (("t", setup.wall_mm), ("s", setup.thickness_mm), ("weld", setup.weld_length_mm))
    described = (setup.material, setup.technique, *(f"{k} {v:g} mm" for k, v in lengths if v is not None))
    disposition = inspection.disposition.word if inspection.disposition else UNDECIDED
    reshoot = "" if is_blind or inspection.reshoot_reason is None else inspection.reshoot_reason.value
    return {
        "Image": inspection.image_name,
        "Made": f"{second(inspection.created_at)} by {record.name(inspection.inspector_id)}",
        "Model": f"{model.name} v{model.version}, calibration {model.calibration_id}",
        "Probabilities": "" if is_blind else _doubt(inspection),
        "Part": ", ".join(filter(None, described)) or "not described",
        "Rule": rule_words(setup.standard, setup.quality_level, tables),
        "Wire IQI": indicator_words(setup.wire_set, setup.required_wire),
        "Disposition": "hidden" if is_blind else disposition,
        "Reason to re-shoot": reshoot,
        "Override": "" if is_blind else _override(record),
        SEEN: "" if is_blind or record.seen is None else record.seen.words,
        FIRST_LOOK: "" if is_blind or record.first_look is None else f"{record.first_look.words}.",
        **({} if is_blind else _measures(record)),
        "State": inspection.state.value,
        "Note": "" if is_blind else inspection.note,
        "Corrects": inspection.revision_of or "",
        "Id": inspection.inspection_id,
    }


def _doubt(inspection: Inspection) -> str:
    """That no probability is verified, for an image that looked strange; else empty."""
    seen = inspection.familiarity
    return f"{seen.words}." if seen is not None and seen.is_strange else ""


def _measures(record: InspectionRecord) -> dict[str, str]:
    """Measurements by their names, each with the source of its scale."""
    return {
        f"{one.measure_id} {one.kind}": "; ".join(filter(None, (one.value, one.scale_source)))
        for one in record.measures
    }


def _override(record: InspectionRecord) -> str:
    """What stood against the disposition, and why and by whom it was signed all the same."""
    one = record.inspection.override
    if one is None:
        return ""
    return f"{'; '.join(one.objections)}. Signed all the same by {record.name(one.signer_id)}, {one.words}"


def _indications(record: InspectionRecord) -> list[dict[str, str]]:
    """Every indication by the number that page and report show; members of a group are told by theirs."""
    reading, doubt = record.reading.indications, " ?" if record.inspection.is_strange else ""
    n_detections = len(record.inspection.detections)
    numbered = sorted((number_of(one, n_detections), one) for one in counted(reading))
    return [
        _indication(number, one, len(members_of(reading, one.indication_id)), doubt)
        for number, one in numbered
    ]


def _indication(number: int, one: ReadIndication, n_members: int, doubt: str) -> dict[str, str]:
    group = f", group of {n_members}" if n_members else ""
    return {
        "number": str(number),
        "kind": one.kind_words + group,
        "probability": "added" if one.probability is None else f"{one.probability:.2f}{doubt}",
        "call": one.call_words,
    }


def _said(record: InspectionRecord) -> list[str]:
    """Signatures and reviews, one line each."""
    lines = [
        f"{record.name(one.signer_id)}, {second(one.signed_at)}, {meaning_words(one.meaning)}"
        for one in record.signatures
    ]
    for one in record.reviews:
        own = f", own disposition {one.own_disposition.word}" if one.own_disposition else ""
        if one.changed_disposition:
            own += f" blind, changed to {one.changed_disposition.word} after comparing ({one.change_reason})"
        note = f": {one.note}" if one.note else ""
        by = record.name(one.reviewer_id)
        lines.append(f"{by} {one.outcome.value}{own}, {second(one.created_at)}{note}")
    return lines
