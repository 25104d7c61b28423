"""The history of inspections as a file."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response, StreamingResponse

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.inspections import history_filter
from app.shared.resources import resources
from app.shared.responses import FRESH
from core.store.inspection_history import HistoryFilter

router = APIRouter(prefix=f"{PREFIX}/history", tags=["history"])
_HEADERS = {**FRESH, "Content-Disposition": "attachment; filename=radikal-inspections.csv"}


@router.get(
    "",
    summary="The history as CSV",
    response_class=Response,
    responses={**problems(), 200: {"content": {"text/csv": {}}, "description": "One line an inspection."}},
)
def export_history(
    identity: Caller,
    wanted: Annotated[HistoryFilter, Depends(history_filter)],
) -> StreamingResponse:
    """The newest 9,999 inspections that the filters let through, one line each. Needs the scope `read`.

    That they were exported is in the audit log before the first line.
    """
    lines = resources().services.workspace.history_export.csv(identity, wanted)
    return StreamingResponse(_encoded(lines), media_type="text/csv; charset=utf-8", headers=_HEADERS)


def _encoded(lines: Iterator[str]) -> Iterator[bytes]:
    for line in lines:
        yield line.encode("utf-8")
