"""The routes that begin and end a session; only they set its cookie."""

from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.auth.state import LATE, SIGN_IN
from app.shared.guest_tokens import COOKIE
from app.shared.navigation import PAGES
from app.shared.resources import resources
from app.shared.visitors import SESSION_COOKIE, identity_of
from core.domain.errors import SignInRefusedError, WorkbenchError

#: Streamlit's own cookies of somebody who came through an identity provider, and pieces of long ones.
OIDC_COOKIES = ("_streamlit_user", "_streamlit_user_tokens")
_SEE_OTHER = 303
_NO_STORE = {"Cache-Control": "no-store"}


def routes() -> list[Route]:
    """The routes of this feature."""
    return [
        Route("/signin", show_form, methods=["GET"]),
        Route("/signin", sign_in, methods=["POST"]),
        Route("/signout", sign_out, methods=["POST"]),
    ]


async def show_form(request: Request) -> Response:
    """The page `next` with the sign-in form in its place, for guests too."""
    return _to(request.query_params.get("next", "/"), SIGN_IN, "yes")


async def sign_in(request: Request) -> Response:
    """A session in a cookie, for a ticket that the form was given; then on to the page `next`."""
    if not _is_own(request):
        return PlainTextResponse("this did not come from our own page; nothing was changed\n", 403, _NO_STORE)
    form = await request.form()
    target = str(form.get("next", "/"))
    try:
        token = await run_in_threadpool(_exchange, request, str(form.get("ticket", "")))
    except SignInRefusedError:
        return _to(target, SIGN_IN, LATE)
    except WorkbenchError as error:
        return PlainTextResponse(f"{error}\n", 503, _NO_STORE)
    response = _to(target)
    response.set_cookie(
        SESSION_COOKIE, token, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/"
    )
    response.delete_cookie(COOKIE, path="/")
    _drop_oidc(request, response)
    return response


async def sign_out(request: Request) -> Response:
    """The session or the demo of this browser is over; then on to the first page."""
    if not _is_own(request):
        return PlainTextResponse("this did not come from our own page; nothing was changed\n", 403, _NO_STORE)
    try:
        await run_in_threadpool(_end, request)
    except WorkbenchError as error:
        return PlainTextResponse(f"{error}; you are still signed in\n", 503, _NO_STORE)
    response = _to("/")
    for name in (SESSION_COOKIE, COOKIE):
        response.delete_cookie(name, path="/")
    _drop_oidc(request, response)
    return response


def _exchange(request: Request, ticket: str) -> str:
    signing_in = resources().services.signing_in
    token = signing_in.exchange(ticket, request.headers.get("user-agent", ""))
    signing_in.sign_out(request.cookies.get(SESSION_COOKIE))  # nobody could end it any more
    return token


def _end(request: Request) -> None:
    held = resources()
    identity = identity_of(request.cookies)
    if identity is not None and identity.is_guest:
        held.services.demo.end(identity.user_id)
    held.services.signing_in.sign_out(request.cookies.get(SESSION_COOKIE))


def _is_own(request: Request) -> bool:
    """True when the browser says that our own page sent it; the middleware asks the same more strictly."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def _to(target: str, name: str = "", value: str = "") -> RedirectResponse:
    path, query = _local(target)
    parts = [*([query] if query else []), *([f"{name}={value}"] if name else [])]
    address = path + (f"?{'&'.join(parts)}" if parts else "")
    return RedirectResponse(address, _SEE_OTHER, _NO_STORE)


def _local(target: str) -> tuple[str, str]:
    """Path and query of one of our pages; the first page when the target is anything else."""
    pages = {page.url_path for page in PAGES}
    if not target.startswith("/") or target[1:2] in ("/", "\\") or not target.isprintable():
        return "/", ""
    path, _, query = target.partition("?")
    if path.strip("/") not in pages:
        return "/", ""
    return "/" + path.strip("/"), quote(query.partition("#")[0], safe="=&%+-_.~")


def _drop_oidc(request: Request, response: Response) -> None:
    """Our session stands for the identity provider's from now on; its cookies go."""
    for name in request.cookies:
        if name in OIDC_COOKIES or name.rpartition("_")[0] in OIDC_COOKIES:
            response.delete_cookie(name, path="/")
