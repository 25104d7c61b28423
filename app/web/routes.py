"""Every HTTP route of our own: the API, those of the features, 404 for the rest."""

import re
from pathlib import Path

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.api.application import create_api
from app.auth.actions import providers
from app.auth.routes import routes as auth_routes
from app.history.routes import routes as history_routes
from app.inspection.routes import routes as inspection_routes
from app.label.routes import routes as label_routes
from app.models.routes import routes as model_routes
from app.shared.components.scripts import routes as script_routes
from app.web.middleware.failures import Failures
from app.web.middleware.refusal import NOT_FOUND, Refusal
from core.config import Settings

_ICON = Path(__file__).parents[1] / "mark.svg"
_ICON_KEPT = {"Cache-Control": "public, max-age=86400"}
#: Streamlit's own routes for it would break without a section [auth] of its secrets.
_NO_PROVIDER = Refusal(
    404,
    "Single sign-on is not set up here",
    "Nothing was changed. Sign in with name and password; an administrator can connect your organisation's "
    "sign-in.",
)


def routes(settings: Settings) -> list[Route]:
    """All of them; below their first folder, an address that none of them knows is 404, never a page."""
    known = [
        _below("api", create_api(settings, edge=[Middleware(Failures)])),
        *auth_routes(),
        *inspection_routes(),
        *history_routes(),
        *label_routes(),
        *model_routes(),
        *script_routes(),
        Route("/favicon.ico", icon),
    ]
    if not providers():
        known += [Route("/auth/{rest:path}", _NO_PROVIDER), Route("/oauth2callback", _NO_PROVIDER)]
    folders = sorted({route.path.split("/")[1] for route in known})
    return [*known, *(_below(folder, NOT_FOUND) for folder in folders)]


async def icon(_request: Request) -> Response:
    """The product's icon, which browsers ask for by this name where a page names none."""
    return FileResponse(_ICON, media_type="image/svg+xml", headers=_ICON_KEPT)


def _below(folder: str, app: ASGIApp) -> Route:
    """A route for every address below a folder; one with a line break in it is no exception."""
    route = Route(f"/{folder}/{{rest:path}}", app)
    route.path_regex = re.compile(route.path_regex.pattern, re.DOTALL)
    return route
