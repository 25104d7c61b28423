"""Images of evaluation sets over HTTP, only for whoever may compare."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.models.routes import crop_address, image_address, routes
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from app.web.middleware.arrival import Arrival
from core.domain.accounts import Role
from core.store.evaluations import EvaluationSet
from tests.measured import add_set, measure
from tests.records import add_user

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    app = Starlette(routes=routes(), middleware=[Middleware(Arrival)])
    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.fixture
def chosen(workplace: Resources, tmp_path: Path) -> EvaluationSet:
    return add_set(workplace, tmp_path)


def sign_in(workplace: Resources, client: TestClient, role: Role) -> None:
    services = workplace.services
    somebody = add_user(services.store, role)
    client.cookies.set(
        SESSION_COOKIE, services.signing_in.exchange(services.signing_in.ticket_for(somebody.user_id), "x")
    )


def addresses(workplace: Resources, chosen: EvaluationSet) -> list[str]:
    sha256 = workplace.services.evaluations.sets.content(chosen).digests[0]
    address = image_address(chosen, sha256)
    return [f"{address}/pixels", f"{address}/pixels/preview", crop_address(chosen, sha256, (10, 10, 60, 50)),
            f"{address}/map?version=1&box=1"]  # fmt: skip


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.ML_ENGINEER])
def test_whoever_may_compare_sees_the_images(
    workplace: Resources, client: TestClient, chosen: EvaluationSet, role: Role
) -> None:
    sign_in(workplace, client, role)
    pixels, preview, crop, _ = (client.get(one) for one in addresses(workplace, chosen))
    assert (pixels.status_code, preview.status_code, crop.status_code) == (200, 200, 200)
    assert (pixels.headers["X-Width"], pixels.headers["X-Height"]) == ("128", "96")
    assert len(pixels.content) == 2 * 128 * 96
    assert Image.open(io.BytesIO(crop.content)).size == (220, 176)
    assert "private" in pixels.headers["Cache-Control"]


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.ANNOTATOR, Role.ADMIN, None])
def test_nobody_else_does(
    workplace: Resources, client: TestClient, chosen: EvaluationSet, role: Role | None
) -> None:
    if role is not None:
        sign_in(workplace, client, role)
    for address in addresses(workplace, chosen):
        assert client.get(address).status_code == (404 if role is None else 403), address


def test_the_map_of_a_box_is_computed_for_the_version(
    workplace: Resources, client: TestClient, chosen: EvaluationSet, tmp_path: Path
) -> None:
    sign_in(workplace, client, Role.ML_ENGINEER)
    asked = addresses(workplace, chosen)[3]
    assert client.get(asked).status_code == 404
    measure(workplace, chosen, (1,))
    answer = client.get(asked)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["X-Width"]) > 0
    assert client.get(asked.replace("box=1", "box=9999")).status_code == 404


@pytest.mark.parametrize("at", ["at=1,2,3", "at=a,b,c,d", "", "at=500,500,600,600", "at=5,5,5,9"])
def test_a_piece_that_is_none_is_refused(
    workplace: Resources, client: TestClient, chosen: EvaluationSet, at: str
) -> None:
    sign_in(workplace, client, Role.ML_ENGINEER)
    address = addresses(workplace, chosen)[2].partition("?")[0]
    assert client.get(f"{address}?{at}").status_code in (400, 404)


def test_what_is_no_set_or_image_is_not_found(
    workplace: Resources, client: TestClient, chosen: EvaluationSet
) -> None:
    sign_in(workplace, client, Role.ML_ENGINEER)
    address = addresses(workplace, chosen)[0]
    assert client.get(address.replace(chosen.set_id, "0" * 32)).status_code == 404
    assert client.get(f"/evaluated/{chosen.set_id}/{'0' * 64}/pixels").status_code == 404
    assert client.get(f"/evaluated/{chosen.set_id}/..%2f..%2fetc/pixels").status_code == 404
