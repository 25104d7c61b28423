"""Problem details (RFC 9457): the one form in which the API says no."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Scope

from app.shared.connection import request_id_of

MEDIA_TYPE = "application/problem+json"


def problem(
    scope: Scope,
    status: int,
    slug: str,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """The answer.

    Args:
        scope: of the request.
        status: of HTTP.
        slug: names the kind of problem; `type` points to it on the page of the API.
        title: of the kind, the same each time.
        detail: of this one: what was expected, what came, what to do.
        headers: more of the answer.
        more: further members.
    """
    content = {
        "type": f"/api/docs#{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": scope["path"],
        "request_id": request_id_of(scope),
        **more,
    }
    return JSONResponse(content, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)
