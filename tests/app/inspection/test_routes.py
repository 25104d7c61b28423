"""Pixels, maps and downloads over HTTP."""

import io
import json
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.inspection.analysis_queue import Question
from app.inspection.routes import routes
from app.inspection.state import analyses, intake
from app.shared.guest_tokens import COOKIE
from app.shared.resources import Resources
from app.shared.visitors import identity_of
from app.shared.worklist import EntryState, WorklistEntry, worklists
from app.web.middleware.arrival import Arrival
from app.web.middleware.page_shell import PageShell
from app.web.server import guest_cookies
from core.domain.accounts import Identity
from core.domain.explanations import Belief, Falls, Fill
from core.domain.radiograph import Polarity
from tests.workplace import incoming, radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient

PAGE = '<html><head><title>Streamlit</title></head><body><div id="root"></div></body></html>'
HTML = {"Accept": "text/html"}


@dataclass
class Opened:
    """A client whose visitor has one analysed image."""

    client: TestClient
    sha256: str
    query: str


@pytest.fixture
def client(workplace: Resources) -> Iterator[TestClient]:
    page = Route("/", lambda request: HTMLResponse(PAGE))
    middleware = [Middleware(Arrival), Middleware(PageShell, cookies_for=guest_cookies)]
    app = Starlette(routes=[page, *routes()], middleware=middleware)
    with TestClient(app, client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.fixture
def opened(workplace: Resources, client: TestClient) -> Opened:
    client.get("/", headers=HTML)
    identity = identity_of(client.cookies, address="192.0.2.7")
    worklist = worklists().of(identity)
    key = intake().receive(
        worklist, identity, incoming("film 1.png", radiograph_png(3, height=160, width=200)), Polarity.FILM
    )
    while worklist.get(key).state is EntryState.READING:
        time.sleep(0.01)
    return Opened(client, worklist.get(key).sha256, "model=weld&version=1&polarity=film")


def entry_of(opened: Opened, identity: Identity) -> WorklistEntry:
    entry = worklists().of(identity).with_digest(opened.sha256)
    assert entry is not None
    return entry


def analysed(workplace: Resources, opened: Opened) -> int:
    """How many boxes the image has, once it is analysed."""
    identity = identity_of(opened.client.cookies)
    question = Question(identity.user_id, opened.sha256, Polarity.FILM, "weld", 1)
    while (result := analyses().result(question)) is None:
        analyses().ask(question, entry_of(opened, identity), identity)
        time.sleep(0.01)
    return len(result.detections)


def test_pixels_come_at_native_depth_and_may_be_kept(opened: Opened) -> None:
    answer = opened.client.get(f"/pixels/{opened.sha256}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    pixels = np.frombuffer(answer.content, "<u2").reshape(160, 200)
    assert (pixels == np.asarray(Image.open(io.BytesIO(radiograph_png(3, height=160, width=200))))).all()


@pytest.mark.parametrize(
    "path", ["/pixels/{}", "/thumbnails/{}", "/results/{}/map?box=1", "/results/{}/without?box=1"]
)
def test_an_image_of_another_visitor_looks_like_none(opened: Opened, path: str) -> None:
    opened.client.cookies.clear()
    opened.client.get("/", headers=HTML)
    stranger = opened.client.get(path.format(opened.sha256))
    nothing = opened.client.get(path.format("0" * 64))
    assert (stranger.status_code, stranger.text) == (nothing.status_code, nothing.text) == (404, nothing.text)


def test_without_a_valid_cookie_nothing_is_shown(opened: Opened) -> None:
    opened.client.cookies.clear()
    assert opened.client.get(f"/pixels/{opened.sha256}").status_code == 404
    opened.client.cookies.set(COOKIE, "made.up")
    assert opened.client.get(f"/pixels/{opened.sha256}").status_code == 404


def test_thumbnails_of_own_images_and_samples_are_small_pictures(
    workplace: Resources, opened: Opened
) -> None:
    sample = workplace.services.samples.all()[0]
    for path in (f"/thumbnails/{opened.sha256}", f"/samples/{sample.name}/thumbnail"):
        answer = opened.client.get(path)
        assert answer.headers["content-type"] == "image/png"
        assert max(Image.open(io.BytesIO(answer.content)).size) <= 900
    assert opened.client.get("/samples/no.png/thumbnail").status_code == 404


def test_downloads_name_the_image_and_hold_every_box(workplace: Resources, opened: Opened) -> None:
    n_boxes = analysed(workplace, opened)
    assert n_boxes > 0
    answer = opened.client.get(f"/results/{opened.sha256}/detections.json?{opened.query}")
    assert "film%201-radikal-v1.json" in answer.headers["content-disposition"]
    (content,) = json.loads(answer.text)
    assert (content["image"]["path"], len(content["detections"])) == ("film 1.png", n_boxes)
    for extra in ("", "&map=1"):
        picture = opened.client.get(
            f"/results/{opened.sha256}/annotated.png?{opened.query}&threshold=0.5{extra}"
        )
        assert Image.open(io.BytesIO(picture.content)).size == (200, 160)


def test_the_map_of_a_box_comes_with_its_place(workplace: Resources, opened: Opened) -> None:
    analysed(workplace, opened)
    answer = opened.client.get(f"/results/{opened.sha256}/map?{opened.query}&box=1")
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["x-width"]) * int(answer.headers["x-height"])


def test_the_map_without_a_method_is_the_one_that_was_measured_to_say_more(
    workplace: Resources, opened: Opened
) -> None:
    analysed(workplace, opened)
    address = f"/results/{opened.sha256}/map?{opened.query}&box=1"
    assert opened.client.get(address).headers["x-signed"] == "0"
    version = workplace.services.registry.resolve("weld", version=1)[0]
    leads = {"gradcam": [-0.1, -0.02], "integrated": [0.02, 0.1]}
    methods = {name: {"better_than": {"a Gaussian on the box": {"value": 0.0, "interval": interval}}}
               for name, interval in leads.items()}  # fmt: skip
    figures = {"n_boxes": 231, "methods": methods}
    folder = workplace.services.data_dir / "explanations"
    folder.mkdir(exist_ok=True)
    (folder / f"{version.sha256}.json").write_text(json.dumps(figures))
    assert opened.client.get(address).headers["x-signed"] == "1"


@pytest.mark.parametrize("box", ["0", "100000"])
def test_a_box_that_is_not_there_has_no_map(workplace: Resources, opened: Opened, box: str) -> None:
    analysed(workplace, opened)
    for name in ("map", "without", "similar"):
        assert (
            opened.client.get(f"/results/{opened.sha256}/{name}?{opened.query}&box={box}").status_code == 404
        )


def test_a_map_by_another_method_comes_with_how_far_to_believe_it(
    workplace: Resources, opened: Opened
) -> None:
    analysed(workplace, opened)
    query = f"{opened.query}&box=1&method="
    signed = opened.client.get(f"/results/{opened.sha256}/map?{query}integrated")
    assert (signed.status_code, signed.headers["x-signed"]) == (200, "1")
    found = opened.client.get(f"/results/{opened.sha256}/faithfulness?{query}gradcam").json()
    assert found["belief"] in {belief.value for belief in Belief}
    assert opened.client.get(f"/results/{opened.sha256}/map?{query}tealeaves").status_code == 400
    picture = opened.client.get(
        f"/results/{opened.sha256}/annotated.png?{query}integrated&map=1&threshold=0.5"
    )
    assert Image.open(io.BytesIO(picture.content)).size == (200, 160)
    missing = f"/results/{opened.sha256}/faithfulness?{opened.query}&box=100000"
    assert opened.client.get(missing).status_code == 404


def test_a_box_is_read_again_without_its_region(workplace: Resources, opened: Opened) -> None:
    analysed(workplace, opened)
    address = f"/results/{opened.sha256}/without?{opened.query}&box=1"
    answer = opened.client.get(address).json()
    assert answer["verdict"] in {verdict.value for verdict in Falls}
    assert set(answer["after"]) == {kind.value for kind in Fill}
    assert all(f"{kind} {after:.2f}" in answer["figures"] for kind, after in answer["after"].items())
    assert opened.client.get(address).json() == answer


def test_a_box_is_compared_with_nothing_where_nobody_decided(workplace: Resources, opened: Opened) -> None:
    analysed(workplace, opened)
    answer = opened.client.get(f"/results/{opened.sha256}/similar?{opened.query}&box=1").json()
    assert answer == {"words": "nobody has confirmed or dismissed another indication here", "n": 0}


@pytest.mark.parametrize("query", ["", "box=one&{q}", "box=1&model=weld&version=1&polarity=odd"])
def test_an_address_that_is_not_understood_is_told_so(opened: Opened, query: str) -> None:
    answer = opened.client.get(f"/results/{opened.sha256}/map?{query.format(q=opened.query)}")
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_a_result_that_was_not_asked_for_is_not_there(opened: Opened) -> None:
    for name in ("detections.json", "annotated.png"):
        path = f"/results/{opened.sha256}/{name}?{opened.query}&threshold=0.5"
        assert opened.client.get(path).status_code == 404


def test_a_page_of_the_demo_gets_one_guest_cookie_that_scripts_cannot_read(client: TestClient) -> None:
    cookie = client.get("/", headers=HTML).headers["set-cookie"]
    assert "; HttpOnly; SameSite=Lax" in cookie
    assert "set-cookie" not in client.get("/", headers=HTML).headers
    replaced = client.get("/", headers={**HTML, "Cookie": f"{COOKIE}=x; \x01=;"})
    assert COOKIE in replaced.headers["set-cookie"]
