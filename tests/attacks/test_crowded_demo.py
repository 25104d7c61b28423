"""Strangers who make guests of the demo in numbers."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.inspection.routes import routes
from app.shared.resources import Resources, forget_resources, use_resources
from app.shared.visitors import identity_of
from app.web.middleware.arrival import Arrival
from app.web.middleware.page_shell import PageShell
from app.web.middleware.rates import RateLimits, rate_rules
from app.web.server import guest_cookies
from core.domain.accounts import Identity, Role
from core.services.demo_workspaces import DemoFullError
from tests.workplace import close_workplace, make_workplace, radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

PAGE = '<html><head><title>Streamlit</title></head><body><div id="root"></div></body></html>'
HTML = {"accept": "text/html"}
N_REQUESTS, N_GUESTS = 60, 60
VICTIM, ATTACKER = "192.0.2.7", "198.51.100.1"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resources]:
    folder: Path = tmp_path_factory.mktemp("demo")
    held = make_workplace(folder)
    use_resources(held)
    yield held
    forget_resources()
    close_workplace(held)


@pytest.fixture
def victim(workplace: Resources) -> Iterator[tuple[Identity, str]]:
    """A guest with an image, and its digest."""
    guest = Identity("guest-0000000000000001", "guest", Role.GUEST, address=VICTIM)
    images = workplace.services.workspace_of(guest).images
    yield guest, images.add(guest, radiograph_png(), "film.png").sha256
    workplace.services.demo.close()


def app(requests_per_second: int = 50) -> Starlette:
    page = Route("/", lambda request: HTMLResponse(PAGE))
    middleware = [
        Middleware(Arrival),
        Middleware(
            RateLimits, rules=rate_rules(upload_limit_mb=500, requests_per_second=requests_per_second)
        ),
        Middleware(PageShell, cookies_for=guest_cookies),
    ]
    return Starlette(routes=[page, *routes()], middleware=middleware)


def is_there(workplace: Resources, victim: tuple[Identity, str]) -> bool:
    guest, sha256 = victim
    return bool(workplace.services.workspace_of(guest).images.load(sha256).sha256)


def test_anonymous_requests_end_nobodys_workspace(workplace: Resources, victim: tuple[Identity, str]) -> None:
    with TestClient(app(), client=(ATTACKER, 50_000)) as attacker:
        for _ in range(N_REQUESTS):
            attacker.cookies.clear()
            attacker.get("/", headers=HTML)
            assert identity_of(attacker.cookies) is not None
            assert attacker.get(f"/pixels/{victim[1]}").status_code == 404
    assert is_there(workplace, victim)
    assert len(workplace.services.demo._open) == 1  # none was made for them


def test_pages_opened_in_numbers_end_nobodys_workspace_and_others_come_in(
    workplace: Resources, victim: tuple[Identity, str]
) -> None:
    n_refused = 0
    for number in range(N_GUESTS):
        guest = Identity(f"guest-a{number:015x}", "guest", Role.GUEST, address=ATTACKER)
        try:
            workplace.services.workspace_of(guest)
        except DemoFullError:
            n_refused += 1
    assert n_refused == N_GUESTS - workplace.services.settings.demo_guests_per_address
    assert is_there(workplace, victim)
    newcomer = Identity("guest-b000000000000001", "guest", Role.GUEST, address="203.0.113.9")
    assert workplace.services.workspace_of(newcomer)


def test_an_address_that_reads_without_end_is_slowed_down_and_others_are_not(workplace: Resources) -> None:
    served = app(requests_per_second=5)
    with TestClient(served, client=(ATTACKER, 50_000)) as attacker:
        statuses = [attacker.get("/", headers=HTML).status_code for _ in range(N_REQUESTS)]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses
    with TestClient(served, client=(VICTIM, 50_000)) as other:
        assert other.get("/", headers=HTML).status_code == 200
