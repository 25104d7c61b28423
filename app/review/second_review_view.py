"""What the second person sees and does: the queue, the blind reading, the comparison, the signed outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.shared.access import acting, client_address, current_identity
from app.shared.components.record_table.record_table import Cell, RecordRow
from app.shared.incident import incident
from app.shared.resources import resources
from app.shared.viewer_rows import kinds_by_class, quality_lines, shown_image
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, StaleVersionError, WorkbenchError
from core.domain.radiograph import Radiograph
from core.domain.reading import ReadIndication, indication_from, setup_from
from core.domain.records import AnnotationSource, Disposition, Inspection, ReviewOutcome
from core.services.inspections.own_review import OwnReview
from core.services.inspections.second_review import SecondReviewService

TABLE, VIEWER = "second_review.table", "second_review.viewer"
OUTCOME, NOTE, PASSWORD = (f"second_review.{name}" for name in ("outcome", "note", "password"))
CHOSEN = "inspection"
COLUMNS = ("Made (UTC)", "Part, weld", "Image", "Rule", "Inspector", "Decided (UTC)")
_MOST_INDICATIONS = 2_000
_NO_CALIBRATION = {"id": "", "method": "", "fitted_on": "", "score_cut": 0.0, "operating_probability": 1.0}


@dataclass
class SecondReviewState:
    """The second person's page in this session.

    Attributes:
        refused: what was not saved last and why, `edit` and `message`.
        said: what the last review came to.
        wrong: why the last review was not signed.
    """

    refused: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    wrong: str = ""


def review_state() -> SecondReviewState:
    """The state of the page in this session."""
    if "second_review" not in st.session_state:
        st.session_state["second_review"] = SecondReviewState()
    state: SecondReviewState = st.session_state["second_review"]
    return state


def service() -> SecondReviewService:
    """The reviews of the real workspace; guests have no second person."""
    return resources().services.workspace.reviews


def queue_rows(waiting: list[Inspection], names: Mapping[str, str]) -> list[RecordRow]:
    """A row for each inspection that waits; nothing of its result."""
    rows = []
    for one in waiting:
        setup = setup_from(one.setup)
        made, part = f"{one.created_at:%Y-%m-%d %H:%M}", setup.part or "no part named"
        inspector = names.get(one.inspector_id or "", one.inspector_id or "command line")
        rule = f"{one.standard}, {one.quality_level}" if one.standard else "none chosen"
        cells = (
            Cell(made),
            Cell(part, f"weld {setup.weld_number}" if setup.weld_number else ""),
            Cell(one.image_name),
            Cell(rule, mark="" if one.standard else "hidden"),
            Cell(inspector),
            Cell(f"{one.updated_at:%Y-%m-%d %H:%M}"),
        )
        address, label = f"/second-review?{CHOSEN}={one.inspection_id}", f"{made}, {part}, {one.image_name}"
        picture = f"/records/{one.inspection_id}/thumbnail"
        rows.append(RecordRow(one.inspection_id, address, label, picture, cells))
    return rows


def blind_data(own: OwnReview, radiograph: Radiograph, identity: Identity) -> dict[str, Any]:
    """What the viewer shows before the first result may be seen: the radiograph and the own reading."""
    inspection = own.reading.inspection
    return {
        "image": shown_image(
            radiograph, inspection.image_name, f"/records/{inspection.inspection_id}/pixels"
        ),
        "status": {"state": "ready", "message": "", "elapsed_ms": None},
        "detections": [],
        "result_id": f"review-{inspection.inspection_id}",
        "calibration": _NO_CALIBRATION,
        "model": {"title": "hidden until you compare", "sha256": "", "data_notice": "", "device": ""},
        "threshold": 0.5,
        "threshold_rev": "review",
        "links": None,
        "reading": _own_data(own, identity),
        "progress": None,
        "batch": [],
        "current": inspection.inspection_id,
    }  # fmt: skip


@acting
def open_event() -> None:
    """The reviewer opened one of the queue."""
    if key := getattr(st.session_state.get(TABLE), "open", None):
        st.query_params[CHOSEN] = str(key)
        state = review_state()
        state.said = state.wrong = ""
        state.refused = {}


def leave() -> None:
    """Back to the queue; only from a callback."""
    st.query_params.pop(CHOSEN, None)


@acting
def save_event() -> None:
    """The own reading changed."""
    event = _event("reading")
    if isinstance(event, Mapping):
        _tell_refusal(event, _save)


@acting
def decide_event() -> None:
    """The own disposition or note changed."""
    event = _event("decision")
    if isinstance(event, Mapping):
        _tell_refusal(event, _decide)


@acting
def unveil_event() -> None:
    """The own result is final: show the first one."""
    event = _event("sign")
    if isinstance(event, Mapping):
        service().unveil(
            current_identity(),
            _inspection_id(event),
            expected_reading=int(event["reading_version"]),
            expected_decision=int(event["version"]),
        )


@acting
def conclude(inspection_id: str) -> None:
    """Concur or return, signed with the password; what is wrong is told beside the form."""
    state, asked = review_state(), st.session_state
    outcome, password = asked.get(OUTCOME), str(asked.get(PASSWORD) or "")
    asked[PASSWORD] = ""
    if outcome is None or not password:
        state.wrong = "choose concur or return first" if outcome is None else "enter your password"
        return
    try:
        service().conclude(
            current_identity(),
            inspection_id,
            ReviewOutcome(outcome),
            password,
            note=str(asked.get(NOTE) or ""),
            address=client_address(),
        )
    except WorkbenchError as error:
        state.wrong = str(error).removesuffix("; nothing was changed")
        return
    state.wrong = ""
    done = "you concur" if outcome == ReviewOutcome.CONCURS.value else "it is returned to its inspector"
    state.said = f"signed {datetime.now(UTC):%H:%M:%S} UTC: {done}"
    leave()


def _event(name: str) -> Any:
    return getattr(st.session_state.get(VIEWER), name, None)


def _inspection_id(event: Mapping[str, Any]) -> str:
    return str(event["inspection_id"]).removeprefix("review-")


def _save(event: Mapping[str, Any], identity: Identity) -> None:
    boxes = event["content"]
    if len(boxes) > _MOST_INDICATIONS:
        raise BadInputError(f"expected at most {_MOST_INDICATIONS} indications, got {len(boxes)}")
    found = [_own(indication_from(box)) for box in boxes]
    service().save_own(identity, _inspection_id(event), found, expected_version=int(event["base"]))


def _own(one: ReadIndication) -> ReadIndication:
    if one.source is not AnnotationSource.HUMAN or one.model_index is not None:
        raise BadInputError(f"indication {one.indication_id[:40]}: a blind reading holds nothing of a model")
    return one


def _decide(event: Mapping[str, Any], identity: Identity) -> None:
    content = event["content"]
    service().decide_own(
        identity,
        _inspection_id(event),
        Disposition(content["disposition"]) if content.get("disposition") else None,
        str(content.get("note") or ""),
        expected_version=int(event["base"]),
    )


def _tell_refusal(event: Mapping[str, Any], act: Any) -> None:
    """Do it; what was refused is told beside the reading, with the number the viewer gave the change."""
    state, identity = review_state(), current_identity()
    state.refused = {}
    try:
        act(event, identity)
    except StaleVersionError:
        return  # the viewer sees what is stored now and compares
    except WorkbenchError as error:
        state.refused = {"edit": event.get("edit"), "message": str(error)}
    except (KeyError, TypeError, ValueError, AttributeError):
        state.refused = {"edit": event.get("edit"), "message": incident("Saving the reading")}


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
            "disposition": own.disposition.value if own.disposition else None,
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
        "refused": dict(review_state().refused),
    }
