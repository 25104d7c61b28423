"""Every HTTP route of our own: those of the features, the state of the product, 404 for the rest."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.auth.actions import providers
from app.auth.routes import routes as auth_routes
from app.history.routes import routes as history_routes
from app.inspection.routes import routes as inspection_routes
from app.label.routes import routes as label_routes
from app.models.routes import routes as model_routes
from app.shared.components.scripts import routes as script_routes
from app.shared.connection import connection_of, user_of
from app.shared.resources import resources
from app.shared.responses import FRESH
from app.web.middleware.refusal import NOT_FOUND, Refusal

#: Streamlit's own routes for it would break without a section [auth] of its secrets.
_NO_PROVIDER = Refusal(
    404,
    "Single sign-on is not set up here",
    "Nothing was changed. Sign in with name and password; an administrator can connect your organisation's "
    "sign-in.",
)


def routes() -> list[Route]:
    """All of them; below their first folder, an address that none of them knows is 404, never a page."""
    known = [
        Route("/api/xai-qc/health", health),
        *auth_routes(),
        *inspection_routes(),
        *history_routes(),
        *label_routes(),
        *model_routes(),
        *script_routes(),
    ]
    if not providers():
        known += [Route("/auth/{rest:path}", _NO_PROVIDER), Route("/oauth2callback", _NO_PROVIDER)]
    folders = sorted({route.path.split("/")[1] for route in known})
    return [*known, *(Route(f"/{folder}/{{rest:path}}", NOT_FOUND) for folder in folders)]


def health(request: Request) -> Response:
    """The state of the product; 503 when the database or every model is unusable.

    A stranger gets the status alone; somebody with a session, or on this machine, the versions too.
    """
    report = resources().services.health.report()
    is_told = user_of(request.scope) is not None or connection_of(request.scope).is_local
    content = report.content if is_told else {"status": report.content["status"]}
    return JSONResponse(content, 200 if report.is_usable else 503, headers=FRESH)
