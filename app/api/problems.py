"""Whatever goes wrong in the API, as problem details: one table, one handler."""

from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.shared.problems import problem
from app.shared.uploads import DiskNearlyFullError, UploadsFullError
from core.domain.errors import (
    BadInputError,
    ConfigurationError,
    EngineAwayError,
    EngineBusyError,
    ImmutableRecordError,
    ModelArtefactError,
    ModelNotFoundError,
    NotAllowedError,
    RegistryUnavailableError,
    StaleVersionError,
    UnknownRecordError,
    UnreadableImageError,
    WorkbenchError,
)
from core.services.accounts.api_answers import RepeatedRequestError
from core.services.intake.inspecting_files import NotReproducedError, PolarityNeededError
from core.services.lifecycle.promoting import GateRefusedError
from core.store.blobs import BlobNotFoundError
from core.store.failures import DatabaseUnavailableError
from core.store.objects import ObjectStoreError

_MOST_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: what raises it, its status, its name in addresses, its title."""

    error: type[Exception]
    status: int
    slug: str
    title: str


#: The first that fits counts.
KINDS = (
    Kind(PolarityNeededError, 422, "polarity-needed", "The polarity has to be stated"),
    Kind(UnreadableImageError, 422, "unreadable", "This is no radiograph that can be read"),
    Kind(DiskNearlyFullError, 507, "no-room", "There is no room for it"),
    Kind(UploadsFullError, 413, "too-large", "This is too much at once"),
    Kind(UnknownRecordError, 404, "not-found", "There is nothing here"),
    Kind(ModelNotFoundError, 404, "not-found", "There is nothing here"),
    Kind(BlobNotFoundError, 404, "not-found", "There is nothing here"),
    Kind(NotAllowedError, 403, "not-allowed", "This is not allowed"),
    Kind(StaleVersionError, 409, "stale", "Somebody was faster"),
    Kind(ImmutableRecordError, 409, "signed", "The record is closed"),
    Kind(GateRefusedError, 409, "gate-refused", "The gate refused the version"),
    Kind(NotReproducedError, 409, "not-reproduced", "The box is no longer reported"),
    Kind(RepeatedRequestError, 409, "repeated", "The Idempotency-Key is in use"),
    Kind(RegistryUnavailableError, 503, "unavailable", "A part of the service is away"),
    Kind(DatabaseUnavailableError, 503, "unavailable", "A part of the service is away"),
    Kind(ObjectStoreError, 503, "unavailable", "A part of the service is away"),
    Kind(ModelArtefactError, 503, "unavailable", "A part of the service is away"),
    Kind(EngineBusyError, 503, "unavailable", "A part of the service is away"),
    Kind(EngineAwayError, 503, "unavailable", "A part of the service is away"),
    Kind(ConfigurationError, 503, "unavailable", "A part of the service is away"),
    Kind(BadInputError, 422, "bad-input", "The input cannot be used"),
    Kind(WorkbenchError, 500, "failed", "It failed"),
)
#: Kinds that no service raises, by status.
OTHER_KINDS = {
    401: ("unauthorised", "Who are you?"),
    404: ("not-found", "There is nothing here"),
    405: ("method", "The method is not offered here"),
    413: ("too-large", "This is too much at once"),
    411: ("no-length", "The length is missing"),
    415: ("media-type", "The media type is not taken here"),
    408: ("too-slow", "It came too slowly"),
    422: ("invalid", "The request is not understood"),
    429: ("too-many", "Too many requests"),
    400: ("refused", "The request is refused"),
}


def kind_of(error: WorkbenchError) -> Kind:
    """The kind of problem that an error is."""
    return next(kind for kind in KINDS if isinstance(error, kind.error))


def answer_refused(request: Request, error: Exception) -> Response:
    """The answer to an error of the services."""
    assert isinstance(error, WorkbenchError)
    kind, status, more = kind_of(error), None, _members(error)
    if isinstance(error, RepeatedRequestError) and error.is_other:
        status = 422
    headers = {"Retry-After": "30"} if kind.status == 503 else {}
    return problem(
        request.scope, status or kind.status, kind.slug, kind.title, f"{error}.", headers=headers, **more
    )


def answer_invalid(request: Request, error: Exception) -> Response:
    """The answer to a request that is not what the endpoint describes; `errors` name each place."""
    assert isinstance(error, RequestValidationError)
    errors = [
        {"where": ".".join(str(part) for part in one["loc"]), "detail": str(one["msg"])}
        for one in error.errors()[:_MOST_ERRORS]
    ]
    told = "; ".join(f"{one['where']}: {one['detail']}" for one in errors[:3])
    return problem(request.scope, 422, "invalid", "The request is not understood", f"{told}.", errors=errors)


def answer_http(request: Request, error: Exception) -> Response:
    """The answer to a wrong address, method or the like."""
    assert isinstance(error, HTTPException)
    slug, title = OTHER_KINDS.get(error.status_code, ("refused", "The request is refused"))
    return problem(
        request.scope, error.status_code, slug, title, str(error.detail), headers=error.headers or {}
    )


def _members(error: WorkbenchError) -> dict[str, Any]:
    """Further members of the problem."""
    if isinstance(error, StaleVersionError):
        return {"yours": error.yours, "stored": error.stored}
    if isinstance(error, GateRefusedError):
        return {"reasons": list(error.report.reasons)}
    return {}
