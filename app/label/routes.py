"""HTTP routes of images that are labelled, for whoever may look at annotations."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.inspection.routes import _IMMUTABLE, _compressed, _guarded, _NotFoundError
from app.shared.payloads import Payload, pixel_payload, preview_payload
from app.shared.resources import resources
from app.shared.visitors import identity_of
from core.domain.permissions import Action, require
from core.imaging.thumbnail import thumbnail_png
from core.services.images.images import ImageService
from core.store.blobs import BlobNotFoundError

_THUMBNAIL_SIDE_PX = 160
_KEPT_THUMBNAILS, _KEPT_PIXELS = 4096, 4


def routes() -> list[Route]:
    """The routes of this module."""
    return [
        Route("/labels/images/{sha256}/pixels", pixels),
        Route("/labels/images/{sha256}/pixels/preview", preview),
        Route("/labels/images/{sha256}/thumbnail", thumbnail),
    ]


@_guarded
def pixels(request: Request) -> Response:
    """The pixels of the radiograph at native depth."""
    return _compressed(_pixels_of(*_image(request)), _IMMUTABLE)


@_guarded
def preview(request: Request) -> Response:
    """The pixels at native depth, shrunk for a first look."""
    return _compressed(_preview_of(*_image(request)), _IMMUTABLE)


@_guarded
def thumbnail(request: Request) -> Response:
    """A small picture of the radiograph, for lists."""
    return Response(_thumbnail_of(*_image(request)), media_type="image/png", headers=_IMMUTABLE)


def _image(request: Request) -> tuple[ImageService, str]:
    """Where the image in the address lies, and its digest."""
    identity = identity_of(request.cookies)
    if identity is None:
        raise _NotFoundError("no such image")
    require(identity, Action.IMAGES_READ)
    require(identity, Action.ANNOTATIONS_READ)
    images, sha256 = resources().services.workspace_of(identity).images, request.path_params["sha256"]
    try:
        images.facts(sha256)
    except BlobNotFoundError as error:
        raise _NotFoundError("no such image") from error
    return images, sha256


@lru_cache(maxsize=_KEPT_THUMBNAILS)
def _thumbnail_of(images: ImageService, sha256: str) -> bytes:
    return thumbnail_png(images.load(sha256), _THUMBNAIL_SIDE_PX)


@lru_cache(maxsize=_KEPT_PIXELS)
def _pixels_of(images: ImageService, sha256: str) -> Payload:
    return pixel_payload(images.load(sha256))


@lru_cache(maxsize=_KEPT_PIXELS)
def _preview_of(images: ImageService, sha256: str) -> Payload:
    return preview_payload(images.load(sha256))
