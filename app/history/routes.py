"""HTTP routes of inspections that are kept, for whoever may look at inspections; not only their inspector."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.inspection.routes import _IMMUTABLE, _compressed, _guarded, _NotFoundError
from app.shared.payloads import Payload, pixel_payload, preview_payload
from app.shared.resources import resources
from app.shared.visitors import identity_of
from core.domain.errors import UnknownRecordError
from core.domain.permissions import Action, require
from core.imaging.thumbnail import thumbnail_png
from core.services.images.images import ImageService

_THUMBNAIL_SIDE_PX, _PICTURE_SIDE_PX = 160, 900
_KEPT_THUMBNAILS, _KEPT_PICTURES, _KEPT_PIXELS = 4096, 64, 4


def routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/records/{inspection_id}/thumbnail", thumbnail),
        Route("/records/{inspection_id}/picture", picture),
        Route("/records/{inspection_id}/pixels", pixels),
        Route("/records/{inspection_id}/pixels/preview", preview),
    ]


@_guarded
def thumbnail(request: Request) -> Response:
    """A small picture of the radiograph, for lists."""
    return Response(_thumbnail_of(*_image(request)), media_type="image/png", headers=_IMMUTABLE)


@_guarded
def picture(request: Request) -> Response:
    """A picture of the radiograph, to recognise it by."""
    return Response(_picture_of(*_image(request)), media_type="image/png", headers=_IMMUTABLE)


@_guarded
def pixels(request: Request) -> Response:
    """The pixels of the radiograph at native depth."""
    return _compressed(_pixels_of(*_image(request)), _IMMUTABLE)


@_guarded
def preview(request: Request) -> Response:
    """The pixels at native depth, shrunk for a first look."""
    return _compressed(_preview_of(*_image(request)), _IMMUTABLE)


def _image(request: Request) -> tuple[ImageService, str]:
    """Where the image of the inspection in the address lies, and its digest."""
    identity = identity_of(request.cookies)
    if identity is None:
        raise _NotFoundError("no such inspection")
    require(identity, Action.IMAGES_READ)
    workspace = resources().services.workspace_of(identity)
    try:
        found = workspace.inspections.get(identity, request.path_params["inspection_id"])
    except UnknownRecordError as error:
        raise _NotFoundError("no such inspection") from error
    return workspace.images, found.image_sha256


@lru_cache(maxsize=_KEPT_THUMBNAILS)
def _thumbnail_of(images: ImageService, sha256: str) -> bytes:
    return thumbnail_png(images.load(sha256), _THUMBNAIL_SIDE_PX)


@lru_cache(maxsize=_KEPT_PICTURES)
def _picture_of(images: ImageService, sha256: str) -> bytes:
    return thumbnail_png(images.load(sha256), _PICTURE_SIDE_PX)


@lru_cache(maxsize=_KEPT_PIXELS)
def _pixels_of(images: ImageService, sha256: str) -> Payload:
    return pixel_payload(images.load(sha256))


@lru_cache(maxsize=_KEPT_PIXELS)
def _preview_of(images: ImageService, sha256: str) -> Payload:
    return preview_payload(images.load(sha256))
