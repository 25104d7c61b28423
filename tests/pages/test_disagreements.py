"""The page with the queue of corrections, run by Streamlit's own test runner."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.correction import Reason
from core.domain.records import Disposition
from core.services.inspections.correction_queue import DISAGREE
from core.services.inspections.inspecting import Decision
from core.store.queue import QueueState
from tests.e2e.inspected import inspect
from tests.pages.browser import PASSWORD, Browser, open_page, said
from tests.records import MINE

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """An inspector has signed that the model missed a box on one radiograph."""
    browser = Browser(workplace, monkeypatch)
    inspector, workspace = acting(browser.account("i.film", Role.INSPECTOR)), browser.services.workspace
    inspection_id = inspect(browser.services, inspector, 1, "vessel")
    said_of_it = [*workspace.open_readings.open(inspector, inspection_id).reading.indications, MINE]
    workspace.readings.save(inspector, inspection_id, said_of_it, expected_version=0)
    workspace.inspections.decide(inspector, inspection_id, Decision(Disposition.REJECT), expected_version=1)
    workspace.signing_off.sign(
        inspector, inspection_id, PASSWORD, expected_version=2, expected_reading=1, address="127.0.0.1"
    )
    return browser


@pytest.fixture
def annotator(browser: Browser) -> User:
    """Who looks at the page."""
    return seated(browser, "a.label", Role.ANNOTATOR)


def seated(browser: Browser, name: str, role: Role) -> User:
    user = browser.account(name, role)
    browser.sign_in(user)
    return user


def acting(user: User) -> Identity:
    return Identity(user.user_id, user.shown_name, user.role)


def queue_page(**address: str) -> AppTest:
    page = open_page("disagreements.py", **address)
    assert not page.exception
    return page


def rows(page: AppTest) -> list[dict[str, Any]]:
    """What the table in the browser is told; nothing without a table."""
    return [row for one in page.get("bidi_component") for row in json.loads(one.proto.json)["rows"]]


@pytest.mark.usefixtures("annotator")
def test_what_waits_is_listed_the_most_urgent_first() -> None:
    found = [row["label"] for row in rows(queue_page())]
    assert "the inspector added what the model missed" in found[0]
    assert ["probability near the operating point" in label for label in found[1:]] == [True]


@pytest.mark.usefixtures("annotator")
def test_the_reason_narrows_the_list_and_stands_in_the_address() -> None:
    page = queue_page()
    page.selectbox(key="queue.reason").set_value(Reason.MISSED.value).run()
    assert len(rows(page)) == 1
    assert page.query_params["reason"] == Reason.MISSED.value
    page.selectbox(key="queue.state").set_value(QueueState.SKIPPED.value).run()
    assert not rows(page)
    assert "Nothing is like this" in said(page)


def test_an_item_is_given_to_somebody_and_skipped_with_a_reason(browser: Browser, annotator: User) -> None:
    item = rows(queue_page())[0]["key"]
    page = queue_page(item=item)
    assert "drawn by" in said(page)
    page.selectbox(key="queue.who").set_value(annotator.user_id).run()
    queue = browser.services.workspace.queue
    assert queue.get(acting(annotator), item).assigned_to == annotator.user_id
    page.text_input(key="queue.why").set_value("a letter of lead")
    next(one for one in page.button if one.label == "Skip").click().run()
    kept = queue.get(acting(annotator), item)
    assert (kept.state, kept.note) == (QueueState.SKIPPED, "a letter of lead")
    assert "a letter of lead" in said(page)
    page.button(key="queue.reopen").click().run()
    assert queue.get(acting(annotator), item).state is QueueState.OPEN


@pytest.mark.usefixtures("annotator")
def test_an_item_that_is_not_there_is_told_and_breaks_nothing() -> None:
    page = queue_page(item="nothing")
    assert "There is no such item" in said(page)
    assert len(rows(page)) == 2


def test_an_engineer_has_champion_and_challenger_compared_and_an_annotator_does_not(browser: Browser) -> None:
    seated(browser, "a.label", Role.ANNOTATOR)
    assert "queue.compare" not in [button.key for button in queue_page().button]
    seated(browser, "m.eng", Role.ML_ENGINEER)
    page = queue_page()
    page.selectbox(key="queue.model").set_value("casting").run()
    page.button(key="queue.compare").click().run()
    assert not page.exception
    (job,) = browser.services.jobs.latest(COMMAND_LINE, [DISAGREE])
    assert job.payload["model"] == "casting"
