"""The page on which labels are corrected, run by Streamlit's own test runner."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import Identity, Role, User
from tests.e2e.inspected import inspect
from tests.pages.browser import Browser, open_page, said

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(workplace, monkeypatch)


def acting(user: User) -> Identity:
    return Identity(user.user_id, user.shown_name, user.role)


def inspected(browser: Browser) -> str:
    """The digest of a radiograph that a model looked at; nobody disagrees about it, one box is doubtful."""
    inspector = acting(browser.account("i.film", Role.INSPECTOR))
    inspection_id = inspect(browser.services, inspector, 1, "vessel")
    return browser.services.workspace.inspections.get(inspector, inspection_id).image_sha256


def label_page(browser: Browser, role: Role, **address: str) -> AppTest:
    browser.sign_in(browser.account("a.label", role))
    page = open_page("label.py", **address)
    assert not page.exception
    return page


def viewers(page: AppTest) -> list[dict[str, Any]]:
    """What the viewers on the page are told."""
    return [json.loads(one.proto.json) for one in page.get("bidi_component")]


def test_the_image_in_the_address_is_shown_with_what_the_model_suggests(browser: Browser) -> None:
    page = label_page(browser, Role.ANNOTATOR, image=inspected(browser))
    (told,) = viewers(page)
    assert told["image"]["name"] == "vessel.png"
    assert (told["reading"]["is_labelling"], told["reading"]["is_open"]) == (True, True)
    assert told["detections"]
    assert "suggested by weld v" in said(page)
    assert "(champion)" not in said(page), "the header names no other model beside it"


def test_notes_on_the_image_are_shown_to_whoever_labels(browser: Browser) -> None:
    digest = inspected(browser)
    reviewer = acting(browser.account("r.view", Role.REVIEWER))
    browser.services.workspace.notes.write(reviewer, digest, "the edge of the root bead", box=(1, 2, 30, 12))
    assert "the edge of the root bead" in said(label_page(browser, Role.ANNOTATOR, image=digest))


def test_an_annotator_without_an_address_gets_the_next_of_the_queue(browser: Browser) -> None:
    assert "Nothing waits to be labelled" in said(label_page(browser, Role.ANNOTATOR))
    digest = inspected(browser)
    browser.services.workspace.queue.catch_up(acting(browser.account("m.eng", Role.ML_ENGINEER)))
    (told,) = viewers(open_page("label.py"))
    assert told["image"]["sha256"] == digest


def test_an_image_that_is_not_there_is_told_and_breaks_nothing(browser: Browser) -> None:
    page = label_page(browser, Role.ANNOTATOR, image="f" * 64)
    assert not viewers(page)
    assert "This image cannot be labelled by you now" in " ".join(one.value for one in page.warning)


def test_an_inspector_labels_the_image_of_an_address_and_works_through_no_queue(browser: Browser) -> None:
    digest = inspected(browser)
    page = label_page(browser, Role.INSPECTOR, image=digest)
    assert len(viewers(page)) == 1
    assert "Nothing waits to be labelled" in said(open_page("label.py"))
