"""The API on temporary services, behind the whole stack of rules, and keys of every role."""

import warnings
from collections.abc import Callable, Iterator

import pytest
from starlette.applications import Starlette

from app.shared.resources import Resources
from app.web.middleware.stack import middleware_stack
from app.web.routes import routes
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from tests.app.people import add_user

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

MakeKey = Callable[..., dict[str, str]]


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    """A client on another machine."""
    settings = workplace.services.settings
    stack = middleware_stack(
        settings,
        listens_on="0.0.0.0",
        doorkeeper=lambda cookies: None,
        cookies_for=lambda scope: [],
        is_page=lambda path: False,
        visitor_of=lambda cookies: None,
        cookies_of_page=lambda session_id: None,
    )
    app = Starlette(routes=routes(settings), middleware=stack)
    with TestClient(app, client=("192.0.2.7", 50_000), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def key_of(workplace: Resources) -> MakeKey:
    """Makes an account of a role and a key for it; gives the headers that bring the key."""

    def make(role: Role = Role.INSPECTOR, *scopes: Scope, name: str = "") -> dict[str, str]:
        services, name = workplace.services, name or f"{role.value}.station"
        if name not in {user.name for user in services.accounts.all(COMMAND_LINE)}:
            add_user(workplace, name, role)
        issued = services.api_keys.add(COMMAND_LINE, name, "a test", scopes or tuple(Scope), days=30)
        return {"Authorization": f"Bearer {issued.token}"}

    return make
