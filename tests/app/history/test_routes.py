"""Pictures and pixels of inspections over HTTP, for whoever may look at inspections."""

import io
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.history.routes import routes
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from app.web.middleware.arrival import Arrival
from core.domain.accounts import Identity, Role
from core.domain.radiograph import Polarity
from tests.records import add_user, detection_result
from tests.workplace import radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

KINDS = ("thumbnail", "picture", "pixels", "pixels/preview")


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    app = Starlette(routes=routes(), middleware=[Middleware(Arrival)])
    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.fixture
def inspection_id(workplace: Resources) -> str:
    """An inspection by somebody else than those who ask."""
    services = workplace.services
    inspector = add_user(services.store)
    film = services.workspace.images.add(
        inspector, radiograph_png(3, height=300, width=400), "film.png", polarity=Polarity.FILM
    )
    return services.workspace.inspections.record(inspector, detection_result(film)).inspection_id


def sign_in(workplace: Resources, client: TestClient, role: Role) -> Identity:
    """Give the client the cookie of a new account of this role."""
    services = workplace.services
    somebody = add_user(services.store, role)
    token = services.signing_in.exchange(services.signing_in.ticket_for(somebody.user_id), "test")
    client.cookies.set(SESSION_COOKIE, token)
    return somebody


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.REVIEWER, Role.ANNOTATOR, Role.ML_ENGINEER])
def test_whoever_may_look_at_inspections_sees_their_pictures(
    workplace: Resources, client: TestClient, inspection_id: str, role: Role
) -> None:
    sign_in(workplace, client, role)
    for kind in KINDS:
        answer = client.get(f"/records/{inspection_id}/{kind}")
        assert answer.status_code == 200
        assert "private" in answer.headers["cache-control"]
    small = Image.open(io.BytesIO(client.get(f"/records/{inspection_id}/thumbnail").content))
    assert small.size == (160, 120)
    assert Image.open(io.BytesIO(client.get(f"/records/{inspection_id}/picture").content)).size == (400, 300)


def test_the_pixels_are_those_of_the_file(
    workplace: Resources, client: TestClient, inspection_id: str
) -> None:
    sign_in(workplace, client, Role.REVIEWER)
    answer = client.get(f"/records/{inspection_id}/pixels")
    assert (answer.headers["x-width"], answer.headers["x-height"]) == ("400", "300")
    pixels = np.frombuffer(answer.content, "<u2").reshape(300, 400)
    written = np.asarray(Image.open(io.BytesIO(radiograph_png(3, height=300, width=400))))
    assert np.array_equal(pixels, written)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_else_gets_anything(
    workplace: Resources, client: TestClient, inspection_id: str, kind: str
) -> None:
    assert client.get(f"/records/{inspection_id}/{kind}").status_code == 404
    sign_in(workplace, client, Role.ADMIN)
    assert client.get(f"/records/{inspection_id}/{kind}").status_code == 403
    sign_in(workplace, client, Role.INSPECTOR)
    assert client.get(f"/records/{'0' * 32}/{kind}").status_code == 404
