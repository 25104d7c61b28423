"""Figures of a version: how it did where it was measured, and its calibration."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.models import plain, version_of
from app.api.schemas import Probability, Schema
from app.shared.resources import resources
from core.domain.errors import ModelArtefactError
from core.domain.permissions import Action, require

router = APIRouter(prefix=PREFIX, tags=["figures"])
Model = Annotated[str, Query(max_length=64, description="Registered name, such as weld or casting.")]
Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Number of the version; without it the alias counts.")
]
Alias = Annotated[Literal["champion", "challenger"], Query(description="Alias of the version.")]
_CALIBRATED = ("d_ece", "d_ece_band", "d_ece_raw", "brier", "brier_raw", "log_loss", "log_loss_raw",
               "n_calibrated_boxes")  # fmt: skip


class MeasuredSet(Schema):
    """Figures of a version on an evaluation set."""

    set_id: str = Field(description="Id of the set.")
    name: str = Field(description="Name of the set.")
    n_images: int = Field(description="Number of images.")
    n_boxes: int = Field(description="Number of recorded boxes.")
    figures: dict[str, Any] = Field(
        description="Shares and AP are fractions 0 to 1, intervals are 95 %, times end in _ms and are in ms."
    )


class FiguresAnswer(Schema):
    """Figures of a version."""

    model: str = Field(description="Registered name.")
    version: int = Field(description="Number of the version, counted from 1.")
    card: list[dict[str, Any]] = Field(
        description="As its model card has them, one object for each group of parts; fractions 0 to 1."
    )
    sets: list[MeasuredSet] = Field(description="As measured here, on sets that somebody added.")


class CalibrationAnswer(Schema):
    """Scores to probabilities, and how far they can be believed."""

    model: str = Field(description="Registered name.")
    version: int = Field(description="Number of the version, counted from 1.")
    calibration_id: str = Field(description="Id of the calibration, 12 hex digits.")
    method: str = Field(description="temperature, platt, beta or isotonic.")
    parameters: list[float] = Field(description="What the method fitted, numbers without unit.")
    score_cut: float = Field(description="Raw score, 0 to 1, below which nothing is listed or calibrated.")
    operating_probability: Probability
    fitted_on: str = Field(description="What it was fitted on, in words.")
    figures: list[dict[str, Any]] = Field(
        description="For each group of parts of the card: D-ECE and its 95 % band of a perfectly calibrated "
        "model of the same size, Brier score and log loss, calibrated and raw; fractions 0 to 1."
    )


@router.get("/metrics", summary="Figures of a version", responses=problems(404))
def get_metrics(
    identity: Caller,
    model: Model,
    version: Version = None,
    alias: Alias = "champion",
) -> FiguresAnswer:
    """How the version did where it was measured: its card's figures and those on evaluation sets.

    Needs the scope `read` and the right to compare versions.
    """
    require(identity, Action.EVALUATIONS_READ)
    services, found = resources().services, version_of(identity, model, version, alias)
    sets = []
    for one in services.evaluations.sets.all(identity, model):
        stored = services.evaluations.open(identity, one, [found.number])[0].stored if found.version else None
        if stored is not None:
            sets.append(
                MeasuredSet(
                    set_id=one.set_id,
                    name=one.name,
                    n_images=one.n_images,
                    n_boxes=one.n_boxes,
                    figures=plain(stored.summary),
                )
            )
    card = plain(found.card.get("evaluation") or [])
    return FiguresAnswer(model=model, version=found.number, card=card, sets=sets)


@router.get("/calibration", summary="Calibration of a version", responses=problems(404))
def get_calibration(
    identity: Caller,
    model: Model,
    version: Version = None,
    alias: Alias = "champion",
) -> CalibrationAnswer:
    """How scores of the version become probabilities, and how well they do. Needs the scope `read`."""
    found = version_of(identity, model, version, alias)
    if found.version is None:
        raise ModelArtefactError(f"{model} v{found.number} is damaged: {found.problem}")
    calibration = found.version.calibration
    measured = plain(found.card.get("evaluation") or [])
    return CalibrationAnswer(
        model=model,
        version=found.number,
        calibration_id=calibration.calibration_id,
        method=calibration.method,
        parameters=list(calibration.parameters),
        score_cut=calibration.score_cut,
        operating_probability=calibration.operating_probability,
        fitted_on=calibration.fitted_on,
        figures=[
            {"on": one.get("on"), **{name: one[name] for name in _CALIBRATED if name in one}}
            for one in measured
        ],
    )
