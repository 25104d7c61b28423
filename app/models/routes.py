"""HTTP routes of the images of evaluation sets, for whoever may compare versions."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.shared.image_routes import image_routes
from app.shared.payloads import heat_map_payload
from app.shared.resources import Resources, resources
from app.shared.responses import IMMUTABLE, compressed, guarded, not_found
from app.shared.visitors import identity_of
from core.domain.accounts import Identity
from core.domain.inspection import DetectionResult
from core.domain.permissions import Action, require
from core.domain.radiograph import Radiograph
from core.imaging.display import Picture, Rectangle, crop_png, windowed
from core.services.evaluation.evaluation_sets import SetContent
from core.store.evaluations import EvaluationSet

CROP_SIDE_PX = 220
_KEPT_IMAGES, _KEPT_CROPS, _KEPT_RESULTS, _KEPT_SETS = 6, 2048, 4, 8
_KEPT_PICTURE_BYTES = 256 * 2**20
_ADDRESS = "/evaluated/{set_id}/{sha256}"


def routes() -> list[Route]:
    """The routes of this module."""
    images = image_routes(_located, {f"{_ADDRESS}/pixels": "pixels", f"{_ADDRESS}/pixels/preview": "preview"})
    return [*images, Route(f"{_ADDRESS}/crop", crop), Route(f"{_ADDRESS}/map", heat_map)]


def image_address(chosen: EvaluationSet, sha256: str) -> str:
    """Address of an image of a set."""
    return _ADDRESS.format(set_id=chosen.set_id, sha256=sha256)


def crop_address(chosen: EvaluationSet, sha256: str, rectangle: Rectangle) -> str:
    """Address of a piece of an image of a set."""
    return f"{image_address(chosen, sha256)}/crop?at={','.join(str(one) for one in rectangle)}"


@guarded
def crop(request: Request) -> Response:
    """A piece of an image, `at` x0,y0,x1,y1 px, as a small picture."""
    x0, y0, x1, y1 = (int(one) for one in request.query_params["at"].split(","))
    body = _crop_of(resources(), *_asked(request), (x0, y0, x1, y1))
    return Response(body, media_type="image/png", headers=IMMUTABLE)


@guarded
def heat_map(request: Request) -> Response:
    """The heat map of box `box` of a version, counted from 1 within the image as it was evaluated."""
    held, (set_id, sha256) = resources(), _asked(request)
    version, box = int(request.query_params["version"]), int(request.query_params["box"])
    identity = _identity(request)
    chosen = held.services.evaluations.sets.find(identity, set_id)
    stored = held.services.evaluations.open(identity, chosen, [version])[0].stored
    if stored is None or sha256 not in stored.outcomes.digests:
        raise not_found("this version was not evaluated on the image")
    table, image = stored.outcomes, stored.outcomes.digests.index(sha256)
    boxes = table.boxes[table.box_image == image]
    if not 1 <= box <= len(boxes):
        raise not_found("no such box was evaluated")
    result = _result_of(held, set_id, sha256, version)
    gaps = np.abs(result.detections.boxes - boxes[box - 1]).max(axis=1, initial=0.0)
    if not len(gaps) or gaps.min() > 1.0:
        raise not_found("this version no longer reports the box: its evaluation is of another device")
    return compressed(heat_map_payload(held.services.explain.explain(result, int(gaps.argmin()))))


def _identity(request: Request) -> Identity:
    identity = identity_of(request.cookies)
    if identity is None:
        raise not_found("no such image")
    require(identity, Action.EVALUATIONS_READ)
    return identity


def _asked(request: Request) -> tuple[str, str]:
    """The set and the image in the address, for whoever may compare."""
    _identity(request)
    return request.path_params["set_id"], request.path_params["sha256"]


@dataclass(frozen=True, slots=True)
class _SetImages:
    """The images of a set, wherever they lie."""

    held: Resources
    set_id: str

    def load(self, sha256: str, /) -> Radiograph:
        return radiograph_of(self.held, self.set_id, sha256)


def _located(request: Request) -> tuple[_SetImages, str]:
    set_id, sha256 = _asked(request)
    return _SetImages(resources(), set_id), sha256


@lru_cache(maxsize=_KEPT_SETS)
def _content_of(held: Resources, set_id: str) -> SetContent:
    with held.services.store.read() as work:
        chosen = work.evaluations.find_set(set_id)
    return held.services.evaluations.sets.content(chosen)


@lru_cache(maxsize=_KEPT_IMAGES)
def radiograph_of(held: Resources, set_id: str, sha256: str) -> Radiograph:
    """An image of a set, kept for a while; whoever calls has checked that it may be seen."""
    return held.services.evaluations.sets.read(_content_of(held, set_id), sha256)


class _RecentPictures:
    """The pictures that were looked at last, as many as fit into a bound of bytes.

    Each is made once, by whoever asks first; the others wait. Safe to share between threads.
    """

    def __init__(self, most_bytes: int = _KEPT_PICTURE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, str], Picture] = OrderedDict()
        self._making: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], make: Callable[[], Picture]) -> Picture:
        """The picture, kept or made now."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                known = self._kept.get(key)
                if known is not None:
                    self._kept.move_to_end(key)
                    return known
            picture = make()
            with self._lock:
                self._kept[key] = picture
                self._making.pop(key, None)
                while (
                    len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._most_bytes
                ):
                    self._kept.popitem(last=False)
            return picture


_pictures = _RecentPictures()


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
