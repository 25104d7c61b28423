"""The API on temporary services, behind the whole stack of rules, and keys of every role."""

import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from app.shared.resources import Resources
from app.web.middleware.stack import middleware_stack
from app.web.routes import routes
from core.config import Settings
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from tests.app.people import add_user
from tests.workplace import radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

MakeKey = Callable[..., dict[str, str]]


def stacked(settings: Settings) -> Starlette:
    """The routes behind the whole stack of rules."""
    stack = middleware_stack(
        settings,
        listens_on="0.0.0.0",
        doorkeeper=lambda cookies: None,
        cookies_for=lambda scope: [],
        is_page=lambda path: False,
        visitor_of=lambda cookies: None,
        cookies_of_page=lambda session_id: None,
    )
    return Starlette(routes=routes(settings), middleware=stack)


def client_of(settings: Settings, **more: Any) -> TestClient:
    """A client on another machine, of a server with these settings."""
    return TestClient(stacked(settings), client=("192.0.2.7", 50_000), **more)


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    with client_of(workplace.services.settings, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def key_of(workplace: Resources) -> MakeKey:
    """Makes an account of a role and a key for it; gives the headers that bring the key."""
    return partial(new_key, workplace)


def new_key(workplace: Resources, role: Role = Role.INSPECTOR, *scopes: Scope) -> dict[str, str]:
    """Headers with a new key of an account of this role; every scope unless told otherwise."""
    services, name = workplace.services, f"{role.value}.station"
    if name not in {user.name for user in services.accounts.all(COMMAND_LINE)}:
        add_user(workplace, name, role)
    issued = services.api_keys.add(COMMAND_LINE, name, "a test", scopes or tuple(Scope), days=30)
    return {"Authorization": f"Bearer {issued.token}"}


@pytest.fixture
def environment(workplace: Resources, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Address and key as environment variables, while a server answers there."""
    server = uvicorn.Server(
        uvicorn.Config(stacked(workplace.services.settings), port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    header = new_key(workplace, Role.INSPECTOR, Scope.DETECT, Scope.READ)["Authorization"]
    url, key = f"http://127.0.0.1:{port}/api/xai-qc", header.removeprefix("Bearer ")
    (tmp_path / "film.png").write_bytes(radiograph_png())
    yield {**os.environ, "RADIKAL_URL": url, "RADIKAL_KEY": key}
    server.should_exit = True
    thread.join()
