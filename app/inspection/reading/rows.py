"""A reading as plain data for the viewer: indications, verdict, decision, signatures."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.shared.viewer_rows import kinds_by_class, known_kinds, quality_lines, severity_ranks
from core.domain.accounts import Identity
from core.domain.first_look import own_of
from core.domain.kinds import Family, family_of
from core.domain.measures import Measure
from core.domain.objections import objection_line
from core.domain.permissions import Action, may
from core.domain.reading import setup_from
from core.domain.records import Inspection, InspectionState, ReshootReason
from core.domain.signing import meaning_words
from core.services.inspections.judging import Judgement
from core.services.inspections.open_readings import OpenReading
from core.services.inspections.zones import KeptZone
from core.standards.verdict import IndicationVerdict

_STATE_WORDS = {
    InspectionState.OPEN: "open",
    InspectionState.SIGNED: "signed",
    InspectionState.CONCURRED: "signed, a second person concurs",
    InspectionState.RETURNED: "signed, returned by the second person",
}
_NO_GUEST_SIGNS = "guests cannot sign"
#: Stands in place of the verdict while the model is hidden.
VEILED_JUDGEMENT = {
    "verdict": "not assessed",
    "words": "first look: no verdict before it is done",
    "withheld": [],
    "notes": [],
}


def reading_data(shown: OpenReading, identity: Identity, *, refused: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data for the viewer.

    Args:
        shown: the reading.
        identity: who looks at it.
        refused: a change that was not saved and why: `edit` (the viewer's number of it) and `message`.
    """
    reading, inspection, is_veiled = shown.reading, shown.reading.inspection, shown.is_veiled
    family = family_of(inspection.model.name)
    indications = own_of(reading.indications) if is_veiled else reading.indications
    may_sign = may(identity.role, Action.SIGNATURES_ADD)
    return {
        "inspection_id": inspection.inspection_id,
        "owner": identity.user_id,
        "is_open": inspection.is_open and may(identity.role, Action.INSPECTIONS_DECIDE),
        "state": _STATE_WORDS[inspection.state],
        "is_revision": inspection.revision_of is not None,
        "version": reading.version,
        "saved_at": _moment(reading.saved_at),
        "author": shown.names.get(reading.author_id or "", ""),
        "override": override_words(inspection),
        "indications": [one.to_box() for one in indications],
        "decision": decision_data(inspection, shown.names),
        "operating_probability": inspection.model.operating_probability,
        "judgement": VEILED_JUDGEMENT if is_veiled else judgement_data(shown.judgement),
        "is_blind": is_veiled,
        "is_first_look": is_veiled,
        "first_look": shown.first_look.words if shown.first_look else "",
        "measures": [measure_data(one) for one in shown.measures],
        "judged_for": judged_for(shown),
        "family": family.value,
        "kinds": kinds_by_class(family),
        "reshoot_reasons": [one.value for one in ReshootReason],
        "numbers": known_kinds(family),
        "severity": severity_ranks(),
        "image_quality": quality_lines(inspection.image_quality),
        "seen": shown.seen.to_text(),
        "srb_mm": setup_from(inspection.setup).srb_mm,
        "signatures": [
            {
                "name": shown.names.get(one.signer_id, "unknown"),
                "meaning": meaning_words(one.meaning),
                "at": f"{one.signed_at:%Y-%m-%d %H:%M:%S} UTC",
            }
            for one in shown.signatures
        ],
        "may_sign": may_sign,
        "why_not_sign": "" if may_sign else _NO_GUEST_SIGNS,
        "may_revise": not inspection.is_open and may(identity.role, Action.INSPECTIONS_DECIDE),
        "report_url": None if inspection.is_open else f"/reports/{inspection.inspection_id}.pdf",
        "refused": dict(refused),
    }


def zone_data(zone: KeptZone, inspection: Inspection) -> dict[str, Any]:
    """The zone that is judged, and its word: the weld or the part."""
    return zone.to_dict() | {"word": "weld" if family_of(inspection.model.name) is Family.WELD else "part"}


def measure_data(one: Measure) -> dict[str, Any]:
    """The measure as the viewer draws it."""
    return {
        "id": one.measure_id,
        "kind": one.kind.value,
        "a": list(one.a),
        "b": list(one.b),
        "bandPx": one.band_px,
        "is_background": one.is_background,
    }


def judged_for(shown: OpenReading) -> str:
    """A text that changes when rule, part or scale do: then the list puts what is rejected first again."""
    setup = sorted((name, str(value)) for name, value in shown.reading.inspection.setup.items())
    verdict = shown.judgement.verdict
    return repr((setup, verdict.rule_set_sha256 if verdict else shown.judgement.withheld))


def decision_data(inspection: Inspection, names: Mapping[str, str]) -> dict[str, Any]:
    """The decision, who made it and when."""
    return {
        "version": inspection.version,
        "disposition": inspection.disposition.word if inspection.disposition else None,
        "reshoot_reason": inspection.reshoot_reason.value if inspection.reshoot_reason else None,
        "note": inspection.note,
        "saved_at": _moment(inspection.updated_at) if inspection.version > 1 else None,
        "author": names.get(inspection.updated_by or "", ""),
    }


def override_words(inspection: Inspection) -> str:
    """What stood against the disposition, and why it was signed all the same; "" where nothing did."""
    if (one := inspection.override) is None:
        return ""
    return f"Override. Stood against it: {objection_line(one.objections)}. Signed all the same, {one.words}"


def judgement_data(judgement: Judgement) -> dict[str, Any]:
    """The verdict as lines of text; each indication with its clauses and what decided.

    What the rule would say of indications that nobody assessed is a preview, marked as one.
    """
    data = {
        "verdict": judgement.word.value,
        "words": judgement.words,
        "withheld": list(judgement.withheld),
        "notes": list(judgement.notes),
    }
    verdict, preview = judgement.verdict, judgement.preview
    if verdict is None:
        return data
    known = [f"edition {verdict.edition}"] if verdict.edition != "unknown" else []
    indications = (
        {} if preview is None else {one.finding_id: _judged(one, True) for one in preview.indications}
    )
    indications |= {one.finding_id: _judged(one, False) for one in verdict.indications}
    return data | {
        "summary": judgement.summary,
        "table": ", ".join([f"{verdict.standard}, level {verdict.level}", *known]),
        "version": f"{verdict.rule_set_id} v{verdict.rule_set_version}, {verdict.rule_set_sha256[:12]}",
        "caveat": verdict.caveat,
        "grading": None if verdict.grading is None else asdict(verdict.grading),
        "preview": preview.summary if preview else "",
        "indications": indications,
    }


def _judged(one: IndicationVerdict, is_preview: bool) -> dict[str, Any]:
    return {
        "verdict": one.verdict.value,
        "is_preview": is_preview,
        "reasons": list(one.reasons),
        "clauses": list(dict.fromkeys(outcome.clause for outcome in one.outcomes if outcome.clause)),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
