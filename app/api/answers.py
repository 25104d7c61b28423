"""What endpoints say about their answers in the OpenAPI document."""

from typing import Any

_WORDS = {
    401: "No key or session, or one that is not valid.",
    403: "The role, or the scopes of the key, do not cover it.",
    404: "There is nothing here.",
    409: "It does not fit what is stored by now.",
    411: "The length of the body is missing.",
    413: "The body is too large.",
    422: "The input cannot be used; `detail` says what was expected.",
    429: "Too many requests; `Retry-After` says when again.",
    500: "It failed; the log has the request id.",
    503: "A part of the service is away; `Retry-After` says when again.",
    507: "The disk is full.",
}
_ALWAYS = (401, 403, 422, 429, 500, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an endpoint may answer with, those of every endpoint among them."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": _WORDS[status], "content": content}
        for status in sorted({*_ALWAYS, *statuses})
    }
