"""Why a model reported a box: its map."""

import base64
from typing import Annotated

import cv2
import numpy as np
from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import Field

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.schemas import RecordId, Schema
from app.api.turns import in_turn
from app.shared.resources import resources
from app.shared.responses import FRESH
from core.domain.inspection import HeatMap
from core.reports.annotated_png import annotated_png

router = APIRouter(prefix=f"{PREFIX}/explain", tags=["explain"])
Box = Annotated[
    int, Path(ge=1, le=10_000, description="Number of the box in the model's list, counted from 1.")
]


class MapAnswer(Schema):
    """Gradient x activation at the place of the network that reported the box."""

    inspection_id: RecordId
    box: int = Field(description="Number of the box in the model's list, counted from 1.")
    x0_px: int = Field(description="Left edge of the map in the image in px.")
    y0_px: int = Field(description="Upper edge of the map in the image in px.")
    width_px: int = Field(description="Width of the map in px of the image; one value is one px.")
    height_px: int = Field(description="Height of the map in px of the image.")
    peak: float = Field(description="Maximum before scaling, without unit; 0: nothing raised the score.")
    is_empty: bool = Field(description="True where nothing raised the score; every value is 0 then.")
    png: str = Field(description="The map as an 8-bit grey PNG in base64; 255 is the maximum.")


@router.get("/{inspection_id}/{box}", summary="The map of a box", responses=problems(404, 409))
async def explain(inspection_id: RecordId, box: Box, identity: Caller) -> MapAnswer:
    """The map of one box of an inspected radiograph. Needs the scope `read`.

    The version that inspected it runs again, unless it did so just now; 409 where it no longer reports the
    box, for instance because another device runs it.
    """
    service = resources().services.inspect_files
    _, found = await in_turn(lambda: service.explain(identity, inspection_id, box))
    height, width = found.values.shape
    return MapAnswer(
        inspection_id=inspection_id,
        box=box,
        x0_px=found.x0,
        y0_px=found.y0,
        width_px=width,
        height_px=height,
        peak=found.peak,
        is_empty=found.is_empty,
        png=base64.b64encode(_png(found)).decode("ascii"),
    )


@router.get(
    "/{inspection_id}/{box}/picture",
    summary="The radiograph with the map of a box",
    response_class=Response,
    responses={**problems(404, 409), 200: {"content": {"image/png": {}}, "description": "The picture."}},
)
async def picture(inspection_id: RecordId, box: Box, identity: Caller) -> Response:
    """The radiograph with the boxes that the operating probability reports and the map of one of them."""
    service = resources().services.inspect_files

    def draw() -> bytes:
        result, found = service.explain(identity, inspection_id, box)
        threshold = result.model.calibration.operating_probability
        return annotated_png(result, threshold=threshold, heat_map=found)

    return Response(await in_turn(draw), media_type="image/png", headers=FRESH)


def _png(found: HeatMap) -> bytes:
    is_written, encoded = cv2.imencode(".png", np.rint(255 * found.values).astype(np.uint8))
    assert is_written
    return bytes(encoded)
