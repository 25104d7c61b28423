"""Labels of images: what is true on them, saved by version; and as files of other tools."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import Field
from starlette.requests import Request

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.places import place_of, place_text
from app.api.repeats import RepeatKey, done_once
from app.api.schemas import Schema, Sha256
from app.shared.resources import resources
from app.shared.responses import FRESH
from core.domain.accounts import Identity
from core.domain.correction import Origin
from core.domain.indication import IndicationClass
from core.domain.labels import LONGEST_NOTE, MOST_CORNERS, Label, label_from
from core.labelling.entries import LabelFormat
from core.store.image_browse import BrowsedImage, BrowseFilter

router = APIRouter(prefix=PREFIX, tags=["labels"])
_MOST_LABELS = 5_000
_BLOCK_BYTES = 2**20
Corner = tuple[float, float]


class LabelBox(Schema):
    """A box that is true."""

    id: str = Field(min_length=1, max_length=80, description="Unique within the image, such as h1.")
    bbox: tuple[float, float, float, float] = Field(
        description="x1, y1, x2, y2 in px of the image, absolute, origin at the top left."
    )
    indication_class: IndicationClass = Field(alias="class", description="Class of the imperfection.")
    origin: Origin = Field(Origin.ANNOTATOR, description="Who drew it first.")
    iso6520: str | None = Field(None, max_length=5, description="Number of ISO 6520-1, 3 to 5 digits.")
    kind: str | None = Field(None, max_length=80, description="Kind without such a number, such as gas-hole.")
    probability: float | None = Field(
        None, ge=0, le=1, description="Probability, 0 to 1, of the model's box that was accepted; null: none."
    )
    note: str = Field("", max_length=LONGEST_NOTE, description="What was noted.")
    polygon: list[Corner] | None = Field(
        None, max_length=MOST_CORNERS, description="Corners x, y in px around it; null: only a box."
    )
    own_class: str | None = Field(None, max_length=12, description="Code of a class of your own; null: none.")


class LabelSave(Schema):
    """Labels to save, in place of those that are stored."""

    labels: list[LabelBox] = Field(max_length=_MOST_LABELS, description="Every box that is true.")
    note: str = Field("", max_length=LONGEST_NOTE, description="On the image.")
    expected_version: int = Field(
        ge=0, le=2**31 - 1, description="Number of the version that these replace; 0 where there were none."
    )


class LabelAnswer(Schema):
    """The labels of an image."""

    sha256: Sha256
    name: str = Field(description="Name of the file as it was handed in.")
    width_px: int = Field(description="Width of the image in px.")
    height_px: int = Field(description="Height of the image in px.")
    version: int = Field(description="Counts the saves, from 1; 0 where nobody saved.")
    saved_at: datetime | None = Field(description="Moment of the last save in UTC; null: nobody saved.")
    author: str = Field(description="Who saved last; empty where nobody did.")
    note: str = Field(description="On the image.")
    labels: list[LabelBox] = Field(description="Every box that is true.")


class LabelledLine(Schema):
    """An image in the list."""

    sha256: Sha256
    name: str = Field(description="Name of the file as it was handed in.")
    width_px: int = Field(description="Width of the image in px.")
    height_px: int = Field(description="Height of the image in px.")
    state: str = Field(description="How far its labels are.")
    n_labels: int | None = Field(description="Number of boxes; null where nobody labelled it.")
    saved_at: datetime | None = Field(description="Moment of the last save in UTC; null: nobody saved.")


class LabelledPage(Schema):
    """Some images, the newest first."""

    images: list[LabelledLine] = Field(description="The images.")
    next: str | None = Field(description="Hand it in as `after` for the next page; null on the last one.")
    n_found: int = Field(description="Number of images on all pages.")


@router.get("/labels", summary="Images and how far their labels are", responses=problems())
def list_labels(
    identity: Caller,
    name: Annotated[str, Query(max_length=255, description="Part of the image's name.")] = "",
    limit: Annotated[int, Query(ge=1, le=200, description="Most images of the page.")] = 50,
    after: Annotated[str | None, Query(max_length=120, description="`next` of the page before.")] = None,
) -> LabelledPage:
    """Every image that was handed in, a page at a time. Needs the scope `read` or `label`."""
    found = resources().services.workspace.browsing.page(
        identity, BrowseFilter(name=name), limit=limit, before=None if after is None else place_of(after)
    )
    return LabelledPage(
        images=[_line(one) for one in found.images], next=place_text(found.next_place), n_found=found.n_found
    )


@router.get("/labels/{sha256}", summary="Labels of an image", responses=problems(404))
def get_labels(sha256: Sha256, identity: Caller) -> LabelAnswer:
    """What is true on an image. Needs the scope `read` or `label`.

    Refused while the caller is to review an inspection of it blind.
    """
    return _answer(identity, sha256)


@router.put(
    "/labels/{sha256}", summary="Save labels", responses=problems(404, 409), response_model=LabelAnswer
)
def save_labels(
    request: Request,
    sha256: Sha256,
    wish: LabelSave,
    identity: Caller,
    repeat_key: RepeatKey = None,
) -> JSONResponse:
    """Save the labels of an image as its next version. Needs the scope `label`.

    409 where somebody saved since `expected_version`: nothing was stored; get them, and save again.
    """
    boxes = [_label(one) for one in wish.labels]

    def do() -> tuple[int, LabelAnswer]:
        resources().services.workspace.labels.save(
            identity, sha256, boxes, note=wish.note, expected_version=wish.expected_version
        )
        return 200, _answer(identity, sha256)

    return done_once(request, identity, repeat_key, wish.model_dump(mode="json"), do)


@router.get(
    "/export",
    tags=["export"],
    summary="All labels as files of another tool",
    response_class=Response,
    responses={**problems(), 200: {"content": {"application/zip": {}}, "description": "A ZIP file."}},
)
def export(
    identity: Caller,
    form: Annotated[
        LabelFormat,
        Query(alias="format", description="Of which tool."),
    ] = LabelFormat.COCO,
    with_images: Annotated[bool, Query(alias="images", description="True: with originals.")] = False,
) -> StreamingResponse:
    """All labels as a ZIP file. Needs the scope `read` or `label`; exporting is an event of the audit log."""
    target = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it was sent
    try:
        resources().services.workspace.label_files.export(identity, target, form, with_images=with_images)
    except BaseException:
        target.close()
        raise
    headers = {
        **FRESH,
        "Content-Length": str(target.tell()),
        "Content-Disposition": f"attachment; filename=radikal-labels-{form.value}.zip",
    }
    return StreamingResponse(_blocks(target), media_type="application/zip", headers=headers)


def _line(one: BrowsedImage) -> LabelledLine:
    return LabelledLine(
        sha256=one.sha256,
        name=one.name,
        width_px=one.width,
        height_px=one.height,
        state=one.state.value,
        n_labels=None if one.boxes is None else len(one.boxes),
        saved_at=one.saved_at,
    )


def _answer(identity: Identity, sha256: str) -> LabelAnswer:
    sheet = resources().services.workspace.labels.open(identity, sha256)
    return LabelAnswer(
        sha256=sheet.image.sha256,
        name=sheet.image.name,
        width_px=sheet.image.width,
        height_px=sheet.image.height,
        version=sheet.version,
        saved_at=sheet.saved_at,
        author=sheet.author,
        note=sheet.note,
        labels=[LabelBox(**one.to_box()) for one in sheet.labels],
    )


def _label(box: LabelBox) -> Label:
    content = box.model_dump(mode="json", by_alias=True)
    return label_from({name: value for name, value in content.items() if value is not None})


def _blocks(target: IO[bytes]) -> Iterator[bytes]:
    with target:
        target.seek(0)
        while block := target.read(_BLOCK_BYTES):
            yield block
