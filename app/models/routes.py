"""HTTP routes of the images of evaluation sets, for whoever may compare; files stay where they lie."""

from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.inspection.routes import _IMMUTABLE, _compressed, _guarded, _NotFoundError
from app.models.recent_pictures import RecentPictures
from app.shared.payloads import Payload, heat_map_payload, pixel_payload, preview_payload
from app.shared.resources import Resources, resources
from app.shared.visitors import identity_of
from core.domain.accounts import Identity
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.domain.radiograph import Radiograph
from core.imaging.crop import Rectangle, crop_png, windowed
from core.services.evaluation.evaluation_sets import SetContent
from core.store.evaluations import EvaluationSet

CROP_SIDE_PX = 220
_KEPT_IMAGES, _KEPT_PAYLOADS, _KEPT_CROPS, _KEPT_RESULTS, _KEPT_SETS = 6, 4, 2048, 4, 8


def routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/evaluated/{set_id}/{sha256}/pixels", pixels),
        Route("/evaluated/{set_id}/{sha256}/pixels/preview", preview),
        Route("/evaluated/{set_id}/{sha256}/crop", crop),
        Route("/evaluated/{set_id}/{sha256}/map", heat_map),
    ]


def image_address(chosen: EvaluationSet, sha256: str) -> str:
    """Where the image of a set is asked for."""
    return f"/evaluated/{chosen.set_id}/{sha256}"


def crop_address(chosen: EvaluationSet, sha256: str, rectangle: Rectangle) -> str:
    """Where a piece of it is asked for."""
    return f"{image_address(chosen, sha256)}/crop?at={','.join(str(one) for one in rectangle)}"


@_guarded
def pixels(request: Request) -> Response:
    """The pixels of an image at native depth."""
    return _compressed(_pixels_of(resources(), *_asked(request)), _IMMUTABLE)


@_guarded
def preview(request: Request) -> Response:
    """The pixels at native depth, shrunk for a first look."""
    return _compressed(_preview_of(resources(), *_asked(request)), _IMMUTABLE)


@_guarded
def crop(request: Request) -> Response:
    """A piece of an image, `at` x0,y0,x1,y1 px, as a small picture."""
    x0, y0, x1, y1 = (int(one) for one in request.query_params["at"].split(","))
    body = _crop_of(resources(), *_asked(request), (x0, y0, x1, y1))
    return Response(body, media_type="image/png", headers=_IMMUTABLE)


@_guarded
def heat_map(request: Request) -> Response:
    """The map of the box `box` of a version, counted from 1 within the image as it was evaluated."""
    held, (set_id, sha256) = resources(), _asked(request)
    version, box = int(request.query_params["version"]), int(request.query_params["box"])
    identity = _identity(request)
    chosen = held.services.evaluations.sets.find(identity, set_id)
    stored = held.services.evaluations.open(identity, chosen, [version])[0].stored
    if stored is None or sha256 not in stored.outcomes.digests:
        raise _NotFoundError("this version was not evaluated on the image")
    table, image = stored.outcomes, stored.outcomes.digests.index(sha256)
    boxes = table.boxes[table.box_image == image]
    if not 1 <= box <= len(boxes):
        raise _NotFoundError("no such box was evaluated")
    result = _result_of(held, set_id, sha256, version)
    gaps = np.abs(result.detections.boxes - boxes[box - 1]).max(axis=1, initial=0.0)
    if not len(gaps) or gaps.min() > 1.0:
        raise _NotFoundError("this version no longer reports the box: its evaluation is of another device")
    return _compressed(
        heat_map_payload(held.services.explain.explain(result, int(gaps.argmin()))), _IMMUTABLE
    )


def _identity(request: Request) -> Identity:
    identity = identity_of(request.cookies)
    if identity is None:
        raise _NotFoundError("no such image")
    require(identity, Action.EVALUATIONS_READ)
    return identity


def _asked(request: Request) -> tuple[str, str]:
    """The set and the image in the address, once it is known that whoever asks may compare."""
    _identity(request)
    return request.path_params["set_id"], request.path_params["sha256"]


@lru_cache(maxsize=_KEPT_SETS)
def _content_of(held: Resources, set_id: str) -> SetContent:
    with held.services.store.read() as work:
        chosen = work.evaluations.find_set(set_id)
    return held.services.evaluations.sets.content(chosen)


@lru_cache(maxsize=_KEPT_IMAGES)
def radiograph_of(held: Resources, set_id: str, sha256: str) -> Radiograph:
    """An image of a set, kept for a while; whoever calls has checked that it may be seen."""
    return held.services.evaluations.sets.read(_content_of(held, set_id), sha256)


@lru_cache(maxsize=_KEPT_PAYLOADS)
def _pixels_of(held: Resources, set_id: str, sha256: str) -> Payload:
    return pixel_payload(radiograph_of(held, set_id, sha256))


@lru_cache(maxsize=_KEPT_PAYLOADS)
def _preview_of(held: Resources, set_id: str, sha256: str) -> Payload:
    return preview_payload(radiograph_of(held, set_id, sha256))


_pictures: RecentPictures[tuple[str, str]] = RecentPictures()


@lru_cache(maxsize=_KEPT_CROPS)
def _crop_of(held: Resources, set_id: str, sha256: str, rectangle: Rectangle) -> bytes:
    picture = _pictures.get((set_id, sha256), lambda: windowed(radiograph_of(held, set_id, sha256)))
    return crop_png(picture, rectangle, side_px=CROP_SIDE_PX)


@lru_cache(maxsize=_KEPT_RESULTS)
def _result_of(held: Resources, set_id: str, sha256: str, version: int) -> DetectionResult:
    with held.services.store.read() as work:
        chosen = work.evaluations.find_set(set_id)
    content = _content_of(held, set_id)
    name = content.images[content.digests.index(sha256)].file_name
    radiograph = radiograph_of(held, set_id, sha256)
    return held.services.detect.detect(radiograph, name, model=chosen.model_name, version=version)
