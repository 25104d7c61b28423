"""HTTP routes of labelling: the images for whoever may look at annotations, all labels as a file."""

import tempfile
from collections.abc import Iterator
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.shared.image_routes import image_routes
from app.shared.resources import resources
from app.shared.responses import FRESH, guarded, not_found
from app.shared.visitors import identity_of
from core.domain.permissions import Action, require
from core.labelling.entries import LabelFormat
from core.services.images.images import ImageService
from core.store.blobs import BlobNotFoundError

EXPORT_ADDRESS = "/labels/export.zip"
_BLOCK_BYTES = 2**20


def routes() -> list[Route]:
    """The routes of this module."""
    address = "/labels/images/{sha256}"
    images = image_routes(
        _image,
        {
            f"{address}/pixels": "pixels",
            f"{address}/pixels/preview": "preview",
            f"{address}/thumbnail": "thumbnail",
        },
    )
    return [*images, Route(EXPORT_ADDRESS, export)]


@guarded
def export(request: Request) -> Response:
    """All labels as a ZIP file: `format` is a `LabelFormat`; `images=1` puts the originals in.

    It is written to a temporary file first, one image in memory at a time, then sent in blocks.
    """
    identity = identity_of(request.cookies)
    if identity is None:
        raise not_found("no labels here")
    form, with_images = LabelFormat(request.query_params["format"]), request.query_params.get("images") == "1"
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
    files = resources().services.workspace_of(identity).label_files
    try:
        files.export(identity, target, form, with_images=with_images)
    except BaseException:
        target.close()
        raise
    headers = {
        **FRESH,
        "Content-Length": str(target.tell()),
        "Content-Disposition": f"attachment; filename=radikal-labels-{form.value}.zip",
    }
    return StreamingResponse(_blocks(target), media_type="application/zip", headers=headers)


def _blocks(target: IO[bytes]) -> Iterator[bytes]:
    with target:
        target.seek(0)
        while block := target.read(_BLOCK_BYTES):
            yield block


def _image(request: Request) -> tuple[ImageService, str]:
    """The images that hold that in the address, and its digest."""
    identity = identity_of(request.cookies)
    if identity is None:
        raise not_found("no such image")
    require(identity, Action.IMAGES_READ)
    require(identity, Action.ANNOTATIONS_READ)
    images, sha256 = resources().services.workspace_of(identity).images, request.path_params["sha256"]
    try:
        images.facts(sha256)
    except BlobNotFoundError as error:
        raise not_found("no such image") from error
    return images, sha256
