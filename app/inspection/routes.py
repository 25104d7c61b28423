"""HTTP routes beside the pages: pixels, maps, downloads, health."""

import json
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import PurePath
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.auth.routes import signin_routes
from app.inspection.analysis_queue import Question
from app.inspection.heat_maps import NotAnalysedError
from app.inspection.tray import TrayEntry
from app.shared.payloads import Payload, heat_map_payload, pixel_payload
from app.shared.resources import Resources, resources
from app.shared.visitors import identity_of
from app.web.middleware.connection import connection_of, user_of
from core.domain.accounts import Identity
from core.domain.errors import BadInputError, NotAllowedError, WorkbenchError
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.imaging.thumbnail import thumbnail_png
from core.reports.annotated_png import annotated_png
from core.reports.detection_json import detection_to_dict
from core.services.images.images import ImageService

_IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie"}
_FRESH = {"Cache-Control": "no-store"}
_KEPT_PAYLOADS = 4
_THUMBNAIL_SIDE_PX = 320
_TILE_SIDE_PX = 900

Endpoint = Callable[[Request], Response]


class _NotFoundError(LookupError):
    """Nothing is here for this visitor; the same answer whether it exists for another or not."""


def routes() -> list[Route]:
    """Every own route of the server."""
    return [
        Route("/api/xai-qc/health", health),
        Route("/pixels/{sha256}", pixels),
        Route("/thumbnails/{sha256}", thumbnail),
        Route("/samples/{name}/thumbnail", sample_thumbnail),
        Route("/results/{sha256}/map", heat_map),
        Route("/results/{sha256}/detections.json", detections_json),
        Route("/results/{sha256}/annotated.png", annotated),
        *signin_routes(),
    ]


def _guarded(endpoint: Endpoint) -> Endpoint:
    """Errors as one clear line with the right status."""

    @wraps(endpoint)
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except (_NotFoundError, NotAnalysedError, BadInputError) as error:
            return PlainTextResponse(str(error), 404, _FRESH)
        except (ValueError, KeyError) as error:
            return PlainTextResponse(f"the address is not understood: {error}", 400, _FRESH)
        except NotAllowedError as error:
            return PlainTextResponse(str(error), 403, _FRESH)
        except WorkbenchError as error:
            return PlainTextResponse(str(error), 500, _FRESH)

    return answer


def health(request: Request) -> Response:
    """The state of the product; 503 when the database or every model is unusable.

    A stranger gets the status alone; somebody with a session, or on this machine, the versions too.
    """
    report = resources().services.health.report()
    is_told = user_of(request.scope) is not None or connection_of(request.scope).is_local
    content = report.content if is_told else {"status": report.content["status"]}
    return JSONResponse(content, 200 if report.is_usable else 503, headers=_FRESH)


@_guarded
def pixels(request: Request) -> Response:
    """The pixels of an image at native depth, for the session that brought it."""
    identity, entry = _entry(request)
    return _compressed(_pixels_of(_images(identity), entry.sha256 or ""), _IMMUTABLE)


@_guarded
def thumbnail(request: Request) -> Response:
    """A small picture of an image, for the session that brought it."""
    identity, entry = _entry(request)
    radiograph = _images(identity).load(entry.sha256 or "")
    return Response(thumbnail_png(radiograph, _THUMBNAIL_SIDE_PX), media_type="image/png", headers=_IMMUTABLE)


@_guarded
def sample_thumbnail(request: Request) -> Response:
    """A small picture of a shipped sample, for everybody."""
    held, name = resources(), request.path_params["name"]
    headers = {"Cache-Control": "max-age=3600"}
    return Response(_sample_picture(held, name), media_type="image/png", headers=headers)


@_guarded
def heat_map(request: Request) -> Response:
    """The map of one box, `box` counted from 1."""
    question = _question(request, *_entry(request))
    payload = heat_map_payload(resources().maps.map_of(question, int(request.query_params["box"]) - 1))
    return _compressed(payload, _IMMUTABLE)


@_guarded
def detections_json(request: Request) -> Response:
    """The same list that `radikal detect --json` prints, of one image."""
    identity, entry = _entry(request)
    result = _result(request, identity, entry)
    body = json.dumps([detection_to_dict(result, entry.name)], indent=2) + "\n"
    return _download(body.encode("utf-8"), "application/json", entry.name, f"v{result.model.version}.json")


@_guarded
def annotated(request: Request) -> Response:
    """The radiograph with the boxes at or above `threshold`, and the map of box `map` where asked."""
    identity, entry = _entry(request)
    result = _result(request, identity, entry)
    chosen = request.query_params.get("map")
    shown_map = None
    if chosen is not None:
        shown_map = resources().maps.map_of(_question(request, identity, entry), int(chosen) - 1)
    body = annotated_png(result, threshold=float(request.query_params["threshold"]), heat_map=shown_map)
    suffix = f"v{result.model.version}{'' if chosen is None else f'-map{int(chosen)}'}.png"
    return _download(body, "image/png", entry.name, suffix)


def _entry(request: Request) -> tuple[Identity, TrayEntry]:
    """Who asks, and that person's entry of the image named in the address."""
    identity = identity_of(request.cookies)
    entry = None
    if identity is not None:
        require(identity, Action.IMAGES_READ)
        entry = resources().trays.of(identity).with_digest(request.path_params["sha256"])
    if identity is None or entry is None:
        raise _NotFoundError("no such image in this session")
    return identity, entry


def _images(identity: Identity) -> ImageService:
    return resources().services.workspace_of(identity).images


def _question(request: Request, identity: Identity, entry: TrayEntry) -> Question:
    query = request.query_params
    return Question(
        identity.user_id,
        entry.sha256 or "",
        Polarity(query["polarity"]),
        query["model"],
        int(query["version"]),
    )


def _result(request: Request, identity: Identity, entry: TrayEntry) -> DetectionResult:
    result = resources().analyses.result(_question(request, identity, entry))
    if result is None:
        raise _NotFoundError("this image was not analysed yet: open it on the page first")
    return result


@lru_cache(maxsize=_KEPT_PAYLOADS)
def _pixels_of(images: ImageService, sha256: str) -> Payload:
    return pixel_payload(images.load(sha256))


@lru_cache(maxsize=64)
def _sample_picture(held: Resources, name: str) -> bytes:
    sample = held.services.samples.get(name)
    return thumbnail_png(held.services.samples.read(sample), _TILE_SIDE_PX)


def _compressed(payload: Payload, headers: dict[str, str]) -> Response:
    encoded = {**payload.headers, **headers, "Content-Encoding": "gzip"}
    return Response(payload.body, media_type="application/octet-stream", headers=encoded)


def _download(body: bytes, media_type: str, image_name: str, suffix: str) -> Response:
    name = quote(f"{PurePath(image_name).stem}-radikal-{suffix}")
    disposition = f"attachment; filename*=UTF-8''{name}"
    return Response(body, media_type=media_type, headers={**_FRESH, "Content-Disposition": disposition})
