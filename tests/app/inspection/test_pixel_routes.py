"""The first look at a large radiograph, over HTTP."""

import time
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.inspection.routes import routes
from app.inspection.state import intake
from app.shared.payloads import PREVIEW_SIDE_PX
from app.shared.resources import Resources
from app.shared.visitors import identity_of
from app.shared.worklist import EntryState, worklists
from app.web.middleware.arrival import Arrival
from app.web.middleware.page_shell import PageShell
from app.web.server import guest_cookies
from core.domain.radiograph import Polarity
from tests.workplace import incoming, radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

PAGE = '<html><head><title>Streamlit</title></head><body><div id="root"></div></body></html>'


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    page = Route("/", lambda request: HTMLResponse(PAGE))
    middleware = [Middleware(Arrival), Middleware(PageShell, cookies_for=guest_cookies)]
    app = Starlette(routes=[page, *routes()], middleware=middleware)
    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        client.get("/", headers={"Accept": "text/html"})
        yield client


def handed_in(workplace: Resources, client: TestClient) -> str:
    """The sha256 of a large image on this visitor's table."""
    identity = identity_of(client.cookies, address="192.0.2.7")
    worklist = worklists().of(identity)
    data = radiograph_png(3, height=100, width=2 * PREVIEW_SIDE_PX)
    key = intake().receive(worklist, identity, incoming("film.png", data), Polarity.FILM)
    while worklist.get(key).state is EntryState.READING:
        time.sleep(0.01)
    return str(worklist.get(key).sha256)


def test_a_preview_is_small_and_at_native_depth(workplace: Resources, client: TestClient) -> None:
    answer = client.get(f"/pixels/{handed_in(workplace, client)}/preview")
    assert answer.status_code == 200
    assert (answer.headers["X-Width"], answer.headers["X-Height"]) == (str(PREVIEW_SIDE_PX), "50")
    assert np.frombuffer(answer.content, "<u2").size == PREVIEW_SIDE_PX * 50
    assert "private" in answer.headers["Cache-Control"]


def test_a_preview_is_for_the_visitor_who_brought_the_image(workplace: Resources, client: TestClient) -> None:
    sha256 = handed_in(workplace, client)
    client.cookies.clear()
    assert client.get(f"/pixels/{sha256}/preview").status_code == 404
    client.get("/", headers={"Accept": "text/html"})
    assert client.get(f"/pixels/{sha256}/preview").status_code == 404
