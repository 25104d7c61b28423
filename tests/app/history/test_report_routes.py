"""Reports over HTTP: for whoever may see the inspection, in their own workspace."""

import json
import warnings
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.history.routes import routes
from app.shared.resources import Resources
from app.shared.visitors import identity_of
from app.web.middleware.arrival import Arrival
from app.web.middleware.page_shell import PageShell
from app.web.server import guest_cookies
from core.domain.radiograph import Polarity
from core.reports.report_json import read_report_json
from core.reports.report_pdf import read_report_pdf
from tests.workplace import radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

PAGE = '<html><head><title>Streamlit</title></head><body><div id="root"></div></body></html>'


@pytest.fixture
def app(workplace: Resources) -> Starlette:
    page = Route("/", lambda request: HTMLResponse(PAGE))
    middleware = [Middleware(Arrival), Middleware(PageShell, cookies_for=guest_cookies)]
    return Starlette(routes=[page, *routes()], middleware=middleware)


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        client.get("/", headers={"Accept": "text/html"})
        yield client


@pytest.fixture
def inspection_id(workplace: Resources, client: TestClient) -> str:
    guest = identity_of(client.cookies, address="192.0.2.7")
    desk = workplace.services.workspace_of(guest)
    film = desk.images.add(guest, radiograph_png(4), "film 4.png", polarity=Polarity.FILM)
    result = workplace.services.detect.detect(film, "film 4.png", model="weld")
    return desk.inspections.record(guest, result).inspection_id


def test_the_pdf_opens_in_the_browser_in_the_window_that_was_asked_for(client, inspection_id) -> None:
    answer = client.get(f"/reports/{inspection_id}.pdf?lo=10&hi=2000&invert=1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("inline; filename*=UTF-8''RK-")
    assert answer.headers["cache-control"] == "no-store"
    window = read_report_pdf(answer.content).attached.report.window
    assert (window.lo, window.hi, window.is_inverted) == (10, 2000, True)


def test_csv_and_json_are_files_of_the_same_content(client, inspection_id) -> None:
    table = client.get(f"/reports/{inspection_id}.csv")
    whole = client.get(f"/reports/{inspection_id}.json")
    assert table.headers["content-disposition"].startswith("attachment")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    read = read_report_json(whole.content)
    assert read.is_whole
    assert read.content_sha256 in table.text
    assert json.loads(whole.content)["signed"] == "NOT SIGNED"


@pytest.mark.parametrize("query", ["lo=1", "lo=a&hi=b", "lo=5&hi=5", "lo=nan&hi=1"])
def test_a_window_that_is_none_is_refused(client, inspection_id, query: str) -> None:
    assert client.get(f"/reports/{inspection_id}.pdf?{query}").status_code == 400


def test_strangers_and_other_guests_learn_nothing(workplace, app, client, inspection_id) -> None:
    missing = client.get("/reports/ffff.json")
    assert missing.status_code == 404
    for headers in ({}, {"Accept": "text/html"}):
        with TestClient(app, client=("127.0.0.1", 50_001)) as other:
            if headers:
                other.get("/", headers=headers)
                workplace.services.workspace_of(identity_of(other.cookies, address="198.51.100.1"))
            for suffix in ("pdf", "csv", "json"):
                answer = other.get(f"/reports/{inspection_id}.{suffix}")
                assert (answer.status_code, answer.text) == (404, missing.text)
