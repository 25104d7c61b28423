"""HTTP routes of reports: PDF in the browser, CSV and JSON as files."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.shared.resources import resources
from app.shared.visitors import identity_of
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, NotAllowedError, UnknownRecordError, WorkbenchError
from core.reports.inspection_report import InspectionReport
from core.services.reports.reporting import ChosenWindow, ReportingService
from core.store.blobs import BlobNotFoundError

_FRESH = {"Cache-Control": "no-store"}
_NOTHING = "there is no such inspection here"
Endpoint = Callable[[Request], Response]


def routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/reports/{inspection_id}.pdf", pdf),
        Route("/reports/{inspection_id}.csv", csv),
        Route("/reports/{inspection_id}.json", json),
    ]


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Errors as one clear line; a stranger learns nothing about what exists."""

    @wraps(endpoint)
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except (UnknownRecordError, BlobNotFoundError):
            return PlainTextResponse(_NOTHING, 404, _FRESH)
        except NotAllowedError as error:
            return PlainTextResponse(str(error), 403, _FRESH)
        except (ValueError, KeyError):
            return PlainTextResponse("expected lo and hi as grey values", 400, _FRESH)
        except BadInputError as error:
            return PlainTextResponse(str(error), 400, _FRESH)
        except WorkbenchError as error:
            return PlainTextResponse(str(error), 500, _FRESH)

    return answer


@_guarded
def pdf(request: Request) -> Response:
    """The report on A4 pages; `lo`, `hi` and `invert=1` name the window."""
    service, report = _report(request)
    return _file(service.pdf(report), "application/pdf", report, "pdf", how="inline")


@_guarded
def csv(request: Request) -> Response:
    """The report with one line an indication."""
    service, report = _report(request)
    return _file(service.csv(report), "text/csv; charset=utf-8", report, "csv")


@_guarded
def json(request: Request) -> Response:
    """The whole report, for `radikal report verify`."""
    service, report = _report(request)
    return _file(service.json(report), "application/json", report, "json")


def _report(request: Request) -> tuple[ReportingService, InspectionReport]:
    identity = identity_of(request.cookies)
    if identity is None:
        raise UnknownRecordError(_NOTHING)
    service = _service(identity)
    return service, service.report(identity, request.path_params["inspection_id"], window=_window(request))


def _service(identity: Identity) -> ReportingService:
    services = resources().services
    return ReportingService(services.workspace_of(identity), services.registry)


def _window(request: Request) -> ChosenWindow | None:
    query = request.query_params
    if "lo" not in query and "hi" not in query:
        return None
    return ChosenWindow(float(query["lo"]), float(query["hi"]), is_inverted=query.get("invert") == "1")


def _file(
    body: bytes, media_type: str, report: InspectionReport, suffix: str, *, how: str = "attachment"
) -> Response:
    name = quote(f"{report.reference()}.{suffix}")
    disposition = f"{how}; filename*=UTF-8''{name}"
    return Response(body, media_type=media_type, headers={**_FRESH, "Content-Disposition": disposition})
