"""Recorded inspections: the list, one of them, its report."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import Field

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.places import place_of, place_text
from app.api.schemas import (
    DRIFT,
    QUALIFICATION,
    Detection,
    Familiarity,
    Image,
    ModelUsed,
    Moment,
    RecordId,
    Schema,
    detections_of,
    familiarity_of,
    model_of,
    standing_of,
)
from app.api.turns import in_turn
from app.shared.resources import resources
from app.shared.responses import file_answer
from core.domain.accounts import Identity
from core.domain.indication import IndicationClass
from core.domain.records import Disposition, InspectionState
from core.reports.inspection_report import InspectionReport
from core.services.inspections.inspection_record import InspectionRecord, is_blind_for
from core.services.reports.reporting import ReportingService
from core.store.images import StoredImage
from core.store.inspection_history import LONGEST_WORDS, HistoryEntry, HistoryFilter

router = APIRouter(prefix=f"{PREFIX}/inspections", tags=["inspections"])
_REPORTS: dict[str, tuple[Callable[[ReportingService, InspectionReport], bytes], str]] = {
    "pdf": (ReportingService.pdf, "application/pdf"),
    "json": (ReportingService.json, "application/json"),
    "csv": (ReportingService.csv, "text/csv; charset=utf-8"),
}


class InspectionLine(Schema):
    """One line of the list."""

    inspection_id: RecordId
    created_at: Moment
    image_sha256: str = Field(description="SHA-256 of the picture as 64 hex digits.")
    image_name: str = Field(description="Name of the file as it was handed in.")
    part: str = Field(description="Name of the part; empty where nobody named it.")
    weld_number: str = Field(description="Number of the weld; empty where nobody gave one.")
    is_hidden: bool = Field(
        description="True while the caller is to review it blind: the result is left out."
    )
    found: dict[str, int] | None = Field(
        description="Number of indications of each class that nobody dismissed."
    )
    n_open: int | None = Field(description="Number of them that nobody assessed.")
    disposition: str | None = Field(description="accept, reject, refer, repair or re-shoot; null: undecided.")
    state: str = Field(description="open, signed, concurred or returned.")
    model_name: str = Field(description="Registered name of the model that read it.")
    model_version: int = Field(description="Number of the version, counted from 1.")
    inspector: str = Field(description="Sign-in name of who had it inspected.")


class InspectionPage(Schema):
    """Some lines of the list, the newest first."""

    inspections: list[InspectionLine] = Field(description="The lines.")
    next: str | None = Field(description="Hand it in as `after` for the next page; null on the last one.")
    n_found: int = Field(description="Number of lines on all pages; a lower limit where it is not counted.")
    is_counted: bool = Field(description="False where there are more than are counted.")


class InspectionAnswer(Schema):
    """A recorded inspection with what people said about it."""

    inspection_id: RecordId
    created_at: Moment
    updated_at: Moment
    state: str = Field(description="open, signed, concurred or returned.")
    version: int = Field(description="Counts up with every change of the decision, from 1.")
    inspector: str = Field(description="Name of who had it inspected.")
    image: Image
    model: ModelUsed
    detections: list[Detection] = Field(description="The model's list, highest score first; never changed.")
    familiarity: Familiarity | None = Field(description="Null where the version cannot tell.")
    drift: str = Field(description=DRIFT)
    qualification: str = Field(description=QUALIFICATION)
    disposition: str | None = Field(description="accept, reject, refer, repair or re-shoot; null: undecided.")
    note: str = Field(description="What the inspector noted.")
    setup: dict[str, Any] = Field(description="What is inspected; lengths end in _mm and are in mm.")
    image_quality: dict[str, Any] | None = Field(description="Report of the image-quality gate; null: none.")
    reading: list[dict[str, Any]] = Field(
        description="Indications as the inspector reads them; `bbox` x1, y1, x2, y2 in px."
    )
    reading_version: int = Field(
        description="Counts the saves of the reading; 0: it is what the model reported."
    )
    signatures: list[dict[str, Any]] = Field(description="Who signed, when (UTC) and as what, oldest first.")
    reviews: list[dict[str, Any]] = Field(description="Second persons' reviews, oldest first.")


def history_filter(
    text: Annotated[
        str,
        Query(
            max_length=LONGEST_WORDS, description="Words that all occur in part, weld number or image name."
        ),
    ] = "",
    since: Annotated[
        datetime | None, Query(description="Earliest moment, ISO 8601; UTC where no zone is told.")
    ] = None,
    until: Annotated[datetime | None, Query(description="First moment that is left out, ISO 8601.")] = None,
    indication_class: Annotated[
        IndicationClass | None, Query(description="Class of an indication that nobody dismissed.")
    ] = None,
    disposition: Annotated[Disposition | None, Query(description="What was decided.")] = None,
    is_undecided: Annotated[
        bool | None, Query(description="True: nothing was decided; false: something was.")
    ] = None,
    state: Annotated[
        InspectionState | None, Query(description="open, signed, concurred or returned.")
    ] = None,
    model: Annotated[str | None, Query(max_length=64, description="Registered name of the model.")] = None,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Number of the version.")] = None,
) -> HistoryFilter:
    """The filter of the list and of the history."""
    return HistoryFilter(
        text=text,
        since=_utc(since),
        until=_utc(until),
        indication_class=indication_class,
        disposition=disposition,
        is_undecided=is_undecided,
        state=state,
        model_name=model,
        model_version=version,
    )


@router.get("", summary="Inspections, a page at a time", responses=problems())
def list_inspections(
    identity: Caller,
    wanted: Annotated[HistoryFilter, Depends(history_filter)],
    limit: Annotated[int, Query(ge=1, le=200, description="Most lines of the page.")] = 50,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
) -> InspectionPage:
    """Inspections that the filters let through, the newest first. Needs the scope `read`."""
    page = resources().services.workspace.history.search(
        identity, wanted, limit=limit, before=None if after is None else place_of(after)
    )
    return InspectionPage(
        inspections=[_line(one, identity, page.names) for one in page.entries],
        next=place_text(page.next_place),
        n_found=page.n_found,
        is_counted=page.is_counted,
    )


@router.get("/{inspection_id}", summary="One inspection", responses=problems(404))
def get_inspection(inspection_id: RecordId, identity: Caller) -> InspectionAnswer:
    """The whole record of an inspection. Needs the scope `read`.

    Refused while the caller is to review it blind, or to look at the film before the model is shown.
    """
    return _answer(*resources().services.recorded.get(identity, inspection_id))


@router.get(
    "/{inspection_id}/report",
    summary="The report of an inspection",
    response_class=Response,
    responses={
        **problems(404),
        200: {"content": {"application/pdf": {}, "application/json": {}, "text/csv": {}},
              "description": "The report as a file."},
    },
)  # fmt: skip
async def get_report(
    inspection_id: RecordId,
    identity: Caller,
    form: Annotated[
        Literal["pdf", "json", "csv"], Query(alias="format", description="pdf, json or csv.")
    ] = "pdf",
) -> Response:
    """The report as of now; a signed inspection bears the verdict that was signed. Needs the scope `read`."""
    service = resources().services.reporting(identity)
    write, media_type = _REPORTS[form]

    def make() -> Response:
        made = service.report(identity, inspection_id)
        return file_answer(write(service, made), media_type, f"{made.reference()}.{form}")

    return await in_turn(make)


def _line(entry: HistoryEntry, identity: Identity, names: Any) -> InspectionLine:
    is_hidden = is_blind_for(identity, inspector_id=entry.inspector_id, state=entry.state)
    return InspectionLine(
        inspection_id=entry.inspection_id,
        created_at=entry.created_at,
        image_sha256=entry.image_sha256,
        image_name=entry.image_name,
        part=entry.part,
        weld_number=entry.weld_number,
        is_hidden=is_hidden,
        found=None if is_hidden else {kind.value: count for kind, count in entry.found.items()},
        n_open=None if is_hidden else entry.n_open,
        disposition=None if is_hidden or entry.disposition is None else entry.disposition.word,
        state=entry.state.value,
        model_name=entry.model_name,
        model_version=entry.model_version,
        inspector=names.get(entry.inspector_id or "", entry.inspector_id or "command line"),
    )


def _answer(record: InspectionRecord, image: StoredImage | None) -> InspectionAnswer:
    inspection, reading = record.inspection, record.reading
    ground = inspection.polarity_ground
    return InspectionAnswer(
        inspection_id=inspection.inspection_id,
        created_at=inspection.created_at,
        updated_at=inspection.updated_at,
        state=inspection.state.value,
        version=inspection.version,
        inspector=record.name(inspection.inspector_id),
        image=Image(
            sha256=inspection.image_sha256,
            name=inspection.image_name,
            width_px=image.width if image else 0,
            height_px=image.height if image else 0,
            bit_depth=image.bit_depth if image else 0,
            polarity=inspection.polarity.value,
            polarity_ground=ground.value if ground else None,
            mm_per_px=image.pitch.mm_per_px if image and image.pitch else None,
        ),
        model=model_of(inspection),
        detections=detections_of(inspection),
        familiarity=familiarity_of(inspection),
        **standing_of(inspection),
        disposition=inspection.disposition.word if inspection.disposition else None,
        note=inspection.note,
        setup=dict(inspection.setup),
        image_quality=dict(inspection.image_quality) if inspection.image_quality else None,
        reading=[one.to_box() for one in reading.indications],
        reading_version=reading.version,
        signatures=[
            {"by": record.name(one.signer_id), "at": one.signed_at.isoformat(), "meaning": one.meaning,
             "inspection_version": one.inspection_version, "content_sha256": one.content_sha256}
            for one in record.signatures
        ],
        reviews=[
            {"by": record.name(one.reviewer_id), "at": one.created_at.isoformat(),
             "outcome": one.outcome.value, "note": one.note, "inspection_version": one.inspection_version}
            for one in record.reviews
        ],
    )  # fmt: skip


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
