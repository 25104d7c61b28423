"""HTTP routes of recorded inspections: their images and reports, for whoever may see them."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.shared.image_routes import image_routes
from app.shared.resources import resources
from app.shared.responses import file_answer, guarded, not_found
from app.shared.visitors import identity_of
from core.domain.errors import BadInputError, UnknownRecordError
from core.domain.explanations import Method
from core.domain.permissions import Action, require
from core.reports.inspection_report import InspectionReport
from core.services.images.images import ImageService
from core.services.reports.reporting import ChosenWindow, ReportingService
from core.store.blobs import BlobNotFoundError

_NO_REPORT = "there is no such inspection here"
_FORMS: dict[str, tuple[Callable[[ReportingService, InspectionReport], bytes], str, str]] = {
    "pdf": (ReportingService.pdf, "application/pdf", "inline"),
    "csv": (ReportingService.csv, "text/csv; charset=utf-8", "attachment"),
    "json": (ReportingService.json, "application/json", "attachment"),
}


def routes() -> list[Route]:
    """The routes of this module."""
    address = "/records/{inspection_id}"
    images = image_routes(
        _image,
        {
            f"{address}/pixels": "pixels",
            f"{address}/pixels/preview": "preview",
            f"{address}/thumbnail": "thumbnail",
            f"{address}/picture": "picture",
        },
    )
    return [*images, Route("/reports/{inspection_id}.{form}", report)]


@guarded
def report(request: Request) -> Response:
    """The report of an inspection, A4 pages in the browser or a file; `lo`, `hi`, `invert=1` name the window.

    `boxes=1,3&methods=gradcam,integrated` puts maps of these boxes into it, by the method that is shown first
    for the version where none is named. A stranger learns nothing about what exists.
    """
    identity, form = identity_of(request.cookies), request.path_params["form"]
    if identity is None or form not in _FORMS:
        raise not_found(_NO_REPORT)
    write, media_type, how = _FORMS[form]
    service, window = resources().services.reporting(identity), _window(request)
    try:
        made = service.report(identity, request.path_params["inspection_id"], window=window)
        if chosen := _maps(request):
            made = resources().services.report_maps.with_maps(identity, made, chosen)
        return file_answer(write(service, made), media_type, f"{made.reference()}.{form}", how=how)
    except (UnknownRecordError, BlobNotFoundError) as error:
        raise not_found(_NO_REPORT) from error


def _window(request: Request) -> ChosenWindow | None:
    query = request.query_params
    if "lo" not in query and "hi" not in query:
        return None
    try:
        return ChosenWindow(float(query["lo"]), float(query["hi"]), is_inverted=query.get("invert") == "1")
    except BadInputError as error:
        raise HTTPException(400, str(error)) from error
    except (ValueError, KeyError) as error:
        raise HTTPException(400, "expected lo and hi as grey values") from error


def _maps(request: Request) -> list[tuple[int, Method | None]]:
    """The maps that the address asks for, box by box; none where it names no box."""
    query = request.query_params
    if "boxes" not in query:
        return []
    try:
        numbers = [int(one) for one in query["boxes"].split(",")]
        methods: list[Method | None] = [None]
        if "methods" in query:
            methods = [Method(one) for one in query["methods"].split(",")]
    except ValueError as error:
        raise HTTPException(400, "expected boxes and methods as lists with commas") from error
    return [(number, method) for number in numbers for method in methods]


def _image(request: Request) -> tuple[ImageService, str]:
    """The images that hold that of the inspection in the address, and its digest."""
    identity = identity_of(request.cookies)
    if identity is None:
        raise not_found("no such inspection")
    require(identity, Action.IMAGES_READ)
    workspace = resources().services.workspace_of(identity)
    try:
        found = workspace.inspections.get(identity, request.path_params["inspection_id"])
    except UnknownRecordError as error:
        raise not_found("no such inspection") from error
    return workspace.images, found.image_sha256
