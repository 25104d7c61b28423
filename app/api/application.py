"""The REST API: one FastAPI application on the same port as the pages."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.api import detect, docs_page, explain, figures, health, history, inspections, jobs, labels, models
from app.api.access import DOCUMENT, OPEN, Access
from app.api.problems import answer_http, answer_invalid, answer_refused
from app.api.schemas import Problem
from app.shared.visitors import SESSION_COOKIE
from core.config import Settings
from core.domain.errors import WorkbenchError

_DESCRIPTION = """Inspects radiographs of welds and castings, as the pages do: the same services, rights and
audit log. Coordinates are px of the image, absolute, origin at the top left; moments are UTC.

Send an API key as `Authorization: Bearer radikal_...`; an administrator adds keys with `radikal key add` or
on the page API keys. Every refusal is a problem (RFC 9457)."""
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


_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, radikal_ and 43 characters."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The session of a page of RadiKal; it writes only where the Origin is our own.",
    },
}


#: Begins the name that FastAPI gives to the schema of a form.
_FORM = "Body_"


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
        generate_unique_id_function=lambda route: route.name,
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
    api.openapi = partial(_document, api)  # type: ignore[method-assign]  # FastAPI's own way to change it
    for module in (health, detect, explain, jobs, inspections, history, labels, models, figures, docs_page):
        api.include_router(module.router)
    return api


def _document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with who may ask and how it says no; made once."""
    if api.openapi_schema is None:
        document = get_openapi(
            title=api.title, version=api.version, description=api.description, routes=api.routes
        )
        components = document["components"]
        components["schemas"][Problem.__name__] = Problem.model_json_schema()
        for name, schema in components["schemas"].items():
            if name.startswith(_FORM):
                schema["properties"] = {
                    field: _without_null(one) for field, one in schema["properties"].items()
                }
        components["securitySchemes"] = _SECURITY
        for path, methods in document["paths"].items():
            for one in methods.values():
                one["security"] = [{"key": []}, {"session": []}, *([{}] if path in OPEN else [])]
        api.openapi_schema = document
    return api.openapi_schema


def _without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a field of a form, which is left out where JSON would say null."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**rest, **(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})}
