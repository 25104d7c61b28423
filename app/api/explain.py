"""Why a model reported a box: its map."""

import base64
from typing import Annotated

import cv2
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.schemas import RecordId, Schema
from app.api.turns import in_turn
from app.shared.payloads import map_levels
from app.shared.resources import resources
from app.shared.responses import FRESH
from core.domain.explanations import METHOD_WORDS, Method
from core.domain.inspection import HeatMap
from core.reports.annotated_png import annotated_png

router = APIRouter(prefix=f"{PREFIX}/explain", tags=["explain"])
Box = Annotated[
    int, Path(ge=1, le=10_000, description="Number of the box in the model's list, counted from 1.")
]


Way = Annotated[
    Method | None,
    Query(
        description="How the map is made: "
        + ", ".join(f"`{one.value}` ({words})" for one, words in METHOD_WORDS.items())
        + ". Without it the way that is shown first for the version: the quickest that was measured to say "
        "more than a blob drawn on the box, else Grad-CAM per box."
    ),
]


class MapAnswer(Schema):
    """Where in the image the score of one box came from."""

    inspection_id: RecordId
    box: int = Field(description="Number of the box in the model's list, counted from 1.")
    method: Method = Field(description="How the map was made.")
    x0_px: int = Field(description="Left edge of the map in the image in px.")
    y0_px: int = Field(description="Upper edge of the map in the image in px.")
    width_px: int = Field(description="Width of the map in px of the image; one value is one px.")
    height_px: int = Field(description="Height of the map in px of the image.")
    peak: float = Field(description="Largest magnitude before scaling, without unit; 0: the map is empty.")
    is_empty: bool = Field(description="True where nothing changed the score; every value is zero then.")
    is_signed: bool = Field(description="True where the map has places that lowered the score.")
    png: str = Field(
        description="The map as an 8-bit grey PNG in base64. Of a signed map 128 is zero, 255 the largest "
        "magnitude upwards and 1 downwards; of others 0 is zero and 255 the maximum."
    )


@router.get("/{inspection_id}/{box}", summary="The map of a box", responses=problems(404, 409))
async def explain(inspection_id: RecordId, box: Box, identity: Caller, method: Way = None) -> MapAnswer:
    """The map of one box of an inspected radiograph. Needs the scope `read`.

    The version that inspected it runs again, unless it did so just now; 409 where it no longer reports the
    box, for instance because another device runs it.
    """
    services = resources().services

    def make() -> tuple[Method, HeatMap]:
        result, made = services.inspect_files.explain(identity, inspection_id, box, method)
        return method or services.explain.first_method(result), made

    used, found = await in_turn(make)
    height, width = found.values.shape
    return MapAnswer(
        inspection_id=inspection_id,
        box=box,
        method=used,
        x0_px=found.x0,
        y0_px=found.y0,
        width_px=width,
        height_px=height,
        peak=found.peak,
        is_empty=found.is_empty,
        is_signed=found.is_signed,
        png=base64.b64encode(_png(found)).decode("ascii"),
    )


@router.get(
    "/{inspection_id}/{box}/picture",
    summary="The radiograph with the map of a box",
    response_class=Response,
    responses={**problems(404, 409), 200: {"content": {"image/png": {}}, "description": "The picture."}},
)
async def picture(inspection_id: RecordId, box: Box, identity: Caller, method: Way = None) -> Response:
    """The radiograph with the boxes that the operating probability reports and the map of one of them."""
    service = resources().services.inspect_files

    def draw() -> bytes:
        result, found = service.explain(identity, inspection_id, box, method)
        threshold = result.model.calibration.operating_probability
        return annotated_png(result, threshold=threshold, heat_map=found)

    return Response(await in_turn(draw), media_type="image/png", headers=FRESH)


def _png(found: HeatMap) -> bytes:
    is_written, encoded = cv2.imencode(".png", map_levels(found))
    assert is_written
    return bytes(encoded)
