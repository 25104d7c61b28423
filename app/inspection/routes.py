"""HTTP routes of the inspection page: pixels, maps, downloads."""

import json
from functools import lru_cache
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.inspection.analysis_queue import Question
from app.inspection.heat_maps import NotAnalysedError
from app.inspection.state import analyses, heat_maps
from app.shared.image_routes import image_routes
from app.shared.payloads import faithfulness_payload, heat_map_payload, without_payload
from app.shared.resources import Resources, resources
from app.shared.responses import FRESH, IMMUTABLE, compressed, file_answer, guarded, not_found
from app.shared.visitors import identity_of
from app.shared.worklist import WorklistEntry, worklists
from core.domain.accounts import Identity
from core.domain.explanations import Method
from core.domain.inspection import DetectionResult, HeatMap
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.imaging.display import thumbnail_png
from core.reports.annotated_png import annotated_png
from core.reports.detection_json import detection_to_dict
from core.services.images.images import ImageService

_THUMBNAIL_SIDE_PX = 320
_TILE_SIDE_PX = 900


def routes() -> list[Route]:
    """The routes of this feature."""
    return [
        *image_routes(_image, {"/pixels/{sha256}": "pixels", "/pixels/{sha256}/preview": "preview"}),
        Route("/thumbnails/{sha256}", thumbnail),
        Route("/samples/{name}/thumbnail", sample_thumbnail),
        Route("/results/{sha256}/map", heat_map),
        Route("/results/{sha256}/faithfulness", faithfulness),
        Route("/results/{sha256}/without", without_it),
        Route("/results/{sha256}/similar", similar),
        Route("/results/{sha256}/detections.json", detections_json),
        Route("/results/{sha256}/annotated.png", annotated),
    ]


@guarded
def thumbnail(request: Request) -> Response:
    """A small picture of an image, for the session that brought it."""
    images, sha256 = _image(request)
    body = thumbnail_png(images.load(sha256), _THUMBNAIL_SIDE_PX)
    return Response(body, media_type="image/png", headers=IMMUTABLE)


@guarded
def sample_thumbnail(request: Request) -> Response:
    """A small picture of a shipped sample, for everybody."""
    held, name = resources(), request.path_params["name"]
    headers = {"Cache-Control": "max-age=3600"}
    return Response(_sample_picture(held, name), media_type="image/png", headers=headers)


@guarded
def heat_map(request: Request) -> Response:
    """The map of one box, `box` counted from 1, by `method`."""
    question = _question(request, *_entry(request))
    return compressed(heat_map_payload(_map_of(question, int(request.query_params["box"]), _method(request))))


@guarded
def faithfulness(request: Request) -> Response:
    """How far to believe the map of box `box`, counted from 1, by `method`."""
    question = _question(request, *_entry(request))
    index = int(request.query_params["box"]) - 1
    try:
        found = heat_maps().faithfulness_of(question, index, _method(request))
    except NotAnalysedError as error:
        raise not_found(str(error)) from error
    return JSONResponse(faithfulness_payload(found), headers=FRESH)


@guarded
def without_it(request: Request) -> Response:
    """What becomes of the probability of box `box`, counted from 1, without its region."""
    result = _result(request, *_entry(request))
    index = int(request.query_params["box"]) - 1
    if not 0 <= index < len(result.detections):
        raise not_found(f"no box {index + 1} of this image is known")
    return JSONResponse(
        without_payload(resources().services.without_it.without(result, index)), headers=FRESH
    )


@guarded
def similar(request: Request) -> Response:
    """How the most similar decided indications to box `box`, counted from 1, were called."""
    identity, entry = _entry(request)
    result = _result(request, identity, entry)
    index = int(request.query_params["box"]) - 1
    if not 0 <= index < len(result.detections):
        raise not_found(f"no box {index + 1} of this image is known")
    found = resources().services.similar(identity).similar_to(identity, result, index)
    return JSONResponse({"words": found.words, "n": len(found.found)}, headers=FRESH)


@guarded
def detections_json(request: Request) -> Response:
    """The same list that `radikal detect --json` prints, of one image."""
    identity, entry = _entry(request)
    result = _result(request, identity, entry)
    body = json.dumps([detection_to_dict(result, entry.name)], indent=2) + "\n"
    return _download(body.encode("utf-8"), "application/json", entry.name, f"v{result.model.version}.json")


@guarded
def annotated(request: Request) -> Response:
    """The radiograph with the boxes at or above `threshold`, and the map of box `map` where asked."""
    identity, entry = _entry(request)
    result = _result(request, identity, entry)
    chosen = request.query_params.get("map")
    shown_map = None
    if chosen is not None:
        shown_map = _map_of(_question(request, identity, entry), int(chosen), _method(request))
    body = annotated_png(result, threshold=float(request.query_params["threshold"]), heat_map=shown_map)
    suffix = f"v{result.model.version}{'' if chosen is None else f'-map{int(chosen)}'}.png"
    return _download(body, "image/png", entry.name, suffix)


def _entry(request: Request) -> tuple[Identity, WorklistEntry]:
    """The visitor, and the entry of the own worklist for the image in the address."""
    identity = identity_of(request.cookies)
    entry = None
    if identity is not None:
        require(identity, Action.IMAGES_READ)
        entry = worklists().of(identity).with_digest(request.path_params["sha256"])
    if identity is None or entry is None:
        raise not_found("no such image in this session")
    return identity, entry


def _image(request: Request) -> tuple[ImageService, str]:
    """The images of the visitor, and the digest of the one in the address."""
    identity, entry = _entry(request)
    return resources().services.workspace_of(identity).images, entry.sha256 or ""


def _question(request: Request, identity: Identity, entry: WorklistEntry) -> Question:
    query = request.query_params
    return Question(
        identity.user_id,
        entry.sha256 or "",
        Polarity(query["polarity"]),
        query["model"],
        int(query["version"]),
        is_chosen="chosen" in query,
    )


def _method(request: Request) -> Method | None:
    """None where none is named: the one that is shown first for the version."""
    named = request.query_params.get("method")
    return None if named is None else Method(named)


def _map_of(question: Question, box: int, method: Method | None) -> HeatMap:
    """The map of a box, counted from 1."""
    try:
        return heat_maps().map_of(question, box - 1, method)
    except NotAnalysedError as error:
        raise not_found(str(error)) from error


def _result(request: Request, identity: Identity, entry: WorklistEntry) -> DetectionResult:
    result = analyses().result(_question(request, identity, entry))
    if result is None:
        raise not_found("this image was not analysed yet: open it on the page first")
    return result


@lru_cache(maxsize=64)
def _sample_picture(held: Resources, name: str) -> bytes:
    sample = held.services.samples.get(name)
    return thumbnail_png(held.services.samples.read(sample), _TILE_SIDE_PX)


def _download(body: bytes, media_type: str, image_name: str, suffix: str) -> Response:
    return file_answer(body, media_type, f"{PurePath(image_name).stem}-radikal-{suffix}")
