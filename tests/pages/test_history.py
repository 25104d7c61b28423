"""The history page, run by Streamlit's own test runner."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.history.render import export_of
from app.shared.downloads import made_on_demand
from app.shared.resources import Resources
from core.domain.accounts import Identity, Role, User
from core.domain.errors import NotAllowedError
from core.domain.reading import Setup
from core.domain.records import Disposition, Inspection, InspectionState
from core.services.inspections.inspecting import Decision
from core.store.inspection_history import HistoryFilter
from tests.pages.browser import Browser, open_page, said
from tests.records import detection_result, radiograph, store_image

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


@pytest.fixture
def inspector(browser: Browser) -> User:
    """Who looks at the page."""
    user = browser.account("a.film", Role.INSPECTOR)
    browser.sign_in(user)
    return user


def acting(user: User) -> Identity:
    return Identity(user.user_id, user.shown_name, user.role)


def inspected(browser: Browser, user: User, n: int, **setup: Any) -> Inspection:
    """An inspection of an image whose row is stored; `n` tells images apart."""
    film = replace(radiograph(), sha256=f"{n:064x}", file_sha256="")
    store_image(browser.services.store, film)
    result = replace(detection_result(film), name=f"film-{n}.png")
    return browser.services.workspace.inspections.record(acting(user), result, setup=Setup(**setup))


def sign(browser: Browser, one: Inspection) -> None:
    with browser.services.store.write() as work:
        work.inspections.set_state(one.inspection_id, InspectionState.SIGNED)


def table(page: AppTest) -> dict[str, Any]:
    """What the table in the browser is told."""
    (component,) = page.get("bidi_component")
    return dict(json.loads(component.proto.json))


def parts(page: AppTest) -> list[str]:
    return [row["cells"][1]["text"] for row in table(page)["rows"]]


def open_history(**address: str) -> AppTest:
    page = open_page("history.py", **address)
    assert not page.exception
    return page


@pytest.mark.usefixtures("inspector")
def test_an_empty_history_invites() -> None:
    page = open_history()
    assert "Nothing was inspected yet" in said(page)


def test_a_row_says_what_was_found_and_decided_and_never_that_nothing_is_there(
    browser: Browser, inspector: User
) -> None:
    inspected(browser, inspector, 1, part="vessel", weld_number="W-7")
    empty = replace(detection_result(radiograph("b"), n=0), name="empty.png")
    store_image(browser.services.store, radiograph("b"))
    browser.services.workspace.inspections.record(acting(inspector), empty)
    newest, oldest = table(open_history())["rows"]
    assert [cell["text"] for cell in oldest["cells"][1:5]] == [
        "vessel",
        "film-1.png",
        "1 crack, 1 not assessed",
        "undecided",
    ]
    assert oldest["cells"][1]["more"] == "weld W-7"
    assert oldest["thumbnail"] == f"/records/{oldest['key']}/thumbnail"
    assert newest["cells"][3]["text"] == "none reported"


def test_pages_turn_both_ways_and_the_count_is_told(browser: Browser, inspector: User) -> None:
    for n in range(53):
        inspected(browser, inspector, n, part=f"part-{n}")
    page = open_history()
    assert "1 to 50 of 53" in said(page)
    assert parts(page)[0] == "part-52"
    page.button(key="history.older").click().run()
    assert parts(page) == ["part-2", "part-1", "part-0"]
    assert "51 to 53 of 53" in said(page)
    assert page.button(key="history.older").disabled
    page.button(key="history.newer").click().run()
    assert parts(page)[0] == "part-52"


def test_filters_narrow_the_list_and_go_into_the_address(browser: Browser, inspector: User) -> None:
    one = inspected(browser, inspector, 1, part="vessel")
    inspected(browser, inspector, 2, part="pipe")
    browser.services.workspace.inspections.decide(
        acting(inspector), one.inspection_id, Decision(Disposition.REJECT), expected_version=1
    )
    page = open_history()
    page.selectbox(key="history.disposition").set_value("reject").run()
    assert parts(page) == ["vessel"]
    assert page.query_params["disposition"] == "reject"
    page.button(key="history.clear").click().run()
    assert len(parts(page)) == 2
    page.text_input(key="history.text").set_value("PIPE").run()
    assert parts(page) == ["pipe"]
    page.text_input(key="history.text").set_value("pipe nobody has").run()
    assert "No inspection is like this" in said(page)


def test_a_reload_comes_back_to_the_same_list(browser: Browser, inspector: User) -> None:
    for n, part in enumerate(("vessel", "pipe")):
        inspected(browser, inspector, n, part=part)
    page = open_history(q="pipe", state="open", model_version="weld v2", inspector=inspector.user_id)
    assert parts(page) == ["pipe"]
    assert page.selectbox(key="history.inspector").value == inspector.user_id
    page = open_history(q="pipe", state="nonsense", inspector="nobody", disposition="undecided", to="no day")
    assert parts(page) == ["pipe"]


def test_one_inspection_is_read_beside_the_list(browser: Browser, inspector: User) -> None:
    one = inspected(browser, inspector, 1, part="vessel <b>", wall_mm=12.5)
    page = open_history(inspection=one.inspection_id)
    words = said(page)
    assert "vessel &lt;b&gt;" in words
    assert "t 12.5 mm" in words
    assert "Nobody signed yet" in words
    assert f"/reports/{one.inspection_id}.pdf" in words
    assert table(page)["chosen"] == one.inspection_id
    page.button(key="history.close").click().run()
    assert "inspection" not in page.query_params
    assert "Nobody signed yet" not in said(page)


@pytest.mark.usefixtures("inspector")
def test_an_address_of_nothing_is_told_in_words() -> None:
    assert "no such inspection" in said(open_history(inspection="0" * 32))


def test_who_may_be_the_second_person_sees_no_result(browser: Browser) -> None:
    inspector, reviewer = browser.account("a.film", Role.INSPECTOR), browser.account("r.view", Role.REVIEWER)
    one = inspected(browser, inspector, 1, part="vessel")
    sign(browser, one)
    browser.sign_in(reviewer)
    page = open_history(inspection=one.inspection_id)
    (row,) = table(page)["rows"]
    assert "crack" not in json.dumps(row)
    assert "crack" not in said(page)
    assert ".pdf" not in said(page)
    browser.sign_in(inspector)
    assert "crack" in said(open_history(inspection=one.inspection_id))


@pytest.mark.parametrize("role", [Role.ML_ENGINEER, Role.ANNOTATOR])
def test_who_does_not_inspect_reads_only(browser: Browser, role: Role) -> None:
    one = inspected(browser, browser.account("a.film", Role.INSPECTOR), 1, part="vessel")
    browser.sign_in(browser.account("m.train", role))
    page = open_history(inspection=one.inspection_id)
    assert parts(page) == ["vessel"]
    assert {link.proto.label for link in page.get("page_link")} == {"Account", "Label"}


def test_the_export_is_made_for_whoever_is_signed_in_when_it_is_asked_for(
    browser: Browser, inspector: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspected(browser, inspector, 1, part="vessel")
    monkeypatch.setattr("app.shared.downloads.current_identity", lambda **_: acting(inspector))
    make = made_on_demand(export_of(HistoryFilter()))
    (line,) = csv.DictReader(io.StringIO(make().decode("utf-8")))
    assert line["part"] == "vessel"
    with browser.services.store.write() as work:
        work.users.set_role(inspector.user_id, Role.ADMIN)
    with pytest.raises(NotAllowedError):
        make()
    browser.services.signing_in.sign_out(next(iter(browser.cookies.values())))
    with pytest.raises(NotAllowedError, match="no longer signed in"):
        make()
