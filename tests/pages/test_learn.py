"""The pages Data and Retrain, run by Streamlit's own test runner."""

import pytest
from streamlit.testing.v1 import AppTest

from app.shared.resources import Resources
from core.domain.accounts import Role
from tests.pages.browser import Browser, open_page, said

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("m.eng", Role.ML_ENGINEER))
    return browser


def opened(file: str) -> AppTest:
    page = open_page(file)
    assert not page.exception
    return page


@pytest.mark.usefixtures("browser")
def test_data_without_labels_says_how_the_first_version_is_made() -> None:
    page = opened("data_versions.py")
    assert "No data version yet" in said(page)
    assert "nothing is labelled yet" in said(page)
    assert page.button(key="data.make").disabled


@pytest.mark.usefixtures("browser")
def test_retraining_without_data_leads_to_the_page_that_makes_it() -> None:
    page = opened("retrain.py")
    assert "Nothing was trained here yet" in said(page)
    assert "There is no data version of weld yet" in said(page)
    assert "Go to Data" in {link.proto.label for link in page.get("page_link")}
    page.segmented_control(key="inspection.model").set_value("casting").run()
    assert "There is no data version of casting yet" in said(page)
    assert page.query_params["model"] == "casting"


def test_trainings_are_started_by_engineers(browser: Browser) -> None:
    browser.sign_in(browser.account("a.label", Role.ANNOTATOR))
    page = open_page("retrain.py")
    assert not [button for button in page.button if button.key == "retrain.start"]
