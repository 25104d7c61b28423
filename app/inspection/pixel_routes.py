"""HTTP routes for a first look at large radiographs, beside those of `app.inspection.routes`."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.inspection.routes import _IMMUTABLE, _compressed, _entry, _guarded, _images
from app.shared.payloads import Payload, preview_payload
from core.services.images.images import ImageService

_KEPT_PREVIEWS = 16


def routes() -> list[Route]:
    """The routes of this module."""
    return [Route("/pixels/{sha256}/preview", preview)]


@_guarded
def preview(request: Request) -> Response:
    """The pixels of an image at native depth but shrunk, for the session that brought it."""
    identity, entry = _entry(request)
    return _compressed(_preview_of(_images(identity), entry.sha256 or ""), _IMMUTABLE)


@lru_cache(maxsize=_KEPT_PREVIEWS)
def _preview_of(images: ImageService, sha256: str) -> Payload:
    return preview_payload(images.load(sha256))
