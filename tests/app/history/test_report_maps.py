"""Reports that carry maps of chosen boxes."""

import warnings
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.history.routes import routes
from app.shared.resources import Resources
from app.shared.visitors import SESSION_COOKIE
from app.web.middleware.arrival import Arrival
from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import BadInputError
from core.domain.explanations import METHOD_WORDS, Belief, Method
from core.domain.radiograph import Polarity
from core.reports.report_pdf import read_report_pdf
from core.services.intake.asked import Asked
from core.services.intake.report_maps import MOST_MAPS
from tests.records import add_user
from tests.workplace import incoming, radiograph_png

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2, which nothing else here needs
    from starlette.testclient import TestClient


@pytest.fixture
def inspector(workplace: Resources) -> Identity:
    return add_user(workplace.services.store)


@pytest.fixture
def client(workplace: Resources, inspector: Identity) -> Iterator[TestClient]:
    signing_in = workplace.services.signing_in
    with TestClient(Starlette(routes=routes(), middleware=[Middleware(Arrival)])) as client:
        client.cookies.set(
            SESSION_COOKIE, signing_in.exchange(signing_in.ticket_for(inspector.user_id), "test")
        )
        yield client


@pytest.fixture
def inspection_id(workplace: Resources, inspector: Identity) -> str:
    asked = Asked("weld", version=1, polarity=Polarity.FILM)
    film = incoming("film.png", radiograph_png(3, height=160, width=200))
    return workplace.services.inspect_files.inspect(inspector, film, asked).inspection.inspection_id


def test_the_pages_carry_the_chosen_maps_and_are_verified_without_them(
    workplace: Resources, client: TestClient, inspection_id: str
) -> None:
    plain = client.get(f"/reports/{inspection_id}.pdf")
    answer = client.get(f"/reports/{inspection_id}.pdf?boxes=1,2&methods=gradcam")
    assert answer.status_code == 200
    first = client.get(f"/reports/{inspection_id}.pdf?boxes=1")
    maps = read_report_pdf(first.content).attached.report.maps
    assert [one.method for one in maps or ()] == [METHOD_WORDS[Method.GRADCAM]]  # nothing was measured
    maps = read_report_pdf(answer.content).attached.report.maps
    assert maps is not None
    assert [(one.number, one.method, one.version) for one in maps] == [
        (number, METHOD_WORDS[Method.GRADCAM], "weld v1") for number in (1, 2)
    ]
    assert {one.belief for one in maps} <= {belief.value for belief in Belief}
    assert {one.standing for one in maps} == {"not measured for this version"}
    assert read_report_pdf(plain.content).attached.report.maps is None
    assert answer.content.count(b"/Subtype /Image") > plain.content.count(b"/Subtype /Image")
    verified = workplace.services.verifying.verify(COMMAND_LINE, answer.content)
    assert verified.reproduces, verified.differences
    assert any("maps were NOT made again" in note for note in verified.notes)


@pytest.mark.parametrize(
    ("query", "status"), [("boxes=100000", 404), ("boxes=one", 400), ("boxes=1&methods=tea", 400)]
)
def test_maps_that_cannot_be_made_are_refused(
    client: TestClient, inspection_id: str, query: str, status: int
) -> None:
    assert client.get(f"/reports/{inspection_id}.pdf?{query}").status_code == status


def test_no_report_gets_more_maps_than_fit_on_a_few_pages(
    workplace: Resources, inspector: Identity, inspection_id: str
) -> None:
    services = workplace.services
    report = services.reporting(inspector).report(inspector, inspection_id)
    with pytest.raises(BadInputError, match=f"1 to {MOST_MAPS} maps"):
        services.report_maps.with_maps(inspector, report, [(1, Method.GRADCAM)] * (MOST_MAPS + 1))
