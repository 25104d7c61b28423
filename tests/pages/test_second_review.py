"""The second person's page, run by Streamlit's own test runner."""

import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.indication import IndicationClass
from core.domain.objections import objections
from core.domain.override import Override, OverrideReason
from core.domain.radiograph import Polarity
from core.domain.reading import Call, ReadIndication
from core.domain.records import AnnotationSource, Disposition, InspectionState
from core.services.inspections.inspecting import Decision
from tests.pages.browser import PASSWORD, Browser, open_page, said
from tests.records import detection_result
from tests.workplace import radiograph_png

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
MINE = ReadIndication(
    "h1", (50, 50, 60, 60), IndicationClass.INCLUSION, AnnotationSource.HUMAN, Call.CONFIRMED, note="slag"
)


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


@pytest.fixture
def reviewer(browser: Browser) -> User:
    """Who looks at the page."""
    user = browser.account("r.view", Role.REVIEWER)
    browser.sign_in(user)
    return user


def acting(user: User) -> Identity:
    return Identity(user.user_id, user.shown_name, user.role)


def signed(browser: Browser, user: User, said: Disposition = Disposition.REJECT) -> str:
    """An inspection that `user` made, read, decided and signed, in spite of what stood against it."""
    who, workspace = acting(user), browser.services.workspace
    film = workspace.images.add(who, radiograph_png(3), "film.png", polarity=Polarity.FILM)
    inspection_id = workspace.inspections.record(who, detection_result(film)).inspection_id
    found = workspace.open_readings.open(who, inspection_id).reading.indications
    told = [replace(one, call=Call.CONFIRMED, note="told by the first") for one in found]
    workspace.readings.save(who, inspection_id, told, expected_version=0)
    workspace.inspections.decide(who, inspection_id, Decision(said, note="first note"), expected_version=1)
    standing = workspace.open_readings.open(who, inspection_id).judgement.standing
    against = objections(said, standing)
    override = Override(against, OverrideReason.CONCESSION, "letter of May") if against else None
    workspace.signing_off.sign(
        who, inspection_id, PASSWORD,
        expected_version=2, expected_reading=1, address="127.0.0.1", override=override,
    )  # fmt: skip
    return inspection_id


@pytest.fixture
def signed_id(browser: Browser) -> str:
    return signed(browser, browser.account("a.film", Role.INSPECTOR))


def finish(browser: Browser, reviewer: User, signed_id: str, said: Disposition = Disposition.REJECT) -> None:
    """The own result, final."""
    reviews, who = browser.services.workspace.reviews, acting(reviewer)
    reviews.save_own(who, signed_id, [MINE], expected_version=0)
    reviews.decide_own(who, signed_id, said, expected_version=0)
    reviews.unveil(who, signed_id, expected_reading=1, expected_decision=1)


def open_review(**address: str) -> AppTest:
    page = open_page("second_review.py", **address)
    assert not page.exception
    return page


def component(page: AppTest) -> dict[str, Any]:
    (only,) = page.get("bidi_component")
    return dict(json.loads(only.proto.json))


@pytest.mark.usefixtures("reviewer")
def test_an_empty_queue_says_what_will_come() -> None:
    page = open_review()
    assert "Nothing waits for a second person" in said(page)


@pytest.mark.usefixtures("reviewer")
def test_the_queue_tells_nothing_of_the_result(signed_id: str) -> None:
    page = open_review()
    (row,) = component(page)["rows"]
    assert row["key"] == signed_id
    assert not {"crack", "reject", "first note"} & set(json.dumps(row).replace('"', " ").split())
    assert "1 inspection waits for a second person, the oldest since 20" in said(page)


@pytest.mark.usefixtures("reviewer")
def test_the_blind_reading_holds_nothing_of_model_and_first_person(signed_id: str) -> None:
    page = open_review(inspection=signed_id)
    data = component(page)
    assert data["detections"] == []
    assert data["reading"]["indications"] == []
    assert data["reading"]["decision"]["disposition"] is None
    assert data["reading"]["is_blind"]
    assert data["image"]["pixels_url"] == f"/records/{signed_id}/pixels"
    for word in ("told by the first", "first note", "reject", "weld v", "0.8"):
        assert word not in json.dumps(data)
    assert "told by the first" not in said(page)
    assert "first note" not in said(page)
    assert not page.text_input


def test_nobody_opens_their_own(browser: Browser, reviewer: User) -> None:
    page = open_review(inspection=signed(browser, reviewer))
    assert "a second person must" in page.warning[0].value
    assert not page.get("bidi_component")
    page.button(key="second_review.back").click().run()
    assert "inspection" not in page.query_params


def test_the_override_of_the_first_person_stands_over_their_reading(browser: Browser, reviewer: User) -> None:
    overridden = signed(browser, browser.account("a.film", Role.INSPECTOR), Disposition.ACCEPT)
    finish(browser, reviewer, overridden)
    title = component(open_review(inspection=overridden))["first"]["title"]
    assert "accept, override: concession: letter of May" in title


def test_both_readings_stand_side_by_side_once_the_own_is_final(
    browser: Browser, reviewer: User, signed_id: str
) -> None:
    finish(browser, reviewer, signed_id, Disposition.ACCEPT)
    page = open_review(inspection=signed_id)
    words, data = said(page), component(page)
    assert "you <b" in words
    assert "1 only you, 1 only the first person" in words
    assert [(one["group"], one["first"], one["second"]) for one in data["places"]] == [
        ("Only you", "–", "1 inclusion"),
        ("Only the first person", "1 crack", "–"),
    ]
    assert data["first"]["title"] == 'First: A.Film · reject · 1 indication · "first note"'
    assert data["second"]["title"] == "You, blind · accept · 1 indication"
    assert data["image"]["pixels_url"] == f"/records/{signed_id}/pixels"


def test_only_what_is_possible_is_offered_and_the_page_says_why(
    browser: Browser, reviewer: User, signed_id: str
) -> None:
    finish(browser, reviewer, signed_id, Disposition.ACCEPT)
    page = open_review(inspection=signed_id)
    assert page.radio(key="second_review.outcome").options == ["Return it to its inspector"]
    assert "You cannot concur: your disposition is accept and the first is reject" in page.warning[0].value


def test_the_own_reading_is_changed_with_a_reason(browser: Browser, reviewer: User, signed_id: str) -> None:
    finish(browser, reviewer, signed_id, Disposition.ACCEPT)
    page = open_review(inspection=signed_id)
    page.button(key="second_review.change.send").click().run()
    assert "say why you change your own reading" in page.error[0].value
    page.text_area(key="second_review.reason").set_value("the crack is there")
    page.button(key="second_review.change.send").click().run()
    assert not page.exception
    assert "Opened again: the crack is there. What you said blind (accept) stays" in said(page)
    data = component(page)["reading"]
    assert (data["is_open"], data["decision"]["disposition"]) == (True, "accept")
    reviews, who = browser.services.workspace.reviews, acting(reviewer)
    reviews.decide_own(who, signed_id, Disposition.REJECT, expected_version=3)
    reviews.unveil(who, signed_id, expected_reading=1, expected_decision=4)
    page = open_review(inspection=signed_id)
    assert component(page)["second"]["title"] == "You, changed (blind: accept) · reject · 1 indication"
    assert page.radio(key="second_review.outcome").options[0] == "Concur with the first result"


def test_without_a_valid_certificate_nothing_is_signed_where_one_is_needed(
    browser: Browser, reviewer: User, signed_id: str
) -> None:
    finish(browser, reviewer, signed_id)
    browser.services.certificates.set_required(COMMAND_LINE, True)
    page = open_review(inspection=signed_id)
    assert page.button(key="second_review.sign").disabled
    assert "of level 2 or 3 here, and your account has none" in page.warning[0].value


@pytest.mark.parametrize(
    ("outcome", "state"), [("concurs", InspectionState.CONCURRED), ("returns", InspectionState.RETURNED)]
)
def test_the_outcome_is_signed_with_the_password(
    browser: Browser, reviewer: User, signed_id: str, outcome: str, state: InspectionState
) -> None:
    finish(browser, reviewer, signed_id)
    page = open_review(inspection=signed_id)
    page.radio(key="second_review.outcome").set_value(outcome)
    page.text_area(key="second_review.note").set_value("look at 40 mm")
    page.text_input(key="second_review.password").set_value(PASSWORD)
    page.button(key="second_review.sign").click().run()
    assert not page.exception
    assert "signed" in said(page)
    assert "inspection" not in page.query_params
    record = browser.services.workspace.records.get(acting(reviewer), signed_id)
    assert record.inspection.state is state
    assert [one.meaning for one in record.signatures] == ["inspected", "reviewed"]
    assert "review of this inspection is concluded" in open_review(inspection=signed_id).warning[0].value


@pytest.mark.parametrize(
    ("outcome", "note", "password", "says"),
    [
        (None, "", PASSWORD, "choose concur or return"),
        ("concurs", "", "", "enter your password"),
        ("concurs", "", "three cracks in 2 welds", "not the password"),
        ("returns", " ", PASSWORD, "say why"),
    ],
)
def test_what_is_missing_is_told_and_nothing_is_signed(
    browser: Browser, reviewer: User, signed_id: str, outcome: str | None, note: str, password: str, says: str
) -> None:
    finish(browser, reviewer, signed_id)
    page = open_review(inspection=signed_id)
    if outcome:
        page.radio(key="second_review.outcome").set_value(outcome)
    page.text_area(key="second_review.note").set_value(note)
    page.text_input(key="second_review.password").set_value(password)
    page.button(key="second_review.sign").click().run()
    (error,) = page.error
    assert error.value.startswith("Nothing was signed")
    assert says in error.value
    assert page.text_input(key="second_review.password").value == ""
    record = browser.services.workspace.records.get(acting(reviewer), signed_id)
    assert record.inspection.state is InspectionState.SIGNED
