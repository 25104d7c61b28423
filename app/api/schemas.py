"""Values that several resources of the API answer with; every number says its unit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.shared.resources import resources
from core.domain.flaw_group import is_reported
from core.domain.records import Inspection
from core.domain.sizing import size_of_row

Moment = Annotated[datetime, Field(description="Moment in UTC, ISO 8601.")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="SHA-256 as 64 hex digits.")]
RecordId = Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="Id as 32 hex digits.")]
Probability = Annotated[float, Field(ge=0, le=1, description="Calibrated probability, 0 to 1.")]
DRIFT = (
    "Drift alarm that covers it, and who acknowledged it; empty without one. Until it is acknowledged no "
    "probability is verified."
)
QUALIFICATION = "Whether the version is qualified for this; empty where nobody recorded a qualification."


class Schema(BaseModel):
    """Base of everything that is answered or taken: nothing beyond what is described."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """A refusal or failure as problem details, RFC 9457; some kinds have further members."""

    type: str = Field(description="Address of the kind of problem on the page of the API.")
    title: str = Field(description="The kind in words, the same each time.")
    status: int = Field(description="Status of HTTP, a number without unit.")
    detail: str = Field(description="What was expected, what came, what to do.")
    instance: str = Field(description="Address that was asked.")
    request_id: str = Field(description="Id of the request; the log of the server has it, too.")


class Claim(BaseModel):
    """What a second stage of the model says about a box."""

    model_config = ConfigDict(extra="allow")


class Outline(Schema):
    """The outline of an indication: the cells of a grid that it covers, and what is measured along it."""

    length_px: float = Field(
        description="Longer side of the narrowest rectangle around it, at any angle, px."
    )
    width_px: float = Field(description="Shorter side of that rectangle, px.")
    angle_deg: float = Field(description="Of its length, from the x axis towards y, 0 to below 180 degrees.")
    area_px: int = Field(description="Area in px of the image that it covers.")
    left: int = Field(description="x of the left edge of the first cell, px.")
    top: int = Field(description="y of the top edge of the first cell, px.")
    cell_px: int = Field(description="Side of a cell, px.")
    size: tuple[int, int] = Field(description="Number of rows and of columns of cells.")
    counts: list[int] = Field(
        description="Cells outside and inside in turn, column by column: uncompressed run lengths as in COCO."
    )


class Size(Schema):
    """The size of an indication that counts: of its outline where that is closer, else of its box."""

    length_px: float = Field(description="Longer side, px.")
    width_px: float = Field(description="Shorter side, px.")
    of: str = Field(description="`outline` or `box`.")


class Detection(Schema):
    """An indication as the model reports it."""

    number: int = Field(ge=1, description="Place in the model's list, counted from 1; `explain` takes it.")
    bbox: tuple[float, float, float, float] = Field(
        description="x1, y1, x2, y2 in px of the image, absolute, origin at the top left."
    )
    indication_class: str = Field(
        alias="class", description="Class of the indication; `unclassified` where the model has no evidence."
    )
    iso6520: str | None = Field(description="Number of ISO 6520-1, null where the class has none.")
    score: float = Field(ge=0, le=1, description="Raw score of the network, 0 to 1, not calibrated.")
    probability: Probability
    is_reported: bool = Field(description="True at or above the threshold that was asked for.")
    claim: Claim | None = Field(
        None, description="Group and types from the second stage, null where the version has none."
    )
    size: Size
    outline: Outline | None = Field(
        None, description="Cells that the indication covers, null where the version drew none."
    )


class ModelUsed(Schema):
    """The version that read an image, with what its probabilities rest on."""

    name: str = Field(description="Registered name, such as weld or casting.")
    version: int = Field(description="Number of the version, counted from 1.")
    sha256: Sha256
    calibration_id: str = Field(description="Id of the calibration.")
    score_cut: float = Field(description="Raw score, 0 to 1, below which nothing is listed.")
    operating_probability: Probability


class Familiarity(Schema):
    """How the image looks beside those that calibrated the version."""

    distance: float = Field(description="Distance in the version's own features, without unit; 0 is alike.")
    limit: float = Field(description="Distance, without unit, up to which probabilities are verified.")
    is_familiar: bool = Field(description="False: no probability is verified for this kind of image.")


class Image(Schema):
    """A radiograph."""

    sha256: Sha256
    name: str = Field(description="Name of the file as it was handed in.")
    width_px: int = Field(description="Width in px.")
    height_px: int = Field(description="Height in px.")
    bit_depth: int = Field(description="Significant bits of a pixel; 32 for float pixels.")
    polarity: str = Field(description="film, digital or unknown, as it was read.")
    polarity_ground: str | None = Field(
        description="file, person, estimated or assumed; null in records that are older than it."
    )
    mm_per_px: float | None = Field(description="Scale in mm per px, null where it is unknown.")


def detections_of(inspection: Inspection, threshold: float | None = None) -> list[Detection]:
    """The model's list of an inspection, the highest score first."""
    cut = inspection.model.operating_probability if threshold is None else threshold
    return [_detection(number, found, cut) for number, found in enumerate(inspection.detections, 1)]


def model_of(inspection: Inspection) -> ModelUsed:
    """The version behind an inspection."""
    model = inspection.model
    return ModelUsed(
        name=model.name,
        version=model.version,
        sha256=model.sha256,
        calibration_id=model.calibration_id,
        score_cut=model.score_cut,
        operating_probability=model.operating_probability,
    )


def familiarity_of(inspection: Inspection) -> Familiarity | None:
    """How the image of an inspection looks; None where the version cannot tell."""
    seen = inspection.familiarity
    return None if seen is None else Familiarity(**seen.to_dict())


def standing_of(inspection: Inspection) -> dict[str, str]:
    """What stands against believing the version here: values of the fields `drift` and `qualification`."""
    drift, qualification = resources().services.standing_of(inspection)
    return {"drift": drift or "", "qualification": qualification or ""}


def _detection(number: int, found: Mapping[str, Any], cut: float) -> Detection:
    known = {name: found[name] for name in ("bbox", "class", "iso6520", "score", "probability")}
    return Detection(
        number=number,
        is_reported=is_reported(found, cut),
        claim=found.get("claim"),
        size=Size(**size_of_row(found)),
        outline=found.get("outline"),
        **known,
    )
