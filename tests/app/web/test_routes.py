"""The routes of the whole server: the state of the product, and addresses that nobody knows."""

import warnings
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.shared.resources import Resources
from app.web.middleware.arrival import Arrival
from app.web.routes import routes

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    app = Starlette(routes=routes(workplace.services.settings), middleware=[Middleware(Arrival)])
    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        yield client


def test_health_is_200_with_models_and_503_without(workplace: Resources, client: TestClient) -> None:
    usable = client.get("/api/xai-qc/health")
    assert (usable.status_code, usable.json()["status"]) == (200, "ok")
    workplace.services.registry.is_there = False
    unusable = client.get("/api/xai-qc/health")
    assert (unusable.status_code, unusable.json()["status"]) == (503, "unusable")
    assert unusable.json()["registry"]["reachable"] is False


def test_a_stranger_is_told_the_status_and_no_more(client: TestClient) -> None:
    passed_on = {"X-Forwarded-For": "192.0.2.7"}
    assert client.get("/api/xai-qc/health", headers=passed_on).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "path", ["/auth/login", "/auth/login?provider=x", "/auth/logout", "/oauth2callback?code=1&state=2"]
)
def test_single_sign_on_that_nobody_set_up_is_told_in_words(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.text.startswith("Single sign-on is not set up here. Nothing was changed.")
    assert "<" not in answer.text


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "folder",
    ["api", "pixels", "thumbnails", "samples", "results", "records", "reports", "labels", "evaluated"],
)
def test_what_no_route_knows_below_our_folders_is_404_to_every_method(
    client: TestClient, folder: str, method: str
) -> None:
    for address in ("no/such/address", "no/such%0A/address%0A"):
        answer = client.request(method, f"/{folder}/{address}")
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text


def test_the_icon_is_there_for_pages_that_name_none(client: TestClient) -> None:
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.text.startswith("<svg")
    assert client.get("/favicon.ico/x").status_code == 404
