"""State of the product: whether it lives, whether it is ready, and all that is known."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from app.api.access import PREFIX, known_caller
from app.api.schemas import Schema
from app.shared.connection import connection_of
from app.shared.resources import resources
from app.shared.responses import FRESH
from core.domain.accounts import Identity

router = APIRouter(prefix=f"{PREFIX}/health", tags=["health"])
_UNUSABLE = {503: {"description": "It cannot be used."}}


class Alive(Schema):
    """The process answers."""

    status: Literal["alive"] = Field(description="Always alive: who is not does not answer.")


class Ready(Schema):
    """Whether radiographs can be inspected now."""

    status: Literal["ready", "unready"] = Field(description="unready comes with the status 503.")


class State(BaseModel):
    """The state; more members for whoever is signed in, brings a key, or asks on the machine itself."""

    model_config = ConfigDict(extra="allow")
    status: Literal["ok", "degraded", "unusable"] = Field(
        description="degraded: part of it does not work; unusable comes with the status 503."
    )


@router.get("/live", summary="Whether the process lives")
def live() -> Alive:
    """Answered as long as the process answers at all: restart it where this does not come."""
    return Alive(status="alive")


@router.get("/ready", summary="Whether it can be used", response_model=Ready, responses=_UNUSABLE)
def ready() -> JSONResponse:
    """200 when radiographs can be inspected, 503 while not: send no requests then."""
    is_usable = resources().services.health.report().is_usable
    status: Any = "ready" if is_usable else "unready"
    return JSONResponse(Ready(status=status).model_dump(), 200 if is_usable else 503, FRESH)


@router.get("", summary="The state of every part", response_model=State, responses=_UNUSABLE)
def health(request: Request, identity: Annotated[Identity | None, Depends(known_caller)]) -> JSONResponse:
    """The state of the product; 503 when the database or every model is unusable.

    A stranger gets the status alone; somebody with a session or a key, or on this machine, the versions too.
    """
    report = resources().services.health.report()
    is_told = identity is not None or connection_of(request.scope).is_local
    content = report.content if is_told else {"status": report.content["status"]}
    return JSONResponse(content, 200 if report.is_usable else 503, FRESH)
