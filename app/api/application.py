"""The REST API: one FastAPI application on the same port as the pages."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.api import detect, explain, health, inspections, jobs
from app.api.access import DOCUMENT, Access
from app.api.problems import answer_http, answer_invalid, answer_refused
from core.config import Settings
from core.domain.errors import WorkbenchError

_DESCRIPTION = """Inspects radiographs of welds and castings, as the pages do: the same services, rights and
audit log. Coordinates are px of the image, absolute, origin at the top left; moments are UTC.

Send an API key as `Authorization: Bearer radikal_...`; an administrator adds keys with `radikal key add` or
on the page *API keys*. Every refusal is a problem (RFC 9457)."""
_METHODS = ("GET", "POST", "PUT", "DELETE")
_TAKEN = ("Authorization", "Content-Type", "Idempotency-Key")
_SHOWN = (
    "X-Request-ID",
    "Retry-After",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)


def create_api(settings: Settings, *, edge: Sequence[Middleware] = ()) -> FastAPI:
    """The application; its addresses are whole, so that it is routed to and not mounted.

    Args:
        settings: whose pages may call it, and how often each key may.
        edge: what turns errors that nobody foresaw into answers.
    """
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=_METHODS,
        allow_headers=_TAKEN,
        expose_headers=_SHOWN,
    )
    api = FastAPI(
        title="RadiKal",
        version="1",
        description=_DESCRIPTION,
        openapi_url=DOCUMENT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[cors, *edge, Middleware(Access, per_minute=settings.api_requests_per_minute)],
        exception_handlers={
            WorkbenchError: answer_refused,
            RequestValidationError: answer_invalid,
            HTTPException: answer_http,
        },
    )
    for module in (health, detect, explain, jobs, inspections):
        api.include_router(module.router)
    return api
