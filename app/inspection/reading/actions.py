"""Callbacks of a reading in the viewer: save, decide, sign, correct, measure the scale.

The viewer sends the content to store and the version that it rests on. When somebody else was faster nothing
is stored: the next run shows the viewer the stored content, and it lays both side by side.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.inspection.state import Signing, own_worklist, remembered, viewer_event
from app.shared.access import acting, client_address, current_identity, current_workspace
from app.shared.incident import incident, refusal_of
from app.shared.worklist import WorklistEntry
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, WorkbenchError
from core.domain.measures import measure_from
from core.domain.override import Override
from core.domain.reading import ReadIndication, first_reading, indication_from
from core.domain.records import AnnotationSource, Inspection, ReshootReason, chosen_disposition
from core.domain.scale import typed_pitch_mm
from core.domain.zone import zone_from
from core.services.inspections.inspecting import Decision
from core.services.workspaces import Workspace

_MOST_INDICATIONS = 2_000
_LONGEST_NOTE = 2_000


@acting
def save_event() -> None:
    """The reading changed."""
    if isinstance(event := viewer_event("reading"), Mapping):
        _tell_refusal(event, _save)


@acting
def decide_event() -> None:
    """The disposition or the note changed."""
    if isinstance(event := viewer_event("decision"), Mapping):
        _tell_refusal(event, _decide)


@acting
def sign_event() -> None:
    """The inspector wants to sign the reading on show: the next run asks for the password."""
    if isinstance(event := viewer_event("sign"), Mapping):
        remembered().signing = Signing(
            str(event["inspection_id"]), int(event["version"]), int(event["reading_version"])
        )


@acting
def revise_event() -> None:
    """The inspector corrects a signed inspection; the correction is read from now on."""
    if isinstance(inspection_id := viewer_event("revise"), str):
        current_workspace().signing_off.revise(current_identity(), inspection_id)


@acting
def seen_event() -> None:
    """More of the radiograph has been on screen at 1:1 or more."""
    if isinstance(event := viewer_event("seen"), Mapping):
        current_workspace().seeing.add(current_identity(), str(event["inspection_id"]), str(event["cells"]))


@acting
def zone_event() -> None:
    """The zone that is judged was drawn, or there is none, or it is to be found again."""
    if not isinstance(event := viewer_event("zone"), Mapping):
        return
    identity, zones, inspection_id = (
        current_identity(), current_workspace().zones, str(event["inspection_id"])
    )  # fmt: skip
    if event.get("points") is None:
        zones.find_again(identity, inspection_id)
    else:
        zones.draw(identity, inspection_id, zone_from(event))


@acting
def scale_event() -> None:
    """The scale from now on, by a length drawn or a pitch typed: of the image, or of its batch."""
    event = viewer_event("scale")
    if not isinstance(event, Mapping):
        return
    typed, length_mm = event.get("typed"), event.get("length_mm")
    if not typed and length_mm is None:
        return
    sha256, scales, identity = str(event["sha256"]), current_workspace().scales, current_identity()
    entry = own_worklist().with_digest(sha256)
    if entry is None:
        raise BadInputError("this image is not on your worklist")
    for one in _together(entry) if event.get("is_batch") else [sha256]:
        if typed:
            scales.type_pitch(identity, one, typed_pitch_mm(str(typed)))
        else:
            scales.set(identity, one, known_mm=float(length_mm), measured_px=float(event["length_px"]))


def _together(entry: WorklistEntry) -> list[str]:
    """The images on the worklist that were handed in together with this one, it among them."""
    entries = own_worklist().entries()
    alike = [one.sha256 for one in entries if one is entry or (entry.batch and one.batch == entry.batch)]
    return [sha256 for sha256 in alike if sha256 is not None]


def sign(signing: Signing, password: str, override: Override | None = None) -> str:
    """Sign with this password; why nothing was signed, empty when it was.

    Args:
        signing: what is signed.
        password: the account's.
        override: why it is signed in spite of what stands against it; None where nothing does.
    """
    try:
        current_workspace().signing_off.sign(
            current_identity(),
            signing.inspection_id,
            password,
            expected_version=signing.version,
            expected_reading=signing.reading_version,
            address=client_address(),
            override=override,
        )
    except WorkbenchError as error:
        return f"Nothing was signed: {error}. Your reading is saved."
    except Exception:  # noqa: BLE001 - the page's edge: logged, told
        return incident("Signing")
    return ""


def checked_reading(inspection: Inspection, boxes: Sequence[Mapping[str, Any]]) -> tuple[ReadIndication, ...]:
    """The reading that a browser sent; probabilities are taken from the record, not from there.

    Raises:
        BadInputError: too many, not indications, or one that the model reported is missing: it can be
            dismissed, not removed.
    """
    if len(boxes) > _MOST_INDICATIONS:
        raise BadInputError(f"expected at most {_MOST_INDICATIONS} indications, got {len(boxes)}")
    found = tuple(_of_record(inspection, indication_from(box)) for box in boxes)
    reported = first_reading(inspection.detections, inspection.model.operating_probability)
    missing = {one.model_index for one in reported} - {one.model_index for one in found}
    if missing:
        raise BadInputError("what the model reported can be dismissed, not removed")
    return found


def _of_record(inspection: Inspection, one: ReadIndication) -> ReadIndication:
    index = one.model_index
    is_known = index is not None and 0 <= index < len(inspection.detections)
    if (one.source is AnnotationSource.MODEL) != is_known:
        raise BadInputError(f"indication {one.indication_id[:40]}: the model did not report it")
    told = None if index is None else float(inspection.detections[index]["probability"])
    if index is not None and one.indication_id != f"m{index + 1}":
        raise BadInputError(f"indication {one.indication_id[:40]}: expected the id m{index + 1}")
    return replace(one, probability=told)


@acting
def measures_event() -> None:
    """The measures on the radiograph changed."""
    event = viewer_event("measures")
    if isinstance(event, Mapping):
        measures = [measure_from({**one, "measure_id": one["id"]}) for one in event["content"]]
        current_workspace().measuring.save(current_identity(), str(event["inspection_id"]), measures)


@acting
def unveil_event() -> None:
    """The first look is done: the model is shown from now on."""
    if isinstance(event := viewer_event("unveil"), Mapping):
        current_workspace().first_looks.finish(
            current_identity(), str(event["inspection_id"]), expected_version=int(event["version"])
        )


def _save(event: Mapping[str, Any], identity: Identity, workspace: Workspace) -> None:
    shown = workspace.open_readings.open(identity, str(event["inspection_id"]), known=remembered().shown)
    inspection = shown.reading.inspection
    if shown.is_veiled:
        marked = tuple(indication_from(box) for box in event["content"])
        workspace.first_looks.save(
            identity, inspection.inspection_id, marked, expected_version=int(event["base"])
        )
        return
    indications = checked_reading(inspection, event["content"])
    workspace.readings.save(
        identity, inspection.inspection_id, indications, expected_version=int(event["base"])
    )


def _decide(event: Mapping[str, Any], identity: Identity, workspace: Workspace) -> None:
    inspection_id, content = str(event["inspection_id"]), event["content"]
    note = str(content.get("note") or "")
    if len(note) > _LONGEST_NOTE:
        raise BadInputError(f"note: expected at most {_LONGEST_NOTE} characters")
    reason = content.get("reshoot_reason")
    decision = Decision(
        chosen_disposition(content.get("disposition")),
        note,
        reshoot_reason=ReshootReason(reason) if reason else None,
    )
    workspace.inspections.decide(identity, inspection_id, decision, expected_version=int(event["base"]))


def _tell_refusal(
    event: Mapping[str, Any], act: Callable[[Mapping[str, Any], Identity, Workspace], None]
) -> None:
    """Do it; a refusal is told beside the reading."""
    remembered().refused = refusal_of(
        event, "Saving the reading", lambda: act(event, current_identity(), current_workspace())
    )
