"""Routes that serve one stored image: native pixels, a preview, small pictures."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.shared.payloads import Payload, pixel_payload, preview_payload
from app.shared.responses import IMMUTABLE, Endpoint, compressed, guarded
from core.domain.radiograph import Radiograph
from core.imaging.display import thumbnail_png

_THUMBNAIL_SIDE_PX, _PICTURE_SIDE_PX = 160, 900
_KEPT_THUMBNAILS, _KEPT_PICTURES, _KEPT_PIXELS, _KEPT_PREVIEWS = 4096, 64, 4, 16


class Images(Protocol):
    """Images by digest; equal ones hold the same images."""

    def load(self, sha256: str, /) -> Radiograph:
        """The image with this digest."""

    def __hash__(self) -> int: ...


Locate = Callable[[Request], tuple[Images, str]]


def image_routes(locate: Locate, kinds: Mapping[str, str]) -> list[Route]:
    """Routes that serve an image.

    Args:
        locate: gives the images that hold the one in the address and its digest; raises when the visitor
            may not see it.
        kinds: `pixels`, `preview`, `thumbnail` or `picture` by address; `locate` reads its parameters.
    """
    return [Route(address, _endpoint(locate, _ANSWERS[kind])) for address, kind in kinds.items()]


def _endpoint(locate: Locate, answer: Callable[[Images, str], Response]) -> Endpoint:
    @guarded
    def image(request: Request) -> Response:
        return answer(*locate(request))

    return image


@lru_cache(maxsize=_KEPT_PIXELS)
def _pixels(images: Images, sha256: str) -> Payload:
    return pixel_payload(images.load(sha256))


@lru_cache(maxsize=_KEPT_PREVIEWS)
def _preview(images: Images, sha256: str) -> Payload:
    return preview_payload(images.load(sha256))


@lru_cache(maxsize=_KEPT_THUMBNAILS)
def _thumbnail(images: Images, sha256: str) -> bytes:
    return thumbnail_png(images.load(sha256), _THUMBNAIL_SIDE_PX)


@lru_cache(maxsize=_KEPT_PICTURES)
def _picture(images: Images, sha256: str) -> bytes:
    return thumbnail_png(images.load(sha256), _PICTURE_SIDE_PX)


def _png(body: bytes) -> Response:
    return Response(body, media_type="image/png", headers=IMMUTABLE)


_ANSWERS: dict[str, Callable[[Images, str], Response]] = {
    "pixels": lambda images, sha256: compressed(_pixels(images, sha256)),
    "preview": lambda images, sha256: compressed(_preview(images, sha256)),
    "thumbnail": lambda images, sha256: _png(_thumbnail(images, sha256)),
    "picture": lambda images, sha256: _png(_picture(images, sha256)),
}
