"""Answers of our own HTTP routes: headers, errors as one clear line, compressed arrays, files."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.shared.payloads import Payload
from core.domain.errors import BadInputError, NotAllowedError, WorkbenchError

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie"}
FRESH = {"Cache-Control": "no-store"}

Endpoint = Callable[[Request], Response]


def not_found(told: str) -> HTTPException:
    """Nothing is here for this visitor; the same answer whether it exists for another or not."""
    return HTTPException(404, told)


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint with errors as one clear line with the right status."""

    @wraps(endpoint)
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except HTTPException as error:
            return PlainTextResponse(error.detail, error.status_code, FRESH)
        except BadInputError as error:
            return PlainTextResponse(str(error), 404, FRESH)
        except (ValueError, KeyError) as error:
            return PlainTextResponse(f"the address is not understood: {error}", 400, FRESH)
        except NotAllowedError as error:
            return PlainTextResponse(str(error), 403, FRESH)
        except WorkbenchError as error:
            return PlainTextResponse(str(error), 500, FRESH)

    return answer


def compressed(payload: Payload) -> Response:
    """Gzip bytes that never change, with the headers that say how to read them."""
    headers = {**payload.headers, **IMMUTABLE, "Content-Encoding": "gzip"}
    return Response(payload.body, media_type="application/octet-stream", headers=headers)


def file_answer(body: bytes, media_type: str, name: str, *, how: str = "attachment") -> Response:
    """A file under its name, `how` attachment or inline; never kept by the browser."""
    disposition = f"{how}; filename*=UTF-8''{quote(name)}"
    return Response(body, media_type=media_type, headers={**FRESH, "Content-Disposition": disposition})
